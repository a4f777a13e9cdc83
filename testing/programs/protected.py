"""Homes that nobody reads, their collective and its witness, as programs whose clock a test sets.

The clock is set by faketime, while the programs are off: when they start again, hours have passed.
"""

from collections.abc import Mapping
from contextlib import closing, suppress
import csv
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import os
from pathlib import Path
import random
import sqlite3
from typing import Any, Final

from demo.collectives.collective import Collective
from demo.collectives.neighbours import Neighbours
from demo.servers.https import Https
from demo.servers.prosody import Prosody
from demo.street.plan import HOUR_S, Plan
from testing import traces
from testing.run import DEADLINE_S

HOUR: Final = timedelta(hours=1)
LEAST_WH: Final = 33_000
MOST_WH: Final = 36_000
"""Five digits, and no port of a server: few other numbers of a log may be taken for them."""
AHEAD: Final = timedelta(days=4)
"""How long homes have something to report."""
_BEFORE: Final = timedelta(days=3)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)

type Values = Mapping[datetime, int]
type Published = dict[datetime, tuple[int | None, int]]
"""Wh, if a sum was published, and of how many homes."""


class SetClock:
    """The clock of all programs: a file that faketime reads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.ahead = timedelta()
        self.go_on(timedelta())

    def go_on(self, by: timedelta) -> None:
        self.ahead += by
        new = self._file.with_suffix(".new")
        new.write_text(f"+{self.ahead.total_seconds():.0f}\n")
        new.replace(self._file)

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class WitnessedCollective:
    """All of it. Each part is killed as a power cut would end it."""

    clock: SetClock
    servers: tuple[Prosody, Prosody]
    collective: Collective
    witness: Collective
    https: Https
    neighbours: Neighbours
    plan: Plan
    truth: Mapping[str, Values]
    """What each home has, in Wh."""
    variables: dict[str, str] = field(default_factory=dict)
    """Of the environment, with which nodes are started from now on."""
    since: datetime = _NEVER
    """The first hour that all homes report."""
    until: datetime = _NEVER
    """The end of the last hour that was over when the clock was set: it goes on meanwhile."""
    chance: random.Random = field(default_factory=lambda: random.Random(20261129))

    async def kill(self, *parts: Collective | Neighbours) -> None:
        for part in parts:
            child = part if isinstance(part, Neighbours) else part.program
            with suppress(AssertionError, ProcessLookupError):
                os.kill(child.pid, 9)
                await child.wait()
            await child.close()

    async def start(self, *parts: Collective | Neighbours) -> None:
        for part in parts:
            if isinstance(part, Neighbours):
                await part.start(self.plan)
            else:
                await part.program.run("--role", "collective", **self.variables)

    async def restart(self, *parts: Collective | Neighbours) -> None:
        await self.kill(*parts)
        await self.start(*parts)

    async def go_on(self, by: timedelta, *, witness: bool = True) -> None:
        """Have all of them off for a time; afterwards the witness is on, or away."""
        await self.kill(self.neighbours, self.collective, self.witness)
        self.clock.go_on(by)
        self.until = whole_hour(self.clock.now)
        witnesses = (self.witness,) if witness else ()
        await self.start(*witnesses, self.collective, self.neighbours)

    def hours(self) -> list[datetime]:
        """Return the hours of all homes that were over when the clock was set."""
        return [self.since + n * HOUR for n in range((self.until - self.since) // HOUR)]

    def sums(self, hours: list[datetime]) -> Published:
        """Return what all homes have in hours, and how many that is."""
        homes = self.truth.values()
        return {hour: (sum(values[hour] for values in homes), len(homes)) for hour in hours}

    def published(self) -> Published:
        """Return the protected sums of `hours` that are closed: Wh, and of how many homes."""
        rows = self.ask(
            self.collective,
            "SELECT i.start, c.watt_minutes, c.homes FROM closed_interval i LEFT JOIN"
            " (published_cell c JOIN member_group g ON g.id = c.group_id AND g.kind = 'all')"
            " ON c.start = i.start AND c.interval_minutes = i.interval_minutes"
            " AND c.direction = i.direction AND c.protected = 1"
            " WHERE i.protected = 1 AND i.interval_minutes = 60"
            " AND i.direction = 'consumption' AND i.start >= ? AND i.start < ?",
            self.since.timestamp(),
            self.until.timestamp(),
        )
        return {
            datetime.fromtimestamp(start, UTC): (None if energy is None else energy // 60, n or 0)
            for start, energy, n in rows
        }

    def closed(self, hour: datetime) -> tuple[int, int, str | None]:
        """Return how many homes a protected sum expected and had, and why it is suppressed."""
        ((expected, response, reason),) = self.ask(
            self.collective,
            "SELECT expected, response, reason FROM closed_interval WHERE start = ?"
            " AND protected = 1 AND interval_minutes = 60 AND direction = 'consumption'",
            hour.timestamp(),
        )
        return expected, response, reason

    def opened(self) -> list[datetime]:
        """Return those of `hours` that the witness has opened, each as often as it did."""
        query = "SELECT hour FROM witness_ledger WHERE hour >= ? AND hour < ? ORDER BY hour"
        rows = self.ask(self.witness, query, self.since.timestamp(), self.until.timestamp())
        return [datetime.fromtimestamp(hour, UTC) for (hour,) in rows]

    def granted(self) -> int:
        """Count the homes that have allowed protected sums."""
        count = 0
        for home in self.plan.homes:
            with suppress(sqlite3.Error):
                file = Path(self.plan.folder) / f"{home.jid}.db"
                rows = _ask(file, "SELECT 1 FROM permission WHERE state = 'granted'")
                count += len(rows)
        return count

    def ask(self, collective: Collective, query: str, *values: float) -> list[Any]:
        return _ask(collective.program.folder / "node.db", query, *values)


def whole_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def back_up(collective: Collective, file: Path) -> None:
    """Copy the database of a collective while it runs."""
    with (
        closing(sqlite3.connect(collective.program.folder / "node.db")) as database,
        closing(sqlite3.connect(file)) as copy,
    ):
        database.backup(copy)


async def put_back(collective: Collective, file: Path) -> None:
    """Restore the database of a collective that is off, as deploy/restore does."""
    folder = collective.program.folder
    for left in folder.glob("node.db*"):
        left.unlink()
    (folder / "node.db").write_bytes(file.read_bytes())
    (folder / "ended.jsonl").touch()
    await collective.program.do("reapply")


def write_meter(file: Path, chance: random.Random) -> Values:
    """Write what a home has in each hour, and return it."""
    first = whole_hour(datetime.now(UTC)) - _BEFORE
    hours = [first + n * HOUR for n in range((_BEFORE + AHEAD) // HOUR)]
    values = {hour: chance.randrange(LEAST_WH, MOST_WH) for hour in hours}
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as written:
        lines = csv.writer(written)
        lines.writerow(("hour", "drawn_wh", "injected_wh", "made_wh"))
        lines.writerows((int(at.timestamp()) // HOUR_S, wh, 0, 0) for at, wh in values.items())
    return values


def values_in(folder: Path, truth: Mapping[str, Values], hours: list[datetime]) -> list[str]:
    """Return which files of a folder have values of homes in these hours."""
    values = traces.Values([[values[hour] for hour in hours] for values in truth.values()])
    return [
        f"{file.relative_to(folder)}: {what}"
        for file in folder.rglob("*")
        # A reserve of disk space is empty.
        if file.is_file() and file.suffix != ".reserve"
        for what in values.found_in(file)
    ]


def _ask(file: Path, query: str, *values: float) -> list[Any]:
    with closing(sqlite3.connect(file, timeout=DEADLINE_S)) as database:
        return database.execute(query, values).fetchall()
