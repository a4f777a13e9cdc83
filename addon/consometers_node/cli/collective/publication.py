"""What a collective publishes: `publication preview`, before it is opened; `open`, `close`."""

import asyncio
from datetime import date
from typing import Annotated

import typer

from consometers_node.cli.core import control_socket
from consometers_node.cli.core.errors import CliError, misused
from consometers_node.cli.core.locale import say
from consometers_node.cli.core.node_status import say_running
from consometers_node.cli.core.options import Ours, Yes
from consometers_node.cli.core.output import Json, Output
from consometers_node.cli.core.usage import Commands
from consometers_node.collective.publication.dry_run import Count, PreviewPeriod, foresee
from consometers_node.collective.publication.policy import (
    AT_ONCE,
    NOT_YET,
    InForce,
    objection_to_step,
    open_from,
    opened,
)
from consometers_node.collective.publication.reading.closed_hours import PastProgress, progress
from consometers_node.i18n.text import Text, text
from consometers_node.store.collective.access_log import Read, note_read
from consometers_node.store.collective.member_status import count_members

from .command import CollectiveSession, now, run

_WHO = "operator"
"""The actor's name in the access log."""
_EVERY_S = 0.5

_EVERYBODY = text("All members")
_COMMUNES = text("Communes")
_STRETCHES = {
    PreviewPeriod.DAY: text("yesterday, interval by interval"),
    PreviewPeriod.MONTH: text("the last 31 days"),
    PreviewPeriod.YEAR: text("the last year"),
}
_COUNT = text("{shown} published")
_WITH_HIDDEN = text("{shown} published, {hidden} not ({why})")
_REASON = text("{count} × {why}")
_PROSPECT = text(
    "{members} members share. Of their history since {day}, this publishes, once and for all:"
    " {intervals}. What is hidden then stays hidden."
)
_IN_VAIN = text(
    "No figure of the history could be published, nor ever will be once the collective is open:"
    " wait for more homes and their history. To do without it, add --without-history."
)
_ASK_WITHOUT = text("Open all the same, and do without the history for good? [y/N] ")
_ALREADY = text("The collective has been open since {at}.")
_NO_FIGURES = text("No figures to preview yet: wait for the records of your members.")
_MEANING = text(
    "“publication open” publishes this, once and for all. A home that joins later "
    "counts from its first hour on: wait until the history of your founders has "
    "arrived."
)
_ASK = text("Publish the history of your members, once and for all? [y/N] ")
_ASK_WAITING = text(
    "The last weeks of {count} of your members are still being fetched: no published figure would"
    " contain them. Publish without them, once and for all? [y/N] "
)
_OPENED = text("Sums are published from now on. Published figures stay.")
_OPENS = text("Sums are published from {day} on. Until then the collective is closed.")
_CLOSED = text("Nothing new is published until you open it again. Published figures stay.")
_PAST = text("History being published")
_GOES_ON = text(
    "The node is publishing the history. Ctrl+C closes this progress bar; the work continues."
)
_ALL_PAST = text("The history is published.")
_ONCE_ONLINE = text("The history will be published once the node is on the network.")
_NO_DAY = text("write a day, such as 2026-12-01.")

Day = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar=say("DAY"),
        help=say("Publish from this day on; without it, from now on."),
    ),
]

WithoutHistory = Annotated[
    bool,
    typer.Option("--without-history", help=say("Open even where no history can be published.")),
]

commands = Commands(run, Ours)


@commands.add(
    "preview",
    text("Preview publication under the present rules. Nothing is published."),
)
async def preview(session: CollectiveSession) -> None:
    """Show what would be published."""
    output = session.output
    at = now()
    async with session.store.writing() as connection:
        rules = await InForce(session.settings.publication).read(connection, now())
        await note_read(connection, Read(at=at, who=_WHO, what="preview of publication"))
    foreseen = await foresee(session.store, session.settings, rules.publication, at)
    if output.as_json:
        output.document(
            {
                period.stretch: {
                    "from": period.span.first.isoformat(),
                    "to": period.span.last.isoformat(),
                    "everybody": _counted(period.everybody),
                    "communes": _counted(period.areas),
                }
                for period in foreseen
            }
        )
        return
    rows = [
        (", ".join(map(output.translated, (name, _STRETCHES[period.stretch]))), count)
        for period in foreseen
        for name, count in ((_EVERYBODY, period.everybody), (_COMMUNES, period.areas))
        if count.shown or count.hidden
    ]
    if not rows:
        output.say(_NO_FIGURES)
        return
    output.table(
        {
            text("Sums"): lambda row: row[0],
            "": lambda row: _count_text(output, row[1]),
        },
        rows,
    )
    output.say(_MEANING)


@commands.add(
    "open",
    text("Publish sums from now on, and once the history that members allowed."),
)
def open_collective(
    common: Ours,
    day: Day = None,
    *,
    yes: Yes = False,
    without_history: WithoutHistory = False,
) -> None:
    """Open the collective."""
    opens = AT_ONCE if day is None else _read(day)

    async def work(session: CollectiveSession) -> None:
        if not await _is_open_already(session, opens):
            await _agree(session, opens, yes=yes, without_history=without_history)
            await _open(session, opens)

    run(common, work)


@commands.add(
    "close",
    text("Stop publishing. Published figures stay."),
)
def close(common: Ours) -> None:
    """Close the collective."""
    run(common, lambda session: _open(session, NOT_YET))


async def _is_open_already(session: CollectiveSession, opens: date) -> bool:
    """Report an opening that changes nothing."""
    zone, today = session.settings.time_zone, now().astimezone(session.settings.time_zone).date()
    async with session.store.reading() as connection:
        opening = await opened(connection)
    if opening is None or opening.opens > today or opens > today:
        return False
    if session.output.as_json:
        session.output.document({"opens": opening.opens.isoformat()})
    else:
        at = opening.since(zone).astimezone(zone).date().isoformat()
        session.output.say(_ALREADY, at=at)
    return True


async def _agree(
    session: CollectiveSession, opens: date, *, yes: bool, without_history: bool
) -> None:
    """Show what an opening does, and ask before it does. Raises CliError."""
    output, settings, at = session.output, session.settings, now()
    async with session.store.reading() as connection:
        givers = (await count_members(connection, at)).granting.values()
        rules = await InForce(settings.publication).read(connection, at)
        objection = await objection_to_step(connection, rules.chosen.publication)
    if objection is not None:
        raise CliError("not-hourly", objection)
    *_, past = await foresee(session.store, settings, rules.chosen.publication, at)
    if not output.as_json:
        output.say(
            _PROSPECT,
            members=sum(giver.members for giver in givers),
            day=past.span.first.isoformat(),
            intervals=_count_text(output, past.intervals),
        )
    behind = sum(giver.unread for giver in givers)
    output.agree(_ASK_WAITING.fill(count=behind) if behind else _ASK, yes=yes)
    # Until a later day, more may arrive.
    is_later = opens > at.astimezone(settings.time_zone).date()
    if is_later or without_history or not past.intervals.is_in_vain:
        return
    if yes or output.as_json:
        raise CliError("nothing-to-publish", _IN_VAIN)
    output.say(_IN_VAIN)
    output.agree(_ASK_WITHOUT, yes=False)


async def _open(session: CollectiveSession, opens: date) -> None:
    output = session.output
    async with session.store.writing() as connection:
        await open_from(connection, opens, _WHO, now())
    await session.look_again()
    if output.as_json:
        output.document({"opens": None if opens == NOT_YET else opens.isoformat()})
        return
    words: Text = {AT_ONCE: _OPENED, NOT_YET: _CLOSED}.get(opens, _OPENS)
    output.say(words, day=opens.isoformat())
    if output.is_watched and opens != NOT_YET:
        running = await control_socket.ask(session.settings.folder, "status")
        await follow(session, running)


async def follow(session: CollectiveSession, running: control_socket.Status | None) -> None:
    """Show how far the running node has published the past, until it is done."""
    output = session.output
    if await _past(session) is None:
        return
    if running is None or not running["online"]:
        say_running(running, output)
        output.say(_ONCE_ONLINE)
        return
    output.say(_GOES_ON)
    with output.progress(_PAST, 1.0) as reached:
        while (state := await _past(session)) is not None:
            reached(state.share)
            await asyncio.sleep(_EVERY_S)
    output.say(_ALL_PAST)


async def _past(session: CollectiveSession) -> PastProgress | None:
    zone = session.settings.time_zone
    async with session.store.reading() as connection:
        rules = await InForce(session.settings.publication).read(connection, now())
        opening = await opened(connection)
        if opening is None or not rules.are_open(now(), zone):
            return None
        return await progress(connection, rules.publication, zone, opening)


def _read(day: str) -> date:
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise misused("--from", _NO_DAY) from None


def _counted(count: Count) -> dict[str, Json]:
    return {
        "published": count.shown,
        "not_published": {str(why): times for why, times in count.withheld.items()},
    }


def _count_text(output: Output, count: Count) -> str:
    if not count.hidden:
        return output.translated(_COUNT, shown=count.shown)
    why = ", ".join(
        output.translated(_REASON, count=times, why=reason.short)
        for reason, times in count.withheld.most_common()
    )
    return output.translated(_WITH_HIDDEN, shown=count.shown, hidden=count.hidden, why=why)
