"""A page with one explorer on it, for the tests of each of them."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from llm_utils.widgets import Explorer

ROOT = Path(__file__).resolve().parents[2]
WORDS = """() => [...document.querySelectorAll(".lx-strip > li")].map((li) =>
  [...li.querySelectorAll("[data-id]")].map((x) => Number(x.dataset.id)))"""

LIVE = """async ([code, state]) => {
  const url = URL.createObjectURL(new Blob([code], {type: "text/javascript"}));
  const module = (await import(url)).default;
  const heard = {};
  window.told = [];
  window.model = {
    get: (key) => state[key],
    set: (key, value) => {
      if (state[key] === value) return;
      state[key] = value;
      told.push([key, value]);
      (heard["change:" + key] ?? new Set()).forEach((listen) => listen());
    },
    on: (name, f) => (heard[name] ??= new Set()).add(f),
    off: (name, f) => heard[name].delete(f),
    save_changes: () => told.push("saved"),
  };
  const el = document.createElement("div");
  window.stop = module.render({ model, el });  // Jupyter attaches it later
  document.querySelector("main").append(el);
}"""


class Play:
    """A page with one explorer, and what went wrong on it."""

    def __init__(self, page: Any, html: str, folder: Path) -> None:
        self.page, self.requests = page, []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        file = folder / "page.html"
        file.write_text(
            "<!doctype html><html lang=en><meta charset=utf-8><title>t</title>"
            "<meta name=viewport content='width=device-width'>"
            f"<main><h1>Play</h1>{html}<p id=after>after</p></main>",
            encoding="utf-8",
        )
        self.url = file.as_uri()
        page.goto(self.url)

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name)

    def type(self, text: str) -> None:
        self.page.get_by_label("Text").fill(text)

    def status(self) -> str:
        return str(self.page.get_by_role("status").inner_text())

    def words(self) -> list[list[int]]:
        """The ids on the page, word by word."""
        return self.page.evaluate(WORDS)  # type: ignore[no-any-return]

    def ids(self) -> list[int]:
        return list(chain.from_iterable(self.words()))

    def step(self) -> int:
        return int(self.page.get_by_role("slider").input_value())

    def axe(self) -> list[tuple[str, Any]]:
        """What axe-core minds, on light ground and on dark."""
        script = ROOT / ".cache" / "axe.min.js"
        if not script.is_file():
            pytest.skip("no axe-core here: `make html` brings it in")
        self.page.evaluate(script.read_text(encoding="utf-8"))
        found: list[tuple[str, Any]] = []
        for ground, ink in [("#fff", "#222"), ("#121212", "#ddd")]:
            self.page.evaluate(
                "([a, b]) => "
                "document.body.style = `background: ${a}; color: ${b}`",
                [ground, ink],
            )
            minds = self.page.evaluate("axe.run().then((x) => x.violations)")
            found += [(x["id"], x["nodes"]) for x in minds]
        return found


def bundle(explorer: Explorer) -> dict[str, Any]:
    """The cell output that the notebook stores, as JSON gives it back."""
    data, _ = explorer._repr_mimebundle_()
    return json.loads(json.dumps(data))  # type: ignore[no-any-return]
