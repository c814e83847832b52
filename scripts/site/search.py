"""The search of the book: over the network and from disk, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scripts.site.browser import opened

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

RESULTS = "#search-results ul.search li"


def find(context: BrowserContext, home: str, words: str) -> list[str]:
    """Type words into the search of the front page; what goes wrong."""
    with opened(context, f"{home}/book/index.html") as (page, findings):
        page.keyboard.press("Control+k")
        page.keyboard.type(words)
        page.keyboard.press("Enter")
        page.wait_for_url("**/search.html?q=*")
        try:
            page.wait_for_selector(f"{RESULTS} .context", timeout=10_000)
        except Exception as error:  # playwright's own kind of TimeoutError
            if type(error).__name__ != "TimeoutError":
                raise
            findings.add(f"the search finds no text for {words!r}")
            return findings.problems
        page.wait_for_load_state("networkidle")
        link = page.locator(f"{RESULTS} a").first
        link.click()
        page.wait_for_load_state("networkidle")
        body = page.locator("[role=main]").inner_text().lower()
        if words.lower() not in body:
            findings.add(f"the first page found does not say {words!r}")
        return findings.problems


def check(
    context: BrowserContext, home: str, folder: Path, words: str
) -> list[str]:
    """The same search, twice."""
    found = [f"over http: {x}" for x in find(context, home, words)]
    disk = folder.as_uri()
    return found + [f"from disk: {x}" for x in find(context, disk, words)]
