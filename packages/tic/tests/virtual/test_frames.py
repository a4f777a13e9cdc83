"""Frames of every kind are what a Linky sends: right labels, right order, right sums."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, product

from hypothesis import given, settings, strategies as st
import pytest

from consometers_tic import CATALOGUE, PARIS, Colour, Mode, Status
from consometers_tic_virtual import Linky, Option
from consometers_tic_virtual.calendar import Calendar
from packages.tic.tests.documented import DOCUMENTED
from packages.tic.tests.meters import NIGHT, NOON, ORIGIN, decoded, linky, number_of, raws, unix

KINDS = list(product(Mode, Option, (1, 3), (False, True)))


def status(meter: Linky, at: datetime) -> Status:
    (group,) = (group for group in meter.frame(unix(at)) if group.label.name == "STGE")
    assert isinstance(group.value, Status)
    return group.value


@pytest.mark.parametrize(("mode", "option", "phases", "producer"), KINDS)
def test_every_frame_is_decoded_as_it_was_sent(
    mode: Mode, option: Option, phases: int, producer: bool
) -> None:
    meter = linky(mode, option, phases, producer=producer)
    order = list(CATALOGUE[mode])
    for hour in range(0, 24, 6):
        groups = meter.frame(unix(NOON + timedelta(hours=hour)))
        frame = decoded(groups)
        assert frame.correct
        assert list(frame.groups.values()) == list(groups)
        names = list(frame.groups)
        assert names == sorted(names, key=order.index)
        for label in (CATALOGUE[mode][name] for name in DOCUMENTED[mode]):
            if label.three_phase and phases == 1:
                assert label.name not in names
            if label.producer:
                assert (label.name in names) is producer


def test_a_standard_producer_sends_all_labels_but_those_of_peaks_and_messages() -> None:
    missing = {*DOCUMENTED[Mode.STANDARD]} - raws(linky(phases=3, producer=True), NOON).keys()
    peaks = {f"{kind}PM{n}" for kind in "DF" for n in (1, 2, 3)}
    assert missing == {*peaks, "MSG2", "PPOINTE"}


@pytest.mark.parametrize(
    ("option", "registers"),
    [
        (Option.BASE, ("BASE",)),
        (Option.HC, ("HCHC", "HCHP")),
        (Option.EJP, ("EJPHN", "EJPHPM")),
        (
            Option.TEMPO,
            ("BBRHCJB", "BBRHPJB", "BBRHCJW", "BBRHPJW", "BBRHCJR", "BBRHPJR"),
        ),
    ],
)
def test_both_modes_count_the_same(option: Option, registers: tuple[str, ...]) -> None:
    winter = datetime(2026, 1, 30, 9, tzinfo=UTC)
    origin = winter - timedelta(days=29)
    standard = raws(linky(Mode.STANDARD, option, origin=origin), winter)
    historique = raws(linky(Mode.HISTORIQUE, option, origin=origin), winter)
    for n, register in enumerate(registers, 1):
        assert historique[register] == standard[f"EASF{n:02}"]
        assert int(historique[register]) > 0
    assert historique["ADCO"] == standard["ADSC"]
    assert abs(int(historique["PAPP"]) - int(standard["SINSTS"])) <= 5


@pytest.mark.parametrize("option", Option)
def test_indexes_add_up_to_the_total_and_only_grow(option: Option) -> None:
    meter = linky(option=option, producer=True)
    frames = [raws(meter, NOON + timedelta(minutes=7 * n)) for n in range(206)]
    names = [name for name in frames[0] if name[:4] in ("EAST", "EASF", "EASD", "EAIT", "ERQ1")]
    for frame in frames:
        for index in ("EASF", "EASD"):
            parts = [int(raw) for name, raw in frame.items() if name.startswith(index)]
            assert sum(parts) == int(frame["EAST"])
    for earlier, later in pairwise(frames):
        assert all(earlier[name] <= later[name] for name in names)


@settings(max_examples=20)
@given(st.integers(0, 9 * 86_400), st.sampled_from((1, 3)))
def test_registers_count_the_shown_power(start: int, phases: int) -> None:
    meter = linky(phases=phases, producer=True)
    start += unix(ORIGIN)
    before, after = meter.registers(start), meter.registers(start + 600)
    net_wh = sum(sum(meter.load.by_phase_w(second)) for second in range(start, start + 600)) / 3600
    counted = (after.drawn_wh - before.drawn_wh) - (after.injected_wh - before.injected_wh)
    assert counted == pytest.approx(net_wh, abs=4)
    assert after.drawn_wh == meter.world.energy_at(start + 600).drawn_wh


def test_a_producer_at_noon_injects_and_at_night_draws() -> None:
    meter = linky(producer=True)
    assert number_of(meter, NOON, "SINSTS") == 0
    assert number_of(meter, NOON, "SINSTI") > 500
    assert status(meter, NOON).injecting
    assert status(meter, NOON).producer
    assert number_of(meter, NIGHT, "SINSTS") > 0
    assert number_of(meter, NIGHT, "SINSTI") == 0
    assert not status(meter, NIGHT).injecting


def test_a_consumer_that_injects_shows_a_current_without_power() -> None:
    meter = linky()
    assert number_of(meter, NOON, "SINSTS") == 0
    assert number_of(meter, NOON, "IRMS1") > 0
    assert status(meter, NOON).injecting
    assert not status(meter, NOON).producer
    assert "EAIT" not in raws(meter, NOON)


def test_the_status_register_agrees_with_the_frame() -> None:
    meter = linky(option=Option.HC, producer=True)
    for hour, index, contact_open in ((4, 1, False), (12, 2, True)):
        at = datetime(2026, 6, 10, hour, tzinfo=PARIS)
        register = status(meter, at)
        assert register.supplier_index == index == number_of(meter, at, "NTARF")
        assert register.contact_open is contact_open
        assert raws(meter, at)["RELAIS"] == ("000" if contact_open else "001")
        assert register.distributor_index == (4 if contact_open else 3)
        assert register.output is Mode.STANDARD
        assert not register.clock_degraded
        assert not register.over_reference_power
        assert register.colour_today is register.colour_tomorrow is None


def test_a_degraded_clock_writes_small_letters() -> None:
    meter = linky(producer=True)
    meter.clock_degraded = True
    assert status(meter, NOON).clock_degraded
    for group in meter.frame(unix(NOON)):
        if group.raw_horodate is not None:
            assert group.raw_horodate[0] == "e"
            assert group.time is None


def test_horodates_have_the_letter_of_the_season() -> None:
    doubled = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    meter = linky(origin=doubled - timedelta(days=1))
    stamps = []
    for hours in (0, 1):
        (date,) = (
            group
            for group in meter.frame(unix(doubled + timedelta(hours=hours)))
            if group.label.name == "DATE"
        )
        assert date.time == doubled + timedelta(hours=hours)
        stamps.append(date.raw_horodate)
    assert stamps == ["E261025023000", "H261025023000"]


def test_tempo_shows_its_colours_and_its_red_day_as_a_peak() -> None:
    calendar = Calendar(Option.TEMPO)
    first = datetime(2026, 1, 5, 12, tzinfo=PARIS)
    red = next(
        day
        for day in (first + timedelta(days=n) for n in range(80))
        if calendar.colour(day.date()) == "red"
        and calendar.colour((day - timedelta(days=1)).date()) == "blue"
    )
    origin = red - timedelta(days=3)
    meter = linky(option=Option.TEMPO, origin=origin)
    eve = red - timedelta(hours=15)
    assert status(meter, eve).colour_today == "blue"
    assert status(meter, eve).colour_tomorrow == "red"
    assert (status(meter, eve).peak_notice, status(meter, eve).peak_now) == (1, 0)
    frame = {group.label.name: group for group in meter.frame(unix(eve))}
    assert frame["LTARF"].value == "HP BLEU"
    assert frame["DPM1"].time == red.replace(hour=6)
    assert frame["FPM1"].time == red.replace(hour=6) + timedelta(days=1)
    assert frame["DPM1"].raw_horodate is not None
    assert frame["DPM1"].raw_horodate[0] == " "
    peak_day = frame["PPOINTE"].value
    assert isinstance(peak_day, tuple)
    assert [slot.index for slot in peak_day] == [5, 6, 5]
    assert status(meter, red).colour_today == "red"
    assert status(meter, red).peak_now == 1
    assert raws(meter, red)["NTARF"] == "06"
    assert "PPOINTE" not in raws(meter, red) or status(meter, red).peak_notice == 2

    meter.mode = Mode.HISTORIQUE
    assert raws(meter, eve)["PTEC"] == "HPJB"
    assert raws(meter, eve)["DEMAIN"] == "ROUG"
    assert raws(meter, red)["PTEC"] == "HPJR"


def test_a_winter_has_22_red_and_43_white_days() -> None:
    calendar = Calendar(Option.TEMPO)
    start = datetime(2025, 9, 1, tzinfo=PARIS)
    colours = [calendar.colour((start + timedelta(days=n)).date()) for n in range(365)]
    assert (colours.count(Colour.RED), colours.count(Colour.WHITE)) == (22, 43)


def test_ejp_gives_notice_of_its_peak_in_both_modes() -> None:
    meter = linky(Mode.HISTORIQUE, Option.EJP)
    assert "PEJP" not in raws(meter, NOON)
    peak = meter.calendar.announce(unix(NOON), 1200, 3600)
    start = datetime.fromtimestamp(peak.start, UTC)
    assert raws(meter, NOON)["PEJP"] == "30"
    assert raws(meter, NOON)["PTEC"] == "HN.."
    assert raws(meter, start)["PTEC"] == "PM.."
    assert "PEJP" in raws(meter, start)
    assert "PEJP" not in raws(meter, start + timedelta(hours=1))

    meter.mode = Mode.STANDARD
    assert status(meter, NOON).peak_notice == 1
    assert "PPOINTE" in raws(meter, NOON)
    assert status(meter, start).peak_now == 1
    assert raws(meter, start)["LTARF"].strip() == "POINTE MOBILE"
    assert "DPM1" not in raws(meter, start + timedelta(hours=1))


def test_no_invented_address_can_be_a_real_one() -> None:
    for phases in (1, 3):
        address = raws(linky(phases=phases), NOON)["ADSC"]
        # This type has been made since 2015.
        assert address[2:4] == "12"
        assert address[4:6] in ("61", "63")
