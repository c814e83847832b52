"""Build the HTML book or the PDF book from the stored notebooks.

    python -m scripts.build html pdf

Nothing is executed: stored outputs are what the book shows. A format whose
sources have not changed since its last build is left alone. What the tools
say goes to `.cache/logs/`; here stand a few calm lines.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

from scripts.slim import slim

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
LOGS = ROOT / ".cache" / "logs"
EPOCH = "1767225600"  # 2026-01-01: the date a build bears unless told another
SOURCES = (
    "_config.yml",
    "_toc.yml",
    "pyproject.toml",
    "requirements.lock",
    "book",
    "chapters",
    "exercises",
    "solutions",
    "llm_utils",
    "scripts",
)
SKIPPED = 77  # the exit status of what this machine cannot do
SKIPPED_PARTS = {"__pycache__", ".ipynb_checkpoints"}
# jupyter-book's own index.html has neither a title nor an icon, so that a
# browser asks for /favicon.ico, which is not there.
FRONT_DOOR = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=book/index.html">
<title>{title}</title>
<link rel="icon" href="_static/favicon.svg">
<a href="book/index.html">{title}</a>
</html>
"""
RESULTS = {"html": BUILD / "html" / "index.html", "pdf": BUILD / "book.pdf"}


def source_files() -> list[Path]:
    """Every file that the book is made from, in a fixed order."""
    files: list[Path] = []
    for name in SOURCES:
        path = ROOT / name
        found = path.rglob("*") if path.is_dir() else [path]
        files += [f for f in found if f.is_file()]
    return sorted(f for f in files if not SKIPPED_PARTS & set(f.parts))


def fingerprint() -> str:
    """A hash over names and contents of all sources."""
    digest = hashlib.sha256()
    for path in source_files():
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def run(command: list[str], log: str, cwd: Path = ROOT) -> str:
    """Run a tool with its output in a log; stop with what matters of it."""
    LOGS.mkdir(parents=True, exist_ok=True)
    env = os.environ | {
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", EPOCH),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "FORCE_SOURCE_DATE": "1",
        "PYTHONPATH": str(ROOT),  # the extensions import from scripts/
    }
    done = subprocess.run(
        command, cwd=cwd, env=env, text=True, errors="replace",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    (LOGS / log).write_text(done.stdout, encoding="utf-8")
    if done.returncode:
        print("\n".join(complaints(done.stdout)), file=sys.stderr)
        sys.exit(f"{command[0]} failed; all it said: .cache/logs/{log}")
    return done.stdout


def complaints(output: str, most: int = 30) -> list[str]:
    """The lines of a log that say what is wrong, or its last ones."""
    plain = re.sub(r"\x1b\[[\d;]*m", "", output).splitlines()
    said = [x for x in plain if re.search(r"WARNING|ERROR|^! |Error:", x)]
    return (said or plain)[-most:]


def sphinx(builder: str) -> None:
    """Let jupyter-book write HTML or LaTeX; a warning is an error."""
    tool = Path(sys.executable).with_name("jupyter-book")
    options = ["-W", "-n", "--keep-going", "--builder", builder]
    run([str(tool), "build", ".", *options], f"{builder}.log")


def build_html() -> None:
    """`_build/html`: a folder that needs no server and no network."""
    sphinx("html")
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    door = FRONT_DOOR.format(title=config["title"])
    RESULTS["html"].write_text(door, encoding="utf-8")
    slim(BUILD / "html")


def offer_pdf() -> None:
    """Put the PDF beside the pages, and its link on the front page.

    The link waits in the page, hidden: HTML alone has nothing to offer, nor
    has it when the PDF is from other sources.
    """
    if stamp("html") != stamp("pdf") or not RESULTS["pdf"].exists():
        return
    site = BUILD / "html"
    front = site / "book" / "index.html"
    shutil.copy(RESULTS["pdf"], site / "book.pdf")
    text = front.read_text(encoding="utf-8")
    link = '<a class="book-pdf" href="../book.pdf">'
    text = re.sub(r'<a class="book-pdf" hidden[^>]*>', link, text)
    front.write_text(text, encoding="utf-8")


def forget_old_pages() -> None:
    """Start afresh when pages came or went.

    Sphinx neither removes the page of a source that is gone nor looks again
    at the links of pages that did not change themselves.
    """
    suffixes = (".ipynb", ".md")
    names = [str(p.relative_to(ROOT)) for p in source_files()]
    pages = "\n".join(name for name in names if name.endswith(suffixes))
    known = BUILD / ".pages"
    if not known.exists() or known.read_text() != pages:
        for folder in (".doctrees", "html", "latex", "jupyter_execute"):
            shutil.rmtree(BUILD / folder, ignore_errors=True)
        BUILD.mkdir(exist_ok=True)
        known.write_text(pages)


def build_pdf() -> None:
    """`_build/book.pdf`, by xelatex as often as the references need."""
    if not shutil.which("xelatex") or not shutil.which("latexmk"):
        print("skipped: no xelatex here (python3 scripts/system.py latex)")
        sys.exit(SKIPPED)
    sphinx("latex")
    latexmk = ["latexmk", "-xelatex", "-interaction=nonstopmode"]
    run(
        [*latexmk, "-halt-on-error", "book.tex"], "xelatex.log", BUILD / "latex"
    )
    shutil.copy(BUILD / "latex" / "book.pdf", RESULTS["pdf"])


def stamp_file(name: str) -> Path:
    return BUILD / f".{name}.sha256"


def stamp(name: str) -> str | None:
    """The fingerprint of the sources that a result was built from."""
    file = stamp_file(name)
    return file.read_text() if file.exists() else None


def build(name: str, force: bool = False) -> None:
    """Build one format unless its sources are as they were."""
    result, now = RESULTS[name], fingerprint()
    shown = result.relative_to(ROOT)
    if result.exists() and stamp(name) == now and not force:
        print(f"  {shown} is up to date", flush=True)
        return
    stamp_file(name).unlink(missing_ok=True)
    print(f"  building {shown} ...", flush=True)
    forget_old_pages()
    start = time.monotonic()
    {"html": build_html, "pdf": build_pdf}[name]()
    stamp_file(name).write_text(now)
    print(f"  {shown} built in {time.monotonic() - start:.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="+", choices=sorted(RESULTS))
    parser.add_argument("--force", action="store_true", help="build anyway")
    args = parser.parse_args()
    for name in args.formats:
        build(name, args.force)
    offer_pdf()


if __name__ == "__main__":
    main()
