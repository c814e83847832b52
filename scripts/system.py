"""System parts: found, or installed with apt, or named in one line.

    python3 scripts/system.py venv latex browser

Runs before the virtual environment exists, so it uses the standard library
alone. The exit status is 0 when every part asked for is there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path

LOG = Path(".cache/logs/apt.log")
FONT_DIRS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.fonts",
    "~/.local/share/fonts",
    "/Library/Fonts",
    "~/Library/Fonts",
)
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


@dataclass(frozen=True)
class Part:
    """One thing a machine has or lacks, and how it gets it."""

    purpose: str
    complete: Callable[[], bool]  # nothing is left to install
    enough: Callable[[], bool]  # it works
    apt: tuple[str, ...]
    macos: str


def has_venv() -> bool:
    """Debian splits ensurepip from Python; without it there is no pip."""
    code = "import ensurepip, venv"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True)
    return run.returncode == 0


def has_latex() -> bool:
    """xelatex, latexmk and the macro files: enough for a PDF."""
    if not all(map(shutil.which, ("xelatex", "latexmk", "kpsewhich"))):
        return False
    files = ("tikz.sty", "titlesec.sty", "unicode-math.sty", "polyglossia.sty")
    run = subprocess.run(["kpsewhich", *files], capture_output=True, text=True)
    return len(run.stdout.split()) == len(files)


def has_latex_and_fonts() -> bool:
    """The fonts of the book too; without them others take their place."""
    fonts = ("Charis*Regular.ttf", "JetBrainsMono-Regular.ttf", "Inter*.?tf")
    return has_latex() and all(map(find_font, (*fonts, "FreeSerif.otf")))


def find_font(pattern: str) -> Path | None:
    """The path of a font file in the usual folders, or None."""
    for folder in FONT_DIRS:
        for path in Path(folder).expanduser().rglob(pattern):
            return path
    return None


def find_browser() -> str | None:
    """The command of a Chromium that starts and can be driven, or None."""
    if not has_driver():
        return None
    for name in (os.environ.get("CHROMIUM", ""), *BROWSERS):
        command = shutil.which(name) if name else None
        if command and starts(command):
            return command
    return None


def has_browser() -> bool:
    return find_browser() is not None


def has_driver() -> bool:
    """On Linux, the library that Playwright's own program is linked to."""
    return sys.platform != "linux" or find_library("atomic") is not None


def starts(command: str) -> bool:
    """Ubuntu's stand-in for Chromium exists but does not start."""
    try:
        run = subprocess.run(
            [command, "--version"], capture_output=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return run.returncode == 0


PARTS = {
    "venv": Part(
        "the virtual environment",
        has_venv,
        has_venv,
        ("python3-venv",),
        "brew install python",
    ),
    "latex": Part(
        "the PDF book",
        has_latex_and_fonts,
        has_latex,
        (
            "texlive-xetex",
            "texlive-fonts-recommended",
            "latexmk",
            "lmodern",
            "fonts-sil-charis",
            "fonts-inter",
            "fonts-jetbrains-mono",
            "fonts-texgyre-math",
            "fonts-freefont-otf",
            "fonts-dejavu-core",
            "fonts-wqy-microhei",
            "fonts-symbola",
        ),
        "brew install --cask mactex font-charis-sil font-inter"
        " font-jetbrains-mono",
    ),
    "browser": Part(
        "the check of every page in a browser",
        has_browser,
        has_browser,
        ("chromium", "libatomic1"),
        "brew install --cask chromium",
    ),
}


def as_root() -> list[str] | None:
    """The prefix that makes a command root's, or None where we may not."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    # Ask for a password only where somebody is there to type one.
    quiet = [] if sys.stdin.isatty() else ["-n"]
    ask = subprocess.run(["sudo", *quiet, "true"], capture_output=not quiet)
    return ["sudo", *quiet] if ask.returncode == 0 else None


def apt_install(packages: tuple[str, ...]) -> None:
    """Install Debian packages if we may; what apt says goes to the log."""
    root = as_root()
    if root is None or shutil.which("apt-get") is None:
        return
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("ab") as log:
        subprocess.run([*apt, "update"], stdout=log, stderr=log)
        # One name that a release does not know would stop all the others.
        known = [name for name in packages if is_known(name)]
        install = [*apt, "install", "-y", "--no-install-recommends", *known]
        subprocess.run(install, stdout=log, stderr=log)


def is_known(package: str) -> bool:
    """Whether this release of Debian or Ubuntu has the package."""
    show = ["apt-cache", "show", "--no-all-versions", package]
    return subprocess.run(show, capture_output=True).returncode == 0


def ensure(name: str) -> bool:
    """True when the part is there, after installing it where we can."""
    part = PARTS[name]
    if part.complete():
        return True
    if shutil.which("apt-get"):
        print(f"  installing {', '.join(part.apt)}", flush=True)
    apt_install(part.apt)
    if part.enough():
        return True
    apt = "apt install --no-install-recommends " + " ".join(part.apt)
    print(
        f"Missing for {part.purpose}: on Debian, Ubuntu or Windows (in WSL)"
        f" run `sudo {apt}`; on macOS `{part.macos}`.",
        file=sys.stderr,
    )
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="+", choices=sorted(PARTS))
    return 0 if all([ensure(name) for name in parser.parse_args().parts]) else 1


if __name__ == "__main__":
    sys.exit(main())
