"""A meter's state, under the same names in both modes."""

import pytest

from custom_components.consometers.linky.state import FrameResult, LinkyState
from packages.tic.tests.samples import frame_bytes
from testing.integration import frames
from testing.integration.frames import Kind


def after(kind: Kind, *more: Kind, times: int = 4) -> LinkyState:
    """Return the state after some frames of one kind, then of others, one a second."""
    state, second = LinkyState(), 0
    for each in (kind, *more):
        for _ in range(times):
            second += 1
            state.feed(frame_bytes(each.mode, each.groups), float(second))
    return state


ALL = (
    frames.CONSUMER,
    frames.THREE_PHASE,
    frames.PRODUCER,
    frames.STANDARD_TEMPO,
    frames.BASE,
    frames.OFF_PEAK,
    frames.TEMPO,
    frames.EJP,
    frames.HISTORIQUE_THREE_PHASE,
)


def test_a_new_state_is_empty() -> None:
    state = LinkyState()
    assert not state.identified
    facts = (
        state.mode,
        state.address,
        state.phases,
        state.energy_drawn_wh,
        state.active_power_drawn_w,
        state.injected_power_va,
        state.subscribed_power_kva,
        state.seconds_to_cut_off,
        state.overrun,
    )
    assert set(facts) == {None}
    assert not state.producer
    assert not state.can_estimate_injection


def test_registers_become_known_together() -> None:
    state, kind = LinkyState(), frames.PRODUCER
    data = frame_bytes(kind.mode, kind.groups)
    state.feed(data[data.index(b"EAIT") - 1 :], 1.0)
    for second, expected in ((2.0, False), (3.0, False), (4.0, True)):
        state.feed(data, second)
        assert (state.energy_drawn_wh is not None) == (state.identified and state.registers_known)
        assert state.registers_known is expected
    assert after(kind, times=3).registers_known


@pytest.mark.parametrize("kind", ALL)
def test_a_meter_is_known_at_its_third_frame(kind: Kind) -> None:
    assert not after(kind, times=2).identified
    state = after(kind, times=3)
    assert state.identified
    assert state.energy_drawn_wh is not None
    assert state.phases is not None
    assert state.producer == (kind is frames.PRODUCER)


@pytest.mark.parametrize(
    ("kind", "phases"),
    [
        (frames.CONSUMER, 1),
        (frames.THREE_PHASE, 3),
        (frames.BASE, 1),
        (frames.HISTORIQUE_THREE_PHASE, 3),
        # The frames count rather than the type in the address.
        (frames.CONSUMER.of("041876543210"), 1),
        (frames.HISTORIQUE_THREE_PHASE.of("041861123456"), 3),
    ],
)
def test_phases_are_counted_from_the_labels_sent(kind: Kind, phases: int) -> None:
    assert after(kind).phases == phases


class TestInjection:
    @pytest.mark.parametrize(
        ("changes", "injected_va"),
        [
            ({"STGE": "003A4601", "SINSTS": "00000"}, 4 * 236),
            ({"STGE": "003A4601", "SINSTS": "00000", "IRMS1": "000"}, 0),
            # Drawing, or nothing at all.
            ({"STGE": "003A4401", "SINSTS": "00690"}, 0),
            ({"STGE": "003A4401", "SINSTS": "00000"}, 0),
            # The status turns a frame before or after the power.
            ({"STGE": "003A4601", "SINSTS": "00690"}, 0),
            ({"STGE": "003A4401", "SINSTS": "00000", "IRMS1": "005"}, 0),
        ],
    )
    def test_injection_is_estimated_without_a_register(
        self, changes: dict[str, str], injected_va: int
    ) -> None:
        state = after(frames.CONSUMER.but(**changes))
        assert state.can_estimate_injection
        assert state.injected_power_va == injected_va

    @pytest.mark.parametrize(
        "kind", [frames.PRODUCER, frames.THREE_PHASE, frames.BASE, frames.HISTORIQUE_THREE_PHASE]
    )
    def test_injection_of_other_meters_is_not_estimated(self, kind: Kind) -> None:
        assert not after(kind).can_estimate_injection

    def test_a_meter_without_currents_gives_no_estimate(self) -> None:
        state = after(frames.CONSUMER.but(IRMS1=None))
        assert state.injected_power_va is None


class TestOverrun:
    @pytest.mark.parametrize(
        ("kind", "changes", "overrun"),
        [
            (frames.CONSUMER, {}, False),
            (frames.CONSUMER, {"STGE": "003A4481"}, True),
            (frames.THREE_PHASE, {"STGE": "003A4481"}, True),
            (frames.BASE, {}, False),
            (frames.BASE, {"IINST": "030"}, False),
            (frames.BASE, {"IINST": "031"}, True),
            (frames.HISTORIQUE_THREE_PHASE, {"IINST3": "020"}, False),
            (frames.HISTORIQUE_THREE_PHASE, {"IINST3": "021"}, True),
        ],
    )
    def test_an_overrun_is_known_in_each_mode(
        self, kind: Kind, changes: dict[str, str], overrun: bool
    ) -> None:
        assert after(kind.but(**changes)).overrun is overrun

    def test_the_warning_of_a_single_phase_is_an_overrun(self) -> None:
        warned = Kind(frames.BASE.mode, [*frames.BASE.groups, ("ADPS", "032")])
        state = after(frames.BASE, warned)
        assert state.overrun
        # And its end, three whole frames later.
        for second in range(9, 12):
            data = frame_bytes(frames.BASE.mode, frames.BASE.groups)
            last = state.feed(data, float(second))
        assert last is FrameResult.CHANGE
        assert state.overrun is False

    def test_short_frames_of_three_phases_are_an_overrun_and_keep_the_state(self) -> None:
        short = frames.HISTORIQUE_SHORT
        state = after(frames.HISTORIQUE_THREE_PHASE, short)
        assert state.overrun
        assert state.energy_drawn_wh == 12_345_678
        assert state.tariff.label == "BASE"


class TestCutOff:
    def test_a_single_phase_is_watched_as_a_whole(self) -> None:
        state = after(frames.CONSUMER, frames.CONSUMER.but(SINSTS="12600"))
        assert state.seconds_to_cut_off == pytest.approx(244, abs=6)
        state = after(frames.BASE, frames.BASE.but(PAPP="15000"))
        assert state.seconds_to_cut_off == pytest.approx(37, abs=3)

    def test_the_first_phase_to_open_counts(self) -> None:
        over = {"SINSTS1": "10000", "SINSTS2": "05600", "SINSTS3": "00100"}
        state = after(frames.THREE_PHASE, frames.THREE_PHASE.but(**over))
        assert state.seconds_to_cut_off == pytest.approx(37, abs=3)

    def test_currents_give_the_time_in_historique_mode(self) -> None:
        over = frames.HISTORIQUE_THREE_PHASE.but(IINST2="043")
        state = after(frames.HISTORIQUE_THREE_PHASE, over)
        assert state.seconds_to_cut_off == pytest.approx(37, abs=5)

    @pytest.mark.parametrize("kind", ALL)
    def test_no_cut_off_is_near_at_low_power(self, kind: Kind) -> None:
        assert after(kind).seconds_to_cut_off is None


class TestPower:
    @pytest.mark.parametrize(
        ("kind", "register", "measure", "frame_s"),
        [(frames.CONSUMER, "EAST", "SINSTS", 1.0), (frames.BASE, "BASE", "PAPP", 1.43)],
    )
    @pytest.mark.parametrize("power_w", [300, 8500])
    def test_active_power_follows_the_register(
        self, *, kind: Kind, register: str, measure: str, frame_s: float, power_w: int
    ) -> None:
        state = LinkyState()
        for n in range(1, 181):
            at = frame_s * n
            energy_wh = int(20_000_000 + at * power_w / 3600)
            changed = {register: f"{energy_wh:09}", measure: f"{power_w + 100:05}"}
            state.feed(frame_bytes(kind.mode, kind.but(**changed).groups), at)
            if at > 100:
                assert state.active_power_drawn_w == pytest.approx(power_w, rel=0.03)
        assert state.active_power_injected_w is None
        assert state.active_power_w is None

    def test_the_active_power_of_injection_is_negative(self) -> None:
        state = LinkyState()
        for second in range(1, 181):
            eait = f"{1_000_000 + second * 900 // 3600:09}"
            kind = frames.PRODUCER.but(EAIT=eait)
            state.feed(frame_bytes(kind.mode, kind.groups), float(second))
        assert state.active_power_drawn_w == 0
        assert state.active_power_injected_w == pytest.approx(900, rel=0.03)
        assert state.active_power_w == pytest.approx(-900, rel=0.03)


def test_forgetting_a_meter_keeps_the_state_of_the_link() -> None:
    state = after(frames.CONSUMER)
    state.forget()
    assert not state.identified
    assert state.energy_drawn_wh is None
    assert state.decoder.counters.frames == 4
    assert state.indicator.is_good(5.0)


def test_a_steady_meter_brings_measures_only() -> None:
    state = after(frames.CONSUMER)
    data = frame_bytes(frames.CONSUMER.mode, frames.CONSUMER.groups)
    assert state.feed(data[:100], 5.0) is FrameResult.NOTHING
    assert state.feed(data[100:], 5.1) is FrameResult.MEASURES


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, False), ({"SINSTS": "20000"}, True), ({"PREF": None, "PCOUP": None}, None)],
)
def test_a_cut_off_is_expected_while_too_much_is_drawn(
    changes: dict[str, str | None], expected: bool | None
) -> None:
    state = after(frames.CONSUMER.but(**changes), times=6)
    assert state.cut_off_expected is expected
    assert (state.seconds_to_cut_off is not None) is (expected is True)
