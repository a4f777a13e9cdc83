"""What was seen to break other decoders in the field, each thing once."""

import pytest

from custom_components.consometers.tic import (
    CATALOGUE,
    Decoder,
    Frame,
    Group,
    Meter,
    Mode,
    Reason,
    checksum,
    energy_drawn_wh,
)
from demo.meter.uart import Mistuned

from .samples import (
    ADDRESS,
    BASE,
    CONSUMER,
    DAY_SCHEDULE,
    FRAMES,
    HISTORIQUE,
    NOON,
    OTHER_ADDRESS,
    PRODUCER,
    STANDARD,
    TEMPO,
    Fields,
    frame,
    frame_bytes,
    group_bytes,
)

BOTH = pytest.mark.parametrize(
    ("mode", "groups"), [FRAMES["tempo"], FRAMES["producer"]], ids=["historique", "standard"]
)


def read(data: bytes, mode: Mode | None = None) -> list[Frame]:
    decoder = Decoder(mode)
    return decoder.feed(data) + decoder.close()


def only(data: bytes, mode: Mode | None = None) -> Group:
    ((name, group),) = read(data, mode)[0].groups.items()
    assert name == group.label.name
    return group


# 1
@pytest.mark.parametrize("mode", [None, HISTORIQUE])
def test_a_checksum_may_be_a_space(mode: Mode | None) -> None:
    assert checksum(b"PTEC HP..") == ord(" ")
    assert only(b"\x02\nPTEC HP..  \r\x03", mode).raw == "HP.."


@pytest.mark.parametrize("mode", [None, STANDARD])
def test_a_checksum_may_be_a_space_after_a_tab(mode: Mode | None) -> None:
    raw = next(f"{n:05}" for n in range(99_999) if checksum(b"SINSTS\t%05d\t" % n) == ord(" "))
    assert only(b"\x02\nSINSTS\t%s\t \r\x03" % raw.encode(), mode).raw == raw


# 2
@pytest.mark.parametrize("mode", [None, STANDARD])
def test_a_date_has_a_horodate_and_no_data(mode: Mode | None) -> None:
    date = only(b"\x02" + group_bytes(STANDARD, "DATE", NOON, "") + b"\x03", mode)
    assert date.raw == ""
    assert date.raw_horodate == NOON
    assert date.time is not None
    assert date.time.isoformat() == "2025-07-15T12:00:00+02:00"


# 3
def test_the_season_of_a_mobile_peak_is_a_space() -> None:
    peak = only(group_bytes(STANDARD, "DPM1", " 260115060000", "00"))
    assert peak.time is not None
    assert peak.time.isoformat() == "2026-01-15T06:00:00+01:00"


# 4
def test_a_season_in_lower_case_is_a_clock_that_is_not_trusted() -> None:
    highest = only(group_bytes(STANDARD, "SMAXSN", "e250715073112", "04321"))
    assert highest.value == 4321
    assert highest.time is None


# 5
@BOTH
@pytest.mark.parametrize("instead", [b"\x0e", b"\x0f", b"\x0b", b"\0", b"\x7f", b""])
def test_a_corrupted_line_feed_costs_no_group(
    mode: Mode, groups: list[Fields], instead: bytes
) -> None:
    whole = frame_bytes(mode, groups)
    (decoded,) = read(whole.replace(b"\n", instead))
    assert decoded == frame(mode, groups)


# 6
@BOTH
@pytest.mark.parametrize("into_group", [0, 4, 9])
def test_the_meter_may_interrupt_itself(mode: Mode, groups: list[Fields], into_group: int) -> None:
    whole = frame_bytes(mode, groups)
    ends = [n for n, byte in enumerate(whole) if byte == ord("\r")]
    interrupted = whole[: ends[4] + 1 + into_group] + b"\x04"
    decoder = Decoder()
    cut, complete = decoder.feed(interrupted + whole)
    assert not cut.complete
    assert list(cut.groups) == [fields[0] for fields in groups[:5]]
    assert complete == frame(mode, groups)
    assert decoder.counters.resyncs == 0


def test_an_interruption_may_stand_alone() -> None:
    assert [one.complete for one in read(b"\x04\x04" + frame_bytes(HISTORIQUE, BASE))] == [True]


# 7
@BOTH
def test_a_capture_may_start_anywhere(mode: Mode, groups: list[Fields]) -> None:
    whole = frame_bytes(mode, groups)
    sent = frame(mode, groups).groups
    for start in range(1, len(whole)):
        decoder = Decoder()
        frames = decoder.feed(whole[start:] + whole)
        assert frames[-1] == frame(mode, groups)
        assert decoder.counters.resyncs == 0
        for cut in frames[:-1]:
            assert not cut.complete
            assert cut.groups.items() <= sent.items()


# 8
@BOTH
@pytest.mark.parametrize(
    "rewrite",
    [
        lambda data: data.replace(b"\r", b"").replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"\r", b""),
        lambda data: data.replace(b"\r", b"\r\n"),
        lambda data: data.replace(b"\n", b""),
        lambda data: data.replace(b"\r\n", b"\n").replace(b"\r", b"\n"),
    ],
    ids=["CRLF", "LF", "LF CRLF", "CR", "universal newlines"],
)
def test_a_dump_may_have_other_line_ends(mode: Mode, groups: list[Fields], rewrite: object) -> None:
    assert callable(rewrite)
    assert read(rewrite(frame_bytes(mode, groups) * 2)) == [frame(mode, groups)] * 2


@BOTH
def test_a_dump_may_have_lost_what_is_not_text(mode: Mode, groups: list[Fields]) -> None:
    text = frame_bytes(mode, groups).translate(None, b"\x02\x03\r")
    frames = read(text * 3)
    assert [one.complete for one in frames] == [False] * 3
    assert all(one.groups == frame(mode, groups).groups for one in frames)


# 9
@pytest.mark.parametrize("mode", [None, STANDARD])
def test_tabs_may_have_become_spaces(mode: Mode | None) -> None:
    decoded = read(frame_bytes(STANDARD, PRODUCER).replace(b"\t", b" "), mode)
    assert decoded == [frame(STANDARD, PRODUCER)]


# 10
@BOTH
def test_the_parity_bit_may_still_be_there(mode: Mode, groups: list[Fields]) -> None:
    def with_parity(byte: int) -> int:
        return byte | (byte.bit_count() & 1) << 7

    data = bytes(map(with_parity, frame_bytes(mode, groups)))
    assert not data.isascii()
    assert read(data) == [frame(mode, groups)]


# 11
@pytest.mark.parametrize("last", [chr(c) for c in range(0x20, 0x7F)])
def test_the_option_of_tempo_ends_with_any_character(last: str) -> None:
    assert only(frame_bytes(HISTORIQUE, [("OPTARIF", f"BBR{last}")])).raw == f"BBR{last}"


# 12
def test_examples_of_groups_with_odd_checksums_pass() -> None:
    assert only(b"\nHHPHC A ,\r").raw == "A"
    assert only(b"\nPTEC HP..  \r").raw == "HP.."


# 13
@pytest.mark.parametrize("label", ["SMAXSN1-1", "SMAXSN2-1", "SMAXSN3-1"])
def test_a_label_may_have_nine_characters(label: str) -> None:
    assert only(group_bytes(STANDARD, label, "H260101000000", "00000")).label.name == label


# 14
def test_a_meter_may_have_no_calendar_and_no_load_curve() -> None:
    absent = ("NGTF", "LTARF", "CCASN", "CCASN-1")
    bare = [fields for fields in CONSUMER if fields[0] not in absent]
    (decoded,) = read(frame_bytes(STANDARD, bare))
    assert decoded.correct
    assert decoded.groups.keys() == {fields[0] for fields in bare}


# 15
def test_a_very_short_message_comes_in_one_frame_only() -> None:
    at = [fields[0] for fields in PRODUCER].index("MSG1") + 1
    said = (*PRODUCER[:at], ("MSG2", "BONJOUR         "), *PRODUCER[at:])
    meter = Meter()
    for second, groups in enumerate((PRODUCER, PRODUCER, said, PRODUCER, PRODUCER)):
        changed = meter.update(frame(STANDARD, groups), float(second))
        assert ("MSG2" in changed) == (groups is said)
    assert meter.readings["MSG2"].group.value == "BONJOUR"


# 16
def test_a_maximum_of_zero_at_midnight_is_a_maximum() -> None:
    highest = only(group_bytes(STANDARD, "SMAXSN", "E250715000000", "00000"))
    assert highest.value == 0
    assert highest.time is not None


# 17
def test_a_corrupt_register_with_a_right_checksum_does_not_go_backwards() -> None:
    # Two digits were altered, and their sum is the same.
    assert checksum(b"BASE 012345678") == checksum(b"BASE 012345669") == checksum(b"BASE 003345678")
    meter = Meter()
    seen = set()
    for second, index in enumerate(
        ["012345678"] * 3 + ["012345669", "003345678"] + ["012345679"] * 3
    ):
        meter.update(frame(HISTORIQUE, BASE, BASE=index), float(second))
        if "BASE" in meter.readings:
            seen.add(meter.readings["BASE"].number)
    assert seen == {12_345_678, 12_345_679}


# 18
def test_another_meter_and_another_mode_are_noticed() -> None:
    meter = Meter()
    second = 0.0
    sequence = [
        frame(HISTORIQUE, BASE, BASE="012345678"),
        frame(STANDARD, CONSUMER, EAST="012345678"),
        frame(STANDARD, CONSUMER, EAST="000000003", ADSC=OTHER_ADDRESS),
    ]
    seen = []
    for one in sequence:
        for _ in range(5):
            meter.update(one, second)
            second += 1.0
        seen.append((meter.mode, meter.address, energy_drawn_wh(meter.readings)))
    assert seen == [
        (HISTORIQUE, ADDRESS, 12_345_678),
        (STANDARD, ADDRESS, 12_345_678),
        (STANDARD, OTHER_ADDRESS, 3),
    ]


# 19
@pytest.mark.parametrize(
    ("mode", "groups", "sent_baud", "read_baud"),
    [(*FRAMES["tempo"], 1200, 9600), (*FRAMES["producer"], 9600, 1200)],
    ids=["1200 read at 9600", "9600 read at 1200"],
)
def test_the_other_speed_is_noise(
    mode: Mode, groups: list[Fields], sent_baud: int, read_baud: int
) -> None:
    heard = Mistuned(sent_baud, read_baud).hear(frame_bytes(mode, groups) * 50)
    assert len(heard) > 500
    decoder = Decoder()
    decoder.feed(heard)
    # A few may pass: three are asked for before a speed is believed.
    assert decoder.counters.groups < 3


# 20
def test_a_meter_on_standby_sends_its_address_alone() -> None:
    alone = frame_bytes(HISTORIQUE, [("ADCO", ADDRESS)])
    decoder = Decoder()
    assert [list(one.groups) for one in decoder.feed(alone * 3)] == [["ADCO"]] * 3
    assert decoder.counters.frames == 3


def test_a_schedule_with_a_block_too_many_is_refused() -> None:
    too_long = f"{DAY_SCHEDULE} NONUTILE"
    assert len(too_long) == 107
    (decoded,) = read(frame_bytes(STANDARD, [("ADSC", ADDRESS), ("PJOURF+1", too_long)]))
    assert [rejected.reason for rejected in decoded.rejected] == [Reason.LENGTH]
    assert "PJOURF+1" not in decoded.groups


def test_a_block_whose_bytes_do_not_count_cannot_vanish() -> None:
    data = frame_bytes(STANDARD, [("ADSC", ADDRESS), ("PJOURF+1", DAY_SCHEDULE)])
    for invisible in (b"NONU", b"NUTI"):
        assert sum(invisible) % 64 == 0
        (decoded,) = read(data.replace(invisible, b"", 1))
        assert [rejected.reason for rejected in decoded.rejected] == [Reason.LENGTH]


def test_data_may_hold_the_separator() -> None:
    message = "A  B   C    D     E      F      "
    assert only(group_bytes(STANDARD, "MSG1", message)).raw == message
    assert only(group_bytes(HISTORIQUE, "OPTARIF", "BBR ")).raw == "BBR "


def test_the_marks_of_a_frame_may_be_lost() -> None:
    whole = frame_bytes(HISTORIQUE, TEMPO)
    without_end = Decoder()
    frames = without_end.feed(whole[:-1] + whole + whole)
    assert [one.complete for one in frames] == [False, True, True]
    assert without_end.counters.resyncs == 1
    without_start = Decoder()
    frames = without_start.feed(whole + whole[1:] + whole)
    assert [one.complete for one in frames] == [True, False, True]
    assert without_start.counters.resyncs == 1
    assert {label for one in frames for label in one.groups} <= CATALOGUE[HISTORIQUE].keys()
