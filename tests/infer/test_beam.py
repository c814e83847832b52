"""Beam search against transformers, all there is, and greedy."""

from __future__ import annotations

import itertools
import logging

import pytest
import torch
import transformers as hf
from agreement import silently
from bugs import with_bug
from tiny import ids, randn, tiny

from llm_utils.infer import beam
from llm_utils.infer.beam import beam_search
from llm_utils.infer.filters import allow, repetition_penalty
from llm_utils.infer.sample import generate
from llm_utils.model.hf import to_hf

hf.utils.logging.set_verbosity(logging.CRITICAL)
hf.utils.logging.disable_progress_bar()

STOP = 7


@pytest.fixture(scope="module", params=["tiny-gpt2", "tiny-qwen"])
def both(request, tmp_path_factory):
    """A model whose texts end now and then, and the same in transformers."""
    model = tiny(request.param, tie_embeddings=False)
    with torch.no_grad():  # calm scores, so that beams live side by side
        x = model.stream(ids(8, 12)).flatten(0, 1).mean(0)
        model.head.weight.mul_(0.1)
        model.head.weight[STOP] += 0.3 * x / (x @ x)  # and texts end
    folder = tmp_path_factory.mktemp("model")
    to_hf(model, None, folder)
    theirs = hf.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float64
    )
    return model, theirs.eval()


def their_beams(theirs, prompt, n, width, alpha, **options):
    told = theirs.generate(
        prompt, attention_mask=torch.ones_like(prompt), do_sample=False,
        max_new_tokens=n, num_beams=width, num_return_sequences=width,
        eos_token_id=STOP, pad_token_id=STOP, early_stopping="never",
        length_penalty=float(alpha), output_scores=True,
        return_dict_in_generate=True, **options,
    )  # fmt: skip
    rows = told.sequences[:, prompt.shape[1] :].tolist()
    ends = [[*r, STOP].index(STOP) + 1 for r in rows]
    scores = told.sequences_scores.tolist()
    return [(r[:end], s) for r, end, s in zip(rows, ends, scores, strict=True)]


def assert_theirs(
    module, model, theirs, agrees=silently, **options
) -> list[int]:
    """Equal beams and scores; returns how long the texts were."""
    lengths = []
    for seed, width, alpha in itertools.product(
        range(2), (2, 4), (0, 1, 2, -0.5)
    ):
        prompt = ids(1, 4, seed=seed)
        expected = their_beams(theirs, prompt, 10, width, alpha, **options)
        keep = [repetition_penalty(1.5)] if options else []
        ours = module.beam_search(
            model, prompt[0].tolist(), 10, width, [STOP], alpha, keep
        )
        wanted = [i for i, _ in expected]
        agrees("transformers", "beams", [b.ids for b in ours], wanted)
        agrees(
            "transformers", "scores of beams", [b.score for b in ours],
            [score for _, score in expected], atol=1e-4, rtol=0,
        )  # fmt: skip
        lengths += [len(b.ids) for b in ours]
    return lengths


def test_beams_are_those_of_transformers(agrees, both) -> None:
    lengths = assert_theirs(beam, *both, agrees)
    assert min(lengths) < 10 == max(lengths), "vacuous test"
    assert_theirs(beam, *both, agrees, repetition_penalty=1.5)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "length**length_penalty\n                done",
            "1\n                done",
        ),
        ("ended[:width]", "ended"),
        ("log_probs[:, None] +", "0 * log_probs[:, None] +"),
        ("best[live]", "best[: len(live)]"),
        ("far = n if length_penalty > 0 else length", "far = 1"),
    ],
)
def test_broken_beams_are_not(both, old: str, new: str, tmp_path) -> None:
    with pytest.raises(AssertionError):
        assert_theirs(with_bug(tmp_path, beam, old, new), *both)


def test_one_beam_is_greedy(both) -> None:
    model, _ = both
    for seed in range(4):
        prompt = ids(1, 3, seed=seed)
        greedy = [int(i) for i in generate(model, prompt, 8, stop_ids=[STOP])]
        (only,) = beam_search(model, prompt[0].tolist(), 8, 1, [STOP])
        assert only.ids == greedy


class Table:
    """ids (B, T) -> (B, T, V): scores that know the two last ids."""

    def __init__(self, V: int, seed: int) -> None:
        self.scores = 2 * randn(V, V, V, seed=seed)

    def __call__(self, ids):
        before = torch.roll(ids, 1, 1)
        before[:, 0] = 0
        return self.scores[before, ids]


def everything(model, prompt, n: int, V: int, stop: int):
    """Each text that can come, with its log p, the likeliest first."""
    texts = []
    for told in itertools.product(range(V), repeat=n):
        end = told.index(stop) + 1 if stop in told else n
        if any(i != stop for i in told[end:]):
            continue  # the same text again
        row = torch.tensor([[*prompt, *told[:end]]])
        logp = model(row)[0].log_softmax(-1)
        steps = range(len(prompt) - 1, row.shape[1] - 1)
        total = sum(float(logp[t, row[0, t + 1]]) for t in steps)
        texts.append((total, list(told[:end])))
    return sorted(texts, reverse=True)


@pytest.mark.parametrize("seed", range(4))
def test_a_beam_as_wide_as_the_world_finds_the_best(seed: int) -> None:
    model, V, n = Table(4, seed), 4, 4
    best = everything(model, [1, 2], n, V, 3)
    mass = sum(torch.tensor([p for p, _ in best]).exp())
    assert float(mass) == pytest.approx(1)  # they are all
    wide = beam_search(model, [1, 2], n, V**n, [3])
    assert [b.ids for b in wide[:20]] == [told for _, told in best[:20]]
    assert wide[0].log_prob == pytest.approx(best[0][0])
    narrow = beam_search(model, [1, 2], n, 1, [3])
    assert narrow[0].log_prob <= wide[0].log_prob + 1e-9


def test_greedy_is_not_always_the_likeliest() -> None:
    found = []
    for seed in range(20):
        model = Table(4, seed)
        one, two = (beam_search(model, [0], 4, w)[0].log_prob for w in (1, 9))
        assert one <= two + 1e-9
        found.append(two > one + 1e-9)
    assert 1 <= sum(found) < 20


def test_masked_tokens_are_in_no_beam() -> None:
    mask = torch.tensor([True, True, False, False])
    beams = beam_search(Table(4, 0), [0], 3, 50, filters=[allow(mask)])
    assert len(beams) == 2**3  # fewer than were asked for: all there are
    assert {i for b in beams for i in b.ids} == {0, 1}


def test_what_cannot_be_searched() -> None:
    model = Table(4, 0)
    with pytest.raises(ValueError, match="width=0 and n=3"):
        beam_search(model, [0], 3, 0)
    with pytest.raises(ValueError, match="width=2 and n=0"):
        beam_search(model, [0], 0, 2)
    with pytest.raises(ValueError, match="an empty prompt"):
        beam_search(model, [], 3, 2)
    with pytest.raises(ValueError, match="no token may come"):
        beam_search(model, [0], 3, 2, filters=[lambda x, _: x - torch.inf])
    model.scores[:] = torch.nan
    with pytest.raises(ValueError, match="NaN or inf"):
        beam_search(model, [0], 3, 2)
    with pytest.raises(ValueError, match="max_len=8"):
        beam_search(tiny("tiny-gpt2", max_len=8), [0] * 6, 4, 2)
