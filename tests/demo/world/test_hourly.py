"""Hours by themselves are about what a world counts to the second, and always the same."""

from datetime import UTC, datetime

import pytest

from consometers_tic_virtual.world import HOUSEHOLD, PANELS, SCHOOL, Site, World
from demo.world.hourly import hours

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = int(BEGIN.timestamp()) // 3600
YEAR = 365 * 24


@pytest.mark.parametrize(
    ("site", "kwp"), [(HOUSEHOLD, 0.0), (HOUSEHOLD, 3.0), (SCHOOL, 9.0), (PANELS, 36.0)]
)
def test_hourly_energies_approach_those_of_a_world(site: Site, kwp: float) -> None:
    world = World(site, kwp=kwp, seed=3, origin=BEGIN)
    counted = world.energy_at(3600 * (FIRST + YEAR))
    made = list(hours(site, kwp, 3, FIRST, FIRST + YEAR))
    assert [hour.n for hour in made] == list(range(FIRST, FIRST + YEAR))
    for summed, exact in (
        (sum(hour.drawn_wh for hour in made), counted.drawn_wh),
        (sum(hour.injected_wh for hour in made), counted.injected_wh),
        (sum(hour.made_wh for hour in made), counted.production_wh),
    ):
        assert summed == pytest.approx(exact, rel=0.01, abs=0)


def test_an_hour_does_not_depend_on_the_first_hour() -> None:
    whole = list(hours(HOUSEHOLD, 3.0, 5, FIRST, FIRST + 240))
    assert list(hours(HOUSEHOLD, 3.0, 5, FIRST + 101, FIRST + 240)) == whole[101:]
    assert list(hours(HOUSEHOLD, 3.0, 6, FIRST, FIRST + 240)) != whole


def test_nothing_is_made_without_panels_or_at_night() -> None:
    assert not any(hour.made_wh for hour in hours(HOUSEHOLD, 0.0, 5, FIRST, FIRST + 240))
    nights = [hour for hour in hours(HOUSEHOLD, 3.0, 5, FIRST, FIRST + 240) if hour.n % 24 < 6]
    assert not any(hour.made_wh or hour.injected_wh for hour in nights)
