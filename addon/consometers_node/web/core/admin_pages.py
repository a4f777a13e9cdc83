"""Pages of administrators, of a collective or of a host, who log in under one address."""

from collections.abc import Collection
import re
from typing import TYPE_CHECKING, Any, override

from aiohttp import web

from consometers_node.accounts.administrators import SESSIONS
from consometers_node.store.collective.access_log import Read, note_read
from consometers_node.store.collective.tables import MemberId
from consometers_node.store.engine.connection import AsyncConnection

from .access import ADMINISTRATION
from .admin_context import AdminContext
from .logins import LoginCookies
from .session_pages import SessionPages

if TYPE_CHECKING:
    from consometers_node.settings_file.formats import Network

COOKIES = LoginCookies("consometers-admin", path=ADMINISTRATION)
LOGIN = "login"

_PLAIN = re.compile(r"[a-z0-9/_-]{1,200}")


class AdministratorPages(SessionPages[AdminContext]):
    """Answers administrators. `proxies` are believed about the address of a visitor."""

    cookies = COOKIES
    sessions = SESSIONS
    proxies: Collection[Network]

    def shared(
        self, context: AdminContext, template: str, *, status: int = 200, **model: Any
    ) -> web.Response:
        """Render a template that both roles have, in the layout of this one."""
        raise NotImplementedError

    @override
    def to_login(self, context: AdminContext) -> web.Response:
        if context.request.method not in {"GET", "HEAD"}:
            return context.go(f"{LOGIN}?ended=yes")
        place = context.place.strip("/")
        return context.go(f"{LOGIN}?next={place}" if _PLAIN.fullmatch(place) else LOGIN)

    async def note(
        self,
        connection: AsyncConnection,
        context: AdminContext,
        what: str,
        member: MemberId | None = None,
        records: int = 0,
    ) -> None:
        """Log an administrator's access or action, before the response."""
        read = Read(at=context.now, who=context.person, what=what, member=member, records=records)
        await note_read(connection, read)
