"""How a collective's node stands: `status`, for whoever runs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from consometers_node.collective.calendar import Span
from consometers_node.collective.disclosure.sdc_rules import Reason
from consometers_node.collective.members.members import Kind
from consometers_node.collective.permissions import member_permissions, needs
from consometers_node.collective.privacy.erasure import is_wiped
from consometers_node.collective.publication.policy import chosen, opened
from consometers_node.collective.publication.queries import Published
from consometers_node.collective.publication.snapshots import latest, moments
from consometers_node.collective.settings import Settings
from consometers_node.quoalise.text import text
from consometers_node.store import Store
from consometers_node.store.member_series import last_heard
from consometers_node.store.standing import Standing, standing

from . import control_socket, status as of_any
from .collective import Ours, day, now, run, shown
from .membership import KINDS
from .needs import unreadable
from .options import Common
from .output import Json, Output
from .times import local

_LOOKS_BACK = timedelta(days=31)
"""How far back the last released interval is looked for."""
_DAY = timedelta(days=1)

_OF = text("{name} ({identifier})")
_KIND = text("Members")
_GRANT = text("Grant something")
_DELIVER = text("Deliver")
_NOBODY = text("Nobody grants anything yet: “consometers-node invitations make” invites.")
_GUESTS = text("Members that grant nothing, or no longer: {count}.")
_CATCHING_UP = text("Members whose past is still being read in: {count}.")
_HEARD = text("Last records: {at}.")
_RELEASED = text("Sums are published until {at}.")
_NOT_RELEASED = text("No sum of the last 31 days is published.")
_WITHHELD = text("Intervals since yesterday without a sum of homes: {reasons}.")
_REASON = text("{count} ({why})")
_REASONS = {
    Reason.NOT_YET: text("not closed yet"),
    Reason.BELOW_THRESHOLD: text("too few homes"),
    Reason.DOMINANCE: text("one home makes most of it", context="status"),
    Reason.NEVER: text("too short a time"),
}
_CLOSED = text(
    "Nothing is published before the collective is opened: look at the preview first"
    " (“consometers-node publication preview”), then open it (“publication open”)."
)
_DUE = text("Permissions whose records are being erased: {count}.")
_ANNOUNCED = text(
    "Permissions whose records are erased within a day because their time is over: {count}; the"
    " first at {at}."
)
_LATER = text(
    "Ended permissions whose records are kept for their time: {count}; the first are erased on"
    " {day}."
)
_UNTOLD = text("Ends of which the member's node was not told yet: {count}.")
_TRACES = text(
    "Traces of what was erased are still in the files of the database: the node that runs"
    " overwrites them within minutes."
)
_TOLD = text("Sums that others read:")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Erasures:
    """Permissions that have ended, by what is still to happen to what they brought."""

    due: int
    announced: int
    announced_first: datetime | None
    later: int
    first: datetime | None
    untold: int
    wiped: bool

    @classmethod
    async def of(cls, connection: AsyncConnection, at: datetime) -> _Erasures:
        ends = {
            one.id: one.erase_at
            for one in await member_permissions.all_given(connection)
            if one.series and one.erase_at is not None
        }
        asked = [one.id for one in await member_permissions.due(connection, None)]
        announced = [one.id for one in await member_permissions.announced(connection)]
        soon = [ends[number] for number in announced if ends[number] > at]
        certain = {*asked, *announced}
        later = [end for number, end in ends.items() if number not in certain and end > at]
        return cls(
            due=len(ends) - len(later) - len(soon),
            announced=len(soon),
            announced_first=min(soon, default=None),
            later=len(later),
            first=min(later, default=None),
            untold=len(await member_permissions.untold(connection)),
            wiped=await is_wiped(connection),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Collective:
    """How it stands, as the database has it."""

    standing: Standing
    heard_at: datetime | None
    released_until: datetime | None
    withheld: Mapping[Reason, int]
    opens: date | None
    """From when on sums are published; None while the collective is closed."""
    erasures: _Erasures
    unreadable: Sequence[needs.Unreadable]


def status(common: Common, settings: Path | None) -> None:
    """Print the status of a collective's node: its members, its sums, what waits and why."""
    ours = Ours(data=common.data, as_json=common.as_json, settings=settings)
    output = common.output

    async def work(store: Store, settings: Settings) -> None:
        running = await control_socket.ask(control_socket.socket_in(settings.folder), "status")
        found = await _look(store, settings)
        shared = await of_any.shared_of(store, running, {})
        if output.as_json:
            told: dict[str, Json] = {
                "name": settings.name,
                "identifier": settings.identifier,
                "account": settings.xmpp.account,
                "running": running is not None,
            }
            output.document(told | dict(running or {}) | _told(found) | {"peers": shared})
            return
        output.say(_OF, name=settings.name, identifier=settings.identifier)
        of_any.say_running(running, output)
        _show(found, output)
        if shared:
            output.say(_TOLD)
            of_any.show_shared(shared, output)

    run(ours, work)


async def _look(store: Store, settings: Settings) -> _Collective:
    at, zone = now(), settings.time_zone
    yesterday = Span((at - _DAY).astimezone(zone).date(), at.astimezone(zone).date())
    async with store.reading() as connection:
        choice = await chosen(connection)
        rules = settings.publication if choice is None else choice.rules.publication
        published = Published(settings.identifier, zone, rules)
        moment = latest(await moments(published, connection, at - _LOOKS_BACK, at))
        opening = await opened(connection)
        return _Collective(
            opens=None if opening is None else opening.opens,
            standing=await standing(connection, at),
            heard_at=await last_heard(connection),
            released_until=None if moment is None else moment.end,
            withheld=await published.withheld(connection, rules.interval, yesterday, at),
            erasures=await _Erasures.of(connection, at),
            unreadable=[one for one in await needs.unreadable(connection) if one.closed_at is None],
        )


def _told(found: _Collective) -> dict[str, Json]:
    givers, erasures = found.standing.givers, found.erasures
    return {
        "members": {
            kind: {
                "granting": one.members,
                "series": one.series,
                "delivering": one.delivering,
                "catching_up": one.catching_up,
            }
            for kind, one in sorted(givers.items())
        },
        "guests": found.standing.guests,
        "heard_at": shown(found.heard_at),
        "released_until": shown(found.released_until),
        "withheld": {why.name.lower(): count for why, count in found.withheld.items()},
        "opens": None if found.opens is None else found.opens.isoformat(),
        "erasures": {
            "due": erasures.due,
            "announced": erasures.announced,
            "announced_first": shown(erasures.announced_first),
            "later": erasures.later,
            "first": shown(erasures.first),
            "untold": erasures.untold,
            "wiped": erasures.wiped,
        },
        "unreadable_needs": [
            {"need": one.need, "version": one.version} for one in found.unreadable
        ],
    }


def _show(found: _Collective, output: Output) -> None:
    state = found.standing
    if state.givers:
        rows = [
            [output.said(KINDS[Kind(kind)]), str(one.members), str(one.delivering)]
            for kind, one in sorted(state.givers.items())
        ]
        output.table((_KIND, _GRANT, _DELIVER), rows)
    else:
        output.say(_NOBODY)
    if state.guests:
        output.say(_GUESTS, count=state.guests)
    if behind := sum(one.catching_up for one in state.givers.values()):
        output.say(_CATCHING_UP, count=behind)
    if found.heard_at is not None:
        output.say(_HEARD, at=local(found.heard_at.timestamp()))
    if found.opens is None:
        output.say(_CLOSED)
    elif found.released_until is None:
        output.say(_NOT_RELEASED)
    else:
        output.say(_RELEASED, at=local(found.released_until.timestamp()))
    if found.withheld:
        reasons = ", ".join(
            output.said(_REASON, count=count, why=output.said(_REASONS[why]))
            for why, count in sorted(found.withheld.items())
        )
        output.say(_WITHHELD, reasons=reasons)
    _show_erasures(found.erasures, output)
    for one in found.unreadable:
        output.say(unreadable(one))


def _show_erasures(found: _Erasures, output: Output) -> None:
    if found.due:
        output.say(_DUE, count=found.due)
    if found.announced_first is not None:
        at = local(found.announced_first.timestamp())
        output.say(_ANNOUNCED, count=found.announced, at=at)
    if found.later:
        output.say(_LATER, count=found.later, day=day(found.first))
    if found.untold:
        output.say(_UNTOLD, count=found.untold)
    if not found.wiped:
        output.say(_TRACES)
