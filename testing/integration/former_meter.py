"""A house whose meter was read by others before, with the recorder of Home Assistant."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.models import StatisticData
from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er

from . import frames
from .flows import Flow
from .frames import DELIVERY_POINT, Kind
from .ports import MeterLine
from .recorded import FIVE_MINUTES, HOUR, count_five_minutes, rows_of, write
from .views import MeterView

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

# kWh, at the end of each hour up to noon; the register stands at 12 345.678 kWh when ours begins.
LEVELS = (12_340.0, 12_342.0, 12_345.0)
JOINING = "the history of a meter"
LINKYTIC = "sensor.linky_index_total"
HA_LINKY = f"linky:{DELIVERY_POINT}"


class House:
    """A house with a recorder, whose meter was read by others."""

    def __init__(
        self, hass: HomeAssistant, freezer: FrozenDateTimeFactory, line: MeterLine
    ) -> None:
        self.hass, self.freezer, self.line = hass, freezer, line
        self.counted = NOON

    async def had(
        self,
        statistic_id: str,
        levels: tuple[float, ...],
        until: datetime = NOON,
        unit: str = "kWh",
        *name: str,
    ) -> None:
        """Have hours up to a moment; what is imported has the energy of each hour for a state."""
        imported = ":" in statistic_id
        rows = [
            StatisticData(
                start=until - (len(levels) - n) * HOUR,
                sum=level - levels[0] + 1,
                state=1.0 if imported else level,
            )
            for n, level in enumerate(levels)
        ]
        await write(self.hass, statistic_id, rows, unit, *name)

    def had_entity(self, platform: str, unique_id: str, entity_id: str) -> None:
        er.async_get(self.hass).async_get_or_create(
            "sensor", platform, unique_id, suggested_object_id=entity_id.split(".")[1]
        )

    async def had_linkytic(self) -> None:
        self.had_entity("linkytic", "linkytic_01abc_base", LINKYTIC)
        await self.had(LINKYTIC, LEVELS)

    async def add(self, kind: Kind = frames.BASE) -> Flow:
        """Add the meter, up to the step after its confirmation."""
        flow = await (await Flow.begin(self.hass, "meter")).listen()
        await self.line.send(kind, 12)
        await flow.hear()
        return await flow.submit()

    async def finish(self, flow: Flow) -> tuple[ConfigEntry, MeterView]:
        """Submit the last page of a flow; return the entry, and the home as a person sees it."""
        entry = (await flow.submit()).entry
        return entry, MeterView(self.hass, entry, self.line)  # type: ignore[arg-type]

    async def hear(self, kind: Kind, **changes: str | None) -> None:
        # Registers are published every minute.
        await self.line.send(kind, 65, **changes)
        await self.hass.async_block_till_done()

    async def count_until(self, until: datetime) -> None:
        """Record every five minutes."""
        while self.counted + FIVE_MINUTES <= until:
            self.counted = await count_five_minutes(self.hass, self.freezer, self.counted)
            # The task that reads the meter never ends.
            joining = [task for task in asyncio.all_tasks() if task.get_name().endswith(JOINING)]
            await asyncio.gather(*joining)
            await self.hass.async_block_till_done()

    async def rows(self, statistic_id: str, period: Any = "hour") -> list[tuple[float, ...]]:
        """Return hours after noon, sum, state and change of each row, Wh."""
        return [
            (
                (row["end"] - NOON.timestamp()) / 3_600,
                *(
                    round(value, 3)
                    for fact in ("sum", "state", "change")
                    if (value := row[fact]) is not None
                ),
            )
            for row in await rows_of(self.hass, statistic_id, period)
        ]


async def options(hass: HomeAssistant, entry_id: str, step: str) -> ConfigFlowResult:
    """Begin to change an entry, and choose a step from the menu."""
    flows = hass.config_entries.options
    result = await flows.async_init(entry_id)
    assert result["type"] is FlowResultType.MENU
    assert step in result["menu_options"]
    return await flows.async_configure(result["flow_id"], {"next_step_id": step})
