"""One meter as Home Assistant sees it: believed readings, and values derived from them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from ..tic import (
    ADDRESS_LABELS,
    LABELS,
    MAX_POWER_W,
    Address,
    Decoder,
    Frame,
    Kind,
    LinkIndicator,
    Meter,
    Mode,
    Reading,
    Status,
    Tariff,
    Value,
    address,
    energy_drawn_wh,
    tariff,
)
from .derived import CutOff, LinkQuality, PowerFromRegister
from .tariffs.names import Tariffs, other_of_two
from .tariffs.schedules import Change, Schedules

VOLTS_OF_CONTRACT = 200
"""ISOUSC is the subscribed power over 200 V. Source: Enedis-NOI-CPT_54E §6.1."""

NOMINAL_VOLTS = 230

_PHASES = (1, 2, 3)
_MEASURES = frozenset(
    label.name
    for label in LABELS
    if label.kind in (Kind.MEASURE, Kind.REGISTER, Kind.MAXIMUM, Kind.CLOCK)
)
_REGISTERS = frozenset(label.name for label in LABELS if label.kind is Kind.REGISTER)


@dataclass(frozen=True, slots=True)
class _Total:
    """The total of a meter in a mode, and when it was read."""

    address: str | None
    mode: Mode | None
    energy_wh: int
    at: float


class FrameResult(Enum):
    """The result of some bytes."""

    NOTHING = "nothing"
    """No frame ended."""
    MEASURES = "measures"
    """Only labels that differ in every frame."""
    CHANGE = "change"
    """A steady value changed, or became known."""


class LinkyState:
    """The state of one meter. Give it bytes; ask it for facts; None is what is not known.

    A fact that both modes have, under whatever label, has one name here, so that its history
    goes on when the mode changes.
    """

    def __init__(self, offset_wh: int = 0) -> None:
        """Start with nothing but the offset of the total."""
        self.decoder = Decoder()
        self.indicator = LinkIndicator()
        self.quality = LinkQuality()
        self.last_frame: Frame | None = None
        self.received_at: float | None = None
        """When the last good group came."""
        self.offset_wh = offset_wh
        """What is added to the meter's total, so that it goes on when the mode changes."""
        self.prices: Mapping[str, float] = {}
        """What a kWh costs, by the label of the index that counts it."""
        self.tariffs = Tariffs({})
        self.schedules = Schedules({})
        self._total: _Total | None = None
        self.forget()

    def forget(self) -> None:
        """Forget the meter, but not the link."""
        self.meter = Meter()
        self.tariff = Tariff()
        self._overrun: bool | None = None
        self._start_deriving()

    def _start_deriving(self) -> None:
        self._drawn = PowerFromRegister()
        self._injected = PowerFromRegister()
        self._cut_off = {phase: CutOff() for phase in _PHASES}

    def feed(self, data: bytes, at: float) -> FrameResult:
        """Take the bytes that came at `at` seconds of a monotonic clock."""
        counters = self.decoder.counters
        groups = counters.groups
        frames = self.decoder.feed(data)
        if counters.groups > groups:
            self.received_at = at
        self.indicator.update(frames, at)
        if frames:
            self.quality.update(counters.groups, sum(counters.rejected.values()), at)
        steady = False
        for frame in frames:
            steady |= self._update(frame, at)
        if not frames:
            return FrameResult.NOTHING
        return FrameResult.CHANGE if steady else FrameResult.MEASURES

    def _update(self, frame: Frame, at: float) -> bool:
        """Take a frame; return whether something changed that does not differ in every frame."""
        former = self.meter.address, self.meter.mode
        reading_count = len(self.meter.readings)
        changed = self.meter.update(frame, at)
        self.last_frame = frame
        if former != (self.meter.address, self.meter.mode):
            self._start_deriving()
        steady = len(self.meter.readings) != reading_count or not changed <= _MEASURES
        if steady:
            self.tariff = tariff(self.meter.readings)
        self._derive(changed)
        # Overrun is steady, though the currents that show it are not.
        overrun, self._overrun = self._overrun, self.overrun
        return steady or overrun is not self._overrun

    def _derive(self, changed: set[str]) -> None:
        registers = [self.meter.readings[n] for n in changed if n in self.meter.readings]
        counted = [r for r in registers if r.group.label.kind is Kind.REGISTER]
        if counted and (drawn := energy_drawn_wh(self.meter.readings)) is not None:
            at = max(reading.at for reading in counted)
            self._go_on(drawn, at)
            self._drawn.update(drawn, at)
        if "EAIT" in changed and (injected := self.reading("EAIT")) is not None:
            self._injected.update(injected.number, injected.at)
        for phase, power, scale in self._apparent_by_phase():
            if power.group.label.name in changed:
                self._cut_off[phase].update(power.number * scale, power.at)

    def _go_on(self, energy_wh: int, at: float) -> None:
        """Continue the total from where it was in the other mode.

        In historique mode a meter sends the registers of the contract only: what was drawn under
        an earlier contract is not among them, and must not look as if it were drawn now.
        """
        former, meter = self._total, self.meter
        if former is not None and former.address != meter.address:
            self.offset_wh = 0
        elif former is not None and former.mode is not meter.mode:
            drawn = energy_wh + self.offset_wh - former.energy_wh
            if not 0 <= drawn <= 1 + MAX_POWER_W * (at - former.at) / 3600:
                self.offset_wh -= drawn
        self._total = _Total(meter.address, meter.mode, energy_wh + self.offset_wh, at)

    def _apparent_by_phase(self) -> Iterable[tuple[int, Reading, int]]:
        """Yield the breaker's inputs, with their factors to VA: each phase, or the whole.

        In historique mode a three-phase meter sends the currents of the phases only.
        """
        if self.phases == len(_PHASES):
            for phase in _PHASES:
                if (power := self.reading(f"SINSTS{phase}")) is not None:
                    yield phase, power, 1
                elif (current := self.reading(f"IINST{phase}")) is not None:
                    yield phase, current, NOMINAL_VOLTS
        elif (power := self.reading("SINSTS", "PAPP")) is not None:
            yield 1, power, 1

    def reading(self, *names: str) -> Reading | None:
        """Return the believed reading of the first of these labels that is known."""
        readings = self.meter.readings
        return next((readings[name] for name in names if name in readings), None)

    def number(self, *names: str) -> int | None:
        """Return the number that stands under the first of these labels that is known."""
        reading = self.reading(*names)
        return None if reading is None else reading.number

    def value(self, name: str) -> Value:
        """Return the typed value of a label."""
        reading = self.reading(name)
        return None if reading is None else reading.group.value

    def text(self, name: str) -> str | None:
        """Return the text of a label without its padding, or None if there is nothing else."""
        value = self.value(name)
        return " ".join(value.split()) or None if isinstance(value, str) else None

    def time(self, name: str) -> datetime | None:
        """Return the horodate of a label."""
        reading = self.reading(name)
        return None if reading is None else reading.group.time

    @property
    def mode(self) -> Mode | None:
        """The mode in which the meter speaks."""
        return self.meter.mode

    @property
    def address(self) -> Address | None:
        """The facts in the meter's address."""
        return None if self.meter.address is None else address(self.meter.address)

    @property
    def identified(self) -> bool:
        """Whether a whole frame is believed, so that what is not known is not sent.

        Registers and measures are believed last.
        """
        if self.mode is None or self.reading(ADDRESS_LABELS[self.mode]) is None:
            return False
        return self.tariff != Tariff() and not _REGISTERS.isdisjoint(self.meter.readings)

    @property
    def registers_known(self) -> bool:
        """Whether all registers that came are believed.

        Listening begins within a frame: registers at its end come once more than others.
        """
        return self.meter.readings.keys() >= self.meter.heard & _REGISTERS

    @property
    def status(self) -> Status | None:
        """The status register, in standard mode."""
        value = self.value("STGE")
        return value if isinstance(value, Status) else None

    @property
    def phases(self) -> int | None:
        """The number of phases, from what is sent, else from the meter's type."""
        if any(r.group.label.three_phase for r in self.meter.readings.values()):
            return 3
        if self.reading("IRMS1", "IINST") is not None:
            return 1
        return None if self.address is None else self.address.phases

    @property
    def producer(self) -> bool:
        """Whether the meter counts what is injected."""
        return "EAIT" in self.meter.readings

    @property
    def of_production(self) -> bool | None:
        """Whether the meter is a second one, of panels that sell everything; None: not yet known.

        What it injects is what they make. In historique mode the meter does not say.
        """
        if self.mode is not Mode.STANDARD or self.tariff.contract is None:
            return None
        return self._is_of("PRODUCTEUR")

    @property
    def energy_drawn_wh(self) -> int | None:
        """All the energy drawn from the grid."""
        energy_wh = energy_drawn_wh(self.meter.readings)
        return None if energy_wh is None else energy_wh + self.offset_wh

    @property
    def active_power_drawn_w(self) -> int | None:
        """Active power drawn from the grid, derived from the register."""
        return self._drawn.power_w(self.number("SINSTS", "PAPP"))

    @property
    def active_power_injected_w(self) -> int | None:
        """Active power injected into the grid, derived from the register."""
        if not self.producer:
            return None
        return self._injected.power_w(self.number("SINSTI"))

    @property
    def active_power_w(self) -> int | None:
        """Active power drawn less what is injected."""
        drawn, injected = self.active_power_drawn_w, self.active_power_injected_w
        return None if drawn is None or injected is None else drawn - injected

    @property
    def can_estimate_injection(self) -> bool:
        """Whether injection shows in the currents only: consumer mode, standard, one phase."""
        return self.status is not None and not self.producer and self.phases == 1

    @property
    def injected_power_va(self) -> int | None:
        """Apparent power injected that no register counts, from current and voltage.

        Such a meter says that energy is negative, shows no drawn power, and still has a current.
        """
        status, drawn = self.status, self.number("SINSTS")
        current, voltage = self.number("IRMS1"), self.number("URMS1")
        if status is None or drawn is None or current is None or voltage is None:
            return None
        return current * voltage if status.injecting and drawn == 0 else 0

    @property
    def price(self) -> float | None:
        """The present price of a kWh, by the tariff that runs."""
        return self.prices.get(self.tariff.register or "")

    @property
    def next_price(self) -> float | None:
        """The price of a kWh by the tariff that comes next."""
        change = self.next_change
        return None if change is None else self.prices.get(change.register)

    @property
    def tariff_names(self) -> Mapping[str, str]:
        """The supplier's names of its indexes, as far as the meter says them."""
        day = self.value("PJOURF+1")
        slots = day if isinstance(day, tuple) else ()
        registers = {f"EASF{slot.index:02}" for slot in slots if slot.index is not None}
        return other_of_two(self.tariffs.names, self.tariff.contract, registers)

    @property
    def next_change(self) -> Change | None:
        """The next change of the tariff, where the calendar says it.

        Of a day's colour and of mobile peaks it says nothing.
        """
        now, register = self.time("DATE"), self.tariff.register
        if now is None or register is None or self.has_colours or self.has_peaks:
            return None
        return self.schedules.next_change(now, register)

    @property
    def subscribed_power_kva(self) -> float | None:
        if (power := self.number("PREF")) is not None:
            return power
        if (current := self.number("ISOUSC")) is None or self.phases is None:
            return None
        return current * VOLTS_OF_CONTRACT * self.phases / 1000

    @property
    def seconds_to_cut_off(self) -> int | None:
        """Seconds until the breaker opens if the power stays as it is; None if it does not."""
        power_kva = self.number("PCOUP") or self.subscribed_power_kva
        if power_kva is None:
            return None
        powers = list(self._apparent_by_phase())
        left = (
            self._cut_off[phase].seconds_left(power_kva * 1000 / len(powers))
            for phase, _, _ in powers
        )
        return min((seconds for seconds in left if seconds is not None), default=None)

    @property
    def cut_off_expected(self) -> bool | None:
        """Whether the breaker opens if the power stays as it is."""
        if self.subscribed_power_kva is None:
            return None
        return self.seconds_to_cut_off is not None

    @property
    def overrun(self) -> bool | None:
        """Whether more is drawn than was subscribed, on one phase at least.

        Three-phase meters that should send ADIR were seen not to, so the currents count too.
        """
        if (status := self.status) is not None:
            return status.over_reference_power
        if (limit := self.number("ISOUSC")) is None:
            return None
        if self.reading("ADPS", "ADIR1", "ADIR2", "ADIR3") is not None:
            return True
        currents = (self.number(name) for name in ("IINST", "IINST1", "IINST2", "IINST3"))
        return any(current > limit for current in currents if current is not None)

    @property
    def has_colours(self) -> bool:
        """Whether the contract has coloured days."""
        return self.tariff.colour_today is not None or self._is_of("TEMPO")

    @property
    def has_peaks(self) -> bool:
        """Whether the contract has mobile peaks that the meter announces."""
        if self.tariff.peak_notice is None:
            return False
        return self.tariff.peak_notice or bool(self.tariff.peaks) or self._is_of("EJP", "TEMPO")

    def _is_of(self, *contracts: str) -> bool:
        contract = self.tariff.contract
        return contract is not None and any(name in contract.upper() for name in contracts)
