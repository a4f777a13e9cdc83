"""From bytes to frames: however they are cut, whatever they are."""

from hypothesis import example, given, settings, strategies as st
import pytest

from consometers_tic import (
    CATALOGUE,
    LINK_BAD_AFTER_S,
    Counters,
    Decoder,
    Frame,
    Group,
    Label,
    LinkIndicator,
    Mode,
    Reason,
    Rejected,
    encode_frame,
)
from consometers_tic.decoder import MAX_REFUSED, MAX_REJECTED
from consometers_tic.group import MAX_GROUP, parse
from packages.tic.tests.samples import (
    BASE,
    HISTORIQUE,
    NOON,
    OTHER_ADDRESS,
    PRODUCER,
    SHORT,
    STANDARD,
    Fields,
    chunkings,
    frame,
    frame_bytes,
    group_bytes,
    group_lists,
    groups_of,
    streams,
)


def sent(mode: Mode, *fields: str) -> bytes:
    """Return what stands between LF and CR."""
    return group_bytes(mode, *fields)[1:-1]


LABELS = [label for mode in Mode for label in CATALOGUE[mode].values()]
A_GROUP = group_bytes(HISTORIQUE, "PAPP", "00690")[1:-1]


def decode(*chunks: bytes, mode: Mode | None = None) -> tuple[list[Frame], Counters]:
    decoder = Decoder(mode)
    frames = [frame for chunk in chunks for frame in decoder.feed(chunk)]
    return frames + decoder.close(), decoder.counters


@pytest.mark.parametrize("label", LABELS, ids=lambda label: label.name)
@settings(max_examples=8)
@given(knows_mode=st.booleans(), data=st.data())
def test_every_label_is_decoded_as_it_was_encoded(
    label: Label, knows_mode: bool, data: st.DataObject
) -> None:
    group = data.draw(groups_of(label))
    frames, counters = decode(encode_frame([group]), mode=label.mode if knows_mode else None)
    assert frames == [Frame(label.mode, complete=True, groups={label.name: group})]
    assert (counters.frames, counters.groups, counters.resyncs) == (1, 1, 0)


@given(mode=st.sampled_from(Mode), knows_mode=st.booleans(), data=st.data())
def test_any_frame_is_decoded_from_any_chunks(
    mode: Mode, knows_mode: bool, data: st.DataObject
) -> None:
    groups = data.draw(group_lists(mode))
    chunks = data.draw(chunkings(encode_frame(groups)))
    frames, _ = decode(*chunks, mode=mode if knows_mode else None)
    assert frames == [Frame(mode, complete=True, groups={g.label.name: g for g in groups})]
    assert list(frames[0].groups) == [g.label.name for g in groups]


@given(mode=st.sampled_from([None, *Mode]), data=st.data())
def test_chunking_does_not_change_the_frames_of_noisy_streams(
    mode: Mode | None, data: st.DataObject
) -> None:
    stream = data.draw(streams())
    assert decode(*data.draw(chunkings(stream)), mode=mode) == decode(stream, mode=mode)


@pytest.mark.parametrize(
    "stream",
    [
        b"\0" * 400 + A_GROUP,
        A_GROUP + b"\0" * 400,
        A_GROUP + b"\0" * 400 + b"X",
        b"X" * (MAX_GROUP - 1) + b"\0" * 400 + b"X\0",
        b"X" * 1000,
        b"\x02\n" + A_GROUP + b"\r\x0b" + A_GROUP + b"\r\x03",
    ],
    ids=["before", "after", "amid", "nearly", "endless", "a bad LF, then the label again"],
)
def test_noise_around_a_group_gives_the_same_byte_by_byte(stream: bytes) -> None:
    stream += b"\r\x02"
    assert decode(*(bytes((c,)) for c in stream)) == decode(stream)


@given(data=st.binary(), mode=st.sampled_from([None, *Mode]))
@example(data=b"\xff" * 300, mode=None)
def test_no_bytes_raise(data: bytes, mode: Mode | None) -> None:
    frames, counters = decode(data, mode=mode)
    assert counters.bytes == len(data)
    assert counters.frames == len(frames)


def size(decoder: Decoder) -> int:
    """Count what a decoder keeps."""
    return (
        len(decoder._tail)
        + len(decoder._groups)
        + sum(len(rejected.raw) for rejected in decoder._rejected)
        + sum(map(len, decoder._memo))
    )


BOUND = 2 * MAX_GROUP + MAX_REJECTED * MAX_GROUP + 1024 * MAX_GROUP + len(LABELS)


NOISES = {
    "letters": b"X",
    "NUL": b"\0",
    "letters and NUL": b"X\0",
    "all bytes": bytes(range(256)),
    "lines": b"\nX\r",
    "STX": b"\x02",
    "frames of lines": b"\x02\nX\r",
    "one group for ever": A_GROUP + b"\r",
}


@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
@pytest.mark.parametrize("start", [b"", b"\x02"], ids=["outside a frame", "in a frame"])
def test_endless_noise_takes_bounded_memory(noise: bytes, start: bytes) -> None:
    decoder = Decoder()
    decoder.feed(start)
    for _ in range(50):
        decoder.feed(noise * 2000)
        assert size(decoder) <= BOUND


def test_ever_changing_groups_take_bounded_memory() -> None:
    decoder = Decoder()
    for n in range(5000):
        decoder.feed(group_bytes(HISTORIQUE, "PAPP", f"{n:05}"))
        assert len(decoder._memo) <= 1024
    assert size(decoder) <= BOUND


def test_a_frame_that_never_ends_is_cut() -> None:
    decoder = Decoder()
    decoder.feed(b"\x02" + A_GROUP + b"\r")
    frames = decoder.feed(b"X\r" * MAX_REFUSED)
    assert [(frame.complete, list(frame.groups)) for frame in frames] == [(False, ["PAPP"])]
    assert len(frames[0].rejected) == MAX_REJECTED
    assert decoder.counters.rejected[Reason.CHECKSUM] == MAX_REFUSED
    decoder.feed(frame_bytes(HISTORIQUE, BASE))
    assert decoder.counters.resyncs == 1


def test_a_frame_is_cut_at_its_last_refused_group_and_no_end_makes_it_whole() -> None:
    decoder = Decoder()
    decoder.feed(b"\x02")
    assert not decoder.feed(A_GROUP + b"\r" + b"X\r" * (MAX_REFUSED - 1))
    (cut,) = decoder.feed(b"X\r")
    (rest,) = decoder.feed(A_GROUP + b"\r\x03")
    assert [cut.complete, rest.complete] == [False, False]
    assert decoder.counters.frames == 2
    for _ in range(2):
        decoder.feed(b"\x02" + A_GROUP + b"\r")
    assert decoder.counters.resyncs == 2


def test_a_group_of_the_other_mode_is_refused_and_many_cut_the_frame() -> None:
    decoder = Decoder()
    decoder.feed(b"\x02" + A_GROUP + b"\r")
    other = sent(STANDARD, "SINSTS", "00690")
    (frame,) = decoder.feed((other + b"\r") * MAX_REFUSED)
    assert frame.groups.keys() == {"PAPP"}
    assert frame.rejected[0] == Rejected(other.decode(), Reason.UNKNOWN_LABEL)
    assert len(frame.rejected) == MAX_REJECTED


def test_what_is_shown_of_a_second_group_has_no_noise() -> None:
    twice = b"\x02" + A_GROUP + b"\r\0" + A_GROUP + b"\r\x03"
    ((frame,), _) = decode(twice)
    assert frame.rejected == (Rejected(A_GROUP.decode(), Reason.DUPLICATE),)


@pytest.mark.parametrize("end", [b"", b"\x03", b"\x04", b"\x02"])
def test_a_label_that_comes_again_outside_a_frame_begins_another(end: bytes) -> None:
    """Whatever ends the last group: a mark beside it, or the end of all."""
    again = sent(HISTORIQUE, "PAPP", "00700")
    frames, _ = decode(A_GROUP + b"\r" + again + end)
    assert [each.groups["PAPP"].value for each in frames] == [690, 700]
    assert [each.complete for each in frames] == [False, False]


@pytest.mark.parametrize(
    ("last", "complete"), [(b"\0", True), (A_GROUP[:4], False)], ids=["noise", "half a group"]
)
def test_a_frame_is_whole_unless_its_end_stands_in_a_group(last: bytes, complete: bool) -> None:
    ((frame,), _) = decode(b"\x02" + A_GROUP + b"\r" + last + b"\x03")
    assert frame.complete is complete


def test_short_frames_follow_a_long_one_that_the_meter_cut() -> None:
    cut = frame_bytes(HISTORIQUE, BASE)[:-60] + b"\x04"
    frames, counters = decode(cut + frame_bytes(HISTORIQUE, SHORT) * 2)
    assert [frame.complete for frame in frames] == [False, True, True]
    assert counters.resyncs == 0


@pytest.mark.parametrize("separator", [b"\t", b" "])
def test_a_configured_mode_is_never_switched(separator: bytes) -> None:
    sent = frame_bytes(STANDARD, PRODUCER).replace(b"\t", separator)
    frames, counters = decode(sent, mode=HISTORIQUE)
    assert not frames
    assert sum(counters.rejected.values()) == len(PRODUCER)


ALTERED = {
    "a wrong checksum": (b"PAPP 00690 A", Reason.CHECKSUM),
    "no checksum": (b"PAPP 00690", Reason.CHECKSUM),
    "a length of its own": (sent(HISTORIQUE, "PAPP", "0690"), Reason.LENGTH),
    "letters in a number": (sent(HISTORIQUE, "PAPP", "OO690"), Reason.CHARACTERS),
    "an unknown label": (sent(HISTORIQUE, "PAPPY", "00690"), Reason.UNKNOWN_LABEL),
    "the shortest group": (sent(HISTORIQUE, "X", ""), Reason.UNKNOWN_LABEL),
    "the longest group": (sent(HISTORIQUE, "X" * (MAX_GROUP - 3), ""), Reason.UNKNOWN_LABEL),
    "a label in lower case": (sent(HISTORIQUE, "papp", "00690"), Reason.UNKNOWN_LABEL),
    "a short horodate": (sent(STANDARD, "SMAXSN", "E2507151200", "00690"), Reason.LENGTH),
    "no horodate": (sent(STANDARD, "SMAXSN", "00690"), Reason.LENGTH),
    "a fifth season": (sent(STANDARD, "UMOY1", "P250715120000", "230"), Reason.CHARACTERS),
    "letters in a time": (sent(STANDARD, "UMOY1", "E25071512OO00", "230"), Reason.CHARACTERS),
    "a letter at the beginning of a time": (
        sent(STANDARD, "UMOY1", "EO50715120000", "230"),
        Reason.CHARACTERS,
    ),
    "a tab in a number": (sent(STANDARD, "UMOY1", NOON, "2\t0"), Reason.CHARACTERS),
    "a wrong checksum, and spaces for tabs": (b"PCOUP 09 A", Reason.CHECKSUM),
    "a horodate too many": (sent(STANDARD, "EAIT", NOON, "000000000"), Reason.LENGTH),
    "small hexadecimal": (sent(STANDARD, "STGE", "003a4701"), Reason.CHARACTERS),
    "a second time": (sent(HISTORIQUE, "ADCO", OTHER_ADDRESS), Reason.DUPLICATE),
}


@pytest.mark.parametrize(("altered", "reason"), ALTERED.values(), ids=ALTERED)
def test_invalid_groups_are_refused_with_their_reason(altered: bytes, reason: Reason) -> None:
    is_standard = b"\t" in altered or b"PCOUP" in altered
    mode, groups = (STANDARD, PRODUCER[:5]) if is_standard else (HISTORIQUE, BASE)
    whole = frame_bytes(mode, groups)
    (frame,), counters = decode(whole[:-1] + b"\n" + altered + b"\r\x03")
    assert frame.complete
    assert len(frame.groups) == counters.groups == len(groups)
    assert [(r.raw, r.reason) for r in frame.rejected] == [(altered.decode(), reason)]
    assert counters.rejected == {r: int(r is reason) for r in Reason}


@pytest.mark.parametrize(
    "fields",
    [("PJOURF+1", "X" * 107), ("NEWLABEL", "1"), ("EAST", "1")],
    ids=lambda fields: fields[0],
)
def test_peculiarities_of_a_firmware_leave_a_frame_correct(fields: Fields) -> None:
    whole = frame_bytes(STANDARD, [fields, *(f for f in PRODUCER if f[0] != fields[0])])
    ((frame,), _) = decode(whole)
    assert len(frame.rejected) == 1
    assert frame.correct


def test_closing_returns_the_cut_last_frame() -> None:
    decoder = Decoder()
    assert not decoder.feed(frame_bytes(HISTORIQUE, BASE)[:-10])
    (frame,) = decoder.close()
    assert not frame.complete
    assert list(frame.groups) == [fields[0] for fields in BASE[:-1]]


CORRECT = frame(HISTORIQUE, BASE)
(BAD,) = Decoder().feed(frame_bytes(HISTORIQUE, BASE).replace(b"00690", b"00691"))
(CUT,) = Decoder().feed(frame_bytes(HISTORIQUE, BASE)[:-1] + b"\x04")


def test_the_lamp_is_bad_before_the_first_frame() -> None:
    assert not LinkIndicator().is_good(0.0)


def test_a_correct_frame_makes_the_lamp_good_for_ten_seconds() -> None:
    indicator = LinkIndicator()
    indicator.update([CORRECT], 100.0)
    assert indicator.is_good(100.0)
    assert indicator.is_good(109.9)
    assert not indicator.is_good(100.0 + LINK_BAD_AFTER_S)
    indicator.update([BAD, CORRECT], 130.0)
    assert indicator.is_good(130.0)


@pytest.mark.parametrize("frame", [BAD, CUT], ids=["wrong checksum", "cut"])
def test_incorrect_frames_do_not_prolong_the_lamp(frame: object) -> None:
    indicator = LinkIndicator()
    indicator.update([CORRECT], 0.0)
    indicator.update([frame], 9.0)  # type: ignore[list-item]
    indicator.update([], 9.5)
    assert not indicator.is_good(10.0)


def test_of_a_group_that_is_too_long_the_beginning_is_shown() -> None:
    shown = "PAPP " + "0" * (MAX_GROUP - 5)
    assert parse(f"{shown}0 A".encode()) == Rejected(shown, Reason.LENGTH)


def test_a_group_of_which_some_tabs_became_spaces_is_refused() -> None:
    """Copying changes each of them; a line that is disturbed changes some, and more."""
    whole = sent(STANDARD, "SMAXSN", NOON, "00690")
    assert isinstance(parse(whole.replace(b"\t", b" ")), Group)
    name, when, value, check = whole.split(b"\t")
    some = b" ".join((name, when + b"\t" + value, check))
    assert parse(some) == Rejected(some.decode(), Reason.CHECKSUM)
