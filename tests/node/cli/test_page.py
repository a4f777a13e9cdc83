"""The page that explains the commands, and what a command loads."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
import re
import shlex
import subprocess
import sys

import pytest
from typer.core import TyperGroup
from typer.main import get_group

from consometers_node.cli.app import COMMANDS, PROGRAM
from consometers_node.collective.settings_file import read
from consometers_node.wire import read_need_file
from testing.checkout import ROOT
from testing.documentation import commands, words_of_code

DOCS = ROOT / "docs"
BOTH = [
    ("node.md", "node.fr.md"),
    ("collective.md", "collective.fr.md"),
    ("witness.md", "witness.fr.md"),
]
PAGES = {name: DOCS / name for names in BOTH for name in names}
EVERY_PAGE = sorted(
    page for at in (".", "addon", "deploy", "docs") for page in (ROOT / at).glob("*.md")
)
_TYPED = re.compile(rf"(?:^|\s)(?:{PROGRAM}|script/node) +([^(].*)")
HEAVY = ("rich", "pydantic", "slixmpp", "sqlalchemy", "aiohttp", "alembic")
HOME = "import consometers_node.cli.node.running_home, consometers_node.web.site"
UNNEEDED_AT_HOME = (
    "consometers_node.collective",
    "consometers_node.store.collective.tables",
    "alembic",
    "jinja2",
    "psycopg",
    "rich",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.orm",
    "tomllib",
    "typer",
)
"""What its node can do without, or before a page is opened: memory of a small computer."""


def examples(page: Path) -> list[list[str]]:
    return [shlex.split(command, comments=True) for command in commands(page)]


def options(command: str, arguments: list[str]) -> set[str]:
    entry = COMMANDS[command]
    module = import_module(f"consometers_node.cli.{entry.module}")
    group = get_group(module.commands.all)
    first, *others = arguments if entry.group else [command]
    called = group.commands[first]
    for name in others:
        if isinstance(called, TyperGroup):
            called = called.commands[name]
    params = called.params
    return {"--help", *(option for param in params for option in param.opts)}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_examples_use_existing_commands_and_options(page: Path) -> None:
    for program, command, *arguments in examples(page):
        assert program == PROGRAM
        check(command, arguments)


def check(command: str, arguments: list[str]) -> None:
    """Check that a command, and the options that are typed after it, exist."""
    if command != "--help":
        typed = {argument for argument in arguments if argument.startswith("--")}
        assert typed <= options(command, arguments), command


@pytest.mark.parametrize("page", EVERY_PAGE, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_documented_command_exists(page: Path) -> None:
    """Whatever kind of fence it is in, or between backticks, in a container or a checkout."""
    for line in [*commands(page), *words_of_code(page)]:
        if typed := _TYPED.search(line):
            command, *arguments = shlex.split(typed[1], comments=True)
            check(command, arguments)


def test_commands_are_found_in_every_kind_of_fence(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "~~~sh\nconsometers-node one\n~~~\n"
        "1. A step\n\n    ````sh\n    consometers-node two  # twice\n    ````\n\n"
        "| `consometers-node three` | `` script/node `four` `` |\n|---|---|\n"
        "``` sh\nscript/node five \\\n  --six\n```\n```text\nconsometers-node seven\n```\n"
    )
    assert commands(page) == [
        "consometers-node one",
        "consometers-node two",
        "script/node five    --six",
    ]
    assert words_of_code(page) == ["consometers-node three", "script/node `four`"]


@pytest.mark.parametrize("language", [0, 1], ids=["en", "fr"])
def test_every_command_is_explained(language: int) -> None:
    pages = "\n".join(PAGES[names[language]].read_text() for names in BOTH)
    explained = set(re.findall(r"^### (\S+)$", pages, re.MULTILINE))
    assert set(COMMANDS) <= explained


@pytest.mark.parametrize("name", [*BOTH[0], *BOTH[1]])
def test_the_documented_data_need_is_valid(name: str) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", PAGES[name].read_text(), re.DOTALL)
    (written,) = (block for block in blocks if "[purpose]" in block)
    assert read_need_file(written.encode()).id == "roof"


@pytest.mark.parametrize("name", BOTH[1])
def test_the_documented_settings_are_valid(name: str, tmp_path: Path) -> None:
    (written, *_) = re.findall(r"```toml\n(.*?)```", PAGES[name].read_text(), re.DOTALL)
    file = tmp_path / "collective.toml"
    file.write_text(written)
    assert read(file, {}).identifier == "kersabiec"


@pytest.mark.parametrize(("english", "french"), BOTH, ids=["node", "collective", "witness"])
def test_both_languages_have_the_same_examples(english: str, french: str) -> None:
    assert examples(PAGES[english]) == examples(PAGES[french])


def printed(program: str) -> str:
    """The last line that a program of our modules prints."""
    done = subprocess.run(
        (sys.executable, "-P", "-c", program),
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT / "addon")},
    )
    return done.stdout.splitlines()[-1]


def loaded(code: str, names: Sequence[str] = HEAVY) -> set[str]:
    """The modules of some, by default the heavy ones, that are there after some code."""
    listed = f"print(*(name for name in {names} if name in sys.modules))"
    return set(printed(f"{code}\nimport sys\n{listed}").split())


def test_the_command_line_alone_loads_nothing_heavy() -> None:
    assert loaded("import consometers_node.cli.app") == set()


def test_commands_load_rich_only_to_draw() -> None:
    modules = (f"consometers_node.cli.{entry.module}" for entry in COMMANDS.values())
    assert not loaded(f"import {', '.join(modules)}") & {"rich", "pydantic"}


def test_a_home_loads_no_unneeded_module() -> None:
    assert loaded(HOME, UNNEEDED_AT_HOME) == set()


def test_a_home_loads_no_catalogue_at_its_start() -> None:
    read = (
        "from consometers_node.i18n.catalogue import translations\nprint(translations.cache_info())"
    )
    assert "currsize=0" in printed(f"{HOME}\n{read}")
