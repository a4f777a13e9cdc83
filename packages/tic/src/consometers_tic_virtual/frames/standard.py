"""A frame of standard mode. Source: Enedis-NOI-CPT_54E §6.2.2."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from consometers_tic import Colour, Group, Mode
from consometers_tic_virtual.calendar import Period
from consometers_tic_virtual.contract import CALENDAR_NAMES
from consometers_tic_virtual.measures import CURVE_S, Maxima
from consometers_tic_virtual.world import SEGMENT_S

from .fields import group, stamp, stamp_without_season
from .schedule import next_peak_day, usual_day

if TYPE_CHECKING:
    from consometers_tic_virtual.linky import Linky

_COLOURS = (None, Colour.BLUE, Colour.WHITE, Colour.RED)
_EURIDIS_SECURE, _POWER_LINE_REGISTERED = 0b11, 0b10
_field = partial(group, Mode.STANDARD)


def frame(linky: Linky, second: int) -> Iterator[Group]:
    """Yield the groups of the frame that begins at that second, in the order of the catalogue."""
    degraded = linky.clock_degraded
    contract, measures = linky.contract, linky.measures
    period = linky.calendar.at(second)
    phases = range(1, contract.phases + 1)

    yield _field("ADSC", linky.identity.address)
    yield _field("VTIC", "02")
    yield _field("DATE", "", stamp(second, degraded=degraded))
    yield _field("NGTF", CALENDAR_NAMES[contract.option].center(16))
    yield _field("LTARF", period.rate.name.center(16))
    yield from _registers(linky, second)
    for phase in phases:
        yield _field(f"IRMS{phase}", f"{measures.current_a(phase, second):03}")
    for phase in phases:
        yield _field(f"URMS{phase}", f"{measures.voltage_v(phase, second):03}")
    yield _field("PREF", f"{contract.reference_kva:02}")
    yield _field("PCOUP", f"{contract.reference_kva:02}")
    yield from _powers(linky, second)
    yield from _curve(linky, second)
    n = second // SEGMENT_S
    for phase in phases:
        mean = round(measures.mean_voltage_v(phase, n - 1))
        yield _field(f"UMOY{phase}", f"{mean:03}", stamp(n * SEGMENT_S, degraded=degraded))
    yield _field("STGE", f"{status(linky, period, second):08X}")
    for number, peak in enumerate(period.peaks, 1):
        yield _field(f"DPM{number}", "00", stamp_without_season(peak.start))
        yield _field(f"FPM{number}", "00", stamp_without_season(peak.end))
    yield _field("MSG1", linky.message[:32].ljust(32))
    if linky.short_message is not None:
        yield _field("MSG2", linky.short_message[:16].ljust(16))
    yield _field("PRM", linky.identity.delivery_point)
    yield _field("RELAIS", "001" if period.rate.closes_contact else "000")
    yield _field("NTARF", f"{period.rate.index:02}")
    yield _field("NJOURF", "00")
    yield _field("NJOURF+1", "00")
    yield _field("PJOURF+1", usual_day(contract.option))
    peak_day = next_peak_day(contract.option, period, second)
    if peak_day is not None:
        yield _field("PPOINTE", peak_day)


def status(linky: Linky, period: Period, second: int) -> int:
    """Return the status register. Source: Enedis-NOI-CPT_54E §6.2.3.14."""
    total_va = sum(linky.measures.apparent_va(second))
    return (
        (not period.rate.closes_contact) << 0
        | (total_va > 1000 * linky.contract.reference_kva) << 7
        | linky.contract.producer << 8
        | (total_va < 0) << 9
        | (period.rate.index - 1) << 10
        | (period.distributor_index - 1) << 14
        | linky.clock_degraded << 16
        | 1 << 17
        | _EURIDIS_SECURE << 19
        | _POWER_LINE_REGISTERED << 21
        | 1 << 23
        | _COLOURS.index(period.colour_today) << 24
        | _COLOURS.index(period.colour_tomorrow) << 26
        | period.peak_notice << 28
        | period.peak_now << 30
    )


def _registers(linky: Linky, second: int) -> Iterator[Group]:
    registers = linky.registers(second)
    yield _field("EAST", f"{registers.drawn_wh:09}")
    for n, energy in enumerate(registers.supplier_wh, 1):
        yield _field(f"EASF{n:02}", f"{energy:09}")
    for n, energy in enumerate(registers.distributor_wh, 1):
        yield _field(f"EASD{n:02}", f"{energy:09}")
    if linky.contract.producer:
        yield _field("EAIT", f"{registers.injected_wh:09}")
        for n, energy in enumerate(registers.reactive_varh, 1):
            yield _field(f"ERQ{n}", f"{energy:09}")


def _powers(linky: Linky, second: int) -> Iterator[Group]:
    apparent = linky.measures.apparent_va(second)
    three_phase = linky.contract.phases > 1
    yield _field("SINSTS", f"{max(0, sum(apparent)):05}")
    if three_phase:
        for phase, power in enumerate(apparent, 1):
            yield _field(f"SINSTS{phase}", f"{max(0, power):05}")
    today, yesterday = linky.maxima(second)
    days: tuple[tuple[str, Maxima], ...] = (("", today), ("-1", yesterday))

    def moment(at: int) -> str:
        return stamp(at, degraded=linky.clock_degraded)

    for suffix, day in days:
        yield _field(f"SMAXSN{suffix}", f"{day.drawn.power_va:05}", moment(day.drawn.at))
        if three_phase:
            for phase, maximum in enumerate(day.phases, 1):
                name = f"SMAXSN{phase}{suffix}"
                yield _field(name, f"{maximum.power_va:05}", moment(maximum.at))
    if linky.contract.producer:
        yield _field("SINSTI", f"{max(0, -sum(apparent)):05}")
        for suffix, day in days:
            yield _field(f"SMAXIN{suffix}", f"{day.injected.power_va:05}", moment(day.injected.at))


def _curve(linky: Linky, second: int) -> Iterator[Group]:
    """Yield the load curve's points, each stamped with the end of its period."""
    last = linky.measures.curve_end(second)
    points = [
        (suffix, end, linky.measures.curve_w(end))
        for suffix, end in (("", last), ("-1", last - CURVE_S))
        if end - CURVE_S >= linky.since
    ]
    for name, way in (("CCASN", 0), ("CCAIN", 1)):
        if way == 0 or linky.contract.producer:
            for suffix, end, power in points:
                when = stamp(end, degraded=linky.clock_degraded)
                yield _field(name + suffix, f"{power[way]:05}", when)
