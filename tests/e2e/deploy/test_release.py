"""A release in a real Home Assistant: its zip in a clean one, an upgrade, and the way back."""

from collections.abc import AsyncIterator
from pathlib import Path
import re
import subprocess
import sys
from typing import Any, Final
import zipfile

import pytest
import pytest_asyncio

from consometers_tic_virtual import Contract, Linky, VirtualLinky
from consometers_tic_virtual.world import World
from demo.hass import Hass
from demo.hass.folder import INTEGRATIONS
from testing.checkout import ROOT
from testing.programs.metered_home import DOMAIN, EVERY_FRAME
from testing.release import VERSION, copy_release_before, released
from testing.waiting import eventually
from tools.release import main

__all__ = ["released"]

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.timeout(900)]

MIGRATION: Final = """

async def async_migrate_entry(hass, entry):
    hass.config_entries.async_update_entry(entry, version={version})
    return True
"""


def oldest_python() -> str:
    return subprocess.check_output(ROOT / "script/lib/oldest", text=True).strip()


@pytest_asyncio.fixture(scope="module")
async def meter(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[VirtualLinky]:
    port = tmp_path_factory.mktemp("ports") / "linky"
    async with VirtualLinky(Linky(World(), Contract()), link=port) as meter:
        yield meter


@pytest.fixture(scope="module")
def unpacked(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of custom integrations, once the zip was unpacked as its page says."""
    assert main([VERSION, "--no-image"], released) == 0
    folder = tmp_path_factory.mktemp("custom_components")
    with zipfile.ZipFile(released / "dist/consometers.zip") as archive:
        archive.extractall(folder / DOMAIN)
    return folder


async def add(hass: Hass, meter: VirtualLinky) -> str:
    """Add the meter as a person does, and return the entry's id."""
    form = await hass.api.start_flow(DOMAIN, choice="meter")
    created = await hass.api.submit(await hass.api.submit(form, device=meter.port))
    entry_id = str(created["result"]["entry_id"])
    options = await hass.api.start_options_flow(entry_id, choice="publication")
    await hass.api.submit_options(options, **EVERY_FRAME)
    return entry_id


async def drawn(hass: Hass, entry_id: str) -> str:
    """Wait until the meter's energy is shown, and return the entity's id."""

    async def shown() -> tuple[str, str]:
        entity_id = (await hass.api.entity_ids(entry_id)).get("energy_drawn")
        if entity_id is None:
            return "", "missing"
        return entity_id, (await hass.api.state(entity_id))["state"]

    def is_number(entity: tuple[str, str]) -> bool:
        return re.fullmatch(r"[\d.]+", entity[1]) is not None

    entity_id, _ = await eventually(shown, is_number)
    return entity_id


async def restart_with(hass: Hass, integrations: Path) -> None:
    await hass.stop()
    hass.integrations = integrations
    await hass.start()


async def entry(hass: Hass) -> dict[str, Any]:
    (entry,) = await hass.api.entries(DOMAIN)
    return entry


@pytest.mark.parametrize("which", ["oldest", "newest"])
async def test_the_zip_reads_a_meter_in_a_clean_home_assistant(
    unpacked: Path, meter: VirtualLinky, tmp_path: Path, which: str
) -> None:
    python = oldest_python() if which == "oldest" else sys.executable
    requirements = ROOT / "requirements" / {"oldest": "oldest.txt", "newest": "dev.txt"}[which]
    (wanted,) = re.findall(r"(?m)^homeassistant==(\S+)", requirements.read_text())
    async with Hass(tmp_path / "hass", integrations=unpacked, python=python) as hass:
        assert (await hass.api.command("get_config"))["version"] == wanted
        await drawn(hass, await add(hass, meter))
        manifest = await hass.api.command("manifest/get", integration=DOMAIN)
        assert manifest["version"] == VERSION
        assert hass.problems() == []


def integration_with_next_version(folder: Path) -> Path:
    """Return custom integrations; ours has entries of the next major version."""
    subprocess.run(("cp", "-R", INTEGRATIONS, folder), check=True)
    integration = folder / "custom_components" / DOMAIN
    flow = integration / "config_flow.py"
    (version,) = re.findall(r"(?m)^    VERSION = (\d+)$", flow.read_text())
    following = int(version) + 1
    text = flow.read_text().replace(f"    VERSION = {version}\n", f"    VERSION = {following}\n")
    flow.write_text(text)
    with (integration / "__init__.py").open("a") as file:
        file.write(MIGRATION.format(version=following))
    return folder / "custom_components"


async def test_entries_survive_an_upgrade_and_a_refused_downgrade(
    meter: VirtualLinky, tmp_path: Path
) -> None:
    before = tmp_path / "before"
    before.mkdir()
    copy_release_before(before)
    async with Hass(tmp_path / "hass", integrations=before / "custom_components") as hass:
        entry_id = await add(hass, meter)
        entity_id = await drawn(hass, entry_id)

        newer = integration_with_next_version(tmp_path)
        await restart_with(hass, newer)
        assert await drawn(hass, entry_id) == entity_id
        assert hass.problems() == []

        await restart_with(hass, INTEGRATIONS)
        assert (await entry(hass))["state"] == "migration_error"
        (problem,) = hass.problems()
        assert "which is higher than the current version" in problem.message

        await restart_with(hass, newer)
        assert await drawn(hass, entry_id) == entity_id
