"""Speculative decoding gives the model's own distribution, whatever guesses."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from bugs import with_bug
from scipy import stats
from tiny import RECIPES, ids, seeded, tiny
from torch import Tensor

from llm_utils.infer import speculative
from llm_utils.infer.filters import repetition_penalty, top_k
from llm_utils.infer.sample import generate
from llm_utils.infer.speculative import (
    PromptLookup,
    Reader,
    Round,
    acceptance,
    plain,
    speculate,
    verify,
)
from llm_utils.text.next_token import Bigram

V = 3


class Table:
    """A language that looks two tokens back; a scorer with rows of its own."""

    def __init__(self, seed: int, spread: float = 1.5) -> None:
        self.rows = spread * torch.randn(V, V, V, generator=seeded(seed))
        self.calls = 0

    def __call__(self, ids: Tensor, n: int) -> Tensor:
        self.calls += 1
        return self.rows[ids[0, -n - 1 : -1], ids[0, -n:]]


def exact(table: Table, start: Tensor, n: int, change=None) -> Tensor:
    """(V ** n,): the probability of each continuation, by enumeration."""
    probs = []
    for text in product(range(V), repeat=n):
        p, seen = 1.0, start
        for token in text:
            logits = table(seen, 1)
            logits = logits if change is None else change(logits, seen)
            p *= float(logits.double().softmax(-1)[0, token])
            seen = torch.cat((seen, torch.tensor([[token]])), 1)
        probs.append(p)
    return torch.tensor(probs)


def counted(run, n: int, draws: int) -> Tensor:
    """(V ** n,): how often each continuation came."""
    counts = torch.zeros(V**n, dtype=torch.int64)
    for _ in range(draws):
        tokens = [t for r in run() for t in r.tokens]
        assert len(tokens) == n
        place = 0
        for token in tokens:
            place = V * place + token
        counts[place] += 1
    return counts


def p_value(counts: Tensor, probs: Tensor) -> float:
    """Of the chi-squared test; cells that expect under 5 are taken as one."""
    wanted = probs * counts.sum()
    rare = wanted < 5
    seen = [*counts[~rare].tolist(), int(counts[rare].sum())]
    wants = [*wanted[~rare].tolist(), float(wanted[rare].sum())]
    if wants[-1] < 1e-9:
        assert seen.pop() == 0, "a text that cannot be"
        wants.pop()
    return float(stats.chisquare(seen, wants, sum_check=False).pvalue)


START = torch.tensor([[0, 1]])


def of(module, draft, k: int, change=None, draws: int = 800) -> float:
    """The p-value of texts of 3 tokens under the module's `speculate`."""
    target, rng = Table(0), seeded(1)
    filters = [] if change is None else [change]

    def run():
        return module.speculate(target, draft, START, 3, k, filters, rng)

    return p_value(counted(run, 3, draws), exact(target, START, 3, change))


DRAFTS = {
    "another": Table(1),
    "itself": Table(0),
    "flat": Table(2, 0.0),
    "sure and wrong": Table(3, 30.0),
}


@pytest.mark.parametrize(
    ("draft", "k"), [(d, 2) for d in DRAFTS] + [("another", 1), ("another", 5)]
)
def test_texts_are_distributed_as_the_models_own(draft: str, k: int) -> None:
    assert of(speculative, DRAFTS[draft], k) > 1e-3


@pytest.mark.parametrize("change", [top_k(2), repetition_penalty(1.7)])
def test_filters_act_on_both(change) -> None:
    assert of(speculative, DRAFTS["another"], 2, change) > 1e-3


def test_guesses_of_a_lookup_too() -> None:
    assert of(speculative, PromptLookup(V, 1), 3) > 1e-3


BUGS = [
    ("all kept", "passed = luck * q.", "passed = luck * 0 * q."),
    ("no ratio", "luck * q.gather(1, each)[:, 0] <", "luck <"),
    ("again from p", "(p[kept] - q[kept]).clamp(min=0)", "p[kept]"),
    ("turned round", "(p[kept] - q[kept])", "(q[kept] - p[kept])"),
    ("one too many", "guessed[:kept].tolist()", "guessed[: kept + 1].tolist()"),
    ("filters only there", "q = _distribution(draft(guesses, 1), guesses, "
     "filters, rng)", "q = _distribution(draft(guesses, 1), guesses, (), rng)"),
    ("after the first", "cumprod(0).sum()", "sum()"),
]  # fmt: skip


@pytest.mark.parametrize("bug", BUGS, ids=[name for name, *_ in BUGS])
def test_planted_bugs_fail_the_same_test(bug, tmp_path) -> None:
    wrong = with_bug(tmp_path, speculative, *bug[1:])
    try:
        draft = "sure and wrong" if bug[0] == "after the first" else "another"
        found = of(wrong, DRAFTS[draft], 2)
    except (AssertionError, IndexError):
        return  # too many tokens
    if bug[0] == "filters only there":  # still exact, only less accepted
        assert found > 1e-3
    else:
        assert found < 1e-6


def test_one_token_by_the_formula() -> None:
    """verify alone, on numbers: P(x) = p(x), in 5,000 draws."""
    p, q = torch.tensor([[0.5, 0.4, 0.1]] * 2), torch.tensor([[0.1, 0.2, 0.7]])
    rng, counts = seeded(), torch.zeros(3, dtype=torch.int64)
    kept_all = 0
    for _ in range(5_000):
        guess = torch.multinomial(q[0], 1, generator=rng)
        kept, new = verify(p, q, guess, rng)
        kept_all += kept
        counts[int(guess) if kept else new] += 1
    assert p_value(counts, p[0].double()) > 1e-3
    overlap = float(torch.minimum(p[0], q[0]).sum())
    assert kept_all / 5_000 == pytest.approx(overlap, abs=0.03)


@torch.no_grad()
@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("window", [None, 4])
@pytest.mark.parametrize("k", [1, 4])
def test_greedy_is_the_models_own_greedy(name: str, window, k: int) -> None:
    """With caches that are rolled back, for a draft that is often wrong."""
    model, draft = tiny(name, window=window), tiny(name, window=window)
    with torch.no_grad():  # near the model, and not the same
        for p in draft.parameters():
            p.add_(0.02 * torch.randn(p.shape, generator=seeded(7)))
    prompt, n = ids(1, 6), 30
    own = [int(t) for t in generate(model, prompt, n)]
    rounds = [
        *speculate(Reader(model, 40), Reader(draft, 40), prompt, n, k)
    ]  # fmt: skip
    assert [t for r in rounds for t in r.tokens] == own
    share = acceptance(rounds)
    assert 0 < share < 1, "a draft that is always right or wrong tests little"


@torch.no_grad()
def test_a_reader_that_goes_on_and_back_is_the_full_pass() -> None:
    model = tiny("tiny-gpt2")
    read, x = Reader(model, 20), ids(1, 12)
    other = torch.cat((x[:, :8], ids(1, 4, seed=3)), 1)
    for text, n in ((x[:, :8], 2), (other, 4), (x[:, :9], 1), (x, 3), (x, 12)):
        full = model(text)[0, -n:]
        torch.testing.assert_close(read(text, n), full, atol=1e-12, rtol=0)


def test_a_good_draft_saves_passes_of_the_model() -> None:
    target = Table(0)
    perfect = [*speculate(target, Table(0), START, 50, 4, rng=seeded())]
    assert acceptance(perfect) == 1 and target.calls == 10
    assert [r.guessed for r in perfect] == [4] * 10
    bad = [*speculate(target, Table(3, 30.0), START, 50, 4, rng=seeded())]
    assert acceptance(bad) < 0.5


def test_any_model_can_guess() -> None:
    bigram = Bigram(31, 0.1).fit(ids(400))
    model = tiny("tiny-llama")
    rounds = [*speculate(Reader(model, 30), plain(bigram), ids(1, 4), 20)]
    own = [int(t) for t in generate(model, ids(1, 4), 20)]
    assert [t for r in rounds for t in r.tokens] == own


def test_lookup_finds_the_last_of_the_same() -> None:
    text = torch.tensor([[5, 6, 7, 5, 6, 8, 1, 5, 6]])
    look = PromptLookup(9)
    assert look(text, 1).argmax(-1).tolist() == [8]
    assert look(text, 5).argmax(-1)[0] == 7  # after 5, 6 at places 3 and 4
    assert torch.equal(look(torch.tensor([[1, 2, 3]]), 1), torch.zeros(1, 9))
    assert torch.equal(look(torch.tensor([[1]]), 1), torch.zeros(1, 9))


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    for rng in (None, seeded()):
        list(speculate(Table(0), Table(1), START, 9, rng=rng))
    assert torch.equal(torch.get_rng_state(), before)
    same = [
        [*speculate(Table(0), Table(1), START, 9, rng=seeded(4))]
        for _ in range(2)
    ]
    assert same[0] == same[1]


def test_what_cannot_be_continued() -> None:
    for text, k in ((ids(2, 3), 4), (ids(3), 4), (ids(1, 3), 0),
                    (torch.zeros(1, 0, dtype=torch.int64), 1)):  # fmt: skip
        with pytest.raises(ValueError, match="give one sequence"):
            list(speculate(Table(0), Table(1), text, 5, k))
    assert [*speculate(Table(0), Table(1), START, 0)] == []
    with pytest.raises(ValueError, match="1 rounds without a guess"):
        acceptance([Round([1], 0)])
