"""A home that answers a collective, without a network."""

from datetime import datetime

from consometers_node.permission import Identification, Permissions
from consometers_node.series import Series
from consometers_node.sharing.service import MakeAnswers
from consometers_node.store import Store, answers
from consometers_node.store.peers import Peer
from consometers_node.wire import Naming
from consometers_quoalise import Data, GetHistory, Identifier, Listed, Node
from consometers_quoalise_network import Asker
from testing.homes.data_needs import HOURLY
from testing.homes.ledgers import NAMING, Ledger, midnight
from testing.homes.running import Shares

COOP = Asker("coop@example.org", "coop@example.org/quoalise", "en")


class AnsweringHome:
    """Answers, and the requests that were answered."""

    def __init__(
        self, store: Store, answers: MakeAnswers = Shares, naming: Naming = NAMING
    ) -> None:
        self.store = store
        self.answered: list[tuple[str, Node]] = []
        self.confirms: bool | None = True
        self.answers = answers(store, naming, self._receive, self._confirms, self._settled)

    def name(self, series: Series = HOURLY, asker: Asker = COOP) -> Identifier:
        return NAMING.name(series, asker.jid, Identification.PSEUDONYM)

    async def history(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        series: Series = HOURLY,
    ) -> dict[datetime, float]:
        asked = GetHistory(self.name(series), start, end)
        return read(await self.answers.get_history(COOP, asked))

    async def listed(self, asker: Asker = COOP) -> list[Listed]:
        return list(await self.answers.list_series(asker))

    def _receive(self, peer: Peer, node: Node) -> None:
        self.answered.append((peer.jid, node))

    async def _confirms(self, full: str) -> bool | None:
        return self.confirms

    async def _settled(self, peer: Peer) -> bool:
        return True


def read(data: Data) -> dict[datetime, float]:
    return {
        datetime.fromtimestamp(float(second), midnight().tzinfo): float(value)
        for record in data.records
        for second, value in record.values.items()
    }


async def logged(house: AnsweringHome, ledger: Ledger) -> list[answers.Answer]:
    """Return the answers to a peer, in order."""
    async with house.store.reading() as connection:
        permissions = await Permissions(connection).all(ledger.peer.id)
        newest = [
            answer
            for permission in permissions
            for answer in await answers.latest_answers(connection, permission.id, 1_000)
        ]
    return newest[::-1]
