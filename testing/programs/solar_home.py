"""A home with panels, and a Home Assistant that reads its meter and the inverter behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from consometers_tic_virtual import Contract, Linky, VirtualLinky
from consometers_tic_virtual.contract import Option
from consometers_tic_virtual.world import Energy, World
from demo.hass import Hass, Language, State
from demo.inverter import PROFILES, Inverter, Stranger, VirtualInverter
from demo.school.furnishing import EntityIds, add_meter, entities_with, entity_ids, entry_with, tidy
from demo.school.history import Hour, hours
from testing.programs.metered_home import DOMAIN
from testing.run import FULL
from testing.waiting import eventually

PARIS: Final = ZoneInfo("Europe/Paris")
NOON: Final = datetime(2026, 6, 17, 14, tzinfo=PARIS)
"""The meter's and the inverter's time at the beginning: they make more than the home consumes."""
SAMPLES: Final = 4 if FULL else 2
DAYS_SHOWN: Final = 3
METER: Final = frozenset(
    {"energy_drawn", "energy_injected", "active_power_drawn", "active_power_injected"}
)
INVERTER: Final = frozenset({"energy", "power"})
BALANCE: Final = frozenset({"production"})
FLOWS: Final[Mapping[str, Callable[[Energy], int]]] = {
    "production": lambda energy: energy.production_wh,
    "injected": lambda energy: energy.injected_wh,
    "drawn": lambda energy: energy.drawn_wh,
}


@dataclass(kw_only=True)
class SolarHome:
    """A Home Assistant, and what stands in the home that it reads."""

    hass: Hass
    meter: VirtualLinky
    inverter: VirtualInverter

    @property
    def second(self) -> int:
        """The time of meter and inverter."""
        return self.inverter.second

    @property
    def world(self) -> World:
        return self.meter.linky.world

    async def entities(self, *wanted: frozenset[str]) -> EntityIds:
        """The entity ids of those entries that have such entities."""
        ids: dict[str, str] = {}
        for keys in wanted:
            entry_id = await entry_with(self.hass.api, keys)
            assert entry_id is not None
            ids |= await entity_ids(self.hass.api, entry_id)
        return ids

    async def shown(self, entity_id: str) -> float | None:
        """What an entity shows, in Wh or W."""
        return _number(await self.hass.api.state(entity_id))

    async def caught_up(self, entity_id: str, wh: float) -> float:
        """Wait until an entity shows some energy, and return how much it shows then."""
        shown = await eventually(
            lambda: self.shown(entity_id),
            lambda value: value is not None and value >= wh,
        )
        assert shown is not None
        return shown

    async def sums(self) -> Mapping[str, float]:
        """What the balance shows, once it is asked and knows all of it."""
        ids = await self.entities(BALANCE)
        keys = (*FLOWS, "self_consumed", "consumed")
        asked = {"entity_id": ids["production"]}

        async def shown() -> dict[str, float | None]:
            await self.hass.api.command(
                "call_service", domain="homeassistant", service="update_entity", service_data=asked
            )
            states = {state["entity_id"]: state for state in await self.hass.api.states()}
            return {key: _number(states[ids[key]]) for key in keys}

        sums = await eventually(shown, lambda now: None not in now.values())
        return {key: wh for key, wh in sums.items() if wh is not None}

    async def samples(self) -> AsyncIterator[int]:
        """Set the time of meter and inverter, now and then."""
        for _ in range(SAMPLES):
            await asyncio.sleep(3)
            yield self.second


@asynccontextmanager
async def living(
    hass: Hass, port: Path, speed: float, option: Option = Option.BASE
) -> AsyncIterator[SolarHome]:
    """Have a meter and the inverter behind it, at the same moment of the same day in June.

    In the end Home Assistant forgets them, before they are gone.
    """
    linky = Linky(World(), Contract(option, producer=True))
    virtual = Inverter(PROFILES["home"], load=linky.load)
    start = NOON.timestamp()
    async with (
        VirtualInverter(virtual, start=start, speed=speed) as inverter,
        VirtualLinky(linky, link=port, start=start, speed=speed) as meter,
    ):
        inverter.set_faults(stranger=Stranger.GATEWAY)
        inverter.at = datetime.fromtimestamp(meter.line.at, UTC)
        try:
            yield SolarHome(hass=hass, meter=meter, inverter=inverter)
        finally:
            for entry in await hass.api.entries(DOMAIN):
                await hass.api.remove(entry["entry_id"])


async def add_the_meter(home: SolarHome, language: Language) -> None:
    """Add the meter: entities are named in the language of the home when they are made."""
    api = home.hass.api
    await tidy(api)
    await api.set_language(language)
    await entities_with(api, await add_meter(api, home.meter.port), METER)


def past(home: SolarHome, days: int = DAYS_SHOWN) -> list[Hour]:
    """Some days before that of the meter, as if they had been those before today."""
    midnight = NOON.replace(hour=0)
    shift = datetime.now(PARIS).date() - midnight.date()
    began = midnight - timedelta(days=days)
    return [
        replace(hour, start=hour.start + shift) for hour in hours(began, midnight, home.meter.linky)
    ]


def _number(state: State) -> float | None:
    if state["state"] in ("unknown", "unavailable"):
        return None
    scale = {"kWh": 1_000, "MWh": 1_000_000}
    return round(
        float(state["state"]) * scale.get(state["attributes"]["unit_of_measurement"], 1), 3
    )
