"""An administrator chooses how sums are published: what is out stays, and no choice is reckless."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.ingestion.arrivals import Arrivals
from consometers_node.collective.publication.closing.worker import Publishing
from consometers_node.collective.publication.policy import (
    AT_ONCE,
    NOT_YET,
    BadRules,
    InForce,
    Rules,
    choose,
    chosen,
    go_back,
    open_from,
    opened,
    read_rules,
    written_rules,
)
from consometers_node.series import Interval
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.clock import Clock
from consometers_node.store.collective.access_log import reads
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.settings import set_setting
from testing.collectives.publishing import AGREED, BEFORE, DAY, LATER, NOON, ZONE, PublishingTown
from testing.pages.town import settings

WRITTEN = Publication(minimum=10)
FIVE = Rules(Publication(minimum=5), AT_ONCE)
BY = "Maëlle"


@pytest.fixture
async def connection(file: Store) -> AsyncIterator[AsyncConnection]:
    async with file.writing() as connection:
        yield connection


async def test_settings_file_applies_until_an_administrator_chooses(
    connection: AsyncConnection,
) -> None:
    rules = InForce(WRITTEN)
    assert await rules.read(connection, NOON) == Rules(WRITTEN, NOT_YET)
    await choose(connection, FIVE, BY, NOON)
    assert (await rules.read(connection, NOON), rules.now) == (FIVE, FIVE)
    await go_back(connection, BY)
    assert await rules.read(connection, NOON) == Rules(WRITTEN, AT_ONCE)


async def test_a_new_collective_is_closed_until_somebody_opens_it(
    connection: AsyncConnection,
) -> None:
    rules = InForce(WRITTEN)
    assert not (await rules.read(connection, NOON)).are_open(LATER, ZoneInfo(ZONE))
    await open_from(connection, AT_ONCE, BY, NOON)
    assert (await rules.read(connection, NOON)).are_open(NOON, ZoneInfo(ZONE))
    opening = await opened(connection)
    assert opening is not None
    assert opening.since(ZoneInfo(ZONE)) == NOON
    # Opening it again changes nothing: hours closed since then stay so.
    await open_from(connection, AT_ONCE, BY, LATER)
    assert await opened(connection) == opening
    await go_back(connection, BY)
    assert (await rules.read(connection, NOON)).are_open(NOON, ZoneInfo(ZONE))
    await open_from(connection, NOT_YET, BY, NOON)
    assert not (await rules.read(connection, NOON)).are_open(LATER, ZoneInfo(ZONE))


@pytest.mark.parametrize(
    "rules",
    [
        FIVE,
        Rules(Publication(minimum=None, interval=Interval.PT30M), date(2026, 12, 1)),
        Rules(Publication(minimum=12, wait=timedelta(minutes=90)), NOT_YET),
    ],
)
async def test_chosen_rules_survive_a_round_trip(connection: AsyncConnection, rules: Rules) -> None:
    await choose(connection, rules, BY, NOON)
    choice = await chosen(connection)
    assert choice is not None
    assert (choice.rules.publication, choice.by, choice.at) == (rules.publication, BY, NOON)
    assert await InForce(WRITTEN).read(connection, NOON) == rules
    assert read_rules(written_rules(rules), rules.opens) == rules


async def test_choices_are_logged_with_their_author(connection: AsyncConnection) -> None:
    await choose(connection, Rules(FIVE.publication, date(2026, 12, 1)), BY, NOON)
    await choose(connection, Rules(FIVE.publication, NOT_YET), BY, NOON)
    await go_back(connection, BY)
    entries = [(entry.who, entry.what) for entry in reversed(await reads(connection))]
    expected = (
        "publication basis=agreed minimum=5 interval=PT1H wait_minutes=20 longest_wait_minutes=120"
    )
    assert entries == [
        (BY, expected),
        (BY, "publication opens=2026-12-01"),
        (BY, expected),
        (BY, "publication opens=not yet"),
        (BY, "publication as the file says"),
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("minimum", 2),
        ("minimum", 0),
        ("minimum", -3),
        ("minimum", "ten"),
        ("minimum", True),
        ("minimum", None),
        ("minimum", "3; DROP TABLE setting"),
        ("basis", "whatever"),
        ("interval", "P1D"),
        ("interval", "PT1M"),
        ("interval", ""),
        ("wait_minutes", 0),
        ("wait_minutes", 1441),
        ("longest_wait_minutes", 2881),
        ("name", "somebody else"),
        ("publication.minimum", 10),
    ],
)
def test_administrators_cannot_exceed_the_limits_of_the_file(key: str, value: object) -> None:
    with pytest.raises(BadRules) as caught:
        read_rules({"basis": "agreed", "interval": "PT1H", key: value})
    assert caught.value.key == key


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"rules": {"minimum": 2}, "by": "x", "at": "2026-01-01"}',
        '{"rules": {}, "by": "x", "at": "x"}',
        '{"rules": [], "by": "x", "at": "2026-01-01"}',
    ],
)
async def test_unreadable_choice_stops_publication(
    connection: AsyncConnection, stored: str
) -> None:
    await set_setting(connection, "publication", stored)
    rules = InForce(WRITTEN)
    for _ in range(2):
        publication = await rules.read(connection, NOON)
        assert publication == Rules(WRITTEN, NOT_YET)
        assert not publication.are_open(LATER, ZoneInfo(ZONE))
    await choose(connection, FIVE, BY, NOON)
    assert (await rules.read(connection, NOON)).publication == FIVE.publication


@pytest.mark.parametrize(
    ("after", "before", "less"),
    [
        (5, 10, True),
        (10, 5, False),
        (10, None, True),
        (None, 10, False),
        # By law, ten are enough for what is injected in a day.
        (None, 50, True),
    ],
)
def test_rules_that_protect_less_are_recognised(
    after: int | None, before: int | None, less: bool
) -> None:
    mine, other = Rules(Publication(minimum=after)), Rules(Publication(minimum=before))
    assert mine.protect_less(other) is less
    finer = Rules(Publication(minimum=before, interval=Interval.PT30M))
    assert finer.protect_less(other)
    assert not other.protect_less(finer)


def test_publication_opens_at_local_midnight() -> None:
    rules = Rules(WRITTEN, DAY)
    assert not rules.are_open(NOON - timedelta(hours=15), ZoneInfo(ZONE))
    assert rules.are_open(NOON - timedelta(hours=14), ZoneInfo(ZONE))


async def test_nothing_is_published_before_the_opening_day(file: Store, tmp_path: Path) -> None:
    work = Publishing(
        file,
        settings(tmp_path, identifier="kersabiec"),
        InForce(AGREED),
        Changes(),
        arrivals=Arrivals(),
        clock=Clock(),
        is_online=lambda: True,
    )
    async with file.writing() as connection:
        town = PublishingTown(connection)
        await town.record(await town.members(3), 100, day=BEFORE)
        await choose(connection, Rules(AGREED, LATER.date()), BY, NOON)
    assert not await work.look(NOON, LATER - timedelta(days=1))
    async with file.writing() as connection:
        town.connection = connection
        assert await town.shown(day=BEFORE) == []
        # Who joins before it opens counts with all of its past.
        await town.record(await town.member(), 50, day=BEFORE)
    while await work.look(NOON, LATER):
        pass
    async with file.reading() as connection:
        town.connection = connection
        assert await town.shown(day=BEFORE) == 24 * [350]
