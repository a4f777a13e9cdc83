"""The elements of `federation` to and from XML. Attributes and elements not known are ignored."""

from collections.abc import Iterable
import re
from xml.etree.ElementTree import Element, SubElement

from . import iso8601
from .errors import Malformed
from .federation import (
    NAMESPACE,
    DataNeed,
    Erased,
    Naming,
    Permission,
    Reading,
    Receipt,
    State,
)
from .identifier import Direction, Identifier, identifier
from .markup import LANG, check_depth, named, tag
from .problems import Problem
from .reading import Reader
from .text import Text

DATA_NEEDS = tag(NAMESPACE, "data-needs")
PERMISSION = tag(NAMESPACE, "permission")
RECEIPT = tag(NAMESPACE, "receipt")
_DATA_NEED = tag(NAMESPACE, "data-need")
_TITLE = tag(NAMESPACE, "title")
_PURPOSE = tag(NAMESPACE, "purpose")
_CONTROLLER = tag(NAMESPACE, "controller")
_CONTACT = tag(NAMESPACE, "contact")
_POLICY = tag(NAMESPACE, "policy")
_SERIES = tag(NAMESPACE, "series")
_RECIPIENT = tag(NAMESPACE, "recipient")
_SHOWN = tag(NAMESPACE, "shown")
_ERASED = tag(NAMESPACE, "erased")

_LINK = re.compile(r"https://[!-~]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def write_data_needs(needs: Iterable[DataNeed]) -> Element:
    """Give the `<data-needs>`."""
    element = Element(DATA_NEEDS)
    element.extend(map(_write_data_need, needs))
    return element


def read_data_needs(element: Element) -> tuple[DataNeed, ...]:
    """Read a `<data-needs>`. Raises `Malformed`."""
    check_depth(element)
    needs = Reader(element, "data-needs").expect(DATA_NEEDS)
    return tuple(map(_read_data_need, needs.each(_DATA_NEED)))


def write_permission(permission: Permission) -> Element:
    """Give the `<permission>`."""
    element = Element(
        PERMISSION,
        {
            "id": permission.id,
            "need": permission.need,
            "version": str(permission.version),
            "interval": str(permission.interval),
            "history": str(permission.history),
            "start": iso8601.shown(permission.start),
            "end": iso8601.shown(permission.end),
            "retention": str(permission.retention),
            "naming": permission.naming,
            "reading": permission.reading,
        },
    )
    for series in permission.series:
        SubElement(element, _SERIES, {"identifier": str(series)})
    _write_each(element, _RECIPIENT, permission.recipients)
    shown = {LANG: permission.shown_language, "sha256": permission.shown_sha256}
    SubElement(element, _SHOWN, shown)
    return element


def read_permission(element: Element) -> Permission:
    """Read a `<permission>`. Raises `Malformed`."""
    check_depth(element)
    permission = Reader(element, "permission").expect(PERMISSION)
    shown = permission.only(_SHOWN)
    sha256 = shown.text("sha256")
    if not _SHA256.fullmatch(sha256):
        raise Malformed(shown.at("sha256"), Problem.NOT_A_HASH, found=sha256)
    start, end = permission.moment("start"), permission.moment("end")
    if end < start:
        raise Malformed(permission.at("end"), Problem.BACKWARDS, found=end, wanted=start)
    return Permission(
        id=permission.text("id"),
        need=permission.text("need"),
        version=permission.count("version"),
        series=_read_series(permission),
        interval=permission.duration("interval"),
        history=permission.duration("history"),
        start=start,
        end=end,
        retention=permission.duration("retention"),
        shown_sha256=sha256,
        shown_language=shown.text(LANG),
        naming=permission.choice("naming", Naming),
        reading=permission.choice("reading", Reading),
        recipients=_read_each(permission, _RECIPIENT),
    )


def write_receipt(receipt: Receipt) -> Element:
    """Give the `<receipt>`."""
    element = Element(
        RECEIPT,
        {
            "permission": receipt.permission,
            "state": receipt.state,
            "time": iso8601.shown(receipt.time),
        },
    )
    for erased in receipt.erased:
        told = {"series": str(erased.series), "records": str(erased.records)}
        SubElement(element, _ERASED, told)
    return element


def read_receipt(element: Element) -> Receipt:
    """Read a `<receipt>`. Raises `Malformed`."""
    check_depth(element)
    receipt = Reader(element, "receipt").expect(RECEIPT)
    return Receipt(
        permission=receipt.text("permission"),
        state=receipt.choice("state", State),
        time=receipt.moment("time"),
        erased=tuple(
            Erased(identifier(one.text("series"), one.at("series")), one.count("records"))
            for one in receipt.each(_ERASED)
        ),
    )


def _write_data_need(need: DataNeed) -> Element:
    element = Element(
        _DATA_NEED,
        {
            "id": need.id,
            "version": str(need.version),
            "interval": str(need.interval),
            "history": str(need.history),
            "duration": str(need.duration),
            "retention": str(need.retention),
            "naming": need.naming,
            "reading": need.reading,
        },
    )
    _write_texts(element, _TITLE, need.title)
    _write_texts(element, _PURPOSE, need.purpose)
    _write_each(element, _CONTROLLER, (need.controller,))
    _write_each(element, _CONTACT, (need.contact,))
    _write_each(element, _POLICY, (need.policy,))
    for direction in need.directions:
        SubElement(element, _SERIES, {"direction": direction})
    _write_each(element, _RECIPIENT, need.recipients)
    return element


def _read_data_need(need: Reader) -> DataNeed:
    policy = need.only(_POLICY)
    if not _LINK.fullmatch(policy.words()):
        raise Malformed(policy.place, Problem.NOT_A_LINK, found=policy.words())
    directions = tuple(one.choice("direction", Direction) for one in need.each(_SERIES))
    if not directions:
        raise Malformed(need.place, Problem.NO_ELEMENT, wanted=named(_SERIES))
    return DataNeed(
        id=need.text("id"),
        version=need.count("version"),
        title=need.texts(_TITLE),
        purpose=need.texts(_PURPOSE),
        controller=need.only(_CONTROLLER).words(),
        contact=need.only(_CONTACT).words(),
        policy=policy.words(),
        directions=directions,
        interval=need.duration("interval"),
        history=need.duration("history"),
        duration=need.duration("duration"),
        retention=need.duration("retention"),
        naming=need.choice("naming", Naming),
        reading=need.choice("reading", Reading),
        recipients=_read_each(need, _RECIPIENT),
    )


def _read_series(permission: Reader) -> tuple[Identifier, ...]:
    series = tuple(
        identifier(one.text("identifier"), one.at("identifier")) for one in permission.each(_SERIES)
    )
    if not series:
        raise Malformed(permission.place, Problem.NO_ELEMENT, wanted=named(_SERIES))
    return series


def _write_texts(parent: Element, name: str, text: Text) -> None:
    for language, words in text.by_language.items():
        SubElement(parent, name, {LANG: language}).text = words


def _write_each(parent: Element, name: str, words: Iterable[str]) -> None:
    for one in words:
        SubElement(parent, name).text = one


def _read_each(parent: Reader, name: str) -> tuple[str, ...]:
    return tuple(one.words() for one in parent.each(name))
