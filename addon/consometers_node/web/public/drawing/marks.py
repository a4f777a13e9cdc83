"""Coordinates of a chart's bars, lines and marks, in percent of its width and height. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
import math
from typing import NamedTuple

from .charts import Chart, ChartInterval, Step

_BAR = 0.82
_INTERVALS = 7
_MOST_LABELS = 12
_NICE = (1, 2, 5, 10)
_TOP = 1000
"""The height of the drawing of a line, which is as wide as it has intervals."""

COLOURS: Mapping[str, str] = {
    "ground": "#ffffff",
    "ink": "#1c2733",
    "soft": "#4d5c6b",
    "line": "#ccd5de",
    "made": "#b86a00",
    "fed": "#8353d1",
    "drawn": "#3a7cac",
    "good": "#1b6b3a",
    "brand": "#1c5f92",
}
"""The light colours of style.css, for a picture that stands alone."""


class Bar(NamedTuple):
    """A rectangle, in percent."""

    x: float
    y: float
    width: float
    height: float


class Mark(NamedTuple):
    """A line across, and the energy that it stands for, in Wh."""

    y: float
    wh: float


class Label(NamedTuple):
    """An interval that has its name below, at `x`; `is_minor`: only where there is room."""

    x: float
    line: ChartInterval | None
    """None at the end of a day."""
    is_minor: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing, by kind; `lines` are paths over `count` by 1000."""

    count: int
    bars: Mapping[str, Sequence[Bar]]
    lines: Sequence[str]
    marks: Sequence[Mark]
    labels: Sequence[Label]
    most_wh: float


def draw(chart: Chart) -> Drawing:
    """Draw production upwards from the middle, and grid consumption downwards."""
    keys = "production", "consumption"
    made, drawn = ([line.wh(key) for line in chart.lines] for key in keys)
    before = [[line.wh_before(key) for line in chart.lines] for key in keys]
    high, low = (_most(*columns) for columns in ((made, before[0]), (drawn, before[1])))
    scale = _Scale(len(chart.lines), high, low)
    bars: dict[str, list[Bar]] = {"spot": [], "fed": [], "made": [], "drawn": []}
    for n, line in enumerate(chart.lines):
        spot, fed = line.row.split
        parts = {
            "spot": (0, spot),
            "fed": (spot, spot + fed),
            "made": (spot + fed, made[n] or 0),
            "drawn": (-(drawn[n] or 0), 0),
        }
        for kind, (bottom, top) in parts.items():
            if top > bottom:
                bars[kind].append(scale.bar(n, bottom, top))
    lines = [
        scale.line([None if wh is None else sign * wh for wh in column], chart.step)
        for sign, column in zip((1, -1), before, strict=True)
    ]
    return Drawing(
        count=len(chart.lines),
        bars={kind: shapes for kind, shapes in bars.items() if shapes},
        lines=[line for line in lines if line],
        marks=[Mark(scale.y(wh), wh) for wh in scale.marks()],
        labels=list(_labels(chart)),
        most_wh=max(high, low),
    )


class _Scale:
    """Positions of values between the least and the most of a chart."""

    def __init__(self, count: int, high: float, low: float) -> None:
        self._count = count
        self._step = _step((high + low) / _INTERVALS or 1)
        # The outermost lines are beyond the longest bars.
        self._levels = math.ceil(low / self._step - 1e-9), math.ceil(high / self._step - 1e-9)
        below, above = (count * self._step for count in self._levels)
        self._top = above or below / 10 or 1
        self._bottom = -below

    def y(self, wh: float) -> float:
        return round(100 * (self._top - wh) / (self._top - self._bottom), 2)

    def bar(self, n: int, bottom: float, top: float) -> Bar:
        width = 100 / self._count
        y = self.y(top)
        return Bar(
            round((n + (1 - _BAR) / 2) * width, 2),
            y,
            round(_BAR * width, 2),
            round(self.y(bottom) - y, 2),
        )

    def line(self, values: Sequence[float | None], step: Step) -> str:
        """Return a path: of hours in one go, of longer intervals a dash each."""
        path, pen = [], False
        for n, value in enumerate(values):
            if value is None:
                pen = False
                continue
            y = f"{self.y(value) * _TOP / 100:g}"
            if step is Step.HOUR:
                path.append(f"V{y}h1" if pen else f"M{n} {y}h1")
                pen = True
            else:
                path.append(f"M{n + 0.04:g} {y}h.92")
        return "".join(path)

    def marks(self) -> Iterator[float]:
        """Yield round values, at a distance that leaves room between them."""
        below, above = self._levels
        yield from (n * self._step for n in range(-below, above + 1))


def _step(rough: float) -> float:
    """Return the next round number."""
    power: float = 10 ** math.floor(math.log10(rough))
    return next(nice * power for nice in _NICE if nice * power >= rough)


def _labels(chart: Chart) -> Iterator[Label]:
    """Yield a name for every so many intervals: of hours where they start, else in the middle."""
    count = len(chart.lines)
    each = math.ceil(count / _MOST_LABELS)
    is_hour = chart.step is Step.HOUR
    for n, line in enumerate(chart.lines[::each]):
        yield Label(round(100 * (n * each + (0 if is_hour else 0.5)) / count, 2), line, n % 2 == 1)
    if is_hour and count % each == 0:
        yield Label(100, None, is_minor=(count // each) % 2 == 1)


def _most(*columns: Sequence[float | None]) -> float:
    return max((wh for column in columns for wh in column if wh is not None), default=0)
