"""What modbus-connection reads from an inverter is what the world says."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from demo.inverter import PROFILES, Inverter, State
from demo.inverter.chain import Block, blocks
from demo.inverter.sunspec import HEADER, MODELS, Point
from demo.world.battery import HybridWorld
from testing.inverters import NIGHT, NOON, decoded, inverter, model, unix

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FLOAT_ERROR = 1e-6


def placed(points: tuple[Point, ...], start: int) -> Iterator[tuple[int, Point]]:
    for point in points:
        yield start, point
        start += point.registers


def values_by_offset(component: Any) -> dict[int, object]:
    """Return the values of a component by the offset of their registers in the model."""
    return {
        field.address: getattr(component, name) for name, field in component.declared_fields.items()
    }


def assert_block(component: Any, block: Block) -> None:
    layout = MODELS[block.model_id]
    values = values_by_offset(component)
    scales = {name: value for name, value in block.values.items() if name.endswith("_SF")}
    for offset, point in placed(layout.points, HEADER):
        if point.kind not in ("sunssf", "pad"):
            assert_value(values[offset], block.values.get(point.name), point, scales)
    start = HEADER + sum(point.registers for point in layout.points)
    modules = component.module if layout.module else ()
    for module, wanted in zip(modules, block.modules, strict=True):
        values = values_by_offset(module)
        for offset, point in placed(layout.module, start):
            assert_value(values[offset], wanted.get(point.name), point, scales)


def assert_value(read: Any, wanted: Any, point: Point, scales: dict[str, Any]) -> None:
    if wanted is None or (wanted == 0 and point.kind == "acc32"):
        assert read is None or read == "", point
    elif isinstance(wanted, str):
        assert read == wanted
    else:
        step = 10 ** scales[point.scale] if point.scale else 1
        rel = FLOAT_ERROR if point.kind == "float32" else 0
        assert read == pytest.approx(wanted, abs=0.5001 * step, rel=rel), point


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("at", [NOON, NIGHT], ids=["noon", "night"])
async def test_every_point_is_decoded_to_its_value(name: str, at: datetime) -> None:
    virtual = inverter(name)
    wanted = list(blocks(virtual.profile, virtual.serial, virtual.readings(unix(at))))
    components = await decoded(virtual.image(unix(at)))
    assert [component.model_id for component in components] == [b.model_id for b in wanted]
    for component, block in zip(components, wanted, strict=True):
        assert_block(component, block)


async def test_a_home_s_inverter_shows_the_power_of_its_panels() -> None:
    virtual = inverter()
    world = virtual.load.world
    image = virtual.image(unix(NOON))
    made = await model(image, 101)
    assert made.w == world.powers_at(unix(NOON))[1] > 500
    assert made.wh == world.energy(NOON).production_wh > 0
    assert made.st == State.MPPT
    assert made.aph_a * made.ph_vph_a == pytest.approx(made.va, rel=0.01)
    assert 49.9 < made.hz < 50.1
    strings = (await model(image, 160)).module
    assert [string.id_str for string in strings] == ["South", "Lean-to"]
    assert sum(string.dcw for string in strings) == made.dcw > made.w
    assert sum(string.dcwh for string in strings) == pytest.approx(made.wh / 0.97, abs=2)
    for string in strings:
        assert string.dca * string.dcv == pytest.approx(string.dcw, rel=0.01)


@pytest.mark.parametrize("name", ["home", "school", "hybrid"])
def test_energy_is_the_integral_of_power(name: str) -> None:
    virtual = inverter(name)
    start, end = unix(NOON - 3 * HOUR), unix(NOON + 3 * HOUR)
    joules = sum(virtual.measures.power_w(second) for second in range(start, end))
    made = virtual.measures.energy_wh(end) - virtual.measures.energy_wh(start)
    assert joules / 3600 == pytest.approx(made, rel=0.002)


def test_another_run_has_the_same_lifetime_energy() -> None:
    for name in PROFILES:
        assert inverter(name).image(unix(NOON)) == inverter(name).image(unix(NOON))
    assert inverter(seed=2).image(unix(NOON)) != inverter().image(unix(NOON))


def test_the_order_of_queries_changes_nothing() -> None:
    late_first = inverter("hybrid")
    late_first.image(unix(NOON + 24 * HOUR))
    assert late_first.image(unix(NOON)) == inverter("hybrid").image(unix(NOON))


async def test_some_makers_count_injection_as_positive() -> None:
    theirs = await model(inverter("delta").image(unix(NOON)), 204)
    usual = await model(inverter("school").image(unix(NOON)), 203)
    assert theirs.w == -usual.w > 0
    assert theirs.tot_wh_exp == usual.tot_wh_exp
    assert theirs.ph_vph_a is None


async def test_a_battery_stores_the_surplus() -> None:
    virtual = inverter("hybrid")
    world = virtual.load.world
    assert isinstance(world, HybridWorld)
    levels = []
    for hour in range(48):
        second = unix(NIGHT) + 3600 * hour
        readings = virtual.readings(second)
        assert readings.cells is not None
        assert readings.grid is not None
        panels_w = world.storage_at(second).panels_w
        assert readings.power.power_w == pytest.approx(panels_w + readings.cells.power_w, abs=1)
        levels.append(readings.cells.stored_wh)
        if readings.grid.power.power_w < -50:
            full = readings.cells.stored_wh == readings.cells.capacity_wh
            assert full or readings.cells.power_w <= 0
    assert 0 <= min(levels) < max(levels) <= 7000
    battery = await model(virtual.image(unix(NOON)), 802)
    assert 0 <= battery.so_c <= 100


def test_states_follow_the_sun() -> None:
    virtual = inverter()
    states = [virtual.measures.state(unix(NIGHT) + 300 * n) for n in range(288)]
    changes = [states[0], *(b for a, b in pairwise(states) if a != b)]
    assert changes == [
        State.SLEEPING,
        State.STARTING,
        State.MPPT,
        State.SHUTTING_DOWN,
        State.SLEEPING,
    ]


async def test_a_limited_inverter_makes_less_and_counts_less() -> None:
    virtual, free = inverter(), inverter()
    virtual.limit(unix(NOON), 0.5, State.THROTTLED)
    virtual.free(unix(NOON + HOUR))
    half = await model(virtual.image(unix(NOON + 5 * MINUTE)), 101)
    assert half.st == State.THROTTLED
    assert half.w == round(free.measures.power_w(unix(NOON + 5 * MINUTE)) / 2)
    assert energy_of_hour_wh(virtual, NOON) == energy_of_hour_wh(free, NOON) // 2
    assert energy_of_hour_wh(virtual, NOON + HOUR) == energy_of_hour_wh(free, NOON + HOUR)


def energy_of_hour_wh(virtual: Inverter, start: datetime) -> int:
    """Return what it counts in an hour."""
    energy_wh = virtual.measures.energy_wh
    return energy_wh(unix(start + HOUR)) - energy_wh(unix(start))


@pytest.mark.parametrize(("state", "event"), [(State.FAULT, 15), (State.OFF, 6)])
async def test_a_broken_or_switched_off_inverter_says_why(state: State, event: int) -> None:
    virtual = inverter()
    virtual.limit(unix(NOON), 0, state)
    made = await model(virtual.image(unix(NOON + HOUR)), 101)
    assert (made.st, made.w, made.evt1) == (state, 0, 1 << event)
    assert made.wh == virtual.measures.energy_wh(unix(NOON))


def test_a_load_with_other_phases_is_refused() -> None:
    with pytest.raises(ValueError, match="phases"):
        Inverter(PROFILES["school"], load=inverter("home").load)
