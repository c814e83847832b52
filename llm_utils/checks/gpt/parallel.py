"""Exercise 10 of chapter 6: a block whose two halves work side by side.

Each `Mistake` is one of the small wrong classes in `blocks`.
"""

from __future__ import annotations

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.gpt import blocks
from llm_utils.checks.gpt.trial import LAYERS, read, same, trial_of
from llm_utils.checks.tensors import show

parallel_block = Exercise(
    name="parallel_block",
    asks="write the class ParallelBlock, and hand over the class itself",
    reference=blocks.Parallel,
    cases=[
        *((name,) for name in LAYERS),
        ("what attention is handed",),
        ("the stream that came in",),
        ("what torch finds",),
        ("how many norms",),
        ("the last norm",),
    ],
    form=read,
    same=same,
    adapt=trial_of,
    show=lambda x: x if isinstance(x, str) else show(x),
    mistakes=[
        Mistake(
            "That is the block of chapter 5, one layer after the other: the "
            "feed-forward layer reads what attention has written. Here both "
            "read the same normalized x.",
            blocks.Sequential,
        ),
        Mistake(
            "The layers read x itself. Let both read norm(x).", blocks.NoNorm
        ),
        Mistake(
            "Attention reads norm(x), but the feed-forward layer reads x "
            "itself. Both read the same normalized vector.",
            blocks.HalfNorm,
        ),
        Mistake(
            "The feed-forward layer reads norm(x), but attention reads x "
            "itself. Both read the same normalized vector.",
            blocks.OtherHalf,
        ),
        Mistake(
            "The feed-forward layer reads what attention returns. Both read "
            "norm(x), and both results are added to x.",
            blocks.Chain,
        ),
        Mistake(
            "You normalize the sum. In this wiring the stream is never "
            "normalized, only what the layers read: y = norm(x).",
            blocks.Post,
        ),
        Mistake(
            "You normalize the sum as well. Only what the layers read is "
            "normalized; the stream goes on as it is.",
            blocks.PreAndPost,
        ),
        Mistake(
            "Attention is never called. Three things are added: x, what "
            "attention returns, what the feed-forward layer returns.",
            blocks.NoAttention,
        ),
        Mistake(
            "Attention gets the cache as its mask and the mask as its cache. "
            "The order is self.attn(y, mask, cache).",
            blocks.Exchanged,
        ),
        Mistake(
            "You add into x itself (+= or add_), which overwrites the "
            "stream that the caller still holds. Build a new sum.",
            blocks.InPlace,
        ),
        Mistake(
            "torch does not find every part, so it would be neither trained "
            "nor saved. Keep each as an attribute of self (or in an "
            "nn.ModuleList, not in a plain list).",
            when=lambda args, value: args == ("what torch finds",),
        ),
        Mistake(
            "The stream is lost: what the layers return is added to x.",
            blocks.NoStream,
        ),
        Mistake(
            "You overwrite x by norm(x), so the sum starts from the "
            "normalized copy. Give the copy a name of its own.",
            blocks.Overwrites,
        ),
        Mistake(
            "x comes in twice, once with each layer. Add it once.",
            blocks.TwiceX,
        ),
        Mistake(
            "Attention gets neither mask nor cache. Hand both on: "
            "self.attn(y, mask, cache).",
            blocks.NoMask,
        ),
        Mistake(
            "Attention gets no cache. Nothing fails today; chapter 11 would "
            "write texts without a past.",
            blocks.NoCache,
        ),
        Mistake(
            "You make more than one norm. Both layers read the same copy, so "
            "one is enough: that is part of what this block saves.",
            blocks.TwoNorms,
        ),
        Mistake(
            "last_norm gives away the block's own norm, so that the model's "
            "last norm and this one would share their scale. Make a new one: "
            "keep `norm` and call it.",
            blocks.OwnNorm,
        ),
        Mistake(
            "last_norm gives no norm. In this wiring nobody has normalized "
            "the stream, so the model needs a new one before its head.",
            blocks.NoLast,
        ),
        Mistake(
            "last_norm does not return a norm that `norm` has made. Call "
            "what you have kept: self.new_norm().",
            when=lambda args, value: args == ("the last norm",),
        ),
    ],
    praise="GPT takes any block with these three methods: an architecture of "
    "your own is a class of ten lines.",
)
