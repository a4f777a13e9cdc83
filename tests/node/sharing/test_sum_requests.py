"""What a home does not allow of requests for sums, before anything is ticked and after."""

from dataclasses import replace

import pytest

from consometers_node.permission import (
    Choice,
    DataNeed,
    DataNeedSeries,
    Permissions,
    SumRefused,
)
from consometers_node.series import Device, Direction, Quantity
from consometers_node.sharing.permissions.consent import check, data_request
from consometers_node.sharing.permissions.sum_requests import (
    DEFAULT_MINIMUM,
    objection_to_witness,
    set_minimum_homes,
)
from consometers_node.store import Store
from consometers_node.store.peers import add_peer
from testing.homes.data_needs import (
    CHOICE,
    CHOICE_OF_PROTECTED,
    DAILY,
    HOURLY,
    INJECTED,
    NEED,
    POWER,
    PROTECTED,
    WITNESS,
    grant,
    now,
)
from testing.homes.ledgers import NAMING

COOP = "coop@energies.example"
OTHER = replace(HOURLY, device=Device("sensor.other"))
BOTH = Choice(series=frozenset({HOURLY, OTHER}))
POWERS = replace(
    NEED,
    id="powers",
    series=frozenset({DataNeedSeries(Direction.CONSUMPTION, Quantity.POWER)}),
)
CHOICE_OF_POWER = Choice(series=frozenset({POWER}))
SUMS_TOO = replace(PROTECTED, id="sums-too")


@pytest.mark.parametrize(
    ("jid", "url", "refused"),
    [
        ("commune@kersabiec.example", "https://kersabiec.example", False),
        ("commune@energies.example", "https://kersabiec.example", True),
        ("commune@kersabiec.example", "https://energies.example:8443", True),
        ("commune@kersabiec.example", "https://witness.energies.example", True),
        ("commune@kersabiec.example", "https://ENERGIES.example", True),
        ("commune@kersabiec.example", "https://witness.kersabiec.example", False),
        ("commune@sub.energies.example", "https://kersabiec.example", True),
        ("commune@example", "https://kersabiec.example", True),
        ("commune@autres-energies.example", "https://nos-energies.example", False),
    ],
)
def test_a_witness_of_the_collectives_own_domain_is_refused(
    jid: str, url: str, *, refused: bool
) -> None:
    need = replace(PROTECTED, witness=replace(WITNESS, jid=jid, url=url))
    assert (objection_to_witness(need, COOP, DEFAULT_MINIMUM) is not None) is refused


@pytest.mark.parametrize(
    ("collective", "witness", "refused"),
    [
        ("coop.energies.example", "witness.energies.example", True),
        ("coop.energies.example.", "WITNESS.energies.example", True),
        ("a.b.energies.example", "c.d.energies.example", True),
        ("coop.asso.fr", "commune.asso.fr", False),
        ("www.coop.asso.fr", "sums.coop.asso.fr", True),
        ("coop.fr", "commune.fr", False),
        ("coop.unknown.example", "commune.unknown.example", True),
    ],
)
def test_a_witness_of_the_collectives_registrable_domain_is_refused(
    collective: str, witness: str, *, refused: bool
) -> None:
    named = replace(WITNESS, jid=f"commune@{witness}", url=f"https://{witness}")
    need = replace(PROTECTED, witness=named)
    objection = objection_to_witness(need, f"coop@{collective}", DEFAULT_MINIMUM)
    assert (objection is not None) is refused


@pytest.mark.parametrize(
    ("need", "choice", "before", "words"),
    [
        (PROTECTED, CHOICE_OF_PROTECTED, None, None),
        (NEED, CHOICE, None, None),
        (PROTECTED, BOTH, None, "one series of each direction"),
        (SUMS_TOO, CHOICE_OF_PROTECTED, (PROTECTED, CHOICE_OF_PROTECTED), "count twice"),
        (SUMS_TOO, Choice(series=frozenset({INJECTED})), (PROTECTED, CHOICE_OF_PROTECTED), None),
        (PROTECTED, CHOICE_OF_PROTECTED, (NEED, CHOICE), "by itself or in protected sums"),
        (PROTECTED, Choice(series=frozenset({OTHER})), (NEED, CHOICE), "by itself or in protected"),
        (PROTECTED, CHOICE_OF_PROTECTED, (POWERS, CHOICE_OF_POWER), "by itself or in protected"),
        (POWERS, CHOICE_OF_POWER, (PROTECTED, CHOICE_OF_PROTECTED), "by itself or in protected"),
        (PROTECTED, Choice(series=frozenset({INJECTED})), (POWERS, CHOICE_OF_POWER), None),
        (
            replace(NEED, interval=DAILY.interval),
            Choice(series=frozenset({DAILY})),
            (PROTECTED, CHOICE_OF_PROTECTED),
            "by itself or in protected sums",
        ),
    ],
)
async def test_a_meters_direction_is_in_one_sum_or_read_by_itself(
    file: Store,
    need: DataNeed,
    choice: Choice,
    before: tuple[DataNeed, Choice] | None,
    words: str | None,
) -> None:
    assert_refused(await refusal(file, need, choice, before), words)


@pytest.mark.parametrize(("minimum", "words"), [(10, None), (11, "your settings demand 11")])
async def test_the_household_sets_the_minimum_of_homes(
    file: Store, minimum: int, words: str | None
) -> None:
    async with file.writing() as connection:
        await set_minimum_homes(connection, minimum)
    assert_refused(await refusal(file, PROTECTED, CHOICE_OF_PROTECTED), words)


def assert_refused(refusal: str | None, words: str | None) -> None:
    assert (refusal is None) is (words is None), refusal
    assert words is None or words in (refusal or "")


async def refusal(
    store: Store,
    need: DataNeed,
    choice: Choice,
    before: tuple[DataNeed, Choice] | None = None,
) -> str | None:
    """Return why a choice is refused beside the earlier grants."""
    async with store.writing() as connection:
        peer = await add_peer(connection, COOP, "Coop", now())
        permissions = Permissions(connection)
        if before is not None:
            await grant(permissions, peer.id, *before)
        number = await permissions.propose(peer.id, need, now())
        question = await data_request(connection, number)
        try:
            await check(connection, NAMING, question, choice)
        except SumRefused as fault:
            return fault.text.say()
    return None
