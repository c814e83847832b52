"""Drawing, one token after another; against transformers, and one by one."""

from __future__ import annotations

import copy
import logging

import pytest
import torch
import transformers as hf
from bugs import with_bug
from tiny import RECIPES, ListCache, ids, randn, seeded, tiny

from llm_utils.infer import sample
from llm_utils.infer.filters import allow, temperature, top_p
from llm_utils.infer.sample import draw, generate, generate_batch, pick
from llm_utils.model.hf import to_hf
from llm_utils.train.base import load_base

hf.utils.logging.set_verbosity(logging.CRITICAL)
hf.utils.logging.disable_progress_bar()

NONE = torch.zeros(1, 1, dtype=torch.int64)


def row(steps) -> list[int]:
    """The ids that a batch of one was given."""
    return [int(i) for i in steps]


def theirs_of(model, folder, tokenizer=None):
    """The same weights in transformers, in the same precision."""
    to_hf(model, tokenizer, folder)
    dtype = model.tokens.weight.dtype
    return hf.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()


def their_greedy(theirs, prompt, n: int, **options) -> list[int]:
    told = theirs.generate(
        prompt, attention_mask=torch.ones_like(prompt), do_sample=False,
        max_new_tokens=n, pad_token_id=0, **options,
    )  # fmt: skip
    return told[0, prompt.shape[1] :].tolist()


# --- one draw ----------------------------------------------------------------


def assert_frequencies(module) -> None:
    """30,000 draws, chi-squared over 7 tokens; 22.5 is the 99.9 % point."""
    logits = randn(1, 7, seed=3).float()
    n, probs = 30_000, logits.double().softmax(-1)[0]
    drawn = module.draw(logits.expand(n, 7), seeded(4))
    seen = torch.bincount(drawn, minlength=7)
    assert float(((seen - n * probs) ** 2 / (n * probs)).sum()) < 22.5


def test_tokens_come_as_often_as_their_probability_says(tmp_path) -> None:
    assert_frequencies(sample)
    broken = with_bug(
        tmp_path, sample, "probabilities(logits)", "probabilities(0.9 * logits)"
    )
    with pytest.raises(AssertionError):
        assert_frequencies(broken)


def test_what_is_masked_never_comes() -> None:
    mask = torch.arange(9) % 4 == 1
    drawn = pick(torch.zeros(5_000, 9), [allow(mask)], NONE, seeded())
    assert set(drawn.tolist()) == {1, 5}


def test_a_row_with_its_own_generator_knows_no_neighbors() -> None:
    logits = randn(4, 9)
    together = draw(logits, [seeded(i) for i in range(4)])
    alone = [int(draw(logits[i : i + 1], seeded(i))) for i in range(4)]
    assert together.tolist() == alone
    assert draw(logits, seeded(0)).tolist() != alone  # one for all


def test_the_same_state_draws_the_same() -> None:
    logits = randn(50, 9)
    assert torch.equal(draw(logits, seeded(1)), draw(logits, seeded(1)))
    assert not torch.equal(draw(logits, seeded(1)), draw(logits, seeded(2)))
    assert torch.equal(draw(logits), logits.argmax(-1))
    cold = pick(logits, [temperature(0)], NONE, seeded(1))
    assert torch.equal(cold, logits.argmax(-1))


@pytest.mark.parametrize("rng", [None, seeded()])
@pytest.mark.parametrize(
    ("value", "says"),
    [(torch.nan, "row 1 hold NaN"), (torch.inf, "row 1 hold inf"),
     (-torch.inf, "row 1 hold no token that may come")],
)  # fmt: skip
def test_scores_that_cannot_be_drawn_from(value, says: str, rng) -> None:
    logits = torch.zeros(3, 4)
    logits[1, :] = value
    with pytest.raises(ValueError, match=says):
        draw(logits, rng)
    if value == -torch.inf:
        logits[1, 2] = 0.0  # one that may come is enough
        assert int(draw(logits, rng)[1]) == 2
    else:
        logits[1, 1:] = 0.0  # one that is wrong is too many
        for keep in ([], [top_p(0.9)], [temperature(0)]):
            with pytest.raises(ValueError, match="row 1 hold"):
                pick(logits, keep, NONE, rng)


def test_too_few_generators() -> None:
    with pytest.raises(ValueError, match="2 generators for 3 rows"):
        draw(torch.zeros(3, 4), [seeded(), seeded()])
    steps = generate(tiny("tiny-llama"), ids(3, 2), 2, rng=[seeded()])
    with pytest.raises(ValueError, match="1 generators for 3 rows"):
        next(steps)


# --- one after another -------------------------------------------------------


@pytest.mark.parametrize("name", ["tiny-gpt2", "tiny-llama", "tiny-qwen"])
def test_greedy_is_that_of_transformers(agrees, name: str, tmp_path) -> None:
    model = tiny(name)
    theirs = theirs_of(model, tmp_path)
    theirs.generation_config.eos_token_id = None
    broken = with_bug(
        tmp_path, sample, "[:, -1]\n        else", "[:, 0]\n        else"
    )
    for seed in range(3):
        prompt = ids(1, 4 + seed, seed=seed)
        expected = their_greedy(theirs, prompt, 20)
        assert len(set(expected)) > 2, "vacuous test"
        found = row(generate(model, prompt, 20))
        agrees("transformers", "greedy tokens of generate", found, expected)
        assert row(broken.generate(model, prompt, 20)) != expected


def test_the_base_model_ends_where_it_ends_in_transformers(
    agrees, tmp_path
) -> None:
    model, tokenizer = load_base()
    theirs = theirs_of(model, tmp_path, tokenizer)
    end = tokenizer.special_tokens["<|endoftext|>"]
    prompt = torch.tensor([[end, *tokenizer.encode("It was a rainy day.")]])
    expected = their_greedy(theirs, prompt, 250)
    assert expected[-1] == end and len(expected) < 250
    cache = [ListCache() for _ in model.blocks]
    found = row(generate(model, prompt, 250, cache=cache, stop_ids=[end]))
    what = "greedy tokens of the base model, to its end of text"
    agrees("transformers", what, found, expected)


@pytest.mark.parametrize("name", RECIPES)
def test_a_cache_changes_nothing(name: str) -> None:
    model, prompt = tiny(name), ids(3, 5)
    for rng in (None, seeded(3)):
        again = None if rng is None else seeded(3)
        cache = [ListCache() for _ in model.blocks]
        with_it = list(generate(model, prompt, 9, rng=rng, cache=cache))
        without = list(generate(model, prompt, 9, rng=again))
        assert torch.equal(torch.stack(with_it), torch.stack(without))
        assert cache[0].length == 5 + 9 - 1
    full = torch.cat((prompt, torch.stack(without, 1)), 1)
    cache[0].length, kept = 13, copy.deepcopy(cache)  # go on from there
    assert torch.equal(
        next(generate(model, full, 1, cache=kept)),
        next(generate(model, full, 1)),
    )


class Counted:
    """A model that knows how often it was asked, and for how much."""

    def __init__(self, model):
        self.model, self.asked = model, []

    def __call__(self, ids, **options):
        self.asked.append(tuple(ids.shape))
        return self.model(ids, **options)


def test_the_model_is_asked_no_more_than_needed() -> None:
    model = Counted(tiny("tiny-llama"))
    steps = generate(model, ids(2, 3), 4)
    assert model.asked == []
    next(steps)
    assert model.asked == [(2, 3)]
    assert len(list(steps)) == 3 and model.asked[-1] == (2, 6)
    model.asked.clear()
    cache = [ListCache() for _ in model.model.blocks]
    list(generate(model, ids(2, 3), 4, cache=cache))
    assert model.asked == [(2, 3), (2, 1), (2, 1), (2, 1)]


def test_rows_that_met_a_stop_id_repeat_it_until_all_have() -> None:
    model, prompt = tiny("tiny-llama"), ids(3, 5)
    free = torch.stack(list(generate(model, prompt, 12)), 1).tolist()
    stop = {free[0][2], free[1][4]}
    ends = [next((t for t, i in enumerate(r) if i in stop), 12) for r in free]
    assert min(ends) < max(ends), "vacuous test"
    told = torch.stack(list(generate(model, prompt, 12, stop_ids=stop)), 1)
    assert told.shape[1] == min(12, max(ends) + 1)
    for mine, alone, end in zip(told.tolist(), free, ends, strict=True):
        assert mine[: end + 1] == alone[: end + 1]
        assert set(mine[end:]) <= {*alone[end : end + 1]}


def test_generated_ids_can_be_trained_on() -> None:
    model = tiny("tiny-llama")
    told = torch.stack(list(generate(model, ids(2, 3), 4)), 1)
    model(told).sum().backward()
    assert model.tokens.weight.grad is not None


def test_a_prompt_is_left_as_it_was() -> None:
    prompt = ids(2, 3)
    before = prompt.clone()
    list(generate(tiny("tiny-gpt2"), prompt, 4, rng=seeded()))
    assert torch.equal(prompt, before)


# --- prompts of unequal length -----------------------------------------------

PROMPTS = [ids(1, T, seed=T)[0].tolist() for T in (4, 1, 7, 4)]


def one_by_one(model, stop=(), drawn=False, n=8) -> list[list[int]]:
    rngs = [seeded(i) if drawn else None for i in range(len(PROMPTS))]
    return [
        row(generate(model, torch.tensor([p]), n, rng=rng, stop_ids=stop))
        for p, rng in zip(PROMPTS, rngs, strict=True)
    ]


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("drawn", [False, True])
def test_a_batch_is_one_by_one(name: str, drawn: bool, tmp_path) -> None:
    model = tiny(name)
    stop = one_by_one(model, (), drawn)[2][3:4]
    for ends in ((), stop):
        alone = one_by_one(model, ends, drawn)
        for cached in (False, True):
            rngs = [seeded(i) for i in range(4)] if drawn else None
            cache = [ListCache() for _ in model.blocks] if cached else None
            told = generate_batch(
                model, PROMPTS, 8, rng=rngs, cache=cache, stop_ids=ends
            )
            assert told == alone
    assert min(map(len, alone)) < 8, "vacuous test"
    broken = with_bug(tmp_path, sample, "[t < own for", "[own < 0 for")
    rngs = [seeded(i) for i in range(4)] if drawn else None
    told = broken.generate_batch(model, PROMPTS, 8, rng=rngs, stop_ids=stop)
    assert told != alone


def test_a_batch_of_transformers_padded_on_the_left_agrees(
    agrees, tmp_path
) -> None:
    """They pad and mask; we feed the longer prompts their own ids."""
    model = tiny("tiny-llama")
    theirs = theirs_of(model, tmp_path)
    theirs.generation_config.eos_token_id = None
    T = max(map(len, PROMPTS))
    padded = torch.tensor([[0] * (T - len(p)) + p for p in PROMPTS])
    mask = torch.tensor([[0] * (T - len(p)) + [1] * len(p) for p in PROMPTS])
    told = theirs.generate(
        padded, attention_mask=mask, do_sample=False, max_new_tokens=8,
        pad_token_id=0,
    )  # fmt: skip
    found = generate_batch(model, PROMPTS, 8)
    what = "greedy tokens of a batch of unequal prompts"
    agrees("transformers", what, found, told[:, T:].tolist())


# --- edges -------------------------------------------------------------------


def test_the_last_position_can_be_used() -> None:
    model = tiny("tiny-gpt2", max_len=8)
    assert len(list(generate(model, ids(1, 5), 4))) == 4  # asks for 8
    assert list(generate(model, ids(1, 8), 0)) == []
    assert len(list(generate(model, ids(1, 8), 1))) == 1
    with pytest.raises(ValueError, match=r"5 ids and 5 new .* max_len=8"):
        generate(model, ids(1, 5), 5)
    with pytest.raises(ValueError, match="9 ids and 1 new"):
        generate_batch(model, [[1], [1] * 9], 1)


@pytest.mark.parametrize(
    ("prompt", "options", "says"),
    [
        (ids(1, 3)[0], {}, r"shape \(3,\).*ids\[None\]"),
        (torch.zeros(1, 3), {}, "float32: give integers"),
        (ids(1, 3)[:0], {}, "no prompt"),
        (ids(1, 3)[:, :0], {}, "an empty prompt: begin with"),
        (ids(1, 3), {"n": -1}, "n=-1 new ids"),
    ],
)
def test_prompts_that_cannot_be(prompt, options, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        generate(tiny("tiny-llama"), prompt, **{"n": 2, **options})


def test_a_cache_that_is_ahead_of_its_prompt() -> None:
    model = tiny("tiny-llama")
    cache = [ListCache() for _ in model.blocks]
    list(generate(model, ids(1, 5), 3, cache=cache))
    with pytest.raises(ValueError, match="holds 7 ids, the prompt 5"):
        generate(model, ids(1, 5), 3, cache=cache)


def test_ids_of_another_vocabulary() -> None:
    with pytest.raises(ValueError, match="wrong tokenizer"):
        next(generate(tiny("tiny-llama"), ids(1, 3, vocab_size=99) + 31, 2))
