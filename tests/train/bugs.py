"""A module of the package with one bug, to see a test catch it."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType


def with_bug(
    folder: Path, module: ModuleType, old: str, new: str
) -> ModuleType:
    """The module, imported again with `old` replaced by `new` in its source."""
    source = inspect.getsource(module)
    assert old in source, f"{module.__name__} has no {old!r} to replace"
    path = folder / f"broken_{module.__name__.rsplit('.')[-1]}.py"
    path.write_text(source.replace(old, new))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    broken = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = broken  # dataclasses look for their module
    spec.loader.exec_module(broken)
    return broken
