"""A data need, in one of its versions: what a collective requests from a household, and why."""

from collections.abc import Mapping
from dataclasses import dataclass

from consometers_node.series import Direction, Interval, Quantity, Series
from consometers_quoalise import Identification, Reading, Witness

from .errors import BadNeed

MAX_DAYS = 36_600
_MAX_WORDS = 8_000


@dataclass(frozen=True, slots=True)
class DataNeedSeries:
    """A kind of requested series."""

    direction: Direction
    quantity: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class DataNeed:
    """A request: what, by whom, for what and for how long. Raises BadNeed.

    `title`, `purpose` and `recipients` (who else receives the records; empty where nobody does)
    are in plain words, by language. Records of the past `history_days` are asked for and those of
    the `duration_days` to come; they are kept `retention_days` after that.

    A need of sums has a `witness`, and asks for hours to come, under a pseudonym.
    """

    id: str
    version: int
    title: Mapping[str, str]
    purpose: Mapping[str, str]
    recipients: Mapping[str, str]
    controller: str
    contact: str
    policy: str
    series: frozenset[DataNeedSeries]
    interval: Interval
    history_days: int
    duration_days: int
    retention_days: int
    identification: Identification = Identification.PSEUDONYM
    reading: Reading = Reading.INDIVIDUAL
    witness: Witness | None = None

    def __post_init__(self) -> None:
        if self.version < 1:
            raise BadNeed("version", "versions count from 1")
        if not self.series:
            raise BadNeed("series", "no series is asked for")
        for field in ("title", "purpose", "recipients"):
            translations: Mapping[str, str] = getattr(self, field)
            may_be_empty = field == "recipients"
            if not (translations or may_be_empty) or not all(map(str.strip, translations.values())):
                raise BadNeed(field, "people must be able to read it")
            if sum(map(len, translations.values())) > _MAX_WORDS:
                raise BadNeed(field, "nobody would read all of it")
        for field in ("id", "controller", "contact", "policy"):
            word: str = getattr(self, field)
            if not word.strip() or len(word) > _MAX_WORDS:
                raise BadNeed(field, "it is missing or too long")
        for field, least in (("history_days", 0), ("duration_days", 1), ("retention_days", 0)):
            days: int = getattr(self, field)
            if not least <= days <= MAX_DAYS:
                raise BadNeed(field, f"it is from {least} to {MAX_DAYS} days")
        if (self.reading is Reading.SUM) != (self.witness is not None):
            raise BadNeed("witness", "sums have a witness, and nothing else has")
        if self.reading is Reading.SUM:
            if self.interval is not Interval.PT1H:
                raise BadNeed("interval", "sums are of hours")
            if self.history_days:
                raise BadNeed("history_days", "sums are of hours to come")
            if self.identification is not Identification.PSEUDONYM:
                raise BadNeed("identification", "sums are of pseudonyms")

    def asks_for(self, series: Series) -> bool:
        """Return whether a household may tick this series."""
        fits = (
            series.interval is self.interval
            if self.reading is Reading.SUM
            else series.interval.no_finer_than(self.interval)
        )
        return fits and DataNeedSeries(series.direction, series.quantity) in self.series

    @property
    def has_subscribed(self) -> bool:
        """Whether the subscribed power of meters comes with a grant: it bounds what homes draw.

        Nobody can compare a masked record with it, and a building that is shown by name is not
        taken for a home.
        """
        is_compared = self.reading is Reading.INDIVIDUAL
        is_of_homes = self.identification is not Identification.NAME
        return is_compared and is_of_homes and Direction.CONSUMPTION in self.directions

    @property
    def directions(self) -> list[Direction]:
        """The requested directions, in their order."""
        return [way for way in Direction if any(kind.direction is way for kind in self.series)]

    @property
    def policy_link(self) -> str | None:
        """The link to the policy, if it is one that a browser may follow."""
        return self.policy if self.policy.startswith("https://") else None
