"""A summer night at a cooperative: its panels produced the days before, and a year earlier."""

from datetime import UTC, date, datetime
from functools import partial

from .town import ReleasedTown, day_of

NIGHT = datetime(2026, 6, 10, 2, 10, tzinfo=UTC)


def _by_day(watts: int, hour: int) -> int:
    return watts if 8 <= hour < 20 else 0


async def at_night(town: ReleasedTown) -> None:
    """Release two days with sun, this year and the year before, and a night."""
    everybody = await town.group()
    await town.join(everybody, 37)
    town.now = NIGHT
    for year, watts in ((2025, 5_000), (2026, 6_000)):
        hours = day_of(
            date(year, 6, 8),
            date(year, 6, 10),
            consumption=lambda hour: 10_000,
            production=partial(_by_day, watts),
            injection=partial(_by_day, 2_000),
        )
        ended = NIGHT.replace(minute=0)
        await town.release(
            everybody,
            {
                way: {start: value for start, value in own.items() if start < ended}
                for way, own in hours.items()
            },
        )
