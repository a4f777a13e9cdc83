"""The homes whose masked reports are summed in an hour, in groups of enough of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Self

from consometers_node.collective.ingestion.arrivals import RECENT
from consometers_node.collective.permissions import needs
from consometers_node.series import Direction, Range
from consometers_node.store.collective.masked_reports import (
    StoredReport,
    SumPermission,
    claimed_by_others,
    read_individually,
    reports_of_hour,
    sum_permissions,
)
from consometers_node.store.collective.memberships import Membership
from consometers_node.store.collective.tables import GroupId, MemberId, MemberPermissionId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_quoalise.records.identifier import identifier


@dataclass(frozen=True, slots=True)
class MaskedHour:
    """The reports of an hour, by the witness that opens them and the commune of their homes.

    `reporters` are the members whose they are; `missing` those of which a report was expected.
    """

    reports: Mapping[str, Mapping[GroupId, Sequence[StoredReport]]] = field(default_factory=dict)
    reporters: Set[MemberId] = frozenset()
    missing: Set[MemberId] = frozenset()


NOTHING_MASKED = MaskedHour()


class Promised(NamedTuple):
    """How many homes a witness may sum, by commune or the rest; a sum is of a `minimum` of them."""

    homes: Counter[GroupId]
    minimum: int

    def are_enough(self, groups: Iterable[GroupId]) -> bool:
        """Return whether a sum of the homes of some groups may be opened."""
        return sum(self.homes[group] for group in groups) >= self.minimum


@dataclass(frozen=True, slots=True)
class MaskedSeries:
    """The senders of masked reports of a direction that count.

    `witness_of` is who opens them; `minimum` the most homes that a need with a witness promises.
    """

    direction: Direction
    counting: Mapping[MemberPermissionId, SumPermission] = field(default_factory=dict)
    witness_of: Mapping[MemberPermissionId, str] = field(default_factory=dict)
    minimum: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    async def read(cls, connection: AsyncConnection, direction: Direction) -> Self:
        """Read it. Permissions that hold count: leaving the collective is enough to be left out.

        Homes whose records of the direction are read individually count there alone. Of members
        that name one device, the reports of the one that counts are summed.
        """
        permissions = await sum_permissions(connection, direction)
        if not permissions:
            return cls(direction)
        individually = await read_individually(connection, direction)
        uncounted = await claimed_by_others(connection)
        counting = {
            key: permission
            for key, permission in permissions.items()
            if permission.is_granted
            and permission.member not in individually
            and not (uncounted and _key(permission) in uncounted)
        }
        versions = {(each.need, each.version) for each in counting.values()}
        witness_of: dict[MemberPermissionId, str] = {}
        minimum: dict[str, int] = {}
        asked = await needs.granted(connection, versions) if versions else {}
        for key, permission in counting.items():
            witness = asked[permission.need, permission.version].witness
            if witness is not None:
                witness_of[key] = witness.jid
                minimum[witness.jid] = max(minimum.get(witness.jid, 0), witness.minimum)
        return cls(direction, counting, witness_of, minimum)

    def homes(
        self,
        memberships: Mapping[MemberId, Membership],
        *,
        witness: str | None = None,
        start: datetime | None = None,
    ) -> Counter[GroupId]:
        """Return how many homes send reports, by commune or the rest.

        Of a `witness`, those whose reports it opens; of the hour of a `start`, those that may
        report it.
        """
        members = {
            permission.member
            for key, permission in self.counting.items()
            if (witness is None or self.witness_of.get(key) == witness)
            and (start is None or permission.records_from <= start)
        }
        return Counter(
            memberships[member].area
            for member in members
            if member in memberships and memberships[member].is_home
        )

    def promised(
        self, memberships: Mapping[MemberId, Membership], start: datetime, needed: int
    ) -> list[Promised]:
        """Return the homes that may report an hour, of each witness; a sum is of `needed` homes."""
        return [
            Promised(self.homes(memberships, witness=witness, start=start), max(needed, minimum))
            for witness, minimum in self.minimum.items()
        ]

    async def hour(
        self,
        connection: AsyncConnection,
        start: datetime,
        memberships: Mapping[MemberId, Membership],
        senders: Set[MemberId],
    ) -> MaskedHour:
        """Return the reports of an hour, of homes that are not among those who sent records."""
        # Most hours of a long past are before any permission: nothing is looked up of them.
        allowed = {
            key: permission
            for key, permission in self.counting.items()
            if permission.records_from <= start
        }
        if not allowed:
            return NOTHING_MASKED
        stored = {
            report.permission: report
            for report in await reports_of_hour(connection, self.direction, start)
        }
        recent = Range.of_day((start - RECENT).date()).start
        by_member: dict[MemberId, StoredReport] = {}
        expected = set[MemberId]()
        for key, permission in allowed.items():
            membership = memberships.get(permission.member)
            if membership is None or not membership.is_home or permission.member in senders:
                continue
            if (report := stored.get(key)) is not None and key in self.witness_of:
                by_member[permission.member] = report
            last = permission.last_received_at
            if last is not None and last >= recent:
                expected.add(permission.member)
        reports: defaultdict[str, defaultdict[GroupId, list[StoredReport]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for member, report in by_member.items():
            reports[self.witness_of[report.permission]][memberships[member].area].append(report)
        return MaskedHour(reports, frozenset(by_member), frozenset(expected - by_member.keys()))


def _key(permission: SumPermission) -> tuple[MemberId, str]:
    return permission.member, str(identifier(permission.identifier).device)
