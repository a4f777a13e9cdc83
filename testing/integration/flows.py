"""A config flow, as a person goes through it."""

from collections.abc import Mapping
from typing import Any, Self

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigFlowContext,
    ConfigFlowResult,
)
from homeassistant.const import CONF_DEVICE
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import probatio as vol

from custom_components.consometers.const import DOMAIN
from testing.integration.ports import DEVICE


def suggested(schema: vol.Schema | None) -> dict[str, Any]:
    """Return what the fields of a form propose."""
    assert schema is not None
    return {
        str(field): field.description["suggested_value"]
        for field in schema.schema
        if field.description
    }


class Flow:
    """One flow, and what it answered last."""

    def __init__(self, hass: HomeAssistant, result: ConfigFlowResult) -> None:
        self.hass = hass
        self.result = result

    @classmethod
    async def begin(
        cls, hass: HomeAssistant, step: str = "", source: str = SOURCE_USER, **more: Any
    ) -> Self:
        """Begin a flow, and choose from its menu if there is a step to choose."""
        context = ConfigFlowContext(source=source)
        flow = cls(hass, await hass.config_entries.flow.async_init(DOMAIN, context=context, **more))
        return await flow.choose(step) if step else flow

    @classmethod
    async def move(cls, hass: HomeAssistant, entry: ConfigEntry, step: str = "") -> Self:
        """Begin to reconfigure an entry."""
        context = ConfigFlowContext(source=SOURCE_RECONFIGURE, entry_id=entry.entry_id)
        flow = cls(hass, await hass.config_entries.flow.async_init(DOMAIN, context=context))
        return await flow.choose(step) if step else flow

    async def choose(self, step: str) -> Self:
        assert self.result["type"] is FlowResultType.MENU
        assert step in self.result["menu_options"]
        return await self.configure({"next_step_id": step})

    async def submit(self, typed: Mapping[str, Any] | None = None, **more: Any) -> Self:
        """Submit a form, and wait for what follows from it."""
        await self.configure({**(typed or {}), **more})
        await self.hass.async_block_till_done()
        return self

    async def listen(self, device: str = DEVICE) -> Self:
        """Choose the port of a meter: whether one speaks there takes some time."""
        return await self.configure({CONF_DEVICE: device})

    async def hear(self) -> Self:
        """Wait for what comes after the listening."""
        await self.hass.async_block_till_done()
        return await self.configure(None)

    async def configure(self, typed: dict[str, Any] | None) -> Self:
        """Go on with what is typed, and wait for nothing."""
        flows = self.hass.config_entries.flow
        self.result = await flows.async_configure(self.result["flow_id"], typed)
        return self

    @property
    def step(self) -> str:
        """Return which form is shown."""
        assert self.result["type"] is FlowResultType.FORM, self.result
        return self.result["step_id"]

    @property
    def errors(self) -> dict[str, str] | None:
        return self.result["errors"]

    @property
    def placeholders(self) -> Mapping[str, str]:
        placeholders = self.result["description_placeholders"]
        assert placeholders is not None
        return placeholders

    @property
    def suggested(self) -> dict[str, Any]:
        return suggested(self.result["data_schema"])

    @property
    def reason(self) -> str:
        """Return why it ended without an entry."""
        assert self.result["type"] is FlowResultType.ABORT, self.result
        return self.result["reason"]

    @property
    def entry(self) -> ConfigEntry:
        assert self.result["type"] is FlowResultType.CREATE_ENTRY, self.result
        entry: ConfigEntry = self.result["result"]
        return entry
