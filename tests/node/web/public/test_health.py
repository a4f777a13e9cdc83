"""Whether a collective can answer, for whatever starts it anew."""

from aiohttp import ClientSession
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from consometers_node.web.public.site import PublicSite
from demo.prosody import LOOPBACK

from .town import Town


async def test_whoever_asks_is_told_that_it_is_well(empty: Town) -> None:
    assert empty.session is not None
    async with empty.session.get(empty.url / "health") as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("online", "expected"), [(True, "This node is well.\n"), (False, "XMPP is away.\n")]
)
async def test_it_says_when_xmpp_is_away_which_it_survives(
    empty: Town, online: bool, expected: str
) -> None:
    public = PublicSite(empty.store, empty.settings, "0", is_online=lambda: online)
    async with (
        public.listening(LOOPBACK, 0) as port,
        ClientSession() as session,
        session.get(f"http://{LOOPBACK}:{port}/health") as answer,
    ):
        assert answer.status == 200
        assert await answer.text() == expected


async def test_it_is_not_well_while_its_database_is_away(empty: Town) -> None:
    assert empty.session is not None

    def refuse(*_: object) -> None:
        raise OperationalError("SELECT 1", None, OSError("disk I/O error"))

    event.listen(Engine, "before_cursor_execute", refuse)
    try:
        async with empty.session.get(empty.url / "health") as answer:
            assert answer.status == 503
    finally:
        event.remove(Engine, "before_cursor_execute", refuse)
