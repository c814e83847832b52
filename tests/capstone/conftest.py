"""A recipe so small that a race takes a moment."""

from __future__ import annotations

import pytest

from llm_utils.capstone.recipe import Recipe, from_dict, read_tables


@pytest.fixture
def tiny() -> Recipe:
    tables = read_tables("best")
    tables["model"] |= {"n_layers": 1, "d_model": 16, "n_heads": 2, "d_ff": 32}
    tables["data"]["batch_tokens"] = 256
    return from_dict(tables)
