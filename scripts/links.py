"""Set the repository's address everywhere: `make links REPO=owner/name`.

pyproject.toml holds it; badges and bootstrap cells need it spelled out, so
it is rewritten there, in every text file of the repository. Without a new
address this prints the present one and the files that name another.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = re.compile(r'^Repository = "https://github\.com/([^"/]+/[^"/]+)"', re.M)
SLUG = re.compile(r"^[\w.-]+/[\w.-]+$")
# Where a page or a notebook points into this repository.
OURS = re.compile(
    r"(?:colab\.research\.google\.com/github|mybinder\.org/v2/gh)/"
    r"([\w.-]+/[\w.-]+?)(?=[/\"'\\)\s])"
)
TEXT = {".cff", ".cfg", ".ipynb", ".json", ".md", ".py", ".toml", ".yml"}


def address(root: Path = ROOT) -> str:
    """owner/name, as pyproject.toml has it."""
    found = HOME.search((root / "pyproject.toml").read_text(encoding="utf-8"))
    if found is None:
        raise ValueError("pyproject.toml names no Repository on GitHub")
    return found.group(1)


def text_files(root: Path = ROOT) -> list[Path]:
    """The files under version control that may name the address."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True
    )
    names = listing.stdout.split("\0")
    paths = [root / name for name in names if Path(name).suffix in TEXT]
    return [path for path in paths if path.is_file()]


def rewrite(text: str, old: str, new: str) -> str:
    """The text with the old address replaced, not names that contain it."""
    return re.sub(rf"(?<![\w.-]){re.escape(old)}(?![\w-])", new, text)


def strays(text: str, slug: str) -> list[str]:
    """Addresses of this book in a text that are not `slug`."""
    return sorted({s for s in OURS.findall(text) if s != slug})


def set_address(new: str, root: Path = ROOT) -> list[Path]:
    """Write a new address everywhere; returns the files that changed.

    Raises ValueError for what is not owner/name.
    """
    if not SLUG.match(new):
        raise ValueError(f"{new!r} is not owner/name: make links REPO=you/book")
    old, changed = address(root), []
    for path in text_files(root):
        text = path.read_text(encoding="utf-8")
        if rewrite(text, old, new) != text:
            path.write_text(rewrite(text, old, new), encoding="utf-8")
            changed.append(path)
    return changed


def main() -> int:
    if len(sys.argv) > 1:
        try:
            changed = set_address(sys.argv[1])
        except ValueError as error:
            sys.exit(str(error))
        print(f"  {sys.argv[1]} now stands in {len(changed)} files")
        return 0
    slug = address()
    print(f"  the address is {slug}")
    lost = 0
    for path in text_files():
        for other in strays(path.read_text(encoding="utf-8"), slug):
            print(f"  {path.relative_to(ROOT)} names {other}")
            lost = 1
    return lost


if __name__ == "__main__":
    sys.exit(main())
