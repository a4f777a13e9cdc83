"""The school of Kersabiec in Lorient: its Linky, and the Home Assistant that reads it."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
import json
from pathlib import Path
import shutil
from typing import Final, cast

from demo.hass import RESTART, Api, Hass, Language, Supervised
from demo.history import (
    YEAR,
    Hour,
    has_energy_dashboard,
    hours,
    import_history,
    show_on_energy_dashboard,
)
from demo.meter import Contract, Linky, Option, VirtualLinky
from demo.meter.load import Overload
from demo.world import SCHOOL, World

DOMAIN: Final = "consometers"

_HASS: Final = "hass"
_OVERLOADS: Final = "overloads.json"
_FIRST_VALUES_S: Final = 60
_REGISTERS: Final = ("energy_drawn", "energy_injected")


class HouseError(Exception):
    """The house cannot be opened, or has closed by itself; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a visitor finds the house, and in it the meter."""

    url: str
    device_page: str
    meter: str

    @property
    def energy_page(self) -> str:
        return f"{self.url}/energy"

    @property
    def repairs_page(self) -> str:
        return f"{self.url}/config/repairs"


class House:
    """The meter and the Home Assistant of one folder.

    Opened again, the meter has gone on counting, and what it counted meanwhile is written into
    Home Assistant's history.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        language: Language = "fr",
        meter_time: datetime | None = None,
        supervised: Supervised | None = None,
    ) -> None:
        """Prepare; nothing starts yet. Pictures are taken at another time of the meter's."""
        self.folder = folder
        self._overloads = folder / _OVERLOADS
        self._linky = school()
        self._linky.load.overloads.extend(self._remembered())
        start = None if meter_time is None else meter_time.timestamp()
        self.meter = VirtualLinky(self._linky, link=folder / "linky", start=start)
        self.hass = Hass(folder / _HASS, port=port, language=language, supervised=supervised)
        self._past: list[Hour] = []

    async def open(self) -> Address:
        """Start all of it. On return a visitor sees the meter and its history.

        Raises:
            HouseError: the meter is not found, or not read.
        """
        await self.start()
        return await self.furnish(await self._meter_entry() or await self._add_meter())

    async def start(self) -> None:
        """Start the meter and Home Assistant, which do not know of each other at first."""
        left = _last_written(self.hass.folder)
        await self.meter.start()
        # The past is counted while Home Assistant starts.
        async with asyncio.TaskGroup() as group:
            past = group.create_task(asyncio.to_thread(self._hours_since, left))
            group.create_task(self.hass.start())
        self._past = past.result()
        await _tidy(self.hass.api)

    async def furnish(self, entry_id: str) -> Address:
        """Give the meter that was added its past, and the Energy dashboard the meter."""
        api = self.hass.api
        entity_ids = await _known_entities(api, entry_id)
        await import_history(api, entity_ids, self._past)
        if not await has_energy_dashboard(api):
            await show_on_energy_dashboard(api, entity_ids)
        device_page = await _device_page(api, entry_id)
        return Address(url=self.hass.url, device_page=device_page, meter=self.meter.port)

    async def registers(self) -> Mapping[str, str]:
        """The entity ids of the meter's registers, by translation key."""
        entry_id = await self._meter_entry()
        assert entry_id is not None
        entity_ids = await self.hass.api.entity_ids(entry_id)
        return {key: entity_ids[key] for key in _REGISTERS}

    async def _meter_entry(self) -> str | None:
        """The entry of the meter, if it was added: a visitor may have added the node as well."""
        for entry in await self.hass.api.entries(DOMAIN):
            entry_id: str = entry["entry_id"]
            if not (await self.hass.api.entity_ids(entry_id)).keys().isdisjoint(_REGISTERS):
                return entry_id
        return None

    async def _add_meter(self) -> str:
        """Add the meter as a person does."""
        api = self.hass.api
        step = await api.start_flow(DOMAIN, choice="meter")
        step = await api.submit(step, device=self.meter.port)
        if step.get("step_id") != "confirm":
            raise HouseError(f"No meter was found on {self.meter.port}: {step}")
        step = await api.submit(step)
        return cast(str, step["result"]["entry_id"])

    async def live(self) -> None:
        """Wait until Home Assistant ends; start it again when a visitor wants that.

        Raises:
            HouseError: it has ended by itself.
        """
        while await self.hass.wait() == RESTART:
            await self.hass.restart()
        raise HouseError(f"Home Assistant has ended: {self.hass.log_path} may say why.")

    async def close(self) -> None:
        """End all of it, leaving no process."""
        await self.hass.stop()
        await self.meter.stop()
        self._remember()

    def _hours_since(self, left: datetime | None) -> list[Hour]:
        """The hours that Home Assistant has not seen: a year, or those since it was left."""
        linky = school()
        linky.load.overloads.extend(self._remembered())
        now = datetime.now(UTC)
        return list(hours(linky, max(left or now - YEAR, now - YEAR), now))

    # Registers that an overload has driven up stay there: what was drawn is remembered.

    def _remembered(self) -> list[Overload]:
        with suppress(FileNotFoundError):
            return [Overload(*told) for told in json.loads(self._overloads.read_text())]
        return []

    def _remember(self) -> None:
        self.meter.relieve()
        told = [(each.start, each.power_w, each.end) for each in self._linky.load.overloads]
        self._overloads.write_text(json.dumps(told))


def forget(folder: Path) -> None:
    """Remove what a house keeps in its folder, and nothing else that is there."""
    shutil.rmtree(folder / _HASS, ignore_errors=True)
    (folder / _OVERLOADS).unlink(missing_ok=True)


def school() -> Linky:
    """The school's meter: three phases, off-peak hours, panels on the roof that feed the grid."""
    contract = Contract(option=Option.HC, reference_kva=36, phases=3, producer=True)
    return Linky(World(SCHOOL, phases=contract.phases), contract)


def _last_written(folder: Path) -> datetime | None:
    """When the recorder last wrote into its database: every second or so, while it lives."""
    times = [path.stat().st_mtime for path in folder.glob("home-assistant_v2.db*")]
    return datetime.fromtimestamp(max(times), UTC) if times else None


async def _tidy(api: Api) -> None:
    """Put away what has nothing to do with a meter.

    That is a map, and the notice that nobody should install Home Assistant as a Python package.
    """
    for dashboard in await api.command("lovelace/dashboards/list"):
        if dashboard["url_path"] == "map":
            await api.command("lovelace/dashboards/delete", dashboard_id=dashboard["id"])
    for issue in await api.issues("homeassistant"):
        if issue["issue_id"] == "deprecated_method":
            told = {"domain": issue["domain"], "issue_id": issue["issue_id"]}
            await api.command("repairs/ignore_issue", **told, ignore=True)


async def _known_entities(api: Api, entry_id: str) -> Mapping[str, str]:
    """Wait until the registers have values, and return the entity ids by translation key.

    Those that were there before have values of former times, which do as well.
    """
    for _ in range(_FIRST_VALUES_S):
        entity_ids = await api.entity_ids(entry_id)
        if all(key in entity_ids for key in _REGISTERS):
            return entity_ids
        await asyncio.sleep(1)
    raise HouseError("Home Assistant does not show what the meter says.")


async def _device_page(api: Api, entry_id: str) -> str:
    devices = await api.command("config/device_registry/list")
    device = next(device for device in devices if entry_id in device["config_entries"])
    return f"{api.url}/config/devices/device/{device['id']}"
