"""A toy that keeps the statistics that are written into it, and a peer to import from."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from consometers_quoalise import Data, Duration, Identifier, Number, QuoaliseError
from consometers_quoalise.records import identifier
from testing.home_assistant.rows import measured
from testing.home_assistant.toy import ToyHomeAssistant, ms

GRID = "consometers:grid"
LOAD = identifier.identifier("urn:dev:prm:30001610071843_consumption/power/active/raw")
HALF_HOUR = timedelta(minutes=30)


@dataclass
class ImportingToy(ToyHomeAssistant):
    """Puts what is imported into a queue, and the queue into the rows somewhat later."""

    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    is_admin: bool = True
    language: str = "en"
    late: int = 1
    """How many reads miss the imported rows."""
    loses: int = 0
    """So many imports are never seen again."""
    imports: list[list[dict[str, Any]]] = field(default_factory=list)
    _queue: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    async def _answer(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        if message["type"] == "recorder/statistics_during_period":
            self._commit()
        self.answers["recorder/list_statistic_ids"] = list(self.metadata.values())
        self.answers["get_config"] = {"time_zone": "Europe/Paris", "language": self.language}
        if message["type"] == "recorder/import_statistics":
            if not self.is_admin:
                error = {"code": "unauthorized", "message": "Unauthorized"}
                answer = {"id": message["id"], "type": "result", "success": False, "error": error}
                await socket.send_json(answer)
                return
            self.answers["recorder/import_statistics"] = None
            if len(self.asked) + 1 not in self.hangs_up_at:
                self._import(message)
        await super()._answer(socket, message)

    def _import(self, message: dict[str, Any]) -> None:
        metadata = message["metadata"]
        self.metadata[metadata["statistic_id"]] = {
            **metadata,
            "statistics_unit_of_measurement": metadata["unit_of_measurement"],
        }
        self.imports.append(message["stats"])
        if self.loses:
            self.loses -= 1
            return
        self._queue.append((self.late, message))

    def _commit(self) -> None:
        waiting = [(left - 1, message) for left, message in self._queue]
        for left, message in waiting:
            if left < 0:
                self.put(message["metadata"]["statistic_id"], message["stats"])
        self._queue = [(left, message) for left, message in waiting if left >= 0]

    def put(self, name: str, stats: list[dict[str, Any]]) -> None:
        """Store rows written in kWh as they are read, in Wh."""
        rows = {row["start"]: row for row in self.hours.get(name, [])}
        for stat in stats:
            start = ms(datetime.fromisoformat(stat["start"]))
            state, total = (round(1000 * stat[key], 6) for key in ("state", "sum"))
            rows[start] = {"start": start, "state": state, "sum": total}
        self.hours[name] = [rows[start] for start in sorted(rows)]

    def energies(self, name: str = GRID) -> dict[datetime, float]:
        """What each hour has, once it is checked that the sums are those of the states."""
        total = 0.0
        for row in self.hours.get(name, []):
            total += row["state"]
            assert row["sum"] == total
        return {
            datetime.fromtimestamp(row["start"] / 1000, UTC): row["state"]
            for row in self.hours.get(name, [])
        }


def load(values: Mapping[datetime, Number], unit: str = "W", *, says_interval: bool = True) -> Data:
    return measured(LOAD, values, unit, Duration(seconds=1800) if says_interval else None)


@dataclass
class Upstream:
    """A peer, and what it refuses."""

    values: dict[datetime, Number] = field(default_factory=dict)
    unit: str = "W"
    says_interval: bool = True
    asked: list[tuple[datetime, datetime]] = field(default_factory=list)
    subscriptions: int = 0
    pushes: bool = True
    refuses: Callable[[datetime, datetime], QuoaliseError | None] = lambda _start, _end: None

    async def history(
        self, peer: str, identifier: Identifier, start: datetime, end: datetime
    ) -> AsyncIterator[Data]:
        assert (peer, identifier) == ("proxy@enedis.test", LOAD)
        self.asked.append((start, end))
        await asyncio.sleep(0)
        if (refusal := self.refuses(start, end)) is not None:
            raise refusal
        # In two answers; the second begins in the midst of an hour.
        middle = start + (end - start) / 2
        for low, high in ((start, middle), (middle, end)):
            within = {at: value for at, value in self.values.items() if low <= at < high}
            yield load(within, self.unit, says_interval=self.says_interval)

    async def subscribe(self, peer: str, identifier: Identifier) -> None:
        if not self.pushes:
            raise QuoaliseError
        self.subscriptions += 1


@dataclass
class Notes:
    """How an import stands."""

    until: datetime | None = None
    problems: list[str | None] = field(default_factory=list)

    async def moved(self, until: datetime) -> None:
        self.until = until

    async def problem(self, words: str | None) -> None:
        self.problems.append(words)


def curve(start: datetime, end: datetime) -> dict[datetime, Number]:
    """A load curve that is never twice the same for long."""
    count = round((end - start) / HALF_HOUR)
    return {start + n * HALF_HOUR: 100 + (n * 37) % 911 for n in range(count)}


def hourly(values: Mapping[datetime, Number]) -> dict[datetime, float]:
    """The truth: the energies of the hours that are whole."""
    return {
        at: (value + values[at + HALF_HOUR]) / 2
        for at, value in values.items()
        if at.minute == 0 and at + HALF_HOUR in values
    }
