"""Which readings of a meter are accepted, and how soon."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from consometers_tic import (
    CATALOGUE,
    Frame,
    Meter,
    Mode,
    Reason,
    Rejected,
    Value,
    energy_drawn_wh,
)
from consometers_tic.meter import FRAMES_TO_FORGET, registers_of_contract
from packages.tic.tests.samples import (
    ADDRESS,
    BASE,
    CONSUMER,
    EJP,
    FRAMES,
    HISTORIQUE,
    OFF_PEAK,
    OTHER_ADDRESS,
    PRODUCER,
    SHORT,
    STANDARD,
    TEMPO,
    THREE_PHASE,
    Fields,
    frame,
)


def values_of(name: str, frames: Iterable[Frame]) -> list[Value]:
    """Return what is believed of a label after each of these frames, one a second."""
    meter = Meter()
    values = []
    for second, each in enumerate(frames):
        meter.update(each, float(second))
        reading = meter.readings.get(name)
        values.append(None if reading is None else reading.group.value)
    return values


def base(index: int | str) -> Frame:
    return frame(HISTORIQUE, BASE, BASE=f"{index:>09}")


def after(*frames: Frame) -> Meter:
    meter = Meter()
    for second, each in enumerate(frames):
        meter.update(each, float(second))
    return meter


@pytest.mark.parametrize("name", FRAMES)
def test_a_repeated_frame_is_believed_whole(name: str) -> None:
    mode, groups = FRAMES[name]
    meter = after(*[frame(mode, groups)] * 3)
    assert meter.readings.keys() == {fields[0] for fields in groups}
    assert (meter.mode, meter.address) == (mode, ADDRESS)


@pytest.mark.parametrize(
    ("name", "sent", "plausible"),
    [
        pytest.param(
            "ISOUSC", (30, 30, 90, 30, 45, 45), (None, 30, 30, 30, 30, 45), id="at the second time"
        ),
        pytest.param(
            "ISOUSC", (30, 30, 90, 30, 90, 30), (None, *[30] * 5), id="two errors not in a row"
        ),
        pytest.param(
            "PAPP",
            (690, 700, 710, 99990, 720, 730, 0, 740),
            (None, None, 700, 710, 720, 730, 720, 730),
            id="a measure is the median of three",
        ),
        pytest.param(
            "BASE", (10, 11, 12, 13, 13), (None, None, 11, 12, 13), id="a register a frame later"
        ),
        pytest.param(
            "BASE",
            (500, 500, 500, 2, 2, 2, 3),
            (None, None, 500, 500, 500, 2, 2),
            id="a register that really went backwards",
        ),
    ],
)
def test_a_repeated_value_is_accepted(
    name: str, sent: tuple[int, ...], plausible: tuple[int | None, ...]
) -> None:
    length = CATALOGUE[HISTORIQUE][name].length
    frames = [frame(HISTORIQUE, BASE, **{name: f"{each:0{length}}"}) for each in sent]
    assert values_of(name, frames) == list(plausible)


@pytest.mark.parametrize("error", [900_000_012, 112, 21, 3, 0, 11])
def test_a_register_never_follows_one_corrupt_reading(error: int) -> None:
    indexes = [12, 12, 12, error, 12, 12, 13]
    plausible = values_of("BASE", map(base, indexes))
    assert plausible[2:] == [12] * 5


@pytest.mark.parametrize("error", [900_000_012, 3, 21])
def test_a_corrupt_reading_is_not_believed_even_at_the_start(error: int) -> None:
    plausible = values_of("BASE", map(base, [error, 12, 12, 12, 13]))
    assert error not in plausible
    assert plausible[-1] == 12


@pytest.mark.parametrize("error", [900_000_012, 21])
def test_a_reading_that_no_other_follows_is_none_of_the_three_to_begin_with(error: int) -> None:
    assert values_of("BASE", map(base, [error, 12, 12, 12])) == [None, None, None, 12]


def test_a_register_goes_on_at_the_second_reading_after_an_error() -> None:
    plausible = values_of("BASE", map(base, [12, 12, 12, 900_000_012, 13, 14, 15]))
    assert plausible == [None, None, 12, 12, 12, 13, 14]
    again = after(*map(base, [12, 12, 12, 900_000_012, 12, 12]))
    assert again.readings["BASE"].at == 4.0


@pytest.mark.parametrize(
    ("seconds", "wh", "follows"),
    [(1, 20, True), (1, 21, False), (3600, 70_001, True), (3600, 70_002, False)],
)
def test_a_register_counts_as_much_as_a_meter_can(seconds: int, wh: int, follows: bool) -> None:
    """70 kW, and the watt-hour that had begun."""
    meter = after(*map(base, [1000, 1000, 1000]))
    changed = meter.update(base(1000 + wh), 2.0 + seconds)
    assert ("BASE" in changed) is follows
    assert meter.readings["BASE"].number == 1000


def test_a_register_that_rose_during_a_silence_is_followed() -> None:
    meter = after(*map(base, [1000, 1000, 1000]))
    meter.update(base(6000), 3600.0)
    meter.update(base(6001), 3601.0)
    assert meter.readings["BASE"].number == 6000
    assert meter.readings["BASE"].at == 3600.0


def test_a_reading_counts_as_changed_when_it_is_new() -> None:
    meter = after(*[base(10)] * 3)
    assert meter.update(base(10), 3.0) == {"BASE", "IINST", "PAPP"}
    assert meter.update(frame(HISTORIQUE, BASE, BASE=None, ISOUSC="45"), 4.0) == {"IINST", "PAPP"}
    assert meter.update(frame(HISTORIQUE, BASE, BASE=None, ISOUSC="45"), 5.0) == {
        *("IINST", "PAPP", "ISOUSC"),
    }


def dated(*dates: str) -> list[Frame]:
    return [frame(STANDARD, [("ADSC", ADDRESS), ("DATE", date, "")]) for date in dates]


def test_the_clock_is_believed_while_it_advances_steadily() -> None:
    frames = dated(
        "E250715120000", "E250715120001", "E250715120902", "E250715120003", "E250715120004"
    )
    sent = [each.groups["DATE"].value for each in frames]
    assert values_of("DATE", frames) == [None, sent[1], sent[1], sent[1], sent[4]]


@pytest.mark.parametrize(
    ("dates", "plausible"),
    [
        pytest.param(("e250715120002", "e250715120003"), "e250715120003", id="a degraded clock"),
        pytest.param(
            ("E250715920002", "E259915120003", "E250715120004"),
            "E250715120001",
            id="two invalid dates",
        ),
        pytest.param(("E250715130002", "E250715130003"), "E250715130003", id="a corrected clock"),
        pytest.param(("e250715120002",), "E250715120001", id="a single degraded date"),
        pytest.param(("E250715120007",), "E250715120007", id="five seconds too late"),
        pytest.param(("E250715120008",), "E250715120001", id="six seconds too late"),
    ],
)
def test_a_clock_that_repeats_itself_is_followed(dates: tuple[str, ...], plausible: str) -> None:
    date = after(*dated("E250715120000", "E250715120001", *dates)).readings["DATE"].group
    assert date.raw_horodate == plausible
    assert (date.value is None) is plausible.startswith("e")


def test_the_clock_is_believed_after_a_silence_and_each_time_it_is_read() -> None:
    first, second, later = dated("E250715120000", "E250715120001", "E250715120101")
    meter = after(first, second)
    assert meter.update(later, 61.0) == {"DATE"}
    assert meter.update(later, 62.0) == {"DATE"}


def swapped(mode: Mode, groups: Sequence[Sequence[str]]) -> Frame:
    name = groups[0][0]
    return frame(mode, groups, **{name: OTHER_ADDRESS})


def test_another_meter_resets_the_state_after_three_readings() -> None:
    meter = after(*[frame(STANDARD, PRODUCER)] * 3)
    other = frame(STANDARD, CONSUMER, ADSC=OTHER_ADDRESS, EAST="000000007")
    for second in (3.0, 4.0):
        meter.update(other, second)
        assert meter.address == ADDRESS
        assert meter.readings["EAST"].number != 7
    assert "EAIT" in meter.update(other, 5.0)
    assert meter.address == OTHER_ADDRESS
    assert "EAIT" not in meter.readings
    assert meter.readings["EAST"].number == 7


def test_what_another_meter_does_not_send_is_gone_at_once() -> None:
    """Labels that are missing from short frames are not forgotten otherwise."""
    meter = after(*[frame(STANDARD, PRODUCER)] * 3)
    other = frame(STANDARD, [("ADSC", OTHER_ADDRESS), ("EAST", "000000007")])
    meter.update(other, 3.0)
    meter.update(other, 4.0)
    assert {"EAST", "EAIT"} <= meter.update(other, 5.0)
    assert meter.readings.keys() == {"ADSC", "EAST"}


def test_a_corrupt_address_does_not_reset_the_state() -> None:
    meter = after(*[base(10)] * 3)
    meter.update(swapped(HISTORIQUE, BASE), 3.0)
    meter.update(base(10), 4.0)
    meter.update(swapped(HISTORIQUE, BASE), 5.0)
    assert meter.address == ADDRESS
    assert meter.readings["BASE"].number == 10


OF_OTHER_HOURS = dict.fromkeys(("BBRHPJB", "BBRHCJW", "BBRHPJW", "BBRHCJR", "BBRHPJR"), "000000002")
SWITCHES: list[tuple[Sequence[Fields], dict[str, str]]] = [
    (BASE, {"BASE": "012345678"}),
    (OFF_PEAK, {"HCHC": "007654321", "HCHP": "004691357"}),
    (EJP, {"EJPHN": "012000000", "EJPHPM": "000345678"}),
    (TEMPO, {"BBRHCJB": "012345668", **OF_OTHER_HOURS}),
]


@pytest.mark.parametrize(("groups", "indexes"), SWITCHES, ids=["base", "off-peak", "EJP", "tempo"])
def test_the_energy_drawn_continues_when_the_mode_is_switched(
    groups: Sequence[Sequence[str]], indexes: dict[str, str]
) -> None:
    historique = frame(HISTORIQUE, groups, **indexes)
    standard = frame(STANDARD, CONSUMER, EAST="012345678")
    meter = after(*[historique] * 3)
    assert energy_drawn_wh(meter.readings) == 12_345_678
    for second in range(3, 7):
        meter.update(standard, float(second))
    assert meter.mode is STANDARD
    assert meter.address == ADDRESS
    assert not meter.readings.keys() & CATALOGUE[HISTORIQUE].keys()
    assert energy_drawn_wh(meter.readings) == 12_345_678


def test_a_contract_that_is_not_known_has_no_registers() -> None:
    meter = after(*[frame(HISTORIQUE, BASE, OPTARIF="XYZ.")] * 3)
    assert registers_of_contract(meter.readings) == ()
    assert energy_drawn_wh(meter.readings) is None


def test_a_meter_that_was_not_heard_has_neither_mode_nor_address() -> None:
    assert (Meter().mode, Meter().address) == (None, None)


def test_the_energy_drawn_is_unknown_until_all_its_registers_are() -> None:
    assert energy_drawn_wh({}) is None
    meter = after(*[frame(HISTORIQUE, OFF_PEAK, HCHP=None)] * 3)
    assert energy_drawn_wh(meter.readings) is None
    meter = after(*[frame(HISTORIQUE, BASE, OPTARIF=None)] * 3)
    assert energy_drawn_wh(meter.readings) is None


OVERRUN = frame(HISTORIQUE, (*BASE[:6], ("ADPS", "034"), *BASE[6:]))
NOTICE = (*PRODUCER, ("DPM1", " 260115060000", "00"), ("FPM1", " 260116060000", "00"))
STRANGE = (Rejected("GAZ 0000000 A", Reason.UNKNOWN_LABEL),)
NO_PAPP = frame(HISTORIQUE, BASE, PAPP=None)


@pytest.mark.parametrize(
    ("before", "then", "labels", "is_forgotten"),
    [
        (OVERRUN, base("012345678"), {"ADPS"}, True),
        (OVERRUN, replace(base("012345678"), rejected=STRANGE), {"ADPS"}, True),
        (frame(STANDARD, NOTICE), frame(STANDARD, PRODUCER), {"DPM1", "FPM1"}, True),
        (base(10), replace(NO_PAPP, complete=False), {"PAPP"}, False),
    ],
    ids=["an overrun", "an unknown label beside", "the notice of a peak", "cut frames"],
)
def test_labels_missing_from_three_whole_frames_are_forgotten(
    before: Frame, then: Frame, labels: set[str], is_forgotten: bool
) -> None:
    meter = after(*[before] * 3)
    assert labels <= meter.readings.keys()
    seconds = range(3, 3 + FRAMES_TO_FORGET)
    changes = [labels <= meter.update(then, float(second)) for second in seconds]
    assert changes == [False, False, is_forgotten]
    assert labels.isdisjoint(meter.readings) is is_forgotten


def test_short_frames_forget_no_value() -> None:
    long, short = frame(HISTORIQUE, THREE_PHASE), frame(HISTORIQUE, SHORT)
    meter = after(*[long] * 3, *[*[short] * 20, long] * 5, *[short] * 20)
    assert meter.readings.keys() == {fields[0] for fields in (*THREE_PHASE, *SHORT)}
    assert meter.readings["IINST2"].number == 24
    for second in range(200, 203):
        meter.update(long, float(second))
    assert "ADIR2" not in meter.readings


def test_frames_with_the_address_alone_change_no_other_value() -> None:
    alone = frame(HISTORIQUE, BASE[:1])
    meter = after(*[alone] * 2)
    assert meter.address == ADDRESS
    assert meter.readings.keys() == {"ADCO"}
    meter = after(*[base(10)] * 3, *[alone] * 10)
    assert meter.readings["BASE"].number == 10


def test_a_message_sent_once_is_believed_and_stays() -> None:
    message = frame(STANDARD, (*PRODUCER, ("MSG2", "BONJOUR         ")))
    meter = after(*[frame(STANDARD, PRODUCER)] * 3, message)
    assert meter.readings["MSG2"].group.value == "BONJOUR"
    for second in range(4, 14):
        meter.update(frame(STANDARD, PRODUCER), float(second))
    assert "MSG2" in meter.readings


def test_an_old_single_reading_confirms_nothing() -> None:
    meter = after(frame(HISTORIQUE, (*BASE, ("PEJP", "30"))), *[base(10)] * 4)
    meter.update(frame(HISTORIQUE, (*BASE, ("PEJP", "30"))), 5.0)
    assert "PEJP" not in meter.readings


def test_labels_of_pilot_meters_have_the_standard_names() -> None:
    pilot = [
        (fields[0].replace("SINSTS", "SINST1").replace("SMAXSN", "SMAXN"), *fields[1:])
        for fields in CONSUMER
    ]
    meter = after(*[frame(STANDARD, pilot)] * 3)
    assert meter.readings.keys() == {fields[0] for fields in CONSUMER}
    assert meter.readings["SINSTS"].group.label.name == "SINST1"


def test_pending_values_are_bounded() -> None:
    meter = Meter()
    for second in range(200):
        mode, groups = list(FRAMES.values())[second // 7 % len(FRAMES)]
        meter.update(frame(mode, groups), float(second))
    assert max(map(len, meter._pending.values())) <= 3


def test_a_text_has_no_number() -> None:
    meter = after(*[base(10)] * 3)
    with pytest.raises(TypeError, match="PTEC is no number"):
        _ = meter.readings["PTEC"].number


def maxima(*sent: tuple[str, int]) -> list[Frame]:
    """Return a frame for each of these times and powers."""
    return [
        frame(STANDARD, [("ADSC", ADDRESS), ("SMAXIN", time, f"{power:05}")])
        for time, power in sent
    ]


def test_a_maximum_that_grows_in_every_frame_is_believed_one_frame_late() -> None:
    growing = maxima(*((f"E2507151300{n:02}", 1400 + n // 2) for n in range(6)))
    assert values_of("SMAXIN", growing) == [None, None, 1400, 1401, 1401, 1402]


@pytest.mark.parametrize(
    ("sent", "plausible"),
    [
        ((("e250715130000", 1), ("e250715130001", 2), ("e250715130002", 3)), 2),
        ((("E250715130000", 1), ("e250715130001", 2), ("e250715130002", 3)), None),
        ((("e250715130000", 1), ("E250715130001", 2), ("E250715130002", 3)), None),
        ((("E250715130000", 3), ("E250715130001", 2), ("E250715130002", 1)), None),
        ((("E250715130000", 1), ("E250715130000", 2), ("E250715130000", 3)), None),
    ],
    ids=["a degraded clock", "it degrades", "it is set", "it falls", "at the same time"],
)
def test_a_maximum_grows_in_time(sent: tuple[tuple[str, int], ...], plausible: int | None) -> None:
    assert values_of("SMAXIN", maxima(*sent))[-1] == plausible


def test_what_is_read_twice_the_same_was_read_at_the_second_time() -> None:
    meter = after(*[base(10)] * 2)
    assert meter.readings["ISOUSC"].at == 1.0
    times = ("E250715130000", 1), ("E250715130001", 2), ("E250715130002", 3)
    meter = after(*maxima(*times, times[-1]))
    assert (meter.readings["SMAXIN"].number, meter.readings["SMAXIN"].at) == (3, 3.0)
    (again,) = maxima(times[-1])
    assert "SMAXIN" not in meter.update(again, 4.0)
    assert meter.readings["SMAXIN"].at == 3.0
