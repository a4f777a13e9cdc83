"""The homes of the street, and their progress: the program `demo.street`."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
import json
from pathlib import Path
import signal
from typing import Final, NoReturn, override

from demo.processes.child import Child
from demo.servers.program import NodeError, clock_behind, environment, until
from demo.street.plan import Plan

_PLAN: Final = "plan.json"
_STALLED_AFTER_S: Final = 300
_LOOKS_EVERY_S: Final = 0.2
_ALLOWED_AGO: Final = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Progress:
    """How many homes have their past, were asked, have joined; how much of it was requested.

    Of `homes`, some are `read` one by one; those alone are counted in `asked`.
    """

    homes: int = 0
    read: int = 0
    counted: int = 0
    asked: int = 0
    joined: int = 0
    collected: float = 0

    @override
    def __str__(self) -> str:
        return (
            f"{self.counted} of {self.homes} homes have their past, {self.asked} of {self.read}"
            f" were asked, {self.joined} of {self.homes} have joined, {self.collected:.1%} of the"
            " past is requested"
        )

    @property
    def know(self) -> bool:
        return 0 < self.read == self.asked

    @property
    def have_joined(self) -> bool:
        return 0 < self.homes == self.joined


class Neighbours(Child):
    """All homes of one folder."""

    def __init__(self, folder: Path, hear: Callable[[Progress], None]) -> None:
        """Prepare; `hear` is called with each progress."""
        super().__init__(folder / "street.log")
        self.folder = folder
        self.file = folder / _PLAN
        self.progress = Progress()
        self._hear = hear
        self._hearing: asyncio.Task[None] | None = None

    @property
    def plan(self) -> Plan | None:
        """Who lives there, if somebody does."""
        return Plan.read(self.file) if self.file.exists() else None

    async def start(self, plan: Plan) -> None:
        """Add them as residents."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        plan.write(self.file)
        self.progress = Progress()
        process = await self.launch(
            "demo.street",
            str(self.file),
            environment=environment(self.folder),
            stdout=asyncio.subprocess.PIPE,
        )
        self._hearing = asyncio.create_task(self._listen(process))

    async def allow(self, plan: Plan) -> None:
        """Have homes that are masked allow protected sums, some hours ago by their clock.

        Of an hour in which a home allowed them it reports nothing: without that, a visitor would
        wait for the first sum until the next hour is over. Then they live with the others. Raises
        NodeError.
        """
        if all(plan.has_allowed(home) for home in plan.homes):
            return
        variables = {**environment(self.folder), **clock_behind(_ALLOWED_AGO)}
        allowing = Child(self.log)
        try:
            await allowing.launch("demo.street", str(self.file), "--allow", environment=variables)
            if await allowing.wait():
                raise NodeError(f"The homes do not allow protected sums: {self.log} may say why.")
        finally:
            await allowing.close()

    async def until(self, happened: Callable[[Progress], bool]) -> None:
        """Wait until they have come so far.

        Raises:
            NodeError: there was no progress for a long time, or they have ended.
        """
        while not happened(reached := self.progress):

            async def get_on(reached: Progress = reached) -> bool:
                if self._process is None or self.has_ended:
                    raise NodeError(f"The homes have ended: {self.log} may say why.")
                return self.progress != reached

            error = NodeError(f"The homes do not get on ({reached}): {self.log} may say why.")
            await until(get_on, error, within_s=_STALLED_AFTER_S, every_s=_LOOKS_EVERY_S)

    def let_grant(self) -> None:
        """Grant what is asked, for each of them."""
        self._signal(signal.SIGUSR1)

    def let_count(self) -> None:
        """Count what is before their last weeks."""
        self._signal(signal.SIGUSR2)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def live(self) -> NoReturn:
        """Wait until they end.

        Raises:
            NodeError: they have ended by themselves.
        """
        await self.wait()
        raise NodeError(f"The homes have ended: {self.log} may say why.")

    @override
    async def close(self, within_s: float = 20) -> None:
        await super().close(within_s)
        if self._hearing is not None:
            await self._hearing

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            self.progress = Progress(**json.loads(line))
            self._hear(self.progress)
