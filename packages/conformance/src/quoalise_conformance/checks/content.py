"""Checks of all that a peer has answered and pushed: records, metadata, limits, validity."""

from collections.abc import Iterator
import math
import re
from typing import Final
from xml.etree.ElementTree import Element

from quoalise_conformance import schemas
from quoalise_conformance.peer import Peer
from quoalise_conformance.results import SCHEMA, NotTried
from quoalise_conformance.session import stanzas
from quoalise_conformance.session.stanzas import COMMAND, DATA, tag

from .registry import Checks, expect
from .requests import refusals

CONTENT: Final = Checks[Peer]()

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9:./_-]{0,254}", re.ASCII)
_WORD: Final = r"[A-Za-z0-9.-]+"
_PATH: Final = rf"(_{_WORD}([/_]{_WORD})*)?"
_PARTS: Final = rf"{_WORD}(:{_WORD})*"
IDENTIFIER: Final = re.compile(
    r"urn:dev:(prm:[0-9]{14}|(mac|ow):[0-9a-f]+"
    rf"|(org|os):[1-9][0-9]*-{_PARTS}|ops:[1-9][0-9]*-[A-Za-z0-9.]+-{_PARTS}"
    rf"|(?!(?:prm|mac|ow|org|os|ops):)[a-z][a-z0-9]*:{_PARTS}){_PATH}",
    re.ASCII,
)
DURATION: Final = re.compile(
    r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?", re.ASCII
)
DIRECTIONS: Final = frozenset({"consumption", "production", "injection"})
MAX_BYTES: Final = 122_880
MAX_LEVELS: Final = 16
LENGTHS: Final = {
    **dict.fromkeys(("purpose", "recipients"), 8_000),
    "text": 1_000,
    "policy": 500,
    **dict.fromkeys(("title", "controller", "contact"), 300),
    "export": 87_384,
    "reports": 60_000,
    "homes": 57_600,
    "refused": 54_000,
    "groups": 4_000,
    "token": 200,
    **dict.fromkeys(("id", "need", "issuer", "code"), 100),
    "lang": 35,
    **dict.fromkeys(("u", "bu", "unit"), 32),
}
"""Characters at most of attributes and texts; of any other 255."""
_NEVER_WRITTEN: Final = frozenset({"bver", "s", "bs", "ut", "vs", "vb", "vd"})
_UNITS: Final = {"energy/": "Wh", "members": "count", "without-homes": "count"}


def is_identifier(text: str) -> bool:
    """Return whether a text has the syntax of an identifier."""
    return len(text) <= 255 and IDENTIFIER.fullmatch(text) is not None


def answered(peer: Peer) -> Iterator[Element]:
    """Yield all answers with records, and what was pushed. Raises `NotTried` if there is none."""
    answers = [each.answer for each in peer.exchanges if each.answer.find(f".//{DATA}") is not None]
    if not answers and not peer.heard:
        raise NotTried("no_history")
    yield from answers
    yield from peer.heard


def with_records(peer: Peer) -> Iterator[Element]:
    """Yield those with records. Raises `NotTried` if there are none."""
    chosen = [answer for answer in answered(peer) if stanzas.records(answer)]
    if not chosen:
        raise NotTried("no_records")
    yield from chosen


def measurements(answer: Element) -> Iterator[Element]:
    """Yield each `<measurement>`."""
    yield from answer.iter(tag(stanzas.QUOALISE, "measurement"))


def path(name: str) -> tuple[str, str]:
    """Return direction and rest of a name's path."""
    direction, _, rest = name.partition("_")[2].partition("/")
    return direction, rest


@CONTENT.of("Q-6")
async def _has_data_meta_and_sensml(peer: Peer) -> None:
    for answer in answered(peer):
        for quoalise in answer.iter(DATA):
            data = [child.tag for child in quoalise]
            expect(data == [tag(stanzas.QUOALISE, "data")], answer, "lacks", what="<data>")
            children = [child.tag for child in quoalise[0]]
            wanted = [tag(stanzas.QUOALISE, "meta"), tag(stanzas.SENML, "sensml")]
            expect(children == wanted, answer, "lacks", what="<meta>, <sensml>")


@CONTENT.of("Q-8")
async def _describes_device_and_measurement(peer: Peer) -> None:
    for answer in with_records(peer):
        device = answer.find(f".//{tag(stanzas.QUOALISE, 'device')}")
        typed = device is not None and bool(device.get("type"))
        expect(typed, answer, "lacks", what="<device type>")
        measurement = next(measurements(answer), None)
        is_count = measured_unit(answer) == "count"
        for attribute in ("name", "direction", "unit", *(() if is_count else ("quantity",))):
            described = measurement is not None and bool(measurement.get(attribute))
            expect(described, answer, "lacks", what=f"<measurement {attribute}>")


@CONTENT.of("Q-9")
async def _writes_intervals_as_durations(peer: Peer) -> None:
    intervals = [
        (answer, interval)
        for answer in answered(peer)
        for measurement in measurements(answer)
        if (interval := measurement.get("sampling-interval")) is not None
    ]
    if not intervals:
        raise NotTried("none_sent", what="sampling-interval")
    for answer, interval in intervals:
        expect(DURATION.fullmatch(interval) is not None, answer, "unreadable", what=interval)


@CONTENT.of("Q-12")
async def _writes_the_compact_form(peer: Peer) -> None:
    for answer in with_records(peer):
        before: tuple[str, dict[str, int]] = ("", {})
        for record in stanzas.records(answer):
            attributes = record.element.attrib
            never = sorted(_NEVER_WRITTEN & attributes.keys())
            expect(not never, answer, "written", what=", ".join(never))
            expect(
                not re.fullmatch(r".*\.0*", attributes.get("v", "")),
                answer,
                "written",
                what="v='….0'",
            )
            name, counts = before if before[0] == record.name else (record.name, {})
            for base in ("bn", "bt", "bu"):
                counts[base] = counts.get(base, 0) + (base in attributes)
                expect(counts[base] <= 1, answer, "written", what=f"{base}, {base}")
            before = name, counts


@CONTENT.of("Q-13")
async def _names_each_record(peer: Peer) -> None:
    for answer in with_records(peer):
        for record in stanzas.records(answer):
            expect(_NAME.fullmatch(record.name) is not None, answer, "unreadable", what=record.name)


@CONTENT.of("Q-16")
async def _leaves_missing_values_out(peer: Peer) -> None:
    for answer in with_records(peer):
        for record in stanzas.records(answer):
            value = record.element.get("v")
            expect(math.isfinite(record.value), answer, "unreadable", what=f"v={value!r}")


@CONTENT.of("Q-20")
async def _has_records_alone_in_sensml(peer: Peer) -> None:
    for answer in answered(peer):
        for sensml in answer.iter(tag(stanzas.SENML, "sensml")):
            for child in sensml:
                name = child.tag.rpartition("}")[2]
                expect(
                    child.tag == tag(stanzas.SENML, "senml"), answer, "written", what=f"<{name}>"
                )


@CONTENT.of("Q-24")
async def _names_series_by_identifiers(peer: Peer) -> None:
    names = [
        (answer, record.name)
        for answer in answered(peer)
        for record in stanzas.records(answer)
        if record.name
    ]
    names += [(listed, row["identifier"]) for listed, row in rows(peer) if "identifier" in row]
    if not names:
        raise NotTried("no_records")
    for answer, name in names:
        expect(is_identifier(name), answer, "unreadable", what=name)


def rows(peer: Peer) -> list[tuple[Element, dict[str, str]]]:
    """Return each row that `list_series` has answered, with its stanza."""
    listed = []
    for exchange in peer.exchanges:
        command = exchange.request.find(COMMAND)
        if command is not None and command.get("node") == "list_series":
            items = exchange.answer.iter(tag(stanzas.FORMS, "item"))
            listed += [(exchange.answer, stanzas.values(item)) for item in items]
    return listed


@CONTENT.of("Q-26")
async def _uses_paths_for_what_they_mean(peer: Peer) -> None:
    for answer in with_records(peer):
        for record in stanzas.records(answer):
            _, rest = path(record.name)
            unit = next((unit for end, unit in _UNITS.items() if rest.endswith(end)), "")
            if not unit and rest.startswith("energy/active"):
                unit = "Wh"
            if unit:
                unit_sent = record.unit or measured_unit(answer)
                expect(unit_sent == unit, answer, "other", wanted=f"{rest}: {unit}", seen=unit_sent)
        for measurement in measurements(answer):
            _, rest = path(stanzas.records(answer)[0].name)
            quantity = measurement.get("quantity", "")
            wanted = rest.partition("/")[0]
            if (
                quantity
                and wanted in {"power", "energy"}
                and not rest.endswith(("members", "homes"))
            ):
                expect(
                    quantity == wanted, answer, "other", wanted=f"{rest}: {wanted}", seen=quantity
                )


def measured_unit(answer: Element) -> str:
    """Return the unit of `<measurement>`, or ""."""
    return next((each.get("unit", "") for each in measurements(answer)), "")


@CONTENT.of("Q-27")
async def _has_directions_of_the_protocol(peer: Peer) -> None:
    for answer in with_records(peer):
        directions = {path(record.name)[0] for record in stanzas.records(answer) if record.name}
        directions |= {each.get("direction", "") for each in measurements(answer)} - {""}
        other = ", ".join(sorted(directions - DIRECTIONS))
        expect(not other, answer, "other", wanted=", ".join(sorted(DIRECTIONS)), seen=other)


@CONTENT.of("Q-29")
async def _sends_mean_power_in_watts(peer: Peer) -> None:
    seen = False
    for answer in with_records(peer):
        for record in stanzas.records(answer):
            if path(record.name)[1] == "power/active/raw":
                seen = True
                unit = record.unit or measured_unit(answer)
                expect(unit == "W", answer, "other", wanted="W", seen=unit)
        if seen and path(stanzas.records(answer)[0].name)[1] == "power/active/raw":
            for measurement in measurements(answer):
                aggregation = measurement.get("aggregation", "mean")
                expect(aggregation == "mean", answer, "other", wanted="mean", seen=aggregation)
    if not seen:
        raise NotTried("none_sent", what="power/active/raw")


@CONTENT.of("Q-30")
async def _names_one_series_by_an_identifier(peer: Peer) -> None:
    series: dict[str, tuple[str, ...]] = {}
    for answer in with_records(peer):
        name = stanzas.records(answer)[0].name
        device = answer.find(f".//{tag(stanzas.QUOALISE, 'device')}")
        facts = (
            "" if device is None else device.get("type", ""),
            *(each.get("sampling-interval", "") for each in measurements(answer)),
        )
        before = series.setdefault(name, facts)
        expect(facts == before, answer, "other", wanted=", ".join(before), seen=", ".join(facts))
    named: dict[int, list[str]] = {}
    for listed, row in rows(peer):
        identifiers = named.setdefault(id(listed), [])
        name = row.get("identifier", "")
        expect(name not in identifiers, listed, "twice", what=name)
        identifiers.append(name)


@CONTENT.of("Q-37")
async def _writes_times_with_offsets(peer: Peer) -> None:
    times = [
        (listed, row[var]) for listed, row in rows(peer) for var in ("first", "last") if var in row
    ]
    if not times:
        raise NotTried("none_sent", what="first, last")
    for listed, time in times:
        expect(stanzas.seconds(time) is not None, listed, "unreadable", what=time)


@CONTENT.of("Q-39")
async def _writes_the_offset_zero_in_digits(peer: Peer) -> None:
    times = [
        (listed, row[var]) for listed, row in rows(peer) for var in ("first", "last") if var in row
    ]
    if not times:
        raise NotTried("none_sent", what="first, last")
    for listed, time in times:
        expect(not time.endswith(("Z", "z")), listed, "written", what=time)


@CONTENT.of("Q-54")
async def _has_a_text_in_refusals(peer: Peer) -> None:
    for answer in judged_refusals(peer):
        refused = stanzas.refusal(answer)
        assert refused is not None
        for language, text in refused.texts.items():
            expect(bool(language), answer, "lacks", what="xml:lang")
            expect(bool(text.strip()), answer, "lacks", what="<text>")
        expect(bool(refused.texts), answer, "lacks", what="<text>")


def judged_refusals(peer: Peer) -> list[Element]:
    """Return refusals but those that libraries of XMPP send by themselves."""
    chosen = [
        answer
        for answer in refusals(peer)
        if (refused := stanzas.refusal(answer))
        and refused.condition not in {"feature-not-implemented", "service-unavailable"}
    ]
    if not chosen:
        raise NotTried("no_refusal")
    return chosen


@CONTENT.of("Q-59")
async def _hides_internals_in_refusals(peer: Peer) -> None:
    for answer in judged_refusals(peer):
        error = answer.find(stanzas.ERROR)
        assert error is not None
        has_records = next(error.iter(tag(stanzas.SENML, "senml")), None) is not None
        expect(not has_records, answer, "written", what="<senml>")
        refused = stanzas.refusal(answer)
        assert refused is not None
        for text in refused.texts.values():
            internal = re.search(r"Traceback|\b\w+(?:Error|Exception)\b|\bat line \d+", text)
            expect(internal is None, answer, "written", what=internal and internal[0])


@CONTENT.of("Q-60")
async def _names_the_source_of_an_error(peer: Peer) -> None:
    chosen = [
        answer
        for answer in refusals(peer)
        if (refused := stanzas.refusal(answer)) and refused.condition == "undefined-condition"
    ]
    if not chosen:
        raise NotTried("none_sent", what="undefined-condition")
    for answer in chosen:
        upstream = answer.find(f".//{tag(stanzas.QUOALISE, 'upstream-error')}")
        for attribute in ("issuer", "code"):
            has = upstream is not None and upstream.get(attribute) is not None
            expect(has, answer, "lacks", what=f"<upstream-error {attribute}>")


@CONTENT.of("Q-82")
async def _stays_within_limits(peer: Peer) -> None:
    answers = [exchange.answer for exchange in peer.exchanges] + peer.heard
    for answer in answers:
        excess = beyond_limits(answer)
        expect(not excess, answer, "beyond", what=excess)


def beyond_limits(stanza: Element) -> str:
    """Return what of a stanza exceeds the limits, or ""."""
    for payload in stanza:
        if (size := stanzas.size(payload)) > MAX_BYTES:
            return f"{size} > {MAX_BYTES}"
        if (depth := stanzas.levels(payload)) > MAX_LEVELS:
            return f"{depth} > {MAX_LEVELS}"
        for name, value in (*stanzas.attributes(payload), *texts(payload)):
            most = LENGTHS.get(name, 255)
            if len(value) > most:
                return f"{name}: {len(value)} > {most}"
    return ""


def texts(payload: Element) -> Iterator[tuple[str, str]]:
    """Yield the name and text of each element."""
    for each in payload.iter():
        if each.text:
            yield each.tag.rpartition("}")[2], each.text


@CONTENT.of(SCHEMA)
async def _is_valid(peer: Peer) -> None:
    explained = {schemas.fault(stanza) for stanza in peer.offending} | {""}
    for stanza in [exchange.answer for exchange in peer.exchanges] + peer.heard:
        reason = schemas.fault(stanza)
        expect(reason in explained, stanza, "invalid", what=reason)
