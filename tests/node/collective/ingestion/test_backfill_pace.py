"""When a member is asked again."""

import asyncio
from typing import cast

from consometers_node.collective.ingestion.backfill import Backfill, BackfillPace, _Member
from consometers_node.collective.ingestion.write_queue import WriteQueue
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_quoalise import Identifier, ResourceConstraint
from consometers_quoalise_network import Asking
from testing.clocks import Hands, confirmed
from testing.collectives.members import AT, ZONE, EmptyMember, join


class ReadingMember(EmptyMember):
    """A member that still reads at first."""

    def __init__(self, refusals: int) -> None:
        super().__init__()
        self._refusals = refusals

    async def subscribe(self, peer: str, name: Identifier) -> None:
        self._refusals -= 1
        if self._refusals >= 0:
            raise ResourceConstraint


async def test_a_busy_member_is_asked_again_soon_then_ever_later(store: Store) -> None:
    async with store.writing() as connection:
        await join(connection, "a")
    home, queue = ReadingMember(6), WriteQueue(store, ZONE.key, lambda _: None)
    clock = await confirmed(store, Hands(AT))
    backfill = Backfill(store, cast("Asking", home), queue, Changes(), clock=clock)
    now, waits = asyncio.get_running_loop().time, list[float]()
    member = _Member()
    for _ in range(7):
        await backfill._visit("a@example.org", member)
        waits.append(member.due - now())
    *busy, done = waits
    for wait, longest in zip(busy, (5, 10, 20, 40, 60, 60), strict=True):
        assert longest / 2 - 1 < wait <= longest
    assert done > BackfillPace().longest_busy_s
    assert member.refusals == 0
