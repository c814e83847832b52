"""PDF: the text fonts, and a fallback for every character they lack.

Missing glyphs do not stop LaTeX; they leave holes. So after Sphinx has
written the book's .tex file, each run of characters that one of the three
text fonts lacks is wrapped in a command that switches to the first fallback
font that has them. Later chapters may print any script without a thought.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from unicodedata import east_asian_width

from fontTools.ttLib import TTCollection, TTFont
from sphinx.application import Sphinx
from sphinx.builders.latex import LaTeXBuilder
from sphinx.util import logging

logger = logging.getLogger(__name__)

FOLDERS = (
    "/usr/share/fonts",
    "/usr/share/texmf/fonts",
    "/usr/share/texlive/texmf-dist/fonts",
    "/usr/local/share/fonts",
    "/usr/local/texlive",
    "~/.fonts",
    "~/.local/share/fonts",
    "/Library/Fonts",
    "~/Library/Fonts",
    "/System/Library/Fonts",
)
STYLES = ("Regular", "Bold", "Italic", "BoldItalic")


@dataclass(frozen=True)
class Family:
    """The files of a family: regular, bold, italic, bold italic."""

    files: tuple[str, ...]
    scale: str = "1.0"


# For each role the first family that this machine has.
ROLES = {
    "main": (
        Family(tuple(f"CharisSIL-{s}.ttf" for s in STYLES)),
        Family(tuple(f"Charis-{s}.ttf" for s in STYLES)),
        Family(
            tuple(
                f"FreeSerif{s}.otf"
                for s in ("", "Bold", "Italic", "BoldItalic")
            )
        ),
        Family(tuple(f"lmroman10-{s.lower()}.otf" for s in STYLES)),
    ),
    "sans": (
        *(
            Family(
                tuple(
                    f"Inter-{s}.{kind}"
                    for s in ("Regular", "SemiBold", "Italic", "SemiBoldItalic")
                ),
                "0.94",
            )
            for kind in ("otf", "ttf")
        ),
        Family(
            tuple(
                f"FreeSans{s}.otf"
                for s in ("", "Bold", "Oblique", "BoldOblique")
            )
        ),
        Family(
            tuple(
                f"lmsans10-{s}.otf"
                for s in ("regular", "bold", "oblique", "boldoblique")
            )
        ),
    ),
    "mono": (
        Family(tuple(f"JetBrainsMono-{s}.ttf" for s in STYLES), "0.875"),
        Family(
            tuple(
                f"DejaVuSansMono{s}.ttf"
                for s in ("", "-Bold", "-Oblique", "-BoldOblique")
            ),
            "0.86",
        ),
        Family(
            tuple(
                f"lmmono10-{s}.otf"
                for s in ("regular", "regular", "italic", "italic")
            ),
            "0.97",
        ),
    ),
}
MATH = (
    "texgyrepagella-math.otf",
    "texgyretermes-math.otf",
    "latinmodern-math.otf",
)
FALLBACKS = (
    "DejaVuSans.ttf",
    "FreeSerif.otf",
    "FreeSans.otf",
    "wqy-microhei.ttc",
    "Symbola_hint.ttf",
    "Symbola.ttf",
)
# An index entry; its braces are nested three deep at most.
INDEX_ENTRY = re.compile(
    r"\\index\{(?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})*\}"
)
NO_FONT = -1
NO_GLYPH_NEEDED = {0x200B, 0x200C, 0x200D, 0xFE0E, 0xFE0F, 0xFEFF}


@cache
def find(name: str) -> Path | None:
    """The path of a font file on this machine, or None."""
    for folder in FOLDERS:
        root = Path(folder).expanduser()
        hits = sorted(root.rglob(name)) if root.is_dir() else []
        if hits:
            return hits[0]
    return None


@cache
def glyphs(path: Path) -> frozenset[int]:
    """The characters a font file has glyphs for."""
    if path.suffix == ".ttc":
        font = TTCollection(path, lazy=True).fonts[0]
    else:
        font = TTFont(path, lazy=True)
    return frozenset(font.getBestCmap())


def choose(role: str) -> tuple[Family, list[Path]]:
    """The first family of a role that is complete on this machine."""
    for family in ROLES[role]:
        paths = [find(name) for name in family.files]
        if all(paths):
            return family, [path for path in paths if path]
    raise RuntimeError(
        f"no {role} font for the PDF: install fonts-sil-charis, fonts-inter"
        " and fonts-jetbrains-mono, or TeX's lm fonts"
    )


def set_font(command: str, path: Path, options: list[str]) -> str:
    """A fontspec command that names the file, not a font database's entry."""
    settings = ",".join([f"Path={path.parent}/", *options])
    return f"{command}{{{path.name}}}[{settings}]"


def font_commands() -> str:
    """The LaTeX that sets up the three text fonts and the formulas."""
    lines = [r"\usepackage{fontspec}"]
    commands = {
        "main": r"\setmainfont",
        "sans": r"\setsansfont",
        "mono": r"\setmonofont",
    }
    for role, command in commands.items():
        family, (regular, bold, italic, both) = choose(role)
        options = [f"Scale={family.scale}", f"BoldFont={bold.name}"]
        options += [f"ItalicFont={italic.name}", f"BoldItalicFont={both.name}"]
        if role == "mono":
            options += ["Ligatures=NoCommon", "RawFeature=-calt"]
        lines.append(set_font(command, regular, options))
    lines.append(r"\newcommand{\bookheading}{\sffamily}")
    math = next(filter(None, map(find, MATH)), None)
    if math:
        lines.append(r"\AddToHook{begindocument/before}{")
        lines.append(r"\usepackage{unicode-math}")
        lines.append(
            set_font(r"\setmathfont", math, ["Scale=MatchLowercase"]) + "}"
        )
    return "\n".join(lines) + "\n"


@dataclass
class Fallbacks:
    """Which fallback font serves which character."""

    text_fonts: list[frozenset[int]]
    fallbacks: list[tuple[Path, frozenset[int]]]

    def missing_in_text(self, char: str) -> bool:
        return not all(ord(char) in font for font in self.text_fonts)

    def key(self, char: str) -> tuple[int, ...] | None:
        """None for a character that all text fonts have; else its font."""
        if ord(char) < 128 or not self.missing_in_text(char):
            return None
        lacking = tuple(int(ord(char) in font) for font in self.text_fonts)
        for number, (_, font) in enumerate(self.fallbacks):
            if ord(char) in font:
                return (number, *lacking)
        return (NO_FONT, *lacking)


def letters(number: int) -> str:
    """A LaTeX command may hold no digits: 0 -> aa, 1 -> ab."""
    return chr(ord("a") + number // 26) + chr(ord("a") + number % 26)


def runs(line: str, fonts: Fallbacks) -> Iterator[tuple[int | None, str]]:
    """The line in pieces: (fallback font or None, characters)."""
    shown = "".join(c for c in line if ord(c) not in NO_GLYPH_NEEDED)
    for key, group in groupby(shown, fonts.key):
        text = "".join(group)
        # Wide characters stand alone, so that a line can break between them.
        alone = key is not None and east_asian_width(text[0]) == "W"
        for piece in text if alone else [text]:
            yield (None if key is None else key[0]), piece


class Commands:
    """One LaTeX command without parameters for each run of characters.

    Sphinx takes the code in listings apart to break long lines, and can
    handle commands there only if they take no parameters.
    """

    def __init__(self) -> None:
        self.names: dict[tuple[int, str], str] = {}
        self.homeless: set[str] = set()

    def wrap(self, line: str, fonts: Fallbacks) -> str:
        """The line with each fallback run replaced by its command."""
        out = []
        for number, piece in runs(line, fonts):
            if number == NO_FONT:
                self.homeless |= set(piece)
            if number is None or number == NO_FONT:
                out.append(piece)
                continue
            name = letters(len(self.names))
            name = self.names.setdefault((number, piece), rf"\bookrun{name}")
            out.append(name + "{}")
        return "".join(out)

    def definitions(self) -> str:
        """The LaTeX that defines all commands, for text and for bookmarks."""
        lines, plain = [GLYPH_COMMAND], []
        for (number, piece), name in self.names.items():
            wide = r"\allowbreak" if east_asian_width(piece[0]) == "W" else ""
            where = rf"{{{letters(number)}}}{{{ord(piece[0])}}}"
            body = rf"\bookglyphs{where}{{{piece}}}{wide}"
            lines.append(rf"\DeclareRobustCommand{name}{{{body}}}")
            plain.append(rf"\def{name}{{{piece}}}")
        if plain:
            bookmarks = rf"\pdfstringdefDisableCommands{{{''.join(plain)}}}"
            lines.append(rf"\AtBeginDocument{{{bookmarks}}}")
        return "\n".join(lines) + "\n"


# {font}{code of the first character}{characters}: the font in use if it can,
# else the fallback. Bold code may lack what regular text has.
GLYPH_COMMAND = r"""
\newcommand{\bookglyphs}[3]{\ifmmode#3\else
  \iffontchar\font#2\relax#3\else{\csname bookfallback#1\endcsname#3}\fi\fi}"""


def plain_hyphens(entry: re.Match[str]) -> str:
    """One spelling of an index entry, wherever in the text it stands.

    TeX writes a command to the index with a space behind it or without, as the
    entry stands in a title or in a paragraph, and then lists it twice.
    """
    return entry[0].replace(r"\sphinxhyphen{}", "-")


def finish_tex(folder: Path, tex: str = "book.tex") -> set[str]:
    """Wrap the runs in the .tex file; write bookfonts.tex beside it.

    Returns the characters that no font on this machine has.
    """
    fonts = Fallbacks(
        [
            frozenset.intersection(*map(glyphs, choose(role)[1]))
            for role in ROLES
        ],
        [(path, glyphs(path)) for path in filter(None, map(find, FALLBACKS))],
    )
    path, lines, commands = folder / tex, [], Commands()
    for line in path.read_text(encoding="utf-8").split("\n"):
        keep = line.isascii() or re.search(r"\\(index|label)\{", line)
        lines.append(line if keep else commands.wrap(line, fonts))
    text = INDEX_ENTRY.sub(plain_hyphens, "\n".join(lines))
    path.write_text(text, encoding="utf-8")
    setup = font_commands()
    for number, (font, _) in enumerate(fonts.fallbacks):
        family = rf"\newfontfamily\bookfallback{letters(number)}"
        setup += set_font(family, font, ["Scale=0.92"]) + "\n"
    (folder / "bookfonts.tex").write_text(
        setup + commands.definitions(), encoding="utf-8"
    )
    return commands.homeless


def on_finish(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and isinstance(app.builder, LaTeXBuilder):
        for char in sorted(finish_tex(Path(app.outdir))):
            logger.warning("no font here has U+%04X for the PDF", ord(char))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("build-finished", on_finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
