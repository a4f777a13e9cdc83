"""A battery moves energy in time, loses some of it, and makes none."""

from datetime import UTC, datetime

from consometers_tic_virtual.world import HOUSEHOLD, SEGMENT_S, World
from demo.world.battery import Battery, HybridWorld

ORIGIN = datetime(2026, 6, 1, tzinfo=UTC)
BATTERY = Battery(capacity_wh=7_000, power_w=3_000)
WEEK_S = 7 * 86_400


def hybrid() -> HybridWorld:
    return HybridWorld(HOUSEHOLD, BATTERY, kwp=6, origin=ORIGIN)


def test_a_battery_reduces_draw_and_injection_and_loses_some_energy() -> None:
    plain, world = World(HOUSEHOLD, kwp=6, origin=ORIGIN), hybrid()
    end = world.origin_s + WEEK_S
    without, with_it, storage = plain.energy_at(end), world.energy_at(end), world.storage_at(end)
    assert with_it.consumption_wh == without.consumption_wh
    assert with_it.drawn_wh < without.drawn_wh
    taken = without.injected_wh - with_it.injected_wh
    given = without.drawn_wh - with_it.drawn_wh
    assert 0.9 * (taken - storage.stored_wh) < given < 0.93 * (taken - storage.stored_wh)


def test_registers_agree_with_each_other_at_any_second() -> None:
    world = hybrid()
    for second in range(world.origin_s, world.origin_s + WEEK_S, SEGMENT_S):
        energy = world.energy_at(second)
        assert energy.consumption_wh == (
            energy.production_wh + energy.drawn_wh - energy.injected_wh
        )


def test_a_battery_keeps_to_its_capacity_and_power() -> None:
    world = hybrid()
    days = range(world.origin_s, world.origin_s + WEEK_S, 300)
    levels = [world.storage_at(second).stored_wh for second in days]
    assert (min(levels), max(levels)) == (0, BATTERY.capacity_wh)
    # The sun comes and goes around the mean of ten minutes.
    strongest = max(abs(world.storage_at(second).battery_w) for second in days)
    assert strongest < 1.2 * BATTERY.power_w
