"""Checks of an answering peer: what it answers to requests of Quoalise, and what it refuses."""

from typing import Final
from uuid import uuid4
from xml.etree.ElementTree import Element

from quoalise_conformance.peer import DAY, Peer, succeeded
from quoalise_conformance.results import Failed, NotTried
from quoalise_conformance.session import stanzas
from quoalise_conformance.session.stanzas import COMMAND, FIELD, FORM, IQ, MESSAGE, UNKNOWN, tag

from .registry import Checks, expect, expect_refusal, expect_success

REQUESTS: Final = Checks[Peer]()

NOWHERE: Final = "urn:dev:prm:00000000000000_consumption/power/active/raw"
"""A delivery point that does not exist."""
UNKNOWN_DEVICE: Final = "urn:dev:example:none_consumption/power/active/raw"
LONG_AGO: Final = 946_684_800.0
"""2000-01-01, before the first meter that can be asked."""
MAX_RECORDS: Final = 2_000
OTHER_PATHS: Final = ("voltage/raw", "power/apparent/max", "energy/active/index/distributor/hph")
_VALUE: Final = tag(stanzas.FORMS, "value")


def same(answer: Element, as_answer: Element, form: str) -> None:
    """Raise `Failed` unless both answers have the same records; `form` says how it was asked."""
    expect_success(answer)
    expect(times(answer) == times(as_answer), answer, "differs", form=form)


def times(answer: Element) -> set[tuple[str, float]]:
    """Return name and time of each record."""
    return {(record.name, record.time) for record in stanzas.records(answer)}


# Versions


@REQUESTS.of("Q-2")
async def _announced(peer: Peer) -> None:
    info = await peer.info()
    for feature in (stanzas.QUOALISE, stanzas.COMMANDS, stanzas.FORMS):
        expect(feature in await peer.features(), info, "lacks", what=feature)


@REQUESTS.of("Q-33")
async def _knows_history(peer: Peer) -> None:
    answer = await peer.history(*peer.range())
    refused = stanzas.refusal(answer)
    unknown = {"item-not-found", "feature-not-implemented", "service-unavailable"}
    if refused is not None and refused.condition in unknown:
        raise Failed("refused", answer, seen=refused.condition)


@REQUESTS.of("Q-5")
async def _ignores_unknown_content(peer: Peer) -> None:
    base = await peer.base()
    start, end = map(stanzas.utc, peer.range())
    fields = (("identifier", peer.target.series), ("start_time", start), ("end_time", end))
    asked = stanzas.command("get_history", stanzas.form(fields))
    asked.set(tag(UNKNOWN, "attribute"), "1")
    asked.insert(0, Element(tag(UNKNOWN, "element")))
    same(await peer.ask(asked), base, "unknown attribute and element")


# Requests


@REQUESTS.of("Q-25")
async def _accepts_capitals(peer: Peer) -> None:
    base = await peer.base()
    capitals = "URN:DEV:" + peer.target.series.removeprefix("urn:dev:")
    same(await peer.history(*peer.range(), series=capitals), base, capitals)


@REQUESTS.of("Q-32")
async def _treats_actions_alike(peer: Peer) -> None:
    base = await peer.base()
    start, end = map(stanzas.utc, peer.range())
    fields = (("identifier", peer.target.series), ("start_time", start), ("end_time", end))
    for action in ("next", "complete", ""):
        answer = await peer.command("get_history", stanzas.form(fields), action=action)
        same(answer, base, f"action={action!r}")


@REQUESTS.of("Q-35")
async def _has_default_times(peer: Peer) -> None:
    await peer.base()
    _, end = peer.range()
    day = await peer.history(end - DAY, end)
    same(await peer.history(None, end), day, "end_time")
    answer = await peer.history(None, None)
    expect_success(answer)
    now = peer.transport.now()
    late = [time for _, time in times(answer) if not now - DAY - 120 <= time <= now + 120]
    expect(not late, answer, "outside", count=len(late))


@REQUESTS.of("Q-38")
async def _reads_offsets(peer: Peer) -> None:
    base = await peer.base()
    start, end = (stanzas.utc(time).removesuffix("+00:00") for time in peer.range())
    same(await peer.history(f"{start}Z", f"{end}Z"), base, f"{start}Z")
    expect_refusal(await peer.history(start, end), "bad-request")


@REQUESTS.of("Q-40")
async def _keeps_to_the_range(peer: Peer) -> None:
    start, end = peer.range()
    middle = await peer.middle()
    base, first, last = (
        await peer.base(),
        await peer.history(start, middle),
        await peer.history(middle, end),
    )
    for answer, since, until in ((base, start, end), (first, start, middle), (last, middle, end)):
        expect_success(answer)
        outside = [time for _, time in times(answer) if not since <= time < until]
        expect(not outside, answer, "outside", count=len(outside))
    expect(times(first) | times(last) == times(base), last, "differs", form=stanzas.utc(middle))


@REQUESTS.of("Q-42")
async def _refuses_a_range_backwards(peer: Peer) -> None:
    await peer.base()
    start, end = peer.range()
    expect_refusal(await peer.history(end, start), "bad-request")


@REQUESTS.of("Q-43")
async def _reports_success(peer: Peer) -> None:
    answers = [await peer.history(*peer.range())]
    if stanzas.refusal(answers[0]):
        raise NotTried("no_history")
    if "subscribe" in await peer.commands():
        answers += [await peer.subscription("subscribe"), await peer.subscription("unsubscribe")]
    for answer in answers:
        if stanzas.refusal(answer):
            continue
        command = answer.find(COMMAND)
        expect(command is not None, answer, "lacks", what="<command>")
        assert command is not None
        expect(command.get("status") == "completed", answer, "lacks", what="status=completed")
        form = command.find(FORM)
        sent = {} if form is None or form.get("type") != "result" else stanzas.values(form)
        expect(sent.get("result") == "Success", answer, "lacks", what="result=Success")
    expect(succeeded(answers[0]), answers[0], "lacks", what="<quoalise>")


@REQUESTS.of("Q-45")
async def _refuses_long_answers_whole(peer: Peer) -> None:
    base = await peer.base()
    answer = await peer.history(LONG_AGO, peer.range()[1])
    refused = stanzas.refusal(answer)
    if refused is not None:
        if refused.condition == "undefined-condition":
            raise NotTried("source", seen=refused.condition)
        expect_refusal(answer, "bad-request")
        return
    count = len(stanzas.records(answer))
    expect(count <= MAX_RECORDS, answer, "too_many", count=count, most=MAX_RECORDS)
    expect(times(base) <= times(answer), answer, "cut")


@REQUESTS.of("Q-47")
async def _has_a_form_to_fill_in(peer: Peer) -> None:
    await peer.base()
    labels = {}
    for language in ("en", "fr"):
        answer = await peer.command("get_history", language=language)
        expect_success(answer)
        command = answer.find(COMMAND)
        assert command is not None
        expect(command.get("status") == "executing", answer, "lacks", what="status=executing")
        expect(bool(command.get("sessionid")), answer, "lacks", what="sessionid")
        form = command.find(FORM)
        to_fill = form is not None and form.get("type") == "form"
        expect(to_fill, answer, "lacks", what="<x type='form'>")
        sent = {field.get("var"): field.get("label") for field in command.iter(FIELD)}
        for var in ("identifier", "start_time", "end_time"):
            expect(bool(sent.get(var)), answer, "lacks", what=f"{var}: label")
        labels[language] = sent
    expect(labels["en"] != labels["fr"], answer, "one_language")


@REQUESTS.of("Q-48")
async def _takes_empty_fields_as_missing(peer: Peer) -> None:
    await peer.base()
    _, end = peer.range()
    fields = (
        ("identifier", peer.target.series),
        ("start_time", ""),
        ("end_time", stanzas.utc(end)),
    )
    session = uuid4().hex
    answer = await peer.command(
        "get_history", stanzas.form(fields), action="complete", sessionid=session
    )
    same(answer, await peer.history(end - DAY, end), "start_time=''")
    command = answer.find(COMMAND)
    assert command is not None
    expect(command.get("sessionid") == session, answer, "lacks", what="sessionid")


@REQUESTS.of("Q-49")
async def _can_be_cancelled(peer: Peer) -> None:
    await peer.base()
    for answer in (
        await peer.command("get_history", action="cancel"),
        await peer.command("get_history", stanzas.form((), "cancel")),
    ):
        expect_success(answer)
        command = answer.find(COMMAND)
        status = None if command is None else command.get("status")
        expect(status == "canceled", answer, "lacks", what="status=canceled")


@REQUESTS.of("Q-50")
async def _refuses_a_field_that_comes_twice(peer: Peer) -> None:
    await peer.base()
    start, end = map(stanzas.utc, peer.range())
    fields = (("identifier", peer.target.series), ("start_time", start), ("end_time", end))
    twice = stanzas.form((*fields, fields[1]))
    expect_refusal(await peer.command("get_history", twice), "bad-request")
    with_two_values = stanzas.form(fields)
    with_two_values[1].append(stanzas.element(_VALUE, text=start))
    expect_refusal(await peer.command("get_history", with_two_values), "bad-request")


# Refusals


@REQUESTS.of("Q-57")
async def _hides_what_may_not_be_read(peer: Peer) -> None:
    await peer.base()
    expect_refusal(await peer.history(*peer.range(), series=NOWHERE), "not-authorized")
    if peer.target.foreign:
        answer = await peer.history(*peer.range(), series=peer.target.foreign)
        # Whether it exists is hidden, but for a delivery point, whose number is no secret.
        is_point = peer.target.foreign.startswith("urn:dev:prm:")
        expect_refusal(answer, "not-authorized", *(() if is_point else ("item-not-found",)))


@REQUESTS.of("Q-58")
async def _knows_other_series_of_a_device(peer: Peer) -> None:
    await peer.base()
    device, _, path = peer.target.series.partition("_")
    direction = path.partition("/")[0]
    for other in OTHER_PATHS:
        answer = await peer.history(*peer.range(), series=f"{device}_{direction}/{other}")
        if stanzas.refusal(answer):
            expect_refusal(answer, "not-authorized")
            break
    answer = await peer.history(*peer.range(), series=UNKNOWN_DEVICE)
    expect_refusal(answer, "not-authorized", "item-not-found")


@REQUESTS.of("Q-83")
async def _refuses_what_exceeds_limits(peer: Peer) -> None:
    await peer.base()
    long = f"urn:dev:example:{'x' * 300}_consumption/power/active/raw"
    answer = await peer.history(*peer.range(), series=long)
    expect_refusal(answer, "bad-request")
    refused = stanzas.refusal(answer)
    assert refused is not None
    named = any("identifier" in text for text in refused.texts.values())
    expect(named, answer, "lacks", what="identifier")


@REQUESTS.of("Q-55")
async def _refuses_in_the_language_of_the_request(peer: Peer) -> None:
    await peer.base()
    for language, wanted in (("fr", {"fr"}), ("en", {"en"}), ("de", {"de", "en"})):
        answer = await peer.history(*peer.range(), series=NOWHERE, language=language)
        refused = stanzas.refusal(answer)
        if refused is None or not any(refused.texts):
            raise NotTried("no_refusal")
        languages = {each.partition("-")[0].lower() for each in refused.texts}
        expect(
            bool(languages & wanted), answer, "other", wanted=language, seen=", ".join(languages)
        )


@REQUESTS.of("Q-53")
async def _refuses_by_the_table(peer: Peer) -> None:
    await peer.base()
    unreadable = await peer.history("yesterday", peer.range()[1])
    nameless = await peer.history(*peer.range(), series="a b")
    unknown = await peer.command("none_of_these")
    other = await peer.ask(Element(tag(UNKNOWN, "request")))
    expect_refusal(unreadable, "bad-request")
    expect_refusal(nameless, "bad-request")
    expect_refusal(unknown, "bad-request")
    expect_refusal(other, "feature-not-implemented", "service-unavailable")
    for answer in refusals(peer):
        refused = stanzas.refusal(answer)
        assert refused is not None
        condition, kind, _ = refused
        if answer is other:
            continue
        expect(condition in TYPES, answer, "other", wanted=" / ".join(TYPES), seen=condition)
        expect(kind == TYPES[condition], answer, "other", wanted=TYPES[condition], seen=kind)


TYPES: Final = {
    "not-authorized": "auth",
    "item-not-found": "cancel",
    "bad-request": "modify",
    "resource-constraint": "wait",
    "undefined-condition": "cancel",
    "internal-server-error": "wait",
    "policy-violation": "modify",
    "not-acceptable": "cancel",
    "feature-not-implemented": "cancel",
}
"""The conditions of refusals, and the type of each."""


def refusals(peer: Peer) -> list[Element]:
    """Return all answers that refuse."""
    answers = [exchange.answer for exchange in peer.exchanges]
    return [answer for answer in answers if stanzas.refusal(answer)]


@REQUESTS.of("Q-62")
async def _does_not_answer_errors(peer: Peer) -> None:
    await peer.base()
    sent = {}
    for name in (IQ, MESSAGE):
        fault = stanzas.element(
            name,
            stanzas.error("cancel", "feature-not-implemented", "This is an error."),
            type="error",
            to=peer.target.jid,
            id=uuid4().hex,
        )
        sent[fault.get("id")] = fault
        peer.transport.send(fault)
    # What it answers to them comes before this answer.
    await peer.ask(Element(stanzas.INFO_QUERY), kind="get", again=True)
    answered = next((stray for stray in peer.strays if stray.get("id") in sent), None)
    expect(answered is None, answered, "answered_error")
