"""One tariff over both modes."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from consometers_tic import Colour, Frame, Meter, Peak, Tariff, tariff
from packages.tic.tests.samples import (
    BASE,
    CONSUMER,
    EJP,
    HISTORIQUE,
    OFF_PEAK,
    STANDARD,
    TEMPO,
    Fields,
    frame,
)


def plausible(sent: Frame) -> Tariff:
    meter = Meter()
    for second in range(3):
        meter.update(sent, float(second))
    return tariff(meter.readings)


def historique(groups: Sequence[Fields], **changes: str | None) -> Tariff:
    return plausible(frame(HISTORIQUE, groups, **changes))


def standard(status: str, *more: Fields, **changes: str) -> Tariff:
    return plausible(frame(STANDARD, (*CONSUMER, *more), STGE=status, **changes))


def test_the_tariff_of_no_readings_is_empty() -> None:
    assert tariff({}) == Tariff()


@pytest.mark.parametrize(
    ("groups", "period", "label", "register"),
    [
        (BASE, "TH..", "BASE", "BASE"),
        (OFF_PEAK, "HC..", "HEURE CREUSE", "HCHC"),
        (OFF_PEAK, "HP..", "HEURE PLEINE", "HCHP"),
        (EJP, "HN..", "HEURE NORMALE", "EJPHN"),
        (EJP, "PM..", "POINTE MOBILE", "EJPHPM"),
        (TEMPO, "HCJB", "HC BLEU", "BBRHCJB"),
        (TEMPO, "HPJB", "HP BLEU", "BBRHPJB"),
        (TEMPO, "HCJW", "HC BLANC", "BBRHCJW"),
        (TEMPO, "HPJW", "HP BLANC", "BBRHPJW"),
        (TEMPO, "HCJR", "HC ROUGE", "BBRHCJR"),
        (TEMPO, "HPJR", "HP ROUGE", "BBRHPJR"),
    ],
)
def test_a_period_has_a_name_and_counts_on_a_register(
    groups: Sequence[Fields], period: str, label: str, register: str
) -> None:
    now = historique(groups, PTEC=period)
    assert (now.label, now.register) == (label, register)


@pytest.mark.parametrize(
    ("groups", "option", "contract"),
    [
        (BASE, "BASE", "BASE"),
        (OFF_PEAK, "HC..", "HEURES CREUSES"),
        (EJP, "EJP.", "EJP"),
        *((TEMPO, f"BBR{circuits}", "TEMPO") for circuits in "( 0x~"),
        (BASE, "????", None),
    ],
)
def test_a_documented_option_is_a_contract(
    groups: Sequence[Fields], option: str, contract: str | None
) -> None:
    assert historique(groups, OPTARIF=option).contract == contract


def test_historique_mode_gives_the_colours_of_tempo() -> None:
    now = historique(TEMPO, PTEC="HPJW", DEMAIN="ROUG")
    assert (now.colour_today, now.colour_tomorrow) == (Colour.WHITE, Colour.RED)
    assert historique(TEMPO, DEMAIN="----").colour_tomorrow is None
    assert historique(TEMPO, PTEC="HCJB", DEMAIN="BLAN").colour_tomorrow is Colour.WHITE
    assert historique(OFF_PEAK).colour_today is None


def test_the_notice_of_an_ejp_peak_lasts_until_its_end() -> None:
    notice = (*EJP[:5], ("PEJP", "30"), *EJP[5:])
    quiet, announced = historique(EJP), historique(notice)
    now = historique(notice, PTEC="PM..")
    assert (quiet.peak_notice, quiet.peak_now) == (False, False)
    assert (announced.peak_notice, announced.peak_now) == (True, False)
    assert (now.peak_notice, now.peak_now) == (True, True)
    assert historique(TEMPO).peak_notice is None


def test_standard_mode_names_the_running_tariff() -> None:
    now = standard("003A4401", NGTF=" H PLEINE/CREUSE", LTARF="  HEURE  PLEINE ")
    assert now == Tariff(
        contract="H PLEINE/CREUSE",
        label="HEURE PLEINE",
        register="EASF02",
        peak_notice=False,
        peak_now=False,
    )
    blank = standard("003A4401", LTARF=" " * 16)
    assert blank.label is None


def test_standard_mode_without_a_calendar_still_knows_its_index() -> None:
    bare = [fields for fields in CONSUMER if fields[0] not in ("NGTF", "LTARF")]
    now = plausible(frame(STANDARD, bare, STGE="003A2401"))
    assert (now.contract, now.label, now.register) == (None, None, "EASF10")


def test_standard_mode_gives_the_colours() -> None:
    now = standard("0D3A0401")
    assert (now.colour_today, now.colour_tomorrow) == (Colour.BLUE, Colour.RED)


@pytest.mark.parametrize(
    ("status", "notice", "now"),
    [("003A0401", False, False), ("103A0401", True, False), ("403A0401", True, True)],
)
def test_standard_mode_announces_mobile_peaks(status: str, notice: bool, now: bool) -> None:
    read = standard(status)
    assert (read.peak_notice, read.peak_now) == (notice, now)


def test_announced_peaks_are_in_legal_time() -> None:
    peaks = standard(
        "103A0401",
        ("DPM1", " 260115060000", "00"),
        ("FPM1", " 260116010000", "00"),
        ("DPM3", " 260715060000", "00"),
    ).peaks
    assert peaks == (
        Peak(datetime(2026, 1, 15, 5, tzinfo=UTC), datetime(2026, 1, 16, 0, tzinfo=UTC)),
        Peak(datetime(2026, 7, 15, 4, tzinfo=UTC), None),
    )


def test_both_modes_agree_on_a_tempo_day() -> None:
    old = historique(TEMPO, PTEC="HPJR", DEMAIN="BLAN")
    new = standard("0B3A0401", NGTF="     TEMPO      ", LTARF="    HP  ROUGE   ")
    facts = [(t.contract, t.label, t.colour_today, t.colour_tomorrow) for t in (old, new)]
    assert facts[0] == facts[1] == ("TEMPO", "HP ROUGE", Colour.RED, Colour.WHITE)
