"""Every sentence of the templates has its French, and no other does. All are set as in print."""

import ast
from collections.abc import Iterator
from pathlib import Path
import re

from babel.messages.extract import extract_from_dir
from jinja2 import Environment
import pytest

import consometers_node
from consometers_node.web.language import LANGUAGES
from consometers_node.web.rendering import TEMPLATES, environment
from consometers_node.web.speech import Language, catalogue

from ..permission.samples import now

type Message = str | tuple[str, ...]

PACKAGE = Path(consometers_node.__file__).parent
STRAIGHT = re.compile(r"(?<=[^\W\d_}])'")


def messages() -> set[Message]:
    found: set[Message] = set()
    for _, _, message, _, _ in extract_from_dir(
        TEMPLATES,
        method_map=[("**.html", "jinja2")],
        options_map={"**.html": {"extensions": "jinja2.ext.i18n"}},
        keywords={"_": None, "ngettext": (1, 2)},
    ):
        found.add(message if isinstance(message, str) else message[:2])
    return found


def first(message: Message) -> str:
    return message if isinstance(message, str) else message[0]


def texts() -> Iterator[tuple[str, str, str]]:
    """Give what is written for people beside the templates, and where, in both languages."""
    for file in PACKAGE.rglob("*.py"):
        where = file.relative_to(PACKAGE)
        for each in ast.walk(ast.parse(file.read_text())):
            match each:
                case ast.Call(
                    func=ast.Name("text" | "say"), args=[ast.Constant(en), ast.Constant(fr)]
                ):
                    yield f"{where}:{each.lineno}", str(en), str(fr)


def french() -> list[tuple[str, str]]:
    said = [("the catalogue", one) for words in catalogue("fr").values() for one in words]
    return said + [(where, fr) for where, _, fr in texts()]


def english() -> list[tuple[str, str]]:
    """Give what pages say: the command line is written as it is typed there."""
    said = [("the templates", first(one)) for one in messages()]
    return said + [(where, en) for where, en, _ in texts() if not where.startswith("cli/")]


def test_every_sentence_is_translated() -> None:
    known = catalogue("fr")
    for message in messages():
        words = known.get(first(message), ())
        assert len(words) == (1 if isinstance(message, str) else 2), message
        for one in words:
            assert set(re.findall(r"%\(\w+\)s", one)) == set(
                re.findall(r"%\(\w+\)s", first(message))
            )


def test_no_translation_is_left_over() -> None:
    assert set(catalogue("fr")) == {first(message) for message in messages()}


@pytest.mark.parametrize("name", [file.name for file in TEMPLATES.glob("*.html")])
def test_every_template_can_be_read(name: str) -> None:
    made: Environment = environment()
    made.get_template(name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_days_and_numbers_are_written_as_people_do(language: str) -> None:
    says = Language(language)
    written = {
        "en": ("1,234.5", "2 years", "90 days", "99.9%", "today, "),
        "fr": ("1\u202f234,5", "2 ans", "90\u00a0jours", "99,9\u202f%", "aujourd’hui, "),
    }[language]
    assert says.number(1234.5) == written[0]
    assert says.length(730) == written[1]
    assert says.length(90) == written[2]
    assert says.share(0.99999) == written[3]
    assert says.share(1).startswith("100")
    assert says.moment(now()).startswith(written[4])


def test_nothing_is_one_thing_in_french_and_many_in_english() -> None:
    assert Language("fr").ngettext("un", "deux", 0) == "un"
    assert Language("en").ngettext("one", "many", 0) == "many"


def test_apostrophes_are_as_in_print() -> None:
    said = french() + english()
    assert len(said) > 2500
    assert [one for one in said if STRAIGHT.search(one[1])] == []


def test_what_a_person_allows_has_one_name_in_french() -> None:
    """Only a command is called “permissions”, and a number that is filled in."""
    assert [one for one in french() if re.search(r"(?<!« )(?<!{)[Pp]ermission", one[1])] == []
