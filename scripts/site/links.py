"""Links inside the book lead somewhere, and pages know their neighbors."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse


@dataclass
class PageParts(HTMLParser):
    """What one page points to, and what can be pointed to in it."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    relations: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(
        self, tag: str, attrs: list[tuple[str, str | None]]
    ) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "link" and "href" in given:
            self.sources.append(given["href"])
            self.relations[given.get("rel", "")] = given["href"]
        if "src" in given:
            self.sources.append(given["src"])


def parts_of(page: Path) -> PageParts:
    parts = PageParts()
    parts.feed(page.read_text(encoding="utf-8"))
    return parts


def pages(site: Path) -> list[str]:
    """Every page of the site, by its path."""
    found = (p.relative_to(site).as_posix() for p in site.rglob("*.html"))
    return sorted(p for p in found if not p.startswith(("_static", "_sources")))


def target(page: Path, link: str) -> tuple[Path, str] | None:
    """The file and the anchor that a link names, or None for another host."""
    address, anchor = urldefrag(link)
    parsed = urlparse(address)
    if parsed.scheme or parsed.netloc:
        return None
    path = unquote(parsed.path)
    return (page.parent / path).resolve() if path else page, unquote(anchor)


def broken(site: Path) -> dict[str, list[str]]:
    """By page: links, anchors, images and files that are not there."""
    site = site.resolve()
    parts = {site / name: parts_of(site / name) for name in pages(site)}
    found: dict[str, list[str]] = {}
    for page, own in parts.items():
        bad = []
        for link in dict.fromkeys([*own.links, *own.sources]):
            goes = target(page, link)
            if goes is None or link in ("", "#"):
                continue
            file, anchor = goes
            if not file.is_file() or site not in file.parents:
                bad.append(f"leads nowhere: {link}")
            elif anchor and file in parts and anchor not in parts[file].ids:
                bad.append(f"no such place: {link}")
        found[page.relative_to(site).as_posix()] = bad
    return found


def chain(site: Path, start: str) -> list[str]:
    """The pages that `next` leads through, from the first to the last."""
    site, seen = site.resolve(), []
    page: Path | None = (site / start).resolve()
    while page is not None and page not in seen:
        seen.append(page)
        link = parts_of(page).relations.get("next")
        goes = target(page, link) if link else None
        page = goes[0] if goes else None
    return [p.relative_to(site).as_posix() for p in seen]


def neighbors(site: Path, order: list[str]) -> dict[str, list[str]]:
    """Pages that `next` and `prev` do not join in the order of the book."""
    if chain(site, order[0]) != order:
        return {order[0]: ["`next` does not lead through the whole book"]}
    found = {}
    for before, page in pairwise(order):
        back = parts_of(site / page).relations.get("prev", "")
        goes = target((site / page).resolve(), back)
        if goes is None or goes[0] != (site / before).resolve():
            found[page] = [f"`prev` leads to {back!r}, not to {before}"]
    return found


def doors(site: Path, page: str, slug: str, at: str) -> list[str]:
    """What the buttons and links of a page from a notebook lack."""
    links = parts_of(site / page).links
    folder, rest = page.split("/", 1)
    notebook = page.removesuffix(".html") + ".ipynb"
    wanted = {
        f"opens in Colab ({slug})": (
            f"https://colab.research.google.com/github/{slug}/blob/{at}/"
            + notebook
        ),
        f"opens in Binder ({slug})": f"https://mybinder.org/v2/gh/{slug}/{at}",
        "downloads its notebook": f"_sources/{notebook}",
    }
    others = {"chapters": ("exercises", "solutions"),
              "exercises": ("chapters",),
              "solutions": ("chapters", "exercises")}  # fmt: skip
    for other in others[folder]:
        if (site / other / rest).exists():
            wanted[f"leads to its {other}"] = f"{other}/{rest}"
    return [
        f"no link that {what}"
        for what, part in wanted.items()
        if not any(part in link for link in links)
    ]
