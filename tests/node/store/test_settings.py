"""Settings and secrets."""

import secrets

from consometers_node.store import Store
from consometers_node.store.settings import (
    HOUSEHOLD_SECRET,
    secret,
    secret_or_new,
    set_secret,
    set_setting,
    setting,
)


async def test_a_setting_is_kept_and_forgotten(store: Store) -> None:
    async with store.writing() as connection:
        await set_setting(connection, "jid", "a@example.org")
        await set_setting(connection, "jid", "b@example.org")
        assert await setting(connection, "jid") == "b@example.org"
        await set_setting(connection, "jid", None)
        assert await setting(connection, "jid") is None


async def test_a_secret_is_made_once(store: Store) -> None:
    async with store.writing() as connection:
        made = await secret_or_new(connection, HOUSEHOLD_SECRET, lambda: secrets.token_bytes(32))
    async with store.writing() as connection:
        again = await secret_or_new(connection, HOUSEHOLD_SECRET, lambda: secrets.token_bytes(32))
        assert again == made
        assert len(made) == 32
        await set_secret(connection, HOUSEHOLD_SECRET, None)
        assert await secret(connection, HOUSEHOLD_SECRET) is None
