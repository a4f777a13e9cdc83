"""What cannot be read: each with the error that a person gets, which names the place."""

import codecs
from collections.abc import Callable, Mapping
from functools import partial
from xml.etree.ElementTree import Element

import pytest

from consometers_node.quoalise import (
    BadRequest,
    Data,
    Direction,
    Malformed,
    Problem,
    Records,
    Text,
    answers,
    data,
    federation_xml,
    identifier,
    iso8601,
    pseudonym,
    requests,
)
from consometers_node.quoalise.federation import NAMESPACE, DataNeed, Quantity, Wanted
from consometers_node.quoalise.identifier import device
from consometers_node.quoalise.iso8601 import Duration
from consometers_node.quoalise.markup import LANG

from .samples import EXAMPLE, NO_DEVICE, PERMISSION, POWER, REQUEST, element, message

BOMB = """<!DOCTYPE quoalise [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<quoalise xmlns="urn:quoalise:0">&b;</quoalise>"""
OUTSIDE = """<!DOCTYPE quoalise SYSTEM "file:///etc/hostname"><quoalise xmlns="urn:quoalise:0"/>"""
FIRST = f'<senml bn="{POWER}" bt="1583016600" t="0" v="100" bu="W"/>'

DOCUMENTS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "document, line 1, column 0: this is not XML (no element found)."),
    "no XML": (
        b"hello",
        "document, line 1, column 0: this is not XML (syntax error).",
    ),
    "cut": (
        EXAMPLE.encode()[:200],
        "document, line 6, column 6: this is not XML (unclosed token).",
    ),
    "two documents": (
        b"<a/><a/>",
        "document, line 1, column 4: this is not XML (junk after document element).",
    ),
    "an entity that nobody declared": (
        message("&a;"),
        "document, line 1, column 91: this is not XML (undefined entity).",
    ),
    "entities": (
        BOMB.encode(),
        "document: a document type (<!DOCTYPE) is refused: leave it out.",
    ),
    "a file outside": (
        OUTSIDE.encode(),
        "document: a document type (<!DOCTYPE) is refused: leave it out.",
    ),
    "entities in UTF-16": (
        BOMB.encode("utf-16"),
        "document: this is not UTF-8: send UTF-8.",
    ),
    "entities in UTF-16 without a mark": (
        BOMB.encode("utf-16-be"),
        "document: this is not UTF-8: send UTF-8.",
    ),
    "another encoding": (
        '<?xml version="1.0" encoding="iso-8859-1"?><é/>'.encode("iso-8859-1"),
        "document, line 1, column 44: this is not XML (not well-formed (invalid token)).",
    ),
    "a surrogate": (
        b"<a>\xed\xa0\x80</a>",
        "document, line 1, column 3: this is not XML (not well-formed (invalid token)).",
    ),
    "too many bytes": (
        message("<!--" + 204_800 * "-" + "-->"),
        "document: 204925 bytes are too many: send at most 204800.",
    ),
    "too deep": (
        b"<a>" * 17 + b"</a>" * 17,
        "document: elements are nested too deeply: at most 16 levels.",
    ),
    "deeper than a stack": (
        b"<a>" * 29_000 + b"</a>" * 29_000,
        "document: elements are nested too deeply: at most 16 levels.",
    ),
    "another element": (
        b"<message/>",
        "quoalise: <message> stands here: send <quoalise xmlns='urn:quoalise:0'>.",
    ),
    "another namespace": (
        b'<quoalise xmlns="urn:quoalise:1"/>',
        (
            "quoalise: <quoalise xmlns='urn:quoalise:1'> stands here: send"
            " <quoalise xmlns='urn:quoalise:0'>."
        ),
    ),
    "no data": (
        b'<quoalise xmlns="urn:quoalise:0"/>',
        "quoalise: <data xmlns='urn:quoalise:0'> is missing: add it.",
    ),
    "data twice": (
        b'<quoalise xmlns="urn:quoalise:0"><data/><data/></quoalise>',
        "quoalise: there are several <data xmlns='urn:quoalise:0'>: send one.",
    ),
    "no metadata": (
        b'<quoalise xmlns="urn:quoalise:0"><data/></quoalise>',
        "quoalise/data: <meta xmlns='urn:quoalise:0'> is missing: add it.",
    ),
    "no records": (
        b'<quoalise xmlns="urn:quoalise:0"><data><meta/></data></quoalise>',
        "quoalise/data: <sensml xmlns='urn:ietf:params:xml:ns:senml'> is missing: add it.",
    ),
    "an interval that is none": (
        message("", '<meta><measurement sampling-interval="1800"/></meta>'),
        (
            "quoalise/data/meta/measurement@sampling-interval: “1800” is not a duration in whole"
            " seconds: send such as PT30M, P1D or P2Y (ISO 8601)."
        ),
    ),
}

_AT = "quoalise/data/sensml/senml"
_NAME = (
    " is not a name: letters, digits and -:./_ alone, a letter or digit first, at most 255"
    " characters."
)
_NUMBER = " is not a finite number: send digits, or leave the record out."
_MEASURE = ": a value that is text, true or false, or data is refused: send a number, v."

RECORDS: dict[str, tuple[str, str]] = {
    "no name": (
        '<senml bt="1583016600" v="1"/>',
        f"{_AT}[1]: this record has no name: give it n, or a base name bn.",
    ),
    "a name of other characters": (
        '<senml bn="compteur élec" bt="1583016600" v="1"/>',
        f"{_AT}[1]: “compteur élec”{_NAME}",
    ),
    "a name that begins with another": (
        FIRST + '<senml bn="_a" v="1"/>',
        f"{_AT}[2]: “_a”{_NAME}",
    ),
    "a name that is too long": (
        f'<senml bn="{256 * "a"}" bt="1583016600" v="1"/>',
        f"{_AT}[1]: “{60 * 'a'}…”{_NAME}",
    ),
    "no value": (
        FIRST + '<senml t="1800"/>',
        (
            f"{_AT}[2]: this record has no value: give it v, or leave it out (a missing value is"
            " missing)."
        ),
    ),
    "a sum alone": (
        '<senml bn="a" bt="1583016600" s="1"/>',
        (
            f"{_AT}[1]: this record has no value: give it v, or leave it out (a missing value is"
            " missing)."
        ),
    ),
    "text": ('<senml bn="a" bt="1583016600" vs="on"/>', f"{_AT}[1]@vs{_MEASURE}"),
    "true or false": ('<senml bn="a" bt="1583016600" vb="true"/>', f"{_AT}[1]@vb{_MEASURE}"),
    "data": (FIRST + '<senml t="1800" vd="aGkgCg"/>', f"{_AT}[2]@vd{_MEASURE}"),
    "a number and text": (FIRST + '<senml v="1" vs="on"/>', f"{_AT}[2]@vs{_MEASURE}"),
    "null": (FIRST + '<senml t="1800" v="null"/>', f"{_AT}[2]@v: “null”{_NUMBER}"),
    "an empty value": (FIRST + '<senml t="1800" v=""/>', f"{_AT}[2]@v: “”{_NUMBER}"),
    "NaN": (FIRST + '<senml t="1800" v="NaN"/>', f"{_AT}[2]@v: “NaN”{_NUMBER}"),
    "infinity": (FIRST + '<senml t="1800" v="-INF"/>', f"{_AT}[2]@v: “-INF”{_NUMBER}"),
    "an infinite double": (FIRST + '<senml t="1800" v="1e999"/>', f"{_AT}[2]@v: “1e999”{_NUMBER}"),
    "Python's own digits": (FIRST + '<senml t="1800" v="1_0"/>', f"{_AT}[2]@v: “1_0”{_NUMBER}"),
    "other digits": (FIRST + '<senml t="1800" v="١"/>', f"{_AT}[2]@v: “١”{_NUMBER}"),
    "hexadecimal": (FIRST + '<senml t="0x10" v="1"/>', f"{_AT}[2]@t: “0x10”{_NUMBER}"),
    "the third of many": (
        FIRST + '<senml t="1800" v="1"/><senml t="3600" v="x"/><senml t="5400" v="1"/>',
        f"{_AT}[3]@v: “x”{_NUMBER}",
    ),
    "the fourth of two series in turn": (
        (
            '<senml bn="a" bt="1583016600" n="b" v="1"/><senml n="c" v="1"/>'
            '<senml n="b" t="60" v="1"/><senml n="c" v="x"/><senml n="b" t="120" v="1"/>'
        ),
        f"{_AT}[4]@v: “x”{_NUMBER}",
    ),
    "a base time that is none": (
        '<senml bn="a" bt="noon" v="1"/>',
        f"{_AT}[1]@bt: “noon”{_NUMBER}",
    ),
    "a base value that is none": (
        '<senml bn="a" bt="1583016600" bv="" v="1"/>',
        f"{_AT}[1]@bv: “”{_NUMBER}",
    ),
    "a base value that is too big": (
        '<senml bn="a" bt="1583016600" bv="1e300" v="1"/>',
        f"{_AT}[1]@bv: 1e300 is too big: at most 9007199254740992 either side of zero.",
    ),
    "an update time that is none": (
        FIRST + '<senml v="1" ut="soon"/>',
        f"{_AT}[2]@ut: “soon”{_NUMBER}",
    ),
    "a value that is too big": (
        FIRST + '<senml t="1800" v="9007199254740993"/>',
        f"{_AT}[2]@v: 9007199254740993 is too big: at most 9007199254740992 either side of zero.",
    ),
    "a value that is much too big": (
        FIRST + '<senml t="1800" v="-1e300"/>',
        f"{_AT}[2]@v: -1e300 is too big: at most 9007199254740992 either side of zero.",
    ),
    "a value of ten thousand digits": (
        FIRST + f'<senml t="1800" v="{10_000 * "9"}"/>',
        f"{_AT}[2]@v: “{60 * '9'}…”{_NUMBER}",
    ),
    "a sum with its base that is too big": (
        '<senml bn="a" bt="1583016600" bv="9007199254740992" v="1"/>',
        f"{_AT}[1]@v: 9007199254740993 is too big: at most 9007199254740992 either side of zero.",
    ),
    "no time": (
        '<senml bn="a" v="1"/>',
        f"{_AT}[1]@t: time 0 is relative to now: send seconds since 1970, UTC.",
    ),
    "a time relative to now": (
        FIRST + '<senml bt="0" t="-60" v="1"/>',
        f"{_AT}[2]@t: time -60 is relative to now: send seconds since 1970, UTC.",
    ),
    "the last relative time": (
        '<senml bn="a" t="268435455" v="1"/>',
        f"{_AT}[1]@t: time 268435455 is relative to now: send seconds since 1970, UTC.",
    ),
    "milliseconds": (
        '<senml bn="a" bt="1583016600000" v="1"/>',
        (
            f"{_AT}[1]@t: time 1583016600000 is after the year 2099: send seconds (not"
            f" milliseconds)"
            " since 1970, UTC."
        ),
    ),
    "a newer version": (
        '<senml bn="a" bt="1583016600" bver="11" v="1"/>',
        f"{_AT}[1]@bver: SenML version “11” is not read here: send version 10 or lower.",
    ),
    "no version": (
        '<senml bn="a" bt="1583016600" bver="x" v="1"/>',
        f"{_AT}[1]@bver: SenML version “x” is not read here: send version 10 or lower.",
    ),
    "two versions": (
        FIRST + '<senml bver="5" t="1800" v="1"/>',
        f"{_AT}[2]@bver: version 5 follows version 10: send one version in one message.",
    ),
    "a field that must be understood": (
        FIRST + '<senml t="1800" v="1" must_="1"/>',
        f"{_AT}[2]@must_: this field must be understood, and is not here: leave it out.",
    ),
    "another element": (
        FIRST + '<record xmlns="urn:quoalise:0"/>',
        (
            "quoalise/data/sensml/*[2]: <record xmlns='urn:quoalise:0'> stands here: send"
            " <senml xmlns='urn:ietf:params:xml:ns:senml'>."
        ),
    ),
    "too many records": (
        FIRST + 4_000 * '<senml t="1" v="1"/>',
        (
            "quoalise/data/sensml: 4001 records are too many: at most 4000; ask for a"
            " shorter range,"
            " then for the next."
        ),
    ),
}


def request(command: str) -> Callable[[], object]:
    """Reading a `<command>` of these attributes and children."""
    sent = element(f'<command xmlns="http://jabber.org/protocol/commands" {command}</command>')
    return lambda: requests.read(sent)


def history(fields: str, form: str = "submit") -> Callable[[], object]:
    return request(f'node="get_history"><x xmlns="jabber:x:data" type="{form}">{fields}</x>')


def field(var: str, *values: str) -> str:
    inside = "".join(f"<value>{value}</value>" for value in values)
    return f'<field var="{var}">{inside}</field>'


def permission(change: Callable[[Element], object]) -> Callable[[], object]:
    """Reading a `<permission>` in which something was changed."""

    def read() -> object:
        sent = federation_xml.write_permission(PERMISSION)
        change(sent)
        return federation_xml.read_permission(sent)

    return read


def without(name: str) -> Callable[[Element], object]:
    def remove(parent: Element) -> None:
        for child in parent.findall(f"{{{NAMESPACE}}}{name}"):
            parent.remove(child)

    return remove


NEED = DataNeed(
    id="daily-display",
    version=1,
    title=Text({"fr": "Affichage"}),
    purpose=Text({"fr": "Montrer"}),
    controller="Coopérative",
    contact="mailto:contact@example.org",
    policy="https://example.org/policy",
    wanted=(Wanted(Direction.CONSUMPTION, Quantity.ENERGY),),
    interval=Duration(seconds=3600),
    history=Duration(years=1),
    duration=Duration(years=2),
    retention=Duration(months=6),
)


def need(change: Callable[[Element], object]) -> Callable[[], object]:
    def read() -> object:
        sent = federation_xml.write_data_needs([NEED])
        change(sent[0])
        return federation_xml.read_data_needs(sent)

    return read


def child(parent: Element, name: str) -> Element:
    found = parent.find(f"{{{NAMESPACE}}}{name}")
    assert found is not None
    return found


def policy(words: str) -> Callable[[], object]:
    return need(lambda sent: setattr(child(sent, "policy"), "text", words))


_ID = field("identifier", POWER)
_DURATION = " is not a duration in whole seconds: send such as PT30M, P1D or P2Y (ISO 8601)."
_TIME = " is not a time: send such as 2021-12-01T00:00:00+01:00."
_DEVICE = " names no device: send urn:dev: and a device, such as urn:dev:prm: and 14 digits."
_FEDERATION = "xmlns='urn:consometers:federation:0'"

OTHERS: dict[str, tuple[Callable[[], object], str]] = {
    "an unknown command": (
        request('node="get_histories">'),
        (
            "command@node: “get_histories” is not known here: send one of get_history, subscribe,"
            " unsubscribe, list_series, get_data_needs, grant, withdraw, terminate."
        ),
    ),
    "no command": (
        request('action="execute">'),
        "command@node: this attribute is missing: add it.",
    ),
    "an empty command": (request('node=" ">'), "command@node: this is empty: fill it in."),
    "an unknown action": (
        request('node="list_series" action="prev">'),
        "command@action: “prev” is not known here: send one of execute, next, complete, cancel.",
    ),
    "not a command": (
        lambda: requests.read(element(REQUEST)),
        "command: <iq> stands here: send <command xmlns='http://jabber.org/protocol/commands'>.",
    ),
    "a form of an unknown type": (
        history(_ID, "sent"),
        (
            "command/get_history@type: “sent” is not known here: send one of cancel, form, result,"
            " submit."
        ),
    ),
    "a form that is still to be filled in": (
        history(_ID, "form"),
        "command/get_history@type: “form” is not known here: send one of submit.",
    ),
    "no identifier": (
        history(""),
        "command/get_history/identifier: this field is missing: fill it in.",
    ),
    "an empty identifier": (
        history(field("identifier", " ")),
        "command/get_history/identifier: this field is missing: fill it in.",
    ),
    "two identifiers": (
        history(field("identifier", POWER, POWER)),
        "command/get_history/identifier: this field has 2 values: send one.",
    ),
    "the field twice": (
        history(_ID + _ID),
        "command/get_history/identifier: this field comes twice: send it once.",
    ),
    "an identifier that is none": (
        history(field("identifier", "consumption")),
        f"command/get_history/identifier: “consumption”{_DEVICE}",
    ),
    "no offset": (
        history(_ID + field("start_time", "2021-12-01T00:00")),
        (
            "command/get_history/start_time: “2021-12-01T00:00” does not say its offset"
            " from UTC: add"
            " it, such as +01:00 or Z."
        ),
    ),
    "no time": (
        history(_ID + field("end_time", "yesterday")),
        f"command/get_history/end_time: “yesterday”{_TIME}",
    ),
    "backwards": (
        history(
            _ID
            + field("start_time", "2021-12-02T00:00:00+01:00")
            + field("end_time", "2021-12-01T00:00:00+01:00")
        ),
        (
            "command/get_history/end_time: the range ends (2021-12-01 00:00:00+01:00)"
            " before it starts"
            " (2021-12-02 00:00:00+01:00): exchange the two."
        ),
    ),
    "neither true nor false": (
        request(
            f'node="withdraw"><x xmlns="jabber:x:data" type="submit">'
            f"{field('permission', PERMISSION.id)}{field('erase', 'maybe')}</x>"
        ),
        "command/withdraw/erase: “maybe” is neither true nor false: send true or false.",
    ),
    "a grant of nothing": (
        request('node="grant">'),
        f"command: <permission {_FEDERATION}> is missing: add it.",
    ),
    "an answer that is not completed": (
        lambda: answers.payload(
            element('<command xmlns="http://jabber.org/protocol/commands" status="executing"/>'),
            data.QUOALISE,
        ),
        "command@status: “executing” is not known here: send one of completed.",
    ),
    "a day without its time": (lambda: iso8601.moment("2021-12-01"), f"time: “2021-12-01”{_TIME}"),
    "the 30th of February": (
        lambda: iso8601.moment("2021-02-30T00:00Z"),
        f"time: “2021-02-30T00:00Z”{_TIME}",
    ),
    "an offset of two days": (
        lambda: iso8601.moment("2021-02-20T00:00+48:00"),
        f"time: “2021-02-20T00:00+48:00”{_TIME}",
    ),
    "the year 1900": (
        lambda: iso8601.moment("1900-01-01T00:00Z"),
        "time: “1900-01-01T00:00Z” is before 1978-07-05 or after 2099: correct the year.",
    ),
    "the edge of what Python can date": (
        lambda: iso8601.moment("0001-01-01T00:00+12:00"),
        "time: “0001-01-01T00:00+12:00” is before 1978-07-05 or after 2099: correct the year.",
    ),
    **{
        f"the duration “{sent}”": (
            partial(iso8601.duration, sent),
            f"duration: “{sent}”{_DURATION}",
        )
        for sent in ("", "P", "PT", "P1", "1800", "PT0.05S", "P1DT", "-P1D", "P1H", "pt1h", "PT١M")
    },
    "a delivery point of 13 digits": (
        lambda: identifier.identifier("urn:dev:prm:3000161007184_consumption"),
        f"identifier: “urn:dev:prm:3000161007184”{_DEVICE}",
    ),
    "a path with nothing in it": (
        lambda: identifier.identifier("urn:dev:prm:30001610071843_consumption//raw"),
        (
            "identifier: “consumption//raw” is not the end of an identifier: send such as"
            " consumption/power/active/raw."
        ),
    ),
    "characters that no message can carry": (
        lambda: device("urn:dev:\x00\ud800"),
        f"device: “urn:dev:··”{_DEVICE}",
    ),
    "a secret that is too short": (
        lambda: pseudonym(b"secret", "collective@example.org", NO_DEVICE),
        "secret: a secret of 6 bytes is too short: make one of at least 32.",
    ),
    "an address with a resource": (
        lambda: pseudonym(bytes(32), "collective@example.org/node", NO_DEVICE),
        (
            "jid: “collective@example.org/node” is not a bare XMPP address: send"
            " name@server, without a"
            " resource."
        ),
    ),
    "an address that was not prepared": (
        lambda: pseudonym(bytes(32), "Collective@example.org", NO_DEVICE),
        (
            "jid: “Collective@example.org” is not a bare XMPP address: send name@server, without a"
            " resource."
        ),
    ),
    "an address with the separator": (
        lambda: pseudonym(bytes(32), "a@example.org\0b", NO_DEVICE),
        "jid: “a@example.org·b” is not a bare XMPP address: send name@server, without a resource.",
    ),
    "a permission without its end": (
        permission(lambda sent: sent.attrib.pop("valid-until")),
        "permission@valid-until: this attribute is missing: add it.",
    ),
    "a permission that ends before it starts": (
        permission(lambda sent: sent.set("valid-until", "2020-01-01T00:00:00+00:00")),
        (
            "permission@valid-until: the range ends (2020-01-01 00:00:00+00:00) before it starts"
            " (2026-11-24"
            " 18:30:00+00:00): exchange the two."
        ),
    ),
    "a permission for nothing": (
        permission(without("series")),
        f"permission: <series {_FEDERATION}> is missing: add it.",
    ),
    "a permission for a series that is none": (
        permission(lambda sent: sent[0].set("identifier", "all")),
        f"permission/series[1]@identifier: “all”{_DEVICE}",
    ),
    "a permission that shows nothing": (
        permission(without("shown")),
        f"permission: <shown {_FEDERATION}> is missing: add it.",
    ),
    "a hash that is none": (
        permission(lambda sent: sent[-1].set("sha256", "0123")),
        (
            "permission/shown@sha256: “0123” is not a SHA-256: send 64 hexadecimal digits, in lower"
            " case."
        ),
    ),
    "another reading": (
        permission(lambda sent: sent.set("reading", "all")),
        "permission@reading: “all” is not known here: send one of individual, sum.",
    ),
    "a version that is no number": (
        permission(lambda sent: sent.set("version", "0")),
        "permission@version: “0” is not a whole number from 1 on: send digits.",
    ),
    "a permission named by a path": (
        permission(lambda sent: sent.set("id", "../settings")),
        (
            "permission@id: “../settings” is not a UUID: send one in lower case, such as"
            " 123e4567-e89b-42d3-a456-426614174000."
        ),
    ),
    "a language that is none": (
        permission(lambda sent: child(sent, "shown").set(LANG, "en/../fr")),
        ("permission/shown@lang: “en/../fr” is not a language tag: send such as fr or en-GB."),
    ),
    "a title that nobody reads to its end": (
        need(lambda sent: setattr(child(sent, "title"), "text", 301 * "a")),
        "data-needs/data-need[1]/title[1]: 301 characters are too many: send at most 300.",
    ),
    "more series than anybody asks for": (
        need(lambda sent: sent.extend(50 * [child(sent, "series")])),
        (f"data-needs/data-need[1]: there are 51 of <series {_FEDERATION}>: send at most 50."),
    ),
    "a data need without a purpose": (
        need(without("purpose")),
        f"data-needs/data-need[1]: <purpose {_FEDERATION}> is missing: add it.",
    ),
    "a data need of no series": (
        need(without("series")),
        f"data-needs/data-need[1]: <series {_FEDERATION}> is missing: add it.",
    ),
    "a direction that is none": (
        need(lambda sent: child(sent, "series").set("direction", "up")),
        (
            "data-needs/data-need[1]/series[1]@direction: “up” is not known here: send one of"
            " consumption, production, injection."
        ),
    ),
    "an empty contact": (
        need(lambda sent: child(sent, "contact").clear()),
        "data-needs/data-need[1]/contact: this is empty: fill it in.",
    ),
    "a link that runs something": (
        policy("javascript:alert(1)"),
        (
            "data-needs/data-need[1]/policy: “javascript:alert(1)” is not a link to a page:"
            " send one"
            " that begins with https://."
        ),
    ),
    "a number that is infinite, to be written": (
        lambda: data.encode(Data(records=(Records("a", None, {1583016600: float("inf")}),))),
        f"records: “inf”{_NUMBER}",
    ),
    "more records than an answer holds, to be written": (
        lambda: data.encode(
            Data(records=(Records("a", None, dict.fromkeys(range(268435456, 268439457), 1)),))
        ),
        (
            "data: 4001 records are too many: at most 4000; ask for a shorter range, then for the"
            " next."
        ),
    ),
    "more bytes than a message holds, to be written": (
        lambda: data.encode(
            Data(records=tuple(Records(f"a{n}" * 50, None, {1583016600: 1}) for n in range(1_000)))
        ),
        "document: 236618 bytes are too many: send at most 204800.",
    ),
    "a character that XML cannot carry": (
        lambda: data.encode(Data(records=(Records("a\x01", None, {1583016600: 1}),))),
        "document: U+0001 is a character that XML cannot carry: leave it out.",
    ),
}


def refused(read: Callable[[], object]) -> Malformed:
    with pytest.raises(Malformed) as caught:
        read()
    return caught.value


@pytest.mark.parametrize("case", DOCUMENTS)
def test_a_broken_document(case: str) -> None:
    sent, said = DOCUMENTS[case]
    assert str(refused(lambda: data.decode(sent))) == said


@pytest.mark.parametrize("case", RECORDS)
def test_a_broken_record(case: str) -> None:
    sent, said = RECORDS[case]
    assert str(refused(lambda: data.decode(message(sent)))) == said


@pytest.mark.parametrize("case", OTHERS)
def test_anything_else_that_is_broken(case: str) -> None:
    read, said = OTHERS[case]
    assert str(refused(read)) == said


def every_case() -> Mapping[str, Callable[[], object]]:
    return {
        **{f"document {case}": partial(data.decode, sent) for case, (sent, _) in DOCUMENTS.items()},
        **{
            f"record {case}": partial(data.decode, message(sent))
            for case, (sent, _) in RECORDS.items()
        },
        **{case: read for case, (read, _) in OTHERS.items()},
    }


def test_each_problem_is_met_and_said_in_both_languages() -> None:
    met = {refused(read).problem: refused(read) for read in every_case().values()}
    assert met.keys() == set(Problem)
    for error in met.values():
        english, french = error.text.say("en"), error.text.say("fr")
        assert english != french
        assert "{" not in english + french
        assert french.startswith(f"{error.place} : ")


def test_what_cannot_be_read_is_a_bad_request() -> None:
    error = refused(lambda: data.decode(b""))
    assert isinstance(error, BadRequest)
    assert (error.condition, error.type) == ("bad-request", "modify")


def test_a_pushed_message_may_hold_less_than_an_answer() -> None:
    sent = message(FIRST + 1_000 * '<senml t="1" v="1"/>')
    assert len(data.decode(sent)) == 2
    assert refused(lambda: data.decode(sent, most=1_000)).problem is Problem.TOO_MANY_RECORDS


def test_an_element_that_was_parsed_already_is_no_less_checked() -> None:
    deep = element(b"<a>" * 20_000 + b"</a>" * 20_000)
    assert refused(lambda: data.read(deep)).problem is Problem.TOO_DEEP
    assert refused(lambda: requests.read(deep)).problem is Problem.TOO_DEEP


def test_a_document_says_utf_8_in_vain_if_it_is_something_else() -> None:
    sent = codecs.BOM_UTF16_LE + "<!DOCTYPE a []><a/>".encode("utf-16-le")
    assert refused(lambda: data.decode(sent)).problem is Problem.NOT_UTF_8


def test_a_document_that_names_another_encoding_is_read_as_utf_8() -> None:
    sent = b'<?xml version="1.0" encoding="utf-16"?>' + message(FIRST)
    assert data.decode(sent) == data.decode(message(FIRST))
