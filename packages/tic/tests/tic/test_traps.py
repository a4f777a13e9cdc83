"""Input that broke other decoders in the field, each kind once.

Numbers that are missing (15, 17, 18, 20) are of readings over time: `test_meter.py` tries them.
"""

from datetime import datetime

import pytest

from consometers_tic import (
    CATALOGUE,
    Decoder,
    Frame,
    Group,
    Mode,
    Reason,
    checksum,
)
from consometers_tic_virtual.port.uart import Mistuned
from packages.tic.tests.samples import (
    ADDRESS,
    BASE,
    CONSUMER,
    DAY_SCHEDULE,
    FRAMES,
    HISTORIQUE,
    NOON,
    PRODUCER,
    STANDARD,
    TEMPO,
    Fields,
    frame,
    frame_bytes,
    group_bytes,
)

MESSAGE = "A  B   C    D     E      F      "
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


GROUPS: list[tuple[Mode, Fields, str, str | None]] = [
    # 2: a horodate, and no data
    (STANDARD, ("DATE", NOON, ""), "", "2025-07-15T12:00:00+02:00"),
    # 3: a space in place of the season
    (STANDARD, ("DPM1", " 260115060000", "00"), "00", "2026-01-15T06:00:00+01:00"),
    # 4: a season in lower case is a clock that is not trusted
    (STANDARD, ("SMAXSN", "e250715073112", "04321"), "04321", None),
    # 12: odd checksums
    (HISTORIQUE, ("HHPHC", "A"), "A", None),
    (HISTORIQUE, ("PTEC", "HP.."), "HP..", None),
    # 13: a label of nine characters
    (STANDARD, ("SMAXSN1-1", "H260101000000", "00000"), "00000", "2026-01-01T00:00:00+01:00"),
    # 16: a maximum of zero at midnight
    (STANDARD, ("SMAXSN", "E250715000000", "00000"), "00000", "2025-07-15T00:00:00+02:00"),
    # The separator in the data
    (STANDARD, ("MSG1", MESSAGE), MESSAGE, None),
    (HISTORIQUE, ("OPTARIF", "BBR "), "BBR ", None),
]


@pytest.mark.parametrize(("mode", "fields", "raw", "time"), GROUPS)
@pytest.mark.parametrize("is_known", [True, False])
def test_a_group_may_look_odd(
    mode: Mode, fields: Fields, raw: str, time: str | None, is_known: bool
) -> None:
    group = only(b"\x02" + group_bytes(mode, *fields) + b"\x03", mode if is_known else None)
    assert (group.label.name, group.raw) == (fields[0], raw)
    assert group.time == (None if time is None else datetime.fromisoformat(time))


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
    assert [each.complete for each in read(b"\x04\x04" + frame_bytes(HISTORIQUE, BASE))] == [True]


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
            assert cut.complete is False
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
def test_a_dump_may_lack_control_characters(mode: Mode, groups: list[Fields]) -> None:
    text = frame_bytes(mode, groups).translate(None, b"\x02\x03\r")
    frames = read(text * 3)
    assert [each.complete for each in frames] == [False] * 3
    assert all(each.groups == frame(mode, groups).groups for each in frames)


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


# 14
def test_a_meter_may_have_no_calendar_and_no_load_curve() -> None:
    absent = ("NGTF", "LTARF", "CCASN", "CCASN-1")
    bare = [fields for fields in CONSUMER if fields[0] not in absent]
    (decoded,) = read(frame_bytes(STANDARD, bare))
    assert decoded.correct
    assert decoded.groups.keys() == {fields[0] for fields in bare}


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


def test_a_lost_block_is_refused_despite_its_checksum() -> None:
    data = frame_bytes(STANDARD, [("ADSC", ADDRESS), ("PJOURF+1", DAY_SCHEDULE)])
    for invisible in (b"NONU", b"NUTI"):
        assert sum(invisible) % 64 == 0
        (decoded,) = read(data.replace(invisible, b"", 1))
        assert [rejected.reason for rejected in decoded.rejected] == [Reason.LENGTH]


def test_the_marks_of_a_frame_may_be_lost() -> None:
    whole = frame_bytes(HISTORIQUE, TEMPO)
    without_end = Decoder()
    frames = without_end.feed(whole[:-1] + whole + whole)
    assert [each.complete for each in frames] == [False, True, True]
    assert without_end.counters.resyncs == 1
    without_start = Decoder()
    frames = without_start.feed(whole + whole[1:] + whole)
    assert [each.complete for each in frames] == [True, False, True]
    assert without_start.counters.resyncs == 1
    assert {label for each in frames for label in each.groups} <= CATALOGUE[HISTORIQUE].keys()
