"""A collective as the protocol has it: it asks, is granted, subscribes, reads the past, erases.

Once it was granted series it asks for nothing that any Quoalise client would not ask for.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final, override

from consometers_node.backoff import Backoff
from consometers_node.quoalise import (
    Data,
    DataNeed,
    DataNeedSeries,
    Direction,
    Duration,
    Erased,
    Identifier,
    ItemNotFound,
    Permission,
    Quantity,
    Receipt,
    ResourceConstraint,
    Role,
    State,
    Text,
)
from consometers_node.xmpp import (
    Account,
    Answerer,
    Answering,
    Asker,
    Asking,
    Connection,
    Discovery,
    Ping,
    Receiving,
)
from demo.prosody import Prosody
from tests.node.xmpp.conftest import PASSWORD, reach

TOKEN: Final = "sesame"
HISTORY_DAYS: Final = 40
NEED: Final = DataNeed(
    id="display",
    version=1,
    title=Text({"en": "What a village makes", "fr": "Ce que fait un village"}),
    purpose=Text(
        {
            "en": "To show on the wall of the town hall, hour by hour, how much of what the village"
            " uses is made on its own roofs.",
            "fr": "Montrer sur le mur de la mairie, heure par heure, quelle part de ce que le"
            " village consomme vient de ses propres toits.",
        }
    ),
    recipients=Text(
        {
            "en": "The town, in sums of ten homes or more.",
            "fr": "La commune, par dix foyers ou plus.",
        }
    ),
    controller="Coopérative d’exemple",
    contact="donnees@cooperative.example",
    policy="https://cooperative.example/donnees",
    series=(
        DataNeedSeries(Direction.CONSUMPTION, Quantity.ENERGY),
        DataNeedSeries(Direction.INJECTION, Quantity.ENERGY),
    ),
    interval=Duration(seconds=3600),
    history=Duration(days=HISTORY_DAYS),
    duration=Duration(years=2),
    retention=Duration(months=6),
)

_MONTH: Final = timedelta(days=30)
_ASKS_AGAIN_S: Final = 0.5


class Cooperative(Answerer):
    """Keeps what it is told, by series."""

    role = Role.COLLECTIVE

    def __init__(self, asking: Asking) -> None:
        self.permissions: dict[str, Permission] = {}
        self.records: defaultdict[str, dict[datetime, int]] = defaultdict(dict)
        self._asking = asking
        self._tasks: set[asyncio.Task[None]] = set()

    @override
    async def get_data_needs(self, asker: Asker, invitation: str | None) -> Iterable[DataNeed]:
        return [NEED] if invitation == TOKEN else []

    @override
    async def grant(self, asker: Asker, permission: Permission) -> Receipt:
        if permission.id not in self.permissions:
            self.permissions[permission.id] = permission
            task = asyncio.create_task(self._read(asker.full, permission))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return _receipt(permission.id, State.GRANTED)

    @override
    async def withdraw(self, asker: Asker, permission: str, *, erase: bool) -> Receipt:
        granted = self.permissions.get(permission)
        if granted is None:
            raise ItemNotFound
        if not erase:
            return _receipt(permission, State.WITHDRAWN)
        erased = [
            Erased(series, len(self.records.pop(str(series), ()))) for series in granted.series
        ]
        return _receipt(permission, State.WITHDRAWN, erased)

    async def keep(self, _sender: str, data: Data) -> None:
        for record in data.records:
            for second, value in record.values.items():
                self.records[record.name][datetime.fromtimestamp(float(second), UTC)] = int(value)

    async def _read(self, home: str, permission: Permission) -> None:
        """Ask to be told what is new, then for the past, month by month."""
        for series in permission.series:
            await self._asking.subscribe(home, series)
        until = datetime.now(UTC)
        for series in permission.series:
            start = permission.records_from
            while start < until:
                end = min(start + _MONTH, until)
                await self.keep(home, await self._month(home, series, start, end))
                start = end

    async def _month(self, home: str, series: Identifier, start: datetime, end: datetime) -> Data:
        while True:
            try:
                return await self._asking.get_history(home, series, start, end)
            except ResourceConstraint:
                await asyncio.sleep(_ASKS_AGAIN_S)


@asynccontextmanager
async def cooperating(server: Prosody, user: str = "coop") -> AsyncIterator[Cooperative]:
    """Connect a collective to the network, with an account of that server."""
    connection = Connection(
        Account(server.register(user, PASSWORD), PASSWORD),
        server=reach(server),
        backoff=Backoff(first_seconds=0.05, most_seconds=0.4),
    )
    cooperative = Cooperative(Asking(connection))
    Ping(connection)
    Discovery(connection, cooperative.role, receives=True)
    Answering(connection, cooperative)
    Receiving(connection, cooperative.keep)
    async with connection:
        await connection.online()
        yield cooperative


def _receipt(permission_id: str, state: State, erased: Iterable[Erased] = ()) -> Receipt:
    now = datetime.now(UTC).replace(microsecond=0)
    return Receipt(permission=permission_id, state=state, time=now, erased=tuple(erased))
