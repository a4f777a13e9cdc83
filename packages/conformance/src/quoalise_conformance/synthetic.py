"""The series that the kit serves to clients: a value for each hour, and messages to judge."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from .session import stanzas
from .session.stanzas import UNKNOWN, element, tag

SERIES: Final = "urn:dev:example:conformance_consumption/power/active/raw"
HOUR: Final = 3_600
_META: Final = tag(stanzas.QUOALISE, "meta")
_SENML: Final = tag(stanzas.SENML, "senml")
_SENSML: Final = tag(stanzas.SENML, "sensml")
_BEYOND: Final = 4_102_444_800
"""2100."""


def power_w(time: int) -> int:
    """Return the mean power of the hour that starts then, in W."""
    return 100 + time // HOUR * 37 % 900


def history(start: float, end: float, now: float) -> list[int]:
    """Return the starts of the hours with start ≤ t < end that are over."""
    first = ceil(max(start, 0) / HOUR) * HOUR
    return [time for time in range(first, ceil(min(end, now)), HOUR) if time + HOUR <= now]


def sensml(times: Iterable[int]) -> Element:
    """Return the records of these hours, in the form that writers should use."""
    records = Element(_SENSML)
    base = 0
    for time in times:
        senml = SubElement(records, _SENML)
        if not base:
            base = time
            senml.attrib |= {"bn": SERIES, "bt": str(base), "bu": "W"}
        senml.attrib |= {"t": str(time - base), "v": str(power_w(time))}
    return records


def quoalise(records: Element, meta: Element | None = None) -> Element:
    """Return a `<quoalise>`; with the metadata of the series, unless it has other."""
    if meta is None:
        device = element(tag(stanzas.QUOALISE, "device"), type="electricity-meter")
        attributes = {"name": "active-power", "direction": "consumption", "quantity": "power"}
        attributes |= {"type": "electrical", "unit": "W", "aggregation": "mean"}
        attributes["sampling-interval"] = "PT1H"
        measurement = element(tag(stanzas.QUOALISE, "measurement"), **attributes)
        meta = element(_META, device, measurement)
    return element(stanzas.DATA, element(tag(stanzas.QUOALISE, "data"), meta, records))


@dataclass(frozen=True, slots=True)
class Trial:
    """A pushed message: the requirement that it tries, what is special, whether to accept it."""

    number: str
    what: str
    payload: Element
    accepted: bool


def trials(now: float) -> list[Trial]:
    """Return messages with records of the last hours; the first and the last are plain ones."""
    hour = int(now) // HOUR * HOUR - HOUR

    def records(*listed: Mapping[str, str]) -> Element:
        return quoalise(element(_SENSML, *(Element(_SENML, dict(each)) for each in listed)))

    usual = {"bn": SERIES, "bt": str(hour), "bu": "W", "v": "1"}
    without_value = {name: value for name, value in usual.items() if name != "v"}
    unknown = quoalise(sensml([hour]))
    unknown[0][0].append(element(tag(UNKNOWN, "element"), attribute="1"))
    unknown.set(tag(UNKNOWN, "attribute"), "1")
    other_forms = (
        {"bn": "urn:dev:example:conformance_", "n": "consumption/power/active/raw", "v": "100.0"}
        | {"bt": f"{hour - HOUR}.0", "bu": "W", "bver": "10"},
        {"n": "consumption/power/active/raw", "t": f"{HOUR}", "bv": "100", "v": "1e2", "u": "W"},
    )
    return [
        Trial("Q-65", "a record", quoalise(sensml([hour])), True),
        Trial("Q-5", "unknown attribute and element", unknown, True),
        Trial("Q-7", "<meta/>", quoalise(sensml([hour]), Element(_META)), True),
        Trial("Q-7", "<sensml/>", quoalise(Element(_SENSML)), True),
        Trial("Q-11", "bn + n, bv + v, 100.0, 1e2", records(*other_forms), True),
        Trial("Q-19", "colour='red'", records({**usual, "colour": "red"}), True),
        Trial("Q-15", "t='-60'", records({**usual, "bt": "0", "t": "-60"}), False),
        Trial("Q-15", f"t='{_BEYOND}'", records({**usual, "bt": str(_BEYOND)}), False),
        Trial("Q-17", "v=''", records(without_value), False),
        Trial("Q-17", "v='1e16'", records({**usual, "v": "1e16"}), False),
        Trial("Q-18", "vs", records({**without_value, "vs": "off"}), False),
        Trial("Q-18", "colour_", records({**usual, "colour_": "red"}), False),
        Trial("Q-18", "bver='11'", records({**usual, "bver": "11"}), False),
        Trial("Q-83", "bu: 33", records({**usual, "bu": "W" * 33}), False),
        Trial("Q-65", "a record", quoalise(sensml([hour])), True),
    ]
