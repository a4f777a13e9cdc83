"""The state of a collective's node: `status`, for its operator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import cast

from consometers_node.cli.core import control_socket
from consometers_node.cli.core.node_status import say_running, shared_of, show_shared
from consometers_node.cli.core.options import Ours
from consometers_node.cli.core.output import Columns, Json, Output
from consometers_node.cli.core.times import day, local, shown
from consometers_node.collective.calendar import Span
from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.collective.members.members import MemberKind
from consometers_node.collective.monitoring.backups import Backups, BackupStep, backups
from consometers_node.collective.monitoring.problems import (
    Problem,
    ProblemKind,
    of_backups,
    of_disk,
    of_members,
    of_set_back,
    of_witnesses,
)
from consometers_node.collective.permissions import member_permissions, needs
from consometers_node.collective.privacy.erasure import is_wiped
from consometers_node.collective.privacy.export import values
from consometers_node.collective.publication.policy import NOT_YET, InForce
from consometers_node.collective.publication.reading.queries import Published
from consometers_node.collective.settings import Settings
from consometers_node.collective.witness.heads import set_back
from consometers_node.collective.witness.register import Witnessed, overview
from consometers_node.i18n.text import text
from consometers_node.series import Interval
from consometers_node.sharing.consent_text import INTERVALS
from consometers_node.store import Store
from consometers_node.store.collective.masked_reports import waiting_since
from consometers_node.store.collective.member_series import last_received_at
from consometers_node.store.collective.member_status import (
    GrantingMembers,
    MemberCounts,
    count_members,
)
from consometers_node.store.engine.connection import AsyncConnection

from .command import CollectiveSession, now, run
from .membership import KINDS
from .needs import unreadable

_LOOKS_BACK = timedelta(days=31)
"""How far back the last released interval is looked for."""
_DAY = timedelta(days=1)

_OF = text("{name} ({identifier})")
_KINDS: Columns[tuple[str, GrantingMembers]] = {
    text("Members"): lambda row: KINDS[MemberKind(row[0])],
    text("With an active permission"): lambda row: row[1].members,
    text("Sending data"): lambda row: row[1].delivering,
}
_NOBODY = text("There is no member yet: “consometers-node invitations make” creates an invitation.")
_GUESTS = text("Members without an active permission: {count}.")
_CATCHING_UP = text("Members whose history is still being fetched: {count}.")
_HEARD = text("Last records: {at}.")
_RELEASED = text("Sums are published until {at}.")
_NOT_RELEASED = text("No sum of the last 31 days is published.")
_WITHHELD = text("Intervals since yesterday without a sum of homes: {reasons}.")
_REASON = text("{count} ({why})")
_STEPS = {
    BackupStep.MADE: text("Last backup: {at}."),
    BackupStep.TESTED: text("Last test restore: {at}."),
    BackupStep.COPIED: text("Last off-site copy: {at}."),
}
_PROBLEM = text("Problem: {said}")
_SAID = frozenset({ProblemKind.NETWORK, ProblemKind.DATABASE, ProblemKind.CLOCK})
"""What a running node reports itself."""
_CLOSED = text(
    "Nothing is published before the collective is opened: look at the preview first"
    " (“consometers-node publication preview”), then open it (“publication open”)."
)
_DUE = text("Permissions whose records are being erased: {count}.")
_ANNOUNCED = text(
    "Expired permissions with records to be erased within a day: {count}; the first at {at}."
)
_LATER = text(
    "Ended permissions with records still kept for the announced time: {count}; the first"
    " erasure is on {day}."
)
_UNTOLD = text("Ended permissions not yet notified to the member's node: {count}.")
_TRACES = text(
    "Traces of erased data remain in the database files: the running node overwrites them within"
    " minutes."
)
_TOLD = text("Sums that others read:")
_NEXT_STEP = text("Resolution from {day} on: {resolution}.")
_WITNESSED = text(
    "Witness for {collective}: {homes} homes enrolled, {opened} sums opened, {refused} refused."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Erasures:
    """Ended permissions, by what remains to be done with their records."""

    due: int
    announced: int
    announced_first: datetime | None
    later: int
    first: datetime | None
    unnotified: int
    wiped: bool

    @classmethod
    async def read(cls, connection: AsyncConnection, at: datetime) -> _Erasures:
        ends = {
            permission.id: permission.erase_at
            for permission in await member_permissions.all_permissions(connection)
            if permission.series and permission.erase_at is not None
        }
        asked = [permission.id for permission in await member_permissions.due(connection, None)]
        announced = [permission.id for permission in await member_permissions.announced(connection)]
        soon = [ends[permission_id] for permission_id in announced if ends[permission_id] > at]
        certain = {*asked, *announced}
        later = [
            end for permission_id, end in ends.items() if permission_id not in certain and end > at
        ]
        return cls(
            due=len(ends) - len(later) - len(soon),
            announced=len(soon),
            announced_first=min(soon, default=None),
            later=len(later),
            first=min(later, default=None),
            unnotified=len(await member_permissions.not_notified(connection)),
            wiped=await is_wiped(connection),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Collective:
    """Figures from the database."""

    members: MemberCounts
    last_received_at: datetime | None
    released_until: datetime | None
    withheld: Mapping[Reason, int]
    opens: date | None
    interval: Interval
    next_interval: tuple[Interval, date] | None
    """The next one, and the civil day from which on it is that."""
    """From when on sums are published; None while the collective is closed."""
    erasures: _Erasures
    unreadable: Sequence[needs.OwnNeed]
    backups: Backups
    witnessed: Sequence[Witnessed]
    problems: Sequence[Problem]
    """Problems that the database and the machine show, beside those of a running node."""


def status(common: Ours) -> None:
    """Print the status of a collective's node: its members, its sums, what waits and why."""

    async def work(session: CollectiveSession) -> None:
        store, settings, output = session.store, session.settings, session.output
        running = await control_socket.ask(settings.folder, "status")
        state = await _look(store, settings)
        problems = dict(cast(Mapping[str, str], (running or {}).get("problems", {})))
        problems |= {entry.kind: output.translated(entry.words) for entry in state.problems}
        shared = await shared_of(store, running, {})
        if output.as_json:
            document: dict[str, Json] = {
                "name": settings.name,
                "identifier": settings.identifier,
                "account": settings.xmpp.account,
                "running": running is not None,
            }
            document |= {**(running or {}), **_document(state)}
            output.document(document | {"problems": problems, "peers": shared})
            return
        output.say(_OF, name=settings.name, identifier=settings.identifier)
        say_running(running, output)
        for kind, words in problems.items():
            if kind not in _SAID:
                output.say(_PROBLEM, said=words)
        _show(state, output)
        if shared:
            output.say(_TOLD)
            show_shared(shared, output)

    run(common, work)


async def _look(store: Store, settings: Settings) -> _Collective:
    at, zone = now(), settings.time_zone
    yesterday = Span((at - _DAY).astimezone(zone).date(), at.astimezone(zone).date())
    async with store.reading() as connection:
        members, backed_up = await count_members(connection, at), await backups(connection)
        rules = await InForce(settings.publication).read(connection, at)
        change = rules.next_step
        published = Published(settings.identifier, zone, rules.publication)
        latest = await published.latest(connection, at - _LOOKS_BACK, at)
        return _Collective(
            opens=None if rules.opens == NOT_YET else rules.opens,
            interval=rules.publication.interval,
            next_interval=(change.after, change.since.astimezone(zone).date()) if change else None,
            members=members,
            last_received_at=await last_received_at(connection),
            released_until=None if latest is None else latest.interval.end,
            withheld=await published.withheld(
                connection, rules.publication.interval, yesterday, at
            ),
            erasures=await _Erasures.read(connection, at),
            unreadable=[
                need for need in await needs.unreadable(connection) if need.closed_at is None
            ],
            backups=backed_up,
            witnessed=await overview(connection, settings.witness_for, at),
            problems=[
                *await of_disk(settings.folder),
                *of_backups(backed_up, at),
                *of_members(members),
                *of_witnesses(await waiting_since(connection), at),
                *of_set_back(await set_back(connection), at),
            ],
        )


def _document(state: _Collective) -> dict[str, Json]:
    givers, erasures, change = state.members.granting, state.erasures, state.next_interval
    return {
        "members": {
            kind: {
                "granting": giver.members,
                **values(giver, "series", "delivering", "catching_up", "unread"),
            }
            for kind, giver in sorted(givers.items())
        },
        "guests": state.members.guests,
        "last_received_at": shown(state.last_received_at),
        "released_until": shown(state.released_until),
        "withheld": {str(why): count for why, count in state.withheld.items()},
        "opens": None if state.opens is None else state.opens.isoformat(),
        "interval": state.interval,
        "next_interval": change and {"interval": change[0], "from": change[1].isoformat()},
        "erasures": values(erasures),
        "backups": {step: shown(state.backups.last.get(step)) for step in BackupStep},
        "witness": list(map(values, state.witnessed)),
        "unreadable_needs": [
            {"need": left.need.id, "version": left.need.version} for left in state.unreadable
        ],
    }


def _show(state: _Collective, output: Output) -> None:
    members = state.members
    if members.granting:
        output.table(_KINDS, sorted(members.granting.items()))
    else:
        output.say(_NOBODY)
    if members.guests:
        output.say(_GUESTS, count=members.guests)
    if behind := sum(giver.catching_up for giver in members.granting.values()):
        output.say(_CATCHING_UP, count=behind)
    if state.last_received_at is not None:
        output.say(_HEARD, at=local(state.last_received_at))
    if state.opens is None:
        output.say(_CLOSED)
    elif state.released_until is None:
        output.say(_NOT_RELEASED)
    else:
        output.say(_RELEASED, at=local(state.released_until))
    if state.next_interval is not None:
        interval, since = state.next_interval
        resolution = output.translated(INTERVALS[interval])
        output.say(_NEXT_STEP, day=since.isoformat(), resolution=resolution)
    if state.withheld:
        reasons = ", ".join(
            output.translated(_REASON, count=count, why=why.short)
            for why, count in sorted(state.withheld.items())
        )
        output.say(_WITHHELD, reasons=reasons)
    for step, words in _STEPS.items():
        if step in state.backups.last:
            output.say(words, at=local(state.backups.last[step]))
    _show_erasures(state.erasures, output)
    for each in state.witnessed:
        output.say(
            _WITNESSED,
            collective=each.collective,
            homes=each.homes,
            opened=each.opened,
            refused=sum(each.refused.values()),
        )
    for need in state.unreadable:
        output.say(unreadable(need))


def _show_erasures(erasures: _Erasures, output: Output) -> None:
    if erasures.due:
        output.say(_DUE, count=erasures.due)
    if erasures.announced_first is not None:
        at = local(erasures.announced_first)
        output.say(_ANNOUNCED, count=erasures.announced, at=at)
    if erasures.later:
        output.say(_LATER, count=erasures.later, day=day(erasures.first))
    if erasures.unnotified:
        output.say(_UNTOLD, count=erasures.unnotified)
    if not erasures.wiped:
        output.say(_TRACES)
