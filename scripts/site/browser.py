"""A Chromium that asks nobody, a server for a folder, and what a page does."""

from __future__ import annotations

import functools
import http.server
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlparse

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Response

HOME = "127.0.0.1"
# Root may not use Chromium's sandbox; the rest keeps it from calling home.
OPTIONS = (
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass
class Findings:
    """What was seen while one page was open."""

    problems: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)  # bytes by address

    def watch(self, page: Page) -> None:
        page.on("request", lambda request: self.request(request.url))
        page.on("response", self.response)
        page.on("console", lambda m: self.console(m.type, m.text))
        page.on("pageerror", lambda error: self.add(f"script error: {error}"))

    def add(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    def request(self, url: str) -> None:
        where = urlparse(url)
        if where.scheme.startswith(("http", "ws")) and where.hostname != HOME:
            self.add(f"asks another host: {url}")

    def response(self, response: Response) -> None:
        if response.status >= 400:
            self.add(f"{response.status}: {response.url}")
        # Not header_value, which asks a page that may be closing by now.
        size = response.headers.get("content-length")
        self.sizes[response.url] = int(size or 0)

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


@contextmanager
def opened(
    context: BrowserContext, url: str, width: int = 1440, scheme: str = "light"
) -> Iterator[tuple[Page, Findings]]:
    """One page at rest, and what was seen until then."""
    page, findings = context.new_page(), Findings()
    findings.watch(page)
    try:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(url, wait_until="networkidle", timeout=60_000)
        yield page, findings
    finally:
        page.close()
