"""What cannot be read: each with the error that a person gets, which names the place."""

import codecs
from collections.abc import Callable
from functools import partial
from xml.etree.ElementTree import Element, SubElement

import pytest

from consometers_node.i18n.protocol import sentence
from consometers_quoalise import (
    BadRequest,
    Data,
    Malformed,
    Problem,
    Records,
    answers,
    iso8601,
    pseudonym,
    requests,
)
from consometers_quoalise.elements import forms
from consometers_quoalise.elements.markup import LANG
from consometers_quoalise.federation import permissions_xml
from consometers_quoalise.federation.permissions import NAMESPACE
from consometers_quoalise.records import data, identifier
from consometers_quoalise.records.identifier import device
from consometers_quoalise.requests import COMMAND
from packages.quoalise.tests.protected_sums_samples import CASES as OF_PROTECTED_SUMS
from packages.quoalise.tests.samples import (
    EXAMPLE,
    EXPORT,
    NEED,
    NO_DEVICE,
    PERMISSION,
    POWER,
    REQUEST,
    Edit,
    edited,
    element,
    message,
)

BOMB = """<!DOCTYPE quoalise [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<quoalise xmlns="urn:quoalise:0">&b;</quoalise>"""
OUTSIDE = """<!DOCTYPE quoalise SYSTEM "file:///etc/hostname"><quoalise xmlns="urn:quoalise:0"/>"""
FIRST = f'<senml bn="{POWER}" bt="1583016600" t="0" v="100" bu="W"/>'
NOON = 1583064000
MANY = range(NOON, NOON + 2_001)
_HOURS = '<senml t="3600" v="2"/><senml t="7200" v="3"/>'

DOCUMENTS: list[tuple[Problem, str, bytes]] = [
    (Problem.NOT_XML, "document, line 1, column 0", b""),
    (Problem.NOT_XML, "document, line 1, column 0", b"hello"),
    (Problem.NOT_XML, "document, line 6, column 6", EXAMPLE.encode()[:200]),
    (Problem.NOT_XML, "document, line 1, column 4", b"<a/><a/>"),
    (Problem.NOT_XML, "document, line 1, column 91", message("&a;")),
    (Problem.DTD, "document", BOMB.encode()),
    (Problem.DTD, "document", OUTSIDE.encode()),
    (Problem.NOT_UTF_8, "document", BOMB.encode("utf-16")),
    (Problem.NOT_UTF_8, "document", BOMB.encode("utf-16-be")),
    (
        Problem.NOT_XML,
        "document, line 1, column 44",
        '<?xml version="1.0" encoding="iso-8859-1"?><é/>'.encode("iso-8859-1"),
    ),
    (Problem.NOT_XML, "document, line 1, column 3", b"<a>\xed\xa0\x80</a>"),
    (Problem.TOO_LARGE, "document", message("<!--" + 122_880 * "-" + "-->")),
    (Problem.TOO_DEEP, "document", b"<a>" * 17 + b"</a>" * 17),
    (Problem.TOO_DEEP, "document", b"<a>" * 17_000 + b"</a>" * 17_000),
    (Problem.OTHER_ELEMENT, "quoalise", b"<message/>"),
    (Problem.OTHER_ELEMENT, "quoalise", b'<quoalise xmlns="urn:quoalise:1"/>'),
    (Problem.NO_ELEMENT, "quoalise", b'<quoalise xmlns="urn:quoalise:0"/>'),
    (
        Problem.TWO_ELEMENTS,
        "quoalise",
        b'<quoalise xmlns="urn:quoalise:0"><data/><data/></quoalise>',
    ),
    (Problem.NO_ELEMENT, "quoalise/data", b'<quoalise xmlns="urn:quoalise:0"><data/></quoalise>'),
    (
        Problem.NO_ELEMENT,
        "quoalise/data",
        b'<quoalise xmlns="urn:quoalise:0"><data><meta/></data></quoalise>',
    ),
    (
        Problem.NOT_A_DURATION,
        "quoalise/data/meta/measurement@sampling-interval",
        message("", '<meta><measurement sampling-interval="1800"/></meta>'),
    ),
    (
        Problem.NOT_UTF_8,
        "document",
        codecs.BOM_UTF16_LE + "<!DOCTYPE a []><a/>".encode("utf-16-le"),
    ),
]
RECORDS: list[tuple[Problem, str, str]] = [
    (Problem.NO_NAME, "/senml[1]", '<senml bt="1583016600" v="1"/>'),
    (Problem.NAME_CHARACTERS, "/senml[1]", '<senml bn="compteur élec" bt="1583016600" v="1"/>'),
    (Problem.NAME_CHARACTERS, "/senml[2]", FIRST + '<senml bn="_a" v="1"/>'),
    (Problem.NAME_CHARACTERS, "/senml[1]", f'<senml bn="{256 * "a"}" bt="1583016600" v="1"/>'),
    (Problem.NO_VALUE, "/senml[2]", FIRST + '<senml t="1800"/>'),
    (Problem.NO_VALUE, "/senml[1]", '<senml bn="a" bt="1583016600" s="1"/>'),
    (Problem.NOT_A_MEASURE, "/senml[1]@vs", '<senml bn="a" bt="1583016600" vs="on"/>'),
    (Problem.NOT_A_MEASURE, "/senml[1]@vb", '<senml bn="a" bt="1583016600" vb="true"/>'),
    (Problem.NOT_A_MEASURE, "/senml[2]@vd", FIRST + '<senml t="1800" vd="aGkgCg"/>'),
    (Problem.NOT_A_MEASURE, "/senml[2]@vs", FIRST + '<senml v="1" vs="on"/>'),
    (Problem.NOT_A_NUMBER, "/senml[2]@t", FIRST + '<senml t="0x10" v="1"/>'),
    (
        Problem.NOT_A_NUMBER,
        "/senml[3]@v",
        FIRST + '<senml t="1800" v="1"/><senml t="3600" v="x"/><senml t="5400" v="1"/>',
    ),
    (
        Problem.NOT_A_NUMBER,
        "/senml[4]@v",
        (
            '<senml bn="a" bt="1583016600" n="b" v="1"/><senml n="c" v="1"/>'
            '<senml n="b" t="60" v="1"/><senml n="c" v="x"/><senml n="b" t="120" v="1"/>'
        ),
    ),
    (Problem.NOT_A_NUMBER, "/senml[1]@bt", '<senml bn="a" bt="noon" v="1"/>'),
    (Problem.NOT_A_NUMBER, "/senml[1]@bv", '<senml bn="a" bt="1583016600" bv="" v="1"/>'),
    (Problem.TOO_BIG, "/senml[1]@bv", '<senml bn="a" bt="1583016600" bv="1e300" v="1"/>'),
    (Problem.NOT_A_NUMBER, "/senml[2]@ut", FIRST + '<senml v="1" ut="soon"/>'),
    (Problem.TOO_BIG, "/senml[2]@v", FIRST + '<senml t="1800" v="9007199254740993"/>'),
    (Problem.TOO_BIG, "/senml[2]@v", FIRST + '<senml t="1800" v="-1e300"/>'),
    (Problem.TOO_BIG, "/senml[3]@v", FIRST + f'<senml v="0.5"/><senml v="{"9" * 400}"/>'),
    *(
        (Problem.NOT_A_NUMBER, "/senml[2]@v", f'{FIRST}<senml t="1800" v="{value}"/>')
        for value in ("null", "", "NaN", "-INF", "1e999", "1_0", "١", 10_000 * "9")
    ),
    (Problem.TOO_BIG, "/senml[1]@v", '<senml bn="a" bt="1583016600" bv="9007199254740992" v="1"/>'),
    (Problem.RELATIVE_TIME, "/senml[1]@t", '<senml bn="a" v="1"/>'),
    (Problem.RELATIVE_TIME, "/senml[2]@t", FIRST + '<senml bt="0" t="-60" v="1"/>'),
    (Problem.RELATIVE_TIME, "/senml[1]@t", '<senml bn="a" t="268435455" v="1"/>'),
    (Problem.TOO_LATE, "/senml[1]@t", '<senml bn="a" bt="1583016600000" v="1"/>'),
    *(
        (problem, place, f'<senml bn="a" bt="{base}" t="0" v="1"/>' + _HOURS)
        for problem, place, base in (
            (Problem.RELATIVE_TIME, "/senml[1]@t", 268_435_455),
            (Problem.TOO_LATE, "/senml[3]@t", 4_102_444_799 - 3_600),
        )
    ),
    (Problem.VERSION, "/senml[1]@bver", '<senml bn="a" bt="1583016600" bver="11" v="1"/>'),
    (Problem.VERSION, "/senml[1]@bver", '<senml bn="a" bt="1583016600" bver="x" v="1"/>'),
    (Problem.OTHER_VERSION, "/senml[2]@bver", FIRST + '<senml bver="5" t="1800" v="1"/>'),
    (Problem.MUST_UNDERSTAND, "/senml[2]@must_", FIRST + '<senml t="1800" v="1" must_="1"/>'),
    (Problem.OTHER_ELEMENT, "/*[2]", FIRST + '<record xmlns="urn:quoalise:0"/>'),
    (Problem.TOO_MANY_RECORDS, "", FIRST + 2_000 * '<senml t="1" v="1"/>'),
]
"""With places below that of all records."""


def request(command: str) -> Callable[[], object]:
    """Return a reading of a `<command>` of these attributes and children."""
    sent = element(f'<command xmlns="http://jabber.org/protocol/commands" {command}</command>')
    return lambda: requests.read(sent)


def history(fields: str, form: str = "submit") -> Callable[[], object]:
    return request(f'node="get_history"><x xmlns="jabber:x:data" type="{form}">{fields}</x>')


def field(var: str, *values: str) -> str:
    inside = "".join(f"<value>{value}</value>" for value in values)
    return f'<field var="{var}">{inside}</field>'


def without(name: str) -> Edit:
    def remove(parent: Element) -> None:
        for child in parent.findall(f"{{{NAMESPACE}}}{name}"):
            parent.remove(child)

    return remove


def in_first(change: Edit) -> Edit:
    return lambda parent: change(parent[0])


def child(parent: Element, name: str) -> Element:
    element = parent.find(f"{{{NAMESPACE}}}{name}")
    assert element is not None
    return element


_ID = field("identifier", POWER)

HISTORIES: list[tuple[Problem, str, str]] = [
    (Problem.NO_FIELD, "/identifier", ""),
    (Problem.NO_FIELD, "/identifier", field("identifier", " ")),
    (Problem.TWO_VALUES, "/identifier", field("identifier", POWER, POWER)),
    (Problem.TWO_FIELDS, "/identifier", _ID + _ID),
    (Problem.NOT_A_DEVICE, "/identifier", field("identifier", "consumption")),
    (Problem.NO_OFFSET, "/start_time", _ID + field("start_time", "2021-12-01T00:00")),
    (Problem.NOT_A_TIME, "/end_time", _ID + field("end_time", "yesterday")),
    (
        Problem.BACKWARDS,
        "/end_time",
        _ID
        + field("start_time", "2021-12-02T00:00:00+01:00")
        + field("end_time", "2021-12-01T00:00:00+01:00"),
    ),
]
"""The fields of a form, with places below that of the command."""
PERMISSIONS: list[tuple[Problem, str, Edit]] = [
    (Problem.NO_ATTRIBUTE, "@valid-until", lambda sent: sent.attrib.pop("valid-until")),
    (Problem.BACKWARDS, "@valid-until", lambda sent: sent.set("valid-until", "2020-01-01T00:00Z")),
    (Problem.NO_ELEMENT, "", without("series")),
    (Problem.NOT_A_DEVICE, "/series[1]@identifier", lambda sent: sent[0].set("identifier", "all")),
    *(
        (
            Problem.NOT_A_SUBSCRIPTION,
            "/series[1]@subscribed-power",
            partial(lambda sent, power: sent[0].set("subscribed-power", power), power=power),
        )
        for power in ("0", "37", "6.6", "-6", "six", 13 * "9")
    ),
    (Problem.NO_ELEMENT, "", without("shown")),
    (Problem.NOT_A_HASH, "/shown@sha256", lambda sent: sent[-1].set("sha256", "0123")),
    (Problem.NOT_A_CHOICE, "@reading", lambda sent: sent.set("reading", "all")),
    (Problem.NOT_A_COUNT, "@version", lambda sent: sent.set("version", "0")),
    (Problem.NOT_A_UUID, "@id", lambda sent: sent.set("id", "../settings")),
    (Problem.NOT_A_LANGUAGE, "/shown@lang", lambda sent: sent[-1].set(LANG, "en/../fr")),
]


def witness(**changed: str) -> Callable[[Element], Element]:
    """Return a change that adds a witness with other attributes to a data need."""

    def change(sent: Element) -> Element:
        sent.set("reading", "sum")
        attributes = {"jid": "commune@example.org", "url": "https://commune.example"}
        added = SubElement(
            sent, f"{{{NAMESPACE}}}witness", attributes | {"minimum": "10"} | changed
        )
        for name in ("name", "contact"):
            SubElement(added, f"{{{NAMESPACE}}}{name}").text = "Commune"
        return added

    return change


EXPORTS: list[tuple[Problem, str, Edit]] = [
    (Problem.NOT_A_COUNT, "@part", lambda sent: sent.set("part", "0")),
    (Problem.NOT_A_COUNT, "@parts", lambda sent: sent.set("parts", "many")),
    (Problem.NOT_A_COUNT, "@size", lambda sent: sent.set("size", "-1")),
    (Problem.NOT_A_HASH, "@sha256", lambda sent: sent.set("sha256", 64 * "A")),
    (Problem.NOT_A_UUID, "@id", lambda sent: sent.set("id", "../export")),
    (Problem.NOT_BASE64, "", lambda sent: setattr(sent, "text", "UEsDBA=")),
    (Problem.NOT_BASE64, "", lambda sent: setattr(sent, "text", "UEs DBA==")),
    (Problem.NOT_BASE64, "", lambda sent: setattr(sent, "text", "é===")),
    (Problem.NO_TEXT, "", lambda sent: setattr(sent, "text", "")),
    (Problem.TOO_LONG, "", lambda sent: setattr(sent, "text", 131_076 * "A")),
]
NEEDS: list[tuple[Problem, str, Edit]] = [
    (Problem.TOO_LONG, "/title[1]", lambda sent: setattr(child(sent, "title"), "text", 301 * "a")),
    (Problem.TOO_MANY_ELEMENTS, "", lambda sent: sent.extend(50 * [child(sent, "series")])),
    (Problem.NO_ELEMENT, "", without("purpose")),
    (Problem.NO_ELEMENT, "", without("series")),
    (
        Problem.NOT_A_CHOICE,
        "/series[1]@direction",
        lambda sent: child(sent, "series").set("direction", "up"),
    ),
    (Problem.NO_TEXT, "/contact", lambda sent: child(sent, "contact").clear()),
    (
        Problem.NOT_A_LINK,
        "/policy",
        lambda sent: setattr(child(sent, "policy"), "text", "javascript:alert(1)"),
    ),
    (Problem.WRONG_WITNESS, "", lambda sent: sent.set("reading", "sum")),
    (Problem.NOT_A_BARE_ADDRESS, "/witness@jid", witness(jid="commune@example.org/node")),
    (Problem.NOT_A_LINK, "/witness@url", witness(url="http://commune.example")),
    (Problem.NOT_A_LINK, "/witness@url", witness(url="https://commune.example/")),
    (Problem.NOT_A_COUNT, "/witness@minimum", witness(minimum="2")),
    (Problem.NO_ELEMENT, "/witness", lambda sent: witness()(sent).remove(child(sent[-1], "name"))),
]
"""With places below that of the first need."""
CHALLENGE = {
    "challenge_fr": "Le défi",
    "challenge_en": "The challenge",
    "challenge_from": "2026-09-28",
    "challenge_to": "2026-12-20",
    "objective": "10",
    "participant": "Lorient",
    "participants": "5",
}
OTHERS: list[tuple[Problem, str, Callable[[], object]]] = [
    (Problem.NOT_A_CHOICE, "command@node", request('node="get_histories">')),
    (Problem.NO_ATTRIBUTE, "command@node", request('action="execute">')),
    (Problem.NO_TEXT, "command@node", request('node=" ">')),
    (Problem.NOT_A_CHOICE, "command@action", request('node="list_series" action="prev">')),
    (Problem.OTHER_ELEMENT, "command", lambda: requests.read(element(REQUEST))),
    (Problem.NOT_A_CHOICE, "command/get_history@type", history(_ID, "sent")),
    (Problem.NOT_A_CHOICE, "command/get_history@type", history(_ID, "form")),
    (
        Problem.NOT_A_BOOLEAN,
        "command/withdraw/erase",
        request(
            f'node="withdraw"><x xmlns="jabber:x:data" type="submit">'
            f"{field('permission', PERMISSION.id)}{field('erase', 'maybe')}</x>"
        ),
    ),
    (Problem.NO_ELEMENT, "command", request('node="grant">')),
    (
        Problem.NOT_A_CHOICE,
        "command@status",
        lambda: answers.payload(
            element('<command xmlns="http://jabber.org/protocol/commands" status="executing"/>'),
            data.QUOALISE,
        ),
    ),
    (Problem.NOT_A_TIME, "time", lambda: iso8601.moment("2021-12-01")),
    (Problem.NOT_A_TIME, "time", lambda: iso8601.moment("2021-02-30T00:00Z")),
    (Problem.NOT_A_TIME, "time", lambda: iso8601.moment("2021-02-20T00:00+48:00")),
    (Problem.OUT_OF_TIME, "time", lambda: iso8601.moment("1900-01-01T00:00Z")),
    (Problem.OUT_OF_TIME, "time", lambda: iso8601.moment("0001-01-01T00:00+12:00")),
    *(
        (Problem.NOT_A_DURATION, "duration", partial(iso8601.duration, sent))
        for sent in ("", "P", "PT", "P1", "1800", "PT0.05S", "P1DT", "-P1D", "P1H", "pt1h", "PT١M")
    ),
    *(
        (problem, "identifier", partial(identifier.identifier, f"urn:dev:prm:{sent}"))
        for problem, sent in (
            (Problem.NOT_A_DEVICE, "3000161007184_consumption"),
            (Problem.NOT_A_PATH, "30001610071843_consumption//raw"),
        )
    ),
    (Problem.NOT_A_DEVICE, "device", lambda: device("urn:dev:\x00\ud800")),
    (Problem.SHORT_SECRET, "secret", partial(pseudonym, b"secret", "a@example.org", NO_DEVICE)),
    *(
        (Problem.NOT_A_BARE_ADDRESS, "jid", partial(pseudonym, bytes(32), jid, NO_DEVICE))
        for jid in ("coop@example.org/node", "Coop@example.org", "a@example.org\0b")
    ),
    *(
        (problem, place, partial(data.encode, Data(records=tuple(records))))
        for problem, place, records in (
            (Problem.NOT_A_NUMBER, "records", [Records("a", None, {NOON: float("inf")})]),
            (Problem.TOO_MANY_RECORDS, "data", [Records("a", None, dict.fromkeys(MANY, 1))]),
            (
                Problem.TOO_LARGE,
                "document",
                [Records(f"a{n}" * 50, None, {NOON: 1}) for n in MANY[:999]],
            ),
            (Problem.NOT_FOR_XML, "document", [Records("a\x01", None, {NOON: 1})]),
        )
    ),
    (
        Problem.NOT_A_PRICE,
        "command/x/item[1]/grid_price",
        lambda: listed(local_price="15.5", grid_price="-1"),
    ),
    (
        Problem.NOT_A_CHANGE,
        "command/x/item[1]/change_low",
        lambda: listed(**CHALLENGE, change="-1.2", change_low="a lot"),
    ),
    (
        Problem.NO_FIELD,
        "command/x/item[1]/rank_last",
        lambda: listed(
            **CHALLENGE, change="-1.2", change_low="-2", change_high="0.5", rank_first="1"
        ),
    ),
    (Problem.NO_FIELD, "command/x/item[1]/grid_price", lambda: listed(local_price="15.5")),
]


def listed(**fields: str) -> None:
    """Read a list of one series, with more fields."""
    answer = Element(COMMAND, {"node": "list_series", "status": "completed"})
    answer.append(forms.table("", ("identifier", *fields), [{"identifier": POWER, **fields}], str))
    answers.read_listed(answer)


def refused(read: Callable[[], object]) -> Malformed:
    with pytest.raises(Malformed) as caught:
        read()
    return caught.value


CASES: list[tuple[Problem, str, Callable[[], object]]] = [
    *((problem, place, partial(data.decode, sent)) for problem, place, sent in DOCUMENTS),
    *(
        (problem, f"quoalise/data/sensml{place}", partial(data.decode, message(sent)))
        for problem, place, sent in RECORDS
    ),
    *(
        (problem, f"command/get_history{place}", history(fields))
        for problem, place, fields in HISTORIES
    ),
    *(
        (
            problem,
            f"permission{place}",
            partial(edited, permissions_xml.PERMISSION, PERMISSION, change),
        )
        for problem, place, change in PERMISSIONS
    ),
    *(
        (
            problem,
            f"data-needs/data-need[1]{place}",
            partial(edited, permissions_xml.DATA_NEEDS, [NEED], in_first(change)),
        )
        for problem, place, change in NEEDS
    ),
    *(
        (problem, f"export{place}", partial(edited, permissions_xml.EXPORT, EXPORT, change))
        for problem, place, change in EXPORTS
    ),
    *OF_PROTECTED_SUMS,
    *OTHERS,
]


IDS = [f"{n} {problem.name}" for n, (problem, _, _) in enumerate(CASES)]


@pytest.mark.parametrize(("problem", "place", "read"), CASES, ids=IDS)
def test_malformed_input_is_a_bad_request_that_names_the_place(
    problem: Problem, place: str, read: Callable[[], object]
) -> None:
    error = refused(read)
    assert (error.place, error.code) == (place, problem)
    assert str(error) == f"{place}: {problem}"
    assert isinstance(error, BadRequest)
    assert (error.condition, error.type) == ("bad-request", "modify")
    english, french = sentence(error).say("en"), sentence(error).say("fr")
    assert english != french
    assert "{" not in english + french
    assert (english + french).isprintable()
    assert len(english) < 400
    assert english.startswith(f"{place}: ")
    assert french.startswith(f"{place} : ")


def test_every_problem_has_a_case() -> None:
    assert {problem for problem, _, _ in CASES} == set(Problem)


def test_pushed_messages_hold_fewer_records_than_answers() -> None:
    sent = message(FIRST + 1_000 * '<senml t="1" v="1"/>')
    assert len(data.decode(sent)) == 2
    assert refused(lambda: data.decode(sent, most=1_000)).code is Problem.TOO_MANY_RECORDS


def test_parsed_elements_are_checked_for_depth() -> None:
    deep = element(b"<a>" * 20_000 + b"</a>" * 20_000)
    assert refused(lambda: data.read(deep)).code is Problem.TOO_DEEP
    assert refused(lambda: requests.read(deep)).code is Problem.TOO_DEEP


def test_declared_encodings_are_ignored() -> None:
    sent = b'<?xml version="1.0" encoding="utf-16"?>' + message(FIRST)
    assert data.decode(sent) == data.decode(message(FIRST))
