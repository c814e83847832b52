"""The base model that ships: what its card says is measured again."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
import torch

from llm_utils.capstone.score import tell
from llm_utils.text.tinyworld import TinyWorld
from llm_utils.train.base import load_base
from scripts.base_model import measure
from scripts.base_model.card import render
from scripts.base_model.recipe import END, LONGEST, Recipe
from scripts.base_model.stories import rows_of, story_batches

FOLDER = files("llm_utils") / "assets" / "base"
CARD = json.loads((FOLDER / "measured.json").read_text(encoding="utf-8"))
RECIPE = Recipe.load(FOLDER / "recipe.toml")
WORLD = TinyWorld(RECIPE.level)


@pytest.fixture(scope="module")
def base():
    return load_base()


@pytest.fixture(scope="module")
def told(base):
    return tell(*base, 100, 40_001, LONGEST)


def test_small_enough_to_ship():
    size = sum(file.stat().st_size for file in FOLDER.iterdir())
    assert size < 5_000_000


def test_it_is_what_the_recipe_says(base):
    model, tokenizer = base
    for name, size in RECIPE.model.items():
        assert getattr(model.cfg, name) == size, name
    assert 1_000_000 <= model.n_params <= 3_000_000
    assert model.cfg.vocab_size == tokenizer.vocab_size
    assert tokenizer.special_tokens == {END: tokenizer.vocab_size - 1}


def test_loss_is_the_cards(base):
    """On other stories: both have an error, so their errors add."""
    fresh = measure.loss(*base, WORLD, 300, seed=40_002)
    for name in ("above_percent", "above_nats_per_story"):
        off = fresh[name] - CARD[name]
        noise = fresh[f"{name}_95"] ** 2 + CARD[f"{name}_95"] ** 2
        assert abs(off) < 2 * noise**0.5, name  # four sigma
    assert fresh["nats_per_byte"] > fresh["entropy_nats_per_byte"]


def test_shares_are_the_cards(told):
    fresh = measure.shares(WORLD, told)
    half = measure.interval(WORLD, told)
    for name in ("possible", "clean"):
        noise = half[name] ** 2 + CARD[f"{name}_95"] ** 2
        assert abs(fresh[name] - CARD[name]) < 2 * noise**0.5, name
    assert abs(fresh["grammatical"] - CARD["grammatical"]) < 0.01


def test_the_bound_holds():
    """-ln(share of clean stories) is never above the KL divergence."""
    bound = -torch.tensor(CARD["clean"] + CARD["clean_95"]).log().item()
    assert bound < CARD["above_nats_per_story"]


def test_the_card_is_written_from_what_was_measured():
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert card == render(Path(str(FOLDER)))
    assert f"{CARD['above_percent']:.2f} %" in card
    assert f"{CARD['grammatical']:.2%}" in card
    assert f"{CARD['clean']:.1%}" in card
    assert f"{CARD['nats_per_byte']:.5f}" in card
    assert WORLD.judge(CARD["sample"]).clean


def test_it_is_no_worse_than_it_was():
    assert CARD["above_percent"] < 0.75
    assert CARD["grammatical"] > 0.99
    assert CARD["possible"] > 0.95
    assert CARD["clean"] > 0.75


def test_the_log_shows_an_order():
    """Words before grammar before people before state, at every look."""
    rows = [
        json.loads(line)
        for line in (FOLDER / "log.jsonl").read_text().splitlines()
    ]
    assert len(rows) >= 10
    assert rows[-1]["step"] == RECIPE.steps
    for row in rows:
        order = [row[k] for k in ("grammatical", "known", "true", "possible")]
        assert order == sorted(order, reverse=True)
        assert row["words"] >= row["grammatical"]
    reached = {
        name: next(row["step"] for row in rows if row[name] > 0.9 * top)
        for name in ("words", "grammatical", "known", "possible", "clean")
        for top in [max(row[name] for row in rows)]
    }
    assert list(reached.values()) == sorted(reached.values())
    assert reached["words"] < reached["grammatical"] < reached["clean"]


def test_transformers_reads_it(agrees, base):
    transformers = pytest.importorskip("transformers")
    model, tokenizer = base
    theirs = transformers.AutoModelForCausalLM.from_pretrained(str(FOLDER))
    cut = transformers.AutoTokenizer.from_pretrained(str(FOLDER))
    text = next(WORLD.stories(1, seed=40_003)).text
    agrees(
        "transformers", "ids of the base model's tokenizer",
        tokenizer.encode(text), cut(text)["input_ids"],
    )  # fmt: skip
    ids = torch.tensor([rows_of(tokenizer, [text])[0][:-1]])
    with torch.inference_mode():
        agrees(
            "transformers", "logits of the base model",
            model(ids), theirs(ids).logits.float(), atol=2e-4, rtol=2e-4,
        )  # fmt: skip


def test_batches_hold_whole_stories_and_no_loss_on_padding(base):
    _, tokenizer = base
    batches = story_batches(WORLD, tokenizer, 1000, seed=5)
    x, y = next(batches)
    end = tokenizer.special_tokens[END]
    assert (x[:, 0] == end).all()
    for row in y.tolist():
        real = [i for i in row if i != -100]
        assert real.count(end) == 1 and real[-1] == end
        assert WORLD.log_prob(tokenizer.decode(real[:-1])) is not None
