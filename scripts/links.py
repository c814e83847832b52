"""Set the repository's address everywhere: `make links REPO=owner/name`.

pyproject.toml holds it. Badges, bootstrap cells, the citation and the change
log need it spelled out, so it is rewritten there, in every text file of the
repository, and the launch cells of all notebooks are written anew from their
template. Without a new address this prints the present one, the files that
name another, and the notebooks whose launch cells it had to renew.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from scripts import cells, launch

ROOT = Path(__file__).resolve().parent.parent
HOME = re.compile(r'^Repository = "https://github\.com/([^"/]+/[^"/]+)"', re.M)
SLUG = re.compile(r"^[\w.-]+/[\w.-]+$")
OWNER_NAME = r"([\w-]+/[\w.-]*\w)"
# Every way in which a page, a notebook or a workflow names a repository.
NAMED = [
    re.compile(before + OWNER_NAME)
    for before in (
        r"github\.com[/:]",  # git+https, blob, issues, releases too
        r"(?:raw|gist)\.githubusercontent\.com/",
        r"colab\.research\.google\.com/github/",
        r"mybinder\.org/(?:v2|badge)/gh/",
        r"nbviewer\.org/github/",
        r"codespaces\.new/",
        r"img\.shields\.io/github/(?:actions/workflow/status|v/[a-z]+|[a-z-]+)/",
        r"cdn\.jsdelivr\.net/gh/",
    )
]
PAGES = re.compile(r"\b([\w-]+)\.github\.io/([\w.-]*\w)")
# Repositories of others that the book sends its readers to.
ELSEWHERE = {  # other people's repositories that the book names
    "apoorvumang/prompt-lookup-decoding",
    "huggingface/peft",
    "huggingface/trl",
    "karpathy/char-rnn",
    "karpathy/minbpe",
    "karpathy/nanoGPT",
    "meta-llama/llama3",
    "kingoflolz/mesh-transformer-jax",
}
BLOGS = {"karpathy", "kellerjordan"}  # whose pages on github.io it cites
NOT_OURS = ("book/_vendor/", "tests/")  # what comes from npm; planted strays


def address(root: Path = ROOT) -> str:
    """owner/name, as pyproject.toml has it."""
    found = HOME.search((root / "pyproject.toml").read_text(encoding="utf-8"))
    if found is None:
        raise ValueError("pyproject.toml names no Repository on GitHub")
    return found.group(1)


def is_text(path: Path) -> bool:
    return path.is_file() and b"\0" not in path.read_bytes()[:8192]


def text_files(root: Path = ROOT) -> list[Path]:
    """The files under version control that may name the address."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True
    )
    names = [n for n in listing.stdout.split("\0") if n]
    paths = [root / n for n in names if not n.startswith(NOT_OURS)]
    return [path for path in paths if is_text(path)]


def rewrite(text: str, old: str, new: str) -> str:
    """The text with the old address replaced, not names that contain it.

    The address of the published pages goes along.
    """
    owner, name = old.split("/")
    pages = "{}.github.io/{}".format(*new.split("/"))
    text = re.sub(
        rf"(?<![\w.-]){re.escape(owner)}\.github\.io/{re.escape(name)}(?![\w-])",
        pages,
        text,
    )
    return re.sub(rf"(?<![\w.-]){re.escape(old)}(?![\w-])", new, text)


def strays(text: str, slug: str) -> list[str]:
    """Repositories that a text points to, neither ours nor known."""
    named = {s.removesuffix(".git") for p in NAMED for s in p.findall(text)}
    pages = PAGES.findall(text)
    named |= {f"{who}/{name}" for who, name in pages if who not in BLOGS}
    return sorted(named - {slug} - ELSEWHERE)


def write_launch_cells(root: Path = ROOT) -> list[Path]:
    """Renew badge and bootstrap of every notebook; returns those changed."""
    slug, at, changed = address(root), launch.release(root), []
    for path in text_files(root):
        if path.suffix != ".ipynb":
            continue
        notebook = cells.read(path)
        if launch.gaps(notebook, path, slug, at):
            launch.write(notebook, path, slug, at)
            cells.write(notebook, path)
            changed.append(path)
    return changed


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
    return list(dict.fromkeys([*changed, *write_launch_cells(root)]))


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
    for path in write_launch_cells():
        print(f"  {path.relative_to(ROOT)} has its launch cells again")
    lost = 0
    for path in text_files():
        for other in strays(path.read_text(encoding="utf-8"), slug):
            print(f"  {path.relative_to(ROOT)} names {other}")
            lost = 1
    return lost


if __name__ == "__main__":
    sys.exit(main())
