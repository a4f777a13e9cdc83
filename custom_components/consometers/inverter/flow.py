"""Adding an inverter, moving it, and choosing its polling interval."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final

from homeassistant.components.modbus import async_get_temporary_unit
from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_PORT, UnitOfTime
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    SerialPortSelector,
    TextSelector,
)
import probatio as vol

from ..const import (
    CONF_BASE,
    CONF_BAUDRATE,
    CONF_FRAMING,
    CONF_INTERVAL,
    CONF_KIND,
    CONF_UNIT_ID,
    DEFAULT_BAUDRATE,
    DEFAULT_FRAMING,
    DEFAULT_INTERVAL,
    DEFAULT_PORT,
    DEFAULT_UNIT_ID,
    FORMER_INTERVAL,
    KIND_INVERTER,
)
from ..ports import readers, stable
from ..tic.link import LinkError
from .devices import name_of
from .link import (
    FRAMINGS,
    Link,
    LinkInUse,
    Map,
    NoAnswer,
    NoAnswerOnLine,
    OtherInverter,
    PortTaken,
    on_a_line,
    parameters,
    unique_id,
)
from .readings import Reading

EXAMPLE_URL: Final = "socket://gateway.local:8899"
PATIENCE_S: Final = 45
"""A busy unit is asked again for a minute, each time."""


BAUDRATES: Final = (1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200)


def _whole_number(least: int, most: int, unit: str | None = None) -> vol.All[int]:
    config = NumberSelectorConfig(min=least, max=most, step=1, mode=NumberSelectorMode.BOX)
    if unit is not None:
        config["unit_of_measurement"] = unit
    return vol.All(NumberSelector(config), vol.Coerce(int))


def _choice(options: Iterable[object]) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(options=list(map(str, options)), mode=SelectSelectorMode.DROPDOWN)
    )


INVERTER_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): _whole_number(1, 65_535),
        vol.Required(CONF_UNIT_ID, default=DEFAULT_UNIT_ID): _whole_number(0, 255),
    }
)
LINE_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_DEVICE): SerialPortSelector(),
        vol.Required(CONF_BAUDRATE, default=str(DEFAULT_BAUDRATE)): _choice(BAUDRATES),
        vol.Required(CONF_FRAMING, default=DEFAULT_FRAMING): _choice(FRAMINGS),
        vol.Required(CONF_UNIT_ID, default=DEFAULT_UNIT_ID): _whole_number(1, 247),
    }
)
OPTIONS_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_INTERVAL, default=DEFAULT_INTERVAL): _whole_number(
            2, 300, UnitOfTime.SECONDS
        )
    }
)


class InverterFlow(ConfigFlow):
    """Adds an inverter: it is identified, and shown before it is added."""

    def __init__(self) -> None:
        """Start without an inverter."""
        super().__init__()
        self._inverter: dict[str, Any] = {}
        self._inverter_map: Map | None = None
        self._inverter_reading: Reading | None = None

    async def async_step_inverter(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where the inverter is on the network."""
        return await self._ask_inverter("inverter", INVERTER_SCHEMA, user_input)

    async def async_step_inverter_line(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask on which serial line the inverter is, and how it speaks."""
        return await self._ask_inverter("inverter_line", LINE_SCHEMA, user_input)

    async def async_step_reconfigure_inverter(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether the inverter is on the network or on a serial line now."""
        return self.async_show_menu(
            step_id="reconfigure_inverter",
            menu_options=["reconfigure_inverter_network", "reconfigure_inverter_line"],
        )

    async def async_step_reconfigure_inverter_network(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where the inverter is on the network now."""
        return await self._ask_inverter(
            "reconfigure_inverter_network",
            INVERTER_SCHEMA,
            user_input,
            self._get_reconfigure_entry(),
        )

    async def async_step_reconfigure_inverter_line(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask on which serial line the inverter is now."""
        return await self._ask_inverter(
            "reconfigure_inverter_line", LINE_SCHEMA, user_input, self._get_reconfigure_entry()
        )

    async def _ask_inverter(
        self,
        step_id: str,
        schema: vol.Schema,
        user_input: dict[str, Any] | None,
        entry: ConfigEntry | None = None,
    ) -> ConfigFlowResult:
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                self._inverter = await self._data_of(user_input)
                return await (self._add() if entry is None else self._move(entry))
            except LinkError as error:
                errors["base"] = error.key
        shown = {**({} if entry is None else entry.data), **(user_input or {})}
        if CONF_BAUDRATE in shown:
            shown[CONF_BAUDRATE] = str(shown[CONF_BAUDRATE])
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            description_placeholders={"example": EXAMPLE_URL},
            errors=errors,
        )

    async def _add(self) -> ConfigFlowResult:
        """Show an inverter before it is added. One that we have is read from here from now on."""
        entry = await self.async_set_unique_id(await self._look(), raise_on_progress=False)
        if entry is None:
            return await self.async_step_inverter_found()
        return self.async_update_reload_and_abort(
            entry,
            data=self._inverter,
            reason="inverter_already_configured",
            reload_even_if_entry_is_unchanged=False,
        )

    async def _move(self, entry: ConfigEntry) -> ConfigFlowResult:
        """Read an inverter from elsewhere, if it is there. Raises LinkError."""
        entries, gave_way = self.hass.config_entries, False
        if self._is_in_the_way(entry):
            gave_way = await entries.async_unload(entry.entry_id)
        try:
            name = await self._look()
            if name != entry.unique_id and self._has_serial:
                raise OtherInverter
        except LinkError:
            if gave_way:
                await entries.async_setup(entry.entry_id)
            raise
        return self.async_update_reload_and_abort(
            entry, unique_id=name, data=self._inverter, reason="inverter_reconfigure_successful"
        )

    def _is_in_the_way(self, entry: ConfigEntry) -> bool:
        """Return whether a line is open with other settings: nobody can speak on it with both."""
        if entry.state not in (ConfigEntryState.LOADED, ConfigEntryState.SETUP_RETRY):
            return False
        now, then = parameters(entry.data), parameters(self._inverter)
        return now.endpoint == then.endpoint and now != then

    async def _data_of(self, typed: Mapping[str, Any]) -> dict[str, Any]:
        """Return the data of an entry from the typed values. Raises PortTaken."""
        data = {CONF_KIND: KIND_INVERTER, **typed}
        if not on_a_line(data):
            return {**data, CONF_HOST: data[CONF_HOST].strip().lower()}
        data[CONF_DEVICE] = await stable(self.hass, data[CONF_DEVICE])
        data[CONF_BAUDRATE] = int(data[CONF_BAUDRATE])
        if any(CONF_KIND not in entry.data for entry in readers(self.hass, data[CONF_DEVICE])):
            raise PortTaken
        return data

    async def _look(self) -> str:
        """Identify an inverter, and read its measures. Raises LinkError."""
        data, line = self._inverter, on_a_line(self._inverter)
        try:
            async with (
                asyncio.timeout(PATIENCE_S),
                async_get_temporary_unit(self.hass, parameters(data), data[CONF_UNIT_ID]) as unit,
            ):
                link = Link(unit, on_a_line=line)
                self._inverter_map = inverter_map = await link.find()
                self._inverter_reading = await link.read()
        except TimeoutError as error:
            raise (NoAnswerOnLine if line else NoAnswer) from error
        except HomeAssistantError as error:
            raise LinkInUse from error
        data[CONF_BASE] = inverter_map.base
        return unique_id(inverter_map.identity, data)

    @property
    def _has_serial(self) -> bool:
        """Whether it can be distinguished from others; if not, its address identifies it."""
        return self._inverter_map is not None and bool(self._inverter_map.identity.serial)

    async def async_step_inverter_found(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the inverter, and make the entry when the person agrees."""
        inverter_map, reading = self._inverter_map, self._inverter_reading
        assert inverter_map is not None
        assert reading is not None
        identity = inverter_map.identity
        if user_input is not None:
            return self.async_create_entry(
                title=name_of(identity, self._inverter[CONF_UNIT_ID]),
                data=self._inverter,
                options={CONF_INTERVAL: DEFAULT_INTERVAL},
            )
        return self.async_show_form(
            step_id="inverter_found",
            description_placeholders={
                "inverter": " ".join(filter(None, (identity.maker, identity.model))) or "?",
                "serial": identity.masked or "?",
                "rating": _shown(reading.rating_w, "W"),
                "phases": str(reading.phases),
                "power": _shown(reading.production.power_w, "W"),
                "energy": _shown(reading.production.energy_wh, "kWh", 1_000),
                "strings": str(len(reading.strings)) if reading.strings else "?",
                "meters": str(len(inverter_map.meters)),
                "battery": "✗" if inverter_map.battery is None else "✓",
            },
        )


class InverterOptionsFlow(OptionsFlowWithReload):
    """The polling interval."""

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
                OPTIONS_SCHEMA, {CONF_INTERVAL: FORMER_INTERVAL, **self.config_entry.options}
            ),
        )


def _shown(value: float | None, unit: str, divisor: int = 1) -> str:
    return "?" if value is None else f"{value / divisor:.0f} {unit}"
