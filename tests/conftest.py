"""What all tests share: one thread a process, the same examples every time."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

# Before anything imports torch: two processes of two threads on two cores
# spend their time spinning.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("MPLBACKEND", "Agg")

import pytest
from hypothesis import settings

pytest_plugins = ["agreement"]  # the fixture `agrees`

settings.register_profile("book", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "book"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium: $CHROMIUM, one on the PATH, or Playwright's own."""
    sync_api = pytest.importorskip("playwright.sync_api")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, names)), None
    )
    with sync_api.sync_playwright() as play:
        try:
            started = play.chromium.launch(
                executable_path=found, args=["--no-sandbox", "--disable-gpu"]
            )
        except sync_api.Error as error:
            why = str(error).splitlines()[0]
            pytest.skip(f"no Chromium to test pages in: {why}")
        yield started
        started.close()
