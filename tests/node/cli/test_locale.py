"""The language of the person, what Typer says in it, times as typed."""

from collections.abc import Mapping
from datetime import UTC, datetime
import inspect
from pathlib import Path
import time
from typing import get_args

import pytest

from consometers_node import cli
from consometers_node.cli.app import COMMANDS
from consometers_node.cli.core import times
from consometers_node.cli.core.errors import CliError
from consometers_node.cli.core.locale import language
from consometers_node.cli.core.options import Reach
from consometers_node.cli.core.output import Output, clean
from consometers_node.cli.core.usage import in_french
from consometers_node.i18n.text import Text
from consometers_quoalise_network import Security

NOW = datetime(2026, 7, 1, 12, 0, 0, 5, tzinfo=UTC)


@pytest.fixture
def in_paris(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "fr-FR"),
        ({"LANG": "fr"}, "fr"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8", "LC_MESSAGES": "de_DE@euro"}, "de-DE"),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "POSIX"}, "en"),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": ""}, "fr-FR"),
    ],
)
def test_the_environment_chooses_the_language(
    environment: Mapping[str, str], expected: str
) -> None:
    assert language(environment) == expected


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("Missing argument 'JID'.", "Il manque JID."),
        (
            "No such option: --jsn (Possible options: --json)",
            "Option inconnue : --jsn. Vouliez-vous dire --json ?",
        ),
        ("Got unexpected extra argument(s) (b c)", "Arguments en trop : b c."),
        ("Option '--as' requires an argument.", "Il manque la valeur de --as."),
        (
            "Invalid value for '--port': 'x' is not a valid int range.",
            "--port : « x » n’est pas un nombre entier.",
        ),
        ("Something new.", "Something new."),
    ],
)
def test_known_messages_of_typer_are_translated(english: str, french: str) -> None:
    assert in_french(english) == french


@pytest.mark.parametrize(
    ("asked", "printed"),
    [
        ("fr-CA", "«\u202fa\u202f»\u00a0: b\u202f; c\u202f!"),
        ("en", "“a”: b; c!"),
    ],
)
def test_sentences_get_typographic_spaces_but_values_do_not(
    monkeypatch: pytest.MonkeyPatch, asked: str, printed: str
) -> None:
    monkeypatch.setenv("LC_ALL", asked)
    words = Text({"en": "“a”: b; {what}!", "fr": "« a » : b ; {what} !"})
    assert clean(Output().translated(words, what="c")) == printed
    assert (
        clean(Output().translated(Text({"en": "{what}", "fr": "{what}"}), what="a ; b\x1b"))
        == "a ; b·"
    )


def test_every_command_has_a_module_and_a_summary_in_both_languages() -> None:
    folder = Path(inspect.getfile(cli)).parent
    for entry in COMMANDS.values():
        assert folder.joinpath(*entry.module.split(".")).with_suffix(".py").exists()
        assert set(entry.summary.by_language) == {"en", "fr"}


def test_the_security_option_has_every_choice() -> None:
    hint = inspect.signature(Reach, eval_str=True).parameters["security"].annotation
    assert set(get_args(get_args(hint)[0])) == {security.value for security in Security}


@pytest.mark.usefixtures("in_paris")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2026-01-31", "2026-01-31T00:00:00+01:00"),
        ("2026-07-31T18:00", "2026-07-31T18:00:00+02:00"),
        ("2026-01-31T18:00:00Z", "2026-01-31T18:00:00+00:00"),
        ("2026-01-31T18:00-05:00", "2026-01-31T18:00:00-05:00"),
    ],
)
def test_a_time_without_an_offset_is_local(typed: str, expected: str) -> None:
    assert times.moment(typed, "--start").isoformat() == expected


@pytest.mark.parametrize("typed", ["yesterday", "", "1970-01-01T00:00Z", "2026-02-30"])
def test_invalid_times_are_usage_errors(typed: str) -> None:
    with pytest.raises(CliError, match="--start") as refused:
        times.moment(typed, "--start")
    assert refused.value.status == 2


@pytest.mark.usefixtures("in_paris")
def test_the_repeated_hour_shows_its_offset() -> None:
    first, second = 1792886400 - 3600, 1792886400
    assert times.local(second).endswith("+01:00") or times.local(first).endswith("+02:00")
    assert times.local(first) != times.local(second)


def test_control_characters_are_replaced() -> None:
    assert clean("\x1b[31mred\x07\n\tend") == "·[31mred·\n\tend"
