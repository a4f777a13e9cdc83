"""Records to and from SenML (RFC 8428) in XML.

    <sensml xmlns="urn:ietf:params:xml:ns:senml">
      <senml bn="urn:dev:prm:30001610071843_consumption/power/active/raw" bt="1583016600"
             t="0" v="100" bu="W"/>
      <senml t="1800" v="101"/>
    </sensml>

Read in every legal form: base fields hold from the record that carries them onwards, a name is
bn + n, a time bt + t, a value bv + v (§4.5). Written in the form above. Of the other fields:

    bver          version 10 or lower, the same in a whole message (§4.4)
    ut, s, bs     must be numbers, and are not kept: nothing of ours needs to know when the next
                  record is due, nor an integral. A record with a sum and no value is refused
    vs, vb, vd    refused: what is no number is no measure
    unknown       ignored, but refused if the label ends with _ (§4.4)
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
import math
from operator import attrgetter, itemgetter
import re
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement

from consometers_quoalise import bounds
from consometers_quoalise.elements.markup import named, tag
from consometers_quoalise.errors import Malformed
from consometers_quoalise.problems import Problem

from .identifier import MAX_LENGTH

NAMESPACE = "urn:ietf:params:xml:ns:senml"
SENSML = tag(NAMESPACE, "sensml")
SENML = tag(NAMESPACE, "senml")

VERSION = 10
MAX_RECORDS = 2_000
"""In one answer."""
MAX_PUSHED = 1_000
"""In one message that is pushed."""
MAX_NUMBER = 2**53
"""Integers up to here are exact in the double that XML carries (§4.3)."""
FIRST_TIME = 2**28
"""1978-07-04T21:24:16Z: what is lower is relative to now (§4.5.3), and there is no now here."""
LAST_TIME = 4_102_444_799
"""2099-12-31T23:59:59Z. Milliseconds where seconds should be are far beyond."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:./_-]*")
_MAX_UNIT = bounds.characters("unit")
_VERSIONS = frozenset(map(str, range(1, VERSION + 1)))

type Number = int | float
"""Integral values are int. None is infinite or NaN."""


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one name in one unit, in the order of time.

    `values` are by the start of their interval, in seconds since 1970, UTC. A time that was sent
    twice has the value that was sent last, as if the second had come in a later message.
    """

    name: str
    unit: str | None
    values: Mapping[Number, Number]


def read(sensml: Element, place: str = "sensml", most: int = MAX_RECORDS) -> tuple[Records, ...]:
    """Read the records of a `<sensml>`, by name and unit in the order in which these first come.

    Raises `Malformed`, and nothing else. `place` is the path of the element, for errors.
    """
    if len(sensml) > most:
        raise Malformed(place, Problem.TOO_MANY_RECORDS, found=len(sensml), most=most)
    values_by_name: dict[tuple[str, str | None], dict[Number, Number]] = {}
    for run in _runs(sensml, place):
        values_by_name.setdefault((run.name, run.unit), {}).update(run.resolve())
    return tuple(
        Records(name, unit, _chronological(values))
        for (name, unit), values in values_by_name.items()
    )


def write(records: Iterable[Records]) -> Element:
    """Return the `<sensml>` of records: base name, time and unit once for each name.

    Raises `Malformed` on a number that is infinite or NaN.
    """
    sensml = Element(SENSML)
    # A base unit cannot be taken back, so what has no unit comes first.
    for series in sorted(records, key=lambda run: run.unit is not None):
        base = 0
        for time, value in _chronological(series.values).items():
            if base:
                fields = {"t": _shown(time - base), "v": _shown(value)}
            else:
                base = math.floor(time)
                fields = {"bn": series.name, "bt": str(base), "t": _shown(time - base)}
                fields["v"] = _shown(value)
                if series.unit is not None:
                    fields["bu"] = series.unit
            SubElement(sensml, SENML, fields)
    return sensml


type _Fields = Mapping[str, str]
_OWN = frozenset({"n", "u", "t", "v"})
"""Fields that hold for their record alone."""


class _Bounds(NamedTuple):
    low: int
    high: int
    too_low: Problem
    too_high: Problem


_BOUNDS = {
    "t": _Bounds(FIRST_TIME, LAST_TIME, Problem.RELATIVE_TIME, Problem.TOO_LATE),
    "v": _Bounds(-MAX_NUMBER, MAX_NUMBER, Problem.TOO_BIG, Problem.TOO_BIG),
}
_STEPS = {str(step): step for step in (300, 900, 1_800, 3_600, 86_400)}
"""Usual numbers of seconds from one record to the next."""


@lru_cache(len(_STEPS))
def _offsets(step: int) -> list[str]:
    """Return the times of records at even steps from their base, as many as a message may have."""
    return [str(step * n) for n in range(MAX_RECORDS)]


@dataclass(slots=True)
class _Run:
    """Records of one name and unit as they were sent, between two changes of base fields."""

    name: str
    unit: str | None
    base_time: Number
    base_value: Number
    place: str
    times: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """The numbers of these records in the message, from 1; empty if they are all of it."""

    def resolve(self) -> Iterator[tuple[Number, Number]]:
        """Return the time and the value of each record."""
        times = self._even_times() or self._column("t", self.times, self.base_time)
        values = self._column("v", self.values, self.base_value)
        return zip(times, values, strict=True)

    def _even_times(self) -> Sequence[int]:
        """Return the times at even steps from the base, which nearly all messages have, or none."""
        base, count = self.base_time, len(self.times)
        step = _STEPS.get(self.times[1]) if count > 1 else None
        if not step or not isinstance(base, int) or self.times != _offsets(step)[:count]:
            return ()
        times = range(base, base + step * count, step)
        return times if base >= FIRST_TIME and times[-1] <= LAST_TIME else ()

    def _column(self, label: str, sent: list[str], base: Number) -> Sequence[Number]:
        numbers = _column(sent)
        if numbers is None:
            numbers = [_number(value, self._at(at, label)) for at, value in enumerate(sent)]
        bounds = _BOUNDS[label]
        low, high = bounds.low - base, bounds.high - base
        if min(numbers) < low or max(numbers) > high:
            at, number = next(
                (n, value) for n, value in enumerate(numbers) if not low <= value <= high
            )
            problem = bounds.too_low if number < low else bounds.too_high
            value = base + number if base and abs(number) <= MAX_NUMBER else sent[at]
            raise Malformed(self._at(at, label), problem, found=value, most=bounds.high)
        if not base:
            return numbers
        if isinstance(base, int):
            return [base + number for number in numbers]
        return [_whole(base + number) for number in numbers]

    def _at(self, at: int, label: str) -> str:
        number = self.numbers[at] if self.numbers else at + 1
        return f"{self.place}/senml[{number}]@{label}"


@dataclass(slots=True)
class _Base:
    """The base fields in force."""

    name: str = ""
    time: Number = 0
    unit: str | None = None
    value: Number | None = None
    version: int = VERSION


def _runs(sensml: Element, place: str) -> Iterator[_Run]:
    """Gather the records of a message into runs."""
    base = _Base()
    runs: dict[tuple[str, str | None], _Run] = {}
    plain: _Run | None = None
    message = _message(sensml, place)
    for number, fields in enumerate(message, 1):
        # Nearly every record: it goes on with only the base fields.
        if plain is not None and len(fields) == 2 and "t" in fields and "v" in fields:
            plain.numbers.append(number)
            plain.times.append(fields["t"])
            plain.values.append(fields["v"])
            continue
        at = f"{place}/senml[{number}]"
        if not fields.keys() <= _OWN:
            yield from runs.values()
            runs, plain = {}, None
            _take(base, fields, at, first=number == 1)
        name, unit = fields.get("n", ""), fields.get("u") or base.unit
        run = runs.get((name, unit))
        if run is None:
            full = _name(base.name + name, at)
            if len(unit or "") > _MAX_UNIT:
                raise Malformed(at, Problem.TOO_LONG, found=len(unit or ""), most=_MAX_UNIT)
            run = _Run(full, unit, base.time, base.value or 0, place)
            runs[name, unit] = run
            if not name and unit == base.unit:
                plain = run
        if "v" not in fields and base.value is None:
            raise Malformed(at, Problem.NO_VALUE)
        if number == 1 and run is plain and (columns := _columns(message)):
            run.times, run.values = columns
            break
        # Where there is a base alone, what is added to it is zero (§4.5.3, §4.5.4).
        run.numbers.append(number)
        run.times.append(fields.get("t", "0"))
        run.values.append(fields.get("v", "0"))
    yield from runs.values()


def _message(sensml: Element, place: str) -> list[_Fields]:
    elements = sensml.findall(SENML)
    if len(elements) != len(sensml):
        number, other = next(
            (n, element) for n, element in enumerate(sensml, 1) if element.tag != SENML
        )
        other_name = named(str(other.tag))
        raise Malformed(
            f"{place}/*[{number}]", Problem.OTHER_ELEMENT, found=other_name, wanted=named(SENML)
        )
    return list(map(attrgetter("attrib"), elements))


def _columns(message: list[_Fields]) -> Sequence[list[str]]:
    """Return all times and all values of the form above; nothing of other forms."""
    if set(map(len, message[1:])) != {2}:
        return ()
    try:
        return [list(map(itemgetter(label), message)) for label in ("t", "v")]
    except KeyError:
        return ()


def _name(name: str, place: str) -> str:
    if not name:
        raise Malformed(place, Problem.NO_NAME)
    if len(name) > MAX_LENGTH or not _NAME.fullmatch(name):
        raise Malformed(place, Problem.NAME_CHARACTERS, found=name, most=MAX_LENGTH)
    return name


def _take(base: _Base, fields: _Fields, place: str, *, first: bool) -> None:
    """Take the base fields of a record, and check the fields that are not kept."""
    for label, value in fields.items():
        at = f"{place}@{label}"
        match label:
            case "n" | "u" | "t" | "v":
                pass
            case "bn":
                base.name = value
            case "bt":
                base.time = _number(value, at)
            case "bu":
                base.unit = value or None
            case "bv":
                base.value = _number(value, at)
            case "bver":
                version = _version(value, at)
                if not first and version != base.version:
                    raise Malformed(at, Problem.OTHER_VERSION, found=version, wanted=base.version)
                base.version = version
            case "s" | "bs" | "ut":
                _number(value, at)
            case "vs" | "vb" | "vd":
                raise Malformed(at, Problem.NOT_A_MEASURE)
            case _ if label.endswith("_"):
                raise Malformed(at, Problem.MUST_UNDERSTAND)
            case _:
                pass


def _version(sent: str, place: str) -> int:
    version = sent.strip()
    if version not in _VERSIONS:
        raise Malformed(place, Problem.VERSION, found=sent, most=VERSION)
    return int(version)


def _number(sent: str, place: str) -> Number:
    numbers = _column([sent])
    if numbers is None:
        raise Malformed(place, Problem.NOT_A_NUMBER, found=sent)
    if abs(numbers[0]) > MAX_NUMBER:
        raise Malformed(place, Problem.TOO_BIG, found=sent, most=MAX_NUMBER)
    return numbers[0]


def _column(sent: list[str]) -> Sequence[Number] | None:
    """Read doubles of XML Schema, or None if one is none, or is not finite."""
    together = "".join(sent)
    # Python reads 1_000 and other scripts' digits; a double is neither.
    if not together.isascii() or "_" in together:
        return None
    try:
        return list(map(int, sent))
    except ValueError:
        pass
    try:
        numbers = list(map(float, sent))
    except ValueError:
        return None
    if all(map(float.is_integer, numbers)):
        return list(map(int, numbers))
    return list(map(_whole, numbers)) if all(map(math.isfinite, numbers)) else None


def _whole(number: Number) -> Number:
    return int(number) if number.is_integer() else number


def _chronological(values: Mapping[Number, Number]) -> Mapping[Number, Number]:
    times = list(values)
    ordered = sorted(times)
    return values if times == ordered else {time: values[time] for time in ordered}


def _shown(number: Number) -> str:
    if isinstance(number, int):
        return str(number)
    if not math.isfinite(number):
        raise Malformed("records", Problem.NOT_A_NUMBER, found=number)
    return repr(_whole(number))
