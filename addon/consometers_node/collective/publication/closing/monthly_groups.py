"""Where each member counts in a month, and which communes the month publishes together."""

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import date, datetime
import json

from consometers_node.collective.calendar import month_of, stretches
from consometers_node.collective.disclosure.closing import MonthGroups, combine_small
from consometers_node.collective.members.members import Members
from consometers_node.series import Device, Direction, Interval, Series
from consometers_node.store.collective.groups import GroupKind, all_groups
from consometers_node.store.collective.memberships import (
    Membership,
    groups_and_memberships,
    senders,
)
from consometers_node.store.collective.publication import combined
from consometers_node.store.collective.published_series import devices, own_series
from consometers_node.store.collective.tables import GroupId, MemberId
from consometers_node.store.settings import set_setting, setting
from consometers_protected_sums.pooling import Groups

from .blocks import Months

type Together = Mapping[str, MonthGroups[GroupId]]
"""The groups published together, by the setting that stores them for a month."""

_COMMUNES = frozenset({GroupKind.AREA, GroupKind.REST})


@dataclass(frozen=True, slots=True)
class GroupsOfMonth:
    """Where each member counts in a month, and the groups that there are.

    `everybody` is None as long as nobody was a member; `communes` are the names of communes, and of
    members in none, by group.
    """

    memberships: Mapping[MemberId, Membership]
    everybody: GroupId | None
    communes: Mapping[GroupId, str]


class MonthlyGroups:
    """Memberships and groups of a collective, each month read once in a transaction."""

    def __init__(
        self, members: Members, collective: str, at: datetime, together: Together | None = None
    ) -> None:
        """Read for a collective (its identifier).

        `together` is what an earlier transaction decided, and committed.
        """
        self._connection = members.connection
        self.zone = members.zone.key
        self._collective = collective
        self._at = at
        self._months: dict[date, GroupsOfMonth] = {}
        self._homes: dict[tuple[date, Direction], Counter[GroupId]] = {}
        self._senders: dict[Direction, Set[MemberId]] = {}
        self._devices: Mapping[GroupId, Device] = {}
        self._together: dict[str, MonthGroups[GroupId]] = dict(together or {})
        self._combined: dict[Groups[GroupId], GroupId] = {}

    @property
    def together(self) -> Together:
        """The groups published together, of the months looked up so far."""
        return self._together

    async def of(self, day: date) -> GroupsOfMonth:
        """Return the groups of the month of a civil day."""
        month = month_of(day)
        if month not in self._months:
            groups, memberships = await groups_and_memberships(self._connection, month, self._at)
            everybody = (group.id for group in groups if group.kind is GroupKind.ALL)
            communes = {group.id: group.name for group in groups if group.kind in _COMMUNES}
            self._months[month] = GroupsOfMonth(memberships, next(everybody, None), communes)
        return self._months[month]

    async def memberships(self, day: date) -> Mapping[MemberId, Membership]:
        """Return where each member counts in the month of a civil day."""
        return (await self.of(day)).memberships

    async def months(self, day: date, step: Interval) -> Months:
        """Return where each member counts in each stretch of a UTC day."""
        return [
            (stretch, await self.memberships(stretch.month))
            for stretch in stretches(self.zone, step, day)
        ]

    async def published_together(
        self,
        month: date,
        direction: Direction,
        homes: Mapping[GroupId, int],
        minimum: int | None,
        *,
        witness: str | None = None,
    ) -> MonthGroups[GroupId]:
        """Return which groups a month publishes together, decided with its first interval.

        `witness` opens the reports of these homes; None stands for homes that send records.
        """
        key = f"together.{month}.{direction}.{minimum}{f'.{witness}' if witness else ''}"
        if key in self._together:
            return self._together[key]
        if (stored := await setting(self._connection, key)) is not None:
            together = MonthGroups(
                frozenset(GroupId(group) for group in groups) for groups in json.loads(stored)
            )
        else:
            together = combine_small(homes, minimum)
            decided = sorted(sorted(groups) for groups in together)
            await set_setting(self._connection, key, json.dumps(decided))
        self._together[key] = together
        return together

    async def homes(self, month: date, direction: Direction) -> Counter[GroupId]:
        """Return how many homes that send a direction count in a month, by commune or the rest."""
        if (month, direction) not in self._homes:
            where = await self.memberships(month)
            homes = self._homes[month, direction] = Counter[GroupId]()
            # All homes of a commune share one membership.
            for membership, count in Counter(
                map(where.get, await self._senders_of(direction))
            ).items():
                if membership is not None and membership.is_home:
                    homes[membership.area] += count
        return self._homes[month, direction]

    def note_senders(self, direction: Direction, members: Set[MemberId]) -> None:
        """Note the members with series in a direction: they were read with the blocks of a day."""
        self._senders[direction] = members

    async def _senders_of(self, direction: Direction) -> Set[MemberId]:
        if direction not in self._senders:
            self._senders[direction] = await senders(self._connection, direction)
        return self._senders[direction]

    async def group(self, groups: Groups[GroupId], communes: Mapping[GroupId, str]) -> GroupId:
        """Return the group that stands for communes published together; `communes` names them."""
        if len(groups) == 1:
            return next(iter(groups))
        if groups not in self._combined:
            self._combined[groups] = await combined(self._connection, groups, communes)
        return self._combined[groups]

    async def series(self, group: GroupId, direction: Direction, interval: Interval) -> Series:
        """Return the series of the collective that has the published cells of a group."""
        if group not in self._devices:
            self._devices = devices(self._collective, await all_groups(self._connection))
        return own_series(self._devices[group], direction, interval, self.zone)
