"""An attacker reads all figures of records and protected sums, each time that they change.

A witness answers late, some later hours before earlier ones, and refuses some homes. Each home's
hour carries a mark of its own, so every figure shows whose hours it sums, whatever the program
believes.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given, strategies as st
import pytest

from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.permissions.member_permissions import withdraw
from consometers_node.series import Interval
from consometers_node.store import Store
from consometers_node.store.collective.masked_reports import openings
from consometers_node.store.collective.tables import GroupId, MemberId
from testing.collectives.attack import STORIES, Attacker, Over, Unknown, disclosed
from testing.collectives.masked import MaskedHome, MaskedTown

AREAS = ["Lorient", "Lanester", None]
START = datetime(2026, 7, 15, 10, tzinfo=UTC)
HOURS = 3
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
MASKED = range(6)
READ = range(10, 15)
_DIGIT = 2
"""Bits of a mark: a home may be in a figure of a day once an hour."""
_OF_A_MASKED_HOME = 1 << _DIGIT * 7
_OF_A_READ_HOME = 1 << 40

type Key = tuple[GroupId, str, datetime]


def mark(home: int) -> int:
    return 1 << _DIGIT * home


def marked(watts: int) -> Iterator[tuple[int, int]]:
    """Yield the homes that a figure sums, and how often."""
    marks = watts % _OF_A_MASKED_HOME + (watts % _OF_A_READ_HOME >> 20 << 20)
    for home in (*MASKED, *READ):
        if times := marks // mark(home) % (1 << _DIGIT):
            yield home, times


class Watched:
    """A town, and all that an attacker ever read of it."""

    def __init__(self, town: MaskedTown, random: Random) -> None:
        self.town = town
        self.random = random
        self.attacker = Attacker()
        self.masked: dict[int, MaskedHome] = {}
        self.read: dict[int, MemberId] = {}
        self.hours: dict[Key, int] = {}
        self.changes = 0

    async def populate(self) -> None:
        for home in READ:
            self.read[home] = await self.town.member(self.random.choice(AREAS))
        for home in MASKED:
            self.masked[home] = await self.town.masked_home(self.random.choice(AREAS))

    async def send(self, start: datetime) -> None:
        """Homes send an hour, or not; some draw nothing, or much."""
        for home, member in self.read.items():
            if self.random.random() < 0.8:
                watts = self.random.choice([1] * 6 + [0, 8]) * _OF_A_READ_HOME + mark(home)
                await self.town.record_hour(member, watts, start)
        for home, masked in self.masked.items():
            if self.random.random() < 0.8:
                wh = self.random.choice([1] * 6 + [0, 2]) * _OF_A_MASKED_HOME + mark(home)
                await self.town.push(masked.jid, self.town.reports(masked, [wh], start))

    async def answer(self) -> None:
        """The witness answers some of the hours, and has lost some of the keys."""
        pending = await openings(self.town.connection, unanswered=True)
        lost = [home for home in self.masked.values() if self.random.random() < 0.1]
        chosen = {asked.start for asked in pending if self.random.random() < 0.5}
        await self.town.answer_openings(
            self.town.witness(lost), asks=lambda asked: asked.start in chosen
        )

    async def look(self, at: datetime) -> None:
        """Close what is due, and read all figures."""
        while await self.town.close(at):
            pass
        for key, cell in (await self.town.all_cells()).items():
            watts, rest = divmod(cell.watt_minutes, 60)
            assert not rest
            if self.hours.get(key) == watts:
                continue
            self.changes += key in self.hours
            self.hours[key] = watts
            inside = dict(marked(watts))
            if key[1] == Interval.PT1H:
                assert set(inside.values()) <= {1}
                assert cell.homes == len(inside) <= cell.counting
                figure: dict[Unknown, int] = {(home, key[2]): 1 for home in inside}
                self.attacker.see(figure)
        for (group, step, _), watts in self.hours.items():
            if step == Interval.P1D:
                of_group = {key: part for key, part in self.hours.items() if key[0] == group}
                assert watts == sum(
                    part for key, part in of_group.items() if key[1] == Interval.PT1H
                )


@pytest.mark.timeout(600)
@STORIES
@given(st.integers(0, 10**9), st.sampled_from([3, 4]))
async def test_late_protected_sums_disclose_nobody(file: Store, seed: int, minimum: int) -> None:
    """Not with the figures before them, nor with each other, nor for a few colluding homes."""
    random = Random(seed)
    with suppress(Over):
        async with file.writing() as connection:
            town = MaskedTown(connection, at=START)
            town.publication = Publication(minimum=minimum)
            scenario = Watched(town, random)
            await scenario.populate()
            for hour in range(HOURS):
                start = START + hour * HOUR
                town.at = start + HOUR + 5 * MINUTE
                await scenario.send(start)
                await scenario.look(town.at)
                await scenario.answer()
                await scenario.look(start + HOUR + 45 * MINUTE)
                if random.random() < 0.3:
                    gone = random.choice([*scenario.masked.values()])
                    await withdraw(town.people, gone.member, gone.permission, town.at, erase=True)
            await scenario.look(START + timedelta(days=2))
            await scenario.answer()
            await scenario.look(START + timedelta(days=2))
            await town.answer_openings()
            await scenario.look(START + timedelta(days=2))
            assert not await town.rows("opening")
            assert not disclosed(scenario.attacker.figures, [*MASKED, *READ], min(minimum, 3))
            raise Over
