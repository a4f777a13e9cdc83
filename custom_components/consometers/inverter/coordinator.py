"""Polls an inverter at the interval chosen, and stores its totals for the next start."""

from contextlib import suppress
from datetime import timedelta
from functools import partial
import logging
from typing import Any, Final, override

from homeassistant.components.modbus import async_get_unit
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryError, HomeAssistantError
from homeassistant.helpers.sun import is_up
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util.dt import utcnow

from ..const import CONF_BASE, CONF_INTERVAL, CONF_UNIT_ID, DOMAIN, FORMER_INTERVAL
from ..entries import store
from ..tic.link import LinkError
from . import devices, issues
from .link import (
    Link,
    LinkInUse,
    Map,
    OtherInverter,
    on_a_line,
    parameters,
    place,
    unique_id,
)
from .state import InverterState, Presence

_LOGGER = logging.getLogger(__name__)

AT_REST: Final = timedelta(minutes=1)
"""An unavailable inverter is polled no more often: each attempt lasts for the timeout."""
SOON: Final = timedelta(seconds=5)
"""When one that was never read is asked again, so that its energies are sure and can be shown."""
SILENT_AFTER_S: Final = 3_600
_SAVED_WITHIN_S: Final = 300

type InverterConfigEntry = ConfigEntry[InverterCoordinator]


class InverterCoordinator(DataUpdateCoordinator[InverterState]):
    """Owns the link to one inverter, and its state."""

    config_entry: InverterConfigEntry

    def __init__(self, hass: HomeAssistant, entry: InverterConfigEntry) -> None:
        """Start without a reading. Raises ConfigEntryError."""
        self._pace = timedelta(seconds=entry.options.get(CONF_INTERVAL, FORMER_INTERVAL))
        super().__init__(
            hass, _LOGGER, config_entry=entry, name=entry.title, update_interval=self._pace
        )
        try:
            unit = async_get_unit(hass, entry, parameters(entry.data), entry.data[CONF_UNIT_ID])
        except HomeAssistantError as error:
            raise ConfigEntryError(
                translation_domain=DOMAIN, translation_key=LinkInUse.key
            ) from error
        self.link = Link(unit, (entry.data[CONF_BASE],), on_a_line=on_a_line(entry.data))
        self.state = InverterState()
        self.known_keys: set[str] = set()
        """Keys of all entities that this inverter has ever had."""
        self.image: dict[str, Any] | None = None
        """Its registers, as diagnostics show them, and when they were read last."""
        self._store = store(hass, entry)
        self._shown: Map | None = None
        self._silent_since: float | None = None

    async def async_start(self) -> None:
        """Ask a first time. Raises ConfigEntryNotReady.

        One that was read before may sleep: its total is known all the same.
        """
        if (stored := await self._store.async_load()) is not None:
            self.state.recall(stored["counters"])
            self.known_keys.update(stored["known"])
            self.image = stored["image"]
        entry = self.config_entry
        await self.async_config_entry_first_refresh()
        entry.async_on_unload(partial(issues.clear_passing, self.hass, entry))
        entry.async_on_unload(self._save)

    async def _save(self) -> None:
        await self._store.async_save(self._to_store())

    @override
    async def _async_update_data(self) -> InverterState:
        try:
            inverter_map = await self.link.find()
            if (
                unique_id(inverter_map.identity, self.config_entry.data)
                != self.config_entry.unique_id
            ):
                self.link.forget()
                raise OtherInverter
            reading = await self.link.read()
        except LinkError as error:
            self._miss(error)
            return self.state
        now = utcnow().timestamp()
        for name, event in self.state.take(reading, now):
            _LOGGER.warning("%s: counter %s %s", self.name, name, event.name.lower())
            issues.create_counter(self.hass, self.config_entry, event)
        self._silent_since = None
        begins = self._shown is None and self.state.unsure
        self.update_interval = min(SOON, self._pace) if begins else self._pace
        issues.clear_passing(self.hass, self.config_entry)
        if inverter_map is not self._shown:
            devices.keep(self.hass, self.config_entry, inverter_map)
            self._shown = inverter_map
            await self._keep_image()
        self._store.async_delay_save(self._to_store, _SAVED_WITHIN_S)
        return self.state

    async def async_image(self) -> dict[str, Any]:
        """Read the registers as they are now. Raises LinkError."""
        inverter_map = await self.link.find()
        registers = await self.link.image()
        self.image = {
            "read_at": utcnow().isoformat(timespec="seconds"),
            "maker": inverter_map.identity.maker,
            "model": inverter_map.identity.model,
            "version": inverter_map.identity.version,
            "base": inverter_map.base,
            "models": [
                [model.model_id, model.address, model.length] for model in inverter_map.models
            ],
            "registers": registers,
        }
        return self.image

    async def _keep_image(self) -> None:
        """Keep registers for diagnostics when it does not answer, as at night."""
        with suppress(LinkError):
            await self.async_image()

    def _miss(self, error: LinkError) -> None:
        """Record a failed poll. Raises UpdateFailed, unless that is to be expected."""
        at, state = utcnow(), self.state
        now = at.timestamp()
        state.miss(now, sun_up=is_up(self.hass, at))
        other = isinstance(error, OtherInverter)
        issues.report_link(self.hass, self.config_entry, issues.OTHER_INVERTER, holds=other)
        if other:
            state.presence = Presence.AWAY
        if state.awake:
            return
        self.update_interval = max(AT_REST, self._pace)
        if state.presence is Presence.ASLEEP and self.known_keys:
            self._silent_since = None
            issues.report_link(self.hass, self.config_entry, issues.INVERTER_SILENT, holds=False)
            return
        self._silent_since = now if self._silent_since is None else self._silent_since
        silent = not other and now - self._silent_since >= SILENT_AFTER_S
        issues.report_link(self.hass, self.config_entry, issues.INVERTER_SILENT, holds=silent)
        raise UpdateFailed(
            translation_domain=DOMAIN,
            translation_key=error.key,
            translation_placeholders={"device": place(self.config_entry.data)},
        ) from error

    def _to_store(self) -> dict[str, Any]:
        return {
            "counters": self.state.remember(),
            "known": sorted(self.known_keys),
            "image": self.image,
        }
