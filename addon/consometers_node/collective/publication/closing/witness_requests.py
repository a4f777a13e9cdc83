"""Asks witnesses to open the waiting sums, until each has answered.

stored by the worker ─ homes verified, part by part ─ noted that sums leave ─ sums opened
├ refused for some homes before sums left: stored without them, and verified again
└ refused for some homes after sums left: the protected sum of the hour closes empty

For an hour and a direction, the sums of one set of homes leave: with those of another one, less a
home, a witness that lied about it would read it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
import logging
from typing import NoReturn

from consometers_node.i18n.protocol import sentence
from consometers_node.i18n.text import Text, around, text
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.collective.masked_reports import (
    StoredOpening,
    ask_less,
    note_invalid,
    note_sums_sent,
    openings,
    reports_of_hour,
    store_answer,
)
from consometers_protected_sums.exchange import Answer, RefusedHomes
from consometers_quoalise import QuoaliseError
from consometers_quoalise.federation.protected_sums import (
    Opened,
    Opening,
    VerificationRequest,
    Verified,
)
from consometers_quoalise_network import Asking, NetworkError
from consometers_quoalise_network.backoff import Backoff

from .openings import (
    BadAnswer,
    given_up,
    homes,
    invalid_homes,
    refused_homes,
    sums_to_open,
    too_few,
    verifications,
    without,
    written_answer,
)

_BAD_ANSWER = text("It answered something else than what it was asked: ask those who run it.")

_UNANSWERED = text("A witness has not answered: {said}")
_REFUSED = text("A witness refused {count} homes of a sum.")
_REFUSED_LATE = text(
    "A witness refused homes of an hour whose sums it had received already ({count}): the hour"
    " closes without masked reports. Ask those who run it why."
)
_LOGGER = logging.getLogger(__name__)


class WitnessRequests:
    """Asks each witness for one opening after the other. Protected sums wait while it is away."""

    def __init__(
        self, store: Store, asking: Asking, changes: Changes, backoff: Backoff | None = None
    ) -> None:
        self.problems: dict[str, Text] = {}
        """Why witnesses (bare JIDs) have not answered."""
        self._store = store
        self._asking = asking
        self._changes = changes
        self._backoff = backoff or Backoff()
        self._failures: defaultdict[str, int] = defaultdict(int)
        self._due: dict[str, float] = {}

    def came_back(self) -> None:
        """Ask at once, for the network is up again."""
        self._due.clear()
        self._changes.notify()

    async def run(self) -> NoReturn:
        """Ask until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            seen = self._changes.count
            by_witness: defaultdict[str, list[StoredOpening]] = defaultdict(list)
            async with self._store.reading() as connection:
                for opening in await openings(connection, unanswered=True):
                    by_witness[opening.witness].append(opening)
            for gone in self.problems.keys() - by_witness.keys():
                del self.problems[gone]
            async with asyncio.TaskGroup() as tasks:
                for witness, pending in by_witness.items():
                    if self._due.get(witness, 0) <= clock():
                        tasks.create_task(self._visit(witness, pending))
            waits = [self._due[witness] - clock() for witness in by_witness if witness in self._due]
            await self._changes.after(seen, max(0, min(waits)) if waits else None)

    async def _visit(self, witness: str, pending: Sequence[StoredOpening]) -> None:
        """Send a witness its waiting requests, until it fails."""
        try:
            for opening in pending:
                await self._ask(opening)
        except (NetworkError, QuoaliseError, BadAnswer) as fault:
            words = _BAD_ANSWER if isinstance(fault, BadAnswer) else sentence(fault)
            if witness not in self.problems:
                _LOGGER.warning(around(_UNANSWERED, words))
            self.problems[witness] = words
            wait_s = self._backoff.seconds(self._failures[witness])
            self._failures[witness] += 1
            self._due[witness] = asyncio.get_running_loop().time() + wait_s
        else:
            self.problems.pop(witness, None)
            self._failures.pop(witness, None)
            self._due.pop(witness, None)

    async def _ask(self, opening: StoredOpening) -> None:
        """Ask until it is answered: to verify, each time without the refused homes; then to open.

        Each time, from the beginning: the witness holds what it verified only for some minutes.
        """
        verify = partial(self._asking.verify_reports, opening.witness)
        left: StoredOpening | None = opening
        while left is not None and (refused := (await _sent(verifications(left), verify)).refused):
            left = await self._take_refusal(left, refused)
        if left is not None and await self._note_sums_sent(left):
            open_sums = partial(self._asking.open_sums, left.witness)
            await self._take(left, (await _sent(sums_to_open(left), open_sums)).answers)
        self._changes.notify()

    async def _take_refusal(
        self, opening: StoredOpening, refused: Sequence[RefusedHomes]
    ) -> StoredOpening | None:
        """Return the request without the refused homes; None if it is closed instead."""
        in_the_way = refused_homes(opening, refused)
        async with self._store.writing() as connection:
            hour = opening.direction, opening.start
            if opening not in await openings(connection, *hour):
                # The hour was closed without it.
                return None
            if invalid := invalid_homes(refused):
                await note_invalid(connection, invalid, opening.direction, opening.start)
            if opening.sums_sent:
                less = None
                await store_answer(connection, opening, given_up())
            elif less := without(opening, in_the_way, await reports_of_hour(connection, *hour)):
                await ask_less(connection, less)
            else:
                await store_answer(connection, opening, too_few(refused))
        words = _REFUSED_LATE if opening.sums_sent else _REFUSED
        _LOGGER.log(
            logging.WARNING if opening.sums_sent else logging.INFO,
            words.fill(count=len(in_the_way)),
        )
        return less

    async def _note_sums_sent(self, opening: StoredOpening) -> bool:
        """Store that the sums leave, before they do; return whether the hour waits for them."""
        async with self._store.writing() as connection:
            return await note_sums_sent(connection, opening)

    async def _take(self, opening: StoredOpening, answers: Sequence[Answer]) -> None:
        """Store what was opened. Raises BadAnswer."""
        answer = written_answer(opening, answers)
        async with self._store.writing() as connection:
            await store_answer(connection, opening, answer)
            await note_invalid(connection, homes(opening), opening.direction, None)


async def _sent[Sent: (VerificationRequest, Opening), Answered: (Verified, Opened)](
    parts: Sequence[Sent], send: Callable[[Sent], Awaitable[Answered]]
) -> Answered:
    """Send the parts of a request; return the answer to the last one. Raises BadAnswer."""
    for part in parts:
        answer = await send(part)
        if (answer.id, answer.part, answer.parts) != (part.id, part.part, part.parts):
            raise BadAnswer
    return answer
