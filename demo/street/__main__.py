"""Runs all homes of a plan: python -m demo.street PLAN [--allow].

It writes a line of JSON on stdout whenever it has come further. SIGUSR1 lets homes grant what is
asked, SIGUSR2 count what is before their last weeks. With --allow, homes that are masked grant
protected sums, and it ends.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import UTC, datetime
import json
import logging
from pathlib import Path
import signal
import sys
from tempfile import TemporaryDirectory
from typing import Final, NoReturn

from consometers_node.sharing.service import Sharing
from consometers_node.store import Store

from .home import StreetHome
from .plan import HOUR_S, Home, Plan
from .source import Building, Recording, Source

_COUNT_AFTER_S: Final = 20
"""How long after an hour its energy is counted: a Home Assistant takes some minutes."""
_TELLS_EVERY_S: Final = 1.0
_JOIN_AT_ONCE: Final = 4
"""A collective answers a few strangers at a time; those that it turned away wait for a retry."""
_DAY_S: Final = 86_400
_LOOKS_EVERY_S: Final = 0.2
_MASKED_DAYS: Final = 2
"""Of the past that nobody may have."""


class Street:
    """All homes of one plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._folder = Path(plan.folder)
        self._homes: list[StreetHome] = []
        self._joining = asyncio.Semaphore(_JOIN_AT_ONCE)
        self._asked = self._joined = self._counted = 0
        self._may_grant = asyncio.Event()
        """Set once all homes that are read have asked. Masked ones may be opened after that."""
        self._past = asyncio.Event()

    async def run(self) -> NoReturn:
        """Live on. Ends when it is cancelled."""
        async with AsyncExitStack() as there, asyncio.TaskGroup() as living:
            living.create_task(self._report_progress())
            homes = self._plan.homes
            read = await self._open(there, [home for home in homes if not home.masked])
            for home in read:
                living.create_task(self._live(home))
            living.create_task(self._count_past(read))
            masked = [home for home in homes if home.masked]
            while not all(map(self._plan.has_allowed, masked)):
                await asyncio.sleep(_LOOKS_EVERY_S)
            for home in await self._open(there, masked):
                living.create_task(self._live(home))
        raise AssertionError

    async def allow(self) -> None:
        """Have masked homes grant what is asked of them. Nothing leaves them yet."""
        homes = [home for home in self._plan.homes if not self._plan.has_allowed(home)]
        async with AsyncExitStack() as there, asyncio.TaskGroup() as allowing:
            for street_home in await self._open(there, homes):
                allowing.create_task(self._allow(street_home))
        for home in homes:
            self._plan.note_allowed(home)

    async def _allow(self, home: StreetHome) -> None:
        async with self._joining, self._online(home) as sharing:
            await home.ask(sharing)
            await home.decide(0)

    def let_grant(self) -> None:
        """Grant what is asked, for all homes, also for those that are opened later."""
        self._may_grant.set()

    def let_count(self) -> None:
        """Count the past of all homes."""
        self._past.set()

    async def _open(self, there: AsyncExitStack, homes: Sequence[Home]) -> list[StreetHome]:
        """Open the databases of homes, and have them count; return these homes."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        opened = []
        with TemporaryDirectory(dir=self._folder) as folder:
            empty = Path(folder) / "empty"
            await (await Store.open(empty)).close()
            for home in homes:
                source = await asyncio.to_thread(self._source, home)
                opening = StreetHome.opened(home, self._folder, empty, source)
                opened.append(await there.enter_async_context(opening))
        self._homes += opened
        for street_home in opened:
            await street_home.count(
                _MASKED_DAYS if street_home.home.masked else self._plan.history_days
            )
            self._counted += 1
        return opened

    async def _count_past(self, homes: Iterable[StreetHome]) -> None:
        """Count what is before the last weeks, once these had the processors to themselves."""
        await self._past.wait()
        for home in homes:
            await home.count_past(self._plan.history_days)

    async def _live(self, home: StreetHome) -> NoReturn:
        """Be on the network, and count hour after hour."""
        async with self._online(home) as sharing:
            async with self._joining:
                await home.ask(sharing)
            self._asked += not home.home.masked
            await self._may_grant.wait()
            async with self._joining:
                await home.grant(self._plan.history_days)
            await home.until_subscribed()
            self._joined += 1
            while True:
                now = datetime.now(UTC).timestamp()
                await asyncio.sleep(HOUR_S - (now - _COUNT_AFTER_S) % HOUR_S)
                await home.count_on()

    def _online(self, home: StreetHome) -> AbstractAsyncContextManager[Sharing]:
        place = self._plan.places[home.home.jid.partition("@")[2]]
        return home.online(place, self._plan.password)

    def _source(self, home: Home) -> Source:
        building = Building(home.site, home.kwp, home.seed)
        if home.recording is None:
            return building
        file = self._folder / home.recording
        end = int(datetime.now(UTC).timestamp()) // HOUR_S
        first = end - (self._plan.history_days + 1) * _DAY_S // HOUR_S
        Recording.record(file, building.hours(first, end))
        return Recording(file)

    async def _report_progress(self) -> NoReturn:
        before = None
        while True:
            whole_s = self._plan.history_days * _DAY_S
            read = [home for home in self._homes if not home.home.masked]
            asked = sum(min(home.asked_s / whole_s, home.series) for home in read)
            progress = {
                "homes": len(self._plan.homes),
                "read": sum(not home.masked for home in self._plan.homes),
                "counted": self._counted,
                "asked": self._asked,
                "joined": self._joined,
                "collected": round(asked / max(1, sum(home.series for home in read)), 3),
            }
            if progress != before:
                print(json.dumps(progress), flush=True)
                before = progress
            await asyncio.sleep(_TELLS_EVERY_S)


async def main(file: str, *options: str) -> None:
    logging.basicConfig(level="WARNING", format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    street = Street(Plan.read(Path(file)))
    running = asyncio.create_task(street.allow() if "--allow" in options else street.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.cancel)
    loop.add_signal_handler(signal.SIGUSR1, street.let_grant)
    loop.add_signal_handler(signal.SIGUSR2, street.let_count)
    await asyncio.wait({running})
    if not running.cancelled():
        running.result()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
