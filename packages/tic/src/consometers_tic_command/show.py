"""Values as people read them, what is personal hidden but for its end."""

from datetime import datetime

from consometers_tic import Breaker, Group, Slot, Status

from .words import Language, say

_FLAGS = (
    "contact_open",
    "cover_open",
    "overvoltage",
    "over_reference_power",
    "producer",
    "injecting",
    "clock_degraded",
)


def masked(raw: str) -> str:
    """Return the last four characters of what is personal."""
    return f"…{raw[-4:]}"


def number(value: int, language: Language) -> str:
    """Return a number with its thousands apart."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}" if language == "fr" else ",")


def shown(group: Group, language: Language) -> str:
    """Return the value of a group, with its unit and its time."""
    text = _value(group, language)
    if group.time is None or group.label.length == 0:
        return text
    return f"{text}  ({_time(group.time)})"


def _value(group: Group, language: Language) -> str:
    if group.label.personal:
        return masked(group.raw)
    value, unit = group.value, group.label.unit
    if isinstance(value, int) and unit is not None:
        return f"{number(value, language)} {unit}"
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, Status):
        return ", ".join([group.raw, *_remarks(value, language)])
    if isinstance(value, frozenset):
        return ", ".join(map(str, sorted(value))) or say("none", language)
    if isinstance(value, tuple):
        return "  ".join(map(_slot, value)) or say("none", language)
    return group.raw.strip() or group.raw_horodate or ""


def _remarks(status: Status, language: Language) -> list[str]:
    flags = [say(flag, language) for flag in _FLAGS if getattr(status, flag)]
    open_ = status.breaker is not Breaker.CLOSED
    return [*flags, say("breaker_open", language)] if open_ else flags


def _slot(slot: Slot) -> str:
    return f"{slot.start:%H:%M} → {slot.index or '='}"


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S}"
