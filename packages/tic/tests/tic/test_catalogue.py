"""The catalogue: what must hold of its rows."""

import pytest

from consometers_tic import (
    ADDRESS_LABELS,
    CATALOGUE,
    Chars,
    Kind,
    Label,
    Mode,
)

LABELS = [label for mode in Mode for label in CATALOGUE[mode].values()]


def test_no_label_is_of_both_modes() -> None:
    assert not CATALOGUE[Mode.HISTORIQUE].keys() & CATALOGUE[Mode.STANDARD].keys()


@pytest.mark.parametrize("label", LABELS, ids=lambda label: label.name)
def test_a_row_is_sound(label: Label) -> None:
    assert label.name in CATALOGUE[label.mode]
    assert label.meaning
    assert label.meaning_fr
    assert not {" ", "\t"} & set(label.name)
    assert label.horodated is False or label.mode is Mode.STANDARD
    if label.kind in (Kind.REGISTER, Kind.MEASURE):
        assert label.chars is Chars.DIGITS
        assert label.unit is not None
        assert label.parse("0" * label.length) == 0
    if label.same_as is not None:
        twin = CATALOGUE[label.mode][label.same_as]
        assert (twin.kind, twin.unit, twin.length) == (label.kind, label.unit, label.length)


def test_every_label_of_the_documents_is_there() -> None:
    standard = """
    ADSC VTIC DATE NGTF LTARF EAST EASF01 EASF02 EASF03 EASF04 EASF05 EASF06 EASF07 EASF08 EASF09
    EASF10 EASD01 EASD02 EASD03 EASD04 EAIT ERQ1 ERQ2 ERQ3 ERQ4 IRMS1 IRMS2 IRMS3 URMS1 URMS2 URMS3
    PREF PCOUP SINSTS SINSTS1 SINSTS2 SINSTS3 SMAXSN SMAXSN1 SMAXSN2 SMAXSN3 SMAXSN-1 SMAXSN1-1
    SMAXSN2-1 SMAXSN3-1 SINSTI SMAXIN SMAXIN-1 CCASN CCASN-1 CCAIN CCAIN-1 UMOY1 UMOY2 UMOY3 STGE
    DPM1 FPM1 DPM2 FPM2 DPM3 FPM3 MSG1 MSG2 PRM RELAIS NTARF NJOURF NJOURF+1 PJOURF+1 PPOINTE
    """
    historique = """
    ADIR1 ADIR2 ADIR3 ADCO OPTARIF ISOUSC BASE HCHC HCHP EJPHN EJPHPM BBRHCJB BBRHPJB BBRHCJW
    BBRHPJW BBRHCJR BBRHPJR PEJP PTEC DEMAIN IINST IINST1 IINST2 IINST3 ADPS IMAX IMAX1 IMAX2 IMAX3
    PMAX PAPP HHPHC MOTDETAT PPOT
    """
    for mode, names in ((Mode.STANDARD, standard), (Mode.HISTORIQUE, historique)):
        ours = [name for name, label in CATALOGUE[mode].items() if label.same_as is None]
        assert ours == names.split()


def test_labels_of_three_phases_and_of_producers_are_marked() -> None:
    standard = CATALOGUE[Mode.STANDARD]
    assert {n for n, label in standard.items() if label.producer} == {
        *("EAIT", "ERQ1", "ERQ2", "ERQ3", "ERQ4", "SINSTI"),
        *("SMAXIN", "SMAXIN-1", "CCAIN", "CCAIN-1"),
    }
    assert not standard["IRMS1"].three_phase
    assert standard["IRMS2"].three_phase
    assert standard["SINSTS1"].three_phase
    assert {n for n, label in standard.items() if label.horodated} == {
        n for n in standard if n.startswith(("DATE", "SMAX", "CCA", "UMOY", "DPM", "FPM"))
    }


def test_personal_labels_are_marked() -> None:
    personal = {label.name for label in LABELS if label.personal}
    assert personal == {*ADDRESS_LABELS.values(), "PRM"}
