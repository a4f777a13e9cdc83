"""Who may administer, on the command line: a password is shown once, and stands nowhere."""

import asyncio
from pathlib import Path

import pytest

from consometers_node.accounts import administrators
from consometers_node.accounts.passwords import Passwords
from testing.commands.collective import writing
from testing.commands.fixtures import Run, at_a_terminal


async def logs_in(folder: Path, name: str, password: str) -> bool:
    """Return whether this name and password log in."""
    async with writing(folder) as connection:
        hashed = await administrators.password_hash(connection, name)
    return await Passwords().check(hashed, password)


async def test_administrators_are_added_and_removed(run: Run, coop: Path) -> None:
    made = str((await run.json("admins", "add", "Accueil"))["password"])
    assert len(made.split("-")) == 5
    assert await logs_in(coop, "Accueil", made)
    (administrator,) = await run.json("admins", "list")
    assert {**administrator, "made_at": ""} == {
        "name": "Accueil",
        "made_at": "",
        "seen_at": None,
        "sessions": 0,
    }
    result = await run("admins", "remove", "Accueil", language="fr_FR.UTF-8")
    assert "n’administre plus" in result.out
    assert not await logs_in(coop, "Accueil", made)
    result = await run("admins", "list")
    assert "admins add" in result.out


async def test_a_password_can_be_read_from_a_file_or_the_input(run: Run, coop: Path) -> None:
    file = coop / "password"
    file.write_text("three boats in the bay\nand a second line\n")
    result = await run("admins", "add", "Accueil", "--password-file", file)
    assert "three boats" not in result.out
    assert await logs_in(coop, "Accueil", "three boats in the bay")
    await run.ok(
        *("admins", "password", "Accueil", "--password-file", "-"), typed="four boats at sea\n"
    )
    assert await logs_in(coop, "Accueil", "four boats at sea")


async def test_invalid_passwords_and_names_are_refused(run: Run, coop: Path) -> None:
    result = await run(
        *("admins", "add", "Anne", "--json", "--password-file", "-"), typed="short\n"
    )
    assert (result.status, result.condition) == (1, "bad-password")
    assert await run.condition("admins", "password", "Anne") == "unknown"
    assert await run.condition("admins", "add", "Anne", "--ask") == "no-password"


@pytest.mark.parametrize(("again", "status"), [("four boats at sea", 0), ("four boats", 1)])
async def test_a_password_is_asked_for_twice_and_not_shown(
    coop: Path, environment: dict[str, str], again: str, status: int
) -> None:
    command, typed = ("admins", "add", "Accueil", "--ask"), ("four boats at sea", again)
    ended, shown = await asyncio.to_thread(at_a_terminal, environment, "en", command, typed)
    assert ended == status, shown
    assert "boats" not in shown
    assert await logs_in(coop, "Accueil", "four boats at sea") is (status == 0)
