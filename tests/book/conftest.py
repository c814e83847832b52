"""What the tests of the explorers share: the mount, and a page to play on."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from explorers import ROOT, Play, bundle

from llm_utils.widgets import EXPLORER_MIME, Explorer


@pytest.fixture(scope="module")
def static() -> ModuleType:
    path = ROOT / "book" / "_ext" / "static_widgets.py"
    spec = importlib.util.spec_from_file_location("static_widgets", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def play(browser: Any, static: ModuleType, tmp_path: Path) -> Iterator[Any]:
    """play(explorer, width) -> Play; without a network, without errors."""
    contexts = []
    pages = []

    def start(explorer: Explorer, width: int = 1024, html: str = "") -> Play:
        context = browser.new_context(viewport={"width": width, "height": 900})
        context.set_offline(True)
        contexts.append(context)
        body = html or static.mount(bundle(explorer)[EXPLORER_MIME])
        pages.append(Play(context.new_page(), body, tmp_path))
        return pages[-1]

    yield start
    for context in contexts:
        context.close()
    assert [page.errors for page in pages if page.errors] == []
