"""A home with a meter and panels of other integrations, and its balance."""

from datetime import UTC, datetime
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.consometers.balance.state import Home
from custom_components.consometers.const import CONF_KIND, DOMAIN, KIND_BALANCE
from testing.integration.views import EntryView

NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
ENERGIES: dict[str, Any] = {
    "production_energy": ["sensor.roof"],
    "drawn_energy": "sensor.drawn",
    "injected_energy": "sensor.injected",
}
POWERS = {
    "production_power": ["sensor.roof_power"],
    "drawn_power": "sensor.drawn_power",
    "injected_power": "sensor.injected_power",
}


class BalanceView(EntryView):
    """A home with a balance; other integrations show meter and roof."""

    def __init__(self, hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
        super().__init__(hass, MockConfigEntry())
        self.freezer = freezer

    async def start(self, kind: Home = Home.SURPLUS, **data: Any) -> None:
        if self.entry.domain != DOMAIN:
            await self.hass.config.async_update(latitude=47.75, longitude=-3.37)
            self.freezer.move_to(NOON)
            sources = data or {**ENERGIES, **POWERS}
            self.add("01JHOME00000000000000000A", home=kind, **sources)
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done()

    def add(self, entry_id: str, **data: Any) -> None:
        self.entry = MockConfigEntry(
            domain=DOMAIN, title="Home", data={**data, CONF_KIND: KIND_BALANCE}, entry_id=entry_id
        )
        # It would take the time of the machine.
        object.__setattr__(self.entry, "created_at", dt_util.utcnow())
        self.entry.add_to_hass(self.hass)

    async def hear(self, seconds: float = 60, **readings: float | str) -> None:
        """Set sources, in kWh and kW, and advance until all is shown."""
        self.freezer.tick(seconds)
        await self.set_states(**readings)
        await self.wait()

    async def count(self) -> None:
        """Count 10 kWh made, 4 of them injected, and 4 drawn."""
        await self.start()
        await self.hear(roof=100, drawn=500, injected=20)
        await self.hear(roof=110, drawn=504, injected=24)

    async def wait(self) -> None:
        self.freezer.tick(61)
        async_fire_time_changed(self.hass)
        await self.hass.async_block_till_done()

    async def set_states(self, **readings: float | str) -> None:
        for source, value in readings.items():
            unit = "kW" if source.endswith("power") else "kWh"
            self.hass.states.async_set(
                f"sensor.{source}", str(value), {"unit_of_measurement": unit}
            )
        await self.hass.async_block_till_done()

    def amounts(self, *keys: str) -> list[float]:
        return [round(float(self.state(key) or "nan"), 3) for key in keys]

    @property
    def disagrees(self) -> bool:
        return self.issue("sources_disagree") is not None
