"""Updates the forecast of each collective's surplus, from its statistics in Home Assistant."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
import logging
from typing import Final, override

from homeassistant.components.energy.data import async_get_manager
from homeassistant.components.energy.websocket_api import async_get_energy_platforms
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_change
from homeassistant.helpers.storage import Store
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from ...const import DOMAIN
from ...recorder.rows import HOUR_S, energies
from ...recorder.statistics import async_rows
from ..api.answers import Collective, Node
from .surplus import HOUR, PAST_DAYS, Flows, Forecast, forecast

_LOGGER = logging.getLogger(__name__)

_ENERGY, _RECORDER = "energy", "recorder"
_STORE_VERSION: Final = 1
_SECOND: Final = 20
"""After the hour: the recorder has work to do at the full minute."""


def sun_store(hass: HomeAssistant, entry: ConfigEntry) -> Store[dict[str, float]]:
    """Return the store of past days' forecasts: Wh by day."""
    return Store(hass, _STORE_VERSION, f"{DOMAIN}.{entry.entry_id}.sun")


class HourlyCoordinator[T](DataUpdateCoordinator[Mapping[str, T]]):
    """Computes something of each collective, each hour and when one publishes another hour."""

    config_entry: ConfigEntry
    minute: int
    """When it computes, within the hour."""

    def __init__(self, node: DataUpdateCoordinator[Node], name: str) -> None:
        """Start with nothing computed."""
        entry = node.config_entry
        assert entry is not None
        super().__init__(node.hass, _LOGGER, config_entry=entry, name=f"{entry.title} {name}")
        self.data = {}
        self._node = node
        self._seen: Mapping[str, object] = {}

    @callback
    def async_start(self) -> None:
        """Compute as soon as Home Assistant has time for it."""
        entry = self.config_entry
        entry.async_on_unload(self._node.async_add_listener(self._look))
        entry.async_on_unload(
            async_track_time_change(self.hass, self._each_hour, minute=self.minute, second=_SECOND)
        )
        self._look()

    async def _each_hour(self, _: datetime) -> None:
        await self.async_refresh()

    @callback
    def _look(self) -> None:
        """Update where the inputs of a collective changed."""
        collectives = self._node.data.collectives if self._node.last_update_success else ()
        seen = {
            each.id: self._inputs(each) for each in collectives if statistics_of(each) is not None
        }
        if seen and seen != self._seen:
            self._seen = seen
            self.config_entry.async_create_task(self.hass, self.async_request_refresh())

    @abstractmethod
    def _inputs(self, collective: Collective) -> object:
        """Return what changes when a collective publishes another hour."""


class SurplusCoordinator(HourlyCoordinator[Sequence[Forecast]]):
    """Forecasts the surplus of today and tomorrow."""

    minute = 0

    def __init__(self, node: DataUpdateCoordinator[Node]) -> None:
        """Start without a forecast."""
        super().__init__(node, "surplus")
        self._store = sun_store(self.hass, self.config_entry)
        self._sun: dict[date, float] | None = None

    def now(self, collective_id: str) -> Forecast | None:
        """Return the forecast of this hour."""
        now = dt_util.now()
        hours = self.data.get(collective_id, ())
        return next((hour for hour in hours if hour.start <= now < hour.end), None)

    def to_come(self, collective_id: str) -> list[Forecast]:
        """Return the forecasts from this hour on."""
        now = dt_util.now()
        return [hour for hour in self.data.get(collective_id, ()) if now < hour.end]

    @override
    def _inputs(self, collective: Collective) -> object:
        return None if collective.last is None else collective.last.end

    @override
    async def _async_update_data(self) -> Mapping[str, Sequence[Forecast]]:
        sun = await self._sunshine()
        forecasts: dict[str, Sequence[Forecast]] = {}
        for collective in self._node.data.collectives:
            if (statistics := statistics_of(collective)) is not None:
                past = await self._past(*statistics)
                forecasts[collective.id] = forecast(past, _hours(), sun)
        return forecasts

    async def _past(self, injection: str, consumption: str) -> list[Flows]:
        if _RECORDER not in self.hass.config.components:
            return []
        today = dt_util.start_of_local_day()
        # An energy is the difference of two sums.
        start = (today - timedelta(days=PAST_DAYS) - HOUR).timestamp()
        end = dt_util.utcnow().timestamp()
        rows = await async_rows(self.hass, [injection, consumption], start, end, "hour")
        injected, drawn = (energies(rows.get(each, ())) for each in (injection, consumption))
        return [
            Flows(dt_util.as_local(dt_util.utc_from_timestamp(at)), injected[at], drawn[at])
            for at in injected
            if at in drawn
        ]

    async def _sunshine(self) -> Mapping[date, float]:
        """Return the household's forecasts of production for each day, past ones too."""
        if self._sun is None:
            stored = await self._store.async_load() or {}
            self._sun = {date.fromisoformat(day): wh for day, wh in stored.items()}
        if fresh := await _forecasts_of_production(self.hass):
            first = dt_util.now().date() - timedelta(days=PAST_DAYS)
            recent = {day: wh for day, wh in self._sun.items() if day >= first}
            if (sun := recent | fresh) != self._sun:
                self._sun = sun
                await self._store.async_save({day.isoformat(): wh for day, wh in sun.items()})
        return self._sun


def statistics_of(collective: Collective) -> tuple[str, str] | None:
    """Return the statistics of injection and consumption of a collective that has both, by hours.

    One that publishes whole days has them at their first hours.
    """
    last, statistics = collective.last, collective.statistics
    if last is not None and last.end - last.start > HOUR:
        return None
    if statistics is None or statistics.injection is None or statistics.consumption is None:
        return None
    return statistics.injection, statistics.consumption


def _hours() -> list[datetime]:
    """Return the hours of today and tomorrow, in the time of the home."""
    start = dt_util.start_of_local_day()
    end = dt_util.start_of_local_day(start.date() + timedelta(days=2))
    count = round((end.timestamp() - start.timestamp()) / HOUR_S)
    return [dt_util.as_local(dt_util.as_utc(start) + n * HOUR) for n in range(count)]


async def _forecasts_of_production(hass: HomeAssistant) -> dict[date, float]:
    """Return the forecasts of the Energy dashboard, in Wh by day."""
    if _ENERGY not in hass.config.components:
        return {}
    preferences = (await async_get_manager(hass)).data
    if preferences is None:
        return {}
    chosen = {
        entry_id
        for source in preferences["energy_sources"]
        if source["type"] == "solar"
        for entry_id in source["config_entry_solar_forecast"] or ()
    }
    platforms = await async_get_energy_platforms(hass)
    days: dict[date, float] = {}
    for entry_id in chosen:
        entry = hass.config_entries.async_get_entry(entry_id)
        if entry is None or entry.domain not in platforms:
            continue
        solar = await platforms[entry.domain](hass, entry_id)
        for at, wh in ({} if solar is None else solar["wh_hours"]).items():
            if (start := dt_util.parse_datetime(at)) is not None:
                day = dt_util.as_local(start).date()
                days[day] = days.get(day, 0.0) + float(wh)
    return days
