"""What a collective of the demo does as its operator would."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
import sqlite3
from typing import cast

import pytest

from demo.collectives.collective import Collective, Profile
from demo.processes.warm import CommandResult, Warm
from demo.servers.prosody import Authority, Prosody


class Noting:
    """Notes the commands that it is to run."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, ...]] = []

    async def run(
        self, arguments: tuple[str, ...], environment: Mapping[str, str], answer: str
    ) -> CommandResult:
        self.commands.append(arguments)
        return CommandResult(0, "", "")


def collective_in(folder: Path, warm: Noting) -> Collective:
    profile = Profile(name="Here", identifier="here", account="here@here.test", needs=(), about={})
    server = Prosody("here.test", Authority(folder / "server"), folder / "server")
    return Collective(profile, folder, server, cast("Warm", warm))


@pytest.mark.usefixtures("socket_enabled")
async def test_one_backup_is_made_while_the_database_is_written(tmp_path: Path) -> None:
    warm = Noting()
    collective = collective_in(tmp_path, warm)
    collective.program.folder.mkdir()
    (collective.program.folder / "collective.toml").write_text("name = 'Here'\n")
    with closing(sqlite3.connect(collective.program.folder / "node.db")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE sums (value INTEGER)")
        database.execute("INSERT INTO sums VALUES (7)")
        database.commit()
        database.execute("INSERT INTO sums VALUES (8)")
        await collective.back_up()
        await collective.back_up()
    (backup,) = (tmp_path / "backups").iterdir()
    assert (backup / "collective.toml").read_text() == "name = 'Here'\n"
    with closing(sqlite3.connect(backup / "node.db")) as copy:
        assert copy.execute("SELECT value FROM sums").fetchall() == [(7,)]
    assert warm.commands == [("backups", "note", "made")]


@pytest.mark.usefixtures("socket_enabled")
async def test_a_member_gets_one_letter_in_both_languages(tmp_path: Path) -> None:
    warm = Noting()
    collective = collective_in(tmp_path, warm)
    for _ in range(2):
        await collective.write_to("a@here.test", {"fr": "Bonjour.", "en": "Hello."})
    (command,) = warm.commands
    french, english = tmp_path / "letter.fr.txt", tmp_path / "letter.en.txt"
    files = ("--fr", str(french), "--en", str(english))
    assert command == ("messages", "write", "a@here.test", *files, "--yes")
    assert (french.read_text(), english.read_text()) == ("Bonjour.", "Hello.")
