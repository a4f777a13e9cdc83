"""Typed values of the fields, against what the documents say of them."""

from dataclasses import asdict, replace
from datetime import time

import pytest

from consometers_tic import (
    PARIS,
    Address,
    Breaker,
    Colour,
    Contact,
    Euridis,
    Mode,
    PowerLine,
    Slot,
    Status,
    Value,
    address,
    horodate,
)
from packages.tic.tests.samples import DAY_SCHEDULE, HISTORIQUE, NOON, STANDARD, group


def value(mode: Mode, *fields: str) -> Value:
    return group(mode, *fields).value


@pytest.mark.parametrize(
    ("raw", "time"),
    [
        ("H081225223518", "2008-12-25T22:35:18+01:00"),
        ("E090714074553", "2009-07-14T07:45:53+02:00"),
        # The doubled hour of October is two hours.
        ("E251026023000", "2025-10-26T02:30:00+02:00"),
        ("H251026023000", "2025-10-26T02:30:00+01:00"),
        # A space for the season is the legal time of France.
        (" 250715060000", "2025-07-15T06:00:00+02:00"),
        (" 260115060000", "2026-01-15T06:00:00+01:00"),
    ],
)
def test_the_season_letter_gives_the_offset(raw: str, time: str) -> None:
    read = horodate(raw)
    assert read is not None
    assert read.isoformat() == time
    assert (read.tzinfo is PARIS) is raw.startswith(" ")


@pytest.mark.parametrize(
    "raw",
    [
        *("h251026023000", "e250715120000"),  # a degraded clock
        *(" 000000000000", "H251332250000", "E250230120000", "H250101240000"),
    ],
)
def test_a_degraded_clock_or_a_void_date_gives_no_time(raw: str) -> None:
    assert horodate(raw) is None
    sent = group(STANDARD, "DATE", raw, "")
    assert sent.time is sent.value is None
    assert sent.raw_horodate == raw


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("041876543210", Address("Landis+Gyr", 2018, "76", "543210", 3)),
        ("021961123456", Address("Sagemcom", 2019, "61", "123456", 1)),
        ("999863000001", Address("99", 1998, "63", "000001", 3)),
        ("012128000001", Address("Crouzet", 2021, "28", "000001", None)),
        # The first electronic meters are of the 1990s: 90 is not 2090.
        ("019061000001", Address("Crouzet", 1990, "61", "000001", 1)),
        ("018961000001", Address("Crouzet", 2089, "61", "000001", 1)),
    ],
)
def test_an_address_holds_maker_year_type_serial_and_phases(raw: str, expected: Address) -> None:
    assert (
        address(raw) == value(STANDARD, "ADSC", raw) == value(HISTORIQUE, "ADCO", raw) == expected
    )


PLAIN = Status(
    contact_open=False,
    breaker=Breaker.CLOSED,
    cover_open=False,
    overvoltage=False,
    over_reference_power=False,
    producer=False,
    injecting=False,
    supplier_index=1,
    distributor_index=1,
    clock_degraded=False,
    output=Mode.HISTORIQUE,
    euridis=Euridis.OFF,
    power_line=PowerLine.NEW_UNLOCK,
    power_line_synchronised=False,
    colour_today=None,
    colour_tomorrow=None,
    peak_notice=0,
    peak_now=0,
)


def test_the_status_register_reads_field_by_field() -> None:
    assert value(STANDARD, "STGE", "00000000") == PLAIN
    # Of a real producer.
    assert value(STANDARD, "STGE", "003A0301") == replace(
        PLAIN,
        contact_open=True,
        producer=True,
        injecting=True,
        output=Mode.STANDARD,
        euridis=Euridis.ON_SECURE,
        power_line=PowerLine.NEW_LOCK,
    )


STATUS_FIELDS: list[tuple[int, int, str, Value]] = [
    (0, 1, "contact_open", 1),
    *((1, code, "breaker", breaker) for code, breaker in enumerate(Breaker)),
    (1, 7, "breaker", None),
    (4, 1, "cover_open", 1),
    (6, 1, "overvoltage", 1),
    (7, 1, "over_reference_power", 1),
    (8, 1, "producer", 1),
    (9, 1, "injecting", 1),
    *((10, code, "supplier_index", code + 1) for code in range(10)),
    *((14, code, "distributor_index", code + 1) for code in range(4)),
    (16, 1, "clock_degraded", 1),
    (17, 1, "output", Mode.STANDARD),
    (19, 0b01, "euridis", Euridis.ON),
    (19, 0b10, "euridis", None),
    (19, 0b11, "euridis", Euridis.ON_SECURE),
    (21, 0b01, "power_line", PowerLine.NEW_LOCK),
    (21, 0b10, "power_line", PowerLine.REGISTERED),
    (21, 0b11, "power_line", None),
    (23, 1, "power_line_synchronised", 1),
    *(
        (bit, code, name, colour)
        for bit, name in ((24, "colour_today"), (26, "colour_tomorrow"))
        for code, colour in ((1, Colour.BLUE), (2, Colour.WHITE), (3, Colour.RED))
    ),
    *((28, n, "peak_notice", n) for n in range(4)),
    *((30, n, "peak_now", n) for n in range(4)),
]


@pytest.mark.parametrize(("bit", "code", "field", "expected"), STATUS_FIELDS)
def test_a_field_of_the_status_register_stands_alone(
    bit: int, code: int, field: str, expected: Value
) -> None:
    read = value(STANDARD, "STGE", f"{code << bit:08X}")
    assert isinstance(read, Status)
    assert asdict(read) == asdict(PLAIN) | {field: expected}


@pytest.mark.parametrize(
    ("raw", "closed"),
    [("000", set()), ("001", {1}), ("140", {3, 4, 8}), ("255", set(range(1, 9))), ("256", None)],
)
def test_relays_are_the_bits_of_a_decimal_byte(raw: str, closed: set[int] | None) -> None:
    assert value(STANDARD, "RELAIS", raw) == closed


@pytest.mark.parametrize(
    ("raw", "missing"), [("00", set()), ("02", {1}), ("0C", {2, 3}), ("0E", {1, 2, 3})]
)
def test_phases_without_voltage_are_bits_1_to_3(raw: str, missing: set[int]) -> None:
    assert value(HISTORIQUE, "PPOT", raw) == missing


def test_a_schedule_has_its_used_slots() -> None:
    assert value(STANDARD, "PJOURF+1", DAY_SCHEDULE) == (
        Slot(time(0, 0), Contact.OPEN, (), 1),
        Slot(time(6, 30), Contact.UNCHANGED, (), 2),
        Slot(time(22, 30), Contact.TEMPO, (), 1),
    )


def test_a_slot_switches_contacts_and_index() -> None:
    blocks = ["00004001", "22008002", "0600C001", "12000FF0", "1800000A", "1900000B"]
    assert value(STANDARD, "PPOINTE", " ".join(blocks + ["NONUTILE"] * 5)) == (
        Slot(time(0), Contact.TEMPO, (), 1),
        Slot(time(22), Contact.OPEN, (), 2),
        Slot(time(6), Contact.CLOSED, (), 1),
        Slot(time(12), Contact.UNCHANGED, (1, 2, 3, 4, 5, 6, 7), None),
        Slot(time(18), Contact.UNCHANGED, (), 10),
        Slot(time(19), Contact.UNCHANGED, (), None),
    )


@pytest.mark.parametrize(
    "raw",
    [
        DAY_SCHEDULE.replace("0000", "2500", 1),
        DAY_SCHEDULE.replace("0000", "0060", 1),
        DAY_SCHEDULE.replace(" ", "0"),
        DAY_SCHEDULE.replace("8001 0", "801 00"),
        DAY_SCHEDULE.replace("NONUTILE", "NONUTIL0", 1),
        "0" * 98,
        " " * 98,
    ],
    ids=["25 h", "60 min", "no spaces", "a space shifted", "no word", "one block", "blank"],
)
def test_an_invalid_schedule_is_none(raw: str) -> None:
    assert value(STANDARD, "PJOURF+1", raw) is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (("NGTF", "     TEMPO      "), "TEMPO"),
        (("LTARF", " " * 16), ""),
        (("MSG1", "PAS DE          MESSAGE         "), "PAS DE          MESSAGE"),
        (("NJOURF+1", "07"), 7),
        (("VTIC", "02"), "02"),
        (("PRM", "01234567890123"), "01234567890123"),
        (("EAST", "000000042"), 42),
        (("DATE", NOON, ""), horodate(NOON)),
    ],
)
def test_a_field_has_its_type(fields: tuple[str, ...], expected: Value) -> None:
    assert value(STANDARD, *fields) == expected
