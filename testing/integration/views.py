"""An entry of the integration, as a person sees it."""

from collections.abc import Mapping
import json
import logging
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.json import JSONEncoder
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.consometers.const import DOMAIN
from custom_components.consometers.diagnostics import async_get_config_entry_diagnostics
from testing.integration.frames import Kind
from testing.integration.ports import MeterLine

FRAMES_TO_KNOW = 4
"""After so many frames all that a meter sends is believed."""


class EntryView:
    """What a person sees of an entry of any kind."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry) -> None:
        self.hass = hass
        self.entry = entry

    @property
    def entry_state(self) -> str:
        return str(self.entry.state.value)

    async def unload(self) -> None:
        assert await self.hass.config_entries.async_unload(self.entry.entry_id)

    async def reload(self) -> bool:
        return await self.hass.config_entries.async_reload(self.entry.entry_id)

    async def remove(self) -> None:
        await self.hass.config_entries.async_remove(self.entry.entry_id)
        await self.hass.async_block_till_done()

    def change(self, **data: Any) -> None:
        """Change some of the data of the entry."""
        data = {**self.entry.data, **data}
        self.hass.config_entries.async_update_entry(self.entry, data=data)

    async def diagnostics(self) -> dict[str, Any]:
        """Return diagnostics as a file holds them."""
        written = await async_get_config_entry_diagnostics(self.hass, self.entry)
        return dict(json.loads(text_of(written)))

    def entity_id(self, key: str, platform: str = "sensor") -> str | None:
        registry = er.async_get(self.hass)
        return registry.async_get_entity_id(platform, DOMAIN, f"{self.entry.entry_id}_{key}")

    def state_of(self, key: str, platform: str = "sensor") -> State | None:
        entity_id = self.entity_id(key, platform)
        return None if entity_id is None else self.hass.states.get(entity_id)

    def state(self, key: str, platform: str = "sensor") -> str | None:
        """Return what an entity shows, by the name of its fact."""
        state = self.state_of(key, platform)
        return None if state is None else state.state

    def attributes(self, key: str, platform: str = "sensor") -> Mapping[str, Any]:
        """Return what an entity shows beside its state."""
        state = self.state_of(key, platform)
        assert state is not None, key
        return state.attributes

    def are_unavailable(self, *keys: str) -> bool:
        return all(self.state(key) == STATE_UNAVAILABLE for key in keys)

    def issue(self, kind: str) -> ir.IssueEntry | None:
        """Return what is asked of the person, if it is."""
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, f"{kind}_{self.entry.entry_id}")
        return issue if issue is not None and issue.active else None

    def facts(self) -> dict[str, dict[str, object]]:
        """Return all that a person can see of each entity, and the registry's disabled ones."""
        shown: dict[str, dict[str, object]] = {}
        entities = er.async_entries_for_config_entry(er.async_get(self.hass), self.entry.entry_id)
        for entity in sorted(entities, key=lambda entity: entity.entity_id):
            fact: dict[str, object] = {
                "key": entity.unique_id.removeprefix(f"{self.entry.entry_id}_"),
                "category": entity.entity_category,
            }
            if entity.disabled_by:
                fact["disabled"] = entity.original_name
                fact["unit"] = entity.unit_of_measurement
                fact["device_class"] = entity.original_device_class
            else:
                state = self.hass.states.get(entity.entity_id)
                assert state is not None, entity.entity_id
                fact["state"] = state.state
                fact["attributes"] = dict(state.attributes)
            shown[entity.entity_id] = fact
        return shown


class MeterView(EntryView):
    """A home with a meter."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry, line: MeterLine) -> None:
        super().__init__(hass, entry)
        self.line = line

    async def start(self, kind: Kind | None = None) -> None:
        """Set the entry up, and let a meter be known."""
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done()
        if kind is not None:
            await self.hear(kind, FRAMES_TO_KNOW)

    async def hear(self, kind: Kind, times: int = 1, **changes: str | None) -> None:
        """Send from the meter, until the home has it."""
        await self.line.send(kind, times, **changes)
        await self.hass.async_block_till_done()

    async def forward(self, seconds: float) -> None:
        """Advance without a word of the meter."""
        await self.line.clock.forward(seconds)
        await self.hass.async_block_till_done()

    def is_on(self, key: str) -> bool:
        state = self.state(key, "binary_sensor")
        assert state in ("on", "off"), state
        return state == "on"


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the integration has logged for a person to read."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.consometers")
        and record.levelno >= logging.INFO
    ]


def text_of(value: object) -> str:
    """Return a value as a file of diagnostics holds it."""
    return json.dumps(value, cls=JSONEncoder, ensure_ascii=False)
