"""How a person adds an inverter, says where it is now, and chooses how often it is asked."""

import asyncio
from typing import Any, Final

from homeassistant.components.modbus import async_get_temporary_unit
from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_HOST, CONF_PORT, UnitOfTime
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
)
import probatio as vol

from ..const import (
    CONF_BASE,
    CONF_INTERVAL,
    CONF_KIND,
    CONF_UNIT_ID,
    DEFAULT_INTERVAL,
    DEFAULT_PORT,
    DEFAULT_UNIT_ID,
    KIND_INVERTER,
)
from .link import (
    InverterError,
    Link,
    LinkInUse,
    Map,
    NoAnswer,
    OtherInverter,
    parameters,
    unique_id,
)
from .readings import Reading

PATIENCE_S: Final = 45
"""Whoever is busy is asked again for a minute, each time."""


def _number(least: int, most: int, unit: str | None = None) -> vol.All[int]:
    config = NumberSelectorConfig(min=least, max=most, step=1, mode=NumberSelectorMode.BOX)
    if unit is not None:
        config["unit_of_measurement"] = unit
    return vol.All(NumberSelector(config), vol.Coerce(int))


INVERTER_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): _number(1, 65_535),
        vol.Required(CONF_UNIT_ID, default=DEFAULT_UNIT_ID): _number(0, 255),
    }
)
OPTIONS_SCHEMA = vol.Schema(
    {vol.Required(CONF_INTERVAL, default=DEFAULT_INTERVAL): _number(2, 300, UnitOfTime.SECONDS)}
)


class InverterFlow(ConfigFlow):
    """Adds an inverter: it is asked who it is, and shown before it is added."""

    def __init__(self) -> None:
        """Start with nothing known."""
        super().__init__()
        self._inverter: dict[str, Any] = {}
        self._inverter_map: Map | None = None
        self._inverter_reading: Reading | None = None

    async def async_step_inverter(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where the inverter is."""
        return await self._ask_inverter("inverter", user_input)

    async def async_step_reconfigure_inverter(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where the inverter is now."""
        return await self._ask_inverter(
            "reconfigure_inverter", user_input, self._get_reconfigure_entry()
        )

    async def _ask_inverter(
        self, step_id: str, user_input: dict[str, Any] | None, entry: ConfigEntry | None = None
    ) -> ConfigFlowResult:
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                name = await self._look(user_input)
                if entry is not None and name != entry.unique_id and self._has_serial:
                    raise OtherInverter
            except InverterError as error:
                errors["base"] = error.key
            else:
                if entry is not None:
                    return self.async_update_reload_and_abort(
                        entry,
                        unique_id=name,
                        data_updates=self._inverter,
                        reason="inverter_reconfigure_successful",
                    )
                await self.async_set_unique_id(name, raise_on_progress=False)
                self._abort_if_unique_id_configured(
                    updates=self._inverter, error="inverter_already_configured"
                )
                return await self.async_step_inverter_found()
        shown = (user_input or {}) if entry is None else {**entry.data, **(user_input or {})}
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(INVERTER_SCHEMA, shown),
            errors=errors,
        )

    async def _look(self, typed: dict[str, Any]) -> str:
        """Ask an inverter who it is and what it measures. Raises InverterError."""
        self._inverter = {**typed, CONF_HOST: typed[CONF_HOST].strip().lower()}
        try:
            async with (
                asyncio.timeout(PATIENCE_S),
                async_get_temporary_unit(
                    self.hass, parameters(self._inverter), self._inverter[CONF_UNIT_ID]
                ) as unit,
            ):
                link = Link(unit)
                self._inverter_map = found = await link.find()
                self._inverter_reading = await link.read()
        except TimeoutError as error:
            raise NoAnswer from error
        except HomeAssistantError as error:
            raise LinkInUse from error
        self._inverter[CONF_BASE] = found.base
        return unique_id(found.identity, self._inverter)

    @property
    def _has_serial(self) -> bool:
        """Whether it can be told from others; if not, it is whatever is at its address."""
        return self._inverter_map is not None and bool(self._inverter_map.identity.serial)

    async def async_step_inverter_found(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what was found, and make the entry when the person agrees."""
        found, reading = self._inverter_map, self._inverter_reading
        assert found is not None
        assert reading is not None
        name = " ".join(filter(None, (found.identity.maker, found.identity.model)))
        if user_input is not None:
            return self.async_create_entry(
                title=name or "SunSpec", data={CONF_KIND: KIND_INVERTER, **self._inverter}
            )
        return self.async_show_form(
            step_id="inverter_found",
            description_placeholders={
                "inverter": name or "?",
                "serial": _masked(found.identity.serial),
                "rating": _shown(reading.rating_w, "W"),
                "phases": str(reading.phases),
                "power": _shown(reading.production.power_w, "W"),
                "energy": _shown(reading.production.energy_wh, "kWh", 1_000),
                "strings": str(len(reading.strings)) if reading.strings else "?",
                "meters": str(len(found.meters)),
                "battery": "✗" if found.battery is None else "✓",
            },
        )


class InverterOptionsFlow(OptionsFlowWithReload):
    """How often an inverter is asked."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Go to the one step there is; its words are those of an inverter."""
        return await self.async_step_inverter(user_input)

    async def async_step_inverter(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the interval."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        return self.async_show_form(
            step_id="inverter",
            data_schema=self.add_suggested_values_to_schema(
                OPTIONS_SCHEMA, self.config_entry.options
            ),
        )


def _masked(serial: str) -> str:
    return f"…{serial[-4:]}" if serial else "?"


def _shown(value: float | None, unit: str, divisor: int = 1) -> str:
    return "?" if value is None else f"{value / divisor:.0f} {unit}"
