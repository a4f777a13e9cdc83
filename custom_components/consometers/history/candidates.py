"""Which series of the recorder counted what a meter counts: by level, by source, by name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
import re
from typing import Final

from homeassistant.components.recorder import DOMAIN as RECORDER, get_instance
from homeassistant.components.recorder.statistics import (
    async_list_statistic_ids,
    get_last_statistics,
)
from homeassistant.const import UnitOfEnergy
from homeassistant.core import HomeAssistant, split_entity_id, valid_entity_id
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import EnergyConverter

from ..const import DOMAIN
from ..recorder.rows import Row
from .joint import rise_wh

_MOST_SERIES: Final = 200
"""More energies are not examined."""
_MOST_OFFERED: Final = 40

_NAMELESS_WITHIN_S: Final = 2 * 86_400.0
_NAMELESS_LEAST_WH: Final = 100_000.0
_NAMELESS_RISE_WH: Final = 50_000.0
"""Without a name that fits, only a level that is large, recent and near suggests a register: many
a plug counts a few kWh."""

DRAWN: Final = "energy_drawn"
INJECTED: Final = "energy_injected"

_IMPORTED: Final[Mapping[str, str]] = {"linky": DRAWN, "linky_prod": INJECTED}
"""What comes from Enedis through ha-linky, by its source. Source: bokub/ha-linky, src/ha.ts."""

_NAMES: Final[Mapping[str, str]] = {
    DRAWN: r"east|base|(current_)?summ(ation)?_delivered|base_index",
    INJECTED: r"eait|(current_)?summ(ation)?_received",
}
"""How unique ids or entity ids of totals end: by label (linkytic, teleinfo), by Zigbee (ZLinky)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A register of the meter, by the key of its entity."""

    key: str
    name: str
    labels: frozenset[str] = field(default_factory=frozenset)
    """Labels under which the meter sends it."""
    level_wh: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A series that may have counted a register before."""

    target: Target
    statistic_id: str
    name: str
    last: Row
    sure: bool
    """Whether both its name and its level fit, or the program that imported it."""


def has_register(statistic_id: str) -> bool:
    """Return whether a series is of an entity: what is imported has energies alone."""
    return valid_entity_id(statistic_id)


async def async_candidates(hass: HomeAssistant, targets: Iterable[Target]) -> list[Candidate]:
    """Return what may be continued, the best for each register first."""
    if RECORDER not in hass.config.components:
        return []
    registry = er.async_get(hass)
    # An entity that is added again goes on with its own statistics by itself.
    present, deleted = registry.entities.values(), registry.deleted_entities.values()
    ours = {each.entity_id for each in present if each.platform == DOMAIN}
    ours |= {each.entity_id for each in deleted if each.platform == DOMAIN}
    listed = await async_list_statistic_ids(hass, statistic_type="sum")
    energies = (
        (each["statistic_id"], each)
        for each in listed
        if each["statistics_unit_of_measurement"] in EnergyConverter.VALID_UNITS
        and each["statistic_id"] not in ours
        and each["statistic_id"].partition(":")[0] != DOMAIN
    )
    series = dict(islice(energies, _MOST_SERIES))
    last = await get_instance(hass).async_add_executor_job(_last_rows, hass, series)
    now, ranked = dt_util.utcnow().timestamp(), []
    for target in targets:
        for statistic_id, row in last.items():
            rank = _rank(registry, target, statistic_id, row, now)
            if rank is not None:
                name = _name(hass, registry, statistic_id, series[statistic_id]["name"])
                candidate = Candidate(
                    target=target,
                    statistic_id=statistic_id,
                    name=name,
                    last=row,
                    sure=rank[0] == 0,
                )
                ranked.append((rank, candidate))
    ranked.sort(key=lambda each: each[0])
    return [candidate for _, candidate in ranked[:_MOST_OFFERED]]


def proposed(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the certain ones, each register and each series once."""
    chosen: list[Candidate] = []
    for each in candidates:
        taken = any(
            each.target.key == other.target.key or each.statistic_id == other.statistic_id
            for other in chosen
        )
        if each.sure and not taken:
            chosen.append(each)
    return chosen


def _rank(
    registry: er.EntityRegistry, target: Target, statistic_id: str, last: Row, now: float
) -> tuple[int, float, str] | None:
    """Return how well a series fits a register, the least being the best; None if not at all."""
    if not has_register(statistic_id):
        fits = _IMPORTED.get(statistic_id.partition(":")[0]) == target.key
        # Registers that meet are better: they lose nothing.
        return (0, float("inf"), statistic_id) if fits else None
    named = _is_named(registry, target, statistic_id)
    rise = None if target.level_wh is None else rise_wh(last, target.level_wh, now)
    if named:
        return (2, -last.end, statistic_id) if rise is None else (0, rise, statistic_id)
    near = (
        rise is not None
        and rise <= _NAMELESS_RISE_WH
        and (last.state_wh or 0.0) >= _NAMELESS_LEAST_WH
        and now - last.end <= _NAMELESS_WITHIN_S
    )
    return (1, rise or 0.0, statistic_id) if near else None


def _is_named(registry: er.EntityRegistry, target: Target, statistic_id: str) -> bool:
    endings = "|".join(filter(None, (_NAMES.get(target.key), *map(_ending, target.labels))))
    pattern = re.compile(rf"(.*[_\W])?({endings})(_zigbee2mqtt)?", re.IGNORECASE)
    entity = registry.async_get(statistic_id)
    names = [split_entity_id(statistic_id)[1], *([entity.unique_id] if entity else [])]
    return bool(endings) and any(pattern.fullmatch(name) for name in names)


def _ending(label: str) -> str:
    """Return how the names of a label end: of an index, also how Zigbee numbers it."""
    number = label.removeprefix("EASF")
    if number == label:
        return re.escape(label)
    return rf"{label}|(current_)?tier{int(number)}_summ(ation)?_delivered"


def _name(
    hass: HomeAssistant, registry: er.EntityRegistry, statistic_id: str, name: str | None
) -> str:
    """Return a series' display name. The id of an imported one holds a delivery point."""
    if not has_register(statistic_id):
        return name or statistic_id.partition(":")[0]
    state, entity = hass.states.get(statistic_id), registry.async_get(statistic_id)
    friendly = state.name if state is not None else statistic_id
    return friendly if entity is None else f"{friendly} ({entity.platform})"


def _last_rows(hass: HomeAssistant, series: Mapping[str, Mapping[str, str]]) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for statistic_id, described in series.items():
        latest = get_last_statistics(hass, 1, statistic_id, False, {"state", "sum"})
        for row in latest.get(statistic_id, ()):
            convert = EnergyConverter.converter_factory(
                described["statistics_unit_of_measurement"], UnitOfEnergy.WATT_HOUR
            )
            if (total := row.get("sum")) is not None:
                state = row.get("state")
                rows[statistic_id] = Row(
                    start=row["start"],
                    end=row["end"],
                    sum_wh=convert(total),
                    state_wh=None if state is None else convert(state),
                )
    return rows
