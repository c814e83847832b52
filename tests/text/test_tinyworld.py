"""TinyWorld: probabilities are exact, stories are clean, bytes are stable."""

import hashlib
import math
import random
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from llm_utils.text.tinyworld import LEVELS, Level, TinyWorld
from llm_utils.text.tinyworld.grammar import Grammar
from llm_utils.text.tinyworld.judge import BREAK
from llm_utils.text.tinyworld.state import State
from llm_utils.text.tinyworld.wordings import WORDINGS

ROOT = Path(__file__).resolve().parents[2]
WORLDS = {name: TinyWorld(name) for name in LEVELS}
each_level = pytest.mark.parametrize("name", LEVELS)

# -- restricted worlds, walked through -----------------------------------------


class Plain(Grammar):
    """The grammar without "the red kite": fewer texts to walk through."""

    def _words_for(self, s, slot, v):
        table = super()._words_for(s, slot, v)
        return {w: n for w, n in table.items() if " red " not in w}


FEW = {key: dict([next(iter(t.items()))]) for key, t in WORDINGS.items()}
FEW["offer"] = {'"I will give {T} to {b}," said {a}.': 1}
FEW["tidy"] = {'"I will put {T} {q}," said {a}.': 1}
FEW["use"] = FEW["use.fits"] = {'"Look at {T}!" said {a}.': 1}

ONE = Level(
    people=("Mia",),
    pets=("the dog",),
    things=("kite",),
    colors=("red",),
    places=("kitchen", "garden"),
    weathers=("rainy",),
    times=("day",),
    people_range=(1, 1),
    most_pets=1,
    things_range=(1, 1),
    go_on=(1, 0),
    stop=(0, 1),
    episodes={"want": 1, "snatch": 2, "use": 1, "visit": 1, "tidy": 1},
)
TWO = replace(
    ONE, people=("Mia", "Ben"), people_range=(2, 2), pets=(), most_pets=0
)
WALKS = {
    "one person": (ONE, ""),
    "windy": (
        replace(
            TWO, weathers=("windy",), places=("garden", "park"),
            episodes={"wind": 2, "use": 1},
        ),
        "It was a windy day. Mia was in the park. Ben was in the garden. "
        "Mia had a red kite.",
    ),
    "favors": (
        replace(TWO, episodes={"ask": 1, "offer": 1, "visit": 1}),
        "It was a rainy day. Mia was in the kitchen. Ben was in the garden.",
    ),
}  # fmt: skip


def restricted(level: Level) -> TinyWorld:
    world = TinyWorld(level, FEW)
    world.grammar = Plain(level, FEW)
    return world


@pytest.fixture(scope="module", params=WALKS)
def walk(request):
    level, begin = WALKS[request.param]
    world = restricted(level)
    return world, begin, list(world.outcomes(begin))


def test_a_restricted_world_sums_to_one(walk):
    _, _, outcomes = walk
    assert len(outcomes) > 10_000
    total = math.fsum(math.exp(odds) for _, odds in outcomes)
    assert total == pytest.approx(1.0, abs=1e-9)


def test_its_texts_are_distinct(walk):
    """Two derivations of one text would count it twice."""
    _, _, outcomes = walk
    assert len({text for text, _ in outcomes}) == len(outcomes)


def test_log_prob_is_what_the_walk_found(walk):
    world, begin, outcomes = walk
    before = world.log_prob(outcomes[0][0]) - outcomes[0][1]
    assert begin or before == pytest.approx(0.0, abs=1e-9)
    for text, odds in outcomes[::101]:
        assert world.log_prob(text) == pytest.approx(before + odds, abs=1e-9)
        assert world.judge(text).clean


def test_monte_carlo_finds_the_enumerated_entropy():
    world = restricted(ONE)
    exact = -math.fsum(x * math.exp(x) for _, x in world.outcomes())
    found = world.entropy(4000, seed=3)
    sigma = (found.nats_per_story_ci[1] - found.nats_per_story) / 1.96
    assert abs(found.nats_per_story - exact) < 4 * sigma < 0.1 * exact


def test_outcomes_of_an_impossible_beginning():
    with pytest.raises(ValueError, match="no story"):
        list(restricted(ONE).outcomes("Once upon a time."))


@each_level
def test_log_prob_of_ten_thousand_stories(name):
    world = WORLDS[name]
    for story in world.stories(10_000, seed=1):
        found = world.log_prob(story.text)
        assert found == pytest.approx(story.log_prob, abs=1e-9), story.text


@each_level
def test_every_story_is_judged_clean(name):
    world = WORLDS[name]
    for story in world.stories(1500, seed=2):
        verdict = world.judge(story.text)
        assert verdict.clean and verdict.complete, verdict.faults
        assert verdict.grammatical == verdict.true == verdict.possible == 1
        assert not verdict.unfinished


@each_level
def test_one_reading_per_sentence(name):
    """Every wording, filled in, leads back to itself and nothing else."""
    world = WORLDS[name]
    seen = set()
    for story in world.stories(3000, seed=5):
        s = State()
        for sentence in BREAK.split(story.text):
            reading = world.grammar.reader.read(s, sentence)
            assert reading is not None
            choices = world.grammar.choices(s, reading)
            assert world.grammar.tell(s, choices) == sentence
            seen.add(reading.wording.text)
    said = {
        text
        for key, table in WORDINGS.items()
        for text in table
        if _can_be_said(world.level, key)
    }
    assert seen == said


def _can_be_said(level: Level, key: str) -> bool:
    kind, _, extra = key.partition(".")
    if kind in ("scene", "go") and extra:
        return extra in level.weathers
    if kind in ("pet", "snatch") or extra == "pet":
        return level.most_pets > 0
    if kind in ("who", "together") and extra not in ("", "too"):
        return extra in level.places
    if key == "has.more":
        return level.things_range[1] > 1
    return True


def test_wordings_that_could_be_confused_are_refused():
    twins = {**WORDINGS, "stroll": {"{a} walked from {P} to {Q}.": 1}}
    twins["go"] = {"{b} walked from {P} to {Q}.": 1}
    with pytest.raises(ValueError, match="reads like"):
        Grammar(LEVELS["mini"], twins)


@each_level
def test_entropy_interval(name):
    world = WORLDS[name]
    found = world.entropy(1000, seed=0)
    low, high = found.nats_per_story_ci
    assert low < found.nats_per_story < high
    assert found.nats_per_story > 20
    low, high = found.nats_per_byte_ci
    assert low < found.nats_per_byte < high
    other = world.entropy(2000, seed=8)
    assert abs(other.nats_per_byte - found.nats_per_byte) < 2 * (high - low)


# -- same seed, same bytes -----------------------------------------------------

DIGEST = (
    "0ad468906e0e7eefd3b2075a46ce938b"
    "cbb728edf12d89586f034a22ccb747ad"
)
_PRINT_DIGEST = """
import hashlib, sys
from llm_utils.text.tinyworld import TinyWorld
text = "".join(
    TinyWorld(x).corpus(40_000, seed=7) for x in ("mini", "small", "full")
)
world = TinyWorld("small")
for story in world.stories(30, seed=7):
    text += repr(story.facts) + repr(world.questions(story))
for name in ("torch", "numpy", "regex"):
    assert name not in sys.modules, name
print(hashlib.sha256(text.encode()).hexdigest())
"""


def test_same_seed_same_bytes():
    world = WORLDS["mini"]
    assert world.corpus(5000, 1) == TinyWorld("mini").corpus(5000, 1)
    assert world.corpus(5000, 1) != world.corpus(5000, 2)
    rng = random.Random(1)
    first = world.story(rng).text
    assert world.corpus(10, 1).startswith(first)


def _interpreters() -> list[str]:
    found = sorted(Path.home().glob(".pyenv/versions/3.*/bin/python"))
    fit = [
        str(p) for p in found
        if int(p.parts[-3].split(".")[1]) >= 10
    ]  # fmt: skip
    return [sys.executable, *fit]


@pytest.mark.parametrize("python", _interpreters())
def test_pinned_bytes_on_every_python(python):
    done = subprocess.run(
        [python, "-c", _PRINT_DIGEST],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == DIGEST


def test_digest_notices_a_changed_letter():
    text = WORLDS["mini"].corpus(40_000, 7)
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert digest != hashlib.sha256(text[:-1].encode()).hexdigest()


# -- borders -------------------------------------------------------------------


def test_unknown_level_names_the_levels():
    with pytest.raises(ValueError, match="'mini', 'small', 'full'"):
        TinyWorld("medium")


def test_corpus_separator():
    text = WORLDS["mini"].corpus(2000, 0, "<|endoftext|>\n")
    assert len(text) >= 2000
    assert text.endswith("<|endoftext|>\n")
    stories = text.split("<|endoftext|>\n")[:-1]
    assert all(WORLDS["mini"].log_prob(x) is not None for x in stories)


def test_entropy_needs_two_stories():
    with pytest.raises(ValueError, match="n=1"):
        WORLDS["mini"].entropy(1)


@each_level
def test_facts_agree_with_an_independent_reading(name):
    """The last plain move of a person, if nothing later names them."""
    told = re.compile(
        r"(Mia|Ben|Anna|Tom|Lily|Sam|Rosa|Leo) (?:walked|ran|went|skipped) "
        r"from the \w+ to the (\w+)\."
    )
    checked = 0
    for story in WORLDS[name].stories(1500, seed=11):
        for move in told.finditer(story.text):
            rest = story.text[move.end() :]
            later = rf"\b({move[1]}|He|She)\b[^.!]*\b(from|to)\b"
            if not re.search(later, rest):
                assert story.facts.where[move[1]] == move[2], story.text
                checked += 1
    assert checked > 100
