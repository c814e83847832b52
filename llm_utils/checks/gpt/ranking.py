"""Exercise 3 of chapter 6: which recipe is the largest, and which works most.

Each `Mistake` is a small wrong answer: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import sequence
from llm_utils.checks.watch import WrongForm

NAMES = ("gpt2", "llama", "qwen", "moe")


def _names(x: Any) -> list[str]:
    """["llama", ...] from names with or without "tiny-"."""
    names = sequence(x.replace(",", " ").split() if type(x) is str else x)
    if not all(isinstance(name, str) for name in names):
        raise WrongForm(f"{names!a}; four names are asked for")
    return [name.strip().lower().removeprefix("tiny-") for name in names]


def _not_four(args: tuple[Any, ...], value: list[str]) -> bool:
    return sorted(value) != sorted(NAMES)


def _before(a: str, b: str) -> Callable[[Any, list[str]], bool]:
    def when(args: tuple[Any, ...], value: list[str]) -> bool:
        both = a in value and b in value
        return both and value.index(a) < value.index(b)

    return when


FOUR = Mistake(
    "Give each of the four names once: 'gpt2', 'llama', 'qwen', 'moe'.",
    when=_not_four,
)
TURNED = "You start with the largest. The question asks for the smallest first."

by_size = Exercise(
    name="by_size",
    asks="write down the four names, the one with the fewest parameters first",
    reference=lambda: ["llama", "gpt2", "qwen", "moe"],
    form=_names,
    mistakes=[
        FOUR,
        Mistake(TURNED, lambda: ["moe", "qwen", "gpt2", "llama"]),
        Mistake(
            "In memory every expert counts, whether a token meets it or "
            "not. Four experts of width 88 are twice Llama's one of 176.",
            when=lambda args, value: value[-1:] != ["moe"],
        ),
        Mistake(
            "You put Qwen before Llama. It is Llama with wider heads, and "
            "everything else is equal.",
            when=_before("qwen", "llama"),
        ),
        Mistake(
            "You put GPT-2 before Llama. Llama has three matrices where "
            "GPT-2 has two, but they are narrower: compare 3 * 64 * 176 "
            "with 2 * 64 * 256, then look at the key and value heads.",
            when=_before("gpt2", "llama"),
        ),
        Mistake(
            "You put Qwen before GPT-2. Qwen's heads have 32 numbers, not "
            "64 / 4 = 16, so its attention is twice as wide as Llama's.",
            when=_before("qwen", "gpt2"),
        ),
    ],
    praise="Fewer key and value heads make Llama the smallest; keeping all "
    "four experts makes the mixture the largest.",
)

by_work = Exercise(
    name="by_work",
    asks="write down the four names, the one with the least work first",
    reference=lambda: ["llama", "moe", "gpt2", "qwen"],
    form=_names,
    mistakes=[
        FOUR,
        Mistake(TURNED, lambda: ["qwen", "gpt2", "moe", "llama"]),
        Mistake(
            "That is the order of sizes. A token meets only two of the four "
            "experts, so the largest model is not the busiest.",
            lambda: ["llama", "gpt2", "qwen", "moe"],
        ),
        Mistake(
            "The mixture works least, you say. Two experts of width 88 do "
            "exactly the work of Llama's one of 176, and there is a router "
            "besides.",
            when=_before("moe", "llama"),
        ),
        Mistake(
            "You put GPT-2 before the mixture. Two experts of width 88 work "
            "as much as Llama's SwiGLU; what does GPT-2's attention do more?",
            when=_before("gpt2", "moe"),
        ),
        Mistake(
            "Qwen is the busiest: its four heads of 32 numbers make "
            "attention twice as wide as Llama's, in every matrix.",
            when=lambda args, value: value[-1:] != ["qwen"],
        ),
    ],
    praise="The largest of the four is the second cheapest to run: that is "
    "what experts are for.",
)
