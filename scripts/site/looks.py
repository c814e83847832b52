"""What a reader meets on one page: its parts, weight, widths, colors, keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.site.browser import Findings, opened

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / ".cache" / "axe.min.js"
WIDTHS = (360, 768, 1440)  # a telephone, a tablet, a laptop: CSS pixels
HEAVIEST = 1_500_000  # bytes: a page with everything that it shows
SLOWEST = 1_000  # milliseconds until something is on the screen
FORMULAS = """() => ({
  raw: [...document.querySelectorAll(".math")]
    .filter((x) => !x.querySelector(".katex")).length,
  wrong: document.querySelectorAll(".katex-error").length,
})"""
STILL = "* { animation: none !important; transition: none !important; }"
SCROLL = """async () => {
  for (const image of document.images) image.loading = "eager";
  await Promise.all([...document.images].map((x) => x.decode().catch(() => 0)));
}"""
BROKEN = """() => [...document.images]
  .filter((x) => !x.naturalWidth).map((x) => x.getAttribute("src"))"""
STRETCHED = """() => [...document.images].filter((x) => {
  const { width, height } = x.getBoundingClientRect();
  const true_height = (width * x.naturalHeight) / x.naturalWidth;
  return height > 0 && Math.abs(height - true_height) > 2;
}).map((x) => x.getAttribute("src"))"""
TOO_WIDE = """() => {
  const most = document.documentElement.clientWidth + 1;
  if (document.documentElement.scrollWidth <= most) return [];
  const inScroller = (x) => x !== null && x !== document.body &&
    (getComputedStyle(x).overflowX !== "visible" ||
      inScroller(x.parentElement));
  return [...document.querySelectorAll(".bd-content *")]
    .filter((x) => x.getBoundingClientRect().right > most)
    .filter((x) => !inScroller(x.parentElement))
    .slice(0, 3).map((x) => x.outerHTML.slice(0, 90));
}"""
PAINT = """() => performance.getEntriesByName("first-contentful-paint")
  .map((x) => x.startTime)[0] ?? 0"""
RUN_AXE = """async (rules) => (await axe.run(document, {
  preload: false,
  resultTypes: ["violations"],
  ...(rules.length ? { runOnly: rules } : {}),
})).violations.filter((x) => ["serious", "critical"].includes(x.impact))
  .map((x) => `${x.id}: ${x.nodes[0].html.slice(0, 120)}`
    + ` (${x.nodes.length} places)`)"""
# What the tabulator key should reach: what is shown and can be used.
LISTEN = """() => {
  const usable = "a[href], button, summary, input, select, textarea, " +
    "[tabindex='0']";
  const seen = (x) => x.checkVisibility({ visibilityProperty: true }) &&
    !x.closest("[inert], dialog:not([open])") && x.tabIndex >= 0 &&
    !x.disabled && !(x.type === "radio" && !x.checked);
  window.wanted = [...document.querySelectorAll(usable)].filter(seen);
  window.reached = new Map();
  document.addEventListener("focusin", ({ target }) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(target);
    const marked = outlineStyle !== "none" && parseFloat(outlineWidth) > 0;
    const label = target.nextElementSibling;
    const tab = label?.matches(".sd-tab-label");
    window.reached.set(target, marked || boxShadow !== "none" || tab);
  });
  document.activeElement?.blur();
  return window.wanted.length;
}"""
ALL = "() => wanted.every((x) => reached.has(x))"
MISSED = """() => {
  const say = (x) => x.outerHTML.slice(0, 100);
  return {
    missed: wanted.filter((x) => !reached.has(x)).map(say),
    dim: [...reached].filter(([x, marked]) => !marked).map(([x]) => say(x)),
  };
}"""


def everything(context: BrowserContext, url: str) -> list[str]:
    """All that can be wrong with one page, opened once."""
    with opened(context, url) as (page, findings):
        page.add_style_tag(content=STILL)
        at_rest(page, findings)
        by_axe(page, findings, "light")
        for problem in tab_through(page):
            findings.add(problem)
        at_each_width(page, findings)
        page.set_viewport_size({"width": WIDTHS[-1], "height": 900})
        page.emulate_media(color_scheme="dark")
        by_axe(page, findings, "dark", ["color-contrast", "link-in-text-block"])
        page.wait_for_load_state("networkidle")
    weight = sum(findings.sizes.values())
    if weight > HEAVIEST:
        findings.add(f"{weight:,} bytes are more than {HEAVIEST:,}")
    return findings.problems


def at_rest(page: Page, findings: Findings) -> None:
    """Images and formulas of a page are there."""
    page.evaluate(SCROLL)
    for source in page.evaluate(BROKEN):
        findings.add(f"an image that does not load: {source}")
    for source in page.evaluate(STRETCHED):
        findings.add(f"an image out of proportion: {source}")
    formulas = page.evaluate(FORMULAS)
    if formulas["raw"]:
        findings.add(f"{formulas['raw']} formulas are not typeset")
    if formulas["wrong"]:
        findings.add(f"{formulas['wrong']} formulas have an error")


def at_each_width(page: Page, findings: Findings) -> None:
    """The page itself never scrolls sideways; Tab can scroll what does."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(100)
        for tag in page.evaluate(TOO_WIDE):
            findings.add(f"too wide at {width} pixels: {tag}")
        if width == min(WIDTHS):
            rules = ["scrollable-region-focusable", "button-name"]
            by_axe(page, findings, "light", rules)


def by_axe(
    page: Page, findings: Findings, scheme: str, rules: list[str] | None = None
) -> None:
    """Serious findings of axe-core, for all rules or some."""
    if not page.evaluate("() => !!window.axe"):
        page.add_script_tag(path=str(AXE))
    for line in page.evaluate(RUN_AXE, rules or []):
        findings.add(f"axe, {scheme}: {line}")


def tab_through(page: Page) -> list[str]:
    """Tab reaches all that can be used, and shows where it is."""
    count = page.evaluate(LISTEN)
    page.keyboard.press("Tab")
    first = page.evaluate("() => document.activeElement.textContent.trim()")
    # A browser may stop at more: at what scrolls, for instance.
    for presses in range(2 * count + 20):
        page.keyboard.press("Tab")
        if presses > count and presses % 10 == 0 and page.evaluate(ALL):
            break
    result: dict[str, Any] = page.evaluate(MISSED)
    found = [f"Tab does not reach {tag}" for tag in result["missed"]]
    found += [f"no sign of focus on {tag}" for tag in result["dim"]]
    if first != "Skip to main content":
        found.append(f"the first Tab goes to {first!r}, past no skip link")
    return found


def first_view(context: BrowserContext, page_file: Path) -> list[str]:
    """Something is on the screen within a second, opened from disk.

    The best of five: a busy machine is slow now and then, a heavy page always.
    """
    times = []
    for _ in range(5):
        with opened(context, page_file.as_uri()) as (page, findings):
            times.append(page.evaluate(PAINT))
        if findings.problems:
            return [f"from disk: {problem}" for problem in findings.problems]
        if 0 < times[-1] < SLOWEST:
            return []
    return [f"the first view takes {min(times):.0f} ms from disk"]
