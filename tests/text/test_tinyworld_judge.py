"""The judge catches planted falsehoods, each with the right reason."""

import random
import re

import pytest

from llm_utils.text.tinyworld import LEVELS, TinyWorld

WORLD = TinyWorld("full")
OPENING = (
    "It was a windy day. Mia was in the kitchen. Ben was in the garden. "
    "The dog lay in the garden. A red kite lay in the shed. "
    "Ben had a blue ball. Mia was holding a green hat."
)
WANT = " Ben wanted to fly the kite."
FETCH = WANT + " Ben walked from the garden to the shed."
TAKE = FETCH + " Ben picked up the kite in the shed."
PLAYED = TAKE + " Ben played with it in the shed. Ben was excited."

# name: (what was told, the false sentence, the reason)
FALSE = {
    "person elsewhere": (
        WANT, "Ben walked from the park to the shed.",
        "Ben is in the garden, not in the park"),
    "already there": (
        WANT, "Ben walked from the garden to the garden.",
        "Ben is already in the garden"),
    "unknown person": (
        WANT, "Tom walked from the garden to the shed.",
        "nobody has told us of Tom"),
    "unknown thing": (
        "", "Ben wanted to read the book.",
        "nobody has told us of a book"),
    "wrong color": (
        FETCH, "Ben picked up the green kite in the shed.",
        "the kite is red, not green"),
    "thing elsewhere": (
        WANT, "Ben picked up the kite in the garden.",
        "the kite is in the shed, not in the garden"),
    "thing in other hands": (
        "", "Mia bounced the ball in the kitchen.",
        "Ben has the ball, not Mia"),
    "thing in no hands": (
        FETCH, "Ben carried the kite from the shed to the garden.",
        "nobody has the kite: it lies in the shed"),
    "taken already": (
        TAKE, "Ben found the kite in the shed and picked it up.",
        "Ben already has the kite"),
    "given to somebody far away": (
        "", "Ben gave the ball to Mia in the garden.",
        "Mia is in the kitchen, not in the garden"),
    "given by somebody else": (
        TAKE, '"Here is the hat for you, Mia," said Ben.',
        "Mia has the hat, not Ben"),
    "asks for what one has": (
        "", '"Mia, please bring me the ball," said Ben.',
        "Ben already has the ball"),
    "offers what the other has": (
        "", '"I will give the hat to Mia," said Ben.',
        "Mia already has the hat"),
    "together, yet apart": (
        "", "Ben and Mia danced in the garden.",
        "Mia is in the kitchen, not in the garden"),
    "mood without a reason": (
        PLAYED, "Ben was sad.",
        "Ben is excited, not sad"),
    "mood against the reason": (
        TAKE + " Ben played with it in the shed.", "Ben felt sad.",
        "Ben has reason to be excited or tired, not sad"),
    "wrong weather": (
        "", "It was a rainy day.",
        "it is windy, not rainy"),
    "weather seen wrongly": (
        "", "Snow lay on every roof.",
        "it is windy, not snowy"),
    "wind indoors": (
        "", "The wind blew the hat from the kitchen to the park.",
        "there is no wind in the kitchen"),
    "no place to fly a kite": (
        TAKE, "Ben flew the kite in the shed.",
        "nobody can use the kite in the shed"),
    "remembered wrongly": (
        PLAYED, "The kite was still in the park.",
        "the kite is in the shed, not in the park"),
    "never left": (
        PLAYED, "Mia was still in the barn.",
        "Mia is in the kitchen, not in the barn"),
    "keeps what another has": (
        PLAYED, "Ben still had the hat.",
        "Mia has the hat, not Ben"),
    "put where it is": (
        "", '"I will put the kite in the shed," said Mia.',
        "the kite is already in the shed"),
    "comfort for the merry": (
        PLAYED, '"Do not worry, Ben," said Mia.',
        "Ben is excited, so there is nothing to mend"),
    "friend looked for in the wrong place": (
        "", "Ben wondered what Mia was doing in the attic.",
        "Mia is in the kitchen, not in the attic"),
    "thing thought of in the wrong place": (
        "", "Mia thought of the kite in the barn.",
        "the kite is in the shed, not in the barn"),
    "told twice, differently": (
        "", "Ben was in the park.",
        "Ben is in the garden, not in the park"),
    "pet at the wrong place": (
        "", "The dog snatched the hat in the kitchen and dropped it "
        "in the park.",
        "the dog is in the garden, not in the kitchen"),
    "asleep elsewhere": (
        PLAYED + " Soon it was bedtime.", "Mia fell asleep in the barn.",
        "Mia is in the kitchen, not in the barn"),
    "alone, yet two": (
        "", "Ben gave the ball to Ben in the garden.",
        "Ben needs somebody else for that"),
}  # fmt: skip


@pytest.mark.parametrize("name", FALSE)
def test_planted_falsehood(name):
    told, sentence, reason = FALSE[name]
    verdict = WORLD.judge(f"{OPENING}{told} {sentence}")
    *before, last = verdict.sentences
    assert last.text == sentence
    assert all(x.possible for x in before), [x.reason for x in before]
    assert (last.grammatical, last.true, last.possible) == (True, False, False)
    assert last.reason == reason
    assert not verdict.clean and verdict.faults == (last,)
    assert WORLD.log_prob(f"{OPENING}{told} {sentence}") is None


@pytest.mark.parametrize(
    ("told", "sentence", "reason"),
    [
        ("", "Ben and Mia were hungry.", "not a sentence of this world"),
        ("", "The kite wanted Ben.", "not a sentence of this world"),
        ("", "Ben picked up it in the garden.", "not a sentence"),
        ("", "Ben was at the garden.", "not a sentence of this world"),
        (WANT, "Ben sailed the kite in the garden.", "do not go together"),
        ("", "ben was in the garden.", "not a sentence of this world"),
    ],
)
def test_not_grammatical(told, sentence, reason):
    last = WORLD.judge(f"{OPENING}{told} {sentence}").sentences[-1]
    assert not (last.grammatical or last.true or last.possible)
    assert reason in last.reason


@pytest.mark.parametrize(
    ("told", "sentence", "reason"),
    [
        ("", "Ben was in the garden.", "true, but a story would go on with"),
        (WANT, "Ben walked from the garden to the park.", "does not lead"),
        ("", "Mia was happy.", "true, but a story would go on with"),
        (PLAYED + " Soon it was bedtime. It was a good day.",
         "It was a good day.", "the story is over"),
    ],
)  # fmt: skip
def test_true_but_not_possible(told, sentence, reason):
    last = WORLD.judge(f"{OPENING}{told} {sentence}").sentences[-1]
    assert last.grammatical and last.true and not last.possible
    assert reason in last.reason


def test_a_pronoun_that_means_nobody():
    verdict = WORLD.judge("It was a windy day. He was in the park.")
    assert verdict.sentences[1].reason == '"He" could be nobody here'


def test_one_falsehood_is_held_against_the_text_once():
    """Ben is believed to be in the shed, and the story goes on from there."""
    text = (
        f"{OPENING}{WANT} Ben walked from the park to the shed. "
        "Ben picked up the kite in the shed."
    )
    verdict = WORLD.judge(text)
    assert [x.text for x in verdict.faults] == [
        "Ben walked from the park to the shed."
    ]


def test_a_half_sentence_is_unfinished():
    verdict = WORLD.judge(OPENING + " Ben wanted to fl")
    assert verdict.unfinished == "Ben wanted to fl"
    assert verdict.clean and not verdict.complete
    assert len(verdict.sentences) == 7


@pytest.mark.parametrize("text", ["", "   ", "no", "qx\n\n!? .\x00", '"', "."])
def test_any_text_can_be_judged(text):
    verdict = WORLD.judge(text)
    assert not verdict.clean and not verdict.complete
    assert WORLD.log_prob(text) is None


@pytest.mark.parametrize("name", LEVELS)
def test_shuffled_stories_never_break_the_judge(name):
    """Possible implies true implies grammatical, whatever is said."""
    world, rng = TinyWorld(name), random.Random(4)
    pool = [
        part
        for story in world.stories(300, seed=3)
        for part in re.split(r"(?<=[.!]) (?=[A-Z])", story.text)
    ]
    faulty = 0
    for _ in range(400):
        text = " ".join(
            pool[int(rng.random() * len(pool))] for _ in range(20)
        )
        for x in world.judge(text).sentences:
            assert x.possible <= x.true <= x.grammatical
            assert bool(x.reason) == (not x.possible)
            faulty += not x.possible
        assert world.log_prob(text) is None
    assert faulty > 1000


@pytest.mark.parametrize("name", LEVELS)
def test_clean_and_complete_means_a_log_prob(name):
    """The judge and the probability are one table."""
    world, rng = TinyWorld(name), random.Random(6)
    kept = spoiled = 0
    for story in world.stories(400, seed=9):
        parts = re.split(r"(?<=[.!]) (?=[A-Z])", story.text)
        del parts[int(rng.random() * len(parts))]
        text = " ".join(parts)
        verdict = world.judge(text)
        told = verdict.clean and verdict.complete
        assert told == (world.log_prob(text) is not None), text
        kept, spoiled = kept + told, spoiled + (not told)
    assert kept > 5 and spoiled > 100


@pytest.mark.parametrize(
    "text",
    [
        "Once upon a time there was a little girl.",
        "It was a sunny day. Mia was in the castle.",
        "It was a sunny day.  Mia was in the kitchen.",
        "The quick brown fox jumps over the lazy dog.",
    ],
)
def test_text_from_outside_has_no_probability(text):
    assert WORLD.log_prob(text) is None


def test_a_word_changed_in_a_story_changes_its_probability():
    """Swap a place anywhere: None, or at least a different story."""
    for story in WORLD.stories(200, seed=21):
        text = re.sub(r"in the kitchen", "in the moon", story.text, count=1)
        if text != story.text:
            assert WORLD.log_prob(text) is None
