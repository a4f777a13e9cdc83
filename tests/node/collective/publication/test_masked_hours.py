"""The masked reports of an hour."""

from datetime import timedelta
from typing import cast

import pytest

from consometers_node.collective.publication.closing.masked_hours import (
    NOTHING_MASKED,
    MaskedSeries,
)
from consometers_node.series import Direction
from consometers_node.store.collective.masked_reports import SumPermission
from consometers_node.store.collective.memberships import Membership
from consometers_node.store.collective.tables import GroupId, MemberId, MemberPermissionId
from consometers_node.store.engine.connection import AsyncConnection
from testing.collectives.members import AT


class Unread:
    """A database that nothing is to be looked up in."""

    def __getattr__(self, name: str) -> object:
        raise LookupError(name)


async def test_of_an_hour_before_all_permissions_nothing_is_looked_up() -> None:
    member, key = MemberId(1), MemberPermissionId("a")
    permission = SumPermission(
        key, member, "protected", 1, "urn:dev:org:60060-a_consumption", AT, AT, is_granted=True
    )
    masked = MaskedSeries(Direction.CONSUMPTION, {key: permission}, {key: "witness@example.org"})
    unread, where = cast("AsyncConnection", Unread()), {member: Membership(GroupId(1))}
    assert await masked.hour(unread, AT - timedelta(hours=1), where, set()) is NOTHING_MASKED
    with pytest.raises(LookupError):
        await masked.hour(unread, AT, where, set())
