"""Tasks, judges, leaks, the report; and lm-eval, which must agree."""

from __future__ import annotations

import math
import random
import re
from dataclasses import replace

import pytest
import torch
from bugs import with_bug

from llm_utils.infer import harness, judges, leaks, tasks
from llm_utils.infer.choices import Item, choice_accuracy, score_choices
from llm_utils.infer.evaluate import END, evaluate
from llm_utils.infer.harness import (
    run_harness,
    write_choice_task,
    write_text_task,
)
from llm_utils.infer.judges import (
    Biased,
    at_equal_length,
    both_orders,
    consistency,
    logistic,
    win_rate,
)
from llm_utils.infer.leaks import Seen, overlaps, right_text
from llm_utils.infer.likelihood import strided_log_probs
from llm_utils.infer.tasks import endings, guess, one_word, with_start
from llm_utils.model.hf import to_hf
from llm_utils.model.zoo import build
from llm_utils.text.bpe import ByteBPE
from llm_utils.text.next_token import Bigram
from llm_utils.text.tinyworld import TinyWorld


@pytest.fixture(scope="module")
def world() -> TinyWorld:
    return TinyWorld("mini")


@pytest.fixture(scope="module")
def stories(world):
    return list(world.stories(40, seed=5))


@pytest.fixture(scope="module")
def pairs(world, stories):
    return one_word(world, stories, random.Random(0), ("who", "where", "mood"))


@pytest.fixture(scope="module")
def ends(world, stories):
    return endings(world, stories, random.Random(0))


@pytest.fixture(scope="module")
def tokenizer(stories) -> ByteBPE:
    text = "\n".join(x.text for x in stories)
    return ByteBPE.train(text, 512, special_tokens=[END])


# -- tasks --------------------------------------------------------------------


def test_exactly_one_choice_of_each_item_is_true(world, pairs, ends):
    assert len(pairs) > 20 and len(ends) == 40
    for item in [*pairs, *ends]:
        assert world.judge(item.context).clean
        for i, choice in enumerate(item.choices):
            last = world.judge(f"{item.context} {choice}").sentences[-1]
            assert last.text == choice and last.grammatical
            assert last.true == (i == item.answer), (item, choice, last)


def test_the_right_choice_is_what_the_story_says(stories, pairs, ends):
    for item in [*pairs, *ends]:
        assert stories[item.group].text.startswith(right_text(item))


def test_pairs_differ_in_one_word_that_was_told(pairs):
    for item in pairs:
        a, b = (re.findall(r"\w+", x) for x in item.choices)
        differ = [p for p in zip(a, b, strict=True) if p[0] != p[1]]
        assert len(differ) == 1
        if item.kind != "mood":
            assert set(differ[0]) <= tasks.told(item.context)


def test_no_guesser_beats_half(world):
    stories = list(world.stories(150, seed=6))
    items = one_word(world, stories, random.Random(0))
    for kind, x in guess(stories, items).items():
        assert x.n > 40 and x.chance == 0.5
        assert max(x.last, x.first, x.frequent) < 0.56, (kind, x)
        assert x.position < 0.6
    spots = [x.answer for x in endings(world, stories, random.Random(0))]
    assert max(spots.count(i) for i in range(4)) < 0.4 * len(spots)


def test_without_thinning_a_guesser_would_win(world, tmp_path):
    """The planted bug: keep every pair."""
    bad = with_bug(tmp_path, tasks, "if balance and balance.keeps(*asked)", "")
    stories = list(world.stories(150, seed=6))
    items = bad.one_word(world, stories, random.Random(0))
    best = [max(x.last, x.first, x.frequent) for x in
            guess(stories, items).values()]  # fmt: skip
    assert max(best) > 0.6


def test_a_true_sentence_among_the_false_would_be_seen(world, tmp_path):
    bad = with_bug(tmp_path, tasks, "and not last.true", "")
    stories = list(world.stories(40, seed=5))
    with pytest.raises(AssertionError):
        test_exactly_one_choice_of_each_item_is_true(
            world,
            one_word(world, stories, random.Random(0)),
            bad.endings(world, stories, random.Random(0)),
        )


def test_tasks_come_from_the_seed(world, stories, ends):
    again = endings(world, stories, random.Random(0))
    other = endings(world, stories, random.Random(1))
    assert again == ends != other
    with pytest.raises(ValueError, match="n_choices"):
        endings(world, stories, random.Random(0), 1)


# -- judges -------------------------------------------------------------------


def marks(text: str) -> float:
    """A quality that anyone can see: the share of plus signs."""
    return text.count("+") / len(text)


def some_pairs(n: int, seed: int) -> list[tuple[str, str]]:
    """Texts of 8 to 64 signs, of which some are plus."""
    rng = random.Random(seed)

    def one() -> str:
        p = rng.random()
        size = rng.randrange(8, 65)
        return "".join("+" if rng.random() < p else "-" for _ in range(size))

    return [(one(), one()) for _ in range(n)]


def test_a_fair_judge_says_the_truth_in_both_orders():
    judge, asked = Biased(marks), some_pairs(200, 0)
    assert consistency(judge, asked) == 1.0
    truth = [marks(a) > marks(b) for a, b in asked]
    assert [judge(a, b) > 0.5 for a, b in asked] == truth
    a, b = asked[0]
    assert judge(a, b) == pytest.approx(both_orders(judge)(a, b))


def test_asking_twice_takes_the_place_out():
    asked = some_pairs(300, 1)
    fair, judge = Biased(marks), Biased(marks, first=2.0)
    swapped = [(b, a) for a, b in asked]
    assert win_rate(judge, asked) > win_rate(fair, asked) + 0.15
    assert win_rate(judge, swapped) > win_rate(fair, swapped) + 0.15
    assert consistency(judge, asked) < 0.8
    both = both_orders(judge)
    for a, b in asked:
        assert both(a, b) + both(b, a) == pytest.approx(1)
        assert (both(a, b) > 0.5) == (fair(a, b) > 0.5)
    place = Biased(lambda text: 0.0, first=1.0)
    assert consistency(place, asked) == 0.0


def test_once_in_each_order_is_not_enough(tmp_path):
    """The planted bug: the second answer is not turned round."""
    bad = with_bug(tmp_path, judges, "+ 1 - judge(b, a)", "+ judge(b, a)")
    asked = some_pairs(50, 2)
    both = bad.both_orders(Biased(marks, first=2.0))
    assert any(both(a, b) + both(b, a) > 1.1 for a, b in asked)


def test_length_is_taken_out_where_it_was_put_in():
    asked = [(a, b) for a, b in some_pairs(400, 3)]
    for longer in (-1.5, 0.0, 1.5):
        judge = Biased(lambda text: 0.0, longer=longer)
        fit = at_equal_length(judge, asked)
        assert fit.longer == pytest.approx(longer, abs=1e-3)
        assert fit.win_rate == pytest.approx(0.5, abs=1e-3)
    gain = Biased(lambda text: 0.0, first=0.7, longer=1.5)
    fit = at_equal_length(gain, asked)
    assert fit.win_rate == pytest.approx(judges.sigmoid(0.7), abs=1e-3)


def test_the_regression_is_the_minimum_that_scipy_finds(agrees):
    from scipy.optimize import minimize

    rng = torch.Generator().manual_seed(0)
    x = torch.randn(60, 3, generator=rng, dtype=torch.float64)
    y = torch.rand(60, generator=rng, dtype=torch.float64)

    def loss(w):
        z = x @ torch.tensor(w)
        return float((torch.nn.functional.softplus(z) - y * z).sum())

    wanted = minimize(loss, [0.0, 0.0, 0.0], tol=1e-12).x
    agrees(
        "scipy", "the weights of a logistic regression",
        logistic(x, y).tolist(), wanted.tolist(), atol=1e-4, rtol=0,
    )  # fmt: skip


def test_judges_refuse_what_they_cannot_judge():
    with pytest.raises(ValueError, match="no pairs"):
        win_rate(Biased(marks), [])
    with pytest.raises(ValueError, match="no length"):
        Biased(len)("", "a")
    with pytest.raises(ValueError, match="3 or more"):
        at_equal_length(Biased(marks), some_pairs(2, 0))


# -- leaks --------------------------------------------------------------------


def test_overlap_is_the_share_of_rows_seen(ends, tmp_path):
    seen = Seen(["one two three four five", "six seven eight"], n=3)
    assert seen.share("zero one two three nine ten") == 1 / 4
    assert seen.share("Two, three; FOUR!") == 1.0
    assert seen.share("eight six seven") == 0.0
    leaked = Seen([right_text(x) for x in ends[:10]], n=13)
    shares = overlaps(ends, leaked)
    assert shares[:10] == [1.0] * 10 and max(shares[10:]) < 0.9
    bad = with_bug(tmp_path, leaks, "item.choices[item.answer]", "item.kind")
    assert bad.overlaps(ends[:10], leaked) != shares[:10]


# -- lm-eval ------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(tokenizer):
    """Untrained, but with weights so large that every choice matters."""
    rng = torch.Generator().manual_seed(0)
    model = build("tiny-llama", rng, vocab_size=tokenizer.vocab_size).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.randn(p.shape, generator=rng))
    return model


def test_lm_eval_gives_the_same_scores(
    agrees, model, tokenizer, stories, pairs, ends, tmp_path, monkeypatch
):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    texts = [x.text for x in stories[:12]] + ["Tom's h\u00fctte."]
    items = {"ends": with_start(ends, END), "pairs": with_start(pairs, END)}
    to_hf(model, tokenizer, tmp_path / "model")
    for name, some in items.items():
        write_choice_task(some, tmp_path / "tasks", name)
    write_text_task(texts, tmp_path / "tasks", "tales")
    found = run_harness(
        tmp_path / "model", tmp_path / "tasks", ["ends", "pairs", "tales"]
    )

    def encode(text: str) -> list[int]:
        return tokenizer.encode(text, "all")

    for name, some in items.items():
        table = score_choices(model, encode, some)
        for per, metric in (("text", "acc"), ("byte", "acc_norm")):
            right = choice_accuracy(some, table, per)
            theirs = [x[metric] for x in found[name].items]
            what = "which choices are right, by text and by byte"
            agrees("lm-eval", what, right, theirs, atol=0, rtol=0)
            mean = sum(right) / len(right)
            agrees(
                "lm-eval", "the share of right choices", mean,
                float(found[name].metrics[metric]), atol=1e-12, rtol=1e-6,
            )  # fmt: skip
            assert 0 < mean < 1, "vacuous: nothing to get wrong"
        for row, theirs in zip(table, found[name].items, strict=True):
            nats = [x for x, _ in theirs["filtered_resps"]]
            what = "log p of each choice"
            ours = [x.nats for x in row]
            agrees("lm-eval", what, ours, nats, atol=1e-3, rtol=0)
            greedy = [x for _, x in theirs["filtered_resps"]]
            what = "whether a choice is what the model would say"
            agrees("lm-eval", what, [x.greedy for x in row], greedy)
    shifted = [replace(x, context=x.context[len(END) :]) for x in items["ends"]]
    other = score_choices(model, encode, shifted)
    theirs = found["ends"].items[0]["filtered_resps"][0][0]
    assert other[0][0].nats != pytest.approx(theirs, abs=1e-3), "the bug"

    nats = -sum(
        float(strided_log_probs(model, encode(END + x), 1024).sum())
        for x in texts
    )
    size = sum(len(x.encode()) for x in texts)
    words = sum(len(re.split(r"\s+", x)) for x in texts)
    metrics = found["tales"].metrics
    for metric, ours in (
        ("bits_per_byte", nats / size / math.log(2)),
        ("byte_perplexity", math.exp(nats / size)),
        ("word_perplexity", math.exp(nats / words)),
    ):
        what, theirs = metric.replace("_", " "), float(metrics[metric])
        agrees("lm-eval", what, ours, theirs, atol=1e-12, rtol=1e-6)
    assert size > sum(map(len, texts)), "vacuous: bytes are characters"


def test_a_task_folder_says_what_is_wrong(tmp_path, monkeypatch):
    item = Item("a", ("b", "c"), 0)
    with pytest.raises(ValueError, match="letters, digits"):
        write_choice_task([item], tmp_path, "../up")
    with pytest.raises(ValueError, match="nothing to ask"):
        write_text_task([], tmp_path, "none")
    monkeypatch.setitem(__import__("sys").modules, "lm_eval", None)
    with pytest.raises(ImportError, match="eval"):
        run_harness(tmp_path, tmp_path, ["x"])
    assert harness.CHOICES.count("{name}") == 1


# -- the report ---------------------------------------------------------------


def test_a_report_ranks_what_it_should(world, tokenizer):
    ids = [i for x in world.stories(300, seed=9)
           for i in tokenizer.encode(END + x.text + END, "all")]  # fmt: skip
    bigram = Bigram(tokenizer.vocab_size, 0.01).fit(ids)
    report = evaluate(bigram, tokenizer, n=30)
    byte, *choices = report.scores
    assert byte.interval[0] < byte.value < byte.interval[1]
    assert report.floor < byte.interval[0]
    assert [x.name for x in choices] == [
        "which person", "which place", "which ending",
    ]  # fmt: skip
    for x in choices:
        assert x.interval[0] <= x.value <= x.interval[1] and x.n > 5
        assert x.value < x.chance + 0.3, "a bigram cannot know"
    lines = str(report).splitlines()
    assert len(lines) == 6 and f"{byte.value:.3f}" in lines[1]
    assert str(evaluate(bigram, tokenizer, n=30)) == str(report)
    with pytest.raises(ValueError, match="2 or more"):
        evaluate(bigram, tokenizer, n=1)
    with pytest.raises(ValueError, match="begins a story"):
        evaluate(bigram, ByteBPE.train("abc", 260), n=2)
