"""Asks witnesses to open the waiting sums, until each has answered.

stored by the worker ─ asked, part by part ─ answered: the hour closes
└ refused for some homes: stored without them, and asked again
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
import logging
from typing import NoReturn

from ...backoff import Backoff
from ...quoalise import QuoaliseError, Text
from ...quoalise.protected_sums import Answer
from ...quoalise.text import around, text
from ...sharing.changes import Changes
from ...store import Store
from ...store.masked_reports import (
    StoredOpening,
    ask_less,
    note_invalid,
    openings,
    reports_of_hour,
    store_answer,
)
from ...xmpp import Asking, NetworkError
from .openings import (
    BadAnswer,
    homes,
    invalid_homes,
    refused_homes,
    requests,
    too_few,
    without,
    written_answer,
)

_BAD_ANSWER = text("It answered something else than what it was asked: ask those who run it.")

_UNANSWERED = text("A witness has not answered: {said}")
_REFUSED = text("A witness refused {count} homes of a sum.")
_LOGGER = logging.getLogger(__name__)


class WitnessRequests:
    """Asks each witness for one opening after the other. Hours wait while a witness is away."""

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
            words = _BAD_ANSWER if isinstance(fault, BadAnswer) else fault.text
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
        """Ask until it is answered, each time without the refused homes."""
        left: StoredOpening | None = opening
        while left is not None:
            answers = await self._answers(left)
            left = await self._take(left, answers)
        self._changes.notify()

    async def _answers(self, opening: StoredOpening) -> Sequence[Answer]:
        answers: Sequence[Answer] = ()
        for part in requests(opening):
            opened = await self._asking.open_sums(opening.witness, part)
            if (opened.id, opened.part, opened.parts) != (part.id, part.part, part.parts):
                raise BadAnswer
            answers = opened.answers
        return answers

    async def _take(
        self, opening: StoredOpening, answers: Sequence[Answer]
    ) -> StoredOpening | None:
        """Store an answer; return the request to send instead, if homes were refused."""
        refused = refused_homes(opening, answers)
        answer = None if refused else written_answer(opening, answers)
        async with self._store.writing() as connection:
            hour = opening.direction, opening.start
            if opening not in await openings(connection, *hour):
                # The hour was closed without it.
                return None
            if answer is not None:
                await store_answer(connection, opening, answer)
                await note_invalid(connection, homes(opening), opening.direction, None)
                return None
            if invalid := invalid_homes(answers):
                await note_invalid(connection, invalid, opening.direction, opening.start)
            reports = await reports_of_hour(connection, *hour)
            less = without(opening, refused, reports)
            if less is None:
                await store_answer(connection, opening, too_few(answers))
            else:
                await ask_less(connection, less)
        _LOGGER.info(_REFUSED.fill(count=len(refused)))
        return less
