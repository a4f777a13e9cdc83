"""The status of a collective's node on the command line, also for one member alone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
import re

import pytest

from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.publication.policy import (
    AT_ONCE,
    InForce,
    Rules,
    choose,
    open_from,
)
from consometers_node.series import Interval
from consometers_node.sharing.names import keep_collective
from testing.collectives.members import ZONE, meter
from testing.collectives.records import HOUR, pushed_data, running_queue
from testing.commands.collective import admit_homes, close_due, now, opened, writing
from testing.commands.fixtures import Run

START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - 6 * HOUR


async def publish(folder: Path, minimum: int, *names: str) -> None:
    """Send five hours as homes, and publish what may be."""
    await admit_homes(folder, *names)
    store = await opened(folder)
    await keep_collective(store, "kersabiec")
    async with running_queue(store) as queue:
        for name in names:
            await queue.keep(f"{name}@example.org", pushed_data(meter(name), START, [500] * 5))
    while await close_due(store, Publication(minimum=minimum), now() + 3 * HOUR):
        pass
    async with store.writing() as connection:
        await open_from(connection, AT_ONCE, "maelle", now())
    await store.close()


async def test_a_collective_without_members_says_what_to_do(run: Run, coop: Path) -> None:
    result = await run.ok("status", language="fr")
    assert "Énergies de Kersabiec (kersabiec)" in result.out
    assert "Le nœud ne tourne pas." in result.out
    assert "Il n’y a pas encore de membre" in result.out


async def test_status_shows_members_publication_and_erasures(run: Run, coop: Path) -> None:
    await publish(coop, 3, "a", "b", "c", "d")
    await run.ok("members", "terminate", "d@example.org", "--yes")
    status = await run.json("status")
    assert (status["identifier"], status["running"]) == ("kersabiec", False)
    assert status["members"] == {
        "home": {"granting": 3, "series": 3, "delivering": 3, "catching_up": 3, "unread": 3}
    }
    assert datetime.fromisoformat(str(status["released_until"])) == START + 5 * HOUR
    erasures = status["erasures"]
    assert (erasures["due"], erasures["later"], erasures["unnotified"]) == (0, 1, 1)
    assert erasures["wiped"] is True
    text = await run("status", language="fr")
    assert "Derniers relevés" in text.out
    assert "Des sommes sont publiées jusqu’au" in text.out
    assert "prévenu\u00a0: 1" in text.out


async def test_status_says_from_when_another_resolution_applies(run: Run, coop: Path) -> None:
    await publish(coop, 3, "a", "b", "c", "d")
    status = await run.json("status")
    assert (status["interval"], status["next_interval"]) == ("PT1H", None)
    half_hours = Rules(Publication(interval=Interval.PT30M), AT_ONCE)
    async with writing(coop) as connection:
        await choose(connection, half_hours, "maelle", now())
        await InForce(Publication()).plan(connection, now(), ZONE)
    status = await run.json("status")
    tomorrow = (now().astimezone(ZONE).date() + timedelta(days=1)).isoformat()
    assert status["interval"] == "PT1H"
    assert status["next_interval"] == {"interval": "PT30M", "from": tomorrow}
    text = await run("status")
    assert f"Resolution from {tomorrow} on: every half hour." in text.out


async def test_withheld_sums_are_counted_by_reason(run: Run, coop: Path) -> None:
    await publish(coop, 10, "a", "b")
    status = await run.json("status")
    assert status["released_until"] is None
    assert status["withheld"]["below-threshold"] >= 5
    text = await run("status")
    assert "(too few homes)" in text.out
    assert "No sum of the last 31 days is published." in text.out


async def test_noted_backups_are_in_the_status(run: Run, coop: Path) -> None:
    status = await run.json("status")
    assert status["backups"] == {"made": None, "tested": None, "copied": None}
    noted = await run.json("backups", "note", "made", "2026-01-26T031500Z")
    assert noted == {"step": "made", "at": "2026-01-26T03:15:00+00:00"}
    status = await run.json("status")
    assert status["backups"]["made"] == noted["at"]
    assert set(status["problems"]) == {"backup"}
    text = await run.ok("status", language="fr")
    assert "Dernière sauvegarde\u00a0: 2026-01-26 04:15+01:00." in text.out
    assert "Problème\u00a0: Aucune sauvegarde depuis 3 jours" in text.out
    await run.ok("backups", "note", "made")
    assert (await run.json("status"))["problems"] == {}
    future = (datetime.now(UTC) + HOUR).isoformat()
    assert await run.condition("backups", "note", "made", future) == "usage"


@pytest.mark.parametrize("command", ["export", "erase"])
async def test_a_collective_exports_and_erases_by_member_only(
    run: Run, coop: Path, command: str
) -> None:
    result = await run(command, "--json")
    assert result.condition == "collective"
    assert f"members {command}" in result.out


async def test_status_reads_the_database_of_the_settings(
    run: Run, coop: Path, tmp_path: Path
) -> None:
    await admit_homes(coop, "a")
    apart, data = tmp_path / "etc" / "ours.toml", tmp_path / "data"
    apart.parent.mkdir()
    data.mkdir()
    settings = (coop / "collective.toml").read_text()
    apart.write_text(settings.replace("# database =", f'database = "sqlite:///{coop / "node.db"}"'))
    named = {"CONSOMETERS_IDENTIFIER": "kersabiec", "CONSOMETERS_DATA": str(data)}
    by_variable = await run.json("status", CONSOMETERS_SETTINGS=str(apart), **named)
    by_option = await run.json("status", "--settings", apart, "--data", data)
    for status in (by_variable, by_option):
        assert status["members"] == {
            "home": {"granting": 1, "series": 1, "delivering": 0, "catching_up": 1, "unread": 1}
        }
    assert not list(data.iterdir())


@pytest.mark.parametrize("command", ["status", "export"])
async def test_the_settings_variable_selects_the_collective_role(
    run: Run, tmp_path: Path, command: str
) -> None:
    missing = tmp_path / "etc" / "ours.toml"
    assert await run.condition(command, CONSOMETERS_SETTINGS=str(missing)) == (
        "no-settings" if command == "status" else "collective"
    )
    assert not (tmp_path / "share").exists()


async def test_all_commands_use_the_folder_of_the_settings(
    run: Run, coop: Path, tmp_path: Path
) -> None:
    apart = tmp_path / "etc"
    coop.rename(apart)
    (apart / "kept").mkdir()
    file = apart / "collective.toml"
    file.write_text(re.sub("# data = .*", 'data = "kept"', file.read_text()))
    for command in (("members", "list"), ("permissions",)):
        await run.ok(*command, CONSOMETERS_SETTINGS=str(file))
    assert [file.name for file in apart.rglob("node.db")] == ["node.db"]
    assert not (tmp_path / "share" / "consometers").exists()
