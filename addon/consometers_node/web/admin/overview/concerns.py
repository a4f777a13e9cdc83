"""Problems that need a person: each in one sentence, with the page to go to."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version as installed

from consometers_node.collective.about import NOTICES, load_about, subject_of
from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.collective.members import invitations
from consometers_node.collective.members.accounts import removal_problems
from consometers_node.collective.members.member_overview import (
    MemberOverview,
    Status,
    granted_needs,
)
from consometers_node.collective.monitoring.backups import Backups
from consometers_node.collective.monitoring.problems import (
    ProblemKind,
    Weight,
    of_backups,
    of_disk,
    of_set_back,
    of_witnesses,
)
from consometers_node.collective.permissions import member_permissions, needs
from consometers_node.collective.publication.policy import BadRules, InForce, chosen, opened
from consometers_node.collective.publication.reading.closed_hours import (
    IntervalState,
    hours,
    missing,
    progress,
)
from consometers_node.collective.witness.heads import set_back
from consometers_node.i18n.text import Text, around, text
from consometers_node.settings_file.schema import Key
from consometers_node.store.collective import claims, set_aside
from consometers_node.store.collective.masked_reports import waiting_since
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.admin.page_base import AdminPages
from consometers_node.web.core.admin_context import AdminContext
from consometers_node.web.core.speech import Language
from consometers_node.web.public.words import FLOWS

_SOON = timedelta(days=7)
_ENDS_SOON = timedelta(days=30)
_UNANSWERED_AFTER = timedelta(days=14)
_UNTOLD_AFTER = timedelta(days=7)
_DISTRIBUTION = "consometers-node"
_BACKUPS = "#backups"
_PAGES = {
    ProblemKind.CLOCK: None,  # it is confirmed beside
    ProblemKind.BACKUP: _BACKUPS,
    ProblemKind.TEST_RESTORE: _BACKUPS,
    ProblemKind.OFFSITE_COPY: _BACKUPS,
}

_VERSION = text("Version {new} is installed, and {old} still runs: restart the node.")
_SILENT = (
    text("One member has sent no data for three days."),
    text("{count} members have sent no data for three days."),
)
_PROBLEMS = (
    text("One member’s node refuses some of the allowed data."),
    text("The nodes of {count} members refuse some of the allowed data."),
)
_INVALID = (
    text("The reports of one member do not prove their values: they are in no sum."),
    text("The reports of {count} members do not prove their values: they are in no sum."),
)
_CONTESTED = (
    text("Two members share data under the same device name: decide who owns the device."),
    text(
        "{count} members share under the name of a device that another member names too: decide"
        " whose it is."
    ),
)
_SET_ASIDE = (
    text(
        "Records of one member are implausibly high and set aside: accept them, or ask the member."
    ),
    text(
        "Records of {count} members are implausibly high and set aside: accept them, or ask the"
        " members."
    ),
)
_ENDING = (
    text("A permission of one member expires within 30 days."),
    text("Permissions of {count} members expire within 30 days."),
)
_UNTOLD = (
    text(
        "One member could not be informed for a week that a permission ended: its node is offline."
    ),
    text(
        "{count} members could not be informed for a week that a permission ended: their "
        "nodes are offline."
    ),
)
_ACCOUNTS = (
    text("The account of one erased member is still on the XMPP server. {said}"),
    text("The accounts of {count} erased members are still on the XMPP server. {said}"),
)
_GUESTS = (
    text("One home joined two weeks ago or more, and has allowed nothing yet."),
    text("{count} homes joined two weeks ago or more, and have allowed nothing yet."),
)
_INVITATIONS = (
    text("One usable invitation expires within a week."),
    text("{count} usable invitations expire within a week."),
)
_LOST = text("“{need}”, version {version}, cannot be read: nobody can allow it.")
_NO_ANSWER = text("For two weeks or more, nobody has answered “{said}”.")

_OPENS = text("Nothing new is published before {day}: the collective opens then.")
_BAD_RULES = text(
    "The publication rules cannot be read: nothing new is published. Choose them again."
)
_PAST = text("The history is being published, up to {at} so far.")
_NOT_PUBLISHED = (
    text("{of}: one interval since yesterday is not published. {said}"),
    text("{of}: {count} intervals since yesterday are not published. {said}"),
)


@dataclass(frozen=True, slots=True)
class Concern:
    """A problem for a person, and the page of administration to go to."""

    weight: Weight
    words: Text
    to: str | None = None


async def concerns(
    pages: AdminPages,
    context: AdminContext,
    connection: AsyncConnection,
    roster: MemberOverview,
    backups: Backups,
) -> list[Concern]:
    """Return all problems that need a person, the worst first."""
    all_concerns = [concern async for concern in _all(pages, context, connection, roster, backups)]
    return sorted(all_concerns, key=lambda concern: concern.weight is not Weight.WRONG)


async def _all(
    pages: AdminPages,
    context: AdminContext,
    connection: AsyncConnection,
    roster: MemberOverview,
    backups: Backups,
) -> AsyncIterator[Concern]:
    for concern in await of_node(pages, backups, context.now):
        yield concern
    async for concern in _of_publication(pages, context, connection):
        yield concern
    about = await load_about(connection, pages.settings.about)
    for notice in NOTICES:
        if missing_keys := about.missing(notice):
            names = ", ".join(_named(key, context.language) for key in missing_keys)
            yield Concern(Weight.WARN, notice.lacking.fill(fields=names), subject_of(notice))
    now = context.now
    entries, soon = roster.entries, context.today + _ENDS_SOON
    silent = sum(entry.status is Status.SILENT for entry in entries)
    late = sum(
        entry.status is Status.GUEST and entry.joined_at < now - _UNANSWERED_AFTER
        for entry in entries
    )
    ending = sum(entry.until is not None and entry.until < soon for entry in entries)
    late_ends = {
        permission.member
        for permission in await member_permissions.not_notified(connection)
        if permission.erase_at is not None
        and permission.erase_at - timedelta(days=permission.need.retention_days)
        < now - _UNTOLD_AFTER
    }
    for words, count, shown in (
        (_SILENT, silent, "silent"),
        (_PROBLEMS, sum(entry.problems > 0 for entry in entries), "problems"),
        (_INVALID, sum(entry.invalid > 0 for entry in entries), "invalid"),
        (_SET_ASIDE, len(await set_aside.undecided(connection)), "aside"),
        (_CONTESTED, len(await claims.contested(connection)), "contested"),
        (_GUESTS, late, "guests"),
        (_ENDING, ending, "ending"),
        (_UNTOLD, len(late_ends), "left"),
    ):
        if count:
            yield Concern(Weight.WARN, _many(words, count), f"members?show={shown}")
    if accounts := await removal_problems(connection):
        unremoved = around(_ACCOUNTS[len(accounts) > 1], accounts[0], count=len(accounts))
        yield Concern(Weight.WRONG, unremoved)
    expiring = sum(
        invitation.stands(now) and invitation.expires_at < now + _SOON
        for invitation in await invitations.all_invitations(connection)
    )
    if expiring:
        yield Concern(Weight.WARN, _many(_INVITATIONS, expiring), "invitations")
    offered = [need for need in await needs.all_needs(connection) if need.closed_at is None]
    lost = [need for need in await needs.unreadable(connection) if need.closed_at is None]
    for unreadable in lost:
        problem = _LOST.fill(need=unreadable.need.id, version=unreadable.need.version)
        yield Concern(Weight.WRONG, problem, "needs")
    answered_needs = await granted_needs(connection)
    for asked in offered:
        if asked.need.id not in answered_needs and asked.offered_at < now - _UNANSWERED_AFTER:
            yield Concern(Weight.WARN, around(_NO_ANSWER, Text(asked.need.title)), "needs")


async def _of_publication(
    pages: AdminPages, context: AdminContext, connection: AsyncConnection
) -> AsyncIterator[Concern]:
    """Yield the failures of publication since yesterday, with the remedy."""
    zone = pages.settings.time_zone
    rules = await InForce(pages.settings.publication).read(connection, context.now)
    opening = await opened(connection)
    try:
        await chosen(connection)
    except BadRules:
        yield Concern(Weight.WRONG, _BAD_RULES, "publication")
        return
    if opening is None:  # opening it is one of the first steps
        return
    if not rules.are_open(context.now, zone):
        day = context.language.day(opening.opens)
        yield Concern(Weight.WARN, _OPENS.fill(day=day), "publication")
        return
    past = await progress(connection, rules.publication, zone, opening)
    if past is not None and past.back_to is None:
        at = context.language.moment(past.until)
        yield Concern(Weight.WARN, _PAST.fill(at=at), "publication")
        return
    hours_seen = [
        hour
        for day in (context.today - timedelta(days=1), context.today)
        for hour in await hours(connection, rules.publication, zone, day, context.now)
    ]
    together: dict[tuple[IntervalState | Reason, int], list[Text]] = {}
    for (direction, state), count in missing(hours_seen).items():
        together.setdefault((state, count), []).append(FLOWS[direction])
    for (state, count), flows in together.items():
        flows_named = ", ".join(map(context.language, flows))
        flows_named = flows_named[0].upper() + flows_named[1:]
        words = _NOT_PUBLISHED[count > 1]
        weight = Weight.WRONG if state is IntervalState.LATE else Weight.WARN
        to = "health" if state is IntervalState.LATE else "publication#hours"
        yield Concern(
            weight, around(words, state.remedy or state.short, of=flows_named, count=count), to
        )


async def of_node(pages: AdminPages, backups: Backups, at: datetime) -> list[Concern]:
    """Return the problems of the node, its machine and its backups."""
    problems = [] if pages.watch is None else list(pages.watch.running_problems(at))
    problems += [*await of_disk(pages.settings.folder), *of_backups(backups, at)]
    async with pages.store.reading() as connection:
        problems += of_witnesses(await waiting_since(connection), at)
        problems += of_set_back(await set_back(connection), at)
    all_concerns = [
        Concern(problem.weight, problem.words, _PAGES.get(problem.kind, "health"))
        for problem in problems
    ]
    try:
        new = installed(_DISTRIBUTION)
    except PackageNotFoundError:
        new = pages.version
    if pages.node is not None and new != pages.version:
        words = _VERSION.fill(new=new, old=pages.version)
        all_concerns.append(Concern(Weight.WARN, words, "health"))
    return all_concerns


def _named(key: Key, language: Language) -> str:
    """Return the description of a settings key, within a sentence."""
    name = language(key.what).partition(":")[0].strip().rstrip(".")
    return name[0].lower() + name[1:]


def _many(words: tuple[Text, Text], count: int) -> Text:
    return words[0] if count == 1 else words[1].fill(count=count)
