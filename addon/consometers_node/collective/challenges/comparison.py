"""How the participants of a challenge did, each relative to all others. Pure.

A week of a participant is its use on some days over its use on the same days 52 weeks before, as a
logarithm. Weather, holidays and prices change it alike for all, and so drop out of the difference
between one participant and the mean of the others: difference-in-differences. The change is the
mean of these differences over the weeks. Their scatter from week to week gives its confidence
interval (Student's t, which the jackknife over weeks gives too), and says who is ahead of whom.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
import math
from statistics import fmean, stdev
from typing import NamedTuple

from consometers_node.collective.calendar import Span

WEEK_DAYS = 7
YEAR = timedelta(weeks=52)
"""From a day to the compared one: of the same name and season."""
LEAST_DAYS = 4
"""How many days of a week must be known."""
LEAST_WEEKS = 3
"""From how many weeks on their scatter is significant."""
CONFIDENCE = 0.95
_SAME = 1e-9


class DayUse(NamedTuple):
    """A home's use on a day, and on the same day of the year before."""

    now: float
    before: float


type Uses = Mapping[date, DayUse]


@dataclass(frozen=True, slots=True)
class Week:
    """A week in which all compared participants are known, with the number of days."""

    span: Span
    days: int
    uses: Mapping[str, DayUse]

    def change(self, name: str) -> float:
        """Return how much a participant used more than in the year before: −0.1 is 10 % less."""
        return math.expm1(self.log(name))

    def relative(self, name: str) -> float:
        """Return the same relative to all others."""
        return math.expm1(self.relative_log(name))

    def log(self, name: str) -> float:
        """Return the logarithm of a participant's use over that of the year before."""
        use = self.uses[name]
        return math.log(use.now / use.before)

    def relative_log(self, name: str) -> float:
        """Return that logarithm less the mean of the others'."""
        return self.log(name) - fmean(self.log(other) for other in self.uses if other != name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a participant did: its change relative to the others, and since the year before.

    The change lies between `low` and `high`, and the rank between `first` and `last`, with a
    confidence of 95 % each; None before there are weeks enough.
    """

    change: float
    year_change: float
    low: float | None = None
    high: float | None = None
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All weeks that could be compared, and who stands where: the largest saving first."""

    weeks: Sequence[Week]
    standings: Mapping[str, Standing]

    @property
    def is_ranked(self) -> bool:
        """Whether there are weeks enough for ranks."""
        return len(self.weeks) >= LEAST_WEEKS

    @property
    def is_conclusive(self) -> bool:
        """Whether any two participants differ significantly."""
        count = len(self.standings)
        return self.is_ranked and any(
            (standing.first, standing.last) != (1, count) for standing in self.standings.values()
        )


def weeks_of(span: Span) -> list[Span]:
    """Return the weeks of a challenge, from its first day on; the last one may be shorter."""
    step = timedelta(days=WEEK_DAYS)
    starts = [span.first + n * step for n in range(-(-len(span) // WEEK_DAYS))]
    return [Span(start, min(start + step - timedelta(days=1), span.last)) for start in starts]


def compare(uses: Mapping[str, Uses], weeks: Sequence[Span]) -> Comparison:
    """Compare participants over some weeks.

    Left out are participants of whom fewer than half of the weeks are known, then days and weeks
    that are not known of all others.
    """
    compared = {name: days for name, days in uses.items() if knows_half(days, weeks)}
    if len(compared) < 2:
        return Comparison([], {})
    common = [week for span in weeks if (week := _week(compared, span)) is not None]
    return Comparison(common, _standings(common, list(compared)) if common else {})


def knows_half(days: Uses, weeks: Sequence[Span]) -> bool:
    """Return whether at least half of the weeks are known."""
    count = sum(sum(day in days for day in week) >= LEAST_DAYS for week in weeks)
    return 2 * count >= len(weeks) > 0


def _week(compared: Mapping[str, Uses], span: Span) -> Week | None:
    """Return a week on the days that are known of all; None where these are too few."""
    days = [day for day in span if all(day in uses for uses in compared.values())]
    sums = {
        name: DayUse(sum(uses[day].now for day in days), sum(uses[day].before for day in days))
        for name, uses in compared.items()
    }
    if len(days) < LEAST_DAYS or any(min(use) <= 0 for use in sums.values()):
        return None
    return Week(span, len(days), sums)


def _standings(weeks: Sequence[Week], names: Sequence[str]) -> Mapping[str, Standing]:
    logs = {name: [week.log(name) for week in weeks] for name in names}
    relative = {name: [week.relative_log(name) for week in weeks] for name in names}
    means = {name: fmean(logs) for name, logs in relative.items()}
    standings = {}
    for name in sorted(names, key=means.__getitem__):
        change = means[name]
        standing = Standing(change=math.expm1(change), year_change=math.expm1(fmean(logs[name])))
        if len(weeks) >= LEAST_WEEKS:
            margin = _margin(relative[name], CONFIDENCE)
            first, last = _ranks(logs, name)
            low, high = math.expm1(change - margin), math.expm1(change + margin)
            standing = replace(standing, low=low, high=high, first=first, last=last)
        standings[name] = standing
    return standings


def _ranks(logs: Mapping[str, Sequence[float]], name: str) -> tuple[int, int]:
    """Return the best and the worst rank that a participant may have.

    All comparisons of it with the others hold together, with the confidence of one (Bonferroni).
    """
    others = [log for other, log in logs.items() if other != name]
    confidence = 1 - (1 - CONFIDENCE) / len(others)
    ahead = behind = 0
    for other in others:
        differences = [mine - theirs for mine, theirs in zip(logs[name], other, strict=True)]
        mean, margin = fmean(differences), _margin(differences, confidence) + _SAME
        ahead += mean > margin
        behind += mean < -margin
    return 1 + ahead, len(logs) - behind


def _margin(values: Sequence[float], confidence: float) -> float:
    """Return half the length of the confidence interval of a mean."""
    deviation = stdev(values) / math.sqrt(len(values))
    return student_t(confidence, len(values) - 1) * deviation


@lru_cache(maxsize=256)
def student_t(confidence: float, degrees: int) -> float:
    """Return the value that Student's t stays below, in size, with a confidence."""
    low, high = 0.0, 1.0
    while _within(high, degrees) < confidence:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < confidence else (low, middle)
    return high


def _within(t: float, degrees: int) -> float:
    """Return how probable a smaller t is: Abramowitz and Stegun, 26.7.3 and 26.7.4."""
    angle = math.atan2(t, math.sqrt(degrees))
    cosine = math.cos(angle)
    is_odd = degrees % 2
    term = cosine if is_odd else 1.0
    total = 0.0
    for n in range(1 + is_odd, degrees, 2):
        total += term
        term *= cosine**2 * n / (n + 1)
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if is_odd else total
