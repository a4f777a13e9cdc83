"""Masked reports, their verification, and the opening of sums of them, as elements.

    <reports>         what a home sends: masked values of one direction, under the key of one day
    <verification>    what a collective asks its witness first: are these homes' reports valid?
    <verified>        what the witness answers: the homes in the way, or none
    <opening>         what it asks next: the sums of the groups whose homes all passed
    <opened>          what the witness answers

A witness that could refuse homes once it has sums would be sent other sums, and compare both. Rows
of fixed size stand in base64: a year of reports costs about what a year of records does.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
import re
import struct
from typing import Any, Final, NamedTuple
from uuid import UUID
from xml.etree.ElementTree import Element, SubElement

from consometers_protected_sums.exchange import (
    MASKED_BYTES,
    NONCE_BYTES,
    VERIFICATION_KEY_BYTES,
    VERIFIER_BYTES,
    Answer,
    Group,
    MaskedSum,
    OpenedSum,
    Part,
    Refusal,
    RefusedHomes,
    RefusedSum,
)
from consometers_quoalise import iso8601
from consometers_quoalise.elements.decoding import Undecodable, decoded
from consometers_quoalise.elements.markup import check_depth, tag
from consometers_quoalise.elements.reading import Reader
from consometers_quoalise.errors import Malformed
from consometers_quoalise.problems import Problem
from consometers_quoalise.records.identifier import Direction

from .permissions import NAMESPACE
from .permissions_xml import attributes

REPORTS = tag(NAMESPACE, "reports")
VERIFICATION = tag(NAMESPACE, "verification")
VERIFIED = tag(NAMESPACE, "verified")
OPENING = tag(NAMESPACE, "opening")
OPENED = tag(NAMESPACE, "opened")
_HOMES = tag(NAMESPACE, "homes")
_SUM = tag(NAMESPACE, "sum")
_REFUSED = tag(NAMESPACE, "refused")

HOMES_IN_PART: Final = 640
"""In one part of a verification: in base64 well below the limit of a stanza."""
GROUPS_IN_PART: Final = 200
"""In one part of a verification or an opening."""

MAX_REPORTS: Final = 2 * 24
"""In one message: in base64 well below the limit of a stanza."""
MAX_REFUSED: Final = 2_500
"""Homes that a refusal names: of more, the others are named when the collective asks again."""

_HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY = _EPOCH.date()
_LAST_HOURS = (iso8601.LAST - _EPOCH) // _HOUR
_REPORT = struct.Struct(f">I{NONCE_BYTES}s{MASKED_BYTES}s")
_HOME = struct.Struct(f">16sH{NONCE_BYTES}s{VERIFIER_BYTES}s")
_PSEUDONYM = struct.Struct(">16s")
_ELEMENT_DIGITS, _KEY_DIGITS = 16, 2 * VERIFICATION_KEY_BYTES
_HEXADECIMAL = re.compile(r"[0-9a-f]+")
_GROUP = re.compile(r"0|[1-9][0-9]{0,11}")


class MaskedReport(NamedTuple):
    """A masked value of an hour with its proof: its nonce, and its elements."""

    hour: datetime
    nonce: bytes
    masked: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """Masked values of one direction, under the key of a UTC day, by the permission for them.

    At least one, at most `MAX_REPORTS`; their hours are UTC, each once, in order.
    """

    permission: str
    direction: Direction
    day: date
    reports: tuple[MaskedReport, ...]

    def __len__(self) -> int:
        return len(self.reports)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationRequest:
    """A part of the reports of an hour that a witness verifies: `part` counts from 1.

    A group may be split over several parts. Reports are verified under `verification_key`, which no
    home may know.
    """

    id: str
    verification_key: bytes = field(repr=False)
    direction: Direction
    hour: datetime
    part: int
    parts: int
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A witness's answer to a part of a verification: to the last one, with the refused homes.

    If there are none, all passed.
    """

    id: str
    part: int
    parts: int
    refused: tuple[RefusedHomes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A part of the sums of groups whose homes passed the verification of this `id`."""

    id: str
    part: int
    parts: int
    sums: tuple[MaskedSum, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A witness's answer to a part of an opening: to the last one, with the outcome."""

    id: str
    part: int
    parts: int
    answers: tuple[Answer, ...] = ()


def write_reports(reports: Reports) -> Element:
    """Return the `<reports>`."""
    element = Element(REPORTS, attributes(reports, "permission", "direction", "day"))
    element.text = _rows(
        _REPORT.pack((hour - _EPOCH) // _HOUR, nonce, masked)
        for hour, nonce, masked in reports.reports
    )
    return element


def read_reports(element: Element) -> Reports:
    """Read a `<reports>`. Raises `Malformed`."""
    check_depth(element)
    sent = Reader(element, "reports").expect(REPORTS)
    reports = tuple(
        MaskedReport(_hour(hours, sent.place), nonce, masked)
        for hours, nonce, masked in _read_rows(sent, _REPORT, MAX_REPORTS)
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


def write_verification(request: VerificationRequest) -> Element:
    """Return the `<verification>`."""
    names = "id", "direction", "hour", "part", "parts"
    element = Element(VERIFICATION, attributes(request, *names))
    element.set("verification-key", request.verification_key.hex())
    for group in request.groups:
        SubElement(element, _HOMES, {"group": group.name}).text = _rows(
            _HOME.pack(UUID(pseudonym).bytes, (day - _FIRST_DAY).days, nonce, verifier)
            for pseudonym, day, nonce, verifier in group.parts
        )
    return element


def read_verification(element: Element) -> VerificationRequest:
    """Read a `<verification>`. Raises `Malformed`."""
    check_depth(element)
    sent = Reader(element, "verification").expect(VERIFICATION)
    hour = sent.moment("hour")
    if (hour - _EPOCH) % _HOUR:
        raise Malformed(sent.at("hour"), Problem.NOT_AN_HOUR, found=iso8601.shown(hour))
    groups, left = [], HOMES_IN_PART
    for asked in sent.each(_HOMES, required=True):
        parts = tuple(
            Part(str(UUID(bytes=pseudonym)), _FIRST_DAY + timedelta(day), nonce, verifier)
            for pseudonym, day, nonce, verifier in _read_rows(asked, _HOME, left)
        )
        left -= len(parts)
        groups.append(Group(_group(asked.text("group"), asked.at("group")), parts))
    part, parts_of_it = _part(sent)
    key = _hexadecimal(sent, "verification-key", _KEY_DIGITS)
    return VerificationRequest(
        id=sent.uuid("id"),
        verification_key=key.to_bytes(VERIFICATION_KEY_BYTES),
        direction=sent.choice("direction", Direction),
        hour=hour.astimezone(UTC),
        part=part,
        parts=parts_of_it,
        groups=tuple(groups),
    )


def write_verified(verified: Verified) -> Element:
    """Return the `<verified>`."""
    element = Element(VERIFIED, attributes(verified, "id", "part", "parts"))
    for refused in verified.refused:
        named = sorted(refused.pseudonyms)[:MAX_REFUSED]
        SubElement(element, _REFUSED, attributes(refused, "reason")).text = (
            _rows(UUID(each).bytes for each in named) or None
        )
    return element


def read_verified(element: Element) -> Verified:
    """Read a `<verified>`. Raises `Malformed`."""
    check_depth(element)
    sent = Reader(element, "verified").expect(VERIFIED)
    part, parts = _part(sent)
    refused = tuple(
        RefusedHomes(
            answer.choice("reason", Refusal),
            frozenset(
                str(UUID(bytes=pseudonym))
                for (pseudonym,) in _read_rows(answer, _PSEUDONYM, MAX_REFUSED)
            )
            if answer.element.text
            else frozenset(),
        )
        for answer in sent.each(_REFUSED)
    )
    return Verified(id=sent.uuid("id"), part=part, parts=parts, refused=refused)


def write_opening(opening: Opening) -> Element:
    """Return the `<opening>`."""
    element = Element(OPENING, attributes(opening, "id", "part", "parts"))
    for group, masked, masked_squares in opening.sums:
        sums = {
            "masked": f"{masked:0{_ELEMENT_DIGITS}x}",
            "masked-squares": f"{masked_squares:0{_ELEMENT_DIGITS}x}",
        }
        SubElement(element, _SUM, {"group": group} | sums)
    return element


def read_opening(element: Element) -> Opening:
    """Read an `<opening>`. Raises `Malformed`."""
    check_depth(element)
    sent = Reader(element, "opening").expect(OPENING)
    sums = tuple(
        MaskedSum(
            _group(asked.text("group"), asked.at("group")),
            _hexadecimal(asked, "masked", _ELEMENT_DIGITS),
            _hexadecimal(asked, "masked-squares", _ELEMENT_DIGITS),
        )
        for asked in sent.each(_SUM, required=True)
    )
    part, parts = _part(sent)
    return Opening(id=sent.uuid("id"), part=part, parts=parts, sums=sums)


def write_opened(opened: Opened) -> Element:
    """Return the `<opened>`."""
    element = Element(OPENED, attributes(opened, "id", "part", "parts"))
    for answer in opened.answers:
        groups = {"groups": " ".join(sorted(answer.groups, key=int))}
        if isinstance(answer, OpenedSum):
            SubElement(element, _SUM, groups | attributes(answer, "homes", "wh"))
        else:
            SubElement(element, _REFUSED, groups | attributes(answer, "reason"))
    return element


def read_opened(element: Element) -> Opened:
    """Read an `<opened>`. Raises `Malformed`.

    The homes that a refusal names are not read: from here on, nothing depends on them.
    """
    check_depth(element)
    sent = Reader(element, "opened").expect(OPENED)
    part, parts = _part(sent)
    opened = [
        OpenedSum(_groups(answer), answer.count("homes", least=1), answer.count("wh"))
        for answer in sent.each(_SUM)
    ]
    refused = [
        RefusedSum(_groups(answer), answer.choice("reason", Refusal))
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
        raise Malformed(place, Problem.NOT_A_GROUP, found=sent)
    return sent
