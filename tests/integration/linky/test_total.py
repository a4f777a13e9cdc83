"""The total goes on, whatever the meter does to it."""

from custom_components.consometers.linky.state import LinkyState
from packages.tic.tests.samples import frame_bytes
from testing.integration.frames import ADDRESS, CONSUMER, OFF_PEAK, OTHER_ADDRESS, Kind


class Meter:
    """Sends frames to a state, one a second."""

    def __init__(self, offset_wh: int = 0) -> None:
        self.state = LinkyState(offset_wh)
        self._second = 0

    def send(self, kind: Kind, times: int = 5) -> int | None:
        for _ in range(times):
            self._second += 1
            self.state.feed(frame_bytes(kind.mode, kind.groups), float(self._second))
        return self.state.energy_drawn_wh


STANDARD = CONSUMER.but(EAST="020000000")
# 12 kWh were drawn under an earlier contract, which historique mode does not show.
HISTORIQUE = OFF_PEAK.but(HCHC="008000000", HCHP="011988000")


def test_a_total_continues_when_the_other_mode_counts_another() -> None:
    meter = Meter()
    assert meter.send(HISTORIQUE) == 19_988_000
    assert meter.send(STANDARD) == 19_988_000
    assert meter.state.offset_wh == -12_000
    assert meter.send(STANDARD.but(EAST="020000007")) == 19_988_007


def test_a_total_continues_when_the_meter_returns_to_its_mode() -> None:
    meter = Meter()
    for kind in (HISTORIQUE, STANDARD, HISTORIQUE):
        assert meter.send(kind) == 19_988_000
    assert meter.state.offset_wh == 0


def test_nearly_equal_totals_need_no_offset() -> None:
    meter = Meter()
    meter.send(OFF_PEAK.but(HCHC="008000000", HCHP="011999990"))
    assert meter.send(STANDARD) == 20_000_000
    assert meter.state.offset_wh == 0


def test_a_total_continues_after_a_silence() -> None:
    meter = Meter()
    meter.send(HISTORIQUE)
    meter.state.forget()
    assert meter.send(STANDARD) == 19_988_000


def test_another_meter_has_no_offset() -> None:
    meter = Meter(offset_wh=-12_000)
    assert meter.send(STANDARD) == 19_988_000
    assert meter.send(STANDARD.of(OTHER_ADDRESS).but(EAST="000000003")) == 3
    assert meter.state.offset_wh == 0
    assert meter.state.meter.address != ADDRESS
