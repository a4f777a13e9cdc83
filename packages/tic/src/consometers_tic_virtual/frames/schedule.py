"""Days of the calendar as the meter writes them: PJOURF+1 and PPOINTE."""

from collections.abc import Iterable

from consometers_tic_virtual.calendar import Period
from consometers_tic_virtual.contract import Option
from consometers_tic_virtual.world.civil import local

_BLOCKS = 11
_UNUSED = "NONUTILE"
_CLOSED, _OPEN = 0xC000, 0x8000

_USUAL = {
    Option.BASE: ((0, _OPEN, 1),),
    Option.HC: ((0, _CLOSED, 1), (7, _OPEN, 2), (23, _CLOSED, 1)),
    Option.EJP: ((0, _OPEN, 1),),
    Option.TEMPO: ((0, _CLOSED, 1), (6, _OPEN, 2), (22, _CLOSED, 1)),
    Option.PRODUCER: ((0, _OPEN, 1),),
}
_RED = ((0, _CLOSED, 5), (6, _OPEN, 6), (22, _CLOSED, 5))


def usual_day(option: Option) -> str:
    """Return PJOURF+1. Mobile peaks are not part of it."""
    return _write((f"{hour:02}00", contact, index) for hour, contact, index in _USUAL[option])


def next_peak_day(option: Option, period: Period, second: int) -> str | None:
    """Return PPOINTE: the day of the nearest peak that has not started; None when there is none."""
    peak = next((peak for peak in period.peaks if peak.start > second), None)
    if peak is None:
        return None
    if option is Option.TEMPO:
        return _write((f"{hour:02}00", contact, index) for hour, contact, index in _RED)
    start, end = local(peak.start), local(peak.end)
    _, contact, index = _USUAL[option][0]
    slots = [(f"{start:%H%M}", contact, 2 if option is Option.EJP else index)]
    if start.hour or start.minute:
        slots.insert(0, ("0000", contact, index))
    if start.date() == end.date():
        slots.append((f"{end:%H%M}", contact, index))
    return _write(slots)


def _write(slots: Iterable[tuple[str, int, int]]) -> str:
    blocks = [f"{start}{contact | index:04X}" for start, contact, index in slots]
    return " ".join(blocks + [_UNUSED] * (_BLOCKS - len(blocks)))
