"""A collective's published sums, as candidates for a data need."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consometers_node.collective.members.sites import BUILDINGS, Building
from consometers_node.collective.publication.reading.queries import Place, Published
from consometers_node.collective.settings import Settings
from consometers_node.i18n.text import Text, around, text, verbatim
from consometers_node.permission import Choice
from consometers_node.series import Device, Interval, Series
from consometers_node.sharing.names import load_naming
from consometers_node.sharing.permissions.consent import (
    DataRequest,
    Preview,
    matching_series,
    preview,
)
from consometers_node.store import Store
from consometers_node.store.collective.groups import GroupKind
from consometers_node.web.core.consenting import NotOffered, Offer
from consometers_node.wire import Naming

_EVERYBODY = text("All members")
_NOT_PUBLISHED = text(
    "Nothing is published at this resolution of: {said}. Choose another resolution, or other sums."
)


@dataclass(frozen=True, slots=True)
class PublishedSums:
    """The published sums that a request covers, and the names of their groups."""

    store: Store
    naming: Naming
    question: DataRequest
    published: Sequence[Series]
    names: Mapping[Device, Text]

    @property
    def offers(self) -> list[Offer]:
        """Each group and direction once, all members first."""
        offers: dict[str, Offer] = {}
        for series in self.published:
            value = _value(series)
            offers.setdefault(value, Offer(series, value, self._named(series.device)))
        return list(offers.values())

    @property
    def unknown(self) -> int:
        """None: a sum has its direction."""
        return 0

    def series(self, value: str, interval: Interval) -> Series:
        """Return the sums of a group. Raises `NotOffered`."""
        for series in self.published:
            if _value(series) == value and series.interval is interval:
                return series
        name = self._named(Device(value.partition("=")[0][:100]))
        raise NotOffered(around(_NOT_PUBLISHED, name))

    def _named(self, device: Device) -> Text:
        return self.names.get(device, verbatim(device))

    async def preview(self, choice: Choice, days: int) -> Sequence[Preview]:
        """Return the published sums of the last days."""
        async with self.store.reading() as connection:
            return await preview(connection, self.naming, self.question, choice, days=days)

    @property
    def subscribed_kva(self) -> Mapping[Device, int]:
        """Of no meter: sums have none."""
        return {}

    @property
    def intervals(self) -> Sequence[Interval]:
        """The published intervals, the finest first."""
        return sorted({series.interval for series in self.published}, key=lambda each: each.minutes)


async def published_sums(store: Store, settings: Settings, question: DataRequest) -> PublishedSums:
    """Return which sums a request may be granted."""
    naming = await load_naming(store)
    groups = Published(settings.identifier, settings.time_zone, settings.publication)
    async with store.reading() as connection:
        series = await matching_series(connection, naming, question.need)
        places = await groups.places(connection)
    names = {place.device: _name(place) for place in places.values()}
    return PublishedSums(store, naming, question, series, names)


def _name(place: Place) -> Text:
    match place.kind:
        case GroupKind.ALL:
            return _EVERYBODY
        case GroupKind.BUILDING if place.name in Building:
            return BUILDINGS[Building(place.name)]
        case (
            GroupKind.AREA
            | GroupKind.REST
            | GroupKind.COMBINED
            | GroupKind.BUILDING
            | GroupKind.SITE
        ):
            return place.title


def _value(series: Series) -> str:
    """Return the value of a sum's box, which the command line uses too."""
    return f"{series.device}={series.direction}"
