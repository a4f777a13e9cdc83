"""The school of Kersabiec in Lorient: its meters, its panels, and its Home Assistant.

The panels on its roof belong to citizens and have a connection to the grid of their own: beside
the meter of what the school consumes hangs that of all they make, and an inverter makes it.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
import json
from pathlib import Path
from typing import Final

from consometers_tic_virtual import Contract, Linky, Option, VirtualLinky
from consometers_tic_virtual.load import Overload
from consometers_tic_virtual.world import ORIGIN, PANELS, SCHOOL, World
from demo.hass import RESTART, Hass, Language, Supervised, free_port
from demo.inverter import PROFILES, Inverter, VirtualInverter

from .furnishing import (
    EntityIds,
    HouseError,
    add_balance,
    add_inverter,
    add_meter,
    device_page,
    discovered_node,
    entities_with,
    entry_with,
    give_prices,
    has_energy_dashboard,
    net_power,
    ready_dashboard,
    show_on_energy_dashboard,
    tidy,
)
from .history import PAST, Hour, hours, import_history, whole_hour

HASS: Final = "hass"
MEMORY: Final = "school.json"
"""A folder and a file in that of the house."""
_OF_THE_SCHOOL: Final = frozenset({"energy_drawn", "active_power_drawn"})
_OF_THE_ROOF: Final = frozenset({"energy_injected", "active_power_injected"})
_OF_THE_INVERTER: Final = frozenset({"energy", "power"})
_OF_THE_BALANCE: Final = frozenset({"production"})
_DIRECTIONS: Final = {
    "energy_drawn": "consumption",
    "energy_injected": "injection",
    "energy": "production",
}
_UNIT_ID: Final = 1


@dataclass(frozen=True, kw_only=True)
class Address:
    """A visitor's links to the house, with the ports and pages of its devices."""

    url: str
    meter: str
    device_page: str
    roof_meter: str
    roof_meter_page: str
    inverter: Mapping[str, str | int]
    """Its host, port and unit id."""
    inverter_page: str
    balance_page: str

    @property
    def energy_page(self) -> str:
        return f"{self.url}/energy"

    @property
    def repairs_page(self) -> str:
        return f"{self.url}/config/repairs"


@dataclass(frozen=True, kw_only=True)
class Indoors:
    """A visitor's links in Home Assistant: the node, and home and collective side by side."""

    entry_id: str
    node_page: str
    dashboard_page: str


class House:
    """The meters, the inverter and the Home Assistant of one folder.

    Opened again, they have gone on counting, and what they counted meanwhile is written into
    Home Assistant's history.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        inverter_port: int | None = None,
        language: Language = "fr",
        meter_time: datetime | None = None,
        supervised: Supervised | None = None,
    ) -> None:
        """Prepare; nothing starts yet. Pictures are taken at another time of the meters'.

        The inverter keeps the port that it had at first, if that is free.
        """
        self.folder = folder
        self._memory = folder / MEMORY
        remembered = self._remembered()
        self._linky = school()
        self._linky.load.overloads.extend(remembered.overloads)
        panels = roof()
        start = None if meter_time is None else meter_time.timestamp()
        self.meter = VirtualLinky(self._linky, link=folder / "linky", start=start)
        self.roof_meter = VirtualLinky(panels, link=folder / "roof", start=start)
        self.inverter = VirtualInverter(
            {_UNIT_ID: roof_inverter(panels)},
            port=free_port(remembered.inverter_port or inverter_port or 0),
            start=start,
        )
        self.hass = Hass(folder / HASS, port=port, language=language, supervised=supervised)
        self._language: Language = language
        self._since = max(ORIGIN, datetime.now(UTC) - PAST)
        self._past: list[Hour] = []

    async def open(self) -> Address:
        """Start all of it. On return a visitor sees meters and panels, and their history.

        Raises:
            HouseError: one of them is not found, or not read.
        """
        await self.start()
        return await self.furnish()

    async def start(self) -> None:
        """Start meters, inverter and Home Assistant, which do not know of each other at first."""
        left = _last_written(self.hass.folder)
        self._since = max(left or self._since, self._since)
        async with asyncio.TaskGroup() as group:
            ports = group.create_task(self._open_ports())
            if left is not None:
                await ports  # Home Assistant looks for them as soon as it is up.
            group.create_task(self.hass.start())
            await ports
            # The past is counted while Home Assistant starts.
            group.create_task(asyncio.to_thread(self._count))
        await tidy(self.hass.api)

    async def _open_ports(self) -> None:
        await self.meter.start()
        await self.roof_meter.start()
        await self.inverter.start()
        self._remember()

    async def furnish(self, meter: str | None = None) -> Address:
        """Add all devices, but for the school's meter if a person has added it: its entry.

        All of it is given its past, and is shown on the Energy dashboard.
        """
        api = self.hass.api
        # Each is listened to for some seconds.
        async with asyncio.TaskGroup() as adding:
            school_entry = adding.create_task(self._meter_entry(meter))
            roof_entry = adding.create_task(self._roof_meter_entry())
            inverter_entry = adding.create_task(self._inverter_entry())
        entries = (school_entry.result(), roof_entry.result(), inverter_entry.result())
        shown = await self._known(*entries)
        # An hour may have ended before all of them were added.
        await asyncio.to_thread(self._count)
        if not await has_energy_dashboard(api):
            await show_on_energy_dashboard(api, shown)
            await give_prices(api, entries[0])
        await import_history(api, {**shown, **await net_power(api)}, self._past)
        # A balance imports the past of its sources.
        balance = await self._balance_entry(shown)
        pages = [await device_page(api, entry_id) for entry_id in (*entries, balance)]
        return Address(
            url=self.hass.url,
            meter=self.meter.port,
            device_page=pages[0],
            roof_meter=self.roof_meter.port,
            roof_meter_page=pages[1],
            inverter={
                "host": self.inverter.host,
                "port": self.inverter.port,
                "unit_id": _UNIT_ID,
            },
            inverter_page=pages[2],
            balance_page=pages[3],
        )

    async def take_in_node(self) -> Indoors:
        """Add the node that Home Assistant has found, and the dashboard."""
        api = self.hass.api
        entry_id = await discovered_node(api)
        return Indoors(
            entry_id=entry_id,
            node_page=await device_page(api, entry_id),
            dashboard_page=await ready_dashboard(api, self._language),
        )

    async def registers(self) -> Mapping[str, str]:
        """The entity ids of the registers that are shared, with the direction of their energy."""
        shown = await self._known(
            await self._meter_entry(), await self._roof_meter_entry(), await self._inverter_entry()
        )
        return {shown[key]: direction for key, direction in _DIRECTIONS.items()}

    async def _known(self, meter: str, roof_meter: str, inverter: str) -> EntityIds:
        """Wait for what is to be shown of each."""
        shown: dict[str, str] = {}
        for entry_id, wanted in (
            (meter, _OF_THE_SCHOOL),
            (roof_meter, _OF_THE_ROOF),
            (inverter, _OF_THE_INVERTER),
        ):
            entities = await entities_with(self.hass.api, entry_id, wanted)
            shown |= {key: entities[key] for key in wanted}
        return shown

    # The entry of each thing, which is added if it was not.

    async def _meter_entry(self, added: str | None = None) -> str:
        api = self.hass.api
        return (
            added
            or await entry_with(api, _OF_THE_SCHOOL, _OF_THE_ROOF)
            or await add_meter(api, self.meter.port)
        )

    async def _roof_meter_entry(self) -> str:
        api = self.hass.api
        return await entry_with(api, _OF_THE_ROOF) or await add_meter(api, self.roof_meter.port)

    async def _inverter_entry(self) -> str:
        api, inverter = self.hass.api, self.inverter
        return await entry_with(api, _OF_THE_INVERTER) or await add_inverter(
            api, inverter.host, inverter.port, _UNIT_ID
        )

    async def _balance_entry(self, shown: EntityIds) -> str:
        api = self.hass.api
        return await entry_with(api, _OF_THE_BALANCE) or await add_balance(
            api,
            "total_sale",
            production_energy=[shown["energy"]],
            production_power=[shown["power"]],
            drawn_energy=shown["energy_drawn"],
            drawn_power=shown["active_power_drawn"],
        )

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
        for meter in (self.meter, self.roof_meter):
            await meter.stop()
        await self.inverter.stop()
        self.meter.line.relieve()
        self._remember()

    def _count(self) -> None:
        """Count the hours that have ended and were not counted yet, which Home Assistant missed.

        Each is that of the whole house: drawn by the school, injected and made on its roof.
        """
        since, now = self._since, datetime.now(UTC)
        if whole_hour(since) == whole_hour(now):
            return
        linky = school()
        linky.load.overloads.extend(self._remembered().overloads)
        self._past += hours(since, now, linky, roof())
        self._since = whole_hour(now)

    # Registers that an overload has driven up stay there: what was drawn is remembered.

    def _remembered(self) -> _Memory:
        with suppress(FileNotFoundError):
            memory = json.loads(self._memory.read_text())
            overloads = tuple(Overload(*each) for each in memory["overloads"])
            return _Memory(overloads, memory["inverter_port"])
        return _Memory()

    def _remember(self) -> None:
        overloads = [(each.start, each.power_w, each.end) for each in self._linky.load.overloads]
        memory = {"overloads": overloads, "inverter_port": self.inverter.port}
        self._memory.write_text(json.dumps(memory))


@dataclass(frozen=True, slots=True)
class _Memory:
    """The state of a house for its next opening."""

    overloads: tuple[Overload, ...] = ()
    inverter_port: int = 0


def school() -> Linky:
    """The meter of what the school consumes: three phases, off-peak hours."""
    contract = Contract(option=Option.HC, reference_kva=36, phases=3)
    return Linky(World(SCHOOL, kwp=0, phases=contract.phases), contract)


def roof() -> Linky:
    """The meter of what the panels on its roof make, all of which is sold."""
    contract = Contract(option=Option.PRODUCER, reference_kva=36, phases=3, producer=True)
    return Linky(World(PANELS, phases=contract.phases), contract, seed=2)


def roof_inverter(panels: Linky) -> Inverter:
    """The inverter behind the meter of the panels, with which it agrees."""
    profile = replace(PROFILES["school"], site=PANELS, meter_model=None)
    return Inverter(profile, load=panels.load)


def _last_written(folder: Path) -> datetime | None:
    """When the recorder last wrote into its database: every second or so, while it lives."""
    times = [path.stat().st_mtime for path in folder.glob("home-assistant_v2.db*")]
    return datetime.fromtimestamp(max(times), UTC) if times else None
