"""One order everywhere, one list of packages, nothing of this machine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scripts import build, lock, rules

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))


def pages(entries) -> list[str]:
    """All pages of a part of the contents, in order."""
    found = []
    for entry in entries:
        found += [entry["file"], *pages(entry.get("sections", []))]
    return found


BOOK = [page for part in TOC["parts"] for page in pages(part["chapters"])]


def test_the_contract_has_the_stages_in_order() -> None:
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    words = [re.sub(r"[()]", "", layer) for layer in layers]
    order = [word for word in reversed(words) if word in rules.STAGES]
    assert order == list(rules.STAGES)


def test_weeks_stand_in_the_order_of_the_stages() -> None:
    weeks = [p.split("/")[1] for p in BOOK if p.startswith("chapters/week")]
    stages = [week.split("_")[1] for week in dict.fromkeys(weeks)]
    assert stages == [s for s in rules.STAGES if s in stages]
    assert [int(week[4]) for week in dict.fromkeys(weeks)] == sorted(
        {int(week[4]) for week in weeks}
    )


def test_each_notebook_is_in_the_contents_once() -> None:
    for folder in ("chapters", "exercises", "solutions"):
        there = {
            path.relative_to(ROOT).with_suffix("").as_posix()
            for path in (ROOT / folder).rglob("*.ipynb")
            if ".ipynb_checkpoints" not in path.parts
        }
        listed = [page for page in BOOK if page.startswith(folder)]
        assert sorted(listed) == sorted(there)


def test_exercises_stand_below_their_chapter() -> None:
    for part in TOC["parts"]:
        for entry in part["chapters"]:
            chapter = entry["file"]
            below = [s["file"] for s in entry.get("sections", [])]
            if chapter.startswith("chapters/week"):
                assert below == [chapter.replace("chapters", "exercises", 1)]
            else:  # an appendix sets its exercises itself
                assert below == []


def test_the_lock_pins_pytorch_and_no_cuda() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert f"torch=={lock.TORCH}" in lines
    assert not [line for line in lines if lock.GPU_PARTS.match(line)]
    pins = [line for line in lines if not line.startswith("#")]
    assert all("==" in pin for pin in pins)


def named(requirement: str) -> str:
    return re.split(r"[\s<>=!~;\[]", requirement)[0].lower().replace("_", "-")


def test_the_lock_covers_every_extra() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pinned = {named(line) for line in lines if not line.startswith("#")}
    wanted = list(PROJECT["project"]["dependencies"])
    for extra in PROJECT["project"]["optional-dependencies"].values():
        wanted += extra
    assert {named(w) for w in wanted} <= pinned


def test_gpu_parts_are_left_out() -> None:
    resolved = "numpy==2\nnvidia-x==1\ntriton==3 ; a\ntorch==2\n"
    assert lock.without_gpu_parts(resolved) == "numpy==2\ntorch==2\n"


HOSTS = ("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org")
PLACES = [f"/{name}/" for name in ("root", "work", "opt", "home")]


@pytest.mark.parametrize("pattern", [*map(re.escape, HOSTS), *PLACES])
def test_nothing_names_this_machine_or_a_registry(pattern: str) -> None:
    command = ["git", "grep", "-nIE", rf"(^|[^\w.]){pattern}"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    lines = [x[:120] for x in found.stdout.splitlines()]
    assert lines == []


def test_a_changed_source_changes_the_fingerprint(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(build, "ROOT", tmp_path)
    page = tmp_path / "book" / "a.md"
    page.parent.mkdir()
    seen = set()
    for words in ("one", "two", ""):
        page.write_text(words)
        seen.add(build.fingerprint())
    page.rename(page.with_name("b.md"))
    seen.add(build.fingerprint())
    assert len(seen) == 4


def test_a_failed_tool_says_what_is_wrong() -> None:
    log = "reading a\n\x1b[31mb.md:3: WARNING: undefined label\x1b[0m\ndone"
    assert build.complaints(log) == ["b.md:3: WARNING: undefined label"]
    assert build.complaints("a\nb", most=1) == ["b"]


def readme_stages() -> list[str]:
    """The stages in the order of the README's syllabus."""
    table = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^\| [1-6] .*`llm_utils\.(\w+)` \|$", table, re.M)


def test_the_readme_has_the_stages_in_order() -> None:
    taught = [stage for stage in rules.STAGES if stage != "appendix"]
    assert readme_stages() == taught


def test_every_chapter_of_the_book_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = re.findall(r"\]\((chapters/[^)]+)\.ipynb\)", readme)
    assert linked == [page for page in BOOK if page.startswith("chapters/")]


def misspelled(*paths: Path) -> list[str]:
    """What codespell says, set up as in pyproject.toml."""
    command = [sys.executable, "-m", "codespell_lib", "--toml"]
    run = subprocess.run(
        [*command, str(ROOT / "pyproject.toml"), *map(str, paths)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    return run.stdout.splitlines()


def test_a_misspelled_word_is_found(tmp_path) -> None:
    right = "Receive the tokens."
    wrong = right.replace("cei", "cie").replace("the", "t" + "eh")
    for name, words in [("a.md", wrong), ("a.py", f"# {wrong}"),
                        ("a.ipynb", f'"source": ["{wrong}\\n"]')]:  # fmt: skip
        page = tmp_path / name
        page.write_text(words)
        assert len(misspelled(page)) == 2, name
        page.write_text(words.replace(wrong, right))
        assert misspelled(page) == []


def test_a_picture_is_not_read_as_words(tmp_path) -> None:
    page = tmp_path / "a.ipynb"
    word = "t" + "eh"
    page.write_text(f'"image/png": "iVBORw0{word}/{word}+te=",\n"{word}"\n')
    assert [x.split(": ")[1] for x in misspelled(page)] == [f"{word} ==> the"]


def test_what_a_model_babbles_is_not_read_as_prose(tmp_path) -> None:
    page, word = tmp_path / "a.ipynb", "t" + "eh"
    cells = [
        {"cell_type": "code", "metadata": {"tags": tags}, "outputs": [word],
         "source": [word]}
        for tags in (["hide-input"], ["nbval-ignore-output", "babble"])
    ]  # fmt: skip
    page.write_text(json.dumps({"cells": cells}, indent=1))
    assert len(misspelled(page)) == 3, "of four, one is babble"
