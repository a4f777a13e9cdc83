"""The elements of `federation` to and from XML. Attributes and elements not known are ignored."""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime
import re
from xml.etree.ElementTree import Element, SubElement

from consometers_quoalise import iso8601
from consometers_quoalise.elements.decoding import Undecodable, decoded
from consometers_quoalise.elements.markup import LANG, check_depth, local, tag
from consometers_quoalise.elements.reading import Reader
from consometers_quoalise.errors import Malformed
from consometers_quoalise.languages import ByLanguage
from consometers_quoalise.problems import Problem
from consometers_quoalise.records.identifier import Direction, identifier, is_bare

from .permissions import (
    LEAST_MINIMUM,
    NAMESPACE,
    SUBSCRIBED_KVA,
    DataNeed,
    DataNeedSeries,
    Erased,
    ExportPart,
    Identification,
    Permission,
    Quantity,
    Reading,
    Receipt,
    State,
    Witness,
)

DATA_NEEDS = tag(NAMESPACE, "data-needs")
PERMISSION = tag(NAMESPACE, "permission")
RECEIPT = tag(NAMESPACE, "receipt")
EXPORT = tag(NAMESPACE, "export")
_INVITATION = tag(NAMESPACE, "invitation")
_DATA_NEED = tag(NAMESPACE, "data-need")
_TITLE = tag(NAMESPACE, "title")
_PURPOSE = tag(NAMESPACE, "purpose")
_CONTROLLER = tag(NAMESPACE, "controller")
_CONTACT = tag(NAMESPACE, "contact")
_POLICY = tag(NAMESPACE, "policy")
_SERIES = tag(NAMESPACE, "series")
_RECIPIENTS = tag(NAMESPACE, "recipients")
_SHOWN = tag(NAMESPACE, "shown")
_ERASED = tag(NAMESPACE, "erased")
_WITNESS = tag(NAMESPACE, "witness")
_NAME = tag(NAMESPACE, "name")
_SUBSCRIBED = "subscribed-power"
_URL = re.compile(r"https://[!-~]*[!-.0-~]")

_LINK = re.compile(r"https://[!-~]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TWO_DIGITS = re.compile(r"[0-9]{1,2}")


def attributes(value: object, *names: str) -> dict[str, str]:
    """Return fields of a value as attributes of its element."""
    return {name.replace("_", "-"): _written(getattr(value, name)) for name in names}


def _written(value: object) -> str:
    return iso8601.shown(value) if isinstance(value, datetime) else str(value)


def write_data_needs(needs: Iterable[DataNeed]) -> Element:
    """Return the `<data-needs>`."""
    element = Element(DATA_NEEDS)
    element.extend(map(_write_data_need, needs))
    return element


def read_data_needs(element: Element) -> tuple[DataNeed, ...]:
    """Read a `<data-needs>`. Raises `Malformed`."""
    check_depth(element)
    needs = Reader(element, "data-needs").expect(DATA_NEEDS)
    return tuple(map(_read_data_need, needs.each(_DATA_NEED)))


def write_invitation(token: str) -> Element:
    """Return the `<invitation>`."""
    return Element(_INVITATION, {"token": token})


def read_invitation(parent: Element) -> str | None:
    """Read the token of the `<invitation>` in an element, if there is one. Raises `Malformed`."""
    if parent.find(_INVITATION) is None:
        return None
    return Reader(parent, local(parent.tag)).only(_INVITATION).text("token")


def write_permission(permission: Permission) -> Element:
    """Return the `<permission>`."""
    names = ("id", "need", "version", "interval", "records_from", "valid_from", "valid_until")
    element = Element(PERMISSION, attributes(permission, *names, "identification", "reading"))
    for series in permission.series:
        child = SubElement(element, _SERIES, {"identifier": str(series)})
        if (power := permission.subscribed_kva.get(series)) is not None:
            child.set(_SUBSCRIBED, str(power))
    shown = {LANG: permission.shown_language, "sha256": permission.shown_sha256}
    SubElement(element, _SHOWN, shown)
    return element


def read_permission(element: Element) -> Permission:
    """Read a `<permission>`. Raises `Malformed`."""
    check_depth(element)
    permission = Reader(element, "permission").expect(PERMISSION)
    shown = permission.only(_SHOWN)
    sha256 = _sha256(shown)
    series = [
        (identifier(granted.text("identifier"), granted.at("identifier")), granted)
        for granted in permission.each(_SERIES, required=True)
    ]
    start, end = permission.moment("valid-from"), permission.moment("valid-until")
    if end < start:
        raise Malformed(permission.at("valid-until"), Problem.BACKWARDS, found=end, wanted=start)
    return Permission(
        id=permission.uuid("id"),
        need=permission.text("need"),
        version=permission.count("version", least=1),
        series=tuple(name for name, _ in series),
        interval=permission.duration("interval"),
        records_from=permission.moment("records-from"),
        valid_from=start,
        valid_until=end,
        shown_sha256=sha256,
        shown_language=shown.language(required=True),
        identification=permission.choice("identification", Identification),
        reading=permission.choice("reading", Reading),
        subscribed_kva={
            name: _subscribed(granted)
            for name, granted in series
            if _SUBSCRIBED in granted.element.attrib
        },
    )


def write_receipt(receipt: Receipt) -> Element:
    """Return the `<receipt>`."""
    element = Element(RECEIPT, attributes(receipt, "permission", "state", "time"))
    for erased in receipt.erased:
        names = ("records",) if erased.series is None else ("series", "records")
        SubElement(element, _ERASED, attributes(erased, *names))
    return element


def read_receipt(element: Element) -> Receipt:
    """Read a `<receipt>`. Raises `Malformed`."""
    check_depth(element)
    receipt = Reader(element, "receipt").expect(RECEIPT)
    return Receipt(
        permission=receipt.uuid("permission"),
        state=receipt.choice("state", State),
        time=receipt.moment("time"),
        erased=tuple(map(_read_erased, receipt.each(_ERASED))),
    )


def _read_erased(erased: Reader) -> Erased:
    series = None
    if "series" in erased.element.attrib:
        series = identifier(erased.text("series"), erased.at("series"))
    return Erased(series, erased.count("records"))


def write_export(part: ExportPart) -> Element:
    """Return the `<export>`."""
    names = ("id", "time", "size", "sha256", "part", "parts")
    element = Element(EXPORT, attributes(part, *names))
    element.text = b64encode(part.content).decode()
    return element


def read_export(element: Element) -> ExportPart:
    """Read an `<export>`. Raises `Malformed`."""
    check_depth(element)
    export = Reader(element, "export").expect(EXPORT)
    try:
        content = decoded(b64decode, export.words(), validate=True)
    except Undecodable:
        raise Malformed(export.place, Problem.NOT_BASE64) from None
    return ExportPart(
        id=export.uuid("id"),
        time=export.moment("time"),
        size=export.count("size", 1),
        sha256=_sha256(export),
        part=export.count("part", 1),
        parts=export.count("parts", 1),
        content=content,
    )


def _sha256(holder: Reader) -> str:
    sha256 = holder.text("sha256")
    if not _SHA256.fullmatch(sha256):
        raise Malformed(holder.at("sha256"), Problem.NOT_A_HASH, found=sha256)
    return sha256


def _subscribed(granted: Reader) -> int:
    power = granted.text(_SUBSCRIBED)
    if not _TWO_DIGITS.fullmatch(power) or int(power) not in SUBSCRIBED_KVA:
        place, least, most = granted.at(_SUBSCRIBED), SUBSCRIBED_KVA[0], SUBSCRIBED_KVA[-1]
        raise Malformed(place, Problem.NOT_A_SUBSCRIPTION, found=power, least=least, most=most)
    return int(power)


def _write_data_need(need: DataNeed) -> Element:
    names = ("id", "version", "interval", "history", "duration", "retention")
    element = Element(_DATA_NEED, attributes(need, *names, "identification", "reading"))
    _write_texts(element, _TITLE, need.title)
    _write_texts(element, _PURPOSE, need.purpose)
    _write_texts(element, _RECIPIENTS, need.recipients)
    SubElement(element, _CONTROLLER).text = need.controller
    SubElement(element, _CONTACT).text = need.contact
    SubElement(element, _POLICY).text = need.policy
    for series in need.series:
        SubElement(element, _SERIES, attributes(series, "direction", "quantity"))
    if (witness := need.witness) is not None:
        child = SubElement(element, _WITNESS, attributes(witness, "jid", "url", "minimum"))
        SubElement(child, _NAME).text = witness.name
        SubElement(child, _CONTACT).text = witness.contact
    return element


def _read_data_need(need: Reader) -> DataNeed:
    policy = need.only(_POLICY)
    if not _LINK.fullmatch(policy.words()):
        raise Malformed(policy.place, Problem.NOT_A_LINK, found=policy.words())
    series = tuple(
        DataNeedSeries(kind.choice("direction", Direction), kind.choice("quantity", Quantity))
        for kind in need.each(_SERIES, required=True)
    )
    reading, witness = need.choice("reading", Reading), _read_witness(need)
    if (reading is Reading.SUM) != (witness is not None):
        raise Malformed(need.place, Problem.WRONG_WITNESS)
    return DataNeed(
        id=need.text("id"),
        version=need.count("version", least=1),
        title=need.texts(_TITLE, required=True),
        purpose=need.texts(_PURPOSE, required=True),
        controller=need.only(_CONTROLLER).words(),
        contact=need.only(_CONTACT).words(),
        policy=policy.words(),
        series=series,
        interval=need.duration("interval"),
        history=need.duration("history"),
        duration=need.duration("duration"),
        retention=need.duration("retention"),
        identification=need.choice("identification", Identification),
        reading=reading,
        recipients=need.texts(_RECIPIENTS),
        witness=witness,
    )


def _read_witness(need: Reader) -> Witness | None:
    if need.element.find(_WITNESS) is None:
        return None
    witness = need.only(_WITNESS)
    jid, url = witness.text("jid"), witness.text("url")
    if not is_bare(jid):
        raise Malformed(witness.at("jid"), Problem.NOT_A_BARE_ADDRESS, found=jid)
    if not _URL.fullmatch(url):
        raise Malformed(witness.at("url"), Problem.NOT_A_LINK, found=url)
    return Witness(
        jid=jid,
        name=witness.only(_NAME).words(),
        contact=witness.only(_CONTACT).words(),
        url=url,
        minimum=witness.count("minimum", least=LEAST_MINIMUM),
    )


def _write_texts(parent: Element, name: str, texts: ByLanguage) -> None:
    for language, words in texts.items():
        SubElement(parent, name, {LANG: language}).text = words
