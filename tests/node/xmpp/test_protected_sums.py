"""Masked reports to a collective, and their sums opened by a witness, between real servers."""

from datetime import UTC, datetime
from random import Random
from uuid import UUID

from consometers_node.protected_sums.masks import (
    KEY_BYTES,
    NONCE_SECRET_BYTES,
    DayKey,
    Report,
    Subject,
)
from consometers_node.protected_sums.opening import Enrolment, Witness
from consometers_node.quoalise import Direction as Way, MaskedReport, Opened, Opening, Reports
from consometers_node.quoalise.protected_sums import (
    HOMES_IN_PART,
    MaskedSum,
    OpenedSum,
    Part,
)
from consometers_node.series import Direction
from consometers_node.xmpp import Asker
from demo.prosody import Prosody

from ..protected_sums.homes import added
from .conftest import MakeNode
from .home import Collective, Keeper

HOUR = datetime(2026, 11, 29, 12, tzinfo=UTC)
TODAY = HOUR.date()
HOMES = HOMES_IN_PART + 1


class WitnessNode(Collective):
    """Opens what is asked once all parts have come."""

    def __init__(self, witness: Witness) -> None:
        super().__init__()
        self.witness = witness
        self.parts: list[Opening] = []

    async def open_sums(self, asker: Asker, opening: Opening) -> Opened:
        self.parts.append(opening)
        answered = Opened(id=opening.id, part=opening.part, parts=opening.parts)
        if opening.part < opening.parts:
            return answered
        homes = [part for asked in self.parts for each in asked.sums for part in each.parts]
        masked = sum(each.masked for asked in self.parts for each in asked.sums)
        squares = sum(each.masked_squares for asked in self.parts for each in asked.sums)
        whole = MaskedSum("1", tuple(homes), masked % 2**64, squares % 2**128)
        subject = Subject(asker.jid, Direction(opening.direction), opening.hour)
        answers = tuple(self.witness.open(subject, [whole], TODAY))
        return Opened(id=opening.id, part=opening.part, parts=opening.parts, answers=answers)


async def test_a_sum_of_thousands_of_homes_is_opened_across_servers(
    server: Prosody, other_server: Prosody, new_node: MakeNode
) -> None:
    random = Random(1)
    received: list[tuple[str, Reports]] = []

    async def keep_reports(sender: str, reports: Reports) -> None:
        received.append((sender, reports))

    home = await new_node(server)
    collective = await new_node(server, Collective(), keep=Keeper().keep, keep_reports=keep_reports)
    keys = {
        str(UUID(bytes=random.randbytes(16))): DayKey(TODAY, random.randbytes(KEY_BYTES))
        for _ in range(HOMES)
    }
    directions = frozenset({Direction.CONSUMPTION})
    enrolled = {name: Enrolment(key, directions, HOMES) for name, key in keys.items()}
    witness = await new_node(other_server, WitnessNode(Witness(enrolled)))

    subject = Subject(collective.bare, Direction.CONSUMPTION, HOUR)
    values = [random.randrange(3_000) for _ in keys]
    made = [
        (name, Report.of(wh, subject, key, random.randbytes(NONCE_SECRET_BYTES)))
        for (name, key), wh in zip(keys.items(), values, strict=True)
    ]
    name, report = made[0]
    reports = Reports(
        permission=name,
        direction=Way.CONSUMPTION,
        day=TODAY,
        reports=(MaskedReport(HOUR, report.nonce, report.masked, report.masked_square),),
    )
    await home.pushing.push(collective.bare, reports)
    assert received == [(home.bare, reports)]

    parts = [(Part(each, TODAY, report.nonce), report) for each, report in made]
    halves = parts[:HOMES_IN_PART], parts[HOMES_IN_PART:]
    for number, half in enumerate(halves, 1):
        opened = await collective.asking.open_sums(
            witness.bare,
            Opening(
                id=name,
                direction=Way.CONSUMPTION,
                hour=HOUR,
                part=number,
                parts=len(halves),
                sums=(added("1", half),),
            ),
        )
    assert opened.answers == (OpenedSum(frozenset({"1"}), HOMES, sum(values)),)
