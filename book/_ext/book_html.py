"""HTML: leave out scripts that a page loads twice or never uses."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


def keep_scripts(scripts: list[Any]) -> list[Any]:
    """Without the scripts of thebe, and each script once."""
    kept, seen = [], set()
    for script in scripts:
        name = str(getattr(script, "filename", script) or "")
        body = getattr(script, "attributes", {}).get("body") or ""
        if "THEBE_JS_URL" in body or name.endswith("sphinx-thebe.js"):
            continue
        if (name, body) not in seen:
            seen.add((name, body))
            kept.append(script)
    return kept


def clean_page(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    context["script_files"] = keep_scripts(context.get("script_files", []))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", clean_page, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
