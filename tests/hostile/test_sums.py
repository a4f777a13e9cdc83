"""A member of a protected sum who lies, and a collective that shifts its shares.

What a liar sends is masked like anything else: its proof names it, and nobody reads the others.
"""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from consometers_node.collective.calendar import Span
from consometers_node.collective.members.member_overview import member_overview
from consometers_node.i18n.protocol import sentence
from consometers_node.store import Store
from consometers_node.store.collective.masked_reports import openings
from consometers_node.store.collective.tables import MemberPermissionSeriesRow
from consometers_node.store.settings import VERIFICATION_SECRET, set_secret
from consometers_protected_sums.exchange import Refusal, RefusedHomes
from consometers_protected_sums.field import MODULUS, encode
from consometers_protected_sums.reports import (
    CIRCUIT,
    MOST_WH,
    measurement,
    share,
)
from consometers_quoalise import BadRequest
from consometers_quoalise.federation.protected_sums import (
    MAX_REPORTS,
)
from testing.collectives.masked import MaskedTown, answered
from testing.collectives.publishing import ZONE
from testing.homes.data_needs import WITNESS
from testing.hostile.sums import AT, BITS, HOUR, OVER, RefusingWitness, forged, proven


def value(wh: int, square: int) -> list[int]:
    """Return a measurement whose first bit is a value in Wh."""
    return proven([wh % MODULUS, *[0] * (BITS - 1), square % MODULUS])


LIES = {
    "no square": proven([*measurement(412)[:BITS], 0]),
    "greater square": proven([*measurement(412)[:BITS], MOST_WH**2]),
    "negative": value(-19_000, 19_000**2),
    "huge": value(1_400_000_000, 1_400_000_000**2),
    "half of the field": value(1 << 63, 1 << 126),
    "a bit of two": proven([2, *measurement(0)[1:BITS], 4]),
    "random": [pow(7, n, MODULUS) for n in range(CIRCUIT.length)],
} | {
    f"element {place}": [
        element + (number == place) for number, element in enumerate(proven(measurement(412)))
    ]
    for place in (0, 15, 16, 17, 18, 19, 40, 81)
}


async def invalid(store: Store) -> dict[str, datetime | None]:
    """Return of which hour each home's report was invalid."""
    query = select(MemberPermissionSeriesRow.permission_id, MemberPermissionSeriesRow.invalid_at)
    async with store.reading() as connection:
        return dict((await connection.execute(query)).tuples().all())


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_is_in_no_sum_names_its_home_and_costs_the_others_nothing(
    file: Store, lie: str
) -> None:
    async with file.writing() as connection:
        town = MaskedTown(connection, at=OVER)
        liar, *others = await town.masked_homes(4)
        await town.report(others, [400, 400], AT)
        await town.report([liar], [0], AT + HOUR)
        assert await town.push(liar.jid, forged(town, liar, LIES[lie])) is None
        await town.close(OVER)
    witness = RefusingWitness(town)
    await answered(file, witness)
    assert witness.refused == [RefusedHomes(Refusal.INVALID, frozenset({liar.permission}))]
    noted = await invalid(file)
    assert noted.pop(liar.permission) == AT
    assert set(noted.values()) == {None}
    async with file.reading() as connection:
        overview = await member_overview(
            connection, ZoneInfo(ZONE), Span(AT.date(), AT.date()), OVER
        )
    assert [entry.id for entry in overview.entries if entry.invalid] == [liar.member]
    async with file.writing() as connection:
        town.connection = connection
        while await town.close(OVER):
            pass
        assert (await town.shown())[10] == 1_200
    # The next report of the home is valid: there is no problem any more.
    await answered(file, witness)
    assert set((await invalid(file)).values()) == {None}
    async with file.writing() as connection:
        town.connection = connection
        await town.close(OVER)
        assert (await town.shown())[11] == 1_200


async def test_a_number_that_is_no_element_is_refused_when_it_comes(file: Store) -> None:
    async with file.writing() as connection:
        town = MaskedTown(connection, at=OVER)
        (home,) = await town.masked_homes(1)
        message = town.reports(home, [400, 400], AT)
        for place in (0, BITS, CIRCUIT.length - 1):
            elements = list(share(message.reports[1].masked))
            elements[place] = MODULUS
            masked = encode(elements)
            altered = message.reports[1]._replace(masked=masked)
            refused = await town.push(
                home.jid, replace(message, reports=(message.reports[0], altered))
            )
            assert isinstance(refused, BadRequest)
            assert "no element of the field" in sentence(refused).say()
        assert not await town.rows("masked_report")


async def test_a_message_has_no_more_reports_than_of_two_days(file: Store) -> None:
    async with file.writing() as connection:
        town = MaskedTown(connection, at=OVER)
        (home,) = await town.masked_homes(1)
        message = town.reports(home, [400], AT)
        (report,) = message.reports
        many = tuple(report._replace(hour=AT - n * HOUR) for n in reversed(range(MAX_REPORTS + 1)))
        refused = await town.push(home.jid, replace(message, reports=many))
        assert isinstance(refused, BadRequest)
        assert "at most 48 reports" in sentence(refused).say()


async def test_without_its_verification_key_a_collective_closes_the_hour_without_reports(
    file: Store,
) -> None:
    """Under another key, a report that was verified before would be verified again."""
    async with file.writing() as connection:
        town = MaskedTown(connection, at=OVER)
        await town.record(await town.members(3), 100)
        await town.report(await town.masked_homes(4), [400], AT)
        await set_secret(connection, VERIFICATION_SECRET.format(witness=WITNESS.jid), None)
        await town.close_all(OVER)
        assert not await openings(connection)
        assert (await town.shown())[10] == 300
