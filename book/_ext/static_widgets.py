"""Explorers without a kernel: stored outputs become live parts of the page.

A cell that shows an `llm_utils.widgets.Explorer` stores, beside the widget, an
output of type EXPLORER_MIME: which JavaScript to run, and on what data. Here,
before MyST-NB reads the notebook, that output becomes HTML that runs the same
JavaScript inline: no request, no widget manager, and it works from file://,
where browsers refuse module files. Other formats get one line of text; a
figure beside the explorer says the same there.
"""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

EXPLORER_MIME = "application/vnd.llm-utils.explorer+json"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
SHARED = ("explorer", "controls")  # as in llm_utils/widgets/base.py
ASSETS = Path(__file__).parents[2] / "llm_utils" / "assets"

# What anywidget's model is to the module, without a kernel behind it.
MOUNT = """
const here = document.currentScript.parentElement;
const state = JSON.parse(here.querySelector("[type$=json]").textContent);
const events = new EventTarget();
const model = {
  get: (key) => state[key],
  set: (key, value) => {
    state[key] = value;
    events.dispatchEvent(new Event("change:" + key));
  },
  on: (name, listener) => events.addEventListener(name, listener),
  off: (name, listener) => events.removeEventListener(name, listener),
  save_changes: () => {},
};
explorer.render({ model, el: here });
"""


def read_assets(module: str) -> tuple[str, str]:
    """The style and the script of an explorer, shared part first."""
    if not re.fullmatch(r"[a-z0-9_]+", module):
        raise ExtensionError(f"not the name of an explorer: {module!r}")
    styles, scripts = (
        [ASSETS / f"{name}.{kind}" for name in (*SHARED, module)]
        for kind in ("css", "js")
    )
    if not scripts[-1].is_file():
        raise ExtensionError(
            f"no explorer {module!r}: {scripts[-1]} is missing"
        )
    style, script = (
        "".join(p.read_text(encoding="utf-8") for p in paths if p.is_file())
        for paths in (styles, scripts)
    )
    return style, script


def classic_script(module: str) -> str:
    """An ES module with one default export, as a script of its own scope."""
    body, n = re.subn(
        r"^export default ", "const explorer = ", module, flags=re.MULTILINE
    )
    if n != 1 or re.search(r"^\s*(import|export)\b", body, re.MULTILINE):
        raise ExtensionError(
            "an explorer imports nothing and has one `export default`"
        )
    if re.search(r"</script|<!--", body, re.IGNORECASE):
        raise ExtensionError("an explorer cannot hold </script or <!--")
    return f'(() => {{\n"use strict";\n{body}{MOUNT}}})();'


def mount(explorer: dict[str, Any]) -> str:
    """The HTML of one explorer: its data, its style and its script."""
    style, module = read_assets(explorer["module"])
    state = json.dumps(explorer["state"], ensure_ascii=True, sort_keys=True)
    state = state.replace("<", "\\u003c")
    title = escape(explorer["title"])
    return (
        f'<div class="explorer" data-module="{explorer["module"]}">\n'
        f"<style>{style}</style>\n"
        f"<noscript>{title}: needs JavaScript.</noscript>\n"
        f'<script type="application/json">{state}</script>\n'
        f"<script>{classic_script(module)}</script>\n</div>"
    )


def render(data: dict[str, Any]) -> dict[str, Any]:
    """The output that a page gets in place of an explorer's."""
    explorer = data[EXPLORER_MIME]
    still = f"*Interactive in the HTML edition: {explorer['title']}.*"
    return {"text/html": mount(explorer), "text/markdown": still}


def rewrite(notebook: dict[str, Any]) -> set[str]:
    """Replace explorer outputs in place; the names of those found.

    The widget state that Jupyter may have saved is dropped with them, unless
    other widgets need it: it would load the widget manager for nothing.
    """
    found, others = set(), False
    for cell in notebook.get("cells", []):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if EXPLORER_MIME in data:
                found.add(data[EXPLORER_MIME]["module"])
                output["data"] = render(data)
            else:
                others = others or WIDGET_VIEW in data
    if found and not others:
        notebook.get("metadata", {}).pop("widgets", None)
    return found


def read_source(app: Sphinx, docname: str, source: list[str]) -> None:
    """Sphinx's source-read event: rewrite the notebooks with explorers."""
    if EXPLORER_MIME not in source[0] or not source[0].lstrip().startswith("{"):
        return
    notebook = json.loads(source[0])
    for module in rewrite(notebook):
        for name in (*SHARED, module):
            for kind in ("js", "css"):
                app.env.note_dependency(str(ASSETS / f"{name}.{kind}"))
    source[0] = json.dumps(notebook)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", read_source)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
