"""Variables with the node's prefix: one that nothing reads is refused by its name."""

from pathlib import Path
import re

import pytest

from consometers_node.cli.core import environment
from consometers_node.cli.core.errors import CliError
from consometers_node.collective.settings import KEYS
from testing.checkout import ROOT
from testing.commands.fixtures import Run


@pytest.mark.cold
async def test_a_mistyped_variable_is_refused_with_a_suggestion(run: Run) -> None:
    result = await run("status", CONSOMETERS_XMPP_ACOUNT="collective@example.org")
    assert result.status == 1
    assert result.err == (
        "Unknown environment variable CONSOMETERS_XMPP_ACOUNT."
        " Did you mean CONSOMETERS_XMPP_ACCOUNT?\n"
    )


@pytest.mark.cold
async def test_an_unknown_variable_is_refused_in_french(
    run: Run,
) -> None:
    result = await run("status", "--json", language="fr_FR.UTF-8", CONSOMETERS_QUARTZ="1")
    assert result.condition == "settings"
    assert "inconnue\u00a0: CONSOMETERS_QUARTZ" in result.document["error"]["message"]


def test_variables_of_other_programs_are_ignored() -> None:
    environment.check({"CONSOMETER": "1", "DATA": "1", "SUPERVISOR_TOKEN": "x"})


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_of_a_collective_has_a_variable(key: str) -> None:
    environment.check({KEYS[key].variable: ""})


def test_the_known_variables_are_those_in_the_code() -> None:
    read = {environment.SETTINGS}
    for file in (ROOT / "addon" / "consometers_node").rglob("*.py"):
        if file.name != Path(environment.__file__).name:
            read |= set(re.findall(r'"(CONSOMETERS_[A-Z_]+)"', file.read_text()))
    assert read == environment.NAMES


def test_the_refusal_of_a_variable_hides_its_value() -> None:
    with pytest.raises(CliError) as refused:
        environment.check({"CONSOMETERS_PASWORD": "correct horse battery staple"})
    assert "horse" not in str(refused.value)
