"""All homes of a street join, whenever they are opened."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from demo.street.__main__ import Street
from demo.street.home import StreetHome
from demo.street.plan import Home, Plan
from testing.waiting import until

READ = Home(jid="read@here.test", site="household", kwp=0, seed=1, invitation="")
MASKED = Home(jid="masked@here.test", site="household", kwp=0, seed=2, invitation="", code="1")


@asynccontextmanager
async def alone(*_: object) -> AsyncIterator[None]:
    """A network without peers."""
    yield


async def test_a_masked_home_joins_that_is_opened_after_all_were_let_grant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def ask(*_: object) -> None:
        pass

    monkeypatch.setattr(StreetHome, "online", alone)
    monkeypatch.setattr(StreetHome, "ask", ask)
    plan = Plan(
        folder=str(tmp_path),
        password="",
        history_days=2,
        places={"here.test": None},  # type: ignore[dict-item]
        homes=[READ, MASKED],
    )
    street = Street(plan)
    running = asyncio.create_task(street.run())
    try:
        await until(lambda: street._asked == 1)
        street.let_grant()
        await until(lambda: street._joined == 1)
        plan.note_allowed(MASKED)
        await until(lambda: street._joined == 2)
    finally:
        running.cancel()
        await asyncio.wait({running})
