"""Who may administer, on the command line: a password is shown once, and stands nowhere."""

import asyncio
import os
from pathlib import Path
import pty
import subprocess
import sys

import pytest

from consometers_node.collective.members import administrators
from consometers_node.collective.members.administrators import Passwords
from consometers_node.store import Store

from .conftest import Run

INIT = (
    *("init", "--name", "Énergies de Kersabiec", "--identifier", "kersabiec"),
    *("--account", "collectif@kersabiec.example"),
)


@pytest.fixture
async def coop(run: Run, tmp_path: Path) -> Path:
    """The folder of a collective that was set up."""
    said = await run(*INIT)
    assert said.status == 0, said.err
    return tmp_path / "share" / "consometers"


async def opens(folder: Path, name: str, password: str) -> bool:
    """Return whether somebody could log in."""
    store = await Store.open(folder / "node.db")
    async with store.reading() as connection:
        kept = await administrators.kept_of(connection, name)
    await store.close()
    return await Passwords().check(kept, password)


@pytest.mark.timeout(180)
async def test_administrators_are_let_in_and_out(run: Run, coop: Path) -> None:
    said = await run("admins", "add", "Accueil", "--json")
    made = str(said.document["password"])
    assert len(made.split("-")) == 5
    assert await opens(coop, "Accueil", made)
    (one,) = (await run("admins", "list", "--json")).document
    assert {**one, "made_at": ""} == {  # type: ignore[dict-item]
        "name": "Accueil",
        "made_at": "",
        "seen_at": None,
        "sessions": 0,
    }
    said = await run("admins", "remove", "Accueil", language="fr_FR.UTF-8")
    assert "ne peut plus administrer" in said.out
    assert not await opens(coop, "Accueil", made)
    said = await run("admins", "list")
    assert "admins add" in said.out


async def test_a_password_can_be_read_from_a_file_or_the_input(run: Run, coop: Path) -> None:
    file = coop / "password"
    file.write_text("three boats in the bay\nand a second line\n")
    said = await run("admins", "add", "Accueil", "--password-file", file)
    assert "three boats" not in said.out
    assert await opens(coop, "Accueil", "three boats in the bay")
    said = await run(
        *("admins", "password", "Accueil", "--password-file", "-"), typed="four boats at sea\n"
    )
    assert said.status == 0, said.err
    assert await opens(coop, "Accueil", "four boats at sea")


async def test_what_cannot_be_is_refused(run: Run, coop: Path) -> None:
    said = await run(*("admins", "add", "Anne", "--json", "--password-file", "-"), typed="short\n")
    assert (said.status, said.condition) == (1, "bad-password")
    assert (await run("admins", "password", "Anne", "--json")).condition == "unknown"
    assert (await run("admins", "add", "Anne", "--ask", "--json")).condition == "no-password"


def at_a_terminal(environment: dict[str, str], *typed: str) -> tuple[int, bytes]:
    """Add somebody at a terminal; give how that ended, and all that was to be seen."""
    person, terminal = pty.openpty()
    program = subprocess.Popen(
        (sys.executable, "-P", "-m", "consometers_node", "admins", "add", "Accueil", "--ask"),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**environment, "LANG": "en_GB.UTF-8"},
        start_new_session=True,
    )
    os.close(terminal)
    shown, asked, left = b"", 0, list(typed)
    try:
        while chunk := os.read(person, 4096):
            shown += chunk
            # A question ends with a space, and nothing comes after it.
            if left and len(shown) > asked and shown.endswith(b" "):
                asked = len(shown)
                os.write(person, f"{left.pop(0)}\n".encode())
    except OSError:
        # The terminal is gone with the program.
        pass
    os.close(person)
    return program.wait(30), shown


@pytest.mark.parametrize(("again", "status"), [("four boats at sea", 0), ("four boats", 1)])
async def test_a_password_is_asked_for_twice_and_not_shown(
    coop: Path, environment: dict[str, str], again: str, status: int
) -> None:
    typed = ("four boats at sea", again)
    ended, shown = await asyncio.to_thread(at_a_terminal, environment, *typed)
    assert ended == status, shown
    assert b"boats" not in shown
    assert await opens(coop, "Accueil", "four boats at sea") is (status == 0)
