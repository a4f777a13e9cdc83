"""Looks follow each other at once, but for members that wait."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import override

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from consometers_node.collective import releasing
from consometers_node.collective.releasing import Releasing
from consometers_node.collective.rules import InForce
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.clock import Clock

from ..web.public.town import settings

ENOUGH = 3


class Looks(Releasing):
    """There is always more to release."""

    count = 0

    @override
    async def look(self, connection: AsyncConnection, at: datetime) -> bool:
        self.count += 1
        return True


@pytest.fixture
def looks(file: Store, tmp_path: Path) -> Callable[[Callable[[], bool]], Looks]:
    of = settings(tmp_path)

    def make(is_waited_for: Callable[[], bool]) -> Looks:
        rules = InForce(of.publication)
        return Looks(file, of, rules, Changes(), Clock(), is_waited_for=is_waited_for)

    return make


async def test_the_database_is_left_to_members_that_wait(
    looks: Callable[[Callable[[], bool]], Looks], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releasing, "_LEFT_TO_OTHERS", 1e9)
    waited_for = asyncio.Event()
    work = looks(waited_for.is_set)
    running = asyncio.create_task(work.run())
    while work.count < ENOUGH:
        await asyncio.sleep(0.01)
    waited_for.set()
    await asyncio.sleep(0.1)
    count = work.count
    await asyncio.sleep(0.2)
    assert work.count == count
    running.cancel()
