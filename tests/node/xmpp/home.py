"""A small home to ask: one series, one peer that may read it, in memory."""

from collections.abc import Iterable
from datetime import UTC, datetime

from consometers_node.quoalise import (
    Data,
    DataNeed,
    Direction,
    Duration,
    Erased,
    GetHistory,
    Identifier,
    ItemNotFound,
    Listed,
    Measurement,
    Metadata,
    NotAuthorized,
    Number,
    Permission,
    Quantity,
    Receipt,
    Records,
    Role,
    State,
    Text,
    Wanted,
    identifier,
)
from consometers_node.xmpp import Answerer, Asker

SERIES = identifier.identifier("urn:dev:prm:30001610071843_consumption/power/active/raw")
HOUR = 3600
START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 2, 1, tzinfo=UTC)


def records(first: datetime, count: int) -> Data:
    """Hourly records whose values count the hours since START."""
    begin = int(first.timestamp())
    hour = (begin - int(START.timestamp())) // HOUR
    told: dict[Number, Number] = {begin + n * HOUR: hour + n for n in range(count)}
    measured = Measurement(
        name="active-power",
        direction="consumption",
        quantity="power",
        unit="W",
        sampling_interval=Duration(seconds=HOUR),
    )
    metadata = Metadata(measurement=measured)
    return Data(metadata, (Records(str(SERIES), "W", told),))


class Home(Answerer):
    """Answers those who may ask."""

    role = Role.HOUSEHOLD

    def __init__(self, *readers: str) -> None:
        self.readers = set(readers)
        self.subscribers: set[tuple[str, str]] = set()
        self.hours = 24 * 31
        self.terminated: list[str] = []

    async def get_history(self, asker: Asker, request: GetHistory) -> Data:
        self._admit(asker, request.identifier)
        start, end = request.range(NOW)
        first = max(start, START)
        hours = int((min(end, NOW) - first).total_seconds()) // HOUR
        return records(first, max(0, min(hours, self.hours)))

    async def subscribe(self, asker: Asker, series: Identifier) -> None:
        self._admit(asker, series)
        self.subscribers.add((asker.jid, asker.full))

    async def unsubscribe(self, asker: Asker, series: Identifier) -> None:
        self.subscribers = {one for one in self.subscribers if one[0] != asker.jid}

    async def list_series(self, asker: Asker) -> Iterable[Listed]:
        if asker.jid not in self.readers:
            return []
        return [Listed(series=SERIES, interval=Duration(seconds=HOUR), unit="W", first=START)]

    async def terminate(self, asker: Asker, permission: str) -> Receipt:
        self.terminated.append(permission)
        return Receipt(permission=permission, state=State.TERMINATED, time=NOW)

    def _admit(self, asker: Asker, series: Identifier) -> None:
        if asker.jid not in self.readers:
            raise NotAuthorized
        if series != SERIES:
            raise ItemNotFound


NEED = DataNeed(
    id="display",
    version=1,
    title=Text({"fr": "Affichage"}),
    purpose=Text({"fr": "Montrer la courbe de la commune"}),
    controller="Kersabiec",
    contact="contact@kersabiec.example",
    policy="https://kersabiec.example/donnees",
    wanted=(Wanted(Direction.CONSUMPTION, Quantity.POWER),),
    interval=Duration(seconds=HOUR),
    history=Duration(years=1),
    duration=Duration(years=1),
    retention=Duration(years=1),
)
PERMISSION = Permission(
    id="2f6c1f0a-52b7-4c39-9d0e-6a1b5f8e7c3d",
    need=NEED.id,
    version=NEED.version,
    series=(SERIES,),
    interval=NEED.interval,
    records_from=START,
    valid_from=START,
    valid_until=datetime(2027, 1, 1, tzinfo=UTC),
    shown_sha256="0" * 64,
    shown_language="fr",
)


class Collective(Answerer):
    """Asks for one thing, and takes it."""

    role = Role.COLLECTIVE

    def __init__(self) -> None:
        self.granted: list[tuple[str, Permission]] = []
        self.invitations: list[str | None] = []

    async def get_data_needs(self, asker: Asker, invitation: str | None) -> Iterable[DataNeed]:
        self.invitations.append(invitation)
        return [NEED]

    async def grant(self, asker: Asker, permission: Permission) -> Receipt:
        self.granted.append((asker.jid, permission))
        return Receipt(permission=permission.id, state=State.GRANTED, time=NOW)

    async def withdraw(self, asker: Asker, permission: str, *, erase: bool) -> Receipt:
        erased = (Erased(SERIES, 24),) if erase else ()
        return Receipt(permission=permission, state=State.WITHDRAWN, time=NOW, erased=erased)
