"""All of a node's data except secrets: access, portability and erasure are rights."""

from collections.abc import AsyncIterator, Mapping
import csv
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import io
import json

from consometers_node.permission import Permissions, Signature, State
from consometers_node.series import Range, Record, Series
from consometers_node.store import SeriesId, Store
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.household.files import remove_files
from consometers_node.store.personal import HOUSEHOLD, Json, rows, tables_with
from consometers_node.store.series import all_series, blocks, erase_series, extent
from consometers_quoalise import iso8601

from . import consent_text

EVER = Range(datetime(1978, 7, 5, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
_A_MONTH = timedelta(days=31)
_CSV = ("statistic", "direction", "quantity", "interval", "time", "value", "unit")


@dataclass(frozen=True, slots=True)
class Gone:
    """The extent of an erasure: permissions withdrawn, days of records erased."""

    permissions: int
    days: int


async def everything(connection: AsyncConnection) -> dict[str, Json]:
    """Return everything but the records, by table: what the tables declare to be the household's.

    A table without rows is left out.
    """
    by_table = {
        table.name: await rows(connection, table, HOUSEHOLD) for table in tables_with(HOUSEHOLD)
    }
    return {name: stored for name, stored in by_table.items() if stored}


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
    """Yield a JSON document of these facts, and all records of these series, under `block`."""
    head = json.dumps(facts, ensure_ascii=False, indent=1).removesuffix("\n}").removesuffix("}")
    yield head + (",\n" if facts else "\n") + ' "block": ['
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
        whole = await extent(connection, series_id, each, EVER)
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
        await remove_files(connection)
    await store.shrink()
    return Gone(withdrawn, days)
