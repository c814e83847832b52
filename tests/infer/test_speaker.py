"""The speaker: the same text as chapter 10's loop, and where a reply ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
import served
import torch

from llm_utils.infer.sample import generate
from llm_utils.infer.speaker import Settings, story
from llm_utils.infer.stream import complete

END = "<|endoftext|>"


@pytest.fixture(scope="module")
def by():
    return served.speaker()


def drawn(by, text, **settings):
    ids = by.ids([{"role": "user", "content": text}])
    return list(by.reply(ids, Settings(**settings)))


def test_it_is_chapter_10s_completion(by):
    rng = torch.Generator().manual_seed(5)
    ours = complete(by.model, by.tokenizer, "a cat", 40, (), rng)
    got = drawn(by, "a cat", n=40, seed=5)
    assert "".join(p.text for p in got) == "".join(ours)
    greedy = complete(by.model, by.tokenizer, "a cat", 40)
    got = drawn(by, "a cat", n=40, temperature=0)
    assert "".join(p.text for p in got) == "".join(greedy)


def test_every_token_is_in_one_piece_with_its_probability(by):
    got = drawn(by, "a cat", n=40, seed=1)
    ids = [i for piece in got for i in piece.ids]
    probs = [p for piece in got for p in piece.probs]
    prompt = by.ids([{"role": "user", "content": "a cat"}])
    x = torch.tensor([prompt + ids])
    want = by.model(x).softmax(-1)[0, len(prompt) - 1 : -1]
    want = want[range(len(ids)), ids]
    torch.testing.assert_close(torch.tensor(probs), want.detach())
    assert by.tokenizer.decode(ids) == "".join(p.text for p in got)


def test_how_it_ended_is_said_once(by):
    got = drawn(by, "a cat", n=12, seed=1)
    assert [p.ended for p in got] == [""] * (len(got) - 1) + ["length"]
    assert sum(len(p.ids) for p in got) == 12
    text = "".join(p.text for p in got)
    cut = drawn(by, "a cat", n=12, seed=1, stop=(text[5:8],))
    assert "".join(p.text for p in cut) == text[: text.index(text[5:8])]
    assert cut[-1].ended == "stop"
    first = got[0].ids[0]
    ends = replace(by, ends=(first,))
    assert [p.ended for p in drawn(ends, "a cat", n=12, seed=1)] == ["stop"]


def test_a_special_token_that_was_typed_is_text(by):
    ids = story(by.tokenizer)([{"role": "user", "content": f"a{END}b"}])
    special = by.tokenizer.special_tokens[END]
    assert ids[0] == special and special not in ids[1:]


def test_too_long_is_refused_and_the_longest_is_taken(by):
    room = by.model.cfg.max_len - 1
    assert len(by.ids([{"role": "user", "content": "~" * (room - 1)}])) == room
    with pytest.raises(ValueError, match=f"{room + 1} tokens"):
        by.ids([{"role": "user", "content": "~" * room}])
    got = drawn(by, "~" * (room - 1), n=100, seed=0)
    assert sum(len(p.ids) for p in got) == 2 and got[-1].ended == "length"


def test_no_reply_is_longer_than_allowed(by):
    got = drawn(replace(by, most=7), "a", n=100, seed=1)
    assert sum(len(p.ids) for p in got) == 7


def test_nonsense_is_refused_before_the_first_piece(by):
    ids = by.ids([{"role": "user", "content": "a"}])
    for wrong in ({"temperature": -1.0}, {"top_p": 2.0}, {"top_k": 0}):
        with pytest.raises(ValueError):
            by.reply(ids, Settings(**wrong))


def test_another_way_to_speak_can_be_brought(by):
    def shout(messages):
        text = "|".join(m["role"] + ":" + m["content"] for m in messages)
        return by.tokenizer.encode(text)

    own = replace(by, render=shout)
    said = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
    ]
    assert by.tokenizer.decode(own.ids(said)) == "user:a|assistant:b"


def test_no_seed_gives_another_reply_each_time(by):
    texts = {"".join(p.text for p in drawn(by, "a", n=30)) for _ in range(4)}
    assert len(texts) > 1


def test_it_agrees_with_the_plain_loop_without_a_cache(by):
    ids = by.ids([{"role": "user", "content": "the mat"}])
    plain = generate(by.model, torch.tensor([ids]), 20)
    got = drawn(by, "the mat", n=20, temperature=0)
    assert [i for p in got for i in p.ids] == [int(x) for x in plain]
