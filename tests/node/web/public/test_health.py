"""Whether a collective can answer, for whatever starts it anew."""

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from .town import Town


async def test_whoever_asks_is_told_that_it_is_well(empty: Town) -> None:
    assert empty.session is not None
    async with empty.session.get(empty.url / "health") as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-cache"


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
