"""The page that explains the commands, and what a command loads."""

from importlib import import_module
from pathlib import Path
import re
import shlex
import subprocess
import sys

import pytest
from typer.main import get_group

from consometers_node.cli import COMMANDS, PROGRAM
from consometers_node.wire import read_need_file

from .conftest import ROOT

PAGES = {"en": ROOT / "docs" / "node.md", "fr": ROOT / "docs" / "node.fr.md"}
HEAVY = ("rich", "pydantic", "slixmpp", "sqlalchemy", "aiohttp", "alembic")


def examples(page: Path) -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True) for line in lines if line]


def options(command: str) -> set[str]:
    module = import_module(f"consometers_node.cli.{COMMANDS[command].module}")
    params = get_group(module.commands.all).commands[command].params
    return {"--help", *(option for param in params for option in param.opts)}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_example_is_a_command_with_options_that_it_has(page: Path) -> None:
    for program, command, *arguments in examples(page):
        assert program == PROGRAM
        if command != "--help":
            typed = {one for one in arguments if one.startswith("--")}
            assert typed <= options(command), command


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_command_is_explained(page: Path) -> None:
    told = set(re.findall(r"^### (\S+)$", page.read_text(), re.MULTILINE))
    assert set(COMMANDS) <= told


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_the_data_need_of_the_page_can_be_used(page: Path) -> None:
    (written,) = re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)
    assert read_need_file(written.encode()).id == "roof"


def test_both_languages_give_the_same_examples() -> None:
    assert examples(PAGES["en"]) == examples(PAGES["fr"])


def loaded(code: str) -> set[str]:
    """The heavy packages that are there after some code."""
    told = f"{code}\nimport sys\nprint(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run(
        (sys.executable, "-P", "-c", told),
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT / "addon")},
    )
    return set(done.stdout.splitlines()[-1].split())


def test_the_command_line_alone_loads_nothing_heavy() -> None:
    assert loaded("import consometers_node.cli") == set()


@pytest.mark.parametrize("module", sorted({entry.module for entry in COMMANDS.values()}))
def test_no_command_needs_rich_until_it_draws(module: str) -> None:
    assert not loaded(f"import consometers_node.cli.{module}") & {"rich", "pydantic"}


def test_the_plain_client_opens_no_database() -> None:
    code = "import consometers_node.cli.client, consometers_node.cli.listening"
    assert "sqlalchemy" not in loaded(code)
