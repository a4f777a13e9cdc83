"""When a collective is likely to have a surplus: the forecast, and what Home Assistant shows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from freezegun import freeze_time
from homeassistant.components.calendar import DOMAIN as CALENDAR
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.consometers.node.computed.surplus import (
    PAST_DAYS,
    Flows,
    Forecast,
    Stretch,
    best,
    forecast,
    stretches,
)
from custom_components.consometers.node.computed.surplus_coordinator import sun_store
from testing.integration.node import NodeView
from testing.integration.recorded import HOUR, record
from testing.integration.toy_node import collective, sums
from testing.waiting import until

PARIS = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 6, 8, tzinfo=PARIS)
DAYS = [MONDAY - timedelta(days=n) for n in range(1, PAST_DAYS + 1)]
NOON = 12


def flows_at_noon(
    injected: Callable[[datetime], float], drawn: Callable[[datetime], float]
) -> list[Flows]:
    return [Flows(day.replace(hour=NOON), injected(day), drawn(day)) for day in DAYS]


def forecast_at_noon(past: list[Flows], sun: dict[date, float] | None = None) -> Forecast:
    (hour,) = forecast(past, [MONDAY.replace(hour=NOON)], sun or {})
    return hour


def test_equal_days_forecast_an_equal_day() -> None:
    hour = forecast_at_noon(flows_at_noon(lambda _: 900, lambda _: 600))
    assert hour.injected == pytest.approx(900)
    assert hour.drawn == pytest.approx(600)
    assert hour.is_surplus
    assert hour.covered == 1
    assert hour.end - hour.start == HOUR


def test_the_newest_days_count_most() -> None:
    recent = DAYS[2]
    hour = forecast_at_noon(flows_at_noon(lambda day: 1_000 if day >= recent else 0, lambda _: 400))
    assert hour.injected > 450


def test_working_days_count_most_for_a_working_day() -> None:
    hour = forecast_at_noon(
        flows_at_noon(lambda _: 0, lambda day: 1_000 if day.weekday() < 5 else 100)
    )
    assert hour.drawn > 800


def test_sunshine_scales_injection_within_bounds() -> None:
    past = flows_at_noon(lambda _: 500, lambda _: 600)
    sun = {day.date(): 10_000.0 for day in DAYS}
    assert forecast_at_noon(past, sun | {MONDAY.date(): 15_000.0}).injected == pytest.approx(750)
    assert forecast_at_noon(past, sun | {MONDAY.date(): 10**9}).injected == pytest.approx(1_000)
    assert forecast_at_noon(past, sun | {MONDAY.date(): 0.0}).injected == pytest.approx(100)
    # A forecast that no past one compares with says nothing.
    assert forecast_at_noon(past, {MONDAY.date(): 15_000.0}).injected == pytest.approx(500)


def test_an_hour_without_a_past_has_no_forecast() -> None:
    assert forecast(flows_at_noon(lambda _: 1, lambda _: 1), [MONDAY], {}) == []
    old = [Flows(MONDAY.replace(hour=NOON) - timedelta(days=PAST_DAYS + 1), 1, 1)]
    assert forecast(old, [MONDAY.replace(hour=NOON)], {}) == []


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30))
def test_stretches_are_the_hours_of_surplus(flows: list[tuple[int, int]]) -> None:
    hours = [Forecast(MONDAY + n * HOUR, *pair) for n, pair in enumerate(flows)]
    surplus = [hour.start for hour in hours if hour.is_surplus]
    inside = [
        stretch.start + n * HOUR
        for stretch in stretches(hours)
        for n in range((stretch.end - stretch.start) // HOUR)
    ]
    assert inside == surplus


def test_the_best_time_is_when_members_cover_most() -> None:
    hours = [Forecast(MONDAY + n * HOUR, injected, 10) for n, injected in enumerate((0, 4, 8, 8))]
    assert best(hours) == Stretch(hours[2].start, hours[3].end)
    # Another row of hours that are as good is not the first.
    apart = [*hours, Forecast(MONDAY + 5 * HOUR, 8, 10)]
    assert best(apart) == best(hours)
    assert best([*hours, Forecast(MONDAY + 5 * HOUR, 9, 10)]) == Stretch(
        MONDAY + 5 * HOUR, MONDAY + 6 * HOUR
    )
    assert best(hours[:1]) is None


async def record_weeks(hass: HomeAssistant) -> None:
    """Have two weeks in which 3 kWh are drawn each hour, and 4 injected from 12 to 14 o'clock."""
    start = datetime(2026, 6, 9, 9, tzinfo=UTC) - timedelta(days=PAST_DAYS + 1)
    hours = [(start + n * HOUR).astimezone(PARIS).hour for n in range((PAST_DAYS + 1) * 24)]
    injected = [4_000.0 * (12 <= hour < 14) for hour in hours]
    for statistic, wh in (("injection", injected), ("consumption", [3_000.0] * len(hours))):
        await record(hass, f"consometers:collective_1_{statistic}", start, wh)


async def test_sensors_and_calendar_show_the_surplus(
    recorder_mock: Recorder, hass: HomeAssistant, house: NodeView, entry: MockConfigEntry
) -> None:
    await hass.config.async_set_time_zone("Europe/Paris")
    # 12:10 in Paris.
    with freeze_time("2026-06-09 10:10:00", tick=True):
        await record_weeks(hass)
        await house.start(collective("1", sums=sums()))
        await until(lambda: house.state("1_surplus_likely", "binary_sensor") == "on")
        assert house.state("1_next_surplus") == "2026-06-09T10:00:00+00:00"
        # It is now, and lasts until the surplus ends.
        assert house.state("1_best_start") == "2026-06-09T10:00:00+00:00"
        assert house.state("1_best_end") == "2026-06-09T12:00:00+00:00"
        assert house.state("1_surplus", "calendar") == "on"
        answer: Any = await hass.services.async_call(
            CALENDAR,
            "get_events",
            {
                "entity_id": house.entity_id("1_surplus", "calendar"),
                "start_date_time": "2026-06-09 00:00:00",
                "end_date_time": "2026-06-11 00:00:00",
            },
            blocking=True,
            return_response=True,
        )
        (events,) = answer.values()
        assert [(each["start"], each["end"]) for each in events["events"]] == [
            ("2026-06-09T12:00:00+02:00", "2026-06-09T14:00:00+02:00"),
            ("2026-06-10T12:00:00+02:00", "2026-06-10T14:00:00+02:00"),
        ]


@dataclass
class Forecasters:
    """What the Energy dashboard knows of forecasts: its preferences, and who makes them."""

    sources: list[dict[str, Any]] | None
    wh_hours: dict[str, float]

    async def manager(self, _: HomeAssistant) -> SimpleNamespace:
        data = None if self.sources is None else {"energy_sources": self.sources}
        return SimpleNamespace(data=data)

    async def platforms(self, _: HomeAssistant) -> dict[str, Any]:
        return {"sunny": self._sunny}

    async def _sunny(self, hass: HomeAssistant, entry_id: str) -> dict[str, Any] | None:
        return {"wh_hours": self.wh_hours} if entry_id == "sunny" else None


@pytest.fixture
def forecasters(hass: HomeAssistant) -> Iterator[Forecasters]:
    """Have an Energy dashboard with panels and forecasts of three kinds."""
    for entry_id, domain in (("sunny", "sunny"), ("silent", "sunny"), ("other", "cloudy")):
        MockConfigEntry(domain=domain, entry_id=entry_id).add_to_hass(hass)
    chosen = ["sunny", "silent", "other", "gone"]
    sources: list[dict[str, Any]] = [
        {"type": "grid"},
        {"type": "solar", "config_entry_solar_forecast": chosen},
        {"type": "solar", "config_entry_solar_forecast": None},
    ]
    hours = {"2026-06-09T12:00:00+02:00": 9_000.0, "2026-06-09T13:00:00+02:00": 9_000.0}
    forecasters = Forecasters(sources, {**hours, "2026-06-10T12:00:00+02:00": 1_000.0, "?": 1.0})
    hass.config.components.add("energy")
    module = "custom_components.consometers.node.computed.surplus_coordinator"
    with (
        patch(f"{module}.async_get_manager", forecasters.manager),
        patch(f"{module}.async_get_energy_platforms", forecasters.platforms),
    ):
        yield forecasters


async def test_a_sunless_day_has_no_surplus_where_the_home_has_a_forecast(
    recorder_mock: Recorder, hass: HomeAssistant, house: NodeView, forecasters: Forecasters
) -> None:
    await hass.config.async_set_time_zone("Europe/Paris")
    with freeze_time("2026-06-09 10:10:00", tick=True):
        await record_weeks(hass)
        past = {f"2026-06-0{day}": 18_000.0 for day in range(1, 9)}
        await sun_store(hass, house.entry).async_save({"2026-01-01": 1.0, **past})
        await house.start(collective("1", sums=sums()))
        await until(lambda: house.state("1_surplus_likely", "binary_sensor") == "on")
        # Today is as sunny as the days before, tomorrow hardly at all.
        surplus = house.entry.runtime_data.surplus
        assert {each.start.day for each in surplus.data["1"] if each.is_surplus} == {9}
        days = {"2026-06-09": 18_000.0, "2026-06-10": 1_000.0}
        assert await sun_store(hass, house.entry).async_load() == {**past, **days}
        # What has not changed is not written again; nor what nobody forecasts.
        await surplus.async_refresh()
        forecasters.sources = None
        await surplus.async_refresh()
        assert {each.start.day for each in surplus.data["1"] if each.is_surplus} == {9}


async def test_the_forecast_changes_at_the_full_hour(
    recorder_mock: Recorder, hass: HomeAssistant, house: NodeView
) -> None:
    await hass.config.async_set_time_zone("Europe/Paris")
    with freeze_time("2026-06-09 11:59:00", tick=True) as time:
        await record_weeks(hass)
        await house.start(collective("1", sums=sums()))
        await until(lambda: house.state("1_surplus_likely", "binary_sensor") == "on")
        time.move_to("2026-06-09 12:00:30")
        async_fire_time_changed(hass, datetime(2026, 6, 9, 12, 0, 30, tzinfo=UTC))
        await until(lambda: house.state("1_surplus_likely", "binary_sensor") == "off")
        assert house.state("1_next_surplus") == "2026-06-10T10:00:00+00:00"


async def test_a_forecast_needs_injection_and_consumption(house: NodeView) -> None:
    statistics = {"consumption": "consometers:c", "injection": None, "production": None}
    await house.start(collective("1", sums=sums(statistics=statistics)), collective("2"))
    for identifier in ("1", "2"):
        assert house.state(f"{identifier}_surplus_likely", "binary_sensor") is None
        assert house.state(f"{identifier}_surplus", "calendar") is None


async def test_removing_the_entry_deletes_forecasts_of_sunshine(
    hass: HomeAssistant, house: NodeView, entry: MockConfigEntry
) -> None:
    await house.start(collective("1", sums=sums()))
    await sun_store(hass, house.entry).async_save({"2026-06-09": 12_000.0})
    await house.remove()
    assert await sun_store(hass, house.entry).async_load() is None
