"""Settings and secrets."""

import asyncio
import logging
import secrets

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError

from consometers_node.store import Store
from consometers_node.store.settings import (
    HOUSEHOLD_SECRET,
    secret,
    secret_or_new,
    set_secret,
    set_setting,
    setting,
)
from consometers_node.store.tables import SettingRow
from testing.databases.fixtures import Place


async def test_a_setting_is_replaced_and_removed(store: Store) -> None:
    async with store.writing() as connection:
        await set_setting(connection, "jid", "a@example.org")
        await set_setting(connection, "jid", "b@example.org")
        assert await setting(connection, "jid") == "b@example.org"
        await set_setting(connection, "jid", None)
        assert await setting(connection, "jid") is None


async def test_concurrent_writes_of_a_setting_succeed(store: Store) -> None:
    async def keep(value: str) -> None:
        async with store.writing() as connection:
            await set_setting(connection, "jid", value)

    await asyncio.gather(*(keep(f"{n}@example.org") for n in range(8)))
    async with store.reading() as connection:
        assert str(await setting(connection, "jid")).endswith("@example.org")


async def test_concurrent_programs_share_one_secret(store: Store, place: Place) -> None:
    others = [await Store.open(place) for _ in range(3)]

    async def ask(program: Store) -> bytes:
        async with program.writing() as connection:
            return await secret_or_new(
                connection, HOUSEHOLD_SECRET, lambda: secrets.token_bytes(32)
            )

    (made,) = set(await asyncio.gather(*map(ask, [store, *others])))
    assert len(made) == 32
    async with store.writing() as connection:
        await set_secret(connection, HOUSEHOLD_SECRET, None)
        assert await secret(connection, HOUSEHOLD_SECRET) is None
    for other in others:
        await other.close()


async def test_no_log_or_error_holds_a_value(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with store.writing() as connection:
        await set_setting(connection, "door", "open sesame")
        again = insert(SettingRow).values(key="door", value="a rock")
        with pytest.raises(DBAPIError) as refused:
            await connection.execute(again)
        await connection.rollback()
    texts = caplog.text + str(refused.value)
    assert "open sesame" not in texts
    assert "a rock" not in texts
