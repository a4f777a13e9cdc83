"""The command explains what it cannot use, in both languages."""

from pathlib import Path
import socket

import pytest

from quoalise_conformance.__main__ import NOTHING_TRIED, main

SERIES = "urn:dev:prm:30001610071843_consumption/power/active/raw"


@pytest.fixture
def password(tmp_path: Path) -> str:
    (tmp_path / "password").write_text("hunter2\n")
    return str(tmp_path / "password")


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == NOTHING_TRIED
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "hunter2" not in printed.err
    return printed.err


@pytest.mark.parametrize(
    ("arguments", "sentences"),
    [
        (("nowhere", "--series", SERIES), ("no address of a peer", "pas l’adresse d’un pair")),
        (("a@b.test", "--series", "panels"), ("does not name a series", "ne nomme pas une série")),
        (("a@b.test", "--series", SERIES, "--start", "soon"), ("no time", "pas une date")),
        (
            ("a@b.test", "--series", SERIES, "--start", "2026-01-02", "--end", "2026-01-01"),
            ("not after", "pas après"),
        ),
    ],
)
def test_an_argument_that_cannot_be_used_is_named(
    password: str,
    arguments: tuple[str, ...],
    sentences: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    login = ("--account", "kit@b.test", "--password-file", password)
    for language, words in zip(("C.UTF-8", "fr_FR.UTF-8"), sentences, strict=True):
        monkeypatch.setenv("LC_ALL", language)
        assert words in complaint(capsys, "server", *arguments, *login)


def test_a_missing_password_file_and_a_jid_without_account_are_named(
    password: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    client = ("client", "--account")
    assert "cannot be read" in complaint(capsys, *client, "a@b.test", "--password-file", "none")
    assert "no account" in complaint(capsys, *client, "b.test", "--password-file", password)


def test_a_server_that_is_not_there_is_named(
    password: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = str(held.getsockname()[1])
        login = ("--account", "a@b.test", "--password-file", password)
        place = ("--host", "127.0.0.1", "--port", port)
        words = complaint(capsys, "client", *login, *place)
    assert f"127.0.0.1:{port} cannot be reached" in words
