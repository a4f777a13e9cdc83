"""All that a node holds, but its secrets: access, portability and erasure are rights."""

from collections.abc import AsyncIterator, Iterator, Mapping
import csv
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import io
import json

from sqlalchemy.ext.asyncio import AsyncConnection

from ..permission import Permissions, Signature, State
from ..quoalise import iso8601
from ..series import Range, Record, Series
from ..store import PeerId, PermissionId, SeriesId, Store
from ..store.answers import answers, receipts
from ..store.coverage import absences
from ..store.peers import all_peers, subscriptions
from ..store.pulled import all_pulled
from ..store.series import all_series, blocks, erase_series, extent
from . import consent_text

type Told = bool | int | float | str | list[Told] | dict[str, Told] | None

_EVER = Range(datetime(1978, 7, 5, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
_A_MONTH = timedelta(days=31)
_CSV = ("statistic", "direction", "quantity", "interval", "time", "value", "unit")


@dataclass(frozen=True, slots=True)
class Gone:
    """How much ended: permissions that were withdrawn, days of records that were erased."""

    permissions: int
    days: int


async def everything(connection: AsyncConnection) -> dict[str, Told]:
    """Return all but the records: whom the node knows, what they asked, were granted, and read."""
    numbers = await all_series(connection)
    peers: list[Told] = []
    for peer in await all_peers(connection):
        told = await of_peer(connection, peer.id, numbers)
        peers.append({"jid": peer.jid, "name": peer.name, **told})
    return {
        "peers": peers,
        "absences_of_home_assistant": [_range(one) for one in await absences(connection)],
        "imports": [
            {"jid": one.jid, "identifier": one.identifier, "statistic": one.statistic}
            for one in await all_pulled(connection)
        ],
    }


async def of_peer(
    connection: AsyncConnection, peer: PeerId, numbers: Mapping[SeriesId, Series]
) -> dict[str, Told]:
    """Return what a peer was granted, what it is told of, and what it was answered."""
    return {
        "permissions": [
            await _permission(connection, one.id) for one in await Permissions(connection).all(peer)
        ],
        "subscriptions": [
            {
                **series(numbers[one.series_id]),
                "since": iso8601.shown(one.since),
                "acknowledged_until": iso8601.shown(one.cursor) if one.cursor else None,
            }
            for one in await subscriptions(connection, peer)
        ],
        "answers": [
            {
                **series(numbers[one.series_id]),
                "at": iso8601.shown(one.at),
                "command": one.command,
                "from": iso8601.shown(one.records.start),
                "to": iso8601.shown(one.records.end),
                "records": one.count,
                "permission": one.permission,
            }
            for one in await answers(connection, peer, _EVER)
        ],
    }


async def as_json(store: Store) -> AsyncIterator[str]:
    """Yield everything as one JSON document, part by part."""
    async with store.reading() as connection:
        numbers = await all_series(connection)
        async for part in document(connection, await everything(connection), numbers):
            yield part


async def as_csv(store: Store) -> AsyncIterator[str]:
    """Yield the records alone, part by part."""
    async with store.reading() as connection:
        async for part in table(connection, await all_series(connection)):
            yield part


async def document(
    connection: AsyncConnection, told: Mapping[str, Told], numbers: Mapping[SeriesId, Series]
) -> AsyncIterator[str]:
    """Yield a JSON document that tells this, and all records of these series."""
    yield json.dumps(told, ensure_ascii=False, indent=1).removesuffix("\n}") + ',\n "series": ['
    between = "\n"
    async for one, some in records(connection, numbers):
        listed: list[Told] = [[iso8601.shown(record.start), record.value] for record in some]
        part = {**series(one), "unit": one.quantity.unit, "records": listed}
        yield between + json.dumps(part, ensure_ascii=False)
        between = ",\n"
    yield "\n]\n}\n"


async def table(
    connection: AsyncConnection, numbers: Mapping[SeriesId, Series]
) -> AsyncIterator[str]:
    """Yield all records of these series as CSV."""
    yield ",".join(_CSV) + "\n"
    async for one, some in records(connection, numbers):
        written = io.StringIO()
        facts = (one.device, one.direction, one.quantity, one.interval)
        csv.writer(written, lineterminator="\n").writerows(
            (*facts, iso8601.shown(record.start), record.value, one.quantity.unit)
            for record in some
        )
        yield written.getvalue()


async def records(
    connection: AsyncConnection, numbers: Mapping[SeriesId, Series]
) -> AsyncIterator[tuple[Series, list[Record]]]:
    """Yield all records of these series, some weeks of one series at a time."""
    for number, one in numbers.items():
        known = await extent(connection, number, one, _EVER)
        for part in _parts(known):
            days = await blocks(connection, number, one, part)
            yield one, [record for day in days for record in day.records(part)]


def series(one: Series) -> dict[str, Told]:
    """Return the facts of a series."""
    return {
        "statistic": one.device,
        "direction": one.direction,
        "quantity": one.quantity,
        "interval": one.interval,
        "time_zone": one.time_zone,
    }


async def _permission(connection: AsyncConnection, number: str) -> Told:
    register = Permissions(connection)
    permission = await register.get(PermissionId(number))
    need, terms = permission.need, permission.terms
    told: dict[str, Told] = {
        "permission": permission.id,
        "state": permission.state,
        "need": need.id,
        "version": need.version,
        "title": dict(need.title),
        "purpose": dict(need.purpose),
        "recipients": dict(need.recipients),
        "controller": need.controller,
        "contact": need.contact,
        "policy": need.policy,
        "retention_days": need.retention_days,
    }
    if terms is not None:
        told |= {
            "series": [series(one) for one in sorted(terms.series, key=lambda one: one.device)],
            "interval": terms.interval,
            "identification": terms.identification,
            "records_from": iso8601.shown(terms.records_from),
            "valid_from": iso8601.shown(terms.valid_from),
            "valid_until": iso8601.shown(terms.valid_until),
        }
    register_: list[Told] = []
    for entry in await register.entries(permission.id):
        shown = await register.shown_text(entry)
        register_.append(
            {
                "at": iso8601.shown(entry.at),
                "state": entry.state,
                "actor": entry.actor,
                "who": entry.who,
                "sha256": entry.text_hash,
                "language": entry.language,
                "text": shown.body if shown else None,
            }
        )
    confirmed: list[Told] = [
        {"state": one.state, "at": iso8601.shown(one.at), "receipt": one.receipt}
        for one in await receipts(connection, permission.id)
    ]
    return told | {"register": register_, "receipts": confirmed}


def _range(one: Range) -> Told:
    return {"from": iso8601.shown(one.start), "to": iso8601.shown(one.end)}


def _parts(known: Range | None) -> Iterator[Range]:
    start = known.start if known else _EVER.end
    while known and start < known.end:
        part = Range(start, min(start + _A_MONTH, known.end))
        yield part
        start = part.end


async def erase_all(store: Store, who: str, language: str) -> Gone:
    """Withdraw every permission, asking to erase, and erase the records that are here."""
    withdrawn = 0
    now = datetime.now(UTC)
    async with store.withdrawing() as connection:
        register = Permissions(connection)
        for one in await register.all():
            if one.state is State.GRANTED:
                shown = consent_text.withdrawal(one.need, language, erase=True)
                await register.withdraw(one.id, Signature(who, shown), now)
                withdrawn += 1
    async with store.writing() as connection:
        days = await erase_series(connection, await all_series(connection))
    await store.shrink()
    return Gone(withdrawn, days)
