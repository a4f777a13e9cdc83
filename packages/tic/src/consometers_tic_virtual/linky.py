"""The meter as data: the groups of the frame that it sends at a given second."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from consometers_tic import Group, Mode

from .calendar import Calendar
from .contract import Contract
from .frames import historique, standard
from .load import Load, Overload
from .measures import Maxima, Measures
from .registers import Counter, Registers
from .world import World
from .world.civil import PARIS, local
from .world.noise import unit

NO_MESSAGE = "PAS DE          MESSAGE"
_OVERLOAD = 1.3
_MAKER, _YEAR = "02", "12"
_SINGLE_PHASE, _THREE_PHASE = "61", "63"
_SERIAL, _POINT = 801, 802


@dataclass(frozen=True, slots=True)
class Identity:
    """The meter's address (ADSC, ADCO) and its delivery point (PRM).

    No real one can have these numbers: none of this type was made in 2012.
    """

    address: str
    delivery_point: str

    @classmethod
    def invented(cls, seed: int, phases: int, nth: int = 0) -> Identity:
        """Return that of the n-th meter put in at one delivery point."""
        kind = _SINGLE_PHASE if phases == 1 else _THREE_PHASE
        serial = int(1_000_000 * unit(seed + _SERIAL, nth))
        point = int(10_000_000_000 * unit(seed + _POINT, 0))
        return cls(f"{_MAKER}{_YEAR}{kind}{serial:06}", f"9900{point:010}")


class Linky:
    """One meter in one home. What happens to it happens at a given second.

    `clock_degraded`, `message`, `short_message` and `mode` may be set at any time.
    """

    def __init__(
        self,
        world: World | None = None,
        contract: Contract | None = None,
        *,
        mode: Mode = Mode.STANDARD,
        seed: int = 1,
    ) -> None:
        """Put it in at the world's origin."""
        self.contract = contract or Contract()
        self.world = world or World(phases=self.contract.phases, seed=seed)
        if self.world.phases != self.contract.phases:
            raise ValueError("the world and the contract have different numbers of phases")
        self.mode = mode
        self.clock_degraded = False
        self.message = NO_MESSAGE
        self.short_message: str | None = None
        self._seed = seed
        self._nth = 0
        self._since = self.world.origin_s
        self.identity = Identity.invented(seed, self.contract.phases)
        self.calendar = Calendar(self.contract.option, seed)
        self.load = Load(self.world)
        self.measures = Measures(self.load)
        self._counter = Counter(self.load, self.calendar)

    @property
    def since(self) -> int:
        """When this meter was put in."""
        return self._since

    def frame(self, second: int) -> tuple[Group, ...]:
        """Return a whole frame in the mode of the meter."""
        if self.mode is Mode.STANDARD:
            return tuple(standard.frame(self, second))
        return tuple(historique.frame(self, second))

    def short_frame(self, second: int) -> tuple[Group, ...]:
        """Return the short frame of a three-phase meter in historique mode that is overloaded."""
        return tuple(historique.short_frame(self, second))

    def registers(self, second: int) -> Registers:
        return self._counter.at(second)

    def registers_at(self, at: datetime) -> Registers:
        """Return the registers at an aware datetime: those that a frame of that second holds."""
        return self._counter.at(int(at.timestamp()))

    def overloaded_phases(self, second: int) -> tuple[int, ...]:
        """Return the phases whose current is above the subscribed one."""
        return tuple(
            phase
            for phase in range(1, self.contract.phases + 1)
            if self.measures.current_a(phase, second) > self.contract.subscribed_a
        )

    def maxima(self, second: int) -> tuple[Maxima, Maxima]:
        """Return the highest powers of today so far and of yesterday."""
        today = _midnight(local(second))
        yesterday = _midnight(local(today) - timedelta(hours=12))
        if self._since >= today:
            nothing = Maxima.of((0,) * self.contract.phases, yesterday)
            return self.measures.maxima(self._since, second), nothing
        return (
            self.measures.maxima(today, second),
            self.measures.maxima_of_day(max(yesterday, self._since), today),
        )

    def swap(self, second: int) -> None:
        """Put a new meter in its place: another address, registers at zero."""
        self._nth += 1
        self._since = second
        self.identity = Identity.invented(self._seed, self.contract.phases, self._nth)
        self._counter.restart(second)

    def overload(self, second: int) -> None:
        """Draw more than the subscribed power from now on."""
        if not self.load.overloads or self.load.overloads[-1].end is not None:
            power_w = round(_OVERLOAD * 1000 * self.contract.reference_kva)
            self.load.overloads.append(Overload(second, power_w))

    def relieve(self, second: int) -> None:
        """Switch off what is too much."""
        if self.load.overloads and self.load.overloads[-1].end is None:
            self.load.overloads[-1].end = second


def _midnight(civil: datetime) -> int:
    return int(datetime.combine(civil.date(), time(), PARIS).timestamp())
