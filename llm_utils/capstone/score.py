"""The score of a race: how far from the truth, and how often true.

Chapter 17. The stories that are scored on come from a seed that no race
trains with, and are the same for everybody, so that two scores can be paired.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile

import torch

from llm_utils.capstone.race import END
from llm_utils.infer.cache import new_cache
from llm_utils.infer.evaluate import Score
from llm_utils.infer.intervals import standard_error, wilson
from llm_utils.infer.sample import generate
from llm_utils.model.gpt import GPT
from llm_utils.text.bpe import ByteBPE
from llm_utils.text.next_token import token_log_probs
from llm_utils.text.tinyworld import TinyWorld
from llm_utils.text.tinyworld.judge import Sentence, Verdict
from llm_utils.train.packing import pad

SEED = 17_017  # of the stories that every run is scored on
MOST = 256  # tokens of a story that the model tells


def score(
    model: GPT, tokenizer: ByteBPE, stories: int = 400, samples: int = 200
) -> dict[str, Score]:
    """What a leaderboard shows, each with its 95 % interval. Chapter 17.

    "above": percent of nats above the entropy; then, of stories that the model
    tells, the shares of sentences that are grammatical, true and possible, and
    of stories that are clean: every sentence possible, and the end reached.
    samples=0 leaves these out.
    """
    scores = [above(excess(model, tokenizer, stories))]
    if samples:
        scores += verdicts_on(tell(model, tokenizer, samples, seed=0))
    return {s.name: s for s in scores}


def verdicts_on(told: Sequence[str]) -> list[Score]:
    """What the world's judge says of stories, as shares."""
    world = TinyWorld("mini")
    verdicts = [world.judge(text) for text in told]
    names = ("grammatical", "true", "possible")
    scores = [share(name, verdicts, holds(name)) for name in names]
    clean = sum(v.clean and v.complete for v in verdicts)
    n = len(told)
    return [*scores, Score("clean", clean / n, wilson(clean, n), n, 0.0)]


@torch.inference_mode()
def excess(
    model: GPT, tokenizer: ByteBPE, n: int, seed: int = SEED
) -> torch.Tensor:
    """n stories -> (n, 2): nats above the world's own -log p, and that.

    What a story costs the model less what it must cost has far less noise
    than either: a story's own luck is in both.
    """
    end = tokenizer.special_tokens[END]
    stories = list(TinyWorld("mini").stories(n, seed))
    rows = [[end, *tokenizer.encode(s.text), end] for s in stories]
    order = sorted(range(n), key=lambda i: len(rows[i]))
    found = torch.zeros(n, 2, dtype=torch.float64)
    for part in (order[i : i + 50] for i in range(0, n, 50)):
        x, y = pad([rows[i] for i in part])
        log_p = token_log_probs(model(x).float(), y).double().sum(-1)
        least = torch.tensor([-stories[i].log_prob for i in part])
        found[part] = torch.stack((-log_p - least, least.double()), 1)
    return found


def above(found: torch.Tensor) -> Score:
    """`excess` -> percent above the entropy, as a ratio of two sums."""
    gap, least = found.T
    ratio = gap.sum() / least.sum()
    off = standard_error((gap - ratio * least).tolist()) / float(least.mean())
    value, half = 100 * float(ratio), 196 * off
    return Score("above", value, (value - half, value + half), len(found))


def tell(
    model: GPT, tokenizer: ByteBPE, n: int, seed: int, most: int = MOST
) -> list[str]:
    """n stories at temperature 1, to their end or `most` tokens."""
    end, told = tokenizer.special_tokens[END], list[str]()
    most = min(most, model.cfg.max_len)
    rng = torch.Generator().manual_seed(seed)
    for size in (min(100, n - i) for i in range(0, n, 100)):
        columns = generate(
            model, torch.full((size, 1), end), most, rng=rng,
            cache=new_cache(model, size, most), stop_ids=[end],
        )  # fmt: skip
        for row in torch.stack(list(columns), 1).tolist():
            ids = takewhile(lambda i: i != end, row)
            told.append(tokenizer.decode(ids))
    return told


def holds(name: str) -> Callable[[Sentence], bool]:
    return lambda sentence: bool(getattr(sentence, name))


def share(
    name: str, verdicts: Sequence[Verdict], good: Callable[[Sentence], bool]
) -> Score:
    """The share of all sentences; a story's sentences err together."""
    marks = [float(good(s)) for v in verdicts for s in v.sentences]
    if len(marks) < 2:
        return Score(name, 0.0, (0.0, 1.0), len(marks), 0.0)
    group = [i for i, v in enumerate(verdicts) for _ in v.sentences]
    value = sum(marks) / len(marks)
    half = 1.96 * standard_error(marks, group)
    interval = max(0.0, value - half), min(1.0, value + half)
    return Score(name, value, interval, len(marks), 0.0)
