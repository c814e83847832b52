"""The picture of the page of chapter 13, made by the page itself.

python -m scripts.chat_page     writes llm_utils/assets/chat_page.png
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from llm_utils.infer.app import web
from llm_utils.infer.listen import running
from llm_utils.infer.speaker import Speaker
from llm_utils.train.base import load_base

OUT = Path(__file__).parents[1] / "llm_utils" / "assets" / "chat_page.png"
TEXT = "It was a <b>sunny</b> day."


def main() -> None:
    """Ask a story of the base model, and take the picture."""
    found = shutil.which("chromium")
    with running(web(Speaker(*load_base()))) as url, sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 830, "height": 975})
        page.goto(url)
        page.get_by_text("Tokens of the last reply").click()
        page.get_by_text("How it is drawn").click()
        page.get_by_role("spinbutton", name="Seed").first.fill("3")
        page.get_by_text("How it is drawn").click()
        ask(page, TEXT)
        shot = Image.open(io.BytesIO(page.screenshot()))
        few = shot.convert("RGB").quantize(64, dither=Image.Dither.NONE)
        few.save(OUT, optimize=True)
        browser.close()


def ask(page: Page, text: str) -> None:
    box = page.get_by_label("Your text")
    box.fill(text)
    box.press("Enter")
    page.locator("#note").get_by_text("writing").wait_for(timeout=60_000)
    ended = page.locator("#note").get_by_text("tokens,")
    ended.wait_for(timeout=120_000)


if __name__ == "__main__":
    main()
