"""A page to talk with a model in: streaming, stop, sliders, tokens.

Chapter 13 builds it with Gradio (Abid et al. 2019), and tries to break it.
Whatever somebody types and whatever the model writes is shown as text.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from html import escape
from typing import Any

import gradio as gr
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llm_utils.infer.engine import Busy, Engine
from llm_utils.infer.serve import Limits, api
from llm_utils.infer.speaker import Piece, Settings, Speaker
from llm_utils.text.bpe import ByteBPE

CHARACTERS = 4000  # that a message may have
EVERY = 0.05  # seconds between two looks at a reply that is being written
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; frame-ancestors 'self'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; object-src 'none'"
)
"""What the browser may load: from this server, and from nowhere else."""

CSS = """
.tokens span {border-radius: 3px; padding: 1px 0; white-space: pre-wrap}
.tokens {line-height: 1.9; font-family: monospace; overflow-wrap: anywhere}
"""


def web(
    speaker: Speaker, limits: Limits | None = None, key: str | None = None
) -> FastAPI:
    """The page at /, the endpoint at /v1: one engine for both. Chapter 13.

    key: the endpoint's API key, and the page's password (its user: reader).
    """
    limits = limits or Limits()
    engine = Engine(limits.slots, limits.waiting)
    app = api(speaker, engine, limits, key)
    app.add_middleware(OwnPages)
    font = ["system-ui", "sans-serif"]
    theme = gr.themes.Default(font=font, font_mono=["monospace"])
    return gr.mount_gradio_app(
        app, chat_app(speaker, engine, limits), "/", theme=theme, css=CSS,
        footer_links=[], ssr_mode=False, max_file_size=0, show_error=False,
        auth=("reader", key) if key else None,
    )  # fmt: skip


def chat_app(
    speaker: Speaker, engine: Engine, limits: Limits | None = None
) -> gr.Blocks:
    """The page alone. Its readers share `engine`, and with it its limits."""
    limits = limits or Limits()
    talk = Talk(speaker, engine)
    title = f"Talk with {speaker.name}"
    with gr.Blocks(title=title, analytics_enabled=False) as page:
        gr.HTML(f"<h1>{escape(title)}</h1>")
        said = gr.Chatbot(
            label="Conversation", render_markdown=False, sanitize_html=True,
            allow_tags=False, buttons=["copy"], height=380,
        )  # fmt: skip
        text = gr.Textbox(
            label="Your text", max_length=CHARACTERS, autofocus=True,
            placeholder="Begin a story, or leave it empty", submit_btn=True,
        )  # fmt: skip
        stop = gr.Button("Stop")
        note = gr.HTML(elem_id="note")
        with gr.Accordion("How it is drawn", open=False):
            dials = [
                gr.Slider(0, 2, 0.8, step=0.05, label="Temperature"),
                gr.Slider(0, 1, 1, step=0.01, label="Top p"),
                gr.Slider(0, 100, 0, step=1, label="Top k (0: all)"),
                gr.Slider(0, 1, 0, step=0.01, label="Min p"),
                gr.Slider(1, speaker.most, limits.tokens, step=1,
                          label="Tokens at most"),
                gr.Number(None, label="Seed (empty: any)", precision=0),
            ]  # fmt: skip
        with gr.Accordion("Tokens of the last reply", open=False):
            tokens = gr.HTML(elem_id="tokens")
        text.submit(
            talk.answer, [text, said, *dials], [text, said, tokens, note],
            concurrency_limit=None, show_progress="hidden",
        )  # fmt: skip
        stop.click(talk.stop, queue=False, show_progress="hidden")
        page.unload(talk.stop)
    page.queue(max_size=limits.slots + limits.waiting, api_open=False)
    return page


class Talk:
    """What the page does: it answers, and it stops."""

    def __init__(self, speaker: Speaker, engine: Engine) -> None:
        self.speaker, self.engine = speaker, engine
        self.going: dict[str, bool] = {}  # by session: False once stopped

    async def answer(
        self, request: gr.Request, text: str, said: list[Any], *dials: Any
    ) -> AsyncIterator[tuple[Any, ...]]:
        """The text, the conversation and the dials -> what is shown next."""
        session = str(request.session_hash)
        user = turn("user", text)
        try:
            if len(text) > CHARACTERS:
                raise ValueError(f"more than {CHARACTERS:,} characters")
            ids = self.speaker.ids([{"role": "user", "content": text}])
            work = self.speaker.reply(ids, settings(*dials))
        except ValueError as wrong:
            yield text, said, "", escape(str(wrong))
            return
        said, reply, got = [*said, user], "", list[Piece]()
        self.going[session] = True
        try:
            yield "", said, "", "waiting"
            async with aclosing(self.engine.run(work)) as pieces:
                shown = time.monotonic()
                async for piece in pieces:
                    got.append(piece)
                    reply += piece.text
                    if not self.going.get(session):
                        break
                    if time.monotonic() - shown > EVERY:
                        shown = time.monotonic()
                        yield "", spoken(said, reply), gr.skip(), "writing"
        except Busy:
            yield text, said[:-1], "", "Too many readers: try again later."
            return
        finally:
            self.going.pop(session, None)
        tokens = token_view(self.speaker.tokenizer, got)
        why = {"stop": "the end", "length": "cut: as long as allowed"}
        ended = why.get(got[-1].ended, "stopped") if got else "stopped"
        n = sum(len(piece.ids) for piece in got)
        yield "", spoken(said, reply), tokens, f"{n} tokens, {ended}"

    def stop(self, request: gr.Request) -> None:
        """End what is being written for this reader: a click, or it left."""
        session = str(request.session_hash)
        if session in self.going:
            self.going[session] = False


def turn(role: str, text: str) -> dict[str, str]:
    """A turn for the Chatbot, which reads HTML: text is escaped."""
    return {"role": role, "content": escape(text, quote=False)}


def spoken(said: Sequence[Any], reply: str) -> list[Any]:
    return [*said, turn("assistant", reply)]


def settings(
    temperature: float, top_p: float, top_k: float, min_p: float, n: float,
    seed: float | None,
) -> Settings:  # fmt: skip
    """The dials as settings; at its end a dial does nothing."""
    return replace(
        Settings(n=int(n), temperature=float(temperature)),
        top_p=float(top_p) if top_p < 1 else None,
        top_k=int(top_k) or None,
        min_p=float(min_p) or None,
        seed=None if seed is None else int(seed),
    )


def token_view(tokenizer: ByteBPE, got: Sequence[Piece]) -> str:
    """Tokens as HTML: the less likely one was, the darker its ground."""
    spans = []
    for piece in got:
        for i, p in zip(piece.ids, piece.probs, strict=True):
            text = escape(tokenizer.decode([i])).replace("\n", "\u21b5\n")
            shade = f"rgba(213, 94, 0, {0.75 * (1 - p):.2f})"
            note = f'title="id {i}, probability {p:.3f}"'
            spans.append(
                f'<span {note} style="background: {shade}">{text}</span>'
            )
    return f'<div class="tokens">{"".join(spans)}</div>'


class OwnPages:
    """Tells the browser to load nothing from anybody else (a CSP header)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                policy = (b"content-security-policy", POLICY.encode())
                more = (b"x-content-type-options", b"nosniff")
                message["headers"] = [*message["headers"], policy, more]
            await send(message)

        await self.app(scope, receive, sent)
