"""The first page: what needs a person, then the coverage of granted records, worst first."""

from collections import Counter
from collections.abc import Sequence

from aiohttp import web

from consometers_node.collective.calendar import Span, month_of
from consometers_node.collective.members.member_overview import Status, shares
from consometers_node.collective.members.members import Member, MemberKind, Members
from consometers_node.collective.monitoring.backups import backups
from consometers_node.collective.monitoring.problems import Weight
from consometers_node.collective.permissions import member_permissions
from consometers_node.collective.permissions.member_permissions import MemberPermission
from consometers_node.collective.publication.policy import InForce
from consometers_node.i18n.text import text
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.admin.page_base import AdminPages
from consometers_node.web.admin.pager import Pager
from consometers_node.web.admin.publication.rules import as_visitor
from consometers_node.web.admin.words import BACKUP_STEPS, STATUSES
from consometers_node.web.core.admin_context import AdminContext
from consometers_node.web.core.speech import numbered
from consometers_node.web.public.drawing.charts import Step
from consometers_node.web.public.live import LiveDay, today
from consometers_node.web.public.periods import Which

from . import first_steps, heatmap
from .concerns import Concern, concerns

_SPANS = (30, 60)
_AT_ONCE = 25
_IN_TIME = 0.9
"""This share of the homes reports before an interval closes, if the delay is long enough."""
_LATE = text(
    "In the latest published figures, only {homes} of {counting} homes are counted: the others"
    " reported after the closing, or not at all. What comes later enters no published figure. If"
    " that goes on, choose a longer delay before closing."
)
_HERE = frozenset({Status.DELIVERING, Status.SILENT, Status.GUEST})


async def show(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Return the problems, and whose they are."""
    span = next((days for days in _SPANS if context.asked("days") == str(days)), _SPANS[0])
    window = Span.before(context.today, span)
    async with pages.store.reading() as connection:
        doubt = await pages.node.clock.look(connection) if pages.node is not None else None
        going = await _going(pages, connection)
        roster = await pages.roster(connection, window, context.now)
        backed_up = await backups(connection)
        latest = await _published(pages, context, connection)
        concerned = await concerns(pages, context, connection, roster, backed_up)
        if latest is not None and latest.homes < _IN_TIME * latest.homes_counting:
            words = numbered(_LATE, homes=latest.homes, counting=latest.homes_counting)
            concerned.append(Concern(Weight.WARN, words, "publication"))
        present = [entry for entry in roster.entries if entry.status in _HERE]
        begun = await first_steps.look(connection, pages.settings, backed_up)
        granting = sorted(
            (entry for entry in roster.entries if entry.there is not None),
            key=lambda entry: (entry.there, entry.pseudonym),
        )
        pager = Pager.asked(context, len(granting), _AT_ONCE)
        some = granting[pager.first : pager.end]
        days = await shares(connection, [entry.id for entry in some], window)
    steps = first_steps.steps_of(begun)
    is_running = present or (begun.is_only_witness and not steps)
    columns, mondays = heatmap.columns(roster.days)
    return pages.page(
        context,
        "overview.html",
        # Until somebody is served, the first steps say what is missing.
        concerns=[c for c in concerned if is_running or c.weight is Weight.WRONG],
        doubt=doubt,
        now=context.now,
        backups=[(words, backed_up.last.get(step)) for step, words in BACKUP_STEPS.items()],
        going=going[:_AT_ONCE],
        more_going=max(0, len(going) - _AT_ONCE),
        present=bool(present),
        only_witness_for=pages.settings.witness_for if begun.is_only_witness else (),
        latest=latest,
        reports=_reports(context),
        span=span,
        spans=_SPANS,
        window=window,
        counts=Counter(entry.status for entry in roster.entries),
        whole=sum(entry.there >= 1 for entry in granting if entry.there is not None),
        granting=len(granting),
        masked=sum(entry.is_masked for entry in present),
        just_begun=sum(
            entry.there is None and not entry.is_masked and entry.status is not Status.GUEST
            for entry in present
        ),
        summed_apart=any(entry.kind is not MemberKind.HOME for entry in present),
        columns=columns,
        mondays=mondays,
        days=roster.days,
        lines=[(entry, heatmap.row(entry, days[entry.id], window)) for entry in some],
        pager=pager,
        steps=steps,
        steps_done=sum(is_done for _, is_done in steps),
        statuses=STATUSES,
        heat=heatmap,
    )


def _reports(context: AdminContext) -> Sequence[Which]:
    """Return the last month that is over, and its year."""
    month = Which(month_of(context.today), Step.DAY).previous
    return month, Which(month.first.replace(month=1), Step.MONTH)


async def confirm_clock(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Store that an administrator confirmed the clock."""
    await pages.actions(context).confirm_clock()
    return context.go("?done=clock")


async def _published(
    pages: AdminPages, context: AdminContext, connection: AsyncConnection
) -> LiveDay | None:
    """Return the day as the public sees it now; None without members."""
    rules = InForce(pages.settings.publication)
    await rules.read(connection, context.now)
    public, guest = as_visitor(pages, context, rules)
    everybody = await public.place(connection)
    return None if everybody is None else await today(public, guest, connection, everybody)


async def _going(
    pages: AdminPages, connection: AsyncConnection
) -> list[tuple[Member, MemberPermission]]:
    """Return whose expired records are about to be erased, and by which permission."""
    members = Members(connection, pages.settings.time_zone)
    announced = sorted(
        await member_permissions.announced(connection),
        key=lambda permission: (permission.erase_at, permission.id),
    )
    return [(await members.get(permission.member), permission) for permission in announced]
