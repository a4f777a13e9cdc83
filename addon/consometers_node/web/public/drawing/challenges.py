"""Coordinates of a challenge's charts: across in percent, down in lines of text. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
import math
from typing import NamedTuple

from consometers_node.collective.challenges.comparison import Standing
from consometers_node.collective.challenges.results import Participant, Result

ROW = 3.4
"""The height of a participant's row."""
WEEKS_ROW = 5.2
_HALF = 1.5
"""The maximum height of a bar, from the middle of its row on."""
_MIDDLE = 3.2
_FARTHEST = 0.6
"""Beyond a change of 60 % an interval is cut."""
_BAR = 0.7
_EDGE = 4
_NICE = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
_MOST_TICKS = 7
_MOST_LABELS = 12


class Tick(NamedTuple):
    """A value of the scale, and its position."""

    x: float
    change: float


@dataclass(frozen=True, slots=True)
class RankedRow:
    """A participant: its change at `x`, its interval from `low` to `high`; `y` is its top."""

    participant: Participant
    standing: Standing
    y: float
    x: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class RankingDrawing:
    """The changes of all participants on one scale."""

    rows: Sequence[RankedRow]
    zero: float
    objective: float
    ticks: Sequence[Tick]
    height: float


def draw_ranking(result: Result, most: int | None = None) -> RankingDrawing:
    """Draw each participant's saving, with intervals: all of them, or the best ones."""
    shown = result.compared[:most]
    standings = [each.standing for each in shown if each.standing is not None]
    ends = [0.0, result.challenge.objective]
    for standing in standings:
        ends += [end for end in (standing.low, standing.change, standing.high) if end is not None]
    least, largest = max(min(ends), -_FARTHEST), min(max(ends), _FARTHEST)
    room = 0.07 * (largest - least)
    least, largest = least - room, largest + room

    def x(change: float) -> float:
        inside = min(max(change, least), largest)
        return round(100 * (inside - least) / (largest - least), 2)

    step = next((nice for nice in _NICE if (largest - least) / nice <= _MOST_TICKS), _NICE[-1])
    ticks = range(math.ceil(least / step), math.floor(largest / step) + 1)
    rows = [
        RankedRow(
            participant=participant,
            standing=participant.standing,
            y=n * ROW,
            x=x(participant.standing.change),
            low=None if participant.standing.low is None else x(participant.standing.low),
            high=None if participant.standing.high is None else x(participant.standing.high),
        )
        for n, participant in enumerate(shown)
        if participant.standing is not None
    ]
    return RankingDrawing(
        rows=rows,
        zero=x(0),
        objective=x(result.challenge.objective),
        ticks=[
            tick
            for tick in (Tick(x(n * step), n * step) for n in ticks)
            if _EDGE <= tick.x <= 100 - _EDGE
        ],
        height=round(len(rows) * ROW, 2),
    )


class WeekBar(NamedTuple):
    """The change of a week, as a bar from the middle of its row."""

    x: float
    y: float
    width: float
    height: float
    is_saving: bool


@dataclass(frozen=True, slots=True)
class WeeksRow:
    """The weeks of a participant; `y` is the top of its row, `middle` where no change is."""

    participant: Participant
    y: float
    middle: float
    objective: float
    bars: Sequence[WeekBar]


@dataclass(frozen=True, slots=True)
class WeeksDrawing:
    """The changes of each week, a row for each participant, on one scale."""

    rows: Sequence[WeeksRow]
    labels: Sequence[tuple[float, int]]
    """Where the number of a week stands."""
    height: float


def draw_weeks(result: Result, most: int | None = None) -> WeeksDrawing:
    """Draw how much each participant saved in each week, relative to the others."""
    weeks, first = result.comparison.weeks, result.challenge.first_day
    shown = result.compared[:most]
    names = [each.place.slug for each in shown]
    sizes = [abs(week.relative(name)) for week in weeks for name in names]
    largest = min(max([abs(result.challenge.objective), *sizes]), _FARTHEST)
    width = 100 / max(result.weeks, 1)

    def bar(number: int, change: float, middle: float) -> WeekBar:
        size = round(_HALF * min(abs(change), largest) / largest, 3)
        return WeekBar(
            x=round((number + (1 - _BAR) / 2) * width, 2),
            y=round(middle if change < 0 else middle - size, 3),
            width=round(_BAR * width, 2),
            height=size,
            is_saving=change < 0,
        )

    rows = []
    for n, participant in enumerate(shown):
        middle = n * WEEKS_ROW + _MIDDLE
        bars = [
            bar((week.span.first - first).days // 7, week.relative(participant.place.slug), middle)
            for week in weeks
        ]
        objective = round(middle - _HALF * max(result.challenge.objective, -largest) / largest, 3)
        rows.append(
            WeeksRow(participant, round(n * WEEKS_ROW, 2), round(middle, 2), objective, bars)
        )
    each = math.ceil(result.weeks / _MOST_LABELS)
    labels = [
        (round((number + 0.5) * width, 2), number + 1) for number in range(0, result.weeks, each)
    ]
    return WeeksDrawing(rows, labels, round(len(rows) * WEEKS_ROW, 2))
