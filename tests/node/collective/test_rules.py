"""An administrator chooses how sums are published: what is out stays, and no choice is reckless."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from consometers_node.collective.disclosure import Agreed, ByLaw, Publication, Reason
from consometers_node.collective.reads import reads
from consometers_node.collective.releasing import Releasing
from consometers_node.collective.rules import (
    AT_ONCE,
    NOT_YET,
    BadRules,
    InForce,
    Rules,
    choose,
    chosen,
    go_back,
    read_rules,
    take_up,
    written_rules,
)
from consometers_node.collective.settings import Page, Settings, Xmpp
from consometers_node.series import Interval
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.clock import Clock
from consometers_node.store.settings import set_setting

from .publishing import AGREED, BEFORE, DAY, LATER, NOON, ZONE, Town

WRITTEN = Publication(basis=Agreed(10))
FIVE = Rules(Publication(basis=Agreed(5)))
BY = "Maëlle"


@pytest.fixture
async def connection(file: Store) -> AsyncIterator[AsyncConnection]:
    async with file.writing() as connection:
        yield connection


@pytest.fixture
async def town(connection: AsyncConnection) -> Town:
    return Town(connection)


def releasing(store: Store, rules: InForce, folder: Path) -> Releasing:
    settings = Settings(
        name="Énergies de Kersabiec",
        identifier="kersabiec",
        folder=folder,
        database=folder / "node.db",
        time_zone=ZoneInfo(ZONE),
        needs=(),
        xmpp=Xmpp(account="coop@example.org"),
        page=Page(),
        publication=rules.written,
    )
    return Releasing(store, settings, rules, Changes(), Clock())


async def test_the_file_holds_until_somebody_chooses(connection: AsyncConnection) -> None:
    rules = InForce(WRITTEN)
    assert await rules.read(connection) == Rules(WRITTEN, AT_ONCE)
    await choose(connection, FIVE, BY, NOON)
    assert (await rules.read(connection), rules.now) == (FIVE, FIVE)
    await go_back(connection, BY)
    assert await rules.read(connection) == Rules(WRITTEN)


@pytest.mark.parametrize(
    "rules",
    [
        FIVE,
        Rules(Publication(basis=ByLaw(), interval=Interval.PT30M), date(2026, 12, 1)),
        Rules(Publication(basis=Agreed(12), wait=timedelta(minutes=90)), NOT_YET),
    ],
)
async def test_a_choice_is_kept_as_it_is(connection: AsyncConnection, rules: Rules) -> None:
    await choose(connection, rules, BY, NOON)
    found = await chosen(connection)
    assert found is not None
    assert (found.rules, found.by, found.at) == (rules, BY, NOON)
    assert read_rules(written_rules(rules), rules.opens) == rules


async def test_who_chose_what_is_written_down(connection: AsyncConnection) -> None:
    await choose(connection, Rules(FIVE.publication, date(2026, 12, 1)), BY, NOON)
    await choose(connection, Rules(FIVE.publication, NOT_YET), BY, NOON)
    await go_back(connection, BY)
    told = [(one.who, one.what) for one in reversed(await reads(connection))]
    said = "publication basis=agreed minimum=5 interval=PT1H wait_minutes=20"
    assert told == [
        (BY, f"{said} opens=2026-12-01"),
        (BY, f"{said} opens=not yet"),
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
        ("name", "somebody else"),
        ("publication.minimum", 10),
    ],
)
def test_what_the_file_may_not_say_nobody_can_choose(key: str, value: object) -> None:
    with pytest.raises(BadRules) as caught:
        read_rules({"basis": "agreed", "interval": "PT1H", key: value})
    assert caught.value.key == key


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"rules": {"minimum": 2}, "opens": "0001-01-01", "by": "x", "at": "2026-01-01"}',
        '{"rules": {}, "opens": "soon", "by": "x", "at": "2026-01-01"}',
        '{"rules": {}, "opens": "2026-01-01", "by": "x", "at": "x"}',
        '{"rules": [], "opens": "2026-01-01", "by": "x", "at": "2026-01-01"}',
    ],
)
async def test_a_choice_that_cannot_be_read_lets_nothing_leave(
    connection: AsyncConnection, kept: str
) -> None:
    await set_setting(connection, "publication", kept)
    rules = InForce(WRITTEN)
    for _ in range(2):
        found = await rules.read(connection)
        assert found == Rules(WRITTEN, NOT_YET)
        assert not found.are_open(LATER, ZoneInfo(ZONE))
    await choose(connection, FIVE, BY, NOON)
    assert await rules.read(connection) == FIVE


@pytest.mark.parametrize(
    ("after", "before", "less"),
    [
        (Agreed(5), Agreed(10), True),
        (Agreed(10), Agreed(5), False),
        (Agreed(10), ByLaw(), True),
        (ByLaw(), Agreed(10), False),
        # By law, ten are enough for what is injected in a day.
        (ByLaw(), Agreed(50), True),
    ],
)
def test_it_is_known_what_protects_less(after: Any, before: Any, less: bool) -> None:
    mine, other = Rules(Publication(basis=after)), Rules(Publication(basis=before))
    assert mine.protect_less(other) is less
    finer = Rules(Publication(basis=before, interval=Interval.PT30M))
    assert finer.protect_less(other)
    assert not other.protect_less(finer)


def test_a_day_begins_where_the_collective_is() -> None:
    rules = Rules(WRITTEN, DAY)
    assert not rules.are_open(NOON - timedelta(hours=15), ZoneInfo(ZONE))
    assert rules.are_open(NOON - timedelta(hours=14), ZoneInfo(ZONE))


async def test_nothing_is_released_before_its_day(town: Town, file: Store, tmp_path: Path) -> None:
    rules = InForce(AGREED)
    work = releasing(file, rules, tmp_path)
    homes = await town.members(3)
    await town.tell(homes, 100, day=BEFORE)
    await choose(town.connection, Rules(AGREED, LATER.date()), BY, NOON)
    assert not await work.look(town.connection, LATER - timedelta(days=1))
    assert await town.shown(day=BEFORE) == []
    # Who comes before that is in it with all of its past.
    await town.tell(await town.member(), 50, day=BEFORE)
    await work.look(town.connection, LATER)
    assert (await town.shown(day=BEFORE))[:22] == 22 * [350]


async def test_what_is_out_stays_when_more_homes_are_wanted(town: Town) -> None:
    town.publication = Publication(basis=Agreed(3))
    await take_up(town.connection, town.publication, town.at)
    homes = await town.members(4)
    await town.tell(homes, 100)
    await town.look()
    assert await town.shown() == 24 * [400]
    town.publication = Publication(basis=Agreed(5))
    await take_up(town.connection, town.publication, town.at)
    await town.tell(homes, 200)
    await town.look()
    assert await town.shown() == 24 * [400]
    # Four changes are enough again, once four homes are.
    town.publication = Publication(basis=Agreed(4))
    await take_up(town.connection, town.publication, town.at)
    await town.look()
    assert await town.shown() == 24 * [800]


async def test_what_was_withheld_is_looked_at_again(town: Town) -> None:
    town.publication = Publication(basis=Agreed(5))
    await take_up(town.connection, town.publication, town.at)
    homes = await town.members(4)
    await town.tell(homes, 100, day=BEFORE)
    await town.tell(homes, 100)
    await town.look()
    assert await town.shown() == []
    town.publication = Publication(basis=Agreed(4))
    await town.look()
    assert await town.shown() == []
    await take_up(town.connection, town.publication, town.at)
    await town.look()
    assert await town.shown() == 24 * [400]
    assert await town.civil() == 24 * 400


async def test_a_commune_that_hid_in_a_total_is_never_shown_of_that_time(town: Town) -> None:
    town.publication = Publication(basis=Agreed(4))
    await take_up(town.connection, town.publication, town.at)
    lorient, lanester = await town.members(5, "Lorient"), await town.members(3, "Lanester")
    await town.tell([*lorient, *lanester], 100)
    await town.look()
    assert await town.shown() == 24 * [800]
    assert await town.shown("Lanester") == []
    town.publication = Publication(basis=Agreed(3))
    await take_up(town.connection, town.publication, town.at)
    await town.tell(lanester, 200)
    await town.look()
    assert await town.shown("Lanester") == []
    assert await town.reason("Lanester") is Reason.TOO_FEW


async def test_the_same_rules_are_taken_up_once(town: Town) -> None:
    await take_up(town.connection, AGREED, NOON)
    homes = await town.members(2)
    await town.tell(homes, 100)
    await town.look()
    waiting = await town.kept("to_release")
    await take_up(town.connection, AGREED, LATER)
    assert await town.kept("to_release") == waiting
    await take_up(town.connection, Publication(basis=Agreed(4)), NOON)
    assert await town.kept("to_release") != waiting
