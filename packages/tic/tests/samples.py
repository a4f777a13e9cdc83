"""Frames as meters send them, and others that obey the catalogue. No address here is a real one."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from hypothesis import strategies as st

from consometers_tic import (
    CATALOGUE,
    Chars,
    Decoder,
    Frame,
    Group,
    Label,
    Mode,
    encode,
    encode_frame,
    parse,
)
from consometers_tic.group import CR, LF

type Fields = tuple[str, str] | tuple[str, str, str]
"""A label and its data, or a label, its horodate and its data."""

HISTORIQUE, STANDARD = Mode.HISTORIQUE, Mode.STANDARD
ADDRESS = "041876543210"
OTHER_ADDRESS = "021961123456"


def _single_phase(option: str, amperes: str, *middle: Fields, power: str) -> tuple[Fields, ...]:
    """Return the groups of a single phase in historique mode; those in the middle differ most."""
    return (
        ("ADCO", ADDRESS),
        ("OPTARIF", option),
        ("ISOUSC", amperes),
        *middle,
        ("IMAX", "090"),
        ("PAPP", power),
        ("HHPHC", "A"),
        ("MOTDETAT", "000000"),
    )


BASE = _single_phase(
    "BASE", "30", ("BASE", "012345678"), ("PTEC", "TH.."), ("IINST", "003"), power="00690"
)
OFF_PEAK = _single_phase(
    "HC..",
    "45",
    ("HCHC", "007654321"),
    ("HCHP", "004691357"),
    ("PTEC", "HP.."),
    ("IINST", "008"),
    power="01850",
)
EJP = _single_phase(
    "EJP.",
    "60",
    ("EJPHN", "010000000"),
    ("EJPHPM", "000300000"),
    ("PTEC", "HN.."),
    ("IINST", "002"),
    power="00460",
)
TEMPO = _single_phase(
    "BBR(",
    "45",
    ("BBRHCJB", "010000001"),
    ("BBRHPJB", "020000002"),
    ("BBRHCJW", "000300003"),
    ("BBRHPJW", "000400004"),
    ("BBRHCJR", "000050005"),
    ("BBRHPJR", "000060006"),
    ("PTEC", "HPJW"),
    ("DEMAIN", "ROUG"),
    ("IINST", "007"),
    power="01610",
)
THREE_PHASE: tuple[Fields, ...] = (
    ("ADCO", ADDRESS),
    ("OPTARIF", "BASE"),
    ("ISOUSC", "20"),
    ("BASE", "012345678"),
    ("PTEC", "TH.."),
    ("IINST1", "003"),
    ("IINST2", "001"),
    ("IINST3", "000"),
    ("IMAX1", "060"),
    ("IMAX2", "060"),
    ("IMAX3", "060"),
    ("PMAX", "05310"),
    ("PAPP", "00910"),
    ("HHPHC", "A"),
    ("MOTDETAT", "000000"),
    ("PPOT", "00"),
)
SHORT: tuple[Fields, ...] = (
    ("ADIR2", "024"),
    ("ADCO", ADDRESS),
    ("IINST1", "003"),
    ("IINST2", "024"),
    ("IINST3", "000"),
)

NOON, MIDNIGHT = "E250715120000", "E250715000000"
DAY_SCHEDULE = " ".join(["00008001", "06300002", "22304001"] + ["NONUTILE"] * 8)
PRODUCER: tuple[Fields, ...] = (
    ("ADSC", ADDRESS),
    ("VTIC", "02"),
    ("DATE", NOON, ""),
    ("NGTF", "H PLEINE/CREUSE "),
    ("LTARF", "  HEURE PLEINE  "),
    ("EAST", "012345678"),
    ("EASF01", "007654321"),
    ("EASF02", "004691357"),
    *((f"EASF{n:02}", "000000000") for n in range(3, 11)),
    ("EASD01", "007654321"),
    ("EASD02", "004691357"),
    ("EASD03", "000000000"),
    ("EASD04", "000000000"),
    ("EAIT", "001234567"),
    ("ERQ1", "000012345"),
    ("ERQ2", "000001234"),
    ("ERQ3", "000000123"),
    ("ERQ4", "000123456"),
    ("IRMS1", "004"),
    ("URMS1", "236"),
    ("PREF", "09"),
    ("PCOUP", "09"),
    ("SINSTS", "00000"),
    ("SMAXSN", "E250715073112", "04321"),
    ("SMAXSN-1", "E250714193001", "05210"),
    ("SINSTI", "00944"),
    ("SMAXIN", "E250715115801", "01203"),
    ("SMAXIN-1", "E250714133302", "02101"),
    ("CCASN", NOON, "00000"),
    ("CCASN-1", "E250715113000", "00120"),
    ("CCAIN", NOON, "00870"),
    ("CCAIN-1", "E250715113000", "00702"),
    ("UMOY1", NOON, "237"),
    ("STGE", "003A4701"),
    ("MSG1", "PAS DE          MESSAGE         "),
    ("PRM", "01234567890123"),
    ("RELAIS", "000"),
    ("NTARF", "02"),
    ("NJOURF", "00"),
    ("NJOURF+1", "00"),
    ("PJOURF+1", DAY_SCHEDULE),
)
_OF_A_CONSUMER = {"SINSTS": "00690", "STGE": "003A4401"}
CONSUMER: tuple[Fields, ...] = tuple(
    (fields[0], _OF_A_CONSUMER[fields[0]]) if fields[0] in _OF_A_CONSUMER else fields
    for fields in PRODUCER
    if not CATALOGUE[STANDARD][fields[0]].producer
)

FRAMES: dict[str, tuple[Mode, Sequence[Fields]]] = {
    "base": (HISTORIQUE, BASE),
    "off-peak": (HISTORIQUE, OFF_PEAK),
    "EJP": (HISTORIQUE, EJP),
    "tempo": (HISTORIQUE, TEMPO),
    "three phases": (HISTORIQUE, THREE_PHASE),
    "short": (HISTORIQUE, SHORT),
    "producer": (STANDARD, PRODUCER),
    "consumer": (STANDARD, CONSUMER),
}


def group_bytes(mode: Mode, *fields: str) -> bytes:
    """Return the bytes of a group from its label, its horodate if it has one, and its data."""
    name, *horodate, data = fields
    return encode(name, data, mode, *horodate)


def frame_bytes(mode: Mode, groups: Iterable[Sequence[str]], **changes: str | None) -> bytes:
    """Return the bytes of a frame, with the data of some labels changed or, by None, left out."""
    content = b""
    for name, *rest in groups:
        data = changes.get(name, rest[-1])
        if data is not None:
            content += group_bytes(mode, name, *rest[:-1], data)
    return b"\x02" + content + b"\x03"


def frame(mode: Mode, groups: Iterable[Sequence[str]], **changes: str | None) -> Frame:
    """Return a frame that came without a fault."""
    decoder = Decoder(mode)
    (decoded,) = decoder.feed(frame_bytes(mode, groups, **changes))
    assert decoded.correct
    return decoded


def group(mode: Mode, *fields: str) -> Group:
    parsed = parse(group_bytes(mode, *fields).strip(LF + CR), mode)
    assert isinstance(parsed, Group), parsed
    return parsed


_TIMES = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001  hypothesis wants it so
    max_value=datetime(2099, 12, 31),  # noqa: DTZ001
)


@st.composite
def groups_of(draw: st.DrawFn, label: Label) -> Group:
    if label.chars is Chars.SCHEDULE:
        data = DAY_SCHEDULE
    else:
        letter = st.sampled_from(label.chars.value.decode())
        data = draw(st.text(letter, min_size=label.length, max_size=label.length))
    if not label.horodated:
        return group(label.mode, label.name, data)
    when = draw(_TIMES)
    season = draw(st.sampled_from("HEhe "))
    return group(label.mode, label.name, f"{season}{when:%y%m%d%H%M%S}", data)


@st.composite
def group_lists(draw: st.DrawFn, mode: Mode) -> list[Group]:
    """Return the groups of any valid frame."""
    labels = draw(
        st.lists(st.sampled_from(list(CATALOGUE[mode].values())), min_size=1, unique=True)
    )
    return [draw(groups_of(label)) for label in labels]


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Return bytes that are partly those of frames, partly noise."""
    mode = draw(st.sampled_from(Mode))
    whole = draw(st.lists(group_lists(mode).map(encode_frame), max_size=3))
    noise = st.one_of(
        st.binary(max_size=40),
        st.integers(0, 400).map(bytes),
        st.text("\x02\x03\x04\n\r\t AZ09\0", max_size=40).map(str.encode),
    )
    pieces = []
    for content in whole:
        cut = draw(st.integers(0, len(content)))
        pieces += [content[:cut], draw(noise), content[cut:]]
    return b"".join(pieces) + draw(noise)


@st.composite
def chunkings(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """Return the same bytes in pieces."""
    cuts = sorted(draw(st.sets(st.integers(0, len(data)), max_size=8)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
