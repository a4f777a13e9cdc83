"""What was released of a row, and what has changed since: read, and kept again after a look."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ..store.collective_tables import GroupId, MemberId
from ..store.releases import (
    Kept,
    RowKey,
    Unreleased,
    groups_of,
    put_unreleased,
)
from .atoms import Fresh, Groups, Standing
from .disclosure import Reason
from .sheets import Known

_HOME = "home"


@dataclass(slots=True)
class Outcome:
    """What was released of a row: as it was kept, and as it is to be kept."""

    row: RowKey
    kept: Mapping[GroupId, Kept]
    standings: dict[GroupId, Standing]
    length: int

    @classmethod
    def read(
        cls, row: RowKey, kept: Mapping[GroupId, Kept], groups: Iterable[GroupId], length: int
    ) -> Outcome:
        """Give the standing of each of these groups."""
        found = {
            group: _standing(kept[group]) if group in kept else Standing.new(length)
            for group in groups
        }
        return cls(row, kept, found, length)

    def of(self, group: GroupId) -> Standing:
        """Give the standing of a group: nothing was released of one that is not here."""
        return self.standings.get(group) or Standing.new(self.length)

    def places_out(self, group: GroupId) -> set[int]:
        """Give the places of which something was released."""
        standing = self.standings[group]
        return {place for place in range(len(standing.reasons)) if standing.is_out(place)}

    def changed(self, at: datetime) -> dict[GroupId, Kept]:
        """Give what has become of it, where that is to be kept."""
        now = {group: _kept(standing, at) for group, standing in self.standings.items()}
        nothing = _kept(Standing.new(self.length), at)
        return {group: one for group, one in now.items() if one != self.kept.get(group, nothing)}


@dataclass(slots=True)
class Changes:
    """Homes whose part of a row is no longer what was released of it."""

    row: RowKey
    members: dict[MemberId, Unreleased]
    where: list[Mapping[MemberId, set[GroupId]]]
    areas: Collection[GroupId]
    touched: set[MemberId] = field(default_factory=set)

    @classmethod
    async def read(
        cls,
        connection: AsyncConnection,
        row: RowKey,
        members: dict[MemberId, Unreleased],
        groups: Groups | None,
        in_month: Sequence[date],
    ) -> Changes:
        """Read in which groups they count in the month of each place."""
        by_month = {
            month: await groups_of(connection, members.keys(), month) for month in set(in_month)
        }
        areas = () if groups is None else groups.areas
        return cls(row, members, [by_month[month] for month in in_month], areas)

    def fresh(self, standing: Standing) -> dict[int, list[Fresh]]:
        """Give by place what may be released anew."""
        found: dict[int, list[Fresh]] = {}
        for member, one in self.members.items():
            if one.kind != _HOME:
                continue
            for place, (before, now) in enumerate(zip(one.before, one.now, strict=True)):
                if before != now and not one.counted[place] and standing.is_out(place):
                    area = next(iter(self.where[place][member] & set(self.areas)), None)
                    found.setdefault(place, []).append(Fresh(member, area, before, now))
        return found

    def released(self, first: Iterable[int], counted: Iterable[tuple[int, MemberId]]) -> None:
        """Take it that these places were released first, and these changes of homes anew."""
        for place in first:
            for member, one in self.members.items():
                one.before[place] = one.now[place]
                self.touched.add(member)
        for place, member in counted:
            one = self.members[member]
            one.before[place], one.counted[place] = one.now[place], 1
            self.touched.add(member)

    def corrected(self, known: Known, place: int, group: GroupId) -> Known:
        """Give what is known without those who are in what was released as the homes they were."""
        for member, one in self.members.items():
            was = one.before[place]
            if one.kind != _HOME and was is not None and group in self.where[place][member]:
                known = Known(known.watt_minutes - was, known.members - 1)
        return known

    async def save(self, connection: AsyncConnection) -> None:
        """Keep which changes were released."""
        touched = {member: self.members[member] for member in self.touched}
        await put_unreleased(connection, self.row, touched)


def _standing(kept: Kept) -> Standing:
    reasons = [Reason(one) for one in kept.reasons]
    return Standing(list(kept.sums), list(kept.counts), reasons, kept.final, kept.released_at)


def _kept(standing: Standing, at: datetime) -> Kept:
    return Kept(
        tuple(standing.sums),
        tuple(standing.counts),
        bytes(standing.reasons),
        standing.final,
        at if standing.is_new else standing.released_at,
    )
