"""Members of a collective, what they have, and what it holds of them, published or not."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from consometers_node.collective.settings import Settings
from consometers_node.permission import Choice, DataNeed
from consometers_node.series import Block, Direction, Range
from consometers_node.sharing.names import load_naming
from consometers_node.store import PermissionId, Store
from consometers_node.store.collective.memberships import member_blocks, member_counts
from consometers_node.store.series import MemberCount
from consometers_quoalise_network import Account, Join
from demo.servers.prosody import Prosody
from testing.collectives.running import Coop, settings
from testing.homes.data_needs import CHOICE, NEED
from testing.homes.running import RunningHome, decisions_confirmed, running
from testing.networks import PASSWORD
from testing.run import DEADLINE_S
from testing.xmpp.plain_peer import Reachable

type Values = dict[datetime, int]
type Sums = dict[datetime, tuple[int, int]]
"""The sum of the values of members by their start, and how many members that sums."""

_DAY = timedelta(days=1)


async def held(store: Store, direction: Direction, within: Range) -> Sums:
    """Add up what members sent of power, all of them at the same step."""
    sums: Sums = {}
    async with store.reading() as connection:
        days = within.start.date(), within.end.date()
        rows = await member_blocks(connection, direction, *days)
        counted = {
            (number, day): Block.values_of(packed)
            for number, day, packed in await member_counts(connection, direction, *days)
        }
    for row in rows:
        values = Block.values_of(row.packed)
        counts = counted.get((row.series, row.day), (MemberCount(1).packed,) * len(values))
        midnight = datetime.combine(row.day, time(), UTC)
        for n, (value, count) in enumerate(zip(values, counts, strict=True)):
            start = midnight + n * _DAY / len(values)
            if value is not None and count is not None and start in within:
                total, members = sums.get(start, (0, 0))
                sums[start] = total + value, members + MemberCount.unpack(count).members
    return sums


async def run_collective(
    stack: AsyncExitStack, folder: Path, server: Prosody, adapt: Callable[[Settings], Settings]
) -> Coop:
    """Run a collective with adapted settings, until the stack ends."""
    store = await Store.open(folder / "coop.db")
    stack.push_async_callback(store.close)
    jid = server.register("coop", PASSWORD)
    coop = Coop(store, server, jid, adapt(settings(folder, jid, "kersabiec")))
    await coop.start()
    stack.push_async_callback(coop.stop)
    return coop


@dataclass(eq=False)
class Member:
    """A home, its permission, and what its own records are."""

    house: RunningHome
    permission: PermissionId
    values: Values = field(default_factory=dict)

    @property
    def jid(self) -> str:
        return self.house.address.partition("/")[0]

    async def write(self, values: Mapping[datetime, int]) -> None:
        """Have these records, new or corrected."""
        self.values.update(values)
        await self.house.keep(dict(self.values))


async def settle(
    stack: AsyncExitStack,
    file: Path,
    server: Reachable,
    account: Account,
    invitation: Join,
    *,
    covered: Range,
    past: Mapping[datetime, int],
    need: DataNeed = NEED,
    choice: Choice = CHOICE,
) -> Member:
    """Run a home that has some past, and joins a collective."""
    store = await Store.open(file)
    stack.push_async_callback(store.close)
    naming = await load_naming(store)
    house = await stack.enter_async_context(
        running(
            store,
            server,
            account.jid,
            invitation.collective,
            password=account.password,
            naming=naming,
        )
    )
    await house.connection.online(DEADLINE_S)
    await house.ledger.cover(covered.start, covered.end)
    await house.keep(dict(past))
    await house.sharing.asking.get_data_needs(invitation.collective, invitation.token)
    member = Member(house, await house.grant(need, choice), dict(past))
    await decisions_confirmed(house)
    return member


def summed(members: Iterable[Member]) -> Values:
    """Add up what homes have, where all of them have something."""
    first, *others = [member.values for member in members]
    return {
        start: value + sum(values[start] for values in others)
        for start, value in first.items()
        if all(start in values for values in others)
    }
