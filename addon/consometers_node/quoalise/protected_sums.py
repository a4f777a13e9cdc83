"""Masked reports, and the opening of sums of them, as elements: docs/protected-sums.md.

    <reports>    what a home sends: masked values of one direction, under the key of one day
    <opening>    what a collective asks its witness to open: an hour of a direction, in groups
    <opened>     what the witness answers

Rows of fixed size stand in base64: a year of reports costs about what a year of records does.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
import re
import struct
from typing import Any, Final, NamedTuple
from uuid import UUID
from xml.etree.ElementTree import Element, SubElement

from . import iso8601
from .decoding import Undecodable, decoded
from .errors import Malformed
from .federation import NAMESPACE
from .federation_xml import attributes
from .identifier import Direction
from .markup import check_depth, tag
from .problems import Problem
from .reading import Reader
from .senml import MAX_PUSHED

REPORTS = tag(NAMESPACE, "reports")
OPENING = tag(NAMESPACE, "opening")
OPENED = tag(NAMESPACE, "opened")
_SUM = tag(NAMESPACE, "sum")
_REFUSED = tag(NAMESPACE, "refused")

HOMES_IN_PART: Final = 1_200
"""In one part of an opening: in base64 well below the limit of a stanza."""

MAX_REFUSED: Final = 2_500
"""Homes that a refusal names: of more, the others are named when the collective asks again."""

_HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY = _EPOCH.date()
_LAST_HOURS = (iso8601.LAST - _EPOCH) // _HOUR
_REPORT = struct.Struct(">I16s8s16s")
_HOME = struct.Struct(">16sH16s")
_PSEUDONYM = struct.Struct(">16s")
_SUM_DIGITS, _SQUARES_DIGITS = 16, 32
_HEXADECIMAL = re.compile(r"[0-9a-f]+")
_GROUP = re.compile(r"[0-9]{1,12}")


class Refusal(StrEnum):
    """Why a sum stays closed."""

    NOT_ENROLLED = "not-enrolled"
    """Never enrolled for this collective and direction, or has left."""
    REPEATED = "repeated"
    """Stands in the request twice."""
    TOO_FEW = "too-few"
    """Was promised a group of more homes."""
    KEY_FORGOTTEN = "key-forgotten"
    """The report is older than the witness's keys, or was made after today."""
    OPENED_BEFORE = "opened-before"
    """This hour of it is in a sum that was opened or refused before."""
    IMPLAUSIBLE = "implausible"
    """No values of homes have this sum and these squares: a report or a nonce is a wrong one."""
    DOMINANCE = "dominance"
    """One home or two make most of it, also together with the other groups."""


class MaskedReport(NamedTuple):
    """A masked value of an hour: its nonce of 16 bytes, `y1` of 64 bits and `y2` of 128."""

    hour: datetime
    nonce: bytes
    masked: int
    masked_square: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """Masked values of one direction, under the key of a UTC day, by the permission for them.

    At least one, at most `MAX_PUSHED`; their hours are UTC, each once, in order.
    """

    permission: str
    direction: Direction
    day: date
    reports: tuple[MaskedReport, ...]

    def __len__(self) -> int:
        return len(self.reports)


class Part(NamedTuple):
    """A report in a group: its home, the UTC day of its key, its nonce."""

    pseudonym: str
    day: date
    nonce: bytes


@dataclass(frozen=True, slots=True)
class MaskedSum:
    """A group to open: its reports, the sums of their `y1` and their `y2`.

    `group` is a whole number that says nothing to the witness.
    """

    group: str
    parts: tuple[Part, ...]
    masked: int
    masked_squares: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A part of an opening of an hour: `part` counts from 1.

    A group may be split over several parts: its sums are added up.
    """

    id: str
    direction: Direction
    hour: datetime
    part: int
    parts: int
    sums: tuple[MaskedSum, ...]


@dataclass(frozen=True, slots=True)
class OpenedSum:
    """A sum in Wh of homes, in one group or in several that were put together."""

    groups: frozenset[str]
    homes: int
    wh: int


@dataclass(frozen=True, slots=True)
class RefusedSum:
    """Groups that stay closed; `pseudonyms` are the homes at fault, if only some are."""

    groups: frozenset[str]
    reason: Refusal
    pseudonyms: frozenset[str] = frozenset()


type Answer = OpenedSum | RefusedSum


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A witness's answer to a part: to the last one, with the outcome."""

    id: str
    part: int
    parts: int
    answers: tuple[Answer, ...] = ()


def write_reports(reports: Reports) -> Element:
    """Return the `<reports>`."""
    element = Element(REPORTS, attributes(reports, "permission", "direction", "day"))
    element.text = _rows(
        _REPORT.pack(
            (hour - _EPOCH) // _HOUR,
            nonce,
            masked.to_bytes(_SUM_DIGITS // 2),
            masked_square.to_bytes(_SQUARES_DIGITS // 2),
        )
        for hour, nonce, masked, masked_square in reports.reports
    )
    return element


def read_reports(element: Element) -> Reports:
    """Read a `<reports>`. Raises `Malformed`."""
    check_depth(element)
    sent = Reader(element, "reports").expect(REPORTS)
    reports = tuple(
        MaskedReport(
            _hour(hours, sent.place),
            nonce,
            int.from_bytes(masked),
            int.from_bytes(masked_square),
        )
        for hours, nonce, masked, masked_square in _read_rows(sent, _REPORT, MAX_PUSHED)
    )
    for before, after in pairwise(reports):
        if after.hour <= before.hour:
            raise Malformed(sent.place, Problem.OUT_OF_ORDER, found=iso8601.shown(after.hour))
    return Reports(
        permission=sent.uuid("permission"),
        direction=sent.choice("direction", Direction),
        day=sent.day("day"),
        reports=reports,
    )


def write_opening(opening: Opening) -> Element:
    """Return the `<opening>`."""
    element = Element(OPENING, attributes(opening, "id", "direction", "hour", "part", "parts"))
    for asked in opening.sums:
        group = {
            "group": asked.group,
            "masked": f"{asked.masked:0{_SUM_DIGITS}x}",
            "masked-squares": f"{asked.masked_squares:0{_SQUARES_DIGITS}x}",
        }
        SubElement(element, _SUM, group).text = _rows(
            _HOME.pack(UUID(pseudonym).bytes, (day - _FIRST_DAY).days, nonce)
            for pseudonym, day, nonce in asked.parts
        )
    return element


def read_opening(element: Element) -> Opening:
    """Read an `<opening>`. Raises `Malformed`."""
    check_depth(element)
    sent = Reader(element, "opening").expect(OPENING)
    hour = sent.moment("hour")
    if (hour - _EPOCH) % _HOUR:
        raise Malformed(sent.at("hour"), Problem.NOT_AN_HOUR, found=iso8601.shown(hour))
    sums, left = [], HOMES_IN_PART
    for asked in sent.each(_SUM, required=True):
        parts = tuple(
            Part(str(UUID(bytes=pseudonym)), _FIRST_DAY + timedelta(day), nonce)
            for pseudonym, day, nonce in _read_rows(asked, _HOME, left)
        )
        left -= len(parts)
        sums.append(
            MaskedSum(
                _group(asked.text("group"), asked.at("group")),
                parts,
                _hexadecimal(asked, "masked", _SUM_DIGITS),
                _hexadecimal(asked, "masked-squares", _SQUARES_DIGITS),
            )
        )
    part, parts_of_it = _part(sent)
    return Opening(
        id=sent.uuid("id"),
        direction=sent.choice("direction", Direction),
        hour=hour.astimezone(UTC),
        part=part,
        parts=parts_of_it,
        sums=tuple(sums),
    )


def write_opened(opened: Opened) -> Element:
    """Return the `<opened>`."""
    element = Element(OPENED, attributes(opened, "id", "part", "parts"))
    for answer in opened.answers:
        groups = {"groups": " ".join(sorted(answer.groups, key=int))}
        if isinstance(answer, OpenedSum):
            SubElement(element, _SUM, groups | attributes(answer, "homes", "wh"))
        else:
            refused = SubElement(element, _REFUSED, groups | attributes(answer, "reason"))
            refused.text = (
                _rows(UUID(each).bytes for each in sorted(answer.pseudonyms)[:MAX_REFUSED]) or None
            )
    return element


def read_opened(element: Element) -> Opened:
    """Read an `<opened>`. Raises `Malformed`."""
    check_depth(element)
    sent = Reader(element, "opened").expect(OPENED)
    part, parts = _part(sent)
    opened = [
        OpenedSum(_groups(answer), answer.count("homes", least=1), answer.count("wh"))
        for answer in sent.each(_SUM)
    ]
    refused = [
        RefusedSum(
            _groups(answer),
            answer.choice("reason", Refusal),
            frozenset(
                str(UUID(bytes=pseudonym))
                for (pseudonym,) in _read_rows(answer, _PSEUDONYM, MAX_REFUSED)
            )
            if answer.element.text
            else frozenset(),
        )
        for answer in sent.each(_REFUSED)
    ]
    return Opened(id=sent.uuid("id"), part=part, parts=parts, answers=(*opened, *refused))


def _part(sent: Reader) -> tuple[int, int]:
    part, parts = sent.count("part", 1), sent.count("parts", 1)
    if part > parts:
        raise Malformed(sent.at("part"), Problem.BACKWARDS, found=part, wanted=parts)
    return part, parts


def _hour(hours: int, place: str) -> datetime:
    if hours >= _LAST_HOURS:
        raise Malformed(place, Problem.OUT_OF_TIME, found=hours)
    return _EPOCH + hours * _HOUR


def _rows(rows: Iterable[bytes]) -> str:
    return b64encode(b"".join(rows)).decode()


def _read_rows(sent: Reader, row: struct.Struct, most: int) -> Iterator[tuple[Any, ...]]:
    """Return the rows of an element, at least one and not more than `most`."""
    try:
        rows = decoded(b64decode, sent.words(), validate=True)
    except Undecodable:
        raise Malformed(sent.place, Problem.NOT_BASE64) from None
    if len(rows) % row.size:
        raise Malformed(sent.place, Problem.NOT_ROWS, found=len(rows), wanted=row.size)
    if len(rows) > most * row.size:
        raise Malformed(sent.place, Problem.TOO_MANY_ROWS, found=len(rows) // row.size, most=most)
    return row.iter_unpack(rows)


def _hexadecimal(sent: Reader, name: str, digits: int) -> int:
    value = sent.text(name)
    if len(value) != digits or not _HEXADECIMAL.fullmatch(value):
        raise Malformed(sent.at(name), Problem.NOT_HEXADECIMAL, found=value, wanted=digits)
    return int(value, 16)


def _groups(sent: Reader) -> frozenset[str]:
    return frozenset(_group(group, sent.at("groups")) for group in sent.text("groups").split())


def _group(sent: str, place: str) -> str:
    if not _GROUP.fullmatch(sent):
        raise Malformed(place, Problem.NOT_A_COUNT, found=sent, least=0)
    return sent
