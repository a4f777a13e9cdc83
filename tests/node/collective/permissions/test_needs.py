"""The data needs of a collective, in versions, and the witnesses of protected sums."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert

from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.errors import NotFound
from consometers_node.collective.permissions import needs
from consometers_node.collective.permissions.needs import BadWitness
from consometers_node.permission import ChangedNeed, DataNeed, DataNeedSeries
from consometers_node.series import Direction, Interval, Quantity
from consometers_node.store import Store
from consometers_node.store.collective.tables import OwnNeedRow
from consometers_node.store.settings import VERIFICATION_SECRET, secret
from consometers_node.wire import write_need
from consometers_protected_sums.exchange import VERIFICATION_KEY_BYTES
from consometers_quoalise import Malformed, Witness
from consometers_quoalise.elements.markup import serialise
from consometers_quoalise.federation.permissions_xml import write_data_needs
from testing.collectives.members import AT
from testing.homes.data_needs import NEED, PROTECTED, WITNESS
from testing.sentences import says

LATER = AT + timedelta(days=30)
POWER = replace(
    NEED,
    id="power",
    series=frozenset(
        {
            DataNeedSeries(Direction.PRODUCTION, Quantity.POWER),
            DataNeedSeries(Direction.PRODUCTION, Quantity.ENERGY),
        }
    ),
)
ACCOUNT = "energies@coop.example"
OTHER = replace(PROTECTED, id="other-sums")
SUN = replace(OTHER, series=frozenset({DataNeedSeries(Direction.PRODUCTION, Quantity.ENERGY)}))
FED_IN = replace(OTHER, series=frozenset({DataNeedSeries(Direction.INJECTION, Quantity.ENERGY)}))
HOURLY = Publication(minimum=10)


async def test_the_key_of_a_witness_is_drawn_with_the_first_need_that_names_it(
    store: Store,
) -> None:
    """So no report comes before it; another key would verify reports twice."""

    async def key(jid: str) -> bytes | None:
        return await secret(connection, VERIFICATION_SECRET.format(witness=jid))

    async with store.writing() as connection:
        await needs.offer(connection, NEED, AT)
        assert await key(WITNESS.jid) is None
        await needs.offer(connection, PROTECTED, AT)
        drawn = await key(WITNESS.jid)
        assert drawn is not None
        assert len(drawn) == VERIFICATION_KEY_BYTES
        await needs.offer(connection, replace(PROTECTED, version=2), LATER)
        await needs.offer(connection, SUN, LATER)
        assert await key(WITNESS.jid) == drawn
        other = replace(WITNESS, jid="other@commune.example")
        await needs.offer(connection, replace(PROTECTED, version=3, witness=other), LATER)
        assert await key(other.jid) not in {None, drawn}


async def test_an_offered_need_is_stored_once(store: Store) -> None:
    async with store.writing() as connection:
        assert await needs.offer(connection, NEED, AT)
        assert await needs.offer(connection, POWER, AT)
        assert await needs.offered(connection) == [POWER, NEED]
        (version,) = await needs.versions(connection, NEED.id)
        assert version == needs.OwnNeed(NEED, AT, None)
        assert not await needs.offer(connection, NEED, LATER)
        assert await needs.versions(connection, NEED.id) == [version]


async def test_a_new_version_closes_the_older_one(store: Store) -> None:
    newer = replace(NEED, version=3, purpose={"fr": "Autre chose."})
    async with store.writing() as connection:
        await needs.offer(connection, NEED, AT)
        assert await needs.offer(connection, newer, LATER)
        assert await needs.offered(connection) == [newer]
        assert [version.closed_at for version in await needs.versions(connection, NEED.id)] == [
            LATER,
            None,
        ]


@pytest.mark.parametrize(
    "changed",
    [
        replace(NEED, version=2, purpose={"fr": "Autre chose."}),
        replace(NEED, version=2, retention_days=NEED.retention_days + 1),
        replace(NEED, version=1),
    ],
    ids=["other words", "kept longer", "an older version"],
)
async def test_changes_require_a_new_version(store: Store, changed: DataNeed) -> None:
    async with store.writing() as connection:
        await needs.offer(connection, replace(NEED, version=2), AT)
        with pytest.raises(ChangedNeed):
            await needs.offer(connection, changed, LATER)


async def test_a_closed_need_can_be_reopened(store: Store) -> None:
    async with store.writing() as connection:
        await needs.offer(connection, NEED, AT)
        await needs.close(connection, NEED.id, LATER)
        assert await needs.offered(connection) == []
        with pytest.raises(NotFound):
            await needs.close(connection, NEED.id, LATER)
        assert not await needs.offer(connection, NEED, LATER)
        assert await needs.offered(connection) == []
        await needs.reopen(connection, NEED.id)
        assert await needs.offered(connection) == [NEED]
        with pytest.raises(NotFound):
            await needs.reopen(connection, "other")


async def test_a_need_that_members_could_not_read_is_refused(store: Store) -> None:
    async with store.writing() as connection:
        with pytest.raises(Malformed, check=says(r"policy: .*not a link")):
            await needs.offer(connection, replace(NEED, policy="example.org"), AT)
        assert await needs.all_needs(connection) == []


def _body(*offered: DataNeed) -> str:
    return serialise(write_data_needs([write_need(need) for need in offered])).decode()


@pytest.mark.parametrize("body", ["<data-needs", _body(), _body(NEED, POWER)])
async def test_an_unreadable_version_is_left_out_and_its_number_stays_taken(
    store: Store, body: str
) -> None:
    async with store.writing() as connection:
        await needs.offer(connection, POWER, AT)
        broken = {"need": NEED.id, "version": 1, "body": body, "offered_at": AT}
        await connection.execute(insert(OwnNeedRow).values(broken))
        assert await needs.offered(connection) == [POWER]
        (left_out,) = await needs.unreadable(connection)
        assert (left_out.need.id, left_out.need.version, left_out.closed_at) == (NEED.id, 1, None)
        with pytest.raises(ChangedNeed):
            await needs.offer(connection, NEED, LATER)
        second = await needs.numbered(connection, NEED)
        assert second == replace(NEED, version=2)
        assert await needs.offer(connection, second, LATER)
        assert await needs.offered(connection) == [POWER, second]
        assert [version.closed_at for version in await needs.unreadable(connection)] == [LATER]


def by(witness: Witness) -> DataNeed:
    return replace(PROTECTED, witness=witness)


@pytest.mark.parametrize(
    ("need", "publication", "refusal"),
    [
        (by(replace(WITNESS, jid="witness@coop.example")), HOURLY, "independent"),
        (by(replace(WITNESS, jid="witness@xmpp.coop.example")), HOURLY, "independent"),
        (by(replace(WITNESS, url="https://www.coop.example")), HOURLY, "independent"),
        (by(replace(WITNESS, minimum=9)), HOURLY, "Promise 10 or more"),
        (PROTECTED, replace(HOURLY, interval=Interval.PT30M), "publish hours first"),
        (PROTECTED, replace(HOURLY, minimum=None), "Promise 5000 or more"),
        (FED_IN, replace(HOURLY, minimum=None), "By the law"),
        (OTHER, HOURLY, "already"),
        (PROTECTED, HOURLY, None),
        (SUN, HOURLY, None),
    ],
)
async def test_a_witness_that_protects_nothing_is_refused(
    store: Store, need: DataNeed, publication: Publication, refusal: str | None
) -> None:
    async with store.writing() as connection:
        await needs.offer(connection, PROTECTED, AT)
        if refusal is None:
            await needs.check_witness(connection, need, ACCOUNT, publication)
            return
        with pytest.raises(BadWitness, match=refusal):
            await needs.check_witness(connection, need, ACCOUNT, publication)


async def test_a_closed_need_blocks_no_other(store: Store) -> None:
    async with store.writing() as connection:
        await needs.offer(connection, PROTECTED, AT)
        await needs.close(connection, PROTECTED.id, AT + timedelta(days=1))
        await needs.check_witness(connection, OTHER, ACCOUNT, HOURLY)
