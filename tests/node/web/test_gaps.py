"""A gap says why data is missing, what that means, and what a person can do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from consometers_node.household.recorder.home_assistant import HomeAssistant
from consometers_node.series import Range
from consometers_node.store import Store
from consometers_node.store.household.coverage import add_absence
from testing.home_assistant.toy import ToyHomeAssistant, ms
from testing.homes.data_needs import NEED
from testing.homes.served import DRAWN, ServedHome, allow, ask, running, toy
from testing.waiting import eventually

HOUR: Final = timedelta(hours=1)
PARIS: Final = ZoneInfo("Europe/Paris")
PARTLY: Final = "4 partly missing"
REASONS: Final = [
    "Home Assistant was off, or may have been",
    "the value jumped by more than a home can use",
    "the value went backwards",
    "Home Assistant has nothing of it",
]
"""The latest gap is first."""


def noon(days_ago: int) -> datetime:
    today = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days_ago)


def with_gaps() -> ToyHomeAssistant:
    """A Home Assistant of whose register an hour is missing, went back, jumped, was not seen."""
    house = toy()
    rows = {row["start"]: row for row in house.hours[DRAWN]}
    del rows[ms(noon(8))]
    rows[ms(noon(6))]["sum"] -= 5_000
    for start, row in rows.items():
        if start >= ms(noon(4)):
            row["sum"] += 1_000_000
    for hour in range(3):
        rows[ms(noon(2) + hour * HOUR)]["sum"] = rows[ms(noon(2) - HOUR)]["sum"]
    # Its first day is whole, at whatever hour the test runs.
    midnight = datetime.now(PARIS).replace(hour=0, minute=0, second=0, microsecond=0)
    first = ms(midnight.astimezone(UTC) - timedelta(days=9))
    house.hours[DRAWN] = [rows[start] for start in sorted(rows) if start >= first]
    return house


async def gaps(home: ServedHome) -> str:
    """Return the page of the series, once all of it was read."""
    look = partial(home.browser().open, "series/1")
    return (await eventually(look, lambda page: PARTLY in page.text)).text


async def test_gaps_say_why_and_what_to_do(
    file: Store, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with file.writing() as connection:
        await add_absence(connection, Range(noon(2) + HOUR / 2, noon(2) + 3 * HOUR))
    async with running(file, with_gaps()) as home:
        await allow(home, await ask(home), DRAWN)
        page = await gaps(home)
        places = [page.index(each) for each in REASONS]
        assert places == sorted(places)
        assert "There is nothing to do." in page
        assert "under Settings → Tools → Statistics" in page
        # Those of a collective are of what it was allowed.
        await allow(home, await ask(home, replace(NEED, history_days=1), "town@example.org"), DRAWN)
        cards = (await home.browser().open("")).text
        assert cards.count(PARTLY) == cards.count("partly missing") - 1 == 1
        # Without Home Assistant the gaps are there, and no reasons.
        monkeypatch.setattr(HomeAssistant, "is_connected", False)
        assert REASONS[0] not in await gaps(home)
