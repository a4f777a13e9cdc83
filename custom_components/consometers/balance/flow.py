"""How a person says what their home is, and which entities tell of it."""

from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.config_entries import ConfigEntry, ConfigFlow, ConfigFlowResult
from homeassistant.const import Platform
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import probatio as vol

from ..const import (
    CONF_DRAWN_ENERGY,
    CONF_DRAWN_POWER,
    CONF_HOME,
    CONF_INJECTED_ENERGY,
    CONF_INJECTED_POWER,
    CONF_KIND,
    CONF_PRODUCTION_ENERGY,
    CONF_PRODUCTION_POWER,
    DOMAIN,
    KIND_BALANCE,
    KIND_INVERTER,
)
from .state import Home

_HOME = SelectSelector(
    SelectSelectorConfig(options=list(Home), translation_key="home", mode=SelectSelectorMode.LIST)
)
HOME_SCHEMA = vol.Schema({vol.Required(CONF_HOME, default=Home.SURPLUS): _HOME})

OF_A_METER: Final = {
    "energy_drawn": CONF_DRAWN_ENERGY,
    "energy_injected": CONF_INJECTED_ENERGY,
    "active_power_drawn": CONF_DRAWN_POWER,
    "active_power_injected": CONF_INJECTED_POWER,
}
OF_AN_INVERTER: Final = {"energy": CONF_PRODUCTION_ENERGY, "power": CONF_PRODUCTION_POWER}
"""Entities of ours that are proposed, by the end of their unique id."""


def _sensor(device_class: SensorDeviceClass, *, multiple: bool = False) -> EntitySelector:
    return EntitySelector(
        EntitySelectorConfig(domain=Platform.SENSOR, device_class=device_class, multiple=multiple)
    )


def _sources(home: Home) -> vol.Schema:
    energy, power = SensorDeviceClass.ENERGY, SensorDeviceClass.POWER
    fields: dict[Any, Any] = {
        vol.Required(CONF_PRODUCTION_ENERGY): vol.All(
            _sensor(energy, multiple=True), vol.Length(min=1)
        ),
        vol.Required(CONF_DRAWN_ENERGY): _sensor(energy),
    }
    if home is Home.SURPLUS:
        fields[vol.Required(CONF_INJECTED_ENERGY)] = _sensor(energy)
    elif home is Home.NO_CONTRACT:
        fields[vol.Optional(CONF_INJECTED_ENERGY)] = _sensor(energy)
    fields[vol.Optional(CONF_PRODUCTION_POWER)] = _sensor(power, multiple=True)
    fields[vol.Optional(CONF_DRAWN_POWER)] = _sensor(power)
    if home is not Home.TOTAL_SALE:
        fields[vol.Optional(CONF_INJECTED_POWER)] = _sensor(power)
    return vol.Schema(fields)


class BalanceFlow(ConfigFlow):
    """Adds a home: first of which kind it is, then who tells of it."""

    def __init__(self) -> None:
        """Start with nothing known."""
        super().__init__()
        self._home = Home.SURPLUS

    async def async_step_balance(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how the home is connected."""
        return await self._ask_home("balance", user_input)

    async def async_step_reconfigure_balance(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how the home is connected now."""
        return await self._ask_home("reconfigure_balance", user_input)

    async def _ask_home(self, step_id: str, user_input: dict[str, Any] | None) -> ConfigFlowResult:
        if user_input is not None:
            self._home = Home(user_input[CONF_HOME])
            return await self.async_step_balance_sources()
        known = self._known_home()
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                HOME_SCHEMA, {} if known is None else known.data
            ),
        )

    async def async_step_balance_sources(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which entities tell of it, and propose those that we have."""
        known = self._known_home()
        if user_input is not None:
            data = {CONF_KIND: KIND_BALANCE, CONF_HOME: self._home.value, **user_input}
            if known is not None:
                return self.async_update_reload_and_abort(
                    known, data=data, reason="balance_reconfigure_successful"
                )
            await self.async_set_unique_id(
                f"home:{user_input[CONF_DRAWN_ENERGY]}", raise_on_progress=False
            )
            self._abort_if_unique_id_configured(error="balance_already_configured")
            return self.async_create_entry(title=self._title(), data=data)
        return self.async_show_form(
            step_id="balance_sources",
            data_schema=self.add_suggested_values_to_schema(
                _sources(self._home), self._proposed() if known is None else known.data
            ),
        )

    def _known_home(self) -> ConfigEntry | None:
        return self._get_reconfigure_entry() if self.source == "reconfigure" else None

    def _title(self) -> str:
        return self.hass.config.location_name

    def _proposed(self) -> dict[str, Any]:
        """Give what our meters and inverters have, if there is no choice to make."""
        registry, proposed = er.async_get(self.hass), dict[str, Any]()
        for entry in self.hass.config_entries.async_entries(DOMAIN):
            inverter = entry.data.get(CONF_KIND) == KIND_INVERTER
            if not inverter and CONF_KIND in entry.data:
                continue
            for key, field in (OF_AN_INVERTER if inverter else OF_A_METER).items():
                unique_id = f"{entry.entry_id}_{key}"
                entity_id = registry.async_get_entity_id(Platform.SENSOR, DOMAIN, unique_id)
                if entity_id is not None and inverter:
                    proposed.setdefault(field, []).append(entity_id)
                elif entity_id is not None:
                    proposed.setdefault(field, entity_id)
        return proposed
