"""All that a node holds of its household is given to it, and no secret."""

from dataclasses import replace
import json

import pytest

from consometers_node.permission import Permissions, State
from consometers_node.sharing.export import everything, records
from consometers_node.store import Store
from consometers_node.store.answers import Answer, log_answer
from consometers_node.store.series import all_series
from consometers_node.store.settings import HOUSEHOLD_SECRET, set_secret
from testing.homes.data_needs import CHOICE, DAILY, HOURLY, NEED, STOP, now
from testing.homes.ledgers import Ledger, hours, midnight


@pytest.fixture
async def ledger(store: Store) -> Ledger:
    return await Ledger.open(store)


async def test_the_export_has_permissions_answers_and_receipts_but_no_secret(
    store: Store, ledger: Ledger
) -> None:
    choice = replace(CHOICE, subscribed_kva={HOURLY.device: 6})
    permission = await ledger.grant(choice=choice)
    await ledger.subscribe(midnight(-1))
    await ledger.keep(hours(midnight(-2), range(48)))
    await ledger.receive_all()
    past = ledger.times[0]
    async with store.writing() as connection:
        await set_secret(connection, HOUSEHOLD_SECRET, b"never exported")
        answer = Answer(
            peer=ledger.peer.id,
            permission=permission,
            series_id=ledger.series_id,
            command="get_history",
            records=past,
            count=24,
            at=now(),
        )
        await log_answer(connection, answer)
        register = Permissions(connection)
        (notice,) = await register.notices(ledger.peer.id)
        await register.keep_receipt(notice.seq, "<receipt/>", now())
        await register.withdraw(permission, STOP, now())
        export = await everything(connection)
    text = json.dumps(export)
    assert "never exported" not in text
    held = json.loads(text)
    (stored,) = held["permission"]
    assert (stored["state"], stored["need"]) == (State.WITHDRAWN, NEED.id)
    assert [each["subscribed_kva"] for each in held["permission_series"]] == [6]
    texts = {(each["hash"], each["language"]): each["body"] for each in held["shown_text"]}
    *_, given, last = held["register"]
    assert texts[last["text_hash"], last["language"]] == STOP.text.body
    assert [each["receipt"] for each in held["notice"] if each["seq"] == given["seq"]] == [
        "<receipt/>"
    ]
    assert held["answer"][0]["records"] == 24
    assert "subscription" not in held


async def test_the_export_has_each_record_once(store: Store, ledger: Ledger) -> None:
    days = await Ledger.open(store, series=DAILY)
    await days.grant(replace(NEED, id="days"), CHOICE)
    starts = [start for n in range(-300, -1) for start in DAILY.starts(midnight(n).date())]
    await days.keep({start: n for n, start in enumerate(starts)})
    await ledger.keep(hours(midnight(-100), range(24 * 100)))
    values: dict[str, list[int]] = {}
    async with store.reading() as connection:
        async for series, some in records(connection, await all_series(connection)):
            values.setdefault(series.interval, []).extend(record.value for record in some)
    assert values["P1D"] == list(range(len(starts)))
    assert values["PT1H"] == list(range(24 * 100))


async def test_an_empty_node_exports_nothing(store: Store) -> None:
    async with store.reading() as connection:
        assert await everything(connection) == {}
        assert [record async for record in records(connection, await all_series(connection))] == []
