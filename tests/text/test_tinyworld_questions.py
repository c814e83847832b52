"""Questions have one right answer, and guessing does not find it."""

import math

import pytest

from llm_utils.text.tinyworld import LEVELS, TinyWorld, guessers
from llm_utils.text.tinyworld.questions import all_questions

WORLDS = {name: TinyWorld(name) for name in LEVELS}
each_level = pytest.mark.parametrize("name", LEVELS)
N = 1500


@pytest.fixture(scope="module", params=LEVELS)
def asked(request):
    world = WORLDS[request.param]
    return world, [
        (story, q)
        for story in world.stories(N, seed=17)
        for q in world.questions(story)
    ]


def test_three_candidates_or_more_and_the_answer_is_one(asked):
    for _, q in asked[1]:
        assert len(set(q.candidates)) == len(q.candidates) >= 3
        assert q.answer in q.candidates
        assert list(q.candidates) == sorted(q.candidates)


def test_answers_follow_from_the_facts(asked):
    for story, q in asked[1]:
        facts, words = story.facts, q.text.rstrip("?").split()
        if q.kind.startswith("where is"):
            who = " ".join(words[2:])
            key = who if who in facts.where else words[-1]
            assert facts.where[key] in q.answer
        elif q.kind == "who has":
            holder = facts.holder[words[-1]]
            assert q.answer == f"{holder or 'Nobody'}."
        elif q.kind == "feel":
            assert q.answer.lower() == facts.mood[words[2]] + "."
        elif q.kind == "color":
            assert q.answer.lower() == facts.color[words[-1]] + "."
        elif q.kind == "what has":
            held = [t for t, p in facts.holder.items() if p == words[2]]
            expected = f"The {held[0]}." if held else "Nothing."
            assert q.answer == expected
        else:
            assert q.kind == "who is where"
            here = [
                x for x, p in facts.where.items()
                if p == words[-1] and x not in facts.color
            ]  # fmt: skip
            expected = here[0] if here else "nobody"
            assert q.answer.lower() == expected.lower() + "."


def test_no_guesser_is_far_above_chance(asked):
    world, pairs = asked
    found = guessers(pairs)
    common = {k: g for k, g in found.items() if g.n >= 150}
    assert len(common) >= (3 if world is WORLDS["mini"] else 7)
    for kind, g in common.items():
        noise = 3 * math.sqrt(g.chance * (1 - g.chance) / g.n)
        assert g.best < g.chance + 0.03 + noise, (kind, g)


@each_level
def test_without_thinning_a_guesser_would_win(name):
    """The test above can fail: the plain questions are easy to guess."""
    world = WORLDS[name]
    plain = guessers(
        [
            (story, q)
            for story in world.stories(300, seed=17)
            for q in all_questions(world.grammar, story)
        ]
    )
    assert plain["where is who"].best > plain["where is who"].chance + 0.2


def test_same_story_same_questions():
    first = list(WORLDS["small"].stories(50, seed=1))
    again = TinyWorld("small")
    assert [WORLDS["small"].questions(x) for x in first] == [
        again.questions(x) for x in again.stories(50, seed=1)
    ]


def test_guessers_of_a_known_case():
    story = next(WORLDS["small"].stories(1, seed=0))
    q = all_questions(WORLDS["small"].grammar, story)[0]
    found = guessers([(story, q)] * 4)[q.kind]
    assert found.n == 4 and found.constant == found.position == 1.0
    assert found.chance == pytest.approx(1 / len(q.candidates))
    assert found.best == 1.0


def test_no_questions_is_an_error():
    with pytest.raises(ValueError, match="no questions"):
        guessers([])
