"""Which of Home Assistant's statistics may become series, and the direction of their energy.

Nothing here asks Home Assistant: `recorder` does, and hands in what it answered.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from math import ceil
from types import MappingProxyType

from consometers_node.household.statistics import (
    FROM_COLLECTIVES,
    SIMULATIONS,
    Proposal,
    Statistic,
    StatisticId,
)
from consometers_node.i18n.text import verbatim
from consometers_node.series import Direction, Quantity
from consometers_quoalise.federation.permissions import SUBSCRIBED_KVA

from .errors import UnreadableAnswer

UNITS: Mapping[str, str] = {quantity.value: quantity.unit for quantity in Quantity}
"""The unit of each unit class. Without it, values come in whatever the household displays."""

_NOT_MEASURED = (*FROM_COLLECTIVES, SIMULATIONS)

_INTEGRATION = "consometers"
_DERIVED = ("home_", "collective_")
"""Prefixes of the translation keys of entities that the integration computes from others."""

_SUBSCRIBED = "subscribed_power"
"""The translation key of the sensor of a meter's subscribed power."""
_KVA = {"kVA": 1.0, "VA": 0.001}
"""By the unit that the household displays."""

_ARITHMETIC_MEAN = 1


def statistics(answer: object) -> list[Statistic]:
    """Read what `recorder/list_statistic_ids` answers: those of energy and power, in its order.

    What collectives have is left out, and what is computed of it for this home.
    """
    readable = (_statistic(entry) for entry in mappings(answer))
    return [
        statistic
        for statistic in readable
        if statistic is not None and not statistic.id.startswith(_NOT_MEASURED)
    ]


def derived(registry: object) -> set[StatisticId]:
    """Return the entities that the integration computes: balance of a home, sums of collectives.

    `registry` is what `config/entity_registry/list_for_display` answers, or None.
    """
    entities = registry.get("entities", []) if isinstance(registry, Mapping) else []
    return {
        StatisticId(entity_id)
        for entity in mappings(entities)
        if entity.get("pl") == _INTEGRATION
        and str(entity.get("tk")).startswith(_DERIVED)
        and isinstance(entity_id := entity.get("ei"), str)
    }


def subscribed_powers(registry: object, states: object) -> dict[StatisticId, int]:
    """Return the subscribed power, in whole kVA, of the meter of each entity of the integration.

    `registry` is as in `derived`, and `states` is what `get_states` answers. What lies between two
    whole kVA is rounded up: a meter in historique mode says whole amperes.
    """
    entities = registry.get("entities", []) if isinstance(registry, Mapping) else []
    ours = [entity for entity in mappings(entities) if entity.get("pl") == _INTEGRATION]
    by_entity = {state.get("entity_id"): _kva(state) for state in mappings(states)}
    by_device = {
        entity["di"]: power
        for entity in ours
        if entity.get("tk") == _SUBSCRIBED
        and "di" in entity
        and (power := by_entity.get(entity.get("ei"))) is not None
    }
    return {
        StatisticId(entity_id): by_device[entity["di"]]
        for entity in ours
        if isinstance(entity_id := entity.get("ei"), str) and entity.get("di") in by_device
    }


def _kva(state: Mapping[object, object]) -> int | None:
    match state:
        case {"state": str(value), "attributes": {"unit_of_measurement": str(unit)}}:
            with suppress(ValueError, OverflowError, KeyError):
                power = ceil(round(float(value) * _KVA[unit], 3))
                return power if power in SUBSCRIBED_KVA else None
        case _:
            pass
    return None


def propose(
    listed: Sequence[Statistic],
    preferences: object = None,
    derived: Collection[StatisticId] = frozenset(),
    subscribed: Mapping[StatisticId, int] = MappingProxyType({}),
) -> list[Proposal]:
    """Propose what the Energy dashboard shows, in its order, and then what nothing derives.

    `preferences` is what `energy/get_prefs` answers, or None if nobody has set up a dashboard.
    """
    by_id = {statistic.id: statistic for statistic in listed}
    shown: dict[StatisticId, Direction | None] = {}
    for name, direction in _shown(preferences):
        if name in by_id:
            shown.setdefault(name, direction)
    return [
        Proposal(
            statistic=by_id[name],
            direction=direction,
            on_dashboard=True,
            subscribed_kva=subscribed.get(name),
        )
        for name, direction in shown.items()
    ] + [
        Proposal(statistic=other, subscribed_kva=subscribed.get(other.id))
        for other in listed
        if other.id not in shown and other.id not in derived
    ]


def _statistic(entry: Mapping[object, object]) -> Statistic | None:
    match entry:
        case {"statistic_id": str(name), "unit_class": "energy", "has_sum": True}:
            quantity = Quantity.ENERGY
        case {"statistic_id": str(name), "unit_class": "power", "mean_type": int(mean)} if (
            mean == _ARITHMETIC_MEAN
        ):
            quantity = Quantity.POWER
        case _:
            return None
    title = entry.get("name")
    return Statistic(
        id=StatisticId(name),
        quantity=quantity,
        name=verbatim(title) if isinstance(title, str) else None,
    )


type _Shown = Iterator[tuple[StatisticId, Direction | None]]


def _shown(preferences: object) -> _Shown:
    """Yield the statistics of a dashboard: connections to the grid, panels, batteries, devices."""
    if not isinstance(preferences, Mapping):
        return
    sources = mappings(preferences.get("energy_sources", []))
    for kind, flows in _FLOWS.items():
        for source in sources:
            if source.get("type") == kind:
                yield from flows(source)
    for device in mappings(preferences.get("device_consumption", [])):
        yield from _named(device, {"stat_consumption": None, "stat_rate": None})


def _grid(source: Mapping[object, object]) -> _Shown:
    # Until 2026.10 one source held lists of flows, since then it is one pair of them.
    imports = [source, *mappings(source.get("flow_from", []))]
    exports = [source, *mappings(source.get("flow_to", []))]
    powers = [source, *mappings(source.get("power", []))]
    for flow in imports:
        yield from _named(flow, {"stat_energy_from": Direction.CONSUMPTION})
    exported = [flow_out for flow in exports for flow_out in _named(flow, _EXPORT)]
    yield from exported
    # A home that exports nothing draws all the power that flows.
    drawn = None if exported else Direction.CONSUMPTION
    for power in powers:
        config = power.get("power_config")
        configured = config if isinstance(config, Mapping) else {}
        yield from _named(
            configured, _TWO_POWERS | {"stat_rate": drawn, "stat_rate_inverted": None}
        )
        # Home Assistant makes this of what the person entered: what is drawn less what is fed in.
        yield from _named(power, {"stat_rate": None if "stat_rate_to" in configured else drawn})


def _solar(source: Mapping[object, object]) -> _Shown:
    return _named(source, dict.fromkeys(("stat_energy_from", "stat_rate"), Direction.PRODUCTION))


def _other(source: Mapping[object, object]) -> _Shown:
    # What goes into and out of a battery, and what a home uses from wherever, has no direction of
    # ours: none of it is drawn from the grid, fed into it or made by panels.
    return _named(source, dict.fromkeys(("stat_energy_from", "stat_energy_to", "stat_rate")))


_EXPORT: Mapping[str, Direction | None] = {"stat_energy_to": Direction.INJECTION}
_TWO_POWERS: dict[str, Direction | None] = {
    "stat_rate_from": Direction.CONSUMPTION,
    "stat_rate_to": Direction.INJECTION,
}
_FLOWS = {"grid": _grid, "solar": _solar, "home": _other, "battery": _other}


def _named(entry: Mapping[object, object], keys: Mapping[str, Direction | None]) -> _Shown:
    for key, direction in keys.items():
        if isinstance(name := entry.get(key), str):
            yield StatisticId(name), direction


def mappings(answer: object) -> Sequence[Mapping[object, object]]:
    """Return the mappings of a list that Home Assistant answered."""
    if not isinstance(answer, Iterable) or isinstance(answer, str | bytes | Mapping):
        raise UnreadableAnswer(what="no list")
    return [mapping for mapping in answer if isinstance(mapping, Mapping)]
