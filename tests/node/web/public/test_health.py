"""Whether a collective can answer, for the supervisor that would restart it."""

from aiohttp import ClientSession
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from consometers_node.web.public.site import PublicSite
from demo.servers.prosody import LOOPBACK
from testing.collectives.watched import watch_of
from testing.pages.town import ReleasedTown


async def test_health_answers_ok(empty: ReleasedTown) -> None:
    assert empty.session is not None
    async with empty.session.get(empty.url / "health") as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-cache"


async def test_health_lists_problems_that_a_restart_does_not_mend(empty: ReleasedTown) -> None:
    public = PublicSite(empty.store, empty.settings, "0", watch=watch_of(empty))
    async with (
        public.listening(LOOPBACK, 0) as port,
        ClientSession() as session,
        session.get(f"http://{LOOPBACK}:{port}/health") as answer,
    ):
        assert answer.status == 200
        network, clock = (await answer.text()).splitlines()
        assert network == "The collective is not on the network: it is still connecting."
        assert clock.startswith("The node has not logged in to its server")


async def test_health_fails_without_the_database(empty: ReleasedTown) -> None:
    assert empty.session is not None

    def refuse(*_: object) -> None:
        raise OperationalError("SELECT 1", None, OSError("disk I/O error"))

    event.listen(Engine, "before_cursor_execute", refuse)
    try:
        async with empty.session.get(empty.url / "health") as answer:
            assert answer.status == 503
    finally:
        event.remove(Engine, "before_cursor_execute", refuse)
