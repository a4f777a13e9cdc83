"""The price of a kWh by each index of the supplier, and the price of an injected one.

Core's Energy dashboard counts with it. A grid connection that counts one index has the price of it;
one that counts the whole meter has a fixed price where there is one, else the sensor of the price
that runs. What a person set there stays.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.components.energy.data import async_get_manager
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from ..const import CONF_INJECTION_PRICE, DOMAIN
from ..entries import sensor_id
from ..tic import registers_of_contract
from .state import LinkyState

type Prices = Mapping[str, float]
"""The price of a kWh, by the label of its index."""

ENERGY: Final = "energy"
PRICE: Final = "price"
_TOTAL: Final = "energy_drawn"
_INJECTED: Final = "energy_injected"
_OPTION: Final = "price_"
SUPPLIER_INDEXES: Final = {f"EASF{n:02}": f"energy_index_{n}" for n in range(1, 11)}
"""Entities of the supplier's indexes, by their labels in standard mode."""


def option(register: str) -> str:
    """Return the option that holds the price of an index."""
    return f"{_OPTION}{register.lower()}"


def prices(options: Mapping[str, Any]) -> Prices:
    """Return the prices among the options of a meter."""
    return {
        key.removeprefix(_OPTION).upper(): float(value)
        for key, value in options.items()
        if key.startswith(_OPTION)
    }


def indexes(state: LinkyState, tariffs: Iterable[str]) -> list[str]:
    """Return the indexes that may have a price: those of the contract, as the meter sends them."""
    if registers := registers_of_contract(state.meter.readings):
        return list(registers)
    running = {*tariffs, state.tariff.register}
    return [name for name in SUPPLIER_INDEXES if name in running or state.number(name)]


async def async_show_prices(
    hass: HomeAssistant,
    entry: ConfigEntry,
    former: Mapping[str, Any],
    options: Mapping[str, Any],
    of_contract: set[str],
) -> None:
    """Have the Energy dashboard count with the prices of now, where it counts with the former ones.

    Without prices it counts without. A price that a person set is left alone.
    """
    now = prices(options)
    registry = er.async_get(hass)
    sensor = sensor_id(hass, entry, PRICE)
    if now and sensor is None:
        sensor = registry.async_get_or_create(
            Platform.SENSOR,
            DOMAIN,
            f"{entry.entry_id}_{PRICE}",
            config_entry=entry,
            suggested_object_id=f"{DOMAIN}_{PRICE}",
        ).entity_id
    if ENERGY in hass.config.components:
        manager = await async_get_manager(hass)
        ours = {(None, each) for each in prices(former).values()} | {_UNPRICED, (sensor, None)}
        ours_injected = {(None, former.get(CONF_INJECTION_PRICE)), _UNPRICED}
        wanted = dict(_wanted(hass, entry, now, of_contract, sensor))
        injected: _Price = (None, options.get(CONF_INJECTION_PRICE))
        wanted_injected = {sensor_id(hass, entry, _INJECTED): injected}
        sources: list[Any] = [] if manager.data is None else _copies(manager.data["energy_sources"])
        for connection, fields in _connections(sources, _IMPORT):
            _set_price(connection, fields, wanted, ours)
        for connection, fields in _connections(sources, _EXPORT):
            _set_price(connection, fields, wanted_injected, ours_injected)
        if manager.data is not None and sources != manager.data["energy_sources"]:
            await manager.async_update({**manager.data, "energy_sources": sources})
    if not now and sensor is not None:
        registry.async_remove(sensor)


type _Price = tuple[str | None, float | None]
"""An entity, or a number."""
_UNPRICED: Final[_Price] = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fields:
    """How a connection to the grid names what it counts in one direction, and its price."""

    energy: str
    cost: str
    entity: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Direction:
    """A connection has the fields of both directions. Before 2026.11 a grid has lists of flows."""

    fields: _Fields
    flows: str
    of_flow: _Fields


_PRICE: Final = {"entity": "entity_energy_price", "number": "number_energy_price"}
_FROM: Final = _Fields(energy="stat_energy_from", cost="stat_cost", **_PRICE)
_TO: Final = {"energy": "stat_energy_to", "cost": "stat_compensation"}
_IMPORT: Final = _Direction(fields=_FROM, flows="flow_from", of_flow=_FROM)
_EXPORT: Final = _Direction(
    fields=_Fields(**_TO, **{field: f"{name}_export" for field, name in _PRICE.items()}),
    flows="flow_to",
    of_flow=_Fields(**_TO, **_PRICE),
)


def priced(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, float]:
    """Return the price of a kWh, by the entity that counts it."""
    return {
        entity_id: each
        for register, each in prices(entry.options).items()
        if (entity_id := sensor_id(hass, entry, _counter(register))) is not None
    }


def priced_on_dashboard(sources: Iterable[Any]) -> dict[str, float]:
    """Return the fixed prices of connections to the grid, by the statistic of what is drawn."""
    return {
        energy: float(fixed)
        for connection, fields in _connections(sources, _IMPORT)
        if (fixed := connection.get(fields.number)) is not None
        and (energy := connection.get(fields.energy)) is not None
    }


def costs_on_dashboard(sources: Iterable[Any], sensors: Mapping[str, str]) -> Iterator[str]:
    """Yield the statistic of the cost of each connection to the grid, where one is counted.

    `sensors` are core's own, by the energy that they price.
    """
    for connection, fields in _connections(sources, _IMPORT):
        cost = connection.get(fields.cost) or sensors.get(connection.get(fields.energy) or "")
        if cost is not None:
            yield cost


def _counter(register: str) -> str:
    """Return the key of the entity of an index."""
    return SUPPLIER_INDEXES.get(register, f"energy_{register.lower()}")


def _wanted(
    hass: HomeAssistant,
    entry: ConfigEntry,
    now: Prices,
    of_contract: set[str],
    sensor: str | None,
) -> Iterator[tuple[str | None, _Price]]:
    """Yield the price of each of the meter's energies, by its entity."""
    for register in of_contract:
        if (counted := sensor_id(hass, entry, _counter(register))) is not None:
            yield counted, (None, now.get(register))
    if (total := sensor_id(hass, entry, _TOTAL)) is not None:
        tariff_prices = [now.get(register) for register in of_contract]
        if None in tariff_prices:
            yield total, _UNPRICED
        elif len(set(tariff_prices)) == 1:
            yield total, (None, tariff_prices[0])
        else:
            yield total, (sensor, None)


def _set_price(
    connection: MutableMapping[str, Any],
    fields: _Fields,
    wanted: Mapping[str | None, _Price],
    ours: Container[_Price],
) -> None:
    """Set the price of a connection, if it has one of ours or none."""
    energy = connection.get(fields.energy)
    if energy is None or energy not in wanted or connection.get(fields.cost) is not None:
        return
    if (connection.get(fields.entity), connection.get(fields.number)) in ours:
        connection[fields.entity], connection[fields.number] = wanted[energy]


def _copies(sources: Iterable[Any]) -> list[Any]:
    """Copy sources, so that a change shows."""
    copies = [dict(source) for source in sources]
    for source in copies:
        for flows in {_IMPORT.flows, _EXPORT.flows} & source.keys():
            source[flows] = [dict(flow) for flow in source[flows]]
    return copies


def _connections(
    sources: Iterable[Any], direction: _Direction
) -> Iterator[tuple[MutableMapping[str, Any], _Fields]]:
    """Yield each connection to the grid with the names of its fields."""
    for source in sources:
        if source["type"] != "grid":
            continue
        if direction.flows in source:
            for flow in source[direction.flows]:
                yield flow, direction.of_flow
        else:
            yield source, direction.fields
