"""Members of a collective as an administrator meets them: some deliver all, some only a part."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import NAMESPACE_DNS, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from consometers_node.collective.members.members import Member, Members
from consometers_node.collective.permissions import needs
from consometers_node.collective.permissions.member_permissions import take
from consometers_node.series import Block, Device, Direction, Interval, Quantity, Series
from consometers_node.store.collective.tables import MemberPermissionRow, MemberPermissionSeriesRow
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.series import add_series, put_blocks
from consometers_quoalise import Identifier
from testing.collectives.members import OWN, meter, permission
from testing.homes.data_needs import NEED

_DAY = timedelta(days=1)
_WAYS = {Direction.CONSUMPTION: Direction.CONSUMPTION, Direction.INJECTION: Direction.PRODUCTION}


def permission_id_of(name: str) -> str:
    """Return the id of the permission that a home of this name gave."""
    return str(uuid5(NAMESPACE_DNS, name))


@dataclass
class Village:
    """A collective that admits members, with records on chosen days."""

    connection: AsyncConnection
    zone: ZoneInfo
    now: datetime

    @property
    def members(self) -> Members:
        return Members(self.connection, self.zone)

    async def join(
        self,
        name: str,
        *,
        area: str | None = "Lorient",
        days: int = 30,
        shares: dict[date, float] | None = None,
        share: float = 1,
        injects: bool = False,
        heard: timedelta | None = timedelta(hours=1),
        problem: str | None = None,
        hours_today: int = 0,
        watts: int = 400,
        begins: time = time(),
        id: str = "",
        meter_of: str = "",
    ) -> Member:
        """Admit a home, `share` of whose days is there but for the named ones.

        What it grants `begins` so many `days` ago. Nothing ever came from one that was not `heard`.
        Of today there are the first `hours_today` of UTC. It may name the `meter_of` another one.
        """
        member = await self.invite(name, area)
        ways = [Direction.CONSUMPTION, Direction.INJECTION][: 1 + injects]
        names = [meter(meter_of or name, _WAYS[way]) for way in ways]
        today = self.now.astimezone(self.zone).date()
        since = datetime.combine(today - days * _DAY, begins, self.zone).astimezone(UTC)
        at = since + _DAY
        received = permission(*names, id=id or permission_id_of(name), at=at, records_from=since)
        await take(self.members, member.id, received, at, own=OWN)
        days_of = [today - n * _DAY for n in range(1, days + 1)]
        for way, identifier in zip(ways, names, strict=True):
            if heard is None:
                continue
            records = {
                day: count
                for day in days_of
                if day <= (self.now - heard).date()
                and (count := round(24 * (shares or {}).get(day, share)))
            }
            if hours_today:
                records[self.now.date()] = hours_today
            blocks = {day: (watts,) * count for day, count in records.items()}
            await self._store_series(member, way, identifier, self.now - heard, blocks)
        if problem is not None:
            await self.connection.execute(
                update(MemberPermissionSeriesRow)
                .where(MemberPermissionSeriesRow.permission_id == received.id)
                .values(problem=problem)
            )
        return await self.members.get(member.id)

    async def invite(self, name: str, area: str | None = None) -> Member:
        """Admit a member that grants nothing."""
        await needs.offer(self.connection, replace(NEED, history_days=365), self.now - 90 * _DAY)
        return await self.members.admit(f"{name}@example.org", self.now - 80 * _DAY, area=area)

    async def _store_series(
        self,
        member: Member,
        way: Direction,
        identifier: Identifier,
        at: datetime,
        records: dict[date, tuple[int, ...]],
    ) -> None:
        device = Device(str(identifier.device))
        series = Series(device, way, Quantity.POWER, Interval.PT1H, self.zone.key)
        series_id = await add_series(self.connection, series, member.id)
        await self.connection.execute(
            update(MemberPermissionSeriesRow)
            .where(
                MemberPermissionSeriesRow.permission_id.in_(
                    select(MemberPermissionRow.id).where(MemberPermissionRow.member_id == member.id)
                ),
                MemberPermissionSeriesRow.identifier == str(identifier),
            )
            .values(series_id=series_id, last_received_at=at, backfilled_until=self.now)
        )
        blocks = [
            Block(series, day, values + (None,) * (24 - len(values)))
            for day, values in records.items()
        ]
        await put_blocks(self.connection, {series_id: blocks}, self.now)
