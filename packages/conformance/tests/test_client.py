"""The kit passes a reference client, and names exactly what a broken one breaks."""

from collections.abc import Mapping

import pytest

from quoalise_conformance.client import CHECKS, try_client
from quoalise_conformance.results import Outcome, Result

from .memory import Memory
from .reference_client import SERVER, Client


async def tried(broken: str = "", wait_for: int | None = None) -> Mapping[str, Result]:
    client = Client(broken)
    memory = Memory(client, SERVER, first=client.start())
    return await try_client(memory, wait_for)


def numbers(results: Mapping[str, Result], *outcomes: Outcome) -> set[str]:
    return {number for number, result in results.items() if result.outcome in outcomes}


async def test_the_reference_passes_all() -> None:
    assert numbers(await tried(), Outcome.PASSED) == CHECKS.keys()


@pytest.mark.parametrize("number", CHECKS)
async def test_a_broken_requirement_fails_alone(number: str) -> None:
    results = await tried(number)
    faulted = numbers(results, Outcome.FAILED, Outcome.DEVIATES)
    assert faulted == {number}, {each: (results[each].key, results[each].facts) for each in faulted}


async def test_it_ends_by_itself_after_enough_requests() -> None:
    results = await tried(wait_for=3)
    assert results["Q-36"].outcome is Outcome.PASSED
    assert results["Q-65"].key == "no_subscriber"
