"""The checks of the finished books find what they are there to find."""

from __future__ import annotations

import pytest

from scripts import check, check_pdf

GOOD_LOG = """\
This is XeTeX
Overfull \\hbox (3.2pt too wide) in paragraph at lines 3--4
LaTeX Font Info: Overwriting math alphabet
Output written on book.pdf
"""
BAD_LINES = [
    "Missing character: There is no X (U+2423) in font [JetBrainsMono]!",
    "LaTeX Warning: Reference `a' on page 1 undefined on input line 3.",
    "LaTeX Warning: There were undefined references.",
    "LaTeX Warning: Label `a' multiply defined.",
    "Overfull \\hbox (10.5pt too wide) in paragraph at lines 3--4",
    "Overfull \\vbox (99.0pt too high) has occurred",
]


def test_a_good_log_is_not_blamed() -> None:
    assert check_pdf.log_problems(GOOD_LOG) == []


@pytest.mark.parametrize("line", BAD_LINES)
def test_a_bad_line_is_found(line: str) -> None:
    assert check_pdf.log_problems(GOOD_LOG + line + "\n")


def test_a_line_that_tex_broke_is_found() -> None:
    long = (
        "LaTeX Warning: Hyper reference `" + "x" * 60 + "' on page 7 undefined"
    )
    broken = "\n".join(long[i : i + 79] for i in range(0, len(long), 79))
    assert check_pdf.log_problems(broken)


@pytest.mark.parametrize("embedded", [True, False])
def test_fonts_links_and_bookmarks_are_read(tmp_path, embedded: bool) -> None:
    from matplotlib import pyplot as plt

    with plt.rc_context({"pdf.use14corefonts": not embedded}):
        plt.figure().text(0.5, 0.5, "abc")
        plt.savefig(tmp_path / "a.pdf")
        plt.close("all")
    problems = check_pdf.file_problems(tmp_path / "a.pdf", ["Week 1"])
    assert "no bookmark 'Week 1'" in problems
    assert "no link in the whole file" in problems
    assert any("not embedded" in p for p in problems) is not embedded


def test_skips_are_told_with_their_reasons() -> None:
    said = "SKIPPED [2] tests/a.py:3: no network\nskipped: no moon\n1 passed"
    assert check.why_skipped(said) == ["tests/a.py: no network", "no moon"]


def make(command: list[str], needs: tuple[str, ...] = ()) -> check.Check:
    return check.Check("x", "it holds", command, needs)


def python(code: str) -> list[str]:
    return [check.PYTHON, "-c", code]


def test_a_check_passes_fails_or_is_skipped(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(check, "LOGS", tmp_path)
    report = check.Report()
    for name, code in [("ok", "0"), ("bad", "1"), ("not", "77")]:
        command = python(f"import sys; print('why'); sys.exit({code})")
        check.run(check.Check(name, "", command), report)
    assert (report.passed, report.failed) == (["ok"], ["bad"])
    assert report.skipped == ["not: why"]
    check.run(make(python("0"), needs=("bad",)), report)
    assert "no result of bad" in report.skipped[-1]
    assert "FAILED" in check.summary(report, 1.0)
