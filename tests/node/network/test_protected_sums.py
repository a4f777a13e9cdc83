"""Masked reports to a collective, and their sums opened by a witness, between real servers."""

from consometers_quoalise import (
    Opened,
    Opening,
    Reports,
    VerificationRequest,
    Verified,
)
from consometers_quoalise_network import Asker
from packages.quoalise.tests.protected_sums_samples import (
    ANSWER,
    LARGEST_OPENING,
    LARGEST_REPORTS,
    LARGEST_VERIFICATION,
    VERIFIED,
)
from testing.networks import Host
from testing.xmpp.answerers import AskingCollective, RecordKeeper
from testing.xmpp.fixtures import MakeNode


class Witness(AskingCollective):
    """An answerer with the same answer for every request."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, VerificationRequest | Opening]] = []

    async def verify_reports(self, asker: Asker, request: VerificationRequest) -> Verified:
        self.asked.append((asker.jid, request))
        return VERIFIED

    async def open_sums(self, asker: Asker, opening: Opening) -> Opened:
        self.asked.append((asker.jid, opening))
        return ANSWER


async def test_the_largest_reports_and_openings_pass_between_servers(
    server: Host, other_server: Host, new_node: MakeNode
) -> None:
    received: list[tuple[str, Reports]] = []

    async def keep_reports(sender: str, reports: Reports) -> None:
        received.append((sender, reports))

    home, answerer = await new_node(server), Witness()
    collective = await new_node(
        other_server, AskingCollective(), keep=RecordKeeper().keep, keep_reports=keep_reports
    )
    witness = await new_node(server, answerer)
    await home.pushing.push(collective.bare, LARGEST_REPORTS)
    assert received == [(home.bare, LARGEST_REPORTS)]
    asking = collective.asking
    assert await asking.verify_reports(witness.bare, LARGEST_VERIFICATION) == VERIFIED
    assert await asking.open_sums(witness.bare, LARGEST_OPENING) == ANSWER
    assert answerer.asked == [
        (collective.bare, each) for each in (LARGEST_VERIFICATION, LARGEST_OPENING)
    ]
