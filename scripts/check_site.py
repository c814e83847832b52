"""Open every page of the HTML book in a headless Chromium.

Fails on a request to another host, a missing file, an error in the console,
and a formula that was not typeset. Without a browser the check is skipped,
and says so.
"""

from __future__ import annotations

import functools
import http.server
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlparse

from scripts.system import find_browser

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
HOME = "127.0.0.1"
SKIPPED = 77
# Root may not use Chromium's sandbox; the rest keeps it from calling home.
OPTIONS = (
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
FORMULAS = """() => ({
  raw: [...document.querySelectorAll(".math")]
    .filter((x) => !x.querySelector("mjx-container")).length,
  wrong: document.querySelectorAll("mjx-merror, [data-mjx-error]").length,
})"""
TYPESET = "() => !window.MathJax || MathJax.startup?.promise"


@dataclass
class Findings:
    """What was seen while one page was open."""

    problems: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("request", lambda request: self.request(request.url))
        page.on("response", lambda r: self.response(r.status, r.url))
        page.on("console", lambda m: self.console(m.type, m.text))
        page.on("pageerror", lambda error: self.add(f"script error: {error}"))

    def add(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    def request(self, url: str) -> None:
        where = urlparse(url)
        if where.scheme.startswith(("http", "ws")) and where.hostname != HOME:
            self.add(f"asks another host: {url}")

    def response(self, status: int, url: str) -> None:
        if status >= 400:
            self.add(f"{status}: {url}")

    def console(self, kind: str, text: str) -> None:
        if kind == "error":
            self.add(f"console: {text[:200]}")


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files and keeps its peace."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """A web server for a folder, as long as the block lasts."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer((HOME, 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{HOME}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def browser(command: str) -> Iterator[BrowserContext]:
    """A headless Chromium with a fresh profile."""
    from playwright.sync_api import sync_playwright

    root = hasattr(os, "geteuid") and os.geteuid() == 0
    options = [*OPTIONS, *(["--no-sandbox"] if root else [])]
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as play:
        context = play.chromium.launch_persistent_context(
            profile, executable_path=command, headless=True, args=options
        )
        try:
            yield context
        finally:
            context.close()


def pages(folder: Path) -> list[str]:
    """Every page of the site, by its path."""
    found = (p.relative_to(folder).as_posix() for p in folder.rglob("*.html"))
    return sorted(p for p in found if not p.startswith(("_static", "_sources")))


def visit(context: BrowserContext, url: str) -> list[str]:
    """Open one page, wait until it is at rest, say what is wrong with it."""
    page, findings = context.new_page(), Findings()
    findings.watch(page)
    try:
        page.goto(url, wait_until="networkidle", timeout=60_000)
        page.evaluate(TYPESET)
        formulas = page.evaluate(FORMULAS)
        if formulas["raw"]:
            findings.add(f"{formulas['raw']} formulas are not typeset")
        if formulas["wrong"]:
            findings.add(f"{formulas['wrong']} formulas have an error")
    finally:
        page.close()
    return findings.problems


def check(folder: Path, command: str) -> dict[str, list[str]]:
    """The problems of every page of a site."""
    with serve(folder) as home, browser(command) as context:
        return {p: visit(context, f"{home}/{p}") for p in pages(folder)}


def main() -> int:
    command = find_browser()
    if command is None:
        print("skipped: no Chromium starts here (apt install chromium)")
        return SKIPPED
    if not (SITE / "index.html").exists():
        print("_build/html is not built: run `make html`")
        return 1
    results = check(SITE, command)
    for page, problems in results.items():
        for problem in problems:
            print(f"{page}: {problem}")
    bad = sum(map(bool, results.values()))
    print(f"{len(results)} pages opened, {bad} with problems")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
