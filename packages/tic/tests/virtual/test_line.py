"""The row of transmissions: pace, interruptions, faults, and the same again from the same seed."""

from itertools import islice

from hypothesis import given, strategies as st
import pytest

from consometers_tic import Decoder, Mode, encode_frame
from consometers_tic_virtual import Faults, Line, Transmission
from consometers_tic_virtual.line import GAP_S, SHORT_FRAMES
from consometers_tic_virtual.virtual import paced
from packages.tic.tests.meters import NOON, linky

START = NOON.timestamp()


def names(sent: Transmission) -> list[str]:
    return [group.label.name for group in sent.groups]


@pytest.mark.parametrize("mode", Mode)
def test_a_frame_lasts_as_long_as_its_bits_and_a_gap(mode: Mode) -> None:
    baud = {Mode.HISTORIQUE: 1200, Mode.STANDARD: 9600}[mode]
    line = Line(linky(mode), START)
    at = START
    for sent in islice(line, 20):
        assert sent.at == at
        assert sent.baud == baud
        gap = sent.seconds - len(sent.sent) * 10 / baud
        assert GAP_S[0] - 1e-9 <= gap <= GAP_S[1] + 1e-9
        at += sent.seconds
    assert line.at == at


def transmissions_of_each_kind() -> list[Transmission]:
    sent: list[Transmission] = []
    for mode in Mode:
        line = Line(linky(mode), START)
        line.silence(4)
        sent += islice(line, 4)
    return sent


@given(st.floats(0.5, 500), st.sampled_from(transmissions_of_each_kind()))
def test_pieces_arrive_at_the_meters_pace(speed: float, sent: Transmission) -> None:
    pieces = list(paced(sent, speed))
    assert b"".join(data for _, data in pieces) == sent.data
    assert sum(wait for wait, _ in pieces) == pytest.approx(sent.seconds / speed)
    assert all(wait >= 0 for wait, _ in pieces)


def test_the_same_seed_gives_the_same_bytes() -> None:
    def run(seed: int) -> list[bytes]:
        line = Line(linky(), START, faults=Faults(0.01, 0.01, 0.001), seed=seed)
        return [sent.data for sent in islice(line, 10)]

    assert run(3) == run(3)
    assert run(3) != run(4)


def test_a_silence_begins_with_eot_after_a_whole_group() -> None:
    line = Line(linky(), START)
    line.silence(30)
    cut, silence, frame = islice(line, 3)
    assert cut.sent == encode_frame(cut.groups)[:-1] + b"\x04"
    assert not cut.complete
    assert (silence.sent, silence.seconds) == (b"", 30)
    assert frame.complete
    assert frame.at == pytest.approx(START + cut.seconds + 30)
    decoder = Decoder()
    frames = decoder.feed(cut.data + frame.data)
    assert [frame.complete for frame in frames] == [False, True]
    assert not sum(decoder.counters.rejected.values())


def test_a_switch_of_mode_interrupts_the_frame_and_changes_the_speed() -> None:
    line = Line(linky(), START)
    line.switch_mode()
    cut, silence, frame = islice(line, 3)
    assert cut.baud == 9600
    assert not silence.data
    assert frame.baud == 1200
    assert names(frame)[0] == "ADCO"
    line.switch_mode(Mode.STANDARD)
    assert names(next(islice(line, 2, None)))[0] == "ADSC"


def test_a_swap_breaks_the_frame_in_the_middle_of_a_group() -> None:
    line = Line(linky(), START)
    line.swap_meter()
    cut, _, frame = islice(line, 3)
    assert cut.sent.startswith(encode_frame(cut.groups)[:-1] + b"\n")
    assert not cut.sent.endswith((b"\r", b"\x03", b"\x04"))
    assert frame.groups[0].raw != cut.groups[0].raw


def test_an_overloaded_three_phase_meter_sends_twenty_short_frames_for_one_long() -> None:
    line = Line(linky(Mode.HISTORIQUE, phases=3), START)
    next(line)
    line.overload()
    cut, *shorts = islice(line, 1 + SHORT_FRAMES)
    assert cut.sent.endswith(b"\r\x04")
    for short in shorts:
        over = [name for name in names(short) if name.startswith("ADIR")]
        assert over
        assert names(short) == [*over, "ADCO", "IINST1", "IINST2", "IINST3"]
    long, after = islice(line, 2)
    assert names(long)[-1] == "PPOT"
    assert long.sent.endswith(b"\x03\x04")
    assert "ADIR1" not in names(long)
    assert names(after)[-1] == "IINST3"

    line.relieve()
    relieved = line.at
    later = list(islice(line, 200))
    shorts = [sent for sent in later if names(sent)[-1] == "IINST3"]
    assert all("ADIR" not in "".join(names(sent)) for sent in shorts)
    assert shorts[-1].at == pytest.approx(relieved + 60, abs=3)
    assert all(names(sent)[-1] == "PPOT" for sent in later[-20:])
    decoder = Decoder()
    for sent in later:
        decoder.feed(sent.data)
    assert not sum(decoder.counters.rejected.values())
