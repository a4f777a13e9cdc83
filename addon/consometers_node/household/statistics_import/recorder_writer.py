"""One imported statistic in Home Assistant's recorder: read, updated, and verified.

What is written waits in the recorder's queue, so it is read again until it is there; what does not
come is written again. While Home Assistant is away this waits; to end that, cancel. To be cancelled
or killed at any point leaves states that are right, and sums that `look` mends.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import batched, pairwise
import logging

from consometers_node.household.errors import NotOurs
from consometers_node.household.readings import HOUR, Flag
from consometers_node.household.source import StatisticsWriter
from consometers_node.household.statistics import StatisticId, StatisticsRow
from consometers_node.household.waiting import Rest, patiently
from consometers_node.i18n.text import text
from consometers_node.series import Range
from consometers_quoalise_network.backoff import Backoff

from .hours import SeriesKind, States
from .sums import differing, flags, ours, summed

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""No meter that sends anything is older."""

_ROWS_AT_ONCE = 1_000
_DAY = timedelta(days=1)
_DAYS_APART = timedelta(hours=25)
"""At most, from one civil day to the next."""
_MONTH = timedelta(days=31)
_YEAR = timedelta(days=366)
_SEEN_WITHIN_S = 60.0
_LOOKS = Backoff(0.05, 5, least=1)

_REGISTER = {
    Flag.RESTARTED: text("{name}: the register started again at {at}."),
    Flag.BACKWARDS: text("{name}: the register went back at {at}."),
    Flag.ABSURD: text("{name}: the register leapt at {at}."),
}
_LOGGER = logging.getLogger(__name__)


class RecorderWriter:
    """The rows of one statistic, with one writer and one task at a time."""

    def __init__(
        self,
        recorder: StatisticsWriter,
        name: StatisticId,
        title: str,
        kind: SeriesKind,
        *,
        rest: Rest = asyncio.sleep,
    ) -> None:
        self._recorder = recorder
        self._name = name
        self._title = title
        self._kind = kind
        self._rest = rest
        self.first: datetime | None = None
        """The start of the first row, and of the last one; None if there is none."""
        self.last: datetime | None = None
        self.gaps: Sequence[Range] = ()
        """The days between them without a row, as of the last look."""

    async def look(self) -> None:
        """Read all rows, and repair sums that do not follow from the states.

        Raises NotOurs if something else made them.
        """
        self.first = self.last = None
        self.gaps = ()
        if not await patiently(
            self._recorder, lambda: self._recorder.may_write(self._name), self._rest
        ):
            return
        rows: list[StatisticsRow] = []
        for within in Range(EARLIEST, datetime.now(UTC) + _YEAR).parts(_YEAR):
            rows += await self._rows(within)
        if not ours(self._kind, rows):
            raise NotOurs(name=self._name)
        if rows:
            self.first, self.last = rows[0].start, rows[-1].start
            apart = _DAYS_APART if self._kind is SeriesKind.DAILY else _DAY
            self.gaps = [
                Range(before.start + HOUR, after.start)
                for before, after in pairwise(rows)
                if after.start - before.start > apart
            ]
        await self._write(differing(summed(self._kind, None, rows, {}), rows))

    async def put(self, states: States) -> int:
        """Put states at their hours, and return how many rows changed."""
        if not states:
            return 0
        start, last = min(states), max(states)
        before = await self._before(start)
        changed = 0
        for within in Range(start, max(last, self.last or last) + HOUR).parts(_MONTH):
            reaches = self.last is not None and within.start <= self.last
            rows = await self._rows(within) if reaches else []
            new = {hour: state for hour, state in states.items() if hour in within}
            summed_up = list(summed(self._kind, before, rows, new))
            different = differing(summed_up, rows)
            self._log_flags(before, summed_up, different)
            await self._write(different)
            changed += len(different)
            before = summed_up[-1] if summed_up else before
            if within.end > last and rows and not different:
                # The rows that follow are unchanged.
                break
        self.first = min(start, self.first or start)
        self.last = max(last, self.last or last)
        return changed

    async def _before(self, start: datetime) -> StatisticsRow | None:
        step = _MONTH
        while self.first is not None and self.first < start:
            within = Range(max(self.first, start - step), start)
            if rows := [row for row in await self._rows(within) if row.state is not None]:
                return rows[-1]
            start, step = within.start, _YEAR
        return None

    async def _rows(self, within: Range) -> Sequence[StatisticsRow]:
        answer = await patiently(
            self._recorder, lambda: self._recorder.rows([self._name], "hour", within), self._rest
        )
        return answer.get(self._name, ())

    async def _write(self, rows: Sequence[StatisticsRow]) -> None:
        for batch in batched(rows, _ROWS_AT_ONCE, strict=False):
            left: Sequence[StatisticsRow] = batch
            while left:
                left = await self._send(left)

    async def _send(self, rows: Sequence[StatisticsRow]) -> Sequence[StatisticsRow]:
        """Have rows written, and return those still missing after some time."""
        loop = asyncio.get_running_loop()
        await patiently(
            self._recorder,
            lambda: self._recorder.write(self._name, self._title, rows),
            self._rest,
        )
        within = Range(rows[0].start, rows[-1].start + HOUR)
        until = loop.time() + _SEEN_WITHIN_S
        pauses = _LOOKS.delays()
        while (left := differing(rows, await self._rows(within))) and loop.time() < until:
            await self._rest(next(pauses))
        return left

    def _log_flags(
        self,
        before: StatisticsRow | None,
        rows: Sequence[StatisticsRow],
        changed: Sequence[StatisticsRow],
    ) -> None:
        """Log surprises in the new rows."""
        new = {row.start for row in changed}
        for row, flag in flags(self._kind, before, rows):
            if row.start in new:
                _LOGGER.info(_REGISTER[flag].fill(name=self._name, at=row.start))
