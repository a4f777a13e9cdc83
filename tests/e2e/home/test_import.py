"""A load curve of a peer becomes a statistic of a real Home Assistant, over a real XMPP server.

The tests follow one another on one Home Assistant and one peer.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate, batched
import os
from pathlib import Path
import signal
import sqlite3
from typing import Final

import aiohttp
import pytest
import pytest_asyncio

from consometers_node.household.recorder.client import Recorder, external
from consometers_node.household.statistics_import.external_statistic import (
    Import,
    ImportProgress,
    PollPace,
    StatisticsImport,
)
from consometers_quoalise import (
    MAX_PUSHED,
    Data,
    GetHistory,
    Identifier,
    NotAuthorized,
    Number,
    Role,
    UpstreamError,
)
from consometers_quoalise_network import (
    Account,
    Answerer,
    Answering,
    Asker,
    Asking,
    Pushing,
    Receiving,
)
from consometers_quoalise_network.backoff import Backoff
from consometers_quoalise_xmpp import Discovery, XmppTransport
from demo.hass import Api, Hass
from demo.servers.prosody import Authority, Prosody
from testing.home_assistant.importing_toy import HALF_HOUR, LOAD, Notes, curve, hourly, load
from testing.home_assistant.rows import DAY, HOUR
from testing.home_assistant.toy import connected
from testing.networks import PASSWORD, reach
from testing.run import DEADLINE_S
from testing.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

GRID: Final = external("consometers:grid")
NOW: Final = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
TODAY: Final = NOW.replace(hour=0)
BEGAN: Final = TODAY - 130 * DAY + 5 * HOUR
HOLE: Final = TODAY - 60 * DAY + 9 * HOUR + HALF_HOUR

type Curve = dict[datetime, Number]


@dataclass
class Operator(Answerer):
    """Has the load curve of one meter since it was put in service, for one home."""

    home: str
    values: Curve = field(default_factory=dict)
    subscribers: set[str] = field(default_factory=set)
    role = Role.HOUSEHOLD

    async def get_history(self, asker: Asker, request: GetHistory) -> Data:
        self._admit(asker, request.identifier)
        start, end = request.range(datetime.now(UTC))
        if end <= BEGAN:
            raise UpstreamError("enedis-sge-tiers", "SGT4G3")
        return load({at: value for at, value in self.values.items() if start <= at < end})

    async def subscribe(self, asker: Asker, series: Identifier) -> None:
        self._admit(asker, series)
        self.subscribers.add(asker.jid)

    def _admit(self, asker: Asker, series: Identifier) -> None:
        if asker.jid != self.home or series != LOAD:
            raise NotAuthorized


@dataclass
class Stage:
    """Who takes part."""

    hass: Hass
    prosody: Prosody
    token: str
    operator: Operator
    pushing: Pushing
    notes: Notes = field(default_factory=Notes)

    async def push(self, values: Curve) -> None:
        """Notify the subscribers, and return once they have it."""
        self.operator.values |= values
        for subscriber in self.operator.subscribers:
            for part in batched(values.items(), MAX_PUSHED, strict=False):
                await self.pushing.push(subscriber, load(dict(part)))

    async def rows(self) -> dict[datetime, tuple[float | None, float | None]]:
        """What Home Assistant keeps in kWh, in Wh."""
        hours = await self.hass.api.statistics(GRID, "hour", BEGAN - 400 * DAY)
        return {
            datetime.fromtimestamp(row["start"] / 1000, UTC): (
                _rounded(row.get("state")),
                _rounded(row.get("sum")),
            )
            for row in hours
        }

    def truth(self) -> dict[datetime, tuple[float, float]]:
        """The hours that are whole, and all energy up to the end of each."""
        energies = hourly(dict(sorted(self.operator.values.items())))
        totals = zip(energies.values(), accumulate(energies.values()), strict=True)
        return dict(zip(energies, totals, strict=True))


@pytest.fixture(scope="module")
def prosody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prosody]:
    with Prosody("one.test", Authority(tmp_path_factory.mktemp("authority"))) as prosody:
        yield prosody


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(hass: Hass, prosody: Prosody) -> AsyncIterator[Stage]:
    token = await hass.api.long_lived_token()
    # It must be there after Home Assistant was killed.
    auth = hass.folder / ".storage/auth"
    await eventually(lambda: read(auth), lambda stored: '"client_name": "node"' in stored)
    home, proxy = prosody.register_all(["home", "proxy"], PASSWORD)
    values = curve(BEGAN, NOW)
    for n in range(6):
        del values[HOLE + n * HALF_HOUR]
    operator = Operator(home, values)
    async with XmppTransport(Account(proxy, PASSWORD), server=reach(prosody)) as connection:
        Discovery(connection, operator.role)
        Answering(connection, operator)
        await connection.online(DEADLINE_S)
        yield Stage(hass, prosody, token, operator, Pushing(connection))


async def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@asynccontextmanager
async def node(
    stage: Stage, steps: list[ImportProgress] | None = None, token: str | None = None
) -> AsyncIterator[StatisticsImport]:
    """A home's node, put together as the program does it."""
    connection = XmppTransport(Account(stage.operator.home, PASSWORD), server=reach(stage.prosody))
    async with AsyncExitStack() as stack:
        home = await stack.enter_async_context(connected(stage.hass.url, token or stage.token))
        wanted = Import(
            peer="proxy@one.test",
            series=LOAD,
            statistic=GRID,
            title="From the grid",
            since=BEGAN - 80 * DAY,
            until=stage.notes.until,
        )
        importing = StatisticsImport(
            wanted,
            Asking(connection),
            Recorder(home),
            stage.notes,
            pace=PollPace(backoff=Backoff(0.5, 3600, least=1)),
            progress=None if steps is None else steps.append,
        )
        Discovery(connection, Role.HOUSEHOLD, receives=True)
        Receiving(connection, importing.receive)
        await stack.enter_async_context(connection)
        await connection.online(DEADLINE_S)
        task = asyncio.create_task(importing.run())
        try:
            yield importing
        finally:
            task.cancel()
            await asyncio.wait({task})


async def settled(stage: Stage) -> None:
    async def problems() -> list[str | None]:
        return stage.notes.problems

    await eventually(problems, lambda problems_noted: None in problems_noted)


async def test_history_is_imported_despite_kills(stage: Stage) -> None:
    steps: list[ImportProgress] = []
    hass = stage.hass

    async def done() -> int:
        return len(steps)

    async with node(stage, steps):
        # Months before the meter was in service are refused, and given up.
        await eventually(done, lambda count: count >= 2)
        os.kill(hass.pid, signal.SIGKILL)
        await hass.wait()
    assert not stage.notes.problems
    async with node(stage, steps):
        await hass.stop()
        await hass.start()
        before = len(steps)
        await eventually(done, lambda count: count > before)
        os.kill(hass.pid, signal.SIGKILL)
        await hass.wait()
        await hass.stop()
        await hass.start()
        await settled(stage)
    assert stage.notes.problems == [None]
    assert await stage.rows() == stage.truth()
    assert len(stage.truth()) > 3_000
    twice = "SELECT start_ts FROM statistics GROUP BY metadata_id, start_ts HAVING count(*) > 1"
    with sqlite3.connect(hass.folder / "home-assistant_v2.db") as database:
        assert database.execute(twice).fetchall() == []
    database.close()


async def test_pushes_and_corrections_update_all_later_sums(stage: Stage) -> None:
    stage.notes.problems.clear()
    async with node(stage):
        await settled(stage)
        # What was missing comes late: all sums after it rise.
        await stage.push(curve(HOLE, HOLE + 6 * HALF_HOUR))
        assert await stage.rows() == stage.truth()
        # Half an hour of the past is corrected, and two days of last week.
        await stage.push({BEGAN + 20 * DAY: 9_000})
        await stage.push({at: value + 7 for at, value in curve(TODAY - 6 * DAY, TODAY).items()})
        # And the same once more.
        await stage.push({BEGAN + 20 * DAY: 9_000})
        assert await stage.rows() == stage.truth()
    assert stage.operator.values[BEGAN + 20 * DAY] == 9_000


async def test_the_node_asks_for_records_missed_while_off(stage: Stage) -> None:
    stage.operator.values |= {at: value + 3 for at, value in curve(TODAY - 3 * DAY, NOW).items()}
    stage.notes.problems.clear()
    async with node(stage):
        await settled(stage)
    assert await stage.rows() == stage.truth()


async def test_a_token_without_administrator_rights_is_reported(stage: Stage) -> None:
    hass = stage.hass
    await hass.api.add_user("Visitor", "visitor", PASSWORD)
    async with aiohttp.ClientSession() as session:
        visitor = Api(hass.url, session)
        await visitor.log_in("visitor", PASSWORD)
        token = await visitor.token()
    stage.operator.values |= {at: value + 4 for at, value in curve(TODAY - DAY, NOW).items()}
    stage.notes.problems.clear()

    async def problems() -> str:
        return str(stage.notes.problems)

    async with node(stage, token=token):
        await eventually(problems, lambda noted: "administrators can write statistics" in noted)


def _rounded(wh: float | None) -> float | None:
    return None if wh is None else round(wh, 6)
