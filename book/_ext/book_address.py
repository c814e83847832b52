"""The repository's address, taken from the one place that holds it."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

from scripts.launch import release


def repository(pyproject: Path) -> str:
    """The address under `Repository =` in pyproject.toml."""
    text = pyproject.read_text(encoding="utf-8")
    found = re.search(r'^Repository = "([^"]+)"', text, re.MULTILINE)
    if found is None:
        raise ValueError(f"{pyproject} names no Repository in [project.urls]")
    return found.group(1)


def set_address(app: Sphinx, config: Config) -> None:
    """Give the launch and source buttons the repository they point to.

    At this release, as the badges in the notebooks do.
    """
    address = repository(Path(app.confdir) / "pyproject.toml")
    config.html_theme_options["repository_url"] = address
    config.html_theme_options["repository_branch"] = release(Path(app.confdir))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("config-inited", set_address)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
