"""What a collective's logs forget, and what the database lets nobody forget."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from consometers_node.collective.privacy.retention import Retention
from consometers_node.permission import Permissions
from consometers_node.series import Range
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.answers import Answer, log_answer
from consometers_node.store.collective.access_log import Read, forget, note_read, reads
from consometers_node.store.peers import add_peer
from consometers_node.store.series import add_series
from consometers_node.store.tables import AnswerRow
from testing.clocks import Hands, confirmed, sure
from testing.homes.data_needs import HOURLY, grant, now


async def test_logs_forget_entries_older_than_a_year(store: Store) -> None:
    at = now()
    hour = at.replace(minute=0, second=0)
    ages = [timedelta(days=400), timedelta(days=368), timedelta(days=360), timedelta()]
    async with store.writing() as connection:
        peer = await add_peer(connection, "coop@example.org", "Coop", at)
        permission = await grant(Permissions(connection), peer.id)
        answer = Answer(
            peer=peer.id,
            permission=permission,
            series_id=await add_series(connection, HOURLY),
            command="get_history",
            records=Range(hour - timedelta(hours=2), hour),
            count=2,
            at=at,
        )
        for log in ("answer", "access_log"):
            on = "" if store.is_sqlite else f" ON {log}"
            await connection.execute(text(f"DROP TRIGGER {log}_is_of_now{on}"))
        for age in ages:
            await log_answer(connection, replace(answer, at=at - age))
            await note_read(connection, Read(at=at - age, who="someone", what="a page"))
    await Retention(
        store, ZoneInfo("Europe/Paris"), Changes(), await confirmed(store, Hands(at))
    ).look()
    async with store.reading() as connection:
        assert [read.at for read in await reads(connection)] == [at, at - ages[2]]
        assert [read.at for read in await reads(connection, since=at)] == [at]
        left = await connection.scalar(select(func.count()).select_from(AnswerRow))
        assert left == 2
    with pytest.raises(IntegrityError):
        async with store.writing() as connection:
            await forget(connection, sure(at + timedelta(days=67)))
