"""All of a node's data except secrets: access, portability and erasure are rights."""

from collections.abc import AsyncIterator, Mapping
import csv
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
import io
import json

from ..permission import Permissions, Signature, State
from ..quoalise import iso8601
from ..series import Range, Record, Series
from ..store import PeerId, PermissionId, SeriesId, Store
from ..store.answers import answers, requests_to
from ..store.connection import AsyncConnection
from ..store.coverage import absences
from ..store.enrolments import StoredEnrolment, enrolments
from ..store.peers import all_peers, subscriptions
from ..store.pulled import all_pulled
from ..store.series import all_series, blocks, erase_series, extent
from . import consent_text

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None

_EVER = Range(datetime(1978, 7, 5, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
_A_MONTH = timedelta(days=31)
_CSV = ("statistic", "direction", "quantity", "interval", "time", "value", "unit")


@dataclass(frozen=True, slots=True)
class Gone:
    """The extent of an erasure: permissions withdrawn, days of records erased."""

    permissions: int
    days: int


async def everything(connection: AsyncConnection) -> dict[str, Json]:
    """Return everything but the records: peers, their requests, grants, and reads."""
    series_by_id = await all_series(connection)
    peers: list[Json] = []
    for peer in await all_peers(connection):
        permissions = await of_peer(connection, peer.id, series_by_id)
        peers.append({"jid": peer.jid, "name": peer.name, **permissions})
    return {
        "peers": peers,
        "absences_of_home_assistant": [
            {"from": iso8601.shown(absence.start), "to": iso8601.shown(absence.end)}
            for absence in await absences(connection)
        ],
        "imports": [
            {"jid": pulled.jid, "identifier": pulled.identifier, "statistic": pulled.statistic}
            for pulled in await all_pulled(connection)
        ],
    }


async def of_peer(
    connection: AsyncConnection, peer: PeerId, series_by_id: Mapping[SeriesId, Series]
) -> dict[str, Json]:
    """Return a peer's grants, subscriptions, and answers."""
    return {
        "permissions": [
            await _permission(connection, permission.id)
            for permission in await Permissions(connection).all(peer)
        ],
        "subscriptions": [
            {
                **series(series_by_id[each.series_id]),
                "since": iso8601.shown(each.since),
                "acknowledged_until": iso8601.shown(each.cursor) if each.cursor else None,
            }
            for each in await subscriptions(connection, peer)
        ],
        "answers": [
            {
                **series(series_by_id[answer.series_id]),
                "at": iso8601.shown(answer.at),
                "command": answer.command,
                "from": iso8601.shown(answer.records.start),
                "to": iso8601.shown(answer.records.end),
                "records": answer.count,
                "permission": answer.permission,
            }
            for answer in await answers(connection, peer, _EVER)
        ],
        "access_requests": [
            {
                "at": iso8601.shown(request.at),
                "who": request.who,
                "made_at": iso8601.shown(request.made_at),
                "size": request.size,
                "sha256": request.sha256,
            }
            for request in await requests_to(connection, peer)
        ],
    }


async def as_json(store: Store) -> AsyncIterator[str]:
    """Yield everything as one JSON document, part by part."""
    async with store.reading_for_a_download() as connection:
        series_by_id = await all_series(connection)
        async for part in document(connection, await everything(connection), series_by_id):
            yield part


async def as_csv(store: Store) -> AsyncIterator[str]:
    """Yield the records alone, part by part."""
    async with store.reading_for_a_download() as connection:
        async for part in table(connection, await all_series(connection)):
            yield part


async def document(
    connection: AsyncConnection, facts: Mapping[str, Json], series_by_id: Mapping[SeriesId, Series]
) -> AsyncIterator[str]:
    """Yield a JSON document of these facts, and all records of these series."""
    yield json.dumps(facts, ensure_ascii=False, indent=1).removesuffix("\n}") + ',\n "series": ['
    between = "\n"
    async for each, some in records(connection, series_by_id):
        listed: list[Json] = [[iso8601.shown(record.start), record.value] for record in some]
        part = {**series(each), "unit": each.quantity.unit, "records": listed}
        yield between + json.dumps(part, ensure_ascii=False)
        between = ",\n"
    yield "\n]\n}\n"


async def table(
    connection: AsyncConnection, series_by_id: Mapping[SeriesId, Series]
) -> AsyncIterator[str]:
    """Yield all records of these series as CSV."""
    yield ",".join(_CSV) + "\n"
    async for each, some in records(connection, series_by_id):
        written = io.StringIO()
        facts = (each.device, each.direction, each.quantity, each.interval)
        csv.writer(written, lineterminator="\n").writerows(
            (*facts, iso8601.shown(record.start), record.value, each.quantity.unit)
            for record in some
        )
        yield written.getvalue()


async def records(
    connection: AsyncConnection, series_by_id: Mapping[SeriesId, Series]
) -> AsyncIterator[tuple[Series, list[Record]]]:
    """Yield all records of these series, some weeks of one series at a time."""
    for series_id, each in series_by_id.items():
        whole = await extent(connection, series_id, each, _EVER)
        for part in whole.parts(_A_MONTH) if whole else ():
            days = await blocks(connection, series_id, each, part)
            yield each, [record for day in days for record in day.records(part)]


def series(each: Series) -> dict[str, Json]:
    """Return the facts of a series."""
    return {
        "statistic": each.device,
        "direction": each.direction,
        "quantity": each.quantity,
        "interval": each.interval,
        "time_zone": each.time_zone,
    }


async def _permission(connection: AsyncConnection, permission_id: PermissionId) -> Json:
    register = Permissions(connection)
    permission = await register.get(permission_id)
    need, terms = permission.need, permission.terms
    facts: dict[str, Json] = {
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
        "reading": need.reading,
        "witness": None if need.witness is None else dict(asdict(need.witness)),
    }
    if terms is not None:
        facts |= {
            "series": [series(each) for each in sorted(terms.series, key=lambda each: each.device)],
            "interval": terms.interval,
            "identification": terms.identification,
            "records_from": iso8601.shown(terms.records_from),
            "valid_from": iso8601.shown(terms.valid_from),
            "valid_until": iso8601.shown(terms.valid_until),
        }
    register_: list[Json] = []
    states: dict[int, State] = {}
    for entry in await register.entries(permission.id):
        states[entry.seq] = entry.state
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
    confirmed: list[Json] = [
        {"state": states[notice.seq], "at": iso8601.shown(notice.at), "receipt": notice.receipt}
        for notice in await register.receipts(permission.id)
        if notice.at is not None
    ]
    enrolment = (await enrolments(connection)).get(permission_id)
    return facts | {
        "register": register_,
        "receipts": confirmed,
        "enrolment": None if enrolment is None else _enrolment(enrolment),
    }


def _enrolment(enrolment: StoredEnrolment) -> Json:
    """Return what the witness of sums confirmed and opened."""
    opened: Json = None if enrolment.summary is None else json.loads(enrolment.summary)
    return {
        "enrolled_at": _shown(enrolment.enrolled_at),
        "receipt": enrolment.receipt,
        "left_at": _shown(enrolment.left_at),
        "asked_at": _shown(enrolment.asked_at),
        "opened": opened,
    }


def _shown(at: datetime | None) -> str | None:
    return None if at is None else iso8601.shown(at)


async def erase_all(store: Store, who: str, language: str) -> Gone:
    """Withdraw every permission, asking to erase, and erase the records that are here."""
    withdrawn = 0
    now = datetime.now(UTC)
    async with store.withdrawing() as connection:
        register = Permissions(connection)
        for permission in await register.all():
            if permission.state is State.GRANTED:
                shown = consent_text.withdrawal(permission.need, language, erase=True)
                await register.withdraw(permission.id, Signature(who, shown), now)
                withdrawn += 1
    async with store.writing() as connection:
        days = await erase_series(connection, await all_series(connection))
    await store.shrink()
    return Gone(withdrawn, days)
