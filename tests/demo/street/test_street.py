"""All homes of a street join, whenever they are opened."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from consometers_quoalise_network.answering import MAX_OF_STRANGERS
from demo.street.__main__ import Street
from demo.street.home import StreetHome
from demo.street.plan import Home, Place, Plan
from testing.waiting import until

READ = Home(jid="read@here.test", site="household", kwp=0, seed=1, invitation="")
MASKED = Home(jid="masked@here.test", site="household", kwp=0, seed=2, invitation="", code="1")


def plan_of(folder: Path, homes: Sequence[Home]) -> Plan:
    place = Place(host="127.0.0.1", port=0, ca_file="")
    return Plan(
        folder=str(folder), password="", history_days=2, places={"here.test": place}, homes=homes
    )


@asynccontextmanager
async def alone(*_: object) -> AsyncIterator[None]:
    """A network without peers."""
    yield


async def test_a_masked_home_joins_that_is_opened_after_all_were_let_grant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(*_: object) -> None:
        pass

    monkeypatch.setattr(StreetHome, "online", alone)
    monkeypatch.setattr(StreetHome, "ask", ask)
    plan = plan_of(tmp_path, [READ, MASKED])
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


async def test_a_few_homes_grant_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A collective turns down what more strangers ask at once; those homes wait half a minute."""
    granting = most = 0

    async def ask(*_: object) -> None:
        pass

    async def grant(*_: object) -> None:
        nonlocal granting, most
        granting += 1
        most = max(most, granting)
        await asyncio.sleep(0.05)
        granting -= 1

    monkeypatch.setattr(StreetHome, "online", alone)
    monkeypatch.setattr(StreetHome, "ask", ask)
    monkeypatch.setattr(StreetHome, "grant", grant)
    homes = [replace(READ, jid=f"read-{n}@here.test") for n in range(12)]
    street = Street(plan_of(tmp_path, homes))
    street.let_grant()
    running = asyncio.create_task(street.run())
    try:
        await until(lambda: street._joined == len(homes))
    finally:
        running.cancel()
        await asyncio.wait({running})
    assert 1 < most < MAX_OF_STRANGERS
