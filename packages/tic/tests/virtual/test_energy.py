"""Energy is the integral of power, exactly and at any second."""

from dataclasses import astuple
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings, strategies as st
import pytest

from consometers_tic_virtual.world import HOUSEHOLD, PANELS, SCHOOL, SEGMENT_S, Energy, World

ORIGIN = datetime(2026, 5, 20, tzinfo=UTC)
HOME = World(HOUSEHOLD, origin=ORIGIN)
KERSABIEC = World(SCHOOL, phases=3, origin=ORIGIN)
ROOF = World(PANELS, phases=3, origin=ORIGIN)
SECONDS = st.integers(HOME.origin_s, HOME.origin_s + 10 * 86_400)
BUILDINGS = st.sampled_from((HOME, KERSABIEC))
WORLDS = st.one_of(BUILDINGS, st.just(ROOF))


def balance(energy: Energy) -> int:
    return energy.production_wh + energy.drawn_wh - energy.injected_wh - energy.consumption_wh


@given(WORLDS, SECONDS)
def test_energy_balances_to_the_watt_hour_at_every_turn(world: World, second: int) -> None:
    assert balance(world.energy_at(second // SEGMENT_S * SEGMENT_S)) == 0
    assert abs(balance(world.energy_at(second))) <= 1


@given(WORLDS, SECONDS, st.integers(0, 7200))
def test_registers_never_go_backwards(world: World, second: int, later: int) -> None:
    grew = world.energy_at(second + later) - world.energy_at(second)
    assert min(astuple(grew)) >= 0


@settings(max_examples=10)
@given(WORLDS, SECONDS)
def test_registers_count_the_integral_of_power(world: World, start: int) -> None:
    powers = [world.powers_at(second) for second in range(start, start + 3600)]
    grew = world.energy_at(start + 3600) - world.energy_at(start)
    for counted_wh, powers_w in (
        (grew.drawn_wh, (max(0, net_w) for net_w, _ in powers)),
        (grew.injected_wh, (max(0, -net_w) for net_w, _ in powers)),
        (grew.production_wh, (production_w for _, production_w in powers)),
    ):
        assert counted_wh == pytest.approx(sum(powers_w) / 3600, abs=3, rel=0.002)


@given(BUILDINGS, SECONDS)
def test_consumption_and_production_are_never_negative(world: World, second: int) -> None:
    net_w, production_w = world.powers_at(second)
    assert net_w + production_w >= 0
    assert production_w >= 0


def test_a_world_is_the_same_in_any_order_of_queries() -> None:
    other = World(HOUSEHOLD, origin=ORIGIN)
    later = ORIGIN + timedelta(days=5, hours=11)
    assert other.energy(later) == HOME.energy(later)
    before = int((later - timedelta(days=3)).timestamp())
    assert other.powers_at(before) == HOME.powers_at(before)


def test_a_later_origin_moves_the_registers_and_not_the_powers() -> None:
    first, second = ORIGIN + timedelta(days=3), ORIGIN + timedelta(days=4, hours=9)
    late = World(HOUSEHOLD, origin=first)
    at = int(second.timestamp())
    assert late.powers_at(at) == HOME.powers_at(at)
    assert late.energy(first) == Energy()
    assert late.energy(first) + HOME.energy(first) == HOME.energy(first)
    assert late.energy(second).drawn_wh == (
        HOME.energy(second).drawn_wh - HOME.energy(first).drawn_wh
    )
