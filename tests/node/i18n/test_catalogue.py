"""Every sentence of ours has its French, and no other has. All are set as in print."""

import ast
from collections.abc import Sequence
import os
from pathlib import Path
import re

from babel.messages.catalog import Message
from babel.messages.pofile import read_po
import pytest

from consometers_node.i18n.catalogue import compiled, translations
from consometers_node.i18n.text import text
from tools.catalogue import FRENCH, PACKAGE, calls, sentences, translated, written

STRAIGHT = re.compile(r"(?<=[^\W\d_}])'")
FILLED = re.compile(r"%\(\w+\)s|\{[^{}]*\}")

AS_TYPED = ("cli/",)
"""Where the English has straight apostrophes, as terminals and logs have."""


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    with FRENCH.open("rb") as file:
        return [message for message in read_po(file, abort_invalid=True) if message.id]


def english(message: Message) -> Sequence[str]:
    return (message.id,) if isinstance(message.id, str) else message.id


def places(fault: re.Pattern[str], messages: list[Message]) -> list[str]:
    return [
        translation
        for each in messages
        for translation in translated(each)
        if fault.search(translation)
    ]


def test_the_catalogue_is_up_to_date() -> None:
    source = FRENCH.read_text(encoding="utf-8")
    assert written(source, sentences()) == source, "run: python -m tools.catalogue"


def test_sentences_are_literals() -> None:
    """Another one would be in no catalogue."""
    places = [
        f"{file.relative_to(PACKAGE)}:{call.lineno}"
        for file in PACKAGE.rglob("*.py")
        for call in calls(ast.parse(file.read_text(encoding="utf-8")))
        if not all(isinstance(each, ast.Constant) for each in call.args)
    ]
    assert [place for place in places if not place.startswith("cli/core/locale.py")] == []


def test_every_sentence_is_translated(messages: list[Message]) -> None:
    assert [
        message.id for message in messages if message.fuzzy or not all(translated(message))
    ] == []
    assert [
        message.id for message in messages if len(translated(message)) != len(english(message))
    ] == []


def test_translations_have_the_same_placeholders(messages: list[Message]) -> None:
    for message in messages:
        places = {frozenset(FILLED.findall(translation)) for translation in translated(message)}
        assert places == {frozenset(FILLED.findall(sentence)) for sentence in english(message)}, (
            message.id
        )


def test_apostrophes_are_as_in_print(messages: list[Message]) -> None:
    assert len(messages) > 1800
    assert places(STRAIGHT, messages) == []
    of_pages = [
        message
        for message in sentences()
        if not all(file.startswith(AS_TYPED) for file, _ in message.locations)
    ]
    assert [message.id for message in of_pages if STRAIGHT.search("".join(english(message)))] == []


def test_french_calls_a_permission_autorisation(messages: list[Message]) -> None:
    """Only a command is called “permissions”, and a number that is filled in."""
    assert places(re.compile(r"(?<!« )(?<!{)[Pp]ermission"), messages) == []


def test_a_catalogue_is_compiled_when_its_source_has_changed(tmp_path: Path) -> None:
    source, target = tmp_path / "a.po", tmp_path / "a.mo"
    source.write_text('msgid "Yes"\nmsgstr "Oui"\n')
    first = compiled(source, target)
    assert target.read_bytes() == first
    assert [file.suffix for file in sorted(tmp_path.iterdir())] == [".mo", ".po"]
    target.write_bytes(b"as it is")
    os.utime(target, ns=(source.stat().st_mtime_ns,) * 2)
    assert compiled(source, target) == b"as it is"
    # An older one, as git may bring it, is another one too.
    os.utime(source, (1e9, 1e9))
    assert compiled(source, target) == first


def test_a_catalogue_is_compiled_in_memory_where_no_file_can_be_written(tmp_path: Path) -> None:
    source = tmp_path / "a.po"
    source.write_text('msgid "Yes"\nmsgstr "Oui"\n')
    assert b"Oui" in compiled(source, tmp_path / "none" / "a.mo")


def test_no_catalogue_is_read_for_english() -> None:
    translations.cache_clear()
    assert text("{what} cannot be used.").say("en") == "{what} cannot be used."
    assert translations.cache_info().misses == 0
