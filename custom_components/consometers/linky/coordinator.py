"""Keeps one meter in Home Assistant up to date: reads for ever, publishes at the pace chosen."""

from collections.abc import Set as AbstractSet
from contextlib import aclosing
from functools import partial
import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_DEVICE
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ..const import (
    CONF_MODE,
    CONF_OFFSET,
    CONF_PRODUCTION,
    CONF_SCHEDULES,
    CONF_SILENCE,
    CONF_TARIFFS,
    DEFAULT_SILENCE,
    DOMAIN,
)
from ..issues import delete
from ..ports import shown
from ..tic import Address, Mode, address
from ..tic.link import Link, LinkError
from . import issues
from .detection import default_title, title_after
from .pacing import Pace, Pacing
from .prices import prices
from .reader import Reader
from .state import FrameResult, LinkyState
from .tariffs.names import Tariffs
from .tariffs.schedules import Schedules

_LOGGER = logging.getLogger(__name__)

FIRST_LINKY_TYPE = "60"
"""Types of meters from here on are Linky. Source: Enedis-NOI-CPT_54E §2.2."""
NO_DATA_ISSUE_AFTER_S = 300.0
"""Without a good group for this long, a repair issue says what to check."""

type LinkyConfigEntry = ConfigEntry[LinkyCoordinator]


class LinkyCoordinator(DataUpdateCoordinator[None]):
    """Owns the state of one meter, and the task that reads it."""

    config_entry: LinkyConfigEntry

    def __init__(self, hass: HomeAssistant, entry: LinkyConfigEntry) -> None:
        """Start without a reading; `async_start` opens the link."""
        super().__init__(hass, _LOGGER, config_entry=entry, name=entry.title)
        self.last_update_success = False
        self._clock = hass.loop.time
        self.state = LinkyState(entry.data.get(CONF_OFFSET, 0))
        self.state.prices = prices(entry.options)
        mode = Mode(entry.data[CONF_MODE])
        self.reader = Reader(self.device, mode, self.state, self._clock)
        self.tariffs = self.state.tariffs = Tariffs(entry.data.get(CONF_TARIFFS, {}))
        self.schedules = self.state.schedules = Schedules(entry.data.get(CONF_SCHEDULES, {}))
        self.due: AbstractSet[Pace] = frozenset()
        """The paces whose entities this update is for."""
        self._pacing = Pacing(entry.options)
        self._silence_s: float = entry.options.get(CONF_SILENCE, DEFAULT_SILENCE)
        self._followed: tuple[Mode, str] | None = None
        self._wrong_meter = False
        self._published = False
        self._no_data = False
        self._link_was_good = False

    @property
    def address(self) -> Address:
        """The facts in the address of the entry's meter."""
        assert self.config_entry.unique_id is not None
        return address(self.config_entry.unique_id)

    @property
    def device_info(self) -> dr.DeviceInfo:
        """The meter as a device."""
        meter = self.address
        is_linky = meter.type >= FIRST_LINKY_TYPE
        kind = "linky" if is_linky else "meter"
        return dr.DeviceInfo(
            identifiers={(DOMAIN, self.config_entry.entry_id)},
            translation_key="linky_of_production" if self.of_production else kind,
            manufacturer=meter.maker,
            model="Linky" if is_linky else None,
            model_id=meter.type,
            hw_version=str(meter.year),
            serial_number=self.config_entry.unique_id,
        )

    @property
    def of_production(self) -> bool:
        """Whether the meter counts what panels sell, and nothing of a home."""
        return bool(self.config_entry.data.get(CONF_PRODUCTION))

    @property
    def device(self) -> str:
        """The port or serial URL."""
        return str(self.config_entry.data[CONF_DEVICE])

    @property
    def link_good(self) -> bool:
        """Whether the meter's lamp would be on."""
        return self.state.indicator.is_good(self._clock())

    async def async_start(self) -> None:
        """Open the link and begin to read. Raises ConfigEntryNotReady if it cannot be opened."""
        try:
            link = await self.reader.open()
        except LinkError as error:
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN,
                translation_key=error.key,
                translation_placeholders={"device": shown(self.device)},
            ) from error
        passing = issues.WRONG_METER, issues.NO_DATA
        self.config_entry.async_on_unload(partial(delete, self.hass, self.config_entry, *passing))
        self.config_entry.async_create_background_task(
            self.hass, self._run(link), f"{DOMAIN} {self.config_entry.title}"
        )

    async def _run(self, link: Link) -> None:
        async with aclosing(self.reader.read(link)) as chunks:
            async for data in chunks:
                self._take(data)
                self._check_silence()

    @callback
    def _take(self, data: bytes) -> None:
        """Decode the bytes, and publish what is due."""
        result = self.state.feed(data, self._clock())
        if result is FrameResult.NOTHING or not self.state.identified:
            return
        self._follow_meter()
        if self._wrong_meter:
            self._set_available(available=False)
            return
        # Names are fixed when an entity is made.
        self._learn_what_it_counts()
        self._learn_tariff()
        self._learn_schedule()
        self._set_available(available=True)
        due = self._pacing.take_due(len(self.state.meter.readings), self._clock())
        if result is FrameResult.CHANGE or not self._published:
            self._remember_offset()
            self._published = True
            due.add(Pace.CHANGE)
        if due:
            self._update(due)

    def _update(self, due: AbstractSet[Pace]) -> None:
        self.due = due
        self.async_update_listeners()

    def _follow_meter(self) -> None:
        """Compare the meter that speaks with the entry's, and report a difference.

        A meter that no other entry knows has replaced the former one, and is followed.
        """
        mode, unique_id = self.state.mode, self.state.meter.address
        assert mode is not None
        assert unique_id is not None
        entry, entries = self.config_entry, self.hass.config_entries
        entry_of_meter = entries.async_entry_for_domain_unique_id(DOMAIN, unique_id)
        was_wrong, wrong = self._wrong_meter, entry_of_meter not in (None, entry)
        if self._followed == (mode, unique_id) and wrong is was_wrong:
            return
        self._followed, self._wrong_meter = (mode, unique_id), wrong
        self.reader.mode = mode
        self._pacing.restart()
        issues.set_wrong_meter(self.hass, entry, unique_id if wrong else None)
        if wrong:
            self.reader.record("another one of the meters")
            _LOGGER.warning("%s: another one of your meters answers", entry.title)
            return
        issues.set_mode_changed(self.hass, entry, mode)
        if was_wrong:
            self.state.offset_wh = entry.data.get(CONF_OFFSET, 0)
        if entry_of_meter is None:
            self.reader.record("another meter")
            self.state.offset_wh = 0
            self.schedules.forget()
            self._replace_meter(unique_id)

    def _replace_meter(self, unique_id: str) -> None:
        """Make the entry one of another meter."""
        entry, former = self.config_entry, self.config_entry.unique_id or ""
        title = title_after(entry.title, self._title(former), self._title(unique_id))
        self.hass.config_entries.async_update_entry(entry, unique_id=unique_id, title=title)
        issues.create_meter_replaced(self.hass, entry, former)
        dr.async_get(self.hass).async_get_or_create(
            config_entry_id=entry.entry_id, **self.device_info
        )

    def _title(self, unique_id: str) -> str:
        return default_title(unique_id, of_production=self.of_production)

    def _learn_what_it_counts(self) -> None:
        """Record that the meter is one of production, or no longer: its names say so."""
        entry, of_production = self.config_entry, self.state.of_production
        if of_production is None or of_production is self.of_production:
            return
        former = self._title(entry.unique_id or "")
        now = default_title(entry.unique_id or "", of_production=of_production)
        self.hass.config_entries.async_update_entry(
            entry,
            title=title_after(entry.title, former, now),
            data={**entry.data, CONF_PRODUCTION: of_production},
        )
        if self._published:
            self.hass.config_entries.async_schedule_reload(entry.entry_id)

    def _learn_tariff(self) -> None:
        """Remember the supplier's name of the index that runs now.

        The name of an entity is fixed when it is made: a first name creates the entities again.
        """
        tariff = self.state.tariff
        if self.state.mode is not Mode.STANDARD or not tariff.register or not tariff.label:
            return
        register, label, at_once = tariff.register, tariff.label, not self._published
        is_first = register not in self.tariffs.names
        is_shown = self.state.tariff_names.get(register) == label
        if not self.tariffs.learn(register, label, self._clock(), at_once=at_once):
            return
        self._remember(CONF_TARIFFS, dict(self.tariffs.names))
        if is_first and not is_shown and self._published:
            self.hass.config_entries.async_schedule_reload(self.config_entry.entry_id)

    def _learn_schedule(self) -> None:
        """Remember the schedule of tomorrow: tomorrow the meter sends another."""
        now, tomorrow = self.state.time("DATE"), self.state.reading("PJOURF+1")
        if now is None or tomorrow is None:
            return
        if self.schedules.learn(now, tomorrow.group.raw, self._clock()):
            self._remember(CONF_SCHEDULES, self.schedules.stored)

    def _remember(self, key: str, value: object) -> None:
        data = {**self.config_entry.data, key: value}
        self.hass.config_entries.async_update_entry(self.config_entry, data=data)

    def _remember_offset(self) -> None:
        if self.state.offset_wh != self.config_entry.data.get(CONF_OFFSET, 0):
            self._remember(CONF_OFFSET, self.state.offset_wh)

    @callback
    def _check_silence(self) -> None:
        """Check whether the meter has been silent for long, or is no longer."""
        silent_s = self.reader.silent_s
        if silent_s >= self._silence_s and not self.reader.is_lost:
            self.reader.is_lost = True
            _LOGGER.warning("%s: nothing valid comes from the meter", self.config_entry.title)
            self._set_available(available=False)
            self.state.forget()
        no_data = silent_s >= NO_DATA_ISSUE_AFTER_S
        if no_data != self._no_data:
            self._no_data = no_data
            issues.set_no_data(self.hass, self.config_entry, no_data=no_data)
        if self.link_good != self._link_was_good:
            self._link_was_good = self.link_good
            self._update({Pace.CHANGE})

    def _set_available(self, *, available: bool) -> None:
        if available == self.last_update_success:
            return
        self.last_update_success = available
        self.reader.record("available" if available else "unavailable")
        if available and self.reader.is_lost:
            self.reader.is_lost = False
            _LOGGER.info("%s: the meter is heard again", self.config_entry.title)
        self._update(set(Pace))
