"""A collective with released figures, made by hand and served to loopback."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import ClientSession
from sqlalchemy import delete, insert, select
from yarl import URL

from consometers_node.collective.about import About
from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.members.members import MemberKind, Members
from consometers_node.collective.members.sites import Description
from consometers_node.collective.permissions import needs
from consometers_node.collective.permissions.member_permissions import take
from consometers_node.collective.settings import PageSettings, Settings, Xmpp
from consometers_node.collective.witness.service import WitnessService
from consometers_node.i18n.text import Text
from consometers_node.rate_limit import TokenBucket
from consometers_node.series import Direction, Interval, Record
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.collective.groups import GroupKind
from consometers_node.store.collective.publication import ClosedInterval, PublishedCell, write
from consometers_node.store.collective.tables import (
    GroupId,
    GroupMembershipRow,
    MemberGroupRow,
    MemberRow,
)
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.public.site import PublicSite
from consometers_quoalise import Identifier
from consometers_quoalise.records.identifier import organisation
from testing.collectives.members import OWN, permission
from testing.homes.data_needs import NEED
from testing.pages.browser import Browser

ZONE = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 6, 10, 13, 25, tzinfo=UTC)
"""A Wednesday in June, 15:25 in Lorient."""
HOUR = timedelta(hours=1)
UNLIMITED = 10**9
_DAWN = date(2020, 1, 1)

ABOUT = About(
    sentence=Text(
        {
            "fr": "Des foyers et une école de Lorient qui suivent leur électricité ensemble.",
            "en": "Homes and a school of Lorient that look at their electricity together.",
        }
    ),
    mail="contact@lorient.example",
    phone="+33 2 97 00 00 00",
    address="1 quai du Port, 56100 Lorient",
    legal_name="Énergies de Lorient",
    legal_form="association loi de 1901",
    registration="W561000000",
    publisher="la présidence de l’association",
    host_name="Hébergeur solidaire",
    host_address="2 quai du Port, 56100 Lorient",
    host_phone="+33 2 97 00 00 01",
)
"""All that the law has a collective say."""

type Hours = Mapping[Direction, Mapping[datetime, int]]
"""Mean W of each hour, by its start."""


def settings(folder: Path, **other: object) -> Settings:
    usual = Settings(
        name="Énergies de Lorient",
        identifier="lorient",
        folder=folder,
        database=folder / "node.db",
        time_zone=ZONE,
        needs=(),
        xmpp=Xmpp(account="coop@example.org"),
        page=PageSettings(),
        publication=Publication(minimum=10),
        webhook="https://chat.lorient.example/hooks/1",
        about=ABOUT,
    )
    return replace(usual, **other)  # type: ignore[arg-type]


@dataclass
class ReleasedTown:
    """Its database, and what time it is there."""

    store: Store
    settings: Settings
    now: datetime = NOW
    url: URL = field(default_factory=URL)
    session: ClientSession | None = None
    published: set[PublishedCell] = field(default_factory=set)

    def browser(self, language: str = "en") -> Browser:
        assert self.session is not None
        return Browser(self.session, self.url, "", language)

    async def group(self, kind: GroupKind = GroupKind.ALL, name: str = "") -> GroupId:
        async with self.store.writing() as connection:
            return await _group(connection, kind, name)

    async def join(self, group: GroupId, homes: int) -> None:
        """Add so many homes that count in a group."""
        async with self.store.writing() as connection:
            rows = [
                {
                    "pseudonym": f"home{group}x{n}",
                    "jid": f"home{group}x{n}@example.org",
                    "kind": "home",
                    "joined_at": self.now,
                }
                for n in range(homes)
            ]
            made = await connection.execute(insert(MemberRow).returning(MemberRow.id), rows)
            count = {"group_id": group, "from_month": _DAWN}
            members = [count | {"member_id": member} for member in made.scalars()]
            await connection.execute(insert(GroupMembershipRow), members)

    async def below(self, group: GroupId, *allowed: Direction) -> None:
        """Add a collective that counts in a group, and grant its sums of some directions."""
        async with self.store.writing() as connection:
            members = Members(connection, ZONE)
            collective = await members.admit(
                "below@example.org", self.now, kind=MemberKind.COLLECTIVE
            )
            await needs.offer(connection, NEED, self.now)
            names = [
                Identifier(organisation("below"), f"{way}/power/active/raw") for way in allowed
            ]
            await take(members, collective.id, permission(*names, at=self.now), self.now, own=OWN)
            count = {"member_id": collective.id, "group_id": group, "from_month": _DAWN}
            await connection.execute(
                delete(GroupMembershipRow).where(GroupMembershipRow.member_id == collective.id)
            )
            await connection.execute(insert(GroupMembershipRow).values(count))

    async def site(self, name: str, description: Description, area: str | None = None) -> GroupId:
        """Add a public building that is shown."""
        group = await self.group(GroupKind.SITE, name)
        async with self.store.writing() as connection:
            await connection.execute(
                insert(MemberRow).values(
                    pseudonym=f"site{group}",
                    jid=f"site{group}@example.org",
                    kind="site",
                    name=name,
                    description=description.pack(),
                    area=area,
                    joined_at=self.now,
                )
            )
        return group

    async def release(
        self,
        group: GroupId,
        hours: Hours,
        members: int = 37,
        *,
        homes: int | None = None,
        counting: int | None = None,
        step: Interval = Interval.PT1H,
        in_part: bool = False,
        daily: bool = True,
        lacks_homes: bool = False,
    ) -> None:
        """Publish hours, and the civil days that have all of theirs, once.

        The members are homes, all of those that count, unless it is said otherwise. `in_part`: also
        the days that have some of their hours; not `daily`: no days. One that `lacks_homes` is
        without those that were suppressed.
        """
        homes = members if homes is None else homes
        cells = []
        for direction, watts in hours.items():
            records = [
                Record(start, value * step.minutes) for start, value in sorted(watts.items())
            ]
            days = _days(watts, step, in_part=in_part) if daily else {}
            for interval, some in ((step, dict.fromkeys(records, 1)), (Interval.P1D, days)):
                cells += [
                    PublishedCell(
                        group=group,
                        direction=direction,
                        interval=interval,
                        start=record.start,
                        day=record.start.astimezone(ZONE).date(),
                        watt_minutes=record.value,
                        members=members,
                        homes=homes,
                        counting=homes if counting is None else counting,
                        homes_watt_minutes=record.value * homes // members,
                        average=round(record.value / members),
                        minutes=step.minutes * count,
                        lacking=step.minutes * count if lacks_homes else 0,
                    )
                    for record, count in some.items()
                ]
        new = [cell for cell in cells if cell not in self.published]
        self.published.update(new)
        async with self.store.writing() as connection:
            await write(connection, new, [])

    async def release_day(
        self,
        group: GroupId,
        day: date,
        direction: Direction,
        wh: int,
        members: int,
        *,
        homes: int,
        hours: int = 24,
        hours_lacking: int = 0,
    ) -> None:
        """Publish a civil day, of so many of its hours, some of them without homes."""
        cell = PublishedCell(
            group=group,
            direction=direction,
            interval=Interval.P1D,
            start=datetime.combine(day, time(), ZONE).astimezone(UTC),
            day=day,
            watt_minutes=60 * wh,
            members=members,
            homes=homes,
            counting=homes,
            homes_watt_minutes=60 * wh * homes // members,
            average=round(60 * wh / members),
            minutes=60 * hours,
            lacking=60 * hours_lacking,
        )
        async with self.store.writing() as connection:
            await write(connection, [cell], [])

    async def close(
        self,
        starts: Iterable[datetime],
        reason: Reason | None = None,
        *,
        direction: Direction = Direction.CONSUMPTION,
        interval: Interval = Interval.PT1H,
        responses: int = 0,
    ) -> None:
        """Close intervals whose sum of homes is suppressed for a reason."""
        closed = [
            ClosedInterval(
                direction=direction,
                interval=interval,
                start=start,
                closed_at=self.now,
                expected=responses,
                response=responses,
                reason=reason,
            )
            for start in starts
        ]
        async with self.store.writing() as connection:
            await write(connection, [], closed)


@asynccontextmanager
async def serving(
    town: ReleasedTown,
    limits: TokenBucket | None = None,
    clock: Callable[[], datetime] | None = None,
    changes: Changes | None = None,
    witness: WitnessService | None = None,
) -> AsyncIterator[ReleasedTown]:
    public = PublicSite(
        town.store,
        town.settings,
        "0",
        limits=limits or TokenBucket(UNLIMITED, 1),
        changes=changes,
        witness=witness,
        now=clock or (lambda: town.now),
    )
    async with public.listening("127.0.0.1", 0) as port, ClientSession() as session:
        town.url, town.session = URL(f"http://127.0.0.1:{port}/"), session
        yield town


def hours_of(first: date, last: date | None = None) -> list[datetime]:
    """Return when the hours of civil days start."""
    return list(day_of(first, last, consumption=lambda _: 0)[Direction.CONSUMPTION])


def day_of(first: date, last: date | None = None, **watts: Callable[[int], int]) -> Hours:
    """Return hours of civil days, each direction as a function of the hour."""
    starts = []
    at = datetime.combine(first, time(), ZONE).astimezone(UTC)
    end = datetime.combine((last or first) + timedelta(days=1), time(), ZONE)
    while at < end:
        starts.append(at)
        at += HOUR
    return {
        Direction(name): {start: watts_of_home(start.astimezone(ZONE).hour) for start in starts}
        for name, watts_of_home in watts.items()
    }


async def _group(connection: AsyncConnection, kind: GroupKind, name: str) -> GroupId:
    query = select(MemberGroupRow.id).where(
        MemberGroupRow.kind == kind, MemberGroupRow.name == name
    )
    stored = (await connection.execute(query)).scalar_one_or_none()
    if stored is not None:
        return stored
    made = insert(MemberGroupRow).values(kind=kind, name=name).returning(MemberGroupRow.id)
    return (await connection.execute(made)).scalar_one()


def _days(watts: Mapping[datetime, int], step: Interval, *, in_part: bool) -> Mapping[Record, int]:
    """Return the sum of each civil day, and of how many intervals it is."""
    sums: dict[date, list[int]] = {}
    for start, value in watts.items():
        sums.setdefault(start.astimezone(ZONE).date(), []).append(value * step.minutes)
    days = {}
    for day, values in sorted(sums.items()):
        start, end = (
            datetime.combine(utc_day, time(), ZONE).astimezone(UTC)
            for utc_day in (day, day + timedelta(days=1))
        )
        if in_part or len(values) * timedelta(minutes=step.minutes) == end - start:
            days[Record(start, sum(values))] = len(values)
    return days


async def open_data(town: ReleasedTown, path: str, status: int = 200) -> Mapping[str, Any]:
    page = await town.browser().open(f"data/{path}")
    assert page.status == status, page.html
    kind = "application/json" if status == 200 else "application/problem+json"
    assert page.headers["Content-Type"].startswith(kind)
    document: Mapping[str, Any] = json.loads(page.html)
    return document
