"""Make the pages of the HTML book light, after Sphinx has written them.

The theme brings all of Bootstrap and of Font Awesome, twice, and loads the
index of the search on every page; figures are PNG. Here the style sheets keep
the rules that some page uses, the icon fonts the icons, and the figures
become lossless WebP that loads when its reader gets there.
"""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

from scripts import node

# Scripts without which a page works as well: the style sheet has the icons
# too, and only the search page searches.
UNUSED = re.compile(
    r'\s*<(?:script|link)\b[^>]*(?:scripts/fontawesome\.js)[^>]*>'
    r"(?:\s*</script>)?"
)
OF_SEARCH = re.compile(
    r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js"'
    r"></script>"
)
IMAGE = re.compile(r'<img\b[^>]*\bsrc="([^"]+/_images/([^"/]+)\.png)"[^>]*>')
LINK = re.compile(r'(href="[^"]*/_images/[^"/]+)\.png"')
# Names, signs and spaces in code have the color of the ink: css/book.css.
INK = re.compile(
    r'<span class="(?:[npow]|nb|nn|bp|na|no|nv|vm|ne)">([^<]*)</span>'
)
PURGED = (
    "basic.css",
    "pygments.css",
    "vendor/katex/katex.min.css",
    "styles/pydata-sphinx-theme.css",
    "styles/sphinx-book-theme.css",
    "sphinx-design.min.css",
    "mystnb.*.css",
)
ICON = re.compile(r'"\\(f[0-9a-f]{3}|e[0-9a-f]{3})"')


def slim(site: Path) -> None:
    """Rewrite a freshly built site in place."""
    sizes = convert_images(site / "_images")
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        page.write_text(slim_page(text, page.name, sizes), encoding="utf-8")
    write_texts(site)
    purge_styles(site)
    subset_icons(site / "_static")


def convert_images(folder: Path) -> dict[str, tuple[int, int]]:
    """Every PNG as WebP, to the pixel the same; their sizes by name."""
    from PIL import Image

    for path in folder.glob("*.png"):
        with Image.open(path) as image:
            if getattr(image, "n_frames", 1) > 1:
                continue
            made = io.BytesIO()
            image.save(made, "WEBP", lossless=True, quality=80, method=4)
        path.with_suffix(".webp").write_bytes(made.getvalue())
        path.unlink()
    sizes = {}
    for path in folder.glob("*.webp"):
        with Image.open(path) as image:
            sizes[path.stem] = image.size
    return sizes


def slim_page(text: str, name: str, sizes: dict[str, tuple[int, int]]) -> str:
    """One page without the scripts it does not use, with light figures."""

    def image(found: re.Match[str]) -> str:
        if found[2] not in sizes:
            return found[0]
        width, height = sizes[found[2]]
        tag = found[0].replace(found[1], found[1][: -len("png")] + "webp")
        # The size keeps the place, so that nothing moves when it arrives.
        more = f'loading="lazy" width="{width}" height="{height}"'
        return tag.replace("<img", f"<img {more}", 1)

    text = IMAGE.sub(image, UNUSED.sub("", text))
    text = INK.sub(r"\1", text)
    text = LINK.sub(r'\1.webp"', text) if sizes else text
    if name != "search.html":
        return OF_SEARCH.sub("", text)
    disk = '<script src="_static/js/search-from-disk.js"></script>'
    return text if disk in text else text.replace("</head>", f"{disk}\n</head>")


def write_texts(site: Path) -> None:
    """What the search quotes from, for a book that is opened from disk."""
    from bs4 import BeautifulSoup

    texts = {}
    for page in sorted(site.rglob("*.html")):
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        main = soup.select_one("[role=main]")
        if main is None:
            continue
        for silent in main(["script", "style", "svg", "annotation"]):
            silent.decompose()
        for tag in main.find_all(True):
            if tag.name not in ("section", "h1", "h2", "h3", "p", "li", "pre"):
                tag.unwrap()
            else:
                tag.attrs = {k: v for k, v in tag.attrs.items() if k == "id"}
        main.attrs = {"role": "main"}
        texts[page.relative_to(site).as_posix()] = str(main)
    made = f"bookTexts({json.dumps(texts)});"
    (site / "_static" / "page-texts.js").write_text(made, encoding="utf-8")


def purge_styles(site: Path) -> None:
    """The theme's style sheets without the rules that no page uses."""
    static = site / "_static"
    sheets = [p for name in PURGED for p in static.glob(name)]
    scripts = [*static.glob("*.js"), *static.glob("scripts/*.js")]
    scripts += static.glob("js/*.js")
    unused = {"fontawesome.js", "page-texts.js"}
    used = [p for p in scripts if p.name not in unused]
    given = {
        "content": [str(p) for p in [*site.rglob("*.html"), *used]],
        "css": [str(p) for p in sheets],
    }
    script = node.ROOT / "book" / "_vendor" / "purge.cjs"
    made = node.run(script, str(node.MODULES), given=json.dumps(given))
    for name, css in json.loads(made).items():
        Path(name).write_text(css, encoding="utf-8")


def subset_icons(static: Path) -> None:
    """The icon fonts with the icons that the style sheets still name."""
    from fontTools import subset, ttLib

    sheets = "".join(
        path.read_text(encoding="utf-8") for path in static.rglob("*.css")
    )
    icons = {int(code, 16) for code in ICON.findall(sheets)}
    for path in static.glob("vendor/fontawesome/webfonts/*.woff2"):
        font = ttLib.TTFont(path)
        cutter = subset.Subsetter(subset.Options(layout_features=[]))
        cutter.populate(unicodes=icons & set(font.getBestCmap()) or {0x20})
        cutter.subset(font)
        font.flavor = "woff2"
        font.save(path)
