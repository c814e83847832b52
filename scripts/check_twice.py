"""Build the PDF book a second time, elsewhere, and compare byte by byte.

The second build lives in another folder, at another hour, in another time
zone and locale, with another hash seed. Sphinx writes the LaTeX anew. LaTeX
then needs one run instead of several, as it starts from the page numbers that
the first build has found: one run more must change nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from scripts.build import BUILD, EPOCH, ROOT

LATEX = BUILD / "latex"
PDF = BUILD / "book.pdf"
ELSEWHERE = {
    "PYTHONHASHSEED": "20260101",
    "TZ": "Pacific/Kiritimati",
    "LANG": "C",
    "LC_ALL": "C",
    "PYTHONUTF8": "1",
    "FORCE_SOURCE_DATE": "1",
}
FOUND_BEFORE = ("aux", "toc", "out", "ind", "idx")  # LaTeX's own notes


def run(command: list[str], cwd: Path) -> None:
    """Run a tool elsewhere; stop with the end of what it says if it fails."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", EPOCH)
    env = os.environ | ELSEWHERE | {"SOURCE_DATE_EPOCH": epoch}
    done = subprocess.run(
        command, cwd=cwd, env=env, text=True, errors="replace",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stdout[-2000:]}")


def differing(ours: Path, theirs: Path, names: Iterable[str]) -> list[str]:
    """Which of the files are not the same in both folders."""
    found = []
    for name in sorted(names):
        pair = [folder / name for folder in (ours, theirs)]
        if not all(path.exists() for path in pair):
            found.append(f"{name}: only in one of the two builds")
        elif pair[0].read_bytes() != pair[1].read_bytes():
            found.append(f"{name}: {first_difference(*pair)}")
    return found


def first_difference(ours: Path, theirs: Path) -> str:
    """Where two files begin to differ, and what stands there."""
    a, b = ours.read_bytes(), theirs.read_bytes()
    pairs = enumerate(zip(a, b, strict=False))
    same = next((i for i, (x, y) in pairs if x != y), min(len(a), len(b)))
    here = a[max(0, same - 20) : same + 40], b[max(0, same - 20) : same + 40]
    return f"differs from byte {same} on: {here[0]!r} and {here[1]!r}"


def sphinx_again(folder: Path) -> Path:
    """Write the LaTeX of the book below another folder."""
    tool = Path(sys.executable).with_name("jupyter-book")
    run(
        [str(tool), "build", str(ROOT), "--path-output", str(folder), "-W",
         "-n", "--builder", "latex"],
        ROOT,
    )  # fmt: skip
    return folder / "_build" / "latex"


def latex_again(folder: Path) -> None:
    """One more run of LaTeX on the new files, from the notes of the first."""
    for kind in FOUND_BEFORE:
        shutil.copy(LATEX / f"book.{kind}", folder)
    run(["xelatex", "--no-pdf", "-interaction=batchmode", "book.tex"], folder)
    run(["xdvipdfmx", "-E", "-o", "book.pdf", "book.xdv"], folder)


def main() -> int:
    if not PDF.exists():
        print("_build/book.pdf is not built: run `make pdf`")
        return 1
    with tempfile.TemporaryDirectory(prefix="another place ") as place:
        again = sphinx_again(Path(place) / "deeper" / "down")
        ours = {p.name for p in again.iterdir()}
        found = differing(LATEX, again, ours)
        if not found:
            latex_again(again)
            found = differing(LATEX, again, ["book.pdf"])
    print("\n".join(found) or "built twice, the PDF is the same byte by byte")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
