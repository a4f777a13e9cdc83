"""How often the forecast of a collective's surplus is right, on two years of the demo's street.

Each day is forecast with what is known the evening before, and beside it by persistence: the same
hour of the day before. Weather of the demo is clouds alone; no forecast of sunshine is used.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import cycle

from consometers_tic_virtual.world.civil import local
from consometers_tic_virtual.world.site import HOUSEHOLD, PANELS, SCHOOL, Site
from custom_components.consometers.node.computed.surplus import PAST_DAYS, Flows, forecast
from demo.world.hourly import hours

_END = datetime(2026, 11, 1, tzinfo=UTC)
_DAYS = 730
_HOMES = 40
_PEAKS_KWP = (3.0, 0.0, 4.5, 6.0, 0.0, 0.0, 0.0)
_FIRST_SEED = 100
_HOUR_S = 3_600

type Day = dict[int, Flows]


def main(arguments: Sequence[str]) -> int:
    """Print both rates; 1 where persistence is as good."""
    days = _by_day(_street())
    ours = _counted(days, _forecast)
    others = _counted(days, _persistence)
    for name, counts in (("forecast", ours), ("persistence", others)):
        print(
            f"{name:12} right in {_rate(counts):.2%} of the hours; of hours of surplus it names"
            f" {_share(counts, of_said=False):.1%}, and of those that it names"
            f" {_share(counts, of_said=True):.1%} are some"
        )
    print(f"{sum(ours.values())} hours of the demo, {_DAYS} days")
    return int(_rate(ours) <= _rate(others))


def _street() -> Iterator[Flows]:
    """Yield what all buildings injected and drew in each hour."""
    end = int(_END.timestamp()) // _HOUR_S
    first = end - 24 * _DAYS
    injected, drawn = [0] * (end - first), [0] * (end - first)
    buildings: list[tuple[Site, float, int]] = [(SCHOOL, 0.0, 1), (PANELS, PANELS.kwp, 1)]
    peaks = cycle(_PEAKS_KWP)
    buildings += [(HOUSEHOLD, next(peaks), _FIRST_SEED + n) for n in range(_HOMES)]
    for site, kwp, seed in buildings:
        for hour in hours(site, kwp, seed, first, end):
            injected[hour.n - first] += hour.injected_wh
            drawn[hour.n - first] += hour.drawn_wh
    for n, flows in enumerate(zip(injected, drawn, strict=True), first):
        yield Flows(local(n * _HOUR_S), *flows)


def _by_day(flows: Iterator[Flows]) -> dict[date, Day]:
    days: dict[date, Day] = {}
    for hour in flows:
        days.setdefault(hour.start.date(), {})[hour.start.hour] = hour
    return days


def _counted(
    days: dict[date, Day], predicted: Callable[[dict[date, Day], date], dict[int, bool]]
) -> Counter[tuple[bool, bool]]:
    """Count hours by whether a surplus was predicted, and whether there was one."""
    counts: Counter[tuple[bool, bool]] = Counter()
    for day in sorted(days)[PAST_DAYS + 1 :]:
        surplus = predicted(days, day)
        counts.update(
            (surplus[hour], flows.injected > flows.drawn)
            for hour, flows in days[day].items()
            if hour in surplus
        )
    return counts


def _forecast(days: dict[date, Day], day: date) -> dict[int, bool]:
    past = [
        flows
        for n in range(1, PAST_DAYS + 1)
        for flows in days.get(day - timedelta(days=n), {}).values()
    ]
    to_come = [flows.start for flows in days[day].values()]
    return {each.start.hour: each.is_surplus for each in forecast(past, to_come, {})}


def _persistence(days: dict[date, Day], day: date) -> dict[int, bool]:
    before = days.get(day - timedelta(days=1), {})
    return {hour: flows.injected > flows.drawn for hour, flows in before.items()}


def _rate(counts: Counter[tuple[bool, bool]]) -> float:
    return (counts[True, True] + counts[False, False]) / counts.total()


def _share(counts: Counter[tuple[bool, bool]], *, of_said: bool) -> float:
    """Return which share of what was said, or of what there was, is both."""
    other = (True, False) if of_said else (False, True)
    return counts[True, True] / (counts[True, True] + counts[other])
