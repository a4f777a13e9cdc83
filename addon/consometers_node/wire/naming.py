"""Series and the identifiers under which a peer knows them.

Under a pseudonym, a device has another name for each peer. By delivery point, what the meter
counts is named as the network operator names it, and what panels make keeps its pseudonym: no
delivery point is theirs. What is injected at a meter is `production` there.

What a collective sums has one name for all peers, its own, in the words of the home. Beside such a
series stands how many members each of its values sums: a reader of the one may read the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from consometers_node.i18n.text import text
from consometers_node.permission import Identification
from consometers_node.series import Direction, Interval, Quantity, Series
import consometers_quoalise as quoalise
from consometers_quoalise import DeviceType, Identifier, SeriesPath, pseudonym
from consometers_quoalise.records.identifier import device, organisation, series as name_of

from .needs import Unsayable

DELIVERY_POINT_DIGITS = 14

_NOT_OURS = text("Records of members stay here: share sums.")
_UNKNOWN_POINT = text(
    "This request is by delivery point, and yours is missing: enter its number, or share under a"
    " pseudonym."
)
_SAME_NAME = text(
    "Two series would have the same name for this peer: choose one of them, or the resolution at"
    " which the first one is already shared."
)


@dataclass(frozen=True, slots=True)
class Naming:
    """Names series. `secret` is the household's; `delivery_point` its 14 digits, if known.

    A collective has its name in the federation, and names its own series alone.
    """

    secret: bytes = field(repr=False)
    delivery_point: str | None = field(default=None, repr=False)
    collective: str | None = None

    def name(self, series: Series, peer: str, identification: Identification) -> Identifier:
        """Return the identifier of a series for a peer (its bare JID). Raises `Unsayable`."""
        if self.collective is not None:
            if not self.may_name(series):
                raise Unsayable(_NOT_OURS)
            return name_of(device(series.device), series.direction, path(series))
        return name_of(
            self._device(series, peer, identification), series.direction.in_names, path(series)
        )

    def sums(self, series: Series) -> bool:
        """Return whether this is a series of ours that sums members: of all, or of a group."""
        if self.collective is None:
            return False
        own = str(organisation(self.collective))
        return series.device == own or series.device.startswith(f"{own}-")

    def may_name(self, series: Series) -> bool:
        """Return whether a series may leave under any name: of a collective's, only sums."""
        return self.collective is None or self.sums(series)

    def names(
        self, series: Iterable[Series], peer: str, identification: Identification
    ) -> dict[Identifier, Series]:
        """Return series by their identifiers. Raises `Unsayable` where two would have one."""
        named: dict[Identifier, Series] = {}
        for series_to_name in sorted(
            set(series), key=lambda each: (each.device, each.direction, each.interval)
        ):
            if (
                named.setdefault(self.name(series_to_name, peer, identification), series_to_name)
                != series_to_name
            ):
                raise Unsayable(_SAME_NAME)
        return named

    def _device(self, series: Series, peer: str, identification: Identification) -> quoalise.Device:
        by_point = identification is Identification.DELIVERY_POINT
        # What no meter of a delivery point counts goes by a pseudonym.
        if by_point and _counted_by(series.direction) is DeviceType.METER:
            if self.delivery_point is None:
                raise Unsayable(_UNKNOWN_POINT)
            return device(f"urn:dev:prm:{self.delivery_point}")
        # Only the pseudonym leaves, so that any name of a source will do.
        return pseudonym(self.secret, peer, quoalise.Device("home", series.device))


def path(series: Series) -> str:
    """Return the path of a series after its direction: a load curve in W, or Wh of a civil day."""
    daily = series.quantity is Quantity.ENERGY and series.interval is Interval.P1D
    return SeriesPath.ENERGY_DAILY if daily else SeriesPath.POWER


def device_type(series: Series, name: Identifier) -> DeviceType:
    """Return the device of a series: only a collective's keeps its internal name."""
    if name.device.delivery_point is None and series.device == str(name.device):
        return DeviceType.COLLECTIVE
    return _counted_by(series.direction)


def _counted_by(direction: Direction) -> DeviceType:
    match direction:
        case Direction.PRODUCTION:
            return DeviceType.INVERTER
        case Direction.CONSUMPTION | Direction.INJECTION:
            return DeviceType.METER
