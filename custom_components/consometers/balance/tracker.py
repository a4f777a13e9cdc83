"""Listens to the sources of a home, shows its sums at a pace, and stores them over restarts."""

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from functools import partial
import logging
from math import isfinite
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import (
    ATTR_UNIT_OF_MEASUREMENT,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    UnitOfEnergy,
    UnitOfPower,
)
from homeassistant.core import CoreState, Event, HomeAssistant, State, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import (
    async_track_entity_registry_updated_event,
    async_track_state_change_event,
    async_track_state_report_event,
    async_track_time_change,
)
from homeassistant.helpers.sun import is_up
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import EnergyConverter, PowerConverter

from ..const import (
    CONF_DRAWN_ENERGY,
    CONF_DRAWN_POWER,
    CONF_HOME,
    CONF_INJECTED_ENERGY,
    CONF_INJECTED_POWER,
    CONF_PRODUCTION_ENERGY,
    CONF_PRODUCTION_POWER,
)
from ..entries import store
from ..issues import delete, report
from .state import Balance, Home, Powers, Sources, Sums

_LOGGER = logging.getLogger(__name__)

SHOWN_EVERY: Final = timedelta(minutes=1)
"""What is shown is written to the database, so it is not shown whenever a source speaks. Sums go
on even when none does."""
_SAVED_WITHIN_S: Final = 300
_PAST: Final = "past"

SOURCES_DISAGREE: Final = "sources_disagree"
"""Injection exceeded production for an hour."""
SOURCES_GONE: Final = "sources_gone"

type BalanceConfigEntry = ConfigEntry[BalanceTracker]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A home's state at one moment."""

    sums: Sums
    today: Sums
    powers: Powers

    @property
    def gaps(self) -> list[bool]:
        """The unknown energies and powers."""
        return [each is None for each in (*astuple(self.sums), *astuple(self.powers))]


def unique_id(data: Mapping[str, Any]) -> str:
    """Name a home by its meter."""
    return f"home:{data[CONF_DRAWN_ENERGY]}"


class BalanceTracker(DataUpdateCoordinator[Shown]):
    """Owns the state of one home."""

    config_entry: BalanceConfigEntry

    def __init__(self, hass: HomeAssistant, entry: BalanceConfigEntry) -> None:
        """Start with nothing counted."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=entry.title,
            update_interval=SHOWN_EVERY,
            always_update=False,
        )
        data = entry.data
        self.balance = Balance(
            Home(data[CONF_HOME]),
            Sources(
                production=tuple(data[CONF_PRODUCTION_ENERGY]),
                drawn=data[CONF_DRAWN_ENERGY],
                injected=data.get(CONF_INJECTED_ENERGY),
            ),
        )
        self.has_past = False
        """Whether the past of its sources was imported."""
        self._store = store(hass, entry)
        self._gone: list[str] | None = None
        """Sources that do not exist; None until all had time to begin."""

    async def async_start(self) -> None:
        """Listen from now on."""
        if (stored := await self._store.async_load()) is not None:
            if not self.balance.recall(stored):
                _LOGGER.warning("%s: of its sums a part is lost, the rest goes on", self.name)
            self.has_past = stored.get(_PAST, False)
        entry, energies = self.config_entry, self.balance.sources.all
        for source in energies:
            self._count(self.hass.states.get(source))
        await self.async_config_entry_first_refresh()
        sources = self._sources()
        for track in (async_track_state_change_event, async_track_state_report_event):
            entry.async_on_unload(track(self.hass, sources, self._heard))
        entry.async_on_unload(
            async_track_entity_registry_updated_event(self.hass, sources, self._renamed)
        )
        entry.async_on_unload(
            async_track_time_change(self.hass, self._midnight, hour=0, minute=0, second=0)
        )
        entry.async_on_unload(partial(delete, self.hass, entry, SOURCES_DISAGREE, SOURCES_GONE))
        entry.async_on_unload(self._save)
        self._gone = []

    async def async_keep_past(self) -> None:
        """Store that the past was imported."""
        self.has_past = True
        await self._save()

    async def _save(self) -> None:
        await self._store.async_save(self._to_store())

    @override
    async def _async_update_data(self) -> Shown:
        return self._shown()

    @callback
    def show(self) -> None:
        """Show all known values at once."""
        self.async_set_updated_data(self._shown())

    @callback
    def _heard(self, event: Event[Any]) -> None:
        """Take in what a source says, new or not. What was not known, or no longer is, is shown."""
        state = self.hass.states.get(event.data["entity_id"])
        if state is not None and state.entity_id in self.balance.sources.all:
            self._count(state)
        shown = self._shown()
        if shown.gaps != self.data.gaps:
            self.async_set_updated_data(shown)

    @callback
    def _renamed(self, event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        """Follow a source whose id a person changed: it counts on as the same."""
        change = event.data
        if change["action"] != "update" or "entity_id" not in change["changes"]:
            return
        former, now = change["old_entity_id"], change["entity_id"]
        data = {key: _renamed(value, former, now) for key, value in self.config_entry.data.items()}
        self.balance.rename(former, now)
        self.hass.config_entries.async_update_entry(
            self.config_entry, data=data, unique_id=unique_id(data)
        )
        self.hass.config_entries.async_schedule_reload(self.config_entry.entry_id)

    @callback
    def _midnight(self, _now: datetime) -> None:
        self.show()

    def _count(self, state: State | None) -> None:
        energy_wh = _converted(state, EnergyConverter, UnitOfEnergy.WATT_HOUR)
        if state is not None and energy_wh is not None:
            self.balance.take(state.entity_id, energy_wh, state.last_reported.timestamp())

    def _shown(self) -> Shown:
        now = dt_util.utcnow()
        self.balance.turn(dt_util.start_of_local_day().timestamp())
        sums = self.balance.settle(now.timestamp())
        self._look_for_sources()
        if (disagrees := self.balance.disagrees(now.timestamp())) is not None:
            report(self.hass, self.config_entry, SOURCES_DISAGREE, holds=disagrees)
        self._store.async_delay_save(self._to_store, _SAVED_WITHIN_S)
        return Shown(sums=sums, today=self.balance.today, powers=self._power())

    def _to_store(self) -> dict[str, Any]:
        """Return the state for the next start."""
        return {**self.balance.remember(), _PAST: self.has_past}

    def _power(self) -> Powers:
        data = self.config_entry.data
        return Powers.from_sources(
            self.balance.home,
            [self._made(source) for source in data.get(CONF_PRODUCTION_POWER, ())],
            self._watts(data.get(CONF_DRAWN_POWER)),
            self._watts(data.get(CONF_INJECTED_POWER)),
        )

    def _made(self, source: str) -> float | None:
        """Return what panels make: nothing, if they say nothing and there is no sun."""
        power_w = self._watts(source)
        return 0.0 if power_w is None and not is_up(self.hass) else power_w

    def _watts(self, source: str | None) -> float | None:
        state = None if source is None else self.hass.states.get(source)
        return _converted(state, PowerConverter, UnitOfPower.WATT)

    def _look_for_sources(self) -> None:
        """Check whether a source was removed. While Home Assistant starts, some are late."""
        if self._gone is None or self.hass.state is not CoreState.running:
            return
        gone = [each for each in self._sources() if self.hass.states.get(each) is None]
        if gone != self._gone:
            self._gone, sources = gone, ", ".join(gone)
            report(self.hass, self.config_entry, SOURCES_GONE, holds=bool(gone), sources=sources)

    def _sources(self) -> list[str]:
        return [*sorted(self.balance.sources.all), *self._powers()]

    def _powers(self) -> Iterable[str]:
        data = self.config_entry.data
        yield from data.get(CONF_PRODUCTION_POWER, ())
        for key in (CONF_DRAWN_POWER, CONF_INJECTED_POWER):
            if source := data.get(key):
                yield source


def _renamed(value: Any, former: str, now: str) -> Any:
    if isinstance(value, list):
        return [_renamed(each, former, now) for each in value]
    return now if value == former else value


def _converted(
    state: State | None,
    converter: type[EnergyConverter | PowerConverter],
    unit: UnitOfEnergy | UnitOfPower,
) -> float | None:
    """Return the value of a state, in a unit; None if that is no finite number."""
    if state is None or state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN):
        return None
    try:
        unit_of_source = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
        value: float = converter.convert(float(state.state), unit_of_source, unit)
    except (HomeAssistantError, ValueError) as error:
        _LOGGER.debug("%s says nothing that can be counted: %s", state.entity_id, error)
        return None
    return value if isfinite(value) else None
