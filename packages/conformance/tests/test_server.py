"""The kit passes a reference, and names exactly what a broken peer breaks."""

from collections.abc import Mapping

import pytest

from quoalise_conformance.peer import Absent, NotPermitted, Target
from quoalise_conformance.results import Outcome, Result
from quoalise_conformance.server import CHECKS, try_server

from .breakages import BREAKAGES, Breakage, refusing
from .memory import Memory
from .reference import FOREIGN, Reference


async def tried(
    breakage: Breakage | None = None, *, collective: bool = False
) -> Mapping[str, Result]:
    mutate = breakage and breakage.mutate
    reference = Reference(collective=collective, mutate=mutate)
    target = Target(
        address=(breakage and breakage.address) or reference.jid,
        series=reference.series,
        foreign=FOREIGN,
        listen_seconds=60,
    )
    return await try_server(Memory(reference), target)


def numbers(results: Mapping[str, Result], *outcomes: Outcome) -> set[str]:
    return {number for number, result in results.items() if result.outcome in outcomes}


async def test_the_reference_passes_and_leaves_nothing_untried() -> None:
    home, collective = await tried(), await tried(collective=True)
    faulted = (Outcome.FAILED, Outcome.DEVIATES)
    assert numbers(home, *faulted) | numbers(collective, *faulted) == set()
    passed = numbers(home, Outcome.PASSED) | numbers(collective, Outcome.PASSED)
    # A member's account reads the requests; no source behind the reference fails.
    assert CHECKS.keys() - passed == {"F-15", "Q-60"}


def test_each_check_has_a_breakage() -> None:
    assert BREAKAGES.keys() == CHECKS.keys()


@pytest.mark.parametrize("number", BREAKAGES)
async def test_a_broken_requirement_fails_alone(number: str) -> None:
    breakage = BREAKAGES[number]
    results = await tried(breakage, collective=breakage.collective)
    faulted = numbers(results, Outcome.FAILED, Outcome.DEVIATES)
    assert faulted == {number}, {each: (results[each].key, results[each].facts) for each in faulted}


async def test_an_absent_peer_and_a_series_that_may_not_be_read_are_no_results() -> None:
    gone = refusing(lambda _request: True, "service-unavailable", "cancel")
    with pytest.raises(Absent, match="service-unavailable"):
        await tried(Breakage(gone))
    with pytest.raises(NotPermitted):
        await tried(
            Breakage(refusing(lambda request: request.find("*[@node='get_history']") is not None))
        )
