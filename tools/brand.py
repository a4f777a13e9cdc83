"""Renders the brand images from their drawings: `.venv/bin/python -m tools.brand`.

Home Assistant serves what lies in the integration's `brand` folder: icons of 256 pixels, logos 128
pixels high, each in double size too, and in colours for a dark background. The app store shows one
icon of 128 pixels and one logo, on whatever background. The public pages have one icon of 400
pixels on white, for messengers that show a link with a picture.
"""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from demo.browser import ARGUMENTS, CHROMIUM

ROOT = Path(__file__).parent.parent
DRAWINGS = ROOT / "docs" / "images" / "brand"
IMAGES = ROOT / "custom_components" / "consometers" / "brand"
STORE = ROOT / "addon"
PAGES = STORE / "consometers_node" / "web" / "static"

HEIGHTS = {"icon": 256, "logo": 128}
STORE_HEIGHTS = {"icon": 128, "logo": 100}
DARK = {"#8353d1": "#a280db", "#1f2937": "#ffffff"}
"""Colours that would be too dark on a dark background, and what stands for them there."""
PAGES_HEIGHT, PAGES_MARGIN = 328, 36
EITHER = {"#1f2937": "#8353d1"}
"""The same for a picture that is shown on any background."""


def render(browser: Browser, drawing: str, height: int) -> bytes:
    page = browser.new_page(viewport={"width": 2048, "height": height})
    page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{drawing}")
    svg = page.locator("svg")
    svg.evaluate("(svg, height) => svg.setAttribute('height', height)", height)
    png = svg.screenshot(omit_background=True)
    page.close()
    return png


def small(png: bytes) -> bytes:
    """Return the same picture with a palette."""
    out = BytesIO()
    reduced = Image.open(BytesIO(png)).quantize(method=Image.Quantize.FASTOCTREE)
    reduced.save(out, "PNG", optimize=True)
    return out.getvalue()


def on_white(png: bytes, margin: int) -> bytes:
    """Return the picture in the middle of a white one."""
    picture = Image.open(BytesIO(png))
    white = Image.new("RGB", [side + 2 * margin for side in picture.size], "white")
    white.paste(picture, (margin, margin), picture)
    out = BytesIO()
    white.save(out, "PNG")
    return out.getvalue()


def coloured(name: str, colours: Mapping[str, str]) -> str:
    """Return a drawing with other colours."""
    drawing = (DRAWINGS / f"{name}.svg").read_text()
    for colour, instead in colours.items():
        drawing = drawing.replace(colour, instead)
    return drawing


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        for name, height in HEIGHTS.items():
            for prefix, colours in (("", {}), ("dark_", DARK)):
                drawing = coloured(name, colours)
                for suffix, scale in (("", 1), ("@2x", 2)):
                    png = small(render(browser, drawing, scale * height))
                    (IMAGES / f"{prefix}{name}{suffix}.png").write_bytes(png)
        for name, height in STORE_HEIGHTS.items():
            png = small(render(browser, coloured(name, EITHER), height))
            (STORE / f"{name}.png").write_bytes(png)
        png = render(browser, coloured("icon", {}), PAGES_HEIGHT)
        (PAGES / "icon.png").write_bytes(small(on_white(png, PAGES_MARGIN)))
        browser.close()


if __name__ == "__main__":
    main()
