"""Where only sums may be read, records leave masked: what the witness takes off is all there is."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from consometers_node.permission import Choice, Permissions
from consometers_node.sharing.records.masked_reports import HomeKeys, keep_keys, load_keys
from consometers_node.sharing.records.record_messages import RecordsMessage
from consometers_node.store import PermissionId, Store
from consometers_node.store.household.enrolments import update_enrolment
from consometers_node.store.outbox import acknowledged
from consometers_protected_sums.field import MODULUS
from consometers_protected_sums.reports import MOST_WH, Subject, outputs, share
from consometers_quoalise import Data, GetHistory, NotAuthorized, Reports
from consometers_quoalise.federation.protected_sums import MAX_REPORTS
from packages.protected_sums.tests.homes import masks_of
from testing.homes.answering import COOP, AnsweringHome
from testing.homes.data_needs import (
    CHOICE_OF_PROTECTED,
    HOURLY,
    INJECTED,
    NEED,
    PROTECTED,
    grant,
    now,
)
from testing.homes.ledgers import DAY, HOUR, Ledger, hours, midnight
from testing.homes.running import enrol
from testing.sentences import says


def today() -> date:
    return datetime.now(UTC).date()


def unmasked(message: RecordsMessage, keys: HomeKeys, permission: str) -> dict[datetime, int]:
    """Take the masks off, as a witness could if it had the reports."""
    reports = message.data
    assert isinstance(reports, Reports)
    assert (reports.permission, reports.day) == (permission, keys.day_key.day)
    values = {}
    for hour, nonce, masked in reports.reports:
        subject = Subject(COOP.jid, HOURLY.direction, hour)
        masks = outputs(masks_of(keys.day_key.secret, subject, nonce))
        value, square = map(sum, zip(outputs(share(masked)), masks, strict=True))
        values[hour] = value % MODULUS
        assert square % MODULUS == values[hour] ** 2
    return values


@pytest.fixture
async def ledger(file: Store) -> Ledger:
    ledger = await Ledger.open(file)
    await ledger.cover(midnight(-40), midnight(3))
    return ledger


async def granted(ledger: Ledger) -> tuple[PermissionId, HomeKeys]:
    """Grant a sum whose collective has subscribed."""
    permission = await ledger.grant(PROTECTED, CHOICE_OF_PROTECTED)
    keys = await enrol(ledger.store, permission, today())
    await ledger.subscribe(midnight())
    return permission, keys


async def test_reports_are_masked_and_repeated_unchanged(ledger: Ledger) -> None:
    permission, keys = await granted(ledger)
    start = now().replace(minute=0, second=0) + HOUR
    values = {start: 412, start + HOUR: 0, start + 2 * HOUR: 250_000}
    await ledger.keep(values)
    message = await ledger.due("first")
    assert unmasked(message, keys, permission) == values | {start + 2 * HOUR: MOST_WH}
    await ledger.restart()
    again = await ledger.due("second")
    assert (again.id, again.data) == (message.id, message.data)
    await ledger.keep(values | {start: 413})
    await ledger.restart()
    corrected = await ledger.due("third")
    assert isinstance(corrected.data, Reports)
    assert isinstance(message.data, Reports)
    first, *others = corrected.data.reports
    assert others == list(message.data.reports[1:])
    assert first.nonce != message.data.reports[0].nonce


async def test_more_reports_than_a_message_holds_leave_one_after_the_other(ledger: Ledger) -> None:
    """A message of records holds a thousand: what is left over of it is no hour that was sent."""
    permission, keys = await granted(ledger)
    await ledger.cover(midnight(), midnight(20))
    start = now().replace(minute=0, second=0) + HOUR
    values = {start + n * HOUR: n for n in range(2 * MAX_REPORTS + 10)}
    await ledger.keep(values)
    sent: dict[datetime, int] = {}
    counts: list[int] = []
    # The collective was away until then.
    at = now() + timedelta(days=15)
    while (message := await ledger.next(f"m{len(counts)}", at)) is not None:
        part = unmasked(message, keys, permission)
        assert not part.keys() & sent.keys()
        sent |= part
        counts.append(len(part))
        async with ledger.store.writing() as connection:
            await acknowledged(connection, ledger.peer.id, message.id)
    assert sent == values
    assert counts == [MAX_REPORTS, MAX_REPORTS, 10]


async def test_no_report_leaves_without_today_s_key_or_after_departure(
    ledger: Ledger,
) -> None:
    permission, keys = await granted(ledger)
    await ledger.keep({now().replace(minute=0, second=0) + HOUR: 412})
    async with ledger.store.writing() as connection:
        await keep_keys(connection, permission, keys.on(today() + timedelta(days=1)))
    assert await ledger.next() is None
    async with ledger.store.writing() as connection:
        await keep_keys(connection, permission, None)
    assert await ledger.next() is None
    async with ledger.store.writing() as connection:
        await keep_keys(connection, permission, keys)
        await update_enrolment(connection, permission, left_at=now())
    assert await ledger.next() is None


async def test_a_home_stores_only_the_key_of_the_day(ledger: Ledger, tmp_path: Path) -> None:
    permission, keys = await granted(ledger)
    later = keys.on(today() + timedelta(days=3))
    async with ledger.store.writing() as connection:
        await keep_keys(connection, permission, later)
        loaded = await load_keys(connection, permission)
    assert loaded == later
    assert loaded.authentication_key == keys.authentication_key
    assert keys.day_key.secret.hex() not in f"{loaded!r}"
    await ledger.store.close()
    assert keys.day_key.secret not in (tmp_path / "node.db").read_bytes()


async def test_masked_records_are_never_sent_on_request(ledger: Ledger) -> None:
    await granted(ledger)
    await ledger.keep(hours(midnight(), [412] * 24))
    house = AnsweringHome(ledger.store)
    with pytest.raises(NotAuthorized, check=says("Only sums")):
        await house.answers.get_history(COOP, GetHistory(house.name(), midnight(), None))
    assert await house.listed() == []
    async with ledger.store.writing() as connection:
        other = Choice(series=frozenset({INJECTED}))
        await grant(Permissions(connection), ledger.peer.id, NEED, other)
    injected = house.name(INJECTED)
    answer = await house.answers.get_history(COOP, GetHistory(injected, midnight() - DAY, None))
    assert isinstance(answer, Data)
