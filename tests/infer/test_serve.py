"""The endpoint, by the public client: streams, limits, errors, many at once."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import openai
import pytest
import served

from llm_utils.infer.listen import running
from llm_utils.infer.serve import Limits, api

LONG = 10**6


@pytest.fixture(scope="module")
def by():
    return served.speaker(most=480)


@pytest.fixture
def serve(by):
    """serve(**limits) -> a client of a server that has them, and its engine."""
    with ExitStack() as open_:

        def start(speaker=by, key=None, **limits):
            app = api(speaker, limits=Limits(**limits), key=key)
            url = open_.enter_context(running(app))
            client = openai.OpenAI(
                base_url=f"{url}/v1", api_key="mine", max_retries=0, timeout=60
            )
            open_.enter_context(client)
            return client, app.state.engine

        yield start


def ask(client, text="a cat", **more):
    said = [{"role": "user", "content": text}]
    more = {
        "model": "tiny", "messages": said, "max_tokens": 30, "seed": 1,
    } | more  # fmt: skip
    return client.chat.completions.create(**more)


def text_of(chunks):
    parts = [c.choices[0].delta.content for c in chunks if c.choices]
    return "".join(filter(None, parts))


def wait_until(true, seconds=10.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def test_a_reply_whole_and_in_a_stream(agrees, serve, by):
    client, engine = serve()
    want = served.alone(by, "a cat", n=30, seed=3)
    whole = ask(client, seed=3)
    said = whole.choices[0].message.content
    agrees("openai", "a reply that its client receives whole", want, said)
    assert whole.choices[0].finish_reason == "length"
    n = len(by.ids([{"role": "user", "content": "a cat"}]))
    assert whole.usage.prompt_tokens == n
    assert whole.usage.completion_tokens == 30
    assert whole.usage.total_tokens == n + 30
    options = {"include_usage": True}
    chunks = list(ask(client, seed=3, stream=True, stream_options=options))
    said = text_of(chunks)
    agrees("openai", "a reply that its client receives as a stream", want, said)
    assert len(chunks) > 10
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == "length"
    assert chunks[-1].choices == [] and chunks[-1].usage == whole.usage
    assert len({c.id for c in chunks}) == 1
    plain = list(ask(client, seed=3, stream=True))
    assert all(c.usage is None for c in plain) and plain[-1].choices
    assert engine.readers == 0


def test_seed_stop_and_temperature(serve, by):
    client, _ = serve()
    texts = [ask(client, seed=s).choices[0].message.content for s in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    cut = ask(client, seed=1, stop=["~~~", texts[0][4:7]]).choices[0]
    assert cut.message.content == texts[0][: texts[0].index(texts[0][4:7])]
    assert cut.finish_reason == "stop"
    greedy = ask(client, temperature=0).choices[0].message.content
    assert greedy == served.alone(by, "a cat", n=30, temperature=0)
    more = {"top_k": 1, "min_p": 0.0}
    same = ask(client, extra_body=more).choices[0].message.content
    assert same == greedy


def test_parts_and_system_messages(serve):
    client, _ = serve()
    plain = ask(client, "a cat", seed=1).choices[0].message.content
    parts = [{"type": "text", "text": x} for x in ("a ", "cat")]
    said = [{"role": "system", "content": "Be brief."},
            {"role": "user", "content": parts}]  # fmt: skip
    again = ask(client, messages=said, seed=1).choices[0].message.content
    assert again == plain


def test_models(agrees, serve):
    client, _ = serve()
    assert [m.id for m in client.models.list()] == ["tiny"]
    assert client.models.retrieve("tiny").object == "model"
    with pytest.raises(openai.NotFoundError, match="no model 'other'"):
        client.models.retrieve("other")
    agrees.held("openai", "its client lists our model and knows no other")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"temperature": 3.0}, "less than or equal to 2"),
        ({"temperature": "hot"}, "temperature"),
        ({"messages": []}, "at least 1"),
        ({"messages": [{"role": "pope", "content": "a"}]}, "role"),
        ({"messages": [{"role": "user", "content": 7}]}, "content"),
        ({"messages": [{"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "x"}}]}]},
         "only parts of type 'text'"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"n": 2}, "n: "),
        ({"top_p": 1.5}, "top_p"),
        ({"stop": ["a"] * 5}, "at most 4"),
        ({"stop": ""}, "stop"),
        ({"seed": 1.5}, "seed"),
        ({"logprobs": True}, "logprobs is not supported"),
        ({"extra_body": {"tools": [{}]}}, "tools is not supported"),
        ({"messages": [{"role": "user", "content": "~" * 600}]}, "601 tokens"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_the_clients_own_error(
    agrees, serve, more, says
):
    client, engine = serve()
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, **more)
    assert says in caught.value.body["message"]
    assert caught.value.body["type"] == "invalid_request_error"
    assert engine.steps == engine.readers == 0
    agrees.held("openai", "what is wrong with a request is its client's error")


def test_an_unknown_model_and_an_unknown_path(serve):
    client, _ = serve()
    with pytest.raises(openai.NotFoundError) as caught:
        ask(client, model="gpt-4o")
    assert caught.value.body["code"] == "model_not_found"
    for method, path in (("GET", "/v2"), ("GET", "/v1/chat/completions")):
        gone = httpx.request(method, str(client.base_url.copy_with(path=path)))
        assert (
            gone.status_code in (404, 405) and gone.json()["error"]["message"]
        )


def test_bodies_that_are_no_request(serve):
    client, _ = serve(body=5000)
    url = f"{client.base_url}chat/completions"
    kind = {"content-type": "application/json"}
    for body in (b"{bad", b"[]", b"", b"[" * 4000, b"\xff\xfe", b'"text"'):
        got = httpx.post(url, content=body, headers=kind)
        assert got.status_code == 400, body[:9]
        assert got.json()["error"]["message"]
    big = {
        "model": "tiny",
        "messages": [{"role": "user", "content": "a" * 6000}],
    }

    def in_chunks():  # no content-length to look at
        yield json.dumps(big).encode()

    for body in (json.dumps(big).encode(), in_chunks()):
        got = httpx.post(url, content=body, headers=kind)
        assert got.status_code == 413
        assert "5,000 bytes" in got.json()["error"]["message"]


def test_a_key_keeps_others_out(serve):
    client, _ = serve(key="mine")
    assert ask(client).choices
    for wrong in ("x", "other", "mine2"):
        with pytest.raises(openai.AuthenticationError):
            ask(client.with_options(default_headers={
                "authorization": f"Bearer {wrong}"
            }))  # fmt: skip


def test_fifty_at_once_get_each_their_own(agrees, serve, by):
    client, engine = serve(slots=8, waiting=60)
    prompts = [f"cat number {i} sat" for i in range(50)]
    want = [served.alone(by, p, n=24, seed=i) for i, p in enumerate(prompts)]
    assert len(set(want)) == 50

    def one(i):
        stream = i % 2 == 0
        got = ask(client, prompts[i], seed=i, max_tokens=24, stream=stream)
        return text_of(got) if stream else got.choices[0].message.content

    with ThreadPoolExecutor(50) as pool:
        found = list(pool.map(one, range(50)))
    agrees("openai", "the replies to fifty of its clients at once", want, found)
    assert engine.readers == 0


def test_one_too_many_is_told_to_come_back(serve):
    client, engine = serve(slots=1, waiting=0)
    with ask(client, stream=True, max_tokens=480) as first:
        next(iter(first))
        for stream in (False, True):
            with pytest.raises(openai.RateLimitError) as caught:
                ask(client, stream=stream)
        assert caught.value.body["code"] == "overloaded"
        assert caught.value.response.headers["retry-after"] == "1"
    wait_until(lambda: engine.readers == 0)
    assert ask(client).choices


def slow(by, seconds=0.02):
    """The same speaker, each of whose tokens takes a while."""

    class Slow(type(by)):
        def reply(self, ids, settings):
            for piece in super().reply(ids, settings):
                time.sleep(seconds)
                yield piece

    return Slow(by.model, by.tokenizer, by.name, most=by.most)


def test_a_client_that_leaves_a_stream_stops_the_work(serve, by):
    client, engine = serve(slow(by))
    stream = ask(client, stream=True, max_tokens=480, seed=1)
    next(iter(stream))
    assert engine.readers == 1
    stream.close()
    wait_until(lambda: engine.readers == 0)
    assert engine.steps < 200


def test_a_client_that_hangs_up_while_it_waits_stops_the_work(serve, by):
    client, engine = serve(slow(by))
    body = json.dumps({
        "model": "tiny", "max_tokens": 480, "seed": 1,  # a long reply
        "messages": [{"role": "user", "content": "a cat"}],
    }).encode()  # fmt: skip
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n"
        "content-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    url = client.base_url
    with socket.create_connection((url.host, url.port)) as raw:
        raw.sendall(head.encode() + body)
        wait_until(lambda: engine.steps > 3)
    wait_until(lambda: engine.readers == 0)
    assert engine.steps < 200


def test_an_error_of_ours_is_a_500_for_one_and_the_server_goes_on(serve, by):
    class Broken(type(by)):
        def reply(self, ids, settings):
            if settings.seed == 13:
                raise ArithmeticError("a secret")
            return super().reply(ids, settings)

    client, _ = serve(Broken(by.model, by.tokenizer, by.name))
    with pytest.raises(openai.InternalServerError) as caught:
        ask(client, seed=13)
    assert "secret" not in str(caught.value)
    again = client.with_options(max_retries=1)  # uvicorn hangs up after a 500
    assert ask(again, seed=1).choices


def test_an_error_in_the_middle_of_a_stream_is_told(serve, by):
    class Stumbling(type(by)):
        def reply(self, ids, settings):
            for n, piece in enumerate(super().reply(ids, settings)):
                if n == 3:
                    raise ArithmeticError("a secret")
                yield piece

    client, engine = serve(Stumbling(by.model, by.tokenizer, by.name))
    with pytest.raises(openai.APIError, match="the server failed"):
        for _ in ask(client, stream=True, seed=1):
            pass
    wait_until(lambda: engine.readers == 0)


def test_a_port_that_is_taken_is_an_error(by):
    app = api(by)
    with running(app) as url:
        port = int(url.rsplit(":", 1)[1])
        with pytest.raises(OSError), running(app, port=port):
            pass
