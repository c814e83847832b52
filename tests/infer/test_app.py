"""The page, in a real browser and by many at once: what it shows and stops."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import served

from llm_utils.infer.app import CHARACTERS, token_view, web
from llm_utils.infer.listen import running
from llm_utils.infer.serve import Limits
from llm_utils.infer.speaker import Piece

NASTY = [
    "<script>document.title='hacked'</script>",
    "<img src=x onerror=\"document.title='hacked'\">",
    "<b>bold</b> & &lt;i&gt; **stars** `code` $x$",
    "[link](javascript:alert(1)) <a href='javascript:alert(1)'>a</a>",
    "<style>body {display: none}</style><iframe src='/'></iframe>",
    "<|endoftext|> <details><summary>s</summary>d</details>",
]


class Parrot(served.Speaker):
    """Says after its reader what he said, letter by letter."""

    pause = 0.0

    def reply(self, ids, settings):
        text = self.tokenizer.decode(ids[1:])
        for letter in text[: settings.n]:
            time.sleep(self.pause)
            ids = self.tokenizer.encode(letter)
            yield Piece(letter, tuple(ids), (0.5,) * len(ids))
        yield Piece("", ended="stop")


class SlowParrot(Parrot):
    pause = 0.03


def parrot(kind=Parrot):
    by = served.speaker()
    return kind(by.model, by.tokenizer, "tiny", most=480)


class Visit:
    """A page that somebody has open, and what it asked for."""

    def __init__(self, browser, url):
        self.page = browser.new_page()
        self.url, self.asked, self.wrong = url, [], []
        self.page.on("request", lambda r: self.asked.append(r.url))
        self.page.on("pageerror", lambda e: self.wrong.append(str(e)))
        self.page.goto(url)
        self.text.wait_for(timeout=60_000)

    @property
    def text(self):
        return self.page.get_by_label("Your text")

    def send(self, text):
        self.text.fill(text)
        self.text.press("Enter")

    def turn(self, name, value):
        """Type a number, again until its slider, if it has one, stands there.

        What is typed into a page that is still unfolding may be lost.
        """
        box = self.page.get_by_role("spinbutton", name=name).first
        slider = self.page.get_by_role("slider", name=name)

        def taken():
            box.fill(value)
            box.press("Tab")
            self.page.wait_for_timeout(100)
            return all(x.input_value() == value for x in slider.all())

        within(20, taken)

    def note(self, words):
        found = self.page.locator("#note").get_by_text(words)
        found.wait_for(timeout=30_000)

    def said(self):
        found = self.page.locator(".message").all()
        return [x.inner_text().strip() for x in found]


def within(seconds, true):
    """Wait until it is true, and fail if it never is."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def gone(engine):
    within(20, lambda: not engine.readers)


@pytest.fixture(scope="module")
def quick():
    with running(web(parrot())) as url:
        yield url


def test_markup_is_shown_as_text_on_both_sides(browser, quick):
    visit = Visit(browser, quick)
    title = visit.page.title()
    for nasty in NASTY:
        visit.send(nasty)
        within(30, lambda: visit.said()[-2:] == [nasty, nasty])  # noqa: B023
    assert visit.page.title() == title and not visit.wrong
    visit.page.close()


def test_a_request_leaves_for_no_other_host(browser, quick):
    visit = Visit(browser, quick)
    visit.send("<img src='https://example.com/a.png'> a cat")
    visit.note("the end")
    visit.page.get_by_text("Tokens of the last reply").click()
    visit.page.locator(".tokens span").first.wait_for()
    hosts = {url.split("/")[2] for url in visit.asked if "//" in url}
    assert hosts == {quick.removeprefix("http://")}, hosts
    policy = httpx.get(quick).headers["content-security-policy"]
    assert policy.startswith("default-src 'self'") and "http" not in policy
    outside = """() => fetch("https://example.com").then(() => "out",
        () => "kept in")"""
    assert visit.page.evaluate(outside) == "kept in"
    visit.page.close()


def test_too_long_a_text_is_refused_and_stays_to_be_shortened(browser, quick):
    visit = Visit(browser, quick)
    visit.send("~" * 600)
    visit.note("601 tokens")
    assert visit.text.input_value() == "~" * 600 and not visit.said()
    visit.text.fill("a" * (CHARACTERS + 50))
    assert len(visit.text.input_value()) == CHARACTERS
    visit.page.close()


def test_it_streams_and_the_stop_button_stops(browser):
    app = web(parrot(SlowParrot))
    engine = app.state.engine
    with running(app) as url:
        visit = Visit(browser, url)
        visit.send("abc " * 60)
        visit.note("writing")
        early = visit.said()[-1]
        assert "abc".startswith(early[:3]) and len(early) < 200
        visit.page.get_by_role("button", name="Stop").click()
        visit.note("stopped")
        gone(engine)
        late = visit.said()[-1]
        assert len(early) <= len(late) < 239 and ("abc " * 60).startswith(late)
        visit.send("short")
        visit.note("the end")  # it still answers
        visit.page.close()


def test_a_reader_who_leaves_stops_the_work(browser):
    app = web(parrot(SlowParrot))
    engine = app.state.engine
    with running(app) as url:
        visit = Visit(browser, url)
        visit.send("abcd" * 110)
        visit.note("writing")
        visit.page.close()
        gone(engine)
        assert engine.steps < 400


def test_the_sliders_reach_the_model(browser):
    heard = []

    class Noting(Parrot):
        def reply(self, ids, settings):
            heard.append(settings)
            return super().reply(ids, settings)

    with running(web(parrot(Noting))) as url:
        visit = Visit(browser, url)
        visit.page.get_by_text("How it is drawn").click()
        visit.turn("Temperature", "0")
        visit.turn("Seed", "7")
        visit.send("a cat")
        visit.note("the end")
        visit.page.close()
    assert heard[-1].temperature == 0 and heard[-1].seed == 7
    assert heard[-1].top_k is heard[-1].top_p is heard[-1].min_p is None


async def visit_by_script(client, i):
    """What the page itself does: join the queue, then read the events."""
    text = f"reader {i} says " + "la " * (i % 7)
    session, dials = f"session-{i}", [1.0, 1.0, 0, 0.0, 480, None]
    job = {"data": [text, [], *dials], "fn_index": 0, "session_hash": session}
    joined = await client.post("/gradio_api/queue/join", json=job)
    assert joined.status_code == 200, joined.text
    queue, where = "/gradio_api/queue/data", {"session_hash": session}
    async with client.stream("GET", queue, params=where) as events:
        async for line in events.aiter_lines():
            if not line.startswith("data:"):
                continue
            event = json.loads(line[5:])
            if event["msg"] == "process_completed":
                assert event["success"], event
                return text, event["output"]["data"]


def test_fifty_readers_get_each_their_own(quick):
    async def all_at_once():
        limits = httpx.Limits(max_connections=120)
        async with httpx.AsyncClient(
            base_url=quick, timeout=120, limits=limits
        ) as client:
            each = (visit_by_script(client, i) for i in range(50))
            return await asyncio.gather(*each)

    with ThreadPoolExecutor(1) as apart:  # the browser's loop runs here
        found = apart.submit(asyncio.run, all_at_once()).result()
    for text, (_, said, _, note) in found:
        reply = said[-1]["content"]
        reply = reply if isinstance(reply, str) else reply[0]["text"]
        assert reply == text.strip() and note.endswith("the end")


def test_too_many_readers_are_told_so(browser):
    app = web(parrot(SlowParrot), Limits(slots=1, waiting=0))
    with running(app) as url:
        first, second = Visit(browser, url), Visit(browser, url)
        first.send("abcd" * 50)
        first.note("writing")
        second.send("me too")
        second.note("Too many readers")
        assert second.text.input_value() == "me too"
        first.page.close()
        second.page.close()


def test_the_endpoint_is_there_too(quick):
    assert httpx.get(f"{quick}/v1/models").json()["data"][0]["id"] == "tiny"


def test_a_key_is_asked_for_on_the_page_too():
    with running(web(parrot(), key="sesame")) as url:
        assert httpx.get(f"{url}/config").status_code == 401
        join = httpx.post(f"{url}/gradio_api/queue/join", json={})
        assert join.status_code in (401, 403)
        assert httpx.get(f"{url}/v1/models").status_code == 401
        with httpx.Client() as reader:
            given = {"username": "reader", "password": "sesame"}
            assert reader.post(f"{url}/login", data=given).status_code == 200
            assert reader.get(f"{url}/config").status_code == 200


def test_tokens_are_text_whatever_they_are():
    by = parrot()
    ids = by.tokenizer.encode("<b>&")
    shown = token_view(
        by.tokenizer, [Piece("", tuple(ids), (0.25,) * len(ids))]
    )
    assert "<b>" not in shown and "&lt;" in shown and "&amp;" in shown
    assert "probability 0.250" in shown


OFFLINE = """
import sys
out = []
def hook(event, args):
    if event == "socket.connect":
        host = args[1][0] if isinstance(args[1], tuple) else "local"
        if host not in ("127.0.0.1", "::1", "local"):
            out.append(host)
    if event == "socket.getaddrinfo" and args[0] not in (
            None, "127.0.0.1", "localhost"):
        out.append(args[0])
sys.addaudithook(hook)
sys.path.insert(0, "tests/infer")
import httpx
import served
from llm_utils.infer.app import web
from llm_utils.infer.listen import running
with running(web(served.speaker())) as url:
    assert httpx.get(url).status_code == 200
    import time; time.sleep(1)
print("asked", out)
"""


def test_the_server_itself_calls_nobody():
    env = {k: v for k, v in os.environ.items() if "GRADIO" not in k}
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE], env=env, capture_output=True, text=True
    )
    assert done.stdout.strip() == "asked []", done.stdout + done.stderr
