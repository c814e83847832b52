"""Every check of the book, one after the other, with a summary at the end.

    python -m scripts.check             all of them
    python -m scripts.check lint pdf    these

`make test` calls this. A check that lacks what it needs is skipped, and the
summary says why; what a check printed is in `.cache/logs/`.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".cache" / "logs"
PYTHON = sys.executable
SKIPPED = 77  # the exit status of a check that could not be made
# One thread a process: two processes with two threads each on two cores spin.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "PYTHONUNBUFFERED": "1",
}


@dataclass(frozen=True)
class Check:
    """A name, what it holds, and the command that finds out."""

    name: str
    holds: str
    command: list[str]
    needs: tuple[str, ...] = ()


@dataclass
class Report:
    """What became of the checks."""

    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def tool(name: str) -> str:
    return str(Path(PYTHON).with_name(name))


def module(name: str, *options: str) -> list[str]:
    return [PYTHON, "-m", name, *options]


def checks() -> list[Check]:
    """In the order that finds the cheapest mistakes first."""
    ruff = ["check", "llm_utils", "scripts", "book", "tests", "benchmarks"]
    pytest = ["-n", "2", "-rsfE", "--durations=5"]
    pytest += ["--trust=_build/trust.json"]
    return [
        Check("lint", "ruff has no complaint", [tool("ruff"), *ruff]),
        Check("spelling", "no misspelled word", [tool("codespell")]),
        Check("types", "mypy has no complaint", [tool("mypy")]),
        Check("layers", "stages in order", [tool("lint-imports")]),
        Check("tests", "unit tests", module("pytest", *pytest)),
        Check("trust", "what agrees with others is what is stored",
              module("scripts.trust"), needs=("tests",)),
        Check(
            "exercises",
            "exercises follow from solutions",
            module("scripts.exercises", "--check"),
        ),
        Check(
            "notebooks",
            "stored outputs come out again",
            module("scripts.check_notebooks"),
        ),
        Check("html", "no warning", module("scripts.build", "html")),
        Check("site", "each page in a browser", module("scripts.check_site"),
              needs=("html",)),
        Check("pdf", "it builds", module("scripts.build", "pdf")),
        Check("pages", "the PDF is whole", module("scripts.check_pdf"),
              needs=("pdf",)),
        Check("parity", "the PDF says what the HTML says",
              module("scripts.check_parity"), needs=("html", "pdf")),
        Check("twice", "built twice, the PDF is the same",
              module("scripts.check_twice"), needs=("pdf",)),
    ]  # fmt: skip


def why_skipped(output: str) -> list[str]:
    """The reasons a check gives for what it left out."""
    pytest = re.findall(r"^SKIPPED \[\d+\] (\S+?):\d+: (.*)$", output, re.M)
    ours = re.findall(r"^skipped: (.*)$", output, re.M)
    return sorted({f"{where}: {why}" for where, why in pytest}) + ours


def run(check: Check, report: Report) -> None:
    """Make one check; the report and the screen get its result."""
    unmet = [name for name in check.needs if name not in report.passed]
    if unmet:
        print(f"  {check.name:<10} skipped: needs {', '.join(unmet)}")
        report.skipped.append(f"{check.name}: no result of {', '.join(unmet)}")
        return
    start = time.monotonic()
    print(f"  {check.name:<10} {check.holds} ...", end=" ", flush=True)
    done = subprocess.run(
        check.command, cwd=ROOT, env=os.environ | ENVIRONMENT,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    output = done.stdout.decode(errors="replace")
    (LOGS / f"check-{check.name}.log").write_text(output, encoding="utf-8")
    reasons = why_skipped(output)
    report.skipped += [f"{check.name}: {why}" for why in reasons]
    took = f"{time.monotonic() - start:.0f} s"
    if done.returncode == 0:
        report.passed.append(check.name)
        print(f"ok, {took}")
    elif done.returncode == SKIPPED:
        print("skipped")
        if not reasons:
            report.skipped.append(f"{check.name}: {output.strip()[-200:]}")
    else:
        report.failed.append(check.name)
        print(f"FAILED, {took}\n")
        print("\n".join("    " + x for x in output.splitlines()[-60:]) + "\n")


def summary(report: Report, seconds: float) -> str:
    """What ran, what did not and why, in a few lines."""
    lines = ["", f"  {len(report.passed)} checks passed in {seconds:.0f} s"]
    lines += [f"  skipped  {why}" for why in report.skipped]
    if report.failed:
        lines.append(f"  FAILED   {', '.join(report.failed)}")
        lines.append("  all they said: .cache/logs/check-*.log")
    return "\n".join(lines)


def main() -> int:
    known = {check.name: check for check in checks()}
    parser = argparse.ArgumentParser(description="check the book")
    parser.add_argument("names", nargs="*", help=", ".join(known))
    names = parser.parse_args().names or list(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        parser.error(f"no check {unknown[0]!r}; there are {', '.join(known)}")
    LOGS.mkdir(parents=True, exist_ok=True)
    report, start = Report(), time.monotonic()
    for name in names:
        needed = [n for n in known[name].needs if n not in names]
        report.passed += needed  # asked for alone: built before, it is hoped
        run(known[name], report)
        report.passed = [n for n in report.passed if n not in needed]
    print(summary(report, time.monotonic() - start))
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
