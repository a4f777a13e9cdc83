"""The palette can be read: text at 4.5 to 1, lines and marks at 3 to 1, in light and in dark."""

from itertools import chain
import re

import pytest

from consometers_node.web.core.page_base import _STATIC

CSS = (_STATIC / "style.css").read_text()
TEXT = [
    *((ink, ground) for ink in ("ink", "soft", "brand") for ground in ("ground", "paper")),
    *((ink, "paper") for ink in ("good", "warn", "wrong")),
    ("wrong", "ground"),
    ("good", "ground"),
    ("warn", "ground"),
    ("good", "good-ground"),
    ("ink", "warn-ground"),
    ("wrong", "wrong-ground"),
    ("on-brand", "brand"),
    ("paper", "wrong"),
]
MARKS = [
    (mark, ground)
    for mark in ("edge", "grid", "fed", "made", "wrong", "brand")
    for ground in ("ground", "paper")
]


def palette(scheme: str) -> dict[str, str]:
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    declarations = chain.from_iterable(
        re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)
        for block in (blocks[:1] if scheme == "light" else blocks)
    )
    return dict(declarations)


def luminance(colour: str) -> float:
    parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, other: str) -> float:
    low, high = sorted((luminance(first), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_has_enough_contrast(scheme: str, ink: str, ground: str) -> None:
    colours = palette(scheme)
    assert contrast(colours[ink], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("mark", "ground"), MARKS)
def test_marks_have_enough_contrast(scheme: str, mark: str, ground: str) -> None:
    colours = palette(scheme)
    assert contrast(colours[mark], colours[ground]) >= 3


def test_stylesheet_uses_colours_of_the_palette_alone() -> None:
    rest = re.sub(r":root \{.*?\}", "", CSS, flags=re.DOTALL)
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b(?![-\w])(?=[;\s])", rest)
