"""What the command `tic` shows to people."""

from io import StringIO
from string import Formatter

import pytest
from rich.console import Console

from consometers_tic import Counters, Decoder
from consometers_tic_command.screen import Screen
from consometers_tic_command.show import shown
from consometers_tic_command.trouble import NOISE_AFTER_S, Trouble
from consometers_tic_command.words import _WORDS, Language, say
from packages.tic.tests.samples import (
    ADDRESS,
    HISTORIQUE,
    PRODUCER,
    SHORT,
    STANDARD,
    TEMPO,
    frame_bytes,
    group,
)

ENGLISH, FRENCH = Language.ENGLISH, Language.FRENCH


def screen(data: bytes, language: Language = ENGLISH, *, live: bool = False) -> str:
    console = Console(record=True, width=140, force_terminal=live, file=StringIO())
    view = Screen(console, language, live=live, baud=lambda: 9600 if live else None)
    decoder = Decoder()
    view.show(decoder.feed(data), decoder.counters)
    view.show(decoder.close(), decoder.counters)
    view.end(decoder.counters)
    return console.export_text()


def test_every_label_is_shown_with_its_value_and_meaning() -> None:
    text = screen(frame_bytes(STANDARD, PRODUCER))
    for name, *_ in PRODUCER:
        assert name in text
    assert "12,345,678 Wh" in text
    assert "energy drawn, total" in text
    assert "4,321 VA  (2025-07-15 07:31:12)" in text
    assert "003A4701, contact open, producer, injecting" in text
    assert "three-phase · standard" in text


def test_the_screen_speaks_french() -> None:
    text = screen(frame_bytes(HISTORIQUE, TEMPO), FRENCH)
    assert "10\u202f000\u202f001 Wh" in text
    assert "énergie soutirée, heures creuses des jours bleus" in text
    assert "triphasé · historique" in text
    assert "refusés : aucun" in text


@pytest.mark.parametrize(
    "data",
    [frame_bytes(STANDARD, PRODUCER), frame_bytes(HISTORIQUE, SHORT)],
    ids=["standard", "historique"],
)
def test_address_and_delivery_point_are_hidden_but_for_their_end(data: bytes) -> None:
    text = screen(data)
    assert f"…{ADDRESS[-4:]}" in text
    assert ADDRESS[-5:] not in text
    assert "90123" not in text


def test_the_screen_shows_the_quality_of_the_link() -> None:
    good, bad = frame_bytes(HISTORIQUE, TEMPO), frame_bytes(HISTORIQUE, TEMPO, PAPP="01610")
    text = screen(good + bad.replace(b"01610", b"01611"))
    assert "2 frames, 1 of them correct · 31 groups · 0 resyncs" in text
    assert "refused: 1 checksum" in text
    assert "link" not in text


def test_a_live_table_shows_ages_speed_and_the_lamp() -> None:
    text = screen(frame_bytes(HISTORIQUE, TEMPO), live=True)
    assert "9600 baud" in text
    assert "age" in text
    assert "link good" in text
    assert "link bad" in screen(b"", live=True)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (("RELAIS", "140"), "3, 4, 8"),
        (("RELAIS", "000"), "none"),
        (("STGE", "003A0003"), "003A0003, contact open, breaker open"),
        (("DATE", "e250715120000", ""), "e250715120000"),
        (
            ("PJOURF+1", " ".join(["00008001", "0630000F", *["NONUTILE"] * 9])),
            "00:00 → 1  06:30 → =",
        ),
        (("PJOURF+1", " ".join(["NONUTILE"] * 11)), "none"),
    ],
    ids=lambda fields: str(fields)[:20],
)
def test_values_are_formatted_for_people(fields: tuple[str, ...], text: str) -> None:
    assert shown(group(STANDARD, *fields), ENGLISH) == text


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, ENGLISH),
        ({"LANG": "fr_FR.UTF-8"}, FRENCH),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "C"}, ENGLISH),
        ({"LANG": "C", "LC_ALL": "", "LC_MESSAGES": "fr_CA"}, FRENCH),
    ],
)
def test_the_locale_chooses_the_language(environment: dict[str, str], language: Language) -> None:
    assert Language.of(environment) is language


def test_both_languages_have_the_same_placeholders() -> None:
    for english, french in _WORDS.values():
        facts = [{name for _, name, *_ in Formatter().parse(text)} for text in (english, french)]
        assert facts[0] == facts[1]
    assert say("port_busy", FRENCH, source="/dev/ttyUSB0").startswith("Un autre programme")


def test_troubles_are_reported_after_a_delay() -> None:
    trouble = Trouble(0.0)
    heard: list[tuple[Counters, float, str | None]] = [
        (Counters(), 9.0, None),
        (Counters(), 10.0, "nothing"),
        (Counters(bytes=100), NOISE_AFTER_S, "noise"),
        (Counters(bytes=200, groups=9), 13.0, None),
        (Counters(bytes=300, groups=9), 23.0, "silent"),
    ]
    for counters, now, key in heard:
        trouble.update(counters, now)
        assert trouble.key == key
