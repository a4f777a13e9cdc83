"""A long range of a series, put together from the answers of a peer."""

from dataclasses import dataclass, field
from datetime import datetime

from consometers_quoalise.iso8601 import Duration

from .data import Data
from .identifier import Identifier
from .metadata import Metadata
from .senml import Number, Records


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

    @property
    def interval(self) -> Duration | None:
        """The interval of the records, as far as their metadata have it."""
        return self.metadata.measurement.sampling_interval if self.metadata.measurement else None

    def missing(self, series: Records) -> int:
        """Count the records missing between the first and the last, of intervals of a fixed length.

        Days have none, and neither have months.
        """
        interval = self.interval
        if not interval or not interval.seconds or interval != Duration(seconds=interval.seconds):
            return 0
        times = list(series.values)
        return max(0, int((times[-1] - times[0]) // interval.seconds) + 1 - len(times))

    def __len__(self) -> int:
        """Count the records."""
        return sum(map(len, self._values.values()))
