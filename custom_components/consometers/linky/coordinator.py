"""Keeps one meter in Home Assistant up to date: reads for ever, publishes at the pace chosen."""

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_DEVICE
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util import dt as dt_util
from homeassistant.util.signal_type import SignalType

from ..const import (
    CONF_MODE,
    CONF_OFFSET,
    CONF_POWER_INTERVAL,
    CONF_PRODUCTION,
    CONF_REGISTER_INTERVAL,
    CONF_SILENCE,
    CONF_TARIFFS,
    DEFAULT_POWER_INTERVAL,
    DEFAULT_REGISTER_INTERVAL,
    DEFAULT_SILENCE,
    DOMAIN,
)
from ..issues import delete
from ..ports import shown
from ..tic import Address, Mode, address
from ..tic.link import SPEEDS, Link, LinkError, connect
from . import issues
from .detection import default_title, title_after
from .prices import prices
from .state import FrameResult, LinkyState

_LOGGER = logging.getLogger(__name__)

FIRST_LINKY_TYPE = "60"
"""Types of meters from here on are Linky. Source: Enedis-NOI-CPT_54E §2.2."""
RETUNE_AFTER_S = 10.0
"""Without a good group for this long, listen at the other mode's speed."""
NO_DATA_ISSUE_AFTER_S = 300.0
"""Without a good group for this long, a repair issue says what to check."""
TARIFF_SETTLES_S = 20.0
"""A frame that spans the end of a tariff has the name of one and the index of the other, and noise
may keep one of them back: only what stays together for so long belongs together."""
FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 30.0

_READ_TIMEOUT_S = 2.0
_STORY_LENGTH = 50

type LinkyConfigEntry = ConfigEntry[LinkyCoordinator]


class Pace(StrEnum):
    """When an entity is written."""

    POWER = "power"
    """At the interval for power."""
    REGISTER = "register"
    """At the interval for registers."""
    CHANGE = "change"
    """As soon as it changes."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the link, for diagnostics."""

    at: datetime
    what: str


class LinkyCoordinator:
    """Owns the link to one meter, its one reader task, and the meter's state."""

    def __init__(self, hass: HomeAssistant, entry: LinkyConfigEntry) -> None:
        """Start without a reading; `async_start` opens the link."""
        self.hass = hass
        self.entry = entry
        self.state = LinkyState(entry.data.get(CONF_OFFSET, 0))
        self.state.prices = prices(entry.options)
        self.available = False
        self.story: deque[Event] = deque(maxlen=_STORY_LENGTH)
        self.tariffs: dict[str, str] = dict(entry.data.get(CONF_TARIFFS, {}))
        self._intervals: dict[Pace, float] = {
            Pace.POWER: entry.options.get(CONF_POWER_INTERVAL, DEFAULT_POWER_INTERVAL),
            Pace.REGISTER: entry.options.get(CONF_REGISTER_INTERVAL, DEFAULT_REGISTER_INTERVAL),
        }
        self._silence_s: float = entry.options.get(CONF_SILENCE, DEFAULT_SILENCE)
        self._mode = Mode(entry.data[CONF_MODE])
        self._clock = hass.loop.time
        self._started_at = self._tuned_at = self._clock()
        self._written_at = dict.fromkeys(self._intervals, float("-inf"))
        self._followed: tuple[Mode, str] | None = None
        self._readings_before = 0
        self._running: tuple[str, str] | None = None
        self._running_since = 0.0
        self._wrong_meter = False
        self._published = False
        self._lost = False
        self._no_data = False
        self._link_was_good = False

    def signal(self, pace: Pace) -> SignalType[()]:
        """Return the signal on which entities of a pace write their state."""
        return SignalType(f"{DOMAIN}_{self.entry.entry_id}_{pace}")

    @property
    def signal_known(self) -> SignalType[()]:
        """Return the signal on which platforms look for more facts of the meter."""
        return SignalType(f"{DOMAIN}_{self.entry.entry_id}_known")

    @property
    def address(self) -> Address:
        """The facts in the address of the entry's meter."""
        assert self.entry.unique_id is not None
        return address(self.entry.unique_id)

    @property
    def device_info(self) -> dr.DeviceInfo:
        """The meter as a device."""
        meter = self.address
        is_linky = meter.type >= FIRST_LINKY_TYPE
        kind = "linky" if is_linky else "meter"
        return dr.DeviceInfo(
            identifiers={(DOMAIN, self.entry.entry_id)},
            translation_key="linky_of_production" if self.of_production else kind,
            manufacturer=meter.maker,
            model="Linky" if is_linky else None,
            model_id=meter.type,
            hw_version=str(meter.year),
            serial_number=self.entry.unique_id,
        )

    @property
    def of_production(self) -> bool:
        """Whether the meter counts what panels sell, and nothing of a home."""
        return bool(self.entry.data.get(CONF_PRODUCTION))

    @property
    def device(self) -> str:
        """The port or serial URL."""
        return str(self.entry.data[CONF_DEVICE])

    @property
    def link_good(self) -> bool:
        """Whether the meter's lamp would be on."""
        return self.state.lamp.is_good(self._clock())

    async def async_start(self) -> None:
        """Open the link and begin to read. Raises ConfigEntryNotReady if it cannot be opened."""
        try:
            link = await self._connect()
        except LinkError as error:
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN,
                translation_key=error.key,
                translation_placeholders={"device": shown(self.device)},
            ) from error
        passing = issues.WRONG_METER, issues.NO_DATA
        self.entry.async_on_unload(partial(delete, self.hass, self.entry, *passing))
        self.entry.async_create_background_task(
            self.hass, self._run(link), f"{DOMAIN} {self.entry.title}"
        )

    async def _connect(self) -> Link:
        link = await connect(self.device, self._mode)
        self._tell(f"opened at {SPEEDS[self._mode]} baud")
        return link

    async def _run(self, link: Link | None) -> None:
        """Read for ever; when the port goes away, open it again with growing patience."""
        retry_s = FIRST_RETRY_S
        while True:
            try:
                link = link or await self._connect()
                await self._listen(link)
            except LinkError as error:
                if not self._lost:
                    self._tell(error.key)
            finally:
                if link is not None:
                    await link.close()
            if link is not None:
                retry_s = FIRST_RETRY_S
            link = None
            await self._pause(retry_s)
            retry_s = min(2 * retry_s, LONGEST_RETRY_S)

    async def _pause(self, seconds: float) -> None:
        """Wait, with an eye on the time without data."""
        until = self._clock() + seconds
        while (left := until - self._clock()) > 0:
            self._check_silence()
            await asyncio.sleep(min(left, _READ_TIMEOUT_S))

    async def _listen(self, link: Link) -> None:
        """Read until the link is lost."""
        self._tuned_at = self._clock()
        while True:
            self._take(await link.read(_READ_TIMEOUT_S))
            self._check_silence()
            if self._silent_since(self._tuned_at) >= RETUNE_AFTER_S:
                await self._retune(link)

    async def _retune(self, link: Link) -> None:
        """Listen at the speed of the other mode."""
        self._mode = Mode.HISTORIQUE if self._mode is Mode.STANDARD else Mode.STANDARD
        self._tuned_at = self._clock()
        if not self._lost:
            self._tell(f"nothing valid, trying {SPEEDS[self._mode]} baud")
        await link.listen_for(self._mode)

    def _silent_since(self, moment: float) -> float:
        """Return the seconds without a good group, counted from a moment on."""
        return self._clock() - max(moment, self.state.heard_at or moment)

    @callback
    def _take(self, data: bytes) -> None:
        """Decode the bytes, and publish what is due."""
        heard = self.state.feed(data, self._clock())
        if heard is FrameResult.NOTHING or not self.state.identified:
            return
        self._follow_meter()
        self._set_available(available=not self._wrong_meter)
        if self.available:
            self._publish(heard)

    def _publish(self, heard: FrameResult) -> None:
        self._learn_what_it_counts()
        self._learn_tariff()
        if heard is FrameResult.CHANGE or not self._published:
            self._remember_offset()
            self._published = True
            async_dispatcher_send(self.hass, self.signal_known)
            async_dispatcher_send(self.hass, self.signal(Pace.CHANGE))
        now, reading_count = self._clock(), len(self.state.meter.readings)
        if reading_count > self._readings_before:
            # A value that was unknown is shown at once.
            self._written_at = dict.fromkeys(self._intervals, float("-inf"))
        self._readings_before = reading_count
        for pace, interval in self._intervals.items():
            if now - self._written_at[pace] >= interval:
                self._written_at[pace] = now
                async_dispatcher_send(self.hass, self.signal(pace))

    def _follow_meter(self) -> None:
        """Compare the meter that speaks with the entry's, and report a difference.

        A meter that no other entry knows has replaced the former one, and is followed.
        """
        mode, unique_id = self.state.mode, self.state.meter.address
        assert mode is not None
        assert unique_id is not None
        entry, entries = self.entry, self.hass.config_entries
        entry_of_meter = entries.async_entry_for_domain_unique_id(DOMAIN, unique_id)
        was_wrong, wrong = self._wrong_meter, entry_of_meter not in (None, entry)
        if self._followed == (mode, unique_id) and wrong is was_wrong:
            return
        self._followed, self._wrong_meter = (mode, unique_id), wrong
        self._mode, self._readings_before = mode, 0
        issues.set_wrong_meter(self.hass, entry, unique_id if wrong else None)
        if wrong:
            self._tell("another one of the meters")
            _LOGGER.warning("%s: another one of your meters answers", entry.title)
            return
        issues.set_mode_changed(self.hass, entry, mode)
        if was_wrong:
            self.state.offset_wh = entry.data.get(CONF_OFFSET, 0)
        if entry_of_meter is None:
            self._tell("another meter")
            self.state.offset_wh = 0
            self._replace_meter(unique_id)

    def _replace_meter(self, unique_id: str) -> None:
        """Make the entry one of another meter."""
        entry, former = self.entry, self.entry.unique_id or ""
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
        entry, of_production = self.entry, self.state.of_production
        if of_production is None or of_production is self.of_production:
            return
        unique_id = entry.unique_id or ""
        former = self._title(unique_id)
        now = default_title(unique_id, of_production=of_production)
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
        now, running = self._clock(), (tariff.register, tariff.label)
        if running != self._running:
            self._running, self._running_since = running, now
        former = self.tariffs.get(tariff.register)
        first = former is None and not self._published
        if former == tariff.label or not (first or now - self._running_since >= TARIFF_SETTLES_S):
            return
        self.tariffs[tariff.register] = tariff.label
        self.hass.config_entries.async_update_entry(
            self.entry, data={**self.entry.data, CONF_TARIFFS: dict(self.tariffs)}
        )
        if former is None and self._published:
            self.hass.config_entries.async_schedule_reload(self.entry.entry_id)

    def _remember_offset(self) -> None:
        if self.state.offset_wh != self.entry.data.get(CONF_OFFSET, 0):
            data = {**self.entry.data, CONF_OFFSET: self.state.offset_wh}
            self.hass.config_entries.async_update_entry(self.entry, data=data)

    @callback
    def _check_silence(self) -> None:
        """Check whether the meter has been silent for long, or is no longer."""
        silent_s = self._silent_since(self._started_at)
        if silent_s >= self._silence_s and not self._lost:
            self._lost = True
            _LOGGER.warning("%s: nothing valid comes from the meter", self.entry.title)
            self._set_available(available=False)
            self.state.forget()
        no_data = silent_s >= NO_DATA_ISSUE_AFTER_S
        if no_data != self._no_data:
            self._no_data = no_data
            issues.set_no_data(self.hass, self.entry, no_data=no_data)
        if self.link_good != self._link_was_good:
            self._link_was_good = self.link_good
            async_dispatcher_send(self.hass, self.signal(Pace.CHANGE))

    def _set_available(self, *, available: bool) -> None:
        if available == self.available:
            return
        self.available = available
        self._tell("available" if available else "unavailable")
        if available and self._lost:
            self._lost = False
            _LOGGER.info("%s: the meter is heard again", self.entry.title)
        for pace in Pace:
            async_dispatcher_send(self.hass, self.signal(pace))

    def _tell(self, what: str) -> None:
        """Log an event. While a meter is lost, retries are no news."""
        self.story.append(Event(dt_util.utcnow(), what))
