"""The command `quoalise` without a network: what is typed, words, files, exit status."""

from collections.abc import Callable, Iterator
import errno
import json
import os
from pathlib import Path
import re
import subprocess
import sys
from typing import Any

import pytest

from consometers_quoalise import (
    ErrorType,
    Malformed,
    NotAuthorized,
    OtherError,
    Problem,
    QuoaliseError,
    UpstreamError,
    answers,
)
from consometers_quoalise_command.__main__ import main
from consometers_quoalise_command.arguments import COMMANDS
from consometers_quoalise_command.errors import CommandError, refusals_of, unusable
from consometers_quoalise_command.output import clean, deliver, table
from consometers_quoalise_command.words import WORDS, Language, decimal, has, say
from consometers_quoalise_network import errors

URN = "urn:dev:prm:00000000000000_consumption/power/active/raw"
ME = ("--account", "me@example.org")
HISTORY = ("history", "home@example.org", URN, *ME)
PLAIN_SPACE = re.compile(r" [;:?!»%](?!\()|« ")

type Run = Callable[..., tuple[int | str | None, str, str]]


@pytest.fixture
def quoalise(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run it here: exit status, output, errors."""
    monkeypatch.delenv("PASSWORD", raising=False)

    def run(*arguments: str, locale: str = "C") -> tuple[int | str | None, str, str]:
        monkeypatch.setattr(sys, "argv", ["quoalise", *arguments])
        monkeypatch.setenv("LC_ALL", locale)
        try:
            status: int | str | None = main()
        except SystemExit as stop:
            status = stop.code
        return status, *capsys.readouterr()

    return run


def network_errors(
    kind: type[errors.NetworkError] = errors.NetworkError,
) -> Iterator[type[errors.NetworkError]]:
    for below in kind.__subclasses__():
        yield below
        yield from network_errors(below)


REGISTRATION = {"invitation-refused", "account-taken", "registration-refused", "not-acknowledged"}
"""What no command does: nobody registers, or pushes."""


def test_every_error_of_the_network_and_every_column_has_words() -> None:
    codes = {kind.code for kind in network_errors()}
    assert {code for code in codes if not has(code)} == REGISTRATION
    assert all(map(has, answers.COLUMNS))


def test_french_sets_its_marks_apart_by_a_space_that_stays() -> None:
    assert {key: french for key, (_, french) in WORDS.items() if PLAIN_SPACE.search(french)} == {}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_in_both_languages(quoalise: Run, name: str) -> None:
    status, english, _ = quoalise(name, "--help")
    assert (status, english.splitlines()[0][:6]) == (0, "usage:")
    status, french, _ = quoalise(name, "-h", locale="fr_FR.UTF-8")
    assert (status, french.startswith("utilisation\u00a0: quoalise ")) == (0, True)
    assert "options\u00a0:" in french


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Il manque\u00a0: COMMANDE."),
        (("hist",), "COMMANDE\u00a0: «\u202fhist\u202f» n’est pas l’un de 'list'"),
        (("list", "home@example.org"), "Il manque\u00a0: --account."),
        ((*HISTORY, "more"), "Arguments en trop\u00a0: more."),
        ((*HISTORY, "--port", "x"), "--port\u00a0: «\u202fx\u202f» n’est pas une valeur"),
        ((*HISTORY, "--port"), "Il manque la valeur de --port."),
        ((*HISTORY, "--start", "noon"), "--start\u00a0: «\u202fnoon\u202f» n’est ni une date"),
        ((*HISTORY, "--end", "1970-01-01T00:00Z"), "--end\u00a0: «\u202f1970-01-01T00:00Z"),
        ((*HISTORY, "--start", "2090-01-01"), "échangez --start et --end"),
        (("history", "home@example.org", "meter", *ME), "«\u202fmeter\u202f» n’est pas l’ident"),
        ((*HISTORY, "--output", "day"), "ajoutez --format"),
        ((*HISTORY, "--output", "."), "est un dossier"),
    ],
)
def test_wrong_usage_is_explained(quoalise: Run, arguments: tuple[str, ...], words: str) -> None:
    status, printed, complaint = quoalise(*arguments, locale="fr_FR.UTF-8")
    assert (status, printed) == (2, "")
    assert words in complaint
    status, printed, complaint = quoalise(*arguments, "--json")
    if arguments[-1:] != ("--port",):
        assert (status, complaint) == (2, "")
        assert json.loads(printed)["error"]["condition"] == "usage"


@pytest.mark.parametrize(
    ("arguments", "condition", "words"),
    [
        (("list", "home@example.org", *ME), "no-password", "the variable PASSWORD"),
        (("list", "@@", *ME), "not-an-address", "“@@” is not an XMPP address"),
        (("list", "home@example.org", "--account", "me"), "not-an-address", "“me” is not"),
        (("needs", "https://example.org", *ME), "not-alink", "?consometers-join;token="),
        (("listen", *ME, "--password-file", "/none"), "file", "/none cannot be used"),
        (("listen", *ME, "--ca-file", "/none"), "file", "/none cannot be used: there is no such"),
    ],
)
def test_a_failure_has_a_condition_and_a_sentence(
    quoalise: Run, arguments: tuple[str, ...], condition: str, words: str
) -> None:
    status, printed, complaint = quoalise(*arguments)
    assert (status, printed) == (1, "")
    assert words in complaint
    status, printed, complaint = quoalise(*arguments, "--json")
    error = json.loads(printed)["error"]
    assert (status, complaint, error["condition"]) == (1, "", condition)
    assert words in error["message"]


@pytest.mark.parametrize(
    ("refusal", "condition", "words"),
    [
        (NotAuthorized(), "not-authorized", "refuses: There is no permission"),
        (NotAuthorized({"fr": "Non.", "en": "No."}), "not-authorized", "refuses: No."),
        (
            Malformed("iq/command", Problem.NO_TEXT),
            "unreadable-answer",
            "cannot be read (no-text, at iq/command): inform its operator.",
        ),
        (
            OtherError("service-unavailable", ErrorType.CANCEL, {"en": "Nobody."}),
            "service-unavailable",
            "is offline",
        ),
        (OtherError("gone", ErrorType.CANCEL), "gone", "refuses: It answered gone."),
        (UpstreamError("sge"), "undefined-condition", "(sge) refuses, with the code ?: The source"),
    ],
)
def test_a_refusal_is_in_the_peers_words_or_in_ours(
    refusal: QuoaliseError, condition: str, words: str
) -> None:
    with pytest.raises(CommandError) as raised, refusals_of("a@example.org", Language.ENGLISH):
        raise refusal
    assert (raised.value.condition, raised.value.more["from"]) == (condition, "a@example.org")
    assert words in raised.value.sentence


def test_a_missing_extra_is_named(quoalise: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "consometers_quoalise_command.program", None)
    status, _, complaint = quoalise("list")
    assert (status, complaint.endswith("install consometers-quoalise[command].\n")) == (1, True)


@pytest.mark.parametrize("arguments", [("list", "--json"), ("--help",)])
def test_a_closed_pipe_ends_it_silently(arguments: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        (sys.executable, "-P", "-m", "consometers_quoalise_command", *arguments),
        stdout=writing,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": ""},
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_file_is_put_in_place_whole_for_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    file.write_text("before")
    deliver(b"after", file)
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("after", 0o600)
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_cannot_be_written_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "day.csv"
    file.write_text("before")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match=r"day\.csv") as refused:
        deliver(b"after", file)
    assert unusable(str(file), refused.value, Language.ENGLISH).endswith("the disk is full.")
    assert (file.read_text(), list(tmp_path.iterdir())) == ("before", [file])


@pytest.mark.parametrize(
    ("language", "fraction"), [(Language.ENGLISH, "-12.5"), (Language.FRENCH, "-12,5")]
)
def test_numbers_stand_to_the_right_in_a_table(language: Language, fraction: str) -> None:
    rows = [[time, decimal(value, language)] for time, value in (("00:00", 5), ("01:00", -12.5))]
    assert table(["Time", "Value"], rows).splitlines() == [
        "Time   Value",
        "─────  ─────",
        "00:00      5",
        f"01:00  {fraction}",
    ]


def test_a_fraction_in_a_french_sentence_has_a_comma() -> None:
    facts = dict.fromkeys(("series", "first", "last", "unit"), "") | {"low": 1, "high": 2}
    sentence = say("summary", Language.FRENCH, count=2, mean=1.5, **facts)
    assert "moyenne 1,5," in sentence


def test_a_terminal_gets_no_control_characters() -> None:
    assert clean("\x1b[31mred\n\tend") == "·[31mred\n\tend"
