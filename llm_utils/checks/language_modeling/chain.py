"""Exercises 1 and 2 of chapter 2: a text's probability, and its perplexity.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.foretold import Foretold
from llm_utils.checks.forms import number

# -- log_prob(probs) -> nats


def _sum_of_logs(probs: Sequence[float]) -> float:
    return sum(math.log(p) for p in probs)


def _no_logs(args: tuple[Any, ...], value: float) -> bool:
    """The probability itself, or 0 where it is too small for a float."""
    return math.isclose(value, math.prod(args[0]), abs_tol=1e-12)


def _show(x: Any) -> str:
    if isinstance(x, list):
        start = ", ".join(map(str, x[:4]))
        return f"[{start}, ...]" if len(x) > 4 else f"[{start}]"
    return f"{x:.4g}"


log_prob = Exercise(
    name="log_prob",
    asks="write log_prob(probs), the log-probability of the whole text",
    reference=_sum_of_logs,
    cases=[
        ([0.5],),
        ([0.5, 0.25],),
        ([0.25, 1.0, 0.5],),
        ([0.9, 0.02, 0.4, 0.3],),
        ([0.001] * 400,),
    ],
    form=number,
    same=lambda a, b: math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-9),
    show=_show,
    mistakes=[
        Mistake(
            "You multiply first and take the logarithm last. 400 tokens of "
            "0.001 make 1e-1200, which is 0 to a computer, and 0 has no "
            "logarithm. Take the logarithm of each, then add.",
            lambda probs: math.log(math.prod(probs)),
        ),
        Mistake(
            "Your result is minus infinity for 400 tokens of 0.001: their "
            "product is 1e-1200, which is 0 to a computer. Take the "
            "logarithm of each, then add.",
            when=lambda args, value: value == -math.inf,
        ),
        Mistake(
            "That is the probability of the text. Its logarithm is asked "
            "for, because the probability of a long text is 0 to a computer.",
            when=_no_logs,
        ),
        Mistake(
            "The sign is turned. A probability is at most 1, so its "
            "logarithm is at most 0; it is the loss that is positive.",
            lambda probs: -_sum_of_logs(probs),
        ),
        Mistake(
            "You divide by the number of tokens. That is a mean for each "
            "token, not the log-probability of the whole text.",
            lambda probs: _sum_of_logs(probs) / len(probs),
        ),
        Mistake(
            "That is the loss, minus the mean for each token. The "
            "log-probability of the whole text is the plain sum.",
            lambda probs: -_sum_of_logs(probs) / len(probs),
        ),
        Mistake(
            "That is in bits, with the logarithm to base 2. In nats it is "
            "the natural one, math.log.",
            lambda probs: _sum_of_logs(probs) / math.log(2),
        ),
        Mistake(
            "That is the logarithm to base 10. In nats it is the natural "
            "one, math.log.",
            lambda probs: _sum_of_logs(probs) / math.log(10),
        ),
        Mistake(
            "You add the probabilities before you take the logarithm. They "
            "multiply; only their logarithms add.",
            lambda probs: math.log(sum(probs)),
        ),
        Mistake(
            "Only the first token is counted. Does `return` stand inside the "
            "loop? It ends the function at its first round.",
            lambda probs: math.log(probs[0]),
        ),
        Mistake(
            "The last token is missing: each probability counts, also that "
            "of the last one.",
            lambda probs: _sum_of_logs(probs[:-1]),
        ),
        Mistake(
            "You weight each logarithm by its probability. That is a term of "
            "an entropy, a mean over what could come; here every token has "
            "come, once.",
            lambda probs: sum(p * math.log(p) for p in probs),
        ),
    ],
    praise="Sums of logarithms neither vanish nor overflow: from here on the "
    "book never multiplies probabilities.",
)

# -- four perplexities, predicted


def _number(x: Any) -> float:
    """A number; the word "inf" will do for infinity."""
    words = {"inf": math.inf, "infinity": math.inf}
    if isinstance(x, str):
        return words.get(x.lower().strip(), math.nan)
    return number(x)


_four = Foretold((64.0, 16.0, 2.0, math.inf), rel_tol=0.02, form=_number)

perplexities = _four.exercise(
    "perplexities",
    "perplexities",
    [
        Mistake(
            "A is a loss, ln 64 nats or log2 64 bits. The perplexity is the "
            "number of equally likely tokens that would be as hard.",
            when=_four.has(0, math.log(64), 6.0),
        ),
        Mistake(
            "That is the probability of a token, 1/64. Turn it over: the "
            "perplexity says among how many tokens the model hesitates.",
            when=_four.has(0, 1 / 64),
        ),
        Mistake(
            "A is its first definition: a model that finds 64 tokens "
            "equally likely has a perplexity of 64.",
            when=_four.wrong_at(0),
        ),
        Mistake(
            "You averaged perplexities, (4 + 64) / 2. What is averaged is "
            "the loss: (ln 4 + ln 64) / 2 is ln of another number.",
            when=_four.has(1, 34.0),
        ),
        Mistake(
            "You averaged the perplexities of the four tokens, three of 1 "
            "and one of 16. What is averaged is the loss.",
            when=_four.has(2, 4.75),
        ),
        Mistake(
            "You averaged the probabilities and turned the mean over. What "
            "is averaged is their logarithm, the loss.",
            when=lambda args, value: (
                _four.has(1, 2 / (1 / 4 + 1 / 64))(args, value)
                or _four.has(2, 4 / (3 + 1 / 16))(args, value)
            ),
        ),
        Mistake(
            "B is not right. Write the loss of each half as ln of something, "
            "take the mean, and ask what that is the ln of.",
            when=_four.wrong_at(1),
        ),
        Mistake(
            "C is not right. Three of four tokens cost ln 1 = 0, the fourth "
            "costs ln 16. What is the mean, and what is it the ln of?",
            when=_four.wrong_at(2),
        ),
        Mistake(
            "D has no finite answer. A token of probability 0 costs -ln 0, "
            "and no number of good tokens makes up for infinity.",
            when=_four.wrong_at(3),
        ),
    ],
    "The perplexity of a text is the geometric mean of one over the "
    "probabilities: a mean of losses, then exp.",
    note="; math.inf is one",
)
