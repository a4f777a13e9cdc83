"""What a kWh costs by each index of the supplier, on the Energy dashboard that core makes.

A grid connection that counts one index has the price of it; one that counts the whole meter has a
fixed price where there is one, else the sensor of the price that runs. What a person set there
stays.
"""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Final

from homeassistant.components.energy.data import async_get_manager
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from ..const import DOMAIN
from ..tic import registers_of_contract
from .state import LinkyState

if TYPE_CHECKING:
    from .coordinator import LinkyConfigEntry

type Prices = Mapping[str, float]
"""What a kWh costs, by the label of the index that counts it."""

ENERGY: Final = "energy"
PRICE: Final = "price"
_TOTAL: Final = "energy_drawn"
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
    """Return the indexes that may have a price: those of the contract, as the meter tells them."""
    if registers := registers_of_contract(state.meter.readings):
        return list(registers)
    running = {*tariffs, state.tariff.register}
    return [name for name in SUPPLIER_INDEXES if name in running or state.number(name)]


async def async_show_prices(
    hass: HomeAssistant, entry: LinkyConfigEntry, former: Prices, now: Prices, of_contract: set[str]
) -> None:
    """Have the Energy dashboard count with the prices of now, where it counts with those of before.

    Without prices it counts without. A price that a person set is left alone.
    """
    registry = er.async_get(hass)
    unique_id = f"{entry.entry_id}_{PRICE}"
    sensor = registry.async_get_entity_id(Platform.SENSOR, DOMAIN, unique_id)
    if now and sensor is None:
        sensor = registry.async_get_or_create(
            Platform.SENSOR,
            DOMAIN,
            unique_id,
            config_entry=entry,
            suggested_object_id=f"{DOMAIN}_{PRICE}",
        ).entity_id
    if ENERGY in hass.config.components:
        manager = await async_get_manager(hass)
        ours = {(None, each) for each in former.values()} | {(None, None), (sensor, None)}
        wanted = dict(_wanted(hass, entry, now, of_contract, sensor))
        sources: list[Any] = [] if manager.data is None else _copies(manager.data["energy_sources"])
        for connection in _imports(sources):
            statistic = connection.get("stat_energy_from")
            if statistic in wanted and _price(connection) in ours:
                price = dict(zip(_FIELDS, wanted[statistic], strict=True))
                connection.update(price)
        if manager.data is not None and sources != manager.data["energy_sources"]:
            await manager.async_update({**manager.data, "energy_sources": sources})
    if not now and sensor is not None:
        registry.async_remove(sensor)


type _Price = tuple[str | None, float | None]
_FIELDS: Final = ("entity_energy_price", "number_energy_price")


def _wanted(
    hass: HomeAssistant,
    entry: LinkyConfigEntry,
    now: Prices,
    of_contract: set[str],
    sensor: str | None,
) -> Iterator[tuple[str, _Price]]:
    """Yield what each of the meter's energies costs, by its entity."""
    registry = er.async_get(hass)

    def entity(key: str) -> str | None:
        return registry.async_get_entity_id(Platform.SENSOR, DOMAIN, f"{entry.entry_id}_{key}")

    for register in of_contract:
        key = SUPPLIER_INDEXES.get(register, f"energy_{register.lower()}")
        if (counted := entity(key)) is not None:
            yield counted, (None, now.get(register))
    if (total := entity(_TOTAL)) is not None:
        tariff_prices = [now.get(register) for register in of_contract]
        if None in tariff_prices:
            yield total, (None, None)
        elif len(set(tariff_prices)) == 1:
            yield total, (None, tariff_prices[0])
        else:
            yield total, (sensor, None)


def _price(connection: Mapping[str, Any]) -> _Price | None:
    """Return the price of a connection; None where its costs are counted otherwise."""
    if connection.get("stat_cost") is not None:
        return None
    entity, number = (connection.get(field) for field in _FIELDS)
    return entity, number


def _copies(sources: Iterable[Any]) -> list[Any]:
    """Copy sources, so that a change shows."""
    copies = [dict(source) for source in sources]
    for source in copies:
        if "flow_from" in source:
            source["flow_from"] = [dict(flow) for flow in source["flow_from"]]
    return copies


def _imports(sources: Iterable[Any]) -> Iterator[MutableMapping[str, Any]]:
    """Yield what draws from the grid. Before 2026.11 a grid has lists of flows."""
    for source in sources:
        if source["type"] == "grid":
            yield from source.get("flow_from", (source,))
