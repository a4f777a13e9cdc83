"""The log of a node that runs: in one language, in local times with the name of their zone."""

import ast
import asyncio
from collections.abc import Iterator
import logging
from pathlib import Path
import re
import signal

import pytest

from consometers_node.cli.node.running import LogFormatter
from consometers_node.household.node import LANGUAGE
from consometers_node.i18n.text import text
from consometers_node.store import Store
from consometers_node.store.settings import setting
from consometers_quoalise import Event, Notice
from consometers_quoalise_network.errors import Unreachable
from demo.hass import free_port
from testing.checkout import ROOT
from testing.commands.fixtures import HASTE, Start, ended
from testing.commands.household import toy
from testing.home_assistant.toy import TOKEN, ToyHomeAssistant
from testing.run import DEADLINE_S

__all__ = ["toy"]

LEVELS = frozenset({"info", "warning", "error", "exception", "critical"})
IN_FRENCH = "La page est servie sur le port"
LINE = re.compile(r"2\d{3}-\d\d-\d\d \d\d:\d\d:\d\d CES?T (INFO|WARNING) consometers_[\w.]*: ")


def logged(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield the first argument of each call of a logger that anybody reads."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="_LOGGER"), attr=attribute), args=[first, *_]
            ) if attribute in LEVELS:
                yield first


def is_a_sentence(first: ast.expr) -> bool:
    """Return whether an argument has words of its own, in the language of the code."""
    match first:
        case ast.Constant(value=str(words)):
            return re.search("[a-z]", re.sub("%[ds]", "", words)) is not None
        case ast.JoinedStr():
            return True
        case _:
            return False


def test_no_line_of_the_log_is_in_one_language_alone() -> None:
    files = sorted((ROOT / "addon").rglob("*.py"))
    lines = [(file.name, first) for file in files for first in logged(ast.parse(file.read_text()))]
    assert [(name, ast.unparse(first)) for name, first in lines if is_a_sentence(first)] == []
    assert len(lines) > 40


@pytest.mark.parametrize(
    ("language", "line"),
    [("en-GB", "roof: The clock is confirmed."), ("fr", "roof: L’horloge est confirmée.")],
)
def test_texts_in_a_line_are_in_its_language(language: str, line: str) -> None:
    words = text("The clock is confirmed.")
    arguments = ("roof", words)
    record = logging.LogRecord("node", logging.WARNING, "", 0, "%s: %s", arguments, None)
    assert LogFormatter(language).format(record).endswith(line)
    # Another handler has the record as it was.
    assert record.args == arguments
    record.msg, record.args = words, ()
    assert LogFormatter(language).format(record).endswith(line.removeprefix("roof: "))


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "A request could not be answered within 45 s."),
        ("fr", "Une demande n’a pas reçu de réponse en 45 s."),
    ],
)
def test_codes_of_the_protocol_are_logged_in_words(language: str, line: str) -> None:
    late = Notice(Event.ANSWER_LATE, seconds=45)
    record = logging.LogRecord("node", logging.WARNING, "", 0, late, (), None)
    assert LogFormatter(language).format(record).endswith(line)
    assert record.getMessage() == "answer-late seconds=45"
    record.msg = Unreachable(host="one.test", why="refused")
    assert "one.test" in LogFormatter(language).format(record)
    assert record.getMessage() == "unreachable"


async def lines_until(process: asyncio.subprocess.Process, words: str) -> list[str]:
    """Return the lines of a log, up to one with these words."""
    assert process.stderr is not None
    lines: list[str] = []
    async with asyncio.timeout(DEADLINE_S):
        while not lines or words not in lines[-1]:
            lines.append((await process.stderr.readline()).decode())
            assert lines[-1], lines
    return lines


async def known_language(file: Path) -> str | None:
    """Return the language that a node found, for its next start."""
    store = await Store.open(file)
    async with store.reading() as connection:
        language = await setting(connection, LANGUAGE)
    await store.close()
    return language


async def test_a_home_logs_in_the_language_of_home_assistant(
    start: Start, toy: ToyHomeAssistant, tmp_path: Path
) -> None:
    """The add-on's own environment names none."""
    toy.answers["get_config"] = {"time_zone": "Europe/Paris", "language": "fr"}
    folder, logs = tmp_path / "node", []
    for page in ("The page listens on port", IN_FRENCH):
        process = await start(
            *("run", "--data", folder, "--page", f"127.0.0.1:{free_port()}"),
            language="C.UTF-8",
            CONSOMETERS_HASTE=HASTE,
            CONSOMETERS_HOME_URL=toy.url,
            CONSOMETERS_HOME_TOKEN=TOKEN,
        )
        logs.append(await lines_until(process, page))
        async with asyncio.timeout(DEADLINE_S):
            while await known_language(folder / "node.db") is None:
                await asyncio.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert (await ended(process)).status == 0
    for line in [*logs[0], *logs[1]]:
        assert LINE.match(line), line
