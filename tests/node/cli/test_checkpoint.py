"""Before a backup: what is copied of a node that goes on running is whole."""

from pathlib import Path

import pytest

from consometers_node.store import Store, settings
from testing.commands.fixtures import Run


async def test_a_checkpoint_is_made_while_the_node_runs(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "node.db"
    running = await Store.open(file)
    async with running.writing() as connection:
        await settings.set_setting(connection, "name", "now")
    assert await run.json("checkpoint", CONSOMETERS_DATA=str(tmp_path)) == {"done": True}
    assert file.with_name("node.db-wal").stat().st_size == 0
    async with running.writing() as connection:
        await settings.set_setting(connection, "name", "later")
    await running.close()


async def test_a_checkpoint_fails_while_another_program_reads(run: Run, tmp_path: Path) -> None:
    running = await Store.open(tmp_path / "node.db")
    async with running.reading() as before:
        assert await settings.setting(before, "name") is None
        async with running.writing() as connection:
            await settings.set_setting(connection, "name", "now")
        result = await run("checkpoint", "--json", CONSOMETERS_DATA=str(tmp_path), WAITS_MS="100")
    await running.close()
    assert result.condition == "in-use"


@pytest.mark.cold
async def test_a_checkpoint_creates_no_database(run: Run, tmp_path: Path) -> None:
    result = await run.ok("checkpoint", CONSOMETERS_DATA=str(tmp_path / "none"))
    assert result.out == "Everything is in the one file.\n"
    assert not (tmp_path / "none").exists()
