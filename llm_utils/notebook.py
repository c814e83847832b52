"""What every notebook of the book uses: show code, compare code, glue numbers.

`show_source` prints the package's real source, so that text and code cannot
drift apart; `assert_same` proves that the code a chapter derives and the code
the package ships agree; `glue` names a number so that prose can quote it.
Appears from chapter 1 on; nothing here is specific to one chapter.
"""

from __future__ import annotations

import difflib
import inspect
import os
import sys
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from IPython.display import Markdown
    from torch import Tensor


def source_of(obj: Any, doc: bool = True) -> str:
    """The source text of a function, class or module of the package.

    doc=False leaves the docstring out, where the chapter has just said it.
    Raises ValueError for objects that have no Python source.
    """
    try:
        text = textwrap.dedent(inspect.getsource(inspect.unwrap(obj)))
    except (TypeError, OSError) as error:
        raise ValueError(
            f"{obj!r} has no Python source: pass a function, class or module"
        ) from error
    docstring = getattr(obj, "__doc__", None)
    if doc or not docstring:
        return text.rstrip()
    lines = text.splitlines()
    start = next(i for i, x in enumerate(lines) if x.strip()[:3] in QUOTES)
    quote = lines[start].strip()[:3]
    end = start
    if lines[start].count(quote) < 2:
        end += 1 + next(
            i for i, x in enumerate(lines[start + 1 :]) if quote in x
        )
    return "\n".join(lines[:start] + lines[end + 1 :]).rstrip()


QUOTES = ('"""', "'''")


def show_source(*objects: Any, doc: bool = True) -> Markdown:
    """Display the package's own source, as it is installed right now.

    The result is Markdown with a highlighted code block per object, headed by
    the file it comes from. Tests compare it with the stored output, so a
    chapter cannot show code that the package no longer has.
    """
    from IPython.display import Markdown

    blocks = []
    for obj in objects:
        module = inspect.getmodule(obj)
        name = getattr(module, "__name__", "?").replace(".", "/")
        blocks.append(f"```python\n# {name}.py\n{source_of(obj, doc)}\n```")
    return Markdown("\n\n".join(blocks))


def show_delta(old: Any, new: Any) -> Markdown:
    """Display what changes from the source of `old` to the source of `new`.

    Orders to the formatter are left out: they are no part of the lesson.
    """
    from IPython.display import Markdown

    before, after = (
        source_of(obj, False).replace("  # fmt: skip", "").splitlines()
        for obj in (old, new)
    )
    lines = difflib.unified_diff(before, after, n=2, lineterm="")
    body = "\n".join(list(lines)[2:])
    return Markdown(f"```diff\n{body}\n```")


def glue(name: str, value: Any, show: bool = False) -> None:
    """Give a value a name that the chapter's prose can quote.

    In the text, {glue:text}`name` becomes the value, so that no number is
    ever typed twice. The output is the one that MyST-NB's own `glue` emits,
    without asking readers to install MyST-NB. Use `show` to print it as well.
    """
    from IPython.display import display

    if show:
        print(f"{name}: {value}")
    text = value if isinstance(value, str) else repr(value)
    mime = "application/papermill.record/text/plain"
    meta = {"scrapbook": {"name": name, "mime_prefix": mime[: -len(TEXT)]}}
    display({mime: f"'{text}'"}, metadata=meta, raw=True)


TEXT = "text/plain"


def assert_same(
    f: Callable[..., Tensor],
    g: Callable[..., Tensor],
    *xs: Tensor,
    atol: float = 1e-10,
) -> None:
    """f(*xs) and g(*xs) agree, in value and in the gradient of every input.

    Both run in float64 on copies of `xs`. The gradients are taken against a
    random probe: a plain sum would hide errors of sign. Raises AssertionError
    with the largest difference.
    """
    import torch

    rng = torch.Generator().manual_seed(0)
    ins = [[x.detach().double().requires_grad_() for x in xs] for _ in "fg"]
    a, b = f(*ins[0]), g(*ins[1])
    torch.testing.assert_close(a, b, atol=atol, rtol=0)
    probe = torch.randn(a.shape, generator=rng, dtype=a.dtype)
    grads = [
        torch.autograd.grad(y, i, probe, materialize_grads=True)
        for y, i in zip((a, b), ins, strict=True)
    ]
    torch.testing.assert_close(*grads, atol=atol, rtol=0)


def pick_device() -> torch.device:
    """The fastest device at hand: CUDA, then Apple's MPS, then the CPU."""
    import torch

    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _processor_seconds() -> float:
    """Of this process and those it has waited for, user and system."""
    return sum(os.times()[:4])


_START = _processor_seconds()


def cost() -> str:
    """Processor time since this module was imported, and the peak memory.

    The last code cell of a chapter glues it, so that the opening can say what
    running every cell takes, on a busy machine, too. Processes that have been
    started and waited for count. Memory is not known on Windows.
    """
    text = f"{_processor_seconds() - _START:.0f} seconds of processor time"
    try:
        import resource
    except ImportError:
        return text
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1e9 if sys.platform == "darwin" else 1e6  # bytes there, KB here
    return f"{text} and {peak / unit:.1f} GB of memory"
