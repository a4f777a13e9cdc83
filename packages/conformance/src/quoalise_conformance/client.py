"""Judges a client by its requests, and by its reactions to what the kit pushed."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from itertools import pairwise
from typing import Final

from . import schemas
from .checks.content import beyond_limits, is_identifier
from .checks.registry import Checks, expect
from .results import SCHEMA, Failed, Finding, NotTried, Result, result
from .served import Request, Served
from .session.transport import Transport
from .synthetic import Trial

_CLIENT: Final = Checks[Served]()

CHECKS: Final[Mapping[str, Callable[[Served], Awaitable[None]]]] = _CLIENT.by_number
AT_ONCE_SECONDS: Final = 1.0
A_MINUTE: Final = 60
WITH_FIELDS: Final = frozenset({"get_history", "subscribe", "unsubscribe"})


async def try_client(transport: Transport, wait_for: int | None = None) -> dict[str, Result]:
    """Serve until `wait_for` requests, or the end of the session; return each check's result."""
    served = Served(transport, wait_for)
    await served.run()
    return await judge(served)


async def judge(served: Served) -> dict[str, Result]:
    """Return the result of each check."""
    results = {}
    for number, check in CHECKS.items():
        finding: Finding | None = None
        try:
            await check(served)
        except Finding as raised:
            finding = raised
            if raised.stanza is not None:
                served.offending.append(raised.stanza)
        results[number] = result(number, finding)
    return results


def requests(served: Served, *nodes: str) -> list[Request]:
    """Return the requests of these commands. Raises `NotTried` if there is none."""
    chosen = [each for each in served.requests if not nodes or each.node in nodes]
    if not chosen:
        raise NotTried("no_request")
    return chosen


@_CLIENT.of("Q-24")
async def _asks_by_identifiers(served: Served) -> None:
    for request in requests(served, *WITH_FIELDS):
        name = request.fields.get("identifier", "")
        name = "urn:dev:" + name[8:] if name[:8].lower() == "urn:dev:" else name
        expect(is_identifier(name), request.stanza, "unreadable", what=name)


@_CLIENT.of("Q-31")
async def _asks_in_one_stage(served: Served) -> None:
    for request in requests(served):
        stanza = request.stanza
        command = stanza[0]
        seen = stanza.get("type", "")
        expect(seen == "set", stanza, "other", wanted="type=set", seen=seen)
        seen = stanza.get("to", "")
        expect(
            seen == served.transport.jid, stanza, "other", wanted=served.transport.jid, seen=seen
        )
        expect(command.get("action") == "execute", stanza, "lacks", what="action=execute")
        if request.node in WITH_FIELDS:
            submitted = any(child.get("type") == "submit" for child in command)
            expect(submitted, stanza, "lacks", what="<x type='submit'>")


@_CLIENT.of("Q-36")
async def _sends_both_times(served: Served) -> None:
    for request in requests(served, "get_history"):
        for var in ("start_time", "end_time"):
            expect(var in request.fields, request.stanza, "lacks", what=var)


def times(served: Served) -> Iterator[tuple[Request, str]]:
    """Yield each time of a request. Raises `NotTried` if there is none."""
    listed = [
        (request, request.fields[var])
        for request in requests(served, "get_history")
        for var in ("start_time", "end_time")
        if var in request.fields
    ]
    if not listed:
        raise NotTried("none_sent", what="start_time, end_time")
    yield from listed


@_CLIENT.of("Q-37")
async def _writes_offsets(served: Served) -> None:
    for request, time in times(served):
        offset = time.endswith(("Z", "z")) or time[-6:-5] in {"+", "-"}
        expect(offset and "T" in time, request.stanza, "unreadable", what=time)


@_CLIENT.of("Q-39")
async def _writes_the_offset_zero_in_digits(served: Served) -> None:
    for request, time in times(served):
        expect(not time.endswith(("Z", "z")), request.stanza, "written", what=time)


@_CLIENT.of("Q-46")
async def _shortens_its_range(served: Served) -> None:
    asked = requests(served, "get_history")
    place = next((n for n, each in enumerate(asked) if _refused_range(each)), None)
    if place is None:
        raise NotTried("no_request")
    refused, later = asked[place], asked[place + 1 :]
    start, end = refused.range
    assert end is not None
    answered = [each.range for each in later if not each.refused]
    if not answered or answered[0][0] != start or (answered[0][1] or end) >= end:
        raise Failed("not_shorter", refused.stanza)
    for (_, before), (after, _) in pairwise(answered):
        if before == end:
            return
        expect(after == before, refused.stanza, "not_next")
    expect(answered[-1][1] == end, refused.stanza, "not_next")


def _refused_range(request: Request) -> bool:
    start, end = request.range
    return (
        request.refused == "bad-request" and start is not None and end is not None and start < end
    )


@_CLIENT.of("Q-51")
async def _asks_at_a_moderate_rate(served: Served) -> None:
    asked = requests(served)
    for request in asked:
        expect(not request.overlaps, request.stanza, "overlapping")
    for first, last in zip(asked, asked[A_MINUTE:], strict=False):
        if last.at - first.at < 60:
            raise Failed("too_many", last.stanza, count=A_MINUTE + 1, most=A_MINUTE)


@_CLIENT.of("Q-56")
async def _goes_by_the_condition(served: Served) -> None:
    refused = [each for each in requests(served) if each.refused]
    if not refused:
        raise NotTried("no_refusal")
    for before, after in pairwise(served.requests):
        again = (before.node, before.fields) == (after.node, after.fields)
        waited = after.at - before.at
        if before.refused and again and waited < AT_ONCE_SECONDS:
            what = before.refused
            raise Failed("repeated", after.stanza, seconds=f"{waited:.1f}", what=what)


@_CLIENT.of("Q-82")
async def _stays_within_limits(served: Served) -> None:
    for request in requests(served):
        excess = beyond_limits(request.stanza)
        expect(not excess, request.stanza, "beyond", what=excess)


@_CLIENT.of("Q-62")
async def _does_not_answer_errors(served: Served) -> None:
    if not served.pushed:
        raise NotTried("no_subscriber")
    for stanza in served.answered_errors:
        raise Failed("answered_error", stanza)


def pushes(served: Served) -> list[tuple[Trial, str]]:
    """Return what was pushed, and how the subscriber reacted; `NotTried` without receipts."""
    if not served.pushed:
        raise NotTried("no_subscriber")
    announced = bool(served.reactions) if served.receipts is None else served.receipts
    if not announced:
        raise NotTried("no_receipts")
    return [(trial, served.reactions.get(each, "")) for each, trial in served.pushed.items()]


@_CLIENT.of("Q-65")
async def _receives_at_its_bare_address(served: Served) -> None:
    first, _ = pushes(served)[0]
    if not served.reactions:
        raise Failed("no_receipt", first.payload, what=first.what)


def reactions(served: Served) -> list[tuple[Trial, str]]:
    """Return them once the last message has its receipt, so that none is still to come."""
    pushed = pushes(served)
    if pushed[-1][1] != "receipt":
        raise NotTried("no_reaction")
    return pushed


def _reacts(number: str) -> None:
    @_CLIENT.of(number)
    async def _judges_messages(served: Served) -> None:
        for trial, reaction in reactions(served):
            if trial.number == number:
                received = reaction == "receipt"
                key = "no_receipt" if trial.accepted else "receipt"
                expect(received == trial.accepted, trial.payload, key, what=trial.what)


for _number in ("Q-5", "Q-7", "Q-11", "Q-15", "Q-17", "Q-18", "Q-19", "Q-83"):
    _reacts(_number)


@_CLIENT.of("Q-78")
async def _returns_what_it_refuses(served: Served) -> None:
    for trial, reaction in reactions(served):
        if not trial.accepted and reaction != "receipt":
            expect(reaction == "error", trial.payload, "not_returned", what=trial.what)


@_CLIENT.of(SCHEMA)
async def _is_valid(served: Served) -> None:
    explained = {schemas.fault(stanza) for stanza in served.offending} | {""}
    for request in requests(served):
        reason = schemas.fault(request.stanza)
        expect(reason in explained, request.stanza, "invalid", what=reason)
