"""Small notebooks to try the book's tools on."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbformat.v4 import new_output as output

PNG = "image/png"


def text(source: str, id: str = "text") -> NotebookNode:
    return new_markdown_cell(source, id=id)


def code(
    source: str,
    *outputs: NotebookNode,
    id: str = "code",
    count: int | None = 1,
    **metadata: Any,
) -> NotebookNode:
    return new_code_cell(
        source,
        id=id,
        execution_count=count,
        outputs=list(outputs),
        metadata=metadata,
    )


def printed(words: str) -> NotebookNode:
    return output("stream", name="stdout", text=words)


def shown(mime: str, data: str, **metadata: Any) -> NotebookNode:
    return output("display_data", data={mime: data}, metadata=metadata)


def notebook(*cells: NotebookNode, **metadata: Any) -> NotebookNode:
    return new_notebook(cells=list(cells), metadata=metadata)
