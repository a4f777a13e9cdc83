"""Continues another integration's history, or a file's, in an entity, and takes it out again.

The earlier series is read and never written. Hours before the entity's own are imported into its
statistics, and its own sums are raised by what had been counted: nothing leaps where they meet.
Taken out, its own hours and five minutes are all that is left, with the sums they had.
"""

from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Final

from homeassistant.components.recorder import DOMAIN as RECORDER, get_instance
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from ..const import CONF_HISTORY, CONF_JOINED, DOMAIN
from ..entries import sensor_id
from ..issues import delete, report
from ..recorder.rows import HOUR_S, Row, Rows
from ..recorder.statistics import (
    async_hours,
    async_join,
    async_metadata,
    async_replace,
    async_rows,
)
from ..recorder.waiting import after_each_count
from .candidates import has_register
from .joint import Joint

HISTORY_JOINED: Final = "history_joined"
HISTORY_NOT_JOINED: Final = "history_not_joined"

FILE: Final = "file"
"""What stands for the series where a file was joined: its name may have a delivery point."""

_FIVE_MINUTES_S: Final = 300
_GENERATED_AFTER_S: Final = 10
"""Home Assistant generates the statistics of five minutes this long after their end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A change to the statistics of an entity. Times are seconds, Unix."""

    statistic_id: str
    since: float
    until: float
    """Begin of the first hour of the earlier series, and end of the last."""
    own: float
    """Begin of the hour from which on the rows are the entity's own."""
    raised_wh: float


def joined(entry: ConfigEntry) -> dict[str, Joined]:
    """Return what the entities of an entry continue, by their keys."""
    return {key: Joined(**data) for key, data in entry.data.get(CONF_JOINED, {}).items()}


async def async_joint(
    hass: HomeAssistant, statistic_id: str, until: float, first: Row
) -> Joint | None:
    """Return how the hours of a series up to a moment are joined to a first row."""
    hours = await async_hours(hass, {statistic_id}, until, needed={statistic_id})
    return Joint.of_rows(hours[statistic_id], first, has_register=has_register(statistic_id))


async def async_first(hass: HomeAssistant, entry: ConfigEntry, key: str) -> Row | None:
    """Return the first row of an entity: an hour of the past, else five minutes of now."""
    if (entity_id := sensor_id(hass, entry, key)) is None:
        return None
    now = dt_util.utcnow().timestamp()
    rows: Rows = (await async_hours(hass, {entity_id}, now, needed={entity_id}))[entity_id]
    if not rows:
        recent = await async_rows(hass, [entity_id], now - 3 * HOUR_S, now, "5minute")
        rows = recent.get(entity_id, [])
    return rows[0] if rows else None


async def async_put_before(hass: HomeAssistant, entry: ConfigEntry, key: str, hours: Rows) -> bool:
    """Put hours of a file before all that an entity has; return whether any came before it.

    They go with what was joined before them: both are taken out together.
    """
    entity_id, first = sensor_id(hass, entry, key), await async_first(hass, entry, key)
    if entity_id is None or first is None:
        return False
    metadata = (await async_metadata(hass, [entity_id])).get(entity_id)
    joint = Joint.of_rows(hours, first, has_register=False)
    if metadata is None or joint is None:
        return False
    former = joined(entry).get(key)
    what = Joined(
        statistic_id=FILE if former is None else former.statistic_id,
        since=joint.hours[0].start,
        until=joint.hours[-1].end if former is None else former.until,
        own=first.hour if former is None else former.own,
        raised_wh=joint.raised_wh + (0.0 if former is None else former.raised_wh),
    )
    _done(hass, entry, key, what)
    await async_join(hass, metadata, joint.hours, first.start, joint.raised_wh)
    return True


@callback
def continue_history(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Join the chosen series, as soon as the recorder has counted the entity itself."""
    if entry.data.get(CONF_HISTORY) and RECORDER in hass.config.components:
        attempt = partial(_continue, hass, entry)
        after_each_count(hass, entry, f"{DOMAIN}: the history of a meter", attempt)


async def async_take_out(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Restore the statistics of the entities as they would be without the earlier series."""
    for key, what in joined(entry).items():
        entity_id = sensor_id(hass, entry, key)
        if entity_id is not None:
            await _restore(hass, entity_id, what)
        left = {k: v for k, v in entry.data[CONF_JOINED].items() if k != key}
        hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_JOINED: left})
    await get_instance(hass).async_block_till_done()
    data = {k: v for k, v in entry.data.items() if k not in (CONF_HISTORY, CONF_JOINED)}
    hass.config_entries.async_update_entry(entry, data=data)
    clear_issues(hass, entry)


def name(hass: HomeAssistant, entry: ConfigEntry, key: str) -> str:
    """Name an entity, which the meter need not be heard for."""
    entity = er.async_get(hass).async_get(sensor_id(hass, entry, key) or "")
    return key if entity is None else entity.name or entity.original_name or key


def clear_issues(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Delete the issues about the history of an entry."""
    delete(hass, entry, HISTORY_JOINED, HISTORY_NOT_JOINED)


async def _restore(hass: HomeAssistant, entity_id: str, what: Joined) -> None:
    recorder = get_instance(hass)
    while True:
        before = _generated()
        await recorder.async_block_till_done()
        if (metadata := (await async_metadata(hass, [entity_id])).get(entity_id)) is None:
            return
        now = dt_util.utcnow().timestamp()
        hours, minutes = [
            [
                replace(row, sum_wh=row.sum_wh - what.raised_wh)
                for row in (await async_rows(hass, [entity_id], what.own, now, period)).get(
                    entity_id, ()
                )
            ]
            for period in ("hour", "5minute")
        ]
        if _generated() == before:
            break
        # Others were generated while these were read.
    async_replace(hass, metadata, hours, minutes)


def _generated() -> int:
    """Return the number of the five minutes of which statistics were generated last."""
    return int((dt_util.utcnow().timestamp() - _GENERATED_AFTER_S) // _FIVE_MINUTES_S)


async def _continue(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Join the chosen series that can be, and return whether none is left."""
    for key, statistic_id in dict(entry.data.get(CONF_HISTORY, {})).items():
        await _continue_one(hass, entry, key, statistic_id)
    return not entry.data.get(CONF_HISTORY)


async def _continue_one(
    hass: HomeAssistant, entry: ConfigEntry, key: str, statistic_id: str
) -> None:
    entity_id = sensor_id(hass, entry, key)
    metadata = await async_metadata(hass, filter(None, [entity_id, statistic_id]))
    if entity_id is None or entity_id not in metadata:
        return
    if (first := await async_first(hass, entry, key)) is None:
        return
    joint = None
    if statistic_id in metadata and key not in joined(entry):
        joint = await async_joint(hass, statistic_id, first.hour, first)
    if joint is None:
        _done(hass, entry, key, None)
        report(hass, entry, HISTORY_NOT_JOINED, fixable=True, persistent=True)
        return
    what = Joined(
        statistic_id=statistic_id,
        since=joint.hours[0].start,
        until=joint.hours[-1].end,
        own=first.hour,
        raised_wh=joint.raised_wh,
    )
    _done(hass, entry, key, what)
    await async_join(hass, metadata[entity_id], joint.hours, first.start, joint.raised_wh)
    report(hass, entry, HISTORY_JOINED, fixable=True, persistent=True)


def _done(hass: HomeAssistant, entry: ConfigEntry, key: str, what: Joined | None) -> None:
    data = dict(entry.data)
    data[CONF_HISTORY] = {k: v for k, v in data.get(CONF_HISTORY, {}).items() if k != key}
    if not data[CONF_HISTORY]:
        del data[CONF_HISTORY]
    if what is not None:
        data[CONF_JOINED] = {**data.get(CONF_JOINED, {}), key: asdict(what)}
    hass.config_entries.async_update_entry(entry, data=data)
