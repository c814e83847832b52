"""System parts: installed where we may, named in one line where we may not."""

from __future__ import annotations

import pytest

from scripts import system


@pytest.fixture
def bare(monkeypatch):
    """A machine on which no part is found, whatever is done; asked: log."""
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(system, "apt_install", asked.append)
    return asked


def part(complete: bool, enough: bool) -> system.Part:
    return system.Part(
        "a test", lambda: complete, lambda: enough, ("deb",), "brew x"
    )


def test_what_is_there_is_not_installed(bare, monkeypatch) -> None:
    monkeypatch.setitem(system.PARTS, "x", part(True, True))
    assert system.ensure("x") and bare == []


def test_what_is_missing_is_installed(bare, monkeypatch) -> None:
    monkeypatch.setitem(system.PARTS, "x", part(False, True))
    assert system.ensure("x") and bare == [("deb",)]


def test_what_cannot_be_had_is_named_in_one_line(
    bare, monkeypatch, capsys
) -> None:
    monkeypatch.setitem(system.PARTS, "x", part(False, False))
    assert not system.ensure("x")
    (line,) = capsys.readouterr().err.splitlines()
    for word in ("Debian", "macOS", "Windows", "deb", "brew x"):
        assert word in line


def test_nothing_is_installed_without_the_right(monkeypatch) -> None:
    monkeypatch.setattr(system, "as_root", lambda: None)
    monkeypatch.setattr(
        system.subprocess, "run", lambda *a, **k: pytest.fail("ran a command")
    )
    system.apt_install(("deb",))


def test_a_stand_in_that_does_not_start_is_no_browser(tmp_path) -> None:
    fake = tmp_path / "chromium"
    fake.write_text("#!/bin/sh\nexit 10\n")
    fake.chmod(0o755)
    assert not system.starts(str(fake))
    fake.write_text("#!/bin/sh\necho Chromium 1\n")
    assert system.starts(str(fake))
    assert not system.starts(str(tmp_path / "nothing"))


def test_a_browser_that_nothing_can_drive_is_none(monkeypatch) -> None:
    monkeypatch.setattr(system.shutil, "which", lambda name: name)
    monkeypatch.setattr(system, "starts", lambda command: True)
    monkeypatch.setattr(system.sys, "platform", "linux")
    monkeypatch.setattr(system, "find_library", lambda name: None)
    assert system.find_browser() is None
    monkeypatch.setattr(system, "find_library", lambda name: "libatomic.so.1")
    assert system.find_browser()
