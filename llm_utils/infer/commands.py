"""The verbs of week 4: sample, evaluate, export, chat, serve.

Each is a few lines over a module of this week. Chapter 13 uses them.
"""

from __future__ import annotations

import argparse
import os
import unicodedata
from pathlib import Path
from typing import Any

from llm_utils.infer.load import load
from llm_utils.infer.speaker import Settings, Speaker

KEY = "LLM_UTILS_API_KEY"
NO_APP = "this takes more packages: pip install 'llm-utils[app]'"


def add(verbs: Any) -> None:
    """Register the verbs; each sets `do`, which takes the arguments."""
    verb = verbs.add_parser("sample", help="write on from a beginning")
    verb.add_argument("prompt", nargs="?", default="")
    _model(verb)
    _dials(verb)
    verb.set_defaults(do=sample)

    verb = verbs.add_parser("evaluate", help="measure a model")
    _model(verb)
    verb.add_argument("--stories", type=int, default=100)
    verb.add_argument("--level", default="mini", help="of TinyWorld")
    verb.set_defaults(do=evaluate)

    verb = verbs.add_parser("export", help="write a folder for transformers")
    verb.add_argument("model", help="base, or the folder of a run")
    verb.add_argument("folder", type=Path)
    verb.add_argument("--name", help="default: the folder's")
    verb.add_argument("--about", default="", help="what it is, for the card")
    verb.add_argument("--license", default="")
    verb.add_argument(
        "--stories", type=int, default=100,
        help="to measure it on, for the card; 0: do not",
    )  # fmt: skip
    verb.add_argument("--level", default="mini", help="of TinyWorld")
    verb.set_defaults(do=export)

    verb = verbs.add_parser("chat", help="talk with a model, here or in a page")
    _model(verb)
    _dials(verb)
    verb.add_argument("--web", action="store_true", help="in a browser")
    _address(verb, 7860)
    verb.set_defaults(do=chat)

    verb = verbs.add_parser(
        "serve", help="answer over HTTP, in the common chat format",
        epilog=f"If {KEY} is set, clients must send it as their API key.",
    )  # fmt: skip
    _model(verb)
    _address(verb, 8000)
    verb.set_defaults(do=serve)


def sample(args: argparse.Namespace) -> int:
    """Print one continuation as it is written."""
    by = Speaker(*load(args.model), most=args.tokens)
    print(printable(args.prompt), end="", flush=True)
    say(by, args.prompt, settings(args))
    return 0


def evaluate(args: argparse.Namespace) -> int:
    """Print chapter 12's report."""
    from llm_utils.infer.evaluate import evaluate as measure

    model, tokenizer = load(args.model)
    print(measure(
        model, tokenizer, args.level, args.stories, max_len=model.cfg.max_len
    ))  # fmt: skip
    return 0


def export(args: argparse.Namespace) -> int:
    """Measure, write the folder with its card, read it back."""
    from llm_utils.infer import export as folders
    from llm_utils.infer.evaluate import evaluate as measure

    model, tokenizer = load(args.model)
    report = measure(
        model, tokenizer, args.level, args.stories, max_len=model.cfg.max_len
    ) if args.stories else None  # fmt: skip
    folder = folders.export(
        model, tokenizer, args.folder, args.name or args.folder.name,
        args.about, report, args.license,
    )  # fmt: skip
    names = ", ".join(sorted(path.name for path in folder.iterdir()))
    print(f"{folder}: {names}")
    return 0


def chat(args: argparse.Namespace) -> int:
    """Talk in the terminal, or serve the page. Ctrl-C ends a reply."""
    name = Path(args.model).name
    by = Speaker(*load(args.model), name, most=max(512, args.tokens))
    if args.web:
        return listen(by, args, page=True)
    print("Begin a story; the model goes on. An empty line ends the chat.")
    while text := ask():
        try:
            say(by, text, settings(args))
        except ValueError as wrong:
            print(wrong)
        except KeyboardInterrupt:
            print(" [stopped]")
    return 0


def serve(args: argparse.Namespace) -> int:
    """The endpoint alone."""
    by = Speaker(*load(args.model), Path(args.model).name)
    return listen(by, args, page=False)


def listen(by: Speaker, args: argparse.Namespace, page: bool) -> int:
    """Serve until Ctrl-C."""
    try:
        import uvicorn

        from llm_utils.infer.serve import api

        if page:
            from llm_utils.infer.app import web
    except ImportError as error:
        raise ValueError(f"{error}: {NO_APP}") from error
    key = os.environ.get(KEY)
    app = web(by, key=key) if page else api(by, key=key)
    uvicorn.run(app, host=args.host, port=args.port)
    return 0


def ask() -> str:
    """A line of the reader's; "" at the end."""
    try:
        return input("\n> ").strip()
    except (EOFError, KeyboardInterrupt):
        print()
        return ""


def say(by: Speaker, text: str, how: Settings) -> None:
    """Print a reply piece by piece."""
    ids = by.ids([{"role": "user", "content": text}])
    for piece in by.reply(ids, how):
        print(printable(piece.text), end="", flush=True)
    print()


def printable(text: str) -> str:
    """The text without what steers a terminal: escapes are shown, not sent."""
    return "".join(
        c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf")
        else repr(c)[1:-1]
        for c in text
    )  # fmt: skip


def settings(args: argparse.Namespace) -> Settings:
    return Settings(
        args.tokens, args.temperature, args.top_p, args.top_k, args.min_p,
        args.seed, tuple(args.stop),
    )  # fmt: skip


def _model(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--model", default="base",
        help="base, a Hugging Face folder, or the folder of a run",
    )  # fmt: skip


def _dials(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("-n", "--tokens", type=int, default=300)
    verb.add_argument("--temperature", type=float, default=0.8)
    verb.add_argument("--top-p", type=float)
    verb.add_argument("--top-k", type=int)
    verb.add_argument("--min-p", type=float)
    verb.add_argument("--seed", type=int)
    verb.add_argument("--stop", action="append", default=[])


def _address(verb: argparse.ArgumentParser, port: int) -> None:
    verb.add_argument(
        "--host", default="127.0.0.1", help="0.0.0.0: for others, too"
    )
    verb.add_argument("--port", type=int, default=port)
