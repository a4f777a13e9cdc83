"""Finds a household's facts in Home Assistant."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from itertools import chain
from operator import attrgetter
from typing import Any, Final

from homeassistant.components.energy.data import async_get_manager
from homeassistant.components.recorder import DOMAIN as RECORDER
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util

from ..balance.state import Home as Connection
from ..const import (
    CONF_HOME,
    CONF_PRODUCTION,
    DOMAIN,
    KIND_BALANCE,
    KIND_INVERTER,
    KIND_METER,
    KIND_NODE,
)
from ..entries import kind, sensor_id
from ..linky.prices import PRICE, costs_on_dashboard, priced, priced_on_dashboard
from ..node.api import answers
from ..node.api.answers import Sums
from ..node.computed.simulation import Meter
from ..node.computed.simulation_coordinator import simulated_statistic
from ..node.coordinator import NodeConfigEntry
from ..node.devices import collective_id, plant_id
from ..recorder.statistics import async_firsts
from .facts import Collective, Home, Ids, Plant, Uncounted

type Table = Mapping[str, str]
"""Facts of the home by the keys of the entities that show them."""

ENERGY: Final = "energy"
_SUN: Final = ("sun.sun",)

_BALANCE: Final[Table] = {
    "consumed_power": "used_power",
    "drawn_power": "drawn_power",
    "injected_power": "injected_power",
    "production_power": "produced_power",
    "drawn": "drawn",
    "injected": "injected",
    "production": "produced",
    "self_consumed": "self_consumed",
    "saved": "saved",
    "self_consumption_today": "self_consumption",
    "self_sufficiency_today": "self_sufficiency",
}
_METER: Final[Table] = {
    "active_power_drawn": "drawn_power",
    "active_power_injected": "injected_power",
    "apparent_power": "apparent_power",
    "energy_drawn": "drawn",
    "energy_injected": "injected",
    "tariff": "tariff",
    "next_tariff": "next_tariff",
    "next_tariff_start": "next_tariff_start",
    "price": "price",
    "colour_today": "colour_today",
    "colour_tomorrow": "colour_tomorrow",
    "peak_start": "peak_start",
}
_PRODUCTION_METER: Final[Table] = {
    "active_power_injected": "produced_power",
    "energy_injected": "produced",
}
_INVERTER: Final[Table] = {"power": "produced_power", "energy": "produced"}


_POWERS: Final = ("used_power", "drawn_power", "produced_power", "apparent_power")
_ENERGIES: Final = ("drawn", "injected", "produced", "self_consumed", "cost", "saved")
"""Facts that have graphs: of five minutes, and of hours."""


def _counts(entry: ConfigEntry) -> str:
    """Return the kind of an entry, by which of two a meter of production is another."""
    is_production = kind(entry) == KIND_METER and entry.data.get(CONF_PRODUCTION)
    return CONF_PRODUCTION if is_production else kind(entry)


_SOURCES: Final[Mapping[str, Table]] = {
    KIND_BALANCE: _BALANCE,
    KIND_METER: _METER,
    CONF_PRODUCTION: _PRODUCTION_METER,
    KIND_INVERTER: _INVERTER,
}
"""The sources of a home's facts: for each fact, the first that knows it counts."""


async def home(hass: HomeAssistant) -> Home:
    """Find the facts of the home: by this integration, else by its Energy dashboard."""
    facts: dict[str, Ids] = {key: () for table in _SOURCES.values() for key in table.values()}
    for source, table in _SOURCES.items():
        shown = [_entities(hass, entry) for entry in _entries(hass, source)]
        for key, fact in table.items():
            facts[fact] = facts[fact] or tuple(each[key] for each in shown if key in each)
    for fact, ids in (await _on_energy_dashboard(hass)).items():
        facts[fact] = facts[fact] or ids
    return Home(
        **facts,
        cost=_costs(hass, await _energy_sources(hass)),
        sun=_SUN if hass.states.get(*_SUN) else (),
        currency=hass.config.currency,
        sells_all=_sells_all(hass, facts),
        is_building=any(each.is_site for each in collectives(hass)),
    )


def _costs(hass: HomeAssistant, sources: Iterable[Mapping[str, Any]]) -> Ids:
    """Return the costs of grid energy: the household's own statistics, or core's sensors."""
    sensors: Mapping[str, str] = hass.data.get(ENERGY, {}).get("cost_sensors", {})
    return tuple(costs_on_dashboard(sources, sensors))


def _sells_all(hass: HomeAssistant, facts: Mapping[str, Ids]) -> bool:
    """Return whether the home's balance says so, or a meter that counts production alone."""
    connections = [entry.data.get(CONF_HOME) for entry in _entries(hass, KIND_BALANCE)]
    if connections:
        return set(connections) == {Connection.TOTAL_SALE}
    has_meter = bool(_entries(hass, CONF_PRODUCTION))
    return has_meter and {*facts["injected"]} <= {*facts["produced"]}


def collectives(hass: HomeAssistant) -> list[Collective]:
    """Find the collectives of the household's nodes, in the order of their names."""
    all_collectives = chain.from_iterable(
        _collectives_of(hass, each) for each in _entries(hass, KIND_NODE)
    )
    return sorted(all_collectives, key=attrgetter("name"))


def plants(hass: HomeAssistant) -> list[Plant]:
    """Find the panels of which the household holds shares, in the order of their names."""
    nodes = _entries(hass, KIND_NODE)
    all_plants = chain.from_iterable(_plants_of(hass, each) for each in nodes)
    return sorted(all_plants, key=attrgetter("name"))


def _entries(hass: HomeAssistant, source: str) -> list[ConfigEntry]:
    return [each for each in hass.config_entries.async_entries(DOMAIN) if _counts(each) == source]


def _node(entry: NodeConfigEntry) -> answers.Node | None:
    return entry.runtime_data.data if entry.state is ConfigEntryState.LOADED else None


def _named(
    hass: HomeAssistant,
    entry: NodeConfigEntry,
    id_of: Callable[[NodeConfigEntry, set[tuple[str, str]]], str | None],
) -> Iterable[tuple[str, str, Mapping[str, str]]]:
    """Yield the devices of a kind: their ids, their names, their entities by their keys."""
    entities = _entities(hass, entry)
    for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id):
        if (identifier := id_of(entry, device.identifiers)) is not None:
            prefix = f"{identifier}_"
            of_device = {
                key.removeprefix(prefix): entity_id
                for key, entity_id in entities.items()
                if key.startswith(prefix)
            }
            yield identifier, device.name_by_user or device.name or identifier, of_device


def _plants_of(hass: HomeAssistant, entry: NodeConfigEntry) -> Iterable[Plant]:
    node = _node(entry)
    for identifier, name, entities in _named(hass, entry, plant_id):
        plant = None if node is None else node.plants.get(identifier)
        statistic = None if plant is None else plant.statistic
        yield Plant(name=name, entities=entities, statistic=statistic)


async def uncounted(
    hass: HomeAssistant, home: Home, collectives: Iterable[Collective], plants: Iterable[Plant] = ()
) -> Uncounted:
    """Return the statistics without a row in the recorder, and since when the others have some."""
    if RECORDER not in hass.config.components:
        return Uncounted()
    energies = {each for name in _ENERGIES for each in getattr(home, name)}
    for each in collectives:
        energies.update(each.statistics.values())
        energies.update([] if each.simulated is None else [each.simulated])
    energies |= {each.statistic for each in plants if each.statistic is not None}
    powers = {each for name in _POWERS for each in getattr(home, name)}
    hours, minutes = await async_firsts(hass, energies, energies | powers)
    return Uncounted(
        hours=energies - hours.keys(),
        minutes=(energies | powers) - minutes.keys(),
        first_hours=_local(hours),
        first_minutes=_local(minutes),
        now=dt_util.now(),
    )


def _local(moments: Mapping[str, float]) -> Mapping[str, datetime]:
    return {each: dt_util.as_local(dt_util.utc_from_timestamp(at)) for each, at in moments.items()}


def _collectives_of(hass: HomeAssistant, entry: NodeConfigEntry) -> Iterable[Collective]:
    node = _node(entry)
    for identifier, name, entities in _named(hass, entry, collective_id):
        collective = None if node is None else node.collective(identifier)
        sums = None if collective is None else collective.sums
        yield Collective(
            name=name,
            entities=entities,
            statistics={} if sums is None else _statistics(sums),
            simulated=None if collective is None else simulated_statistic(collective),
            missing=() if sums is None else _missing(sums),
            is_site=collective is not None and collective.by_name,
            is_unread=sums is not None and sums.problem is not None,
        )


def _statistics(sums: Sums) -> Mapping[str, str]:
    if sums.statistics is None:
        return {}
    statistics = asdict(sums.statistics)
    return {name: statistic for name, statistic in statistics.items() if statistic is not None}


def _missing(sums: Sums) -> Ids:
    """Return the quantities without a past, a last interval and a day."""
    figures = None if sums.today is None else sums.today.figures

    def is_missing(name: str) -> bool:
        energy = None if figures is None else getattr(figures, name).value
        parts = (sums.statistics, sums.last)
        return energy is None and all(not part or getattr(part, name) is None for part in parts)

    return tuple(filter(is_missing, ("consumption", "injection", "production")))


def _entities(hass: HomeAssistant, entry: ConfigEntry) -> Mapping[str, str]:
    """Return the visible entities of an entry, by the keys of their facts."""
    registered = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return {
        entity.unique_id.removeprefix(f"{entry.entry_id}_"): entity.entity_id
        for entity in registered
        if entity.disabled_by is None and entity.hidden_by is None
    }


async def own_meter(hass: HomeAssistant) -> Meter:
    """Find what counts the home's consumption, and its prices: of the meter, else as above."""
    prices: dict[str, float] = {}
    for entry in _entries(hass, KIND_METER):
        prices |= priced(hass, entry)
    prices = prices or priced_on_dashboard(await _energy_sources(hass))
    return Meter(drawn=(await home(hass)).drawn, prices=prices or None)


def present_price(hass: HomeAssistant) -> float | None:
    """Return what a kWh from the grid costs now, by the prices in the options of the meter."""
    for entry in _entries(hass, KIND_METER):
        if (entity_id := sensor_id(hass, entry, PRICE)) is None:
            continue
        state = hass.states.get(entity_id)
        if state is not None and state.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN):
            return float(state.state)
    return None


async def _energy_sources(hass: HomeAssistant) -> list[Mapping[str, Any]]:
    if ENERGY not in hass.config.components:
        return []
    preferences = (await async_get_manager(hass)).data
    return [] if preferences is None else [dict(each) for each in preferences["energy_sources"]]


async def _on_energy_dashboard(hass: HomeAssistant) -> Mapping[str, Ids]:
    """Return the grid and the panels that the household has set up itself."""
    sources = await _energy_sources(hass)

    def dashboard_ids(kind: str, key: str, nested: str = "") -> Ids:
        of_kind = [source for source in sources if source["type"] == kind]
        # Before 2026.11 a grid has lists of flows.
        flows = [flow for source in of_kind for flow in source.get(nested, ())]
        return tuple(filter(None, (each.get(key) for each in (*of_kind, *flows))))

    powers = dashboard_ids("solar", "stat_rate")
    return {
        "drawn": dashboard_ids("grid", "stat_energy_from", "flow_from"),
        "injected": dashboard_ids("grid", "stat_energy_to", "flow_to"),
        "produced": dashboard_ids("solar", "stat_energy_from"),
        "produced_power": tuple(power for power in powers if ":" not in power),
    }
