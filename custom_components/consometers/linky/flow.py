"""Adding a meter, moving it to another port, and choosing how it is published."""

import asyncio
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USB,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_DEVICE, UnitOfEnergy, UnitOfTime
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SerialPortSelector,
)
import probatio as vol

from ..const import (
    CONF_ESTIMATE_INJECTION,
    CONF_HISTORY,
    CONF_INJECTION_PRICE,
    CONF_KIND,
    CONF_MODE,
    CONF_OFFSET,
    CONF_POWER_INTERVAL,
    CONF_PRODUCTION,
    CONF_RAW_LABELS,
    CONF_REGISTER_INTERVAL,
    CONF_SILENCE,
    CONF_TARIFFS,
    DEFAULT_POWER_INTERVAL,
    DEFAULT_REGISTER_INTERVAL,
    DEFAULT_SILENCE,
    DOMAIN,
    KIND_INVERTER,
)
from ..history.candidates import Target
from ..history.continuing import async_first, async_take_out, joined, name
from ..history.file_flow import FileSteps
from ..history.flow import HistorySteps, period
from ..ports import readers, shown, stable
from ..recorder.rows import Row
from ..tic import address
from ..tic.link import LinkError
from .coordinator import LinkyCoordinator
from .detection import Found, default_title, detect, masked, title_after
from .history import async_targets
from .prices import SUPPLIER_INDEXES, async_show_prices, indexes, option, prices

EXAMPLE_URL = "socket://linky.local:2001"
DEVICE_SCHEMA = vol.Schema({vol.Required(CONF_DEVICE): SerialPortSelector()})


class LinkyFlow(HistorySteps, ConfigFlow):
    """Adds a meter: choose a port, listen to it, check the result, confirm.

    Where another integration counted the meter before, its history may be continued.

    No port is opened before a person has chosen it: other sticks do not bear to be probed.
    """

    def __init__(self) -> None:
        """Start with nothing chosen."""
        super().__init__()
        self._device = ""
        self._listening: asyncio.Task[Found] | None = None
        self._detected: Found | None = None
        self._error: str | None = None

    async def async_step_meter(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Choose the port of a meter."""
        return await self._ask("meter", user_input)

    async def async_step_reconfigure_meter(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose the port to which the meter was moved."""
        return await self._ask("reconfigure_meter", user_input)

    async def async_step_usb_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask before the port of a discovered dongle is opened."""
        if user_input is not None:
            self._async_abort_entries_match({CONF_DEVICE: self._device})
            return await self.async_step_listen()
        return self.async_show_form(
            step_id="usb_confirm",
            description_placeholders={"device": shown(self._device)},
            errors=self._take_error(),
        )

    async def _ask(self, step_id: str, user_input: dict[str, Any] | None) -> ConfigFlowResult:
        """Ask for a port, and listen to it."""
        if user_input is not None:
            self._device = await stable(self.hass, user_input[CONF_DEVICE])
            entries = readers(self.hass, self._device)
            if not any(entry.data.get(CONF_KIND) == KIND_INVERTER for entry in entries):
                return await self._listen_there()
            self._error = "port_taken"
        device = self._device
        if not device and self.source == SOURCE_RECONFIGURE:
            device = self._get_reconfigure_entry().data[CONF_DEVICE]
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(DEVICE_SCHEMA, {CONF_DEVICE: device}),
            description_placeholders={"example": EXAMPLE_URL},
            errors=self._take_error(),
        )

    async def _listen_there(self) -> ConfigFlowResult:
        """Listen to the port, if nobody does already."""
        if self.source != SOURCE_RECONFIGURE:
            self._async_abort_entries_match({CONF_DEVICE: self._device})
        elif self._device == self._get_reconfigure_entry().data[CONF_DEVICE]:
            return self.async_update_reload_and_abort(self._get_reconfigure_entry())
        return await self.async_step_listen()

    def _take_error(self) -> dict[str, str]:
        error, self._error = self._error, None
        return {"base": error} if error else {}

    async def async_step_listen(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Listen, and show that it takes a while."""
        if self._listening is None:
            self._listening = self.hass.async_create_task(
                detect(self._device), f"{DOMAIN} detection"
            )
        if not self._listening.done():
            return self.async_show_progress(
                step_id="listen",
                progress_action="listen",
                description_placeholders={"device": shown(self._device)},
                progress_task=self._listening,
            )
        task, self._listening = self._listening, None
        try:
            self._detected = task.result()
        except LinkError as error:
            self._error = error.key
            return self.async_show_progress_done(next_step_id=self._first_step)
        return self.async_show_progress_done(next_step_id="found")

    @property
    def _first_step(self) -> str:
        """The step to go back to when listening brought nothing."""
        steps = {SOURCE_RECONFIGURE: "reconfigure_meter", SOURCE_USB: "usb_confirm"}
        return steps.get(self.source or "", "meter")

    async def async_step_found(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Check whose meter was detected."""
        assert self._detected is not None
        if self.source != SOURCE_RECONFIGURE:
            await self.async_set_unique_id(self._detected.unique_id)
            self._abort_if_unique_id_configured()
            return await self.async_step_confirm()
        unique_id, entries = self._detected.unique_id, self.hass.config_entries
        if unique_id == self._get_reconfigure_entry().unique_id:
            return self._read_from_here({})
        if entries.async_entry_for_domain_unique_id(DOMAIN, unique_id) is not None:
            self._error = "other_meter"
            return await self.async_step_reconfigure_meter()
        return await self.async_step_replaced()

    async def async_step_replaced(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether the unknown meter stands where the former one stood."""
        assert self._detected is not None
        entry, unique_id = self._get_reconfigure_entry(), self._detected.unique_id
        former = entry.unique_id or ""
        if user_input is None:
            return self.async_show_form(
                step_id="replaced",
                description_placeholders={"former": masked(former), "meter": masked(unique_id)},
            )
        titles = (
            default_title(each, of_production=entry.data.get(CONF_PRODUCTION, False))
            for each in (former, unique_id)
        )
        self.hass.config_entries.async_update_entry(
            entry, unique_id=unique_id, title=title_after(entry.title, *titles)
        )
        return self._read_from_here({CONF_OFFSET: 0})

    def _read_from_here(self, more: dict[str, Any]) -> ConfigFlowResult:
        assert self._detected is not None
        return self.async_update_reload_and_abort(
            self._get_reconfigure_entry(),
            data_updates={CONF_DEVICE: self._device, CONF_MODE: self._detected.mode, **more},
        )

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the meter, and make the entry when the person agrees."""
        assert self._detected is not None
        detected, state = self._detected, self._detected.state
        if user_input is not None:
            return await self._async_offer_history(
                await async_targets(self.hass, state, of_production=detected.of_production)
            )
        meter, power = address(detected.unique_id), state.subscribed_power_kva
        return self.async_show_form(
            step_id="confirm",
            description_placeholders={
                "maker": f"{meter.maker} {meter.year}",
                "address": masked(detected.unique_id),
                "mode": detected.mode,
                "phases": str(state.phases or "?"),
                "contract": state.tariff.contract or "?",
                "power": "?" if power is None else f"{power:g} kVA",
                "injection": "✓" if state.producer else "✗",
                "production": "✓" if detected.of_production else "✗",
            },
        )

    @override
    async def _async_history_chosen(self, series: dict[str, str]) -> ConfigFlowResult:
        """Make the entry, which continues these series."""
        assert self._detected is not None
        detected = self._detected
        data: dict[str, Any] = {CONF_DEVICE: self._device, CONF_MODE: detected.mode}
        if detected.of_production:
            data[CONF_PRODUCTION] = True
        if series:
            data[CONF_HISTORY] = series
        return self.async_create_entry(
            title=default_title(detected.unique_id, of_production=detected.of_production),
            data=data,
        )

    @override
    def async_remove(self) -> None:
        """Stop listening when the person leaves."""
        if self._listening is not None:
            self._listening.cancel()


def _seconds(least: int, most: int) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(
            min=least,
            max=most,
            step=1,
            unit_of_measurement=UnitOfTime.SECONDS,
            mode=NumberSelectorMode.BOX,
        )
    )


def _price(unit: str) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(
            min=-10, max=10, step="any", unit_of_measurement=unit, mode=NumberSelectorMode.BOX
        )
    )


class LinkyOptionsFlow(HistorySteps, FileSteps, OptionsFlowWithReload):
    """Publishing interval, further sensors, prices, continued history, the years before."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what to change, where there is a choice."""
        before = joined(self.config_entry)
        more = [target for target in await self._targets() if target.key not in before]
        options = {
            "publication": True,
            "history": await self._async_find_history(more),
            "file": bool(self._file_keys),
            "undo": bool(before),
        }
        menu = [step for step, shown_there in options.items() if shown_there]
        if len(menu) > 1:
            return self.async_show_menu(step_id="init", menu_options=menu)
        return await self.async_step_publication()

    async def async_step_undo(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take joined history out of the statistics, when the person agrees."""
        if user_input is not None:
            await async_take_out(self.hass, self.config_entry)
            return self.async_abort(reason="history_undone")
        series = "\n".join(
            f"- **{name(self.hass, self.config_entry, key)}**: {period(each.since, each.until)}"
            for key, each in joined(self.config_entry).items()
        )
        return self.async_show_form(step_id="undo", description_placeholders={"series": series})

    @override
    async def _async_first(self, target: Target) -> Row:
        first = await async_first(self.hass, self.config_entry, target.key)
        return first or await super()._async_first(target)

    @override
    async def _async_history_chosen(self, series: dict[str, str]) -> ConfigFlowResult:
        """Continue these series from now on."""
        entry = self.config_entry
        data = {key: value for key, value in entry.data.items() if key != CONF_HISTORY}
        if series:
            data[CONF_HISTORY] = series
        self.hass.config_entries.async_update_entry(entry, data=data)
        self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return self.async_abort(reason="history_chosen" if series else "history_not_chosen")

    @property
    def _coordinator(self) -> LinkyCoordinator | None:
        """The meter's, while the entry is loaded."""
        return getattr(self.config_entry, "runtime_data", None)

    async def _targets(self) -> list[Target]:
        coordinator = self._coordinator
        if coordinator is None:
            return []
        return await async_targets(
            self.hass, coordinator.state, of_production=coordinator.of_production
        )

    async def async_step_publication(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for all of it at once."""
        registers = self._indexes
        if user_input is not None:
            former, contract = self.config_entry.options, {*registers}
            await async_show_prices(self.hass, self.config_entry, former, user_input, contract)
            return self.async_create_entry(data=user_input)
        fields: dict[Any, Any] = {
            vol.Required(CONF_POWER_INTERVAL, default=DEFAULT_POWER_INTERVAL): _seconds(0, 300),
            vol.Required(CONF_REGISTER_INTERVAL, default=DEFAULT_REGISTER_INTERVAL): _seconds(
                0, 3600
            ),
            vol.Required(CONF_SILENCE, default=DEFAULT_SILENCE): _seconds(10, 3600),
            vol.Required(CONF_RAW_LABELS, default=False): BooleanSelector(),
        }
        if self._can_estimate_injection:
            fields[vol.Required(CONF_ESTIMATE_INJECTION, default=False)] = BooleanSelector()
        per_kwh = _price(f"{self.hass.config.currency}/{UnitOfEnergy.KILO_WATT_HOUR}")
        fields |= {vol.Optional(option(register)): per_kwh for register in registers}
        if self._can_be_paid:
            fields[vol.Optional(CONF_INJECTION_PRICE)] = per_kwh
        coordinator, data = self._coordinator, self.config_entry.data
        tariffs = (
            data.get(CONF_TARIFFS, {}) if coordinator is None else coordinator.state.tariff_names
        )
        return self.async_show_form(
            step_id="publication",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(fields), self.config_entry.options
            ),
            description_placeholders={
                option(register): tariffs.get(register, f"index {number}")
                for number, register in enumerate(SUPPLIER_INDEXES, 1)
            },
        )

    @property
    def _indexes(self) -> list[str]:
        """The indexes that have a price, or may have one: a meter of production has none."""
        entry = self.config_entry
        if entry.data.get(CONF_PRODUCTION):
            return []
        coordinator = self._coordinator
        of_meter = (
            [] if coordinator is None else indexes(coordinator.state, coordinator.tariffs.names)
        )
        return list(dict.fromkeys([*of_meter, *prices(entry.options)]))

    @property
    def _can_be_paid(self) -> bool:
        """Whether the meter counts what is injected, by a contract that may pay for it."""
        counts = self._coordinator is not None and self._coordinator.state.producer
        return counts or CONF_INJECTION_PRICE in self.config_entry.options

    @property
    def _can_estimate_injection(self) -> bool:
        """Whether the meter is one on which injection shows in the currents only."""
        if self.config_entry.options.get(CONF_ESTIMATE_INJECTION):
            return True
        return self._coordinator is not None and self._coordinator.state.can_estimate_injection
