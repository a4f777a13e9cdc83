"""The records of a long range, requested page by page and joined at the end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from consometers_node.i18n.text import text
from consometers_quoalise import (
    Data,
    ExportPart,
    Identifier,
    Metadata,
    Number,
    Records,
    ResourceConstraint,
)
from consometers_quoalise_xmpp import Asking, Connection

from ..core.output import Output, Reached

WAITS_SECONDS = (5, 20, 60)
"""A peer limits requests per minute."""

_WAITING = text("{peer} limits the number of requests: next attempt in {seconds} s.")


@dataclass(slots=True)
class History:
    """What a peer has of a series from `start` to before `end`."""

    peer: str
    asked: Identifier
    start: datetime
    end: datetime
    metadata: Metadata = field(default_factory=Metadata)
    changed: datetime | None = None
    """When the metadata changed, if it did."""
    _values: dict[tuple[str, str | None], dict[Number, Number]] = field(default_factory=dict)

    def add(self, page: Data) -> None:
        """Add a page that comes after those before."""
        if len(page):
            if self._values and page.metadata != self.metadata and self.changed is None:
                first = min(min(series.values) for series in page.records if series.values)
                self.changed = datetime.fromtimestamp(first, self.start.tzinfo)
            self.metadata = page.metadata
        elif not self._values:
            self.metadata = page.metadata
        for series in page.records:
            self._values.setdefault((series.name, series.unit), {}).update(series.values)

    @property
    def records(self) -> tuple[Records, ...]:
        """All series, the requested one first."""
        ordered = sorted(self._values.items(), key=lambda item: item[0][0] != str(self.asked))
        return tuple(Records(name, unit, values) for (name, unit), values in ordered)

    def __len__(self) -> int:
        """Count the records."""
        return sum(map(len, self._values.values()))


class PatientAsking(Asking):
    """Asks again, politely, a peer that limits requests; reports the progress of a history."""

    def __init__(self, connection: Connection, output: Output) -> None:
        super().__init__(connection)
        self._output = output
        self.account: str = connection.stream.requested_jid.bare
        self.reached: Reached | None = None

    async def get_history(
        self,
        peer: str,
        identifier: Identifier,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Data:
        ask = super().get_history
        page = await self.patiently(peer, lambda: ask(peer, identifier, start, end))
        if self.reached and end:
            self.reached(end.timestamp())
        return page

    async def get_export(self, collective: str, part: int = 1) -> ExportPart:
        ask = super().get_export
        return await self.patiently(collective, lambda: ask(collective, part))

    async def patiently[T](self, peer: str, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask, and retry a few times after pauses. Raises what the peer answers in the end."""
        for seconds in WAITS_SECONDS:
            try:
                return await ask()
            except ResourceConstraint:
                self._output.note(_WAITING, peer=peer, seconds=seconds)
                await asyncio.sleep(seconds)
        return await ask()
