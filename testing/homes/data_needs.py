"""A household with four series, and the data needs of two collectives."""

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import func, select

from consometers_node.permission import (
    Choice,
    DataNeed,
    DataNeedSeries,
    Permissions,
    Reading,
    ShownText,
    Signature,
)
from consometers_node.series import Device, Direction, Interval, Quantity, Range, Series
from consometers_node.store import PeerId, PermissionId, SeriesId, outbox
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.outbox import Queued
from consometers_node.store.tables import OutboxRow
from consometers_quoalise import Witness

HOURLY = Series(
    Device("urn:dev:prm:30001610071843"),
    Direction.CONSUMPTION,
    Quantity.ENERGY,
    Interval.PT1H,
    "Europe/Paris",
)
FINE = replace(HOURLY, interval=Interval.PT5M)
DAILY = replace(HOURLY, interval=Interval.P1D)
INJECTED = replace(HOURLY, direction=Direction.INJECTION)
PRODUCED = replace(HOURLY, direction=Direction.PRODUCTION)
POWER = replace(HOURLY, device=Device("sensor.power"), quantity=Quantity.POWER)
"""Of the same meter: Home Assistant has a statistic for each quantity."""
PRODUCED_POWER = replace(POWER, direction=Direction.PRODUCTION)

NEED = DataNeed(
    id="sunny-roofs",
    version=1,
    title={"en": "Sunny roofs", "fr": "Toits au soleil"},
    purpose={"en": "To size the next roof.", "fr": "Pour dimensionner le prochain toit."},
    recipients={"en": "Nobody else.", "fr": "Personne d’autre."},
    controller="Coop of Kersabiec",
    contact="dpo@coop.example",
    policy="https://coop.example/policy",
    series=frozenset(
        {
            DataNeedSeries(Direction.CONSUMPTION, Quantity.ENERGY),
            DataNeedSeries(Direction.INJECTION, Quantity.ENERGY),
        }
    ),
    interval=Interval.PT1H,
    history_days=30,
    duration_days=365,
    retention_days=90,
)
CHOICE = Choice(series=frozenset({HOURLY}), history_days=7, duration_days=60)
WITNESS = Witness(
    jid="commune@example.org",
    name="Commune of Kersabiec",
    contact="dpo@commune.example",
    url="https://commune.example",
    minimum=10,
)
PROTECTED = replace(NEED, id="sums", history_days=0, reading=Reading.SUM, witness=WITNESS)
CHOICE_OF_PROTECTED = Choice(series=frozenset({HOURLY}))
YES = Signature("user-1", ShownText("en", "I agree that my hourly consumption leaves."))
NO = Signature("user-1", ShownText("fr", "Je refuse."))
STOP = Signature("user-2", ShownText("fr", "J’arrête tout de suite."))


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


async def grant(
    permissions: Permissions, peer: PeerId, need: DataNeed = NEED, choice: Choice = CHOICE
) -> PermissionId:
    permission = await permissions.propose(peer, need, now())
    await permissions.grant(permission, choice, YES, now())
    return permission


async def queue(
    connection: AsyncConnection,
    peer: PeerId,
    permission: PermissionId,
    series_id: SeriesId,
    records: Range,
) -> None:
    queued = Queued(permission, series_id, records)
    await outbox.queue(connection, [(peer, queued)], at=now())


async def unsent(
    connection: AsyncConnection, peer: PeerId, most: int | None = None
) -> list[Queued]:
    """Return the records queued for a peer."""
    return [row.queued for row in await outbox.unsent(connection, [peer])][:most]


async def waiting(connection: AsyncConnection, peer: PeerId) -> int:
    """Count what is queued for a peer, or sent and not confirmed."""
    query = select(func.count()).select_from(OutboxRow).where(OutboxRow.peer_id == peer)
    return (await connection.execute(query)).scalar_one()


HEAT = replace(
    NEED,
    id="heat",
    title={"fr": "Chauffage"},
    purpose={"fr": "Isoler ce qui perd le plus."},
    retention_days=0,
)


NEED_OF_SUMS = replace(
    NEED,
    id="sums",
    series=frozenset(
        {
            DataNeedSeries(Direction.CONSUMPTION, Quantity.POWER),
            DataNeedSeries(Direction.PRODUCTION, Quantity.POWER),
        }
    ),
)
