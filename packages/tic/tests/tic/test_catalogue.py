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
from packages.tic.tests.documented import DOCUMENTED

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


@pytest.mark.parametrize("mode", Mode)
def test_every_label_of_the_documents_is_there_in_its_order(mode: Mode) -> None:
    documented = DOCUMENTED[mode]
    assert [name for name in CATALOGUE[mode] if name in documented] == documented


def test_labels_of_three_phases_and_of_producers_are_marked() -> None:
    labels = [CATALOGUE[Mode.STANDARD][name] for name in DOCUMENTED[Mode.STANDARD]]
    assert {label.name for label in labels if label.producer} == {
        *("EAIT", "ERQ1", "ERQ2", "ERQ3", "ERQ4", "SINSTI"),
        *("SMAXIN", "SMAXIN-1", "CCAIN", "CCAIN-1"),
    }
    three_phase = {label.name for label in labels if label.three_phase}
    assert "IRMS1" not in three_phase
    assert three_phase >= {"IRMS2", "SINSTS1"}
    assert {label.name for label in labels if label.horodated} == {
        label.name
        for label in labels
        if label.name.startswith(("DATE", "SMAX", "CCA", "UMOY", "DPM", "FPM"))
    }


def test_personal_labels_are_marked() -> None:
    personal = {
        name
        for mode, names in DOCUMENTED.items()
        for name in names
        if CATALOGUE[mode][name].personal
    }
    assert personal == {*ADDRESS_LABELS.values(), "PRM"}
