"""Downloading from a server on this machine, which misbehaves on demand."""

from __future__ import annotations

import hashlib
import http.server
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from llm_utils.train import fetch as module
from llm_utils.train.fetch import CORPORA, Remote, download, fetch

TEXT = b"To be, or not to be. " * 20_000  # seven blocks
RIGHT = hashlib.sha256(TEXT).hexdigest()


@dataclass
class Server:
    """A list of behaviors: one for each request, the last for all more."""

    plan: list[str]
    url: str = ""
    asked: int = 0
    sent: int = 0
    done: threading.Event = field(default_factory=threading.Event)


def handler(server: Server) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args) -> None:
            pass

        def do_GET(self) -> None:
            how = server.plan[min(server.asked, len(server.plan) - 1)]
            server.asked += 1
            if how.isdigit():
                self.send_error(int(how))
                return
            body = TEXT[::-1] if how == "wrong" else TEXT
            self.send_response(200)
            if how not in ("unsaid", "long"):
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if how in ("cut", "hang", "unsaid"):
                body = body[: len(body) // 2]
            try:
                for part in [body] * (100 if how == "long" else 1):
                    self.wfile.write(part)
                    server.sent += len(part)
            except OSError:  # the other side had enough
                return
            if how == "hang":
                server.done.wait(10)

    return Handler


@pytest.fixture
def serve(monkeypatch):
    """Start a server that follows a plan: `serve("cut", "fine")`."""
    monkeypatch.setenv("no_proxy", "*")
    running = []

    def start(*plan: str) -> Server:
        server = Server(list(plan))
        http_server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), handler(server)
        )
        server.url = f"http://127.0.0.1:{http_server.server_port}/a.txt"
        threading.Thread(target=http_server.serve_forever, daemon=True).start()
        running.append((server, http_server))
        return server

    yield start
    for server, http_server in running:
        server.done.set()
        http_server.shutdown()
        http_server.server_close()


def bring(server: Server, folder: Path, tries=3, timeout=5.0) -> Path:
    remote = Remote(server.url, "a.txt", len(TEXT), RIGHT)
    path = folder / "a.txt"
    download(remote, path, timeout=timeout, tries=tries, pause=0)
    return path


def test_the_file_arrives_whole(serve, tmp_path) -> None:
    server = serve("fine")
    assert bring(server, tmp_path).read_bytes() == TEXT
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert server.asked == 1


@pytest.mark.parametrize("trouble", ["cut", "unsaid", "wrong", "503", "429"])
def test_a_trouble_that_passes(serve, tmp_path, trouble) -> None:
    server = serve(trouble, trouble, "fine")
    assert bring(server, tmp_path).read_bytes() == TEXT
    assert server.asked == 3


@pytest.mark.parametrize(
    "trouble, words",
    [
        ("cut", "210,000 of 420,000 bytes"),
        ("unsaid", "210,000 of 420,000 bytes"),
        ("wrong", f"sha256 is {hashlib.sha256(TEXT[::-1]).hexdigest()}"),
        ("long", "more than 420,000 bytes"),
        ("500", "HTTP Error 500"),
    ],
)
def test_a_trouble_that_stays_leaves_nothing(
    serve, tmp_path, trouble, words
) -> None:
    server = serve(trouble)
    with pytest.raises(OSError, match=words):
        bring(server, tmp_path, tries=2)
    assert server.asked == 2 and list(tmp_path.iterdir()) == []
    assert server.sent < 50 * len(TEXT), "what has no end is not waited for"


def test_an_old_file_survives_a_failed_download(serve, tmp_path) -> None:
    (tmp_path / "a.txt").write_bytes(b"old")
    with pytest.raises(OSError, match="sha256"):
        bring(serve("wrong"), tmp_path)
    assert (tmp_path / "a.txt").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_what_is_not_there_is_asked_for_once(serve, tmp_path) -> None:
    server = serve("404")
    with pytest.raises(OSError, match="404"):
        bring(server, tmp_path)
    assert server.asked == 1


def test_a_silent_server_does_not_hold_us_up(serve, tmp_path) -> None:
    start = time.monotonic()
    with pytest.raises(OSError, match=r"[Tt]imeout"):
        bring(serve("hang"), tmp_path, tries=1, timeout=0.3)
    assert time.monotonic() - start < 5
    assert list(tmp_path.iterdir()) == []


def test_pauses_grow(serve, tmp_path, monkeypatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(module.time, "sleep", pauses.append)
    remote = Remote(serve("503").url, "a.txt", len(TEXT), RIGHT)
    with pytest.raises(OSError, match="503"):
        download(remote, tmp_path / "a", timeout=5, tries=4, pause=0.5)
    assert pauses == [0.5, 1.0, 2.0]


# --- by name -----------------------------------------------------------------


@pytest.fixture
def hamlet(serve, tmp_path, monkeypatch):
    """A corpus of that name, its server, and a data folder to keep it in."""

    def make(*plan: str) -> Server:
        server = serve(*plan)
        remote = Remote(server.url, "hamlet/input.txt", len(TEXT), RIGHT)
        monkeypatch.setitem(CORPORA, "hamlet", remote)
        monkeypatch.setenv("LLM_UTILS_DATA", str(tmp_path / "data"))
        return server

    return make


def test_fetched_once_and_read_ever_after(hamlet, tmp_path) -> None:
    server = hamlet("fine", "404")
    for _ in range(3):
        path = fetch("hamlet", pause=0)
        assert path == tmp_path / "data" / "hamlet" / "input.txt"
        assert path.read_bytes() == TEXT
    assert server.asked == 1


def test_a_damaged_copy_is_replaced(hamlet, tmp_path) -> None:
    server = hamlet("fine")
    path = tmp_path / "data" / "hamlet" / "input.txt"
    path.parent.mkdir(parents=True)
    path.write_bytes(TEXT[:-1])
    assert fetch("hamlet").read_bytes() == TEXT and server.asked == 1


def test_without_network_the_error_says_how_to_get_it(
    hamlet, tmp_path, serve
) -> None:
    server = hamlet("503")
    with pytest.raises(ConnectionError) as caught:
        fetch("hamlet", pause=0, tries=1)
    message = str(caught.value)
    for words in (server.url, "LLM_UTILS_DATA", "hamlet/input.txt", "503"):
        assert words in message
    assert str(tmp_path / "data" / "hamlet" / "input.txt") in message
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_a_name_that_is_no_corpus() -> None:
    with pytest.raises(ValueError, match="there is tinyshakespeare"):
        fetch("shakespeare")


def test_without_the_variable_data_lie_in_the_home(monkeypatch) -> None:
    monkeypatch.delenv("LLM_UTILS_DATA", raising=False)
    assert module.data_home() == Path.home() / ".cache" / "llm_utils"


def test_tinyshakespeare_where_it_can_be_had() -> None:
    try:
        path = fetch("tinyshakespeare", tries=1, timeout=5)
    except ConnectionError as error:
        pytest.skip(str(error))
    text = path.read_text(encoding="utf-8")
    assert len(text) == 1_115_394 and text.startswith("First Citizen:")
