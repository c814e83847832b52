"""Bring in what the pages need in a browser, so that they ask no other host.

The look of formulas, require.js, the widget manager and the fonts come from
npm at the versions of `book/_vendor/package-lock.json`, and are copied to
`.cache/static/vendor`, from where Sphinx takes them into the book. npm itself
comes with the virtual environment where the machine has none.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.node import MODULES, ROOT, npm

SOURCE = ROOT / "book" / "_vendor"
WORK = MODULES.parent
TARGET = ROOT / ".cache" / "static" / "vendor"

# family: the weights and styles that the style sheet uses
FONTS = {
    "charis-sil": ("400", "400-italic", "700", "700-italic"),
    "inter": ("400", "400-italic", "600"),
    "jetbrains-mono": ("400", "400-italic", "700"),
}
# Scripts that the book has no text in; each would cost a rule on every page.
FOREIGN = re.compile(
    r"/\* [\w-]+-(?:vietnamese|cyrillic-ext|greek-ext)-[\w-]+ \*/\s*"
    r"@font-face \{.*?\}\s*",
    re.DOTALL,
)
# what to copy: from the npm package, to the book's static files
FILES = {
    "katex/dist/katex.min.css": "katex/katex.min.css",
    "katex/dist/fonts": "katex/fonts",
    "requirejs/require.js": "require.js",
    "@jupyter-widgets/html-manager/dist": (
        "widgets/@jupyter-widgets/html-manager/dist"
    ),
    "axe-core/axe.min.js": "../../axe.min.js",  # for the checks only
}

# Maps, and fonts for browsers of another age.
OLD = ("*.map", "*.eot", "*.svg", "*.ttf", "*.woff")


def install() -> Path:
    """Run `npm ci` in the cache; returns the folder of packages."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCE / name, WORK / name)
    options = [
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]
    run = subprocess.run(
        [*npm(), "ci", *options], cwd=WORK, capture_output=True, text=True
    )
    if run.returncode:
        sys.exit(f"npm could not fetch the browser parts:\n{run.stderr}")
    return MODULES


def copy_files(packages: Path) -> None:
    for source, target in FILES.items():
        come, go = packages / source, TARGET / target
        go.parent.mkdir(parents=True, exist_ok=True)
        if come.is_dir():
            old = shutil.ignore_patterns(*OLD)
            shutil.copytree(come, go, ignore=old, dirs_exist_ok=True)
        else:
            shutil.copy(come, go)


def copy_fonts(packages: Path) -> None:
    """One style sheet with every face, and the WOFF2 files it names."""
    folder = TARGET / "fonts"
    (folder / "files").mkdir(parents=True, exist_ok=True)
    sheet = []
    for family, faces in FONTS.items():
        package = packages / "@fontsource" / family
        for face in faces:
            css = (package / f"{face}.css").read_text(encoding="utf-8")
            css = FOREIGN.sub("", css)
            sheet.append(
                re.sub(r",\s*url\([^)]*\.woff\) format\('woff'\)", "", css)
            )
            for name in re.findall(r"files/([\w-]+\.woff2)", css):
                shutil.copy(package / "files" / name, folder / "files" / name)
    (folder / "fonts.css").write_text("\n".join(sheet), encoding="utf-8")


def main() -> None:
    packages = install()
    shutil.rmtree(TARGET, ignore_errors=True)
    copy_files(packages)
    copy_fonts(packages)


if __name__ == "__main__":
    main()
