"""What some cells need and not every machine has: tags that begin "needs-".

Such a cell runs everywhere, with a substitute where its need is not met. Its
stored output is of a machine that has the real thing, so elsewhere it is
neither compared (`scripts.check_notebooks`) nor replaced
(`scripts.notebooks`), and both say so.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable

from nbformat import NotebookNode


def runs(code: str) -> bool:
    """Whether a process of its own comes to the end of this program."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True)
    return run.returncode == 0


def has_gpt2() -> bool:
    """Whether GPT-2's real vocabulary is cached here or can be fetched."""
    return runs("from llm_utils.text.bpe import ByteBPE; ByteBPE.gpt2()")


def has_gpt2_weights() -> bool:
    """Whether GPT-2's weights are cached here or can be fetched, and load.

    As the cell loads them: a folder that was fetched in part has its
    config.json, and no model in it.
    """
    return runs(
        "from llm_utils.model.hf import from_hf; "
        "from llm_utils.model.hf_tokenizer_read import tokenizer_from_hf; "
        "hub = 'openai-community/gpt2'; from_hf(hub), tokenizer_from_hf(hub)"
    )


def has_tinyshakespeare() -> bool:
    """Whether TinyShakespeare is on this machine or can be downloaded."""
    return runs(
        "from llm_utils.train.fetch import fetch; "
        "fetch('tinyshakespeare', timeout=10, tries=1)"
    )


# tag of a cell: how to find out, and what is missing
NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "needs-gpt2": (
        has_gpt2,
        "GPT-2's vocabulary is neither cached nor reached",
    ),
    "needs-tinyshakespeare": (
        has_tinyshakespeare,
        "TinyShakespeare is neither on this machine nor reached",
    ),
    "needs-gpt2-weights": (
        has_gpt2_weights,
        "GPT-2's weights are neither cached nor reached",
    ),
}


def tags_of(notebooks: Iterable[NotebookNode]) -> set[str]:
    """Every tag of every cell."""
    found = (c.metadata.get("tags", []) for nb in notebooks for c in nb.cells)
    return {tag for tags in found for tag in tags}


def unmet(notebooks: Iterable[NotebookNode]) -> dict[str, str]:
    """The tags whose need this machine does not meet, and why."""
    tags = tags_of(notebooks)
    return {
        tag: why
        for tag, (found, why) in NEEDS.items()
        if tag in tags and not found()
    }


def keep_outputs(
    old: NotebookNode, new: NotebookNode, unmet: Iterable[str]
) -> int:
    """Give unchanged cells with an unmet need their old outputs back.

    `new` is `old`, run again. Returns how many cells kept their outputs.
    """
    stored = {cell.id: cell for cell in old.cells}
    kept = 0
    for cell in new.cells:
        before = stored.get(cell.id)
        tags = set(cell.metadata.get("tags", []))
        if before is None or not tags & set(unmet):
            continue
        if before.source == cell.source and before.get("outputs"):
            cell.outputs = before.outputs
            kept += 1
    return kept
