"""The application of administration: every page and form once, with its path and its handler."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from aiohttp import web

from consometers_node.accounts.passwords import Passwords
from consometers_node.collective.about import Subject
from consometers_node.collective.monitoring.health import Watch
from consometers_node.collective.settings import Settings
from consometers_node.rate_limit import GrowingWait
from consometers_node.store import Store
from consometers_node.web.core import admin_login as login, consenting, permissions
from consometers_node.web.core.access import ADMINISTRATION
from consometers_node.web.core.admin_context import AdminContext
from consometers_node.web.core.logins import TRIES
from consometers_node.web.public.page_base import now as this_moment

from . import about, health, log, register
from .members import codes, doubts, invitations, letters, list as members, member
from .overview import page as overview
from .page_base import AdminPages, Look
from .publication import challenges, municipalities, need_form, needs, rules as publication

_MEMBER = "/members/{member:[a-z0-9]{1,20}}"
_END = _MEMBER + "/end/{permission:[0-9a-f-]{36}}"

_PERMISSION = "{permission:[0-9a-f-]{36}}"

_NEED = "/needs/{need:[^/]{1,300}}"
_VERSION = _NEED + r"/{version:\d{1,12}}"

_REVOKED_CODE = "/codes/{code:[0-9a-f]{1,40}}/revoke"

_CHALLENGE = r"/challenges/{challenge:\d{1,9}}"


async def _go(_pages: AdminPages, context: AdminContext, to: str) -> web.StreamResponse:
    """Redirect from the address of a form: links are shown once, and tried rules in no URL."""
    return context.go(to)


OPEN: dict[str, Look] = {"/login": login.show}
ADMITS: dict[str, Look] = {"/login": login.enter}
"""Pages without a login. All others are for administrators only."""
LOOKS: dict[str, Look] = {
    "/": overview.show,
    "/members": members.show,
    _MEMBER: member.show,
    f"{_MEMBER}/export.json": partial(member.export, ending="json"),
    f"{_MEMBER}/export.csv": partial(member.export, ending="csv"),
    f"{_MEMBER}/erase": member.confirm_erasure,
    f"{_MEMBER}/letter": letters.show,
    _END: member.confirm_end,
    "/letters": letters.show,
    "/register": register.show,
    "/register.json": register.download_json,
    "/register.csv": register.download_csv,
    "/policy.md": register.policy,
    "/permissions.csv": register.changes_csv,
    "/log": log.show,
    "/health": health.show,
    "/needs": needs.show,
    "/needs/new": need_form.show_new,
    f"{_NEED}/next": need_form.show_next,
    _VERSION: needs.show_version,
    f"{_VERSION}.toml": needs.download,
    "/invitations": invitations.show,
    "/invitations/new": invitations.show_form,
    "/invitations/sheets": partial(_go, to="invitations"),
    "/codes": codes.show,
    "/codes/new": codes.show_form,
    "/codes/sheets": partial(_go, to="codes"),
    _REVOKED_CODE: codes.confirm_revocation,
    "/municipalities": municipalities.show,
    "/municipalities/join": municipalities.show,
    "/municipalities/permissions": municipalities.show,
    f"/municipalities/permissions/{_PERMISSION}": permissions.show,
    f"/municipalities/withdraw/{_PERMISSION}": permissions.confirm_withdrawal,
    **{f"/{subject}": partial(about.show, subject=subject) for subject in Subject},
    "/challenges": challenges.show,
    _CHALLENGE: challenges.show_one,
    f"{_CHALLENGE}/change": challenges.show_one,
    f"{_CHALLENGE}/remove": challenges.show_one,
    "/publication": publication.show,
    "/publication/preview": partial(_go, to="publication"),
    "/publication/front": partial(_go, to="publication"),
    "/publication/form": partial(_go, to="publication"),
    "/password": login.show_password,
}
ACTS: dict[str, Look] = {
    "/logout": login.leave,
    "/clock": overview.confirm_clock,
    "/members": members.find,
    f"{_MEMBER}/site": member.change_site,
    f"{_MEMBER}/name": member.rename,
    f"{_MEMBER}/area": member.change_area,
    f"{_MEMBER}/note": member.change_note,
    f"{_MEMBER}/shares": member.change_shares,
    f"{_MEMBER}/erase": member.erase,
    f"{_MEMBER}/device": doubts.settle,
    f"{_MEMBER}/believe": doubts.believe,
    f"{_MEMBER}/leave-out": doubts.leave_out,
    f"{_MEMBER}/letter": letters.send,
    _END: member.end,
    "/letters": letters.send,
    "/needs/form": need_form.change,
    "/needs/preview": need_form.look,
    "/needs/offer": need_form.offer,
    f"{_NEED}/close": needs.close,
    f"{_NEED}/reopen": needs.reopen,
    "/invitations": invitations.make,
    "/invitations/sheets": invitations.print_sheets,
    "/invitations/{invitation:[0-9a-f]{1,40}}/revoke": invitations.revoke,
    "/codes": codes.make,
    "/codes/sheets": codes.print_sheets,
    _REVOKED_CODE: codes.revoke,
    "/municipalities/join": municipalities.join,
    f"/municipalities/preview/{_PERMISSION}": consenting.look,
    f"/municipalities/allow/{_PERMISSION}": consenting.allow,
    f"/municipalities/refuse/{_PERMISSION}": permissions.refuse,
    f"/municipalities/withdraw/{_PERMISSION}": permissions.withdraw,
    **{f"/{subject}": partial(about.save, subject=subject) for subject in Subject},
    "/challenges": challenges.add,
    f"{_CHALLENGE}/change": challenges.change,
    f"{_CHALLENGE}/remove": challenges.remove,
    "/publication": publication.choose,
    "/publication/form": publication.change,
    "/publication/preview": publication.look,
    "/publication/front": publication.look_at_front,
    "/publication/file": publication.as_written,
    "/password": login.change_password,
}


def administer(
    public: web.Application,
    store: Store,
    settings: Settings,
    version: str,
    watch: Watch | None = None,
    *,
    passwords: Passwords | None = None,
    tries: GrowingWait | None = None,
    now: Callable[[], datetime] = this_moment,
) -> AdminPages:
    """Serve the administration of a collective beside its public pages.

    `watch` is that of the node that runs, if one does.
    """
    pages = AdminPages(
        store,
        settings,
        version,
        watch,
        passwords=passwords or Passwords(),
        tries=tries or GrowingWait(TRIES),
        now=now,
    )
    app = web.Application(middlewares=[pages.middleware])
    app.add_routes(
        [
            *(web.get(path, pages.welcomes(look)) for path, look in OPEN.items()),
            *(web.post(path, pages.admits(act)) for path, act in ADMITS.items()),
            *(web.get(path, pages.looks(look)) for path, look in LOOKS.items()),
            *(web.post(path, pages.acts(act)) for path, act in ACTS.items()),
            web.get("", _to_the_first),
        ]
    )
    public.add_subapp(ADMINISTRATION, app)
    return pages


async def _to_the_first(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPPermanentRedirect("administration/")
