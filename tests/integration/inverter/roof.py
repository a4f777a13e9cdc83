"""A home with panels, as the tests look at it."""

from datetime import UTC, datetime, timedelta

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.consometers.inverter.coordinator import InverterCoordinator
from demo.inverter import PROFILES, Inverter, VirtualInverter

from ..home import View

ORIGIN = datetime(2026, 6, 1, tzinfo=UTC)
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
NIGHT = datetime(2026, 6, 10, 23, 30, tzinfo=UTC)
DAWN = datetime(2026, 6, 11, 4, 30, tzinfo=UTC)


def virtual(inverter: Inverter | str = "home") -> VirtualInverter:
    """Return one at noon, by its profile perhaps, for which time stands still."""
    if isinstance(inverter, str):
        inverter = Inverter(PROFILES[inverter], origin=ORIGIN)
    return VirtualInverter(inverter, start=NOON.timestamp(), speed=0)


class Roof(View):
    """A home with panels. Time goes only as the test says."""

    def __init__(
        self, hass: HomeAssistant, entry: MockConfigEntry, inverter: VirtualInverter
    ) -> None:
        super().__init__(hass, entry)
        self.inverter = inverter

    async def start(self, at: datetime = NOON) -> bool:
        """Set the entry up, and let it be asked again if it answers: so its energies are sure."""
        self.inverter.at = at - timedelta(seconds=5)
        done = await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done()
        if done:
            await self.at(at)
        return done

    async def polls(self, times: int = 1, every_s: float = 10) -> None:
        """Poll the inverter some times."""
        for _ in range(times):
            await self.at(self.inverter.at + timedelta(seconds=every_s))

    async def at(self, at: datetime) -> None:
        """Poll it at a time of the day. It listens, or does not, as it does then."""
        self.inverter.at = at
        await self.inverter._follow()
        await self.coordinator.async_refresh()
        await self.hass.async_block_till_done()

    @property
    def coordinator(self) -> InverterCoordinator:
        coordinator: InverterCoordinator = self.entry.runtime_data
        return coordinator

    def amount(self, key: str) -> float:
        """Return what a sensor shows, in W or kWh."""
        state = self.state(key)
        assert state is not None, key
        return float(state)
