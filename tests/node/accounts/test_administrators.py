"""Administrators: their names, their passwords, and the checks that may wait."""

import asyncio
from collections import Counter
import threading
from typing import Any, Literal

from argon2 import PasswordHasher
import pytest

from consometers_node.accounts import administrators
from consometers_node.accounts.administrators import SESSIONS
from consometers_node.accounts.errors import BadName, NoAccount
from consometers_node.accounts.passwords import (
    AT_ONCE,
    BadPassword,
    Busy,
    Passwords,
    check_password,
    new_password,
)
from consometers_node.accounts.sessions import LONGEST
from consometers_node.store import Store
from testing.collectives.members import AT
from testing.run import DEADLINE_S

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.mark.parametrize(
    "password", ["", "short", "eleven char", "Accueil", "accueilACCUEIL", "x" * 1001]
)
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(BadPassword):
        check_password("Accueil", password)


def test_generated_passwords_are_acceptable() -> None:
    made = {new_password() for _ in range(20)}
    assert len(made) == 20
    for password in made:
        check_password("Accueil", password)


@pytest.mark.parametrize("name", ["", "a" * 65, " Accueil", "Accueil\n", "a\x00b", "\u202eb"])
async def test_invalid_names_are_refused(store: Store, name: str) -> None:
    async with store.writing() as connection:
        with pytest.raises(BadName):
            await administrators.add(connection, name, "kept", AT)


async def test_names_are_unique(store: Store) -> None:
    async with store.writing() as connection:
        await administrators.add(connection, "Accueil", "kept", AT)
        with pytest.raises(BadName):
            await administrators.add(connection, "Accueil", "kept", AT)
        with pytest.raises(NoAccount):
            await administrators.remove(connection, "Anne")


async def test_sessions_are_counted_until_they_end(store: Store) -> None:
    async with store.writing() as connection:
        await administrators.add(connection, "Accueil", "kept", AT)
        token = await SESSIONS.begin(connection, "Accueil", AT)
        await SESSIONS.begin(connection, "Accueil", AT)
        (administrator,) = await administrators.administrators(connection, AT)
        assert (administrator.seen_at, administrator.sessions) == (AT, 2)
        await SESSIONS.end(connection, token)
        (administrator,) = await administrators.administrators(connection, AT)
        assert administrator.sessions == 1
        later = AT + LONGEST
        (administrator,) = await administrators.administrators(connection, later)
        assert administrator.sessions == 0
        await SESSIONS.begin(connection, "Accueil", later)
        (administrator,) = await administrators.administrators(connection, later)
        assert administrator.sessions == 1


class Blocking(PasswordHasher):
    """Checks nothing before `release`."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.release = threading.Event()

    def verify(self, *arguments: Any) -> Literal[True]:
        assert self.release.wait(DEADLINE_S)
        return super().verify(*arguments)


async def test_too_many_waiting_logins_are_refused_as_busy() -> None:
    passwords = Passwords(hasher := Blocking())
    hashed = await passwords.hash("three boats in the bay")
    checks = [asyncio.create_task(passwords.check(hashed, "wrong")) for _ in range(200)]
    await asyncio.wait(checks[-1:])
    hasher.release.set()
    ended = await asyncio.gather(*checks, return_exceptions=True)
    assert Counter(map(type, ended)) == {bool: AT_ONCE, Busy: 200 - AT_ONCE}
    assert await passwords.check(hashed, "three boats in the bay")


async def test_passwords_are_compared_in_one_unicode_form() -> None:
    passwords = Passwords(QUICK)
    hashed = await passwords.hash("un été à la plage")
    assert await passwords.check(hashed, "un e\u0301te\u0301 a\u0300 la plage")
