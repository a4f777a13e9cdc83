"""What a layout hides from a reader: on a narrow screen, and on paper."""

from typing import Final

from playwright.async_api import Page

PHONE: Final = {"width": 358, "height": 800}
PAPER: Final = {"width": 688, "height": 1000}
"""A4 between its margins."""

_UNFOLDED: Final = """() => document.querySelectorAll("details:not([open])").forEach((folded) => {
  folded.open = true;
  folded.dataset.unfolded = "";
})"""
_FOLDED: Final = """() => document.querySelectorAll("[data-unfolded]").forEach((folded) => {
  folded.open = false;
  delete folded.dataset.unfolded;
})"""

_CUT: Final = """() => [...document.querySelectorAll("table")].flatMap((table) => {
  const frame = table.parentElement;
  const excess = Math.max(frame.scrollWidth, table.offsetWidth) - frame.clientWidth;
  const name = table.caption?.innerText || frame.ariaLabel || table.innerText.slice(0, 40);
  return frame.clientWidth && excess > 0 ? [`${name}: ${excess} px`] : [];
})"""

_LOST: Final = """() => {
  const lost = [];
  const is_seen = (node) => node.checkVisibility({ contentVisibilityAuto: true })
    && !node.closest(".sr-only") && node.getClientRects().length > 0;
  const whole = document.querySelector("main") ?? document.body ?? document.documentElement;
  for (const node of document.querySelectorAll("nav, .languages, .skip, .pager, button, .button"))
    if (is_seen(node)) lost.push(`of no use on paper: ${node.outerHTML.slice(0, 80)}`);
  const walker = document.createTreeWalker(whole, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  const open = [];
  const close = (level) => {
    while (open.length && open.at(-1).level >= level) {
      const heading = open.pop();
      if (!heading.filled) lost.push(`a heading without its content: ${heading.name}`);
    }
  };
  for (let node; node = walker.nextNode();) {
    const around = node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
    const level = Number(/^H([1-6])$/.exec(node.nodeName)?.[1]);
    if (level && is_seen(node)) {
      close(level);
      // What stands below a heading also stands below those above it.
      open.forEach((heading) => { heading.filled = true; });
      open.push({ level, name: node.innerText, filled: false });
    } else if (around.closest("h1, h2, h3, h4, h5, h6, summary")) {
      continue;
    } else if (node.nodeName === "svg" || node.nodeName === "IMG"
      || (node.nodeType === Node.TEXT_NODE && node.data.trim())) {
      if (is_seen(around)) open.forEach((heading) => { heading.filled = true; });
    }
  }
  close(1);
  for (const folded of document.querySelectorAll("details"))
    if (is_seen(folded) && ![...folded.children].slice(1).some(is_seen))
      lost.push(`folded: ${folded.innerText}`);
  for (const frame of document.querySelectorAll(".scroll"))
    if (is_seen(frame)
      && (frame.scrollWidth > frame.clientWidth || frame.scrollHeight > frame.clientHeight))
      lost.push(`cut: ${frame.ariaLabel || frame.innerText.slice(0, 40)}`);
  for (const node of document.querySelectorAll("h1, h2, h3, caption, .keys, .legend, summary"))
    if (is_seen(node) && getComputedStyle(node).breakAfter !== "avoid")
      lost.push(`parted from what follows: ${node.outerHTML.slice(0, 80)}`);
  return lost;
}"""


async def cut_tables(page: Page) -> list[str]:
    """Return the tables that are wider than a phone, folded ones too, and by how much."""
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    await page.evaluate(_UNFOLDED)
    cut: list[str] = await page.evaluate(_CUT)
    await page.evaluate(_FOLDED)
    return cut


async def lost_on_paper(page: Page) -> list[str]:
    """Return what a print of a page lacks, or has for nothing."""
    await page.set_viewport_size(PAPER)  # type: ignore[arg-type]
    await page.emulate_media(media="print")
    lost: list[str] = await page.evaluate(_LOST)
    await page.emulate_media(media="screen")
    return lost
