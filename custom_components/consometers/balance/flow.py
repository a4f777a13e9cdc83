"""How a person describes the home, and chooses its source entities."""

from collections.abc import Collection, Mapping
from typing import Any, Final, override

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
    CONF_PRODUCTION,
    CONF_PRODUCTION_ENERGY,
    CONF_PRODUCTION_POWER,
    DOMAIN,
    KIND_BALANCE,
    KIND_INVERTER,
)
from ..entries import sensor_id
from .state import Home
from .tracker import unique_id

_HOME = SelectSelector(
    SelectSelectorConfig(options=list(Home), translation_key="home", mode=SelectSelectorMode.LIST)
)
HOME_SCHEMA = vol.Schema({vol.Required(CONF_HOME, default=Home.SURPLUS): _HOME})

FIELDS: Final = (
    CONF_PRODUCTION_ENERGY,
    CONF_DRAWN_ENERGY,
    CONF_INJECTED_ENERGY,
    CONF_PRODUCTION_POWER,
    CONF_DRAWN_POWER,
    CONF_INJECTED_POWER,
)
"""Of sources, in the order in which they are asked for."""

NAMED_TWICE: Final = "named_twice"
OF_A_BALANCE: Final = "of_a_balance"

OF_A_METER: Final = {
    "energy_drawn": CONF_DRAWN_ENERGY,
    "energy_injected": CONF_INJECTED_ENERGY,
    "active_power_drawn": CONF_DRAWN_POWER,
    "active_power_injected": CONF_INJECTED_POWER,
}
OF_A_METER_OF_PRODUCTION: Final = {
    "energy_injected": CONF_PRODUCTION_ENERGY,
    "active_power_injected": CONF_PRODUCTION_POWER,
}
OF_AN_INVERTER: Final = {"energy": CONF_PRODUCTION_ENERGY, "power": CONF_PRODUCTION_POWER}
"""Entities of ours that are proposed, by the end of their unique id."""


class _Source(EntitySelector):
    """Hides some entities. The step rejects a hidden one with a message."""

    @override
    def __call__(self, data: Any) -> str | list[str]:
        return EntitySelector({**self.config, "exclude_entities": []})(data)


def _sources(home: Home, excluded: Collection[str]) -> vol.Schema:
    def sensor(device_class: SensorDeviceClass, *, multiple: bool = False) -> EntitySelector:
        return _Source(
            EntitySelectorConfig(
                domain=Platform.SENSOR,
                device_class=device_class,
                exclude_entities=sorted(excluded),
                multiple=multiple,
            )
        )

    energy, power = SensorDeviceClass.ENERGY, SensorDeviceClass.POWER
    fields: dict[Any, Any] = {
        vol.Required(CONF_PRODUCTION_ENERGY): vol.All(
            sensor(energy, multiple=True), vol.Length(min=1)
        ),
        vol.Required(CONF_DRAWN_ENERGY): sensor(energy),
    }
    if home is Home.SURPLUS:
        fields[vol.Required(CONF_INJECTED_ENERGY)] = sensor(energy)
    elif home is Home.NO_CONTRACT:
        fields[vol.Optional(CONF_INJECTED_ENERGY)] = sensor(energy)
    fields[vol.Optional(CONF_PRODUCTION_POWER)] = sensor(power, multiple=True)
    fields[vol.Optional(CONF_DRAWN_POWER)] = sensor(power)
    if home is not Home.TOTAL_SALE:
        fields[vol.Optional(CONF_INJECTED_POWER)] = sensor(power)
    return vol.Schema(fields)


def _errors(sources: Mapping[str, Any], excluded: Collection[str]) -> dict[str, str]:
    """Return an error for each field with an entity of a balance, or one that is named already."""
    errors, named = dict[str, str](), set[str]()
    for field in FIELDS:
        chosen = sources.get(field, ())
        for entity_id in [chosen] if isinstance(chosen, str) else chosen:
            if entity_id in excluded:
                errors[field] = OF_A_BALANCE
            elif entity_id in named:
                errors.setdefault(field, NAMED_TWICE)
            named.add(entity_id)
    return errors


class BalanceFlow(ConfigFlow):
    """Adds a home: first of which kind it is, then its entities."""

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
        home_before = self._known_home()
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                HOME_SCHEMA, {CONF_HOME: self._likely} if home_before is None else home_before.data
            ),
        )

    async def async_step_balance_sources(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the source entities, and propose ours."""
        home_before = self._known_home()
        excluded = self._of_balances()
        errors = _errors(user_input or {}, excluded)
        if user_input is not None and not errors:
            data = {CONF_KIND: KIND_BALANCE, CONF_HOME: self._home.value, **user_input}
            name = unique_id(data)
            if await self.async_set_unique_id(name, raise_on_progress=False) not in (
                None,
                home_before,
            ):
                return self.async_abort(reason="balance_already_configured")
            if home_before is not None:
                return self.async_update_reload_and_abort(
                    home_before, unique_id=name, data=data, reason="balance_reconfigure_successful"
                )
            return self.async_create_entry(title=self.hass.config.location_name, data=data)
        suggested = self._proposed() if home_before is None else home_before.data
        return self.async_show_form(
            step_id="balance_sources",
            data_schema=self.add_suggested_values_to_schema(
                _sources(self._home, excluded), suggested if user_input is None else user_input
            ),
            errors=errors,
        )

    def _known_home(self) -> ConfigEntry | None:
        return self._get_reconfigure_entry() if self.source == "reconfigure" else None

    @property
    def _likely(self) -> Home:
        """Return the kinds of home that our meters allow."""
        if self._have(OF_A_METER_OF_PRODUCTION):
            return Home.TOTAL_SALE
        metered = self._have(OF_A_METER)
        counts_injection = CONF_INJECTED_ENERGY in metered or not metered
        return Home.SURPLUS if counts_injection else Home.NO_CONTRACT

    def _proposed(self) -> dict[str, Any]:
        """Return what our meters and inverters have, if there is no choice to make.

        A meter of production counts what its inverters make: only one of both is proposed.
        """
        sold, made = self._have(OF_A_METER_OF_PRODUCTION), self._have(OF_AN_INVERTER)
        production = sold or made if self._home is Home.TOTAL_SALE else made or sold
        return {key: ids[0] for key, ids in self._have(OF_A_METER).items()} | production

    def _of_balances(self) -> frozenset[str]:
        """Return the entities that balances make: counting them again would double them."""
        registry = er.async_get(self.hass)
        return frozenset(
            entity_entry.entity_id
            for entry in self.hass.config_entries.async_entries(DOMAIN)
            if entry.data.get(CONF_KIND) == KIND_BALANCE
            for entity_entry in er.async_entries_for_config_entry(registry, entry.entry_id)
        )

    def _have(self, facts: Mapping[str, str]) -> dict[str, list[str]]:
        """Return our entities of a kind of device, by their fields."""
        have: dict[str, list[str]] = {}
        for entry in self.hass.config_entries.async_entries(DOMAIN):
            if _facts(entry) is not facts:
                continue
            for key, field in facts.items():
                if (entity_id := sensor_id(self.hass, entry, key)) is not None:
                    have.setdefault(field, []).append(entity_id)
        return have


def _facts(entry: ConfigEntry) -> Mapping[str, str] | None:
    if entry.data.get(CONF_KIND) == KIND_INVERTER:
        return OF_AN_INVERTER
    if CONF_KIND in entry.data:
        return None
    return OF_A_METER_OF_PRODUCTION if entry.data.get(CONF_PRODUCTION) else OF_A_METER
