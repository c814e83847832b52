"""Open every page of the HTML book in a headless Chromium.

On each page: no request to another host, no missing file, no error in the
console, no formula left untypeset, no broken image, link or anchor, not too
heavy, not wider than a telephone, nothing serious for axe-core in light and
in dark, and all of it within reach of the keyboard. Then the search, over
http and from disk. Without a browser the check is skipped, and says so.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import yaml

from scripts.launch import release
from scripts.links import address
from scripts.site import links, looks, search
from scripts.site.browser import browser, serve
from scripts.system import find_browser

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
SKIPPED = 77
PROCESSES = 2
WORDS = "byte pair"  # the book surely has them
# A door: it sends its visitor on at once, so that nobody stays to look.
DOOR = "index.html"

Results = dict[str, list[str]]


def order() -> list[str]:
    """The pages of _toc.yml, in the order of reading."""

    def walk(items: list[dict]) -> list[str]:
        return [
            page
            for item in items
            for page in [item["file"], *walk(item.get("sections", []))]
        ]

    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [f for part in toc["parts"] for f in walk(part["chapters"])]
    return [f"{name}.html" for name in [toc["root"], *files]]


def look(command: str, home: str, site: Path, names: list[str]) -> Results:
    """Some pages, one after the other, in one browser."""
    found: Results = {}
    with browser(command) as context:
        for name in names:
            url = f"{home}/{name}"
            if name == DOOR:
                continue
            found[name] = looks.everything(context, url)
            found[name] += looks.first_view(context, site / name)
    return found


def merge(*results: Results) -> Results:
    names = dict.fromkeys(name for r in results for name in r)
    return {n: [p for r in results for p in r.get(n, [])] for n in names}


def check(site: Path, command: str) -> Results:
    """The problems of every page of a site."""
    names = links.pages(site)
    names.sort(key=lambda n: -(site / n).stat().st_size)  # heavy ones apart
    shares = [names[i::PROCESSES] for i in range(PROCESSES)]
    with serve(site) as home, ProcessPoolExecutor(PROCESSES) as pool:
        looked = pool.map(partial(look, command, home, site), shares)
        results = merge(links.broken(site), *looked)
        with browser(command) as context:
            found = search.check(context, home, site.resolve(), WORDS)
    return merge(results, {"search.html": found})


def main() -> int:
    command = find_browser()
    if command is None:
        print("skipped: no Chromium starts here (apt install chromium)")
        return SKIPPED
    if not (SITE / "index.html").exists():
        print("_build/html is not built: run `make html`")
        return 1
    slug, at = address(), release()
    notebooks = [n for n in order() if (SITE / "_sources" / n).with_suffix(
        ".ipynb").exists()]  # fmt: skip
    results = merge(
        check(SITE, command),
        links.neighbors(SITE, order()),
        {name: links.doors(SITE, name, slug, at) for name in notebooks},
    )
    for page, problems in results.items():
        for problem in problems:
            print(f"{page}: {problem}")
    bad = sum(map(bool, results.values()))
    print(f"{len(results)} pages opened, {bad} with problems")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
