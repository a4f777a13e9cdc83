"""Protected sums are asked for with a witness that is independent, or refused in words."""

from dataclasses import replace
from datetime import timedelta

import pytest

from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.errors import BadWitness
from consometers_node.collective.permissions import needs
from consometers_node.permission import DataNeed, DataNeedSeries
from consometers_node.quoalise import Witness
from consometers_node.series import Direction, Interval, Quantity
from consometers_node.store import Store

from ..permission.samples import PROTECTED, WITNESS
from .people import AT

ACCOUNT = "energies@coop.example"
OTHER = replace(PROTECTED, id="other-sums")
SUN = replace(OTHER, series=frozenset({DataNeedSeries(Direction.PRODUCTION, Quantity.ENERGY)}))
FED_IN = replace(OTHER, series=frozenset({DataNeedSeries(Direction.INJECTION, Quantity.ENERGY)}))
HOURLY = Publication(minimum=10)


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
