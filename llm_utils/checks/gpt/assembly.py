"""Exercise 1 of chapter 6: a whole model from its parts.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, other_shape, show, tensor

Layer = Callable[[Tensor], Tensor]


def _logits(
    ids: Tensor,
    E: Tensor,
    P: Tensor,
    blocks: Sequence[Layer],
    norm: Layer,
    *,
    at: str = "start",
    rows: str = "first",
    norms: str = "last",
    more: int = 0,
    keep: bool = True,
) -> Tensor:
    """The forward pass, with its mistakes as knobs.

    at, rows: where positions come in, and which; norms: where the norm stands;
    more: how many times x is added to what a block returns; keep: whether
    what it returns is kept
    """
    B, T = ids.shape
    chosen = {"all": P, "by id": P[ids], "batch": P[:B], "one": P[T]}
    places = chosen.get(rows, P[: ids.shape[1]])
    x = E[ids] + (places if at in ("start", "both") else 0)
    x = norm(x) if norms == "before" else x
    for block in blocks:
        x = x + places if at in ("blocks", "both") else x
        y = block(norm(x) if norms == "inputs" else x) + more * x
        x = y if keep else x
        x = norm(x) if norms == "each" else x
    if norms == "scores":
        return norm(x @ E.T)
    return (norm(x) if norms in ("last", "inputs") else x) @ E.T


def _last_block(
    ids: Tensor, E: Tensor, P: Tensor, blocks: Sequence[Layer], norm: Layer
) -> Tensor:
    return _logits(ids, E, P, blocks[-1:], norm)


def _backwards(
    ids: Tensor, E: Tensor, P: Tensor, blocks: Sequence[Layer], norm: Layer
) -> Tensor:
    return _logits(ids, E, P, blocks[::-1], norm)


def _log_softmax(
    ids: Tensor, E: Tensor, P: Tensor, blocks: Sequence[Layer], norm: Layer
) -> Tensor:
    return _logits(ids, E, P, blocks, norm).log_softmax(-1)


def _softmax(
    ids: Tensor, E: Tensor, P: Tensor, blocks: Sequence[Layer], norm: Layer
) -> Tensor:
    return _logits(ids, E, P, blocks, norm).softmax(-1)


def _look_back(x: Tensor) -> Tensor:
    return x + x.cumsum(-2) / 2


def _think(x: Tensor) -> Tensor:
    return x + x.flip(-1).square() / 4


def _norm(x: Tensor) -> Tensor:
    return x / x.square().mean(-1, keepdim=True).sqrt()


for _layer, _name in (
    (_look_back, "look_back"),
    (_think, "think"),
    (_norm, "norm"),
):
    _layer.__name__ = _name

TABLE = torch.tensor([[1.0, 2.0], [-1.0, 1.0], [3.0, 0.5]])
PLACES = torch.tensor([[0.5, 0.0], [0.0, 1.0], [-1.0, 0.5], [2.0, 2.0]])


def _show(x: object) -> str:
    if isinstance(x, list) and all(map(callable, x)):
        return f"[{', '.join(map(show, x))}]"
    return show(x)


logits = Exercise(
    name="logits",
    asks="write logits(ids, E, P, blocks, norm), the forward pass of a GPT",
    reference=_logits,
    cases=[
        (torch.tensor([[0]]), TABLE, PLACES, [], _norm),
        (torch.tensor([[0, 2]]), TABLE, PLACES, [_think], _norm),
        (torch.tensor([[1, 0, 2]]), TABLE, PLACES, [_look_back, _think], _norm),
        (
            torch.tensor([[0, 1, 2], [2, 2, 1]]),
            TABLE,
            PLACES,
            [_think, _look_back, _think],
            _norm,
        ),
    ],
    form=tensor,
    same=close,
    show=_show,
    mistakes=[
        Mistake(
            "The last norm is missing. In pre-norm wiring nobody has ever "
            "normalized the stream itself, so its size goes straight into "
            "the logits: norm(x) before the head.",
            partial(_logits, norms="none"),
        ),
        Mistake(
            "The positions never come in. Add the first T rows of P to the "
            "vectors of the tokens.",
            partial(_logits, at="nowhere"),
        ),
        Mistake(
            "You take rows of P by token id. P is indexed by place: row t "
            "belongs to whatever token stands at t.",
            partial(_logits, rows="by id"),
        ),
        Mistake(
            "P holds a row for every position that the model may ever see. "
            "A text of T tokens takes the first T of them: P[:T].",
            partial(_logits, rows="all"),
        ),
        Mistake(
            "ids.shape[0] is the number of texts. The first T rows of P are "
            "needed, one for each place: P[: ids.shape[1]].",
            partial(_logits, rows="batch"),
        ),
        Mistake(
            "P[T] is a single row, the same for every place. A slice takes "
            "the first T: P[:T].",
            partial(_logits, rows="one"),
        ),
        Mistake(
            "You add the positions before every block. They are in the "
            "stream from the start, and the stream carries them on: add "
            "them once.",
            partial(_logits, at="blocks"),
        ),
        Mistake(
            "The positions come in more than once: at the start, where they "
            "belong, and again before each block.",
            partial(_logits, at="both"),
        ),
        Mistake(
            "You normalize before the blocks. This norm is the last one: it "
            "stands between the blocks and the head.",
            partial(_logits, norms="before"),
        ),
        Mistake(
            "You normalize after every block. The blocks have norms of their "
            "own; this one comes once, after the last of them.",
            partial(_logits, norms="each"),
        ),
        Mistake(
            "You normalize what a block reads. It does that itself; this "
            "norm is the last one.",
            partial(_logits, norms="inputs"),
        ),
        Mistake(
            "You normalize the scores. The norm is for the stream, C numbers "
            "for each position, before they meet the table: norm(x) @ E.T.",
            partial(_logits, norms="scores"),
        ),
        Mistake(
            "What the blocks return is lost. Keep it, so that the next one "
            "reads it: x = block(x).",
            partial(_logits, keep=False),
        ),
        Mistake(
            "Every block but the last is lost. Each one reads what the one "
            "before it gave: x = block(x).",
            _last_block,
        ),
        Mistake(
            "You add x to what a block returns. The block has done that "
            "already, twice: x = block(x).",
            partial(_logits, more=1),
        ),
        Mistake("The blocks run in the wrong order.", _backwards),
        Mistake(
            "Those are probabilities. Logits are the scores before the "
            "softmax; the loss takes the softmax itself.",
            _softmax,
        ),
        Mistake(
            "Those are logarithms of probabilities. Logits are the scores "
            "before the softmax.",
            _log_softmax,
        ),
        other_shape(_logits),
    ],
    praise="Two tables, a list and a norm: everything else is in the blocks.",
)
