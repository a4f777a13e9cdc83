"""Decoding a peer's data returns what it encoded."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from consometers_node.permission import Identification
from consometers_node.series import Device, Direction, Interval, Quantity, Record, Series
from consometers_node.wire import Naming, Unsayable, encode_series
from consometers_node.wire.decode import decode, read_series
from consometers_quoalise import (
    Data,
    Duration,
    Measurement,
    MeasuringDevice,
    Metadata,
    Records,
)
from consometers_quoalise.records.identifier import identifier

NAMING = Naming(bytes(32), "30001610071843")
PARIS = "Europe/Paris"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
POINT = identifier("urn:dev:prm:30001610071843_consumption/power/active/raw")
MADE = identifier("urn:dev:org:60060-someone_production/power/active/raw")
DAILY = identifier("urn:dev:org:60060-someone_consumption/energy/active/daily")


@pytest.mark.parametrize(("identification", "direction"), product(Identification, Direction))
@pytest.mark.parametrize(
    ("quantity", "interval", "expected", "factor"),
    [
        (Quantity.ENERGY, Interval.PT5M, Quantity.POWER, 12),
        (Quantity.ENERGY, Interval.PT30M, Quantity.POWER, 2),
        (Quantity.ENERGY, Interval.PT1H, Quantity.POWER, 1),
        (Quantity.POWER, Interval.PT5M, Quantity.POWER, 1),
        (Quantity.POWER, Interval.P1D, Quantity.POWER, 1),
        (Quantity.ENERGY, Interval.P1D, Quantity.ENERGY, 1),
    ],
)
def test_a_home_s_data_decodes_to_its_series(
    identification: Identification,
    direction: Direction,
    quantity: Quantity,
    interval: Interval,
    *,
    expected: Quantity,
    factor: int,
) -> None:
    series = Series(Device("sensor.any"), direction, quantity, interval, PARIS)
    name = NAMING.name(series, "coop@example.org", identification)
    data = encode_series(name, series, [Record(NOON, 120), Record(NOON + HOUR, 0)])
    (reading,) = decode(data)
    assert (reading.name, reading.unit) == (name, expected.unit)
    assert reading.records() == (Record(NOON, 120 * factor), Record(NOON + HOUR, 0))
    read = read_series(name, data.metadata, PARIS, finest=Interval.PT5M)
    assert read == Series(Device(str(name.device)), direction, expected, interval, PARIS)


@pytest.mark.parametrize(
    ("unit", "metadata_unit", "value", "expected"),
    [
        ("W", None, 120, 120),
        ("kW", None, 1.5, 1500),
        (None, "kW", 1.5, 1500),
        (None, None, 120, 120),
        ("W", None, 120.5, 121),
        ("W", None, 0, 0),
    ],
)
def test_values_become_whole_watts(
    unit: str | None, metadata_unit: str | None, value: float, expected: int
) -> None:
    records = Records(str(POINT), unit, {int(NOON.timestamp()): value})
    (reading,) = decode(Data(Metadata(measurement=Measurement(unit=metadata_unit)), (records,)))
    assert reading.records() == (Record(NOON, expected),)


def test_without_metadata_the_name_and_the_known_series_decide() -> None:
    point = replace(POINT, path="production/power/active/raw")
    assert read_series(point, Metadata(), PARIS, finest=Interval.PT30M) == Series(
        Device("urn:dev:prm:30001610071843"),
        Direction.INJECTION,
        Quantity.POWER,
        Interval.PT30M,
        PARIS,
    )
    registered = Series(
        Device(str(MADE.device)), Direction.PRODUCTION, Quantity.POWER, Interval.PT1H, PARIS
    )
    assert (
        read_series(MADE, Metadata(), PARIS, finest=Interval.PT5M, before=registered) == registered
    )
    daily = read_series(DAILY, Metadata(), PARIS, finest=Interval.PT5M)
    assert (daily.quantity, daily.interval) == (Quantity.ENERGY, Interval.P1D)


@pytest.mark.parametrize(
    ("name", "metadata", "says"),
    [
        ("urn:dev:org:60060-a_consumption/energy/active/index", Metadata(), "power/active/raw"),
        ("urn:dev:org:60060-a", Metadata(), "power/active/raw"),
        ("urn:dev:org:60060-a_power/active/raw", Metadata(), "energy/active/daily"),
        (str(MADE), Metadata(), "electricity-meter, inverter"),
        (str(MADE), Metadata(device=MeasuringDevice(type="battery")), "electricity-meter"),
        (
            str(POINT),
            Metadata(measurement=Measurement(sampling_interval=Duration(seconds=600))),
            "PT10M",
        ),
    ],
)
def test_unsupported_series_are_refused_with_a_hint(
    name: str, metadata: Metadata, says: str
) -> None:
    with pytest.raises(Unsayable, match=says):
        read_series(identifier(name), metadata, PARIS, finest=Interval.PT1H)


@pytest.mark.parametrize(
    ("unit", "time", "value", "says"),
    [
        ("W", 0, -1, "below zero"),
        ("Wh", 0, 1, "send W, kW"),
        ("W", 0.5, 1, "whole seconds"),
    ],
)
def test_invalid_values_are_refused_with_a_hint(
    unit: str, time: float, value: int, says: str
) -> None:
    records = Records(str(POINT), unit, {int(NOON.timestamp()) + time: value})
    with pytest.raises(Unsayable, match=says):
        [reading.records() for reading in decode(Data(Metadata(), (records,)))]
