"""Log-probabilities of texts against transformers and against lm-eval."""

from __future__ import annotations

import pytest
import torch
from bugs import with_bug
from tiny import ids as some_ids
from tiny import seeded, tiny

from llm_utils.infer import choices, likelihood
from llm_utils.infer.choices import Item, choice_accuracy, picks, score_choices
from llm_utils.infer.likelihood import (
    Scored,
    continuations,
    split_pair,
    strided_log_probs,
    strided_windows,
)
from llm_utils.model.hf import to_hf
from llm_utils.text.bpe import ByteBPE
from llm_utils.text.next_token import token_log_probs

close = torch.testing.assert_close
LENGTHS = [
    (2, 1, 1),
    (9, 8, 8),
    (40, 8, 8),
    (41, 8, 3),
    (41, 16, 1),
    (7, 30, 9),
]


def encode(text: str) -> list[int]:
    """A byte an id, less what a vocabulary of 31 lacks."""
    return [byte % 31 for byte in text.encode()]


@pytest.mark.parametrize("n, T, stride", LENGTHS)
@pytest.mark.parametrize("full_end", [False, True])
def test_each_token_is_scored_once_with_enough_past(n, T, stride, full_end):
    model, text = tiny("tiny-llama"), some_ids(n)
    windows = strided_windows(n, T, stride, full_end)
    scored = [t for _, end, first in windows for t in range(first, end + 1)]
    assert scored == list(range(1, n))
    for begin, end, first in windows:
        assert 0 <= begin < end <= n - 1 and end - begin <= T
        assert begin == 0 or first - begin >= T - stride + 1
    logs = strided_log_probs(model, text, T, stride, full_end)
    for begin, end, first in windows:
        for t in range(first, end + 1):
            logits = model(text[None, begin:t])
            one = token_log_probs(logits[:, -1:], text[None, t : t + 1])
            close(logs[t - 1], one[0, 0])


def recipe(model, ids, max_length, stride, fair):
    """Hugging Face's page on perplexity; fair counts what is scored."""
    total = count = last = 0
    for begin in range(0, len(ids), stride):
        end = min(begin + max_length, len(ids))
        rows = ids[None, begin:end]
        targets = rows.clone()
        targets[:, : -(end - last)] = -100
        loss = model(rows, labels=targets).loss
        shown = targets[:, 1:] if fair else targets
        n = int((shown != -100).sum()) - (not fair)
        total, count, last = total + loss.item() * n, count + n, end
        if end == len(ids):
            return total / count
    raise AssertionError("a window must reach the end")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """A tiny Llama in float64, and the same one in transformers."""
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("hf")
    model = tiny("tiny-llama", vocab_size=64)
    to_hf(model, None, folder)
    return model, AutoModelForCausalLM.from_pretrained(folder).double().eval()


@pytest.mark.parametrize("stride", [1, 5, 16])
def test_equal_to_the_strided_recipe(agrees, theirs, stride, tmp_path):
    ours, hf = theirs
    text = some_ids(70, vocab_size=64)
    wanted = recipe(hf, text, 17, stride, fair=True)
    found = -strided_log_probs(ours, text, 16, stride).mean().item()
    what = "the loss of a text in overlapping windows"  # theirs is float32
    agrees("transformers", what, found, wanted, atol=2e-6, rtol=0)
    # As printed there, a window of n tokens weighs n - 1: close, not equal.
    printed = recipe(hf, text, 17, stride, fair=False)
    assert printed == pytest.approx(wanted, rel=0.2)
    bugs = {
        "windows overlap": ("first - 1 - begin :", "0 : end - first + 1"),
        "past is lost": ("range(0, n - 1, stride)", "range(0, n - 1, T)"),
    }
    for name, bug in bugs.items():
        if stride == 16:
            continue  # no overlap: nothing to get wrong
        bad = with_bug(tmp_path, likelihood, *bug)
        loss = -bad.strided_log_probs(ours, text, 16, stride).mean().item()
        assert loss != pytest.approx(wanted, abs=1e-4), name


def test_full_end_is_lm_evals_rolling_window(agrees):
    from lm_eval.utils import get_rolling_token_windows, make_disjoint_window

    model, text = tiny("tiny-llama"), some_ids(43)
    found = 0.0
    rest = text[1:].tolist()
    for pair in get_rolling_token_windows(rest, int(text[0]), 16, 1):
        past, said = make_disjoint_window(pair)
        row = torch.tensor([past + said])
        logs = token_log_probs(model(row[:, :-1]), row[:, 1:])
        found += logs[0, -len(said) :].sum().item()
    ours = strided_log_probs(model, text, 16, full_end=True).sum().item()
    what = "log p of a text in rolling windows"
    agrees("lm-eval", what, ours, found, atol=1e-9, rtol=0)
    short = strided_log_probs(model, text, 16).sum().item()
    assert short != pytest.approx(found, abs=1e-6), "vacuous"


@pytest.mark.parametrize("batch_size", [1, 3, 50])
def test_a_batch_changes_no_score(batch_size, tmp_path):
    model = tiny("tiny-qwen")
    pairs = [("a" * n, " " + "bcd" * m) for n in (1, 4, 9) for m in (1, 2, 5)]
    scores = continuations(model, encode, pairs, batch_size=batch_size)
    for (context, more), scored in zip(pairs, scores, strict=True):
        row = torch.tensor([encode(context + more)])
        logits = model(row[:, :-1])
        n = len(encode(more))
        logs = token_log_probs(logits, row[:, 1:])[0, -n:]
        greedy = torch.equal(logits.argmax(-1)[0, -n:], row[0, -n:])
        assert scored.nats == pytest.approx(logs.sum().item(), abs=1e-9)
        assert (scored.n_tokens, scored.n_bytes) == (n, n - 1)
        assert scored.greedy == greedy
    late = with_bug(
        tmp_path, likelihood, "logs[r, end - n : end]", "logs[r, -n:]"
    )
    wrong = late.continuations(model, encode, pairs, batch_size=batch_size)
    same = [
        a.nats == pytest.approx(b.nats)
        for a, b in zip(wrong, scores, strict=True)
    ]
    assert all(same) == (batch_size == 1), "padding is only there in a batch"


def test_greedy_is_said_of_what_the_model_would_say():
    model = tiny("tiny-llama")
    context = [3, 1, 4]
    row = torch.tensor([context])
    for _ in range(4):
        row = torch.cat([row, model(row)[:, -1:].argmax(-1)], 1)
    said = "".join(map(chr, row[0, 3:].tolist()))
    best = continuations(model, encode, [("".join(map(chr, context)), said)])
    assert best[0].greedy
    other = said[:-1] + chr((ord(said[-1]) + 1) % 31)
    assert not continuations(
        model, encode, [("".join(map(chr, context)), other)]
    )[0].greedy


def test_a_long_context_loses_its_beginning():
    model = tiny("tiny-llama")
    long, short = "x" * 50 + "abcde", "abcde"
    a, b = continuations(
        model, encode, [(long, " fg"), ("xxxx" + short, " fg")], max_len=11
    )
    assert a.nats == pytest.approx(b.nats)
    with pytest.raises(ValueError, match="leaves no context"):
        continuations(model, encode, [("a", "b" * 12)], max_len=10)


def test_the_cut_is_where_both_together_have_it():
    bpe = ByteBPE.train("the cat sat. the cat ran. " * 5, 280)
    past, more = split_pair(bpe.encode, "the ", "cat")
    assert bpe.decode(more) == " cat" and bpe.decode(past) == "the"
    # Encoded alone, a continuation may be other tokens than in its place.
    assert split_pair(bpe.encode, "the", " cat") == (past, more)
    with pytest.raises(ValueError, match="empty context"):
        split_pair(bpe.encode, " ", "cat")
    with pytest.raises(ValueError, match="adds no token"):
        split_pair(bpe.encode, "the", "")


def test_wrong_strides_are_refused():
    for stride in (0, 9):
        with pytest.raises(ValueError, match="from 1 to T"):
            strided_windows(20, 8, stride)
    with pytest.raises(ValueError, match="needs 2"):
        strided_windows(1, 8, 8)
    with pytest.raises(ValueError, match="batch_size"):
        continuations(tiny("tiny-llama"), encode, [("a", "b")], batch_size=0)


# -- choices ------------------------------------------------------------------


def test_the_three_ways_to_count_differ(tmp_path):
    items = [Item("c", ("aa", "bbbbbb", "cccc"), 1)]
    rows = [[Scored(-2.0, 1, 2, False), Scored(-3.0, 6, 6, False),
             Scored(-2.4, 1, 8, False)]]  # fmt: skip
    assert picks(rows) == [0]
    assert picks(rows, "token") == [1]
    assert picks(rows, "byte") == [2]
    assert choice_accuracy(items, rows, "token") == [1.0]
    assert choice_accuracy(items, rows, "text") == [0.0]
    with pytest.raises(ValueError, match="choose one of"):
        picks(rows, "word")
    bad = with_bug(tmp_path, choices, "max(scores)", "min(scores)")
    assert bad.picks(rows) != picks(rows)


def test_choices_are_scored_in_their_own_context():
    model = tiny("tiny-llama", vocab_size=31)
    rng = seeded()
    letters = torch.randint(97, 122, (12, 9), generator=rng)
    texts = ["".join(map(chr, row)) for row in letters.tolist()]
    items = [Item(texts[3 * i], tuple(texts[3 * i + 1 : 3 * i + 3]), 0)
             for i in range(4)]  # fmt: skip
    together = score_choices(model, encode, items, batch_size=5)
    alone = [score_choices(model, encode, [x])[0] for x in items]
    for a, b in zip(together, alone, strict=True):
        close([x.nats for x in a], [x.nats for x in b])
    pairs = [(x.context, " " + x.choices[1]) for x in items]
    seconds = continuations(model, encode, pairs)
    for row, second in zip(together, seconds, strict=True):
        assert row[1].nats == pytest.approx(second.nats)


def test_items_without_sense_are_refused():
    for choices_, answer in ((("a",), 0), (("a", ""), 0), (("a", "a"), 0),
                             (("a", "b"), 2)):  # fmt: skip
        with pytest.raises(ValueError):
            Item("c", choices_, answer)
    with pytest.raises(ValueError, match="rows of scores"):
        choice_accuracy([Item("c", ("a", "b"), 0)], [])
