"""Commands act on the meter, and say what is wrong with them."""

from itertools import islice
from pathlib import Path

import pytest

from consometers_tic import Mode
from consometers_tic_virtual import Faults, VirtualLinky
from demo.meter.commands import COMMANDS
from demo.processes.commands import CommandError
from packages.tic.tests.meters import NOON, linky


@pytest.fixture
def meter(tmp_path: Path) -> VirtualLinky:
    """Return a meter that is not started: its line can be read by hand."""
    return VirtualLinky(linky(), link=tmp_path / "linky", start=NOON.timestamp())


def labels(meter: VirtualLinky) -> dict[str, str]:
    return {group.label.name: group.raw for group in next(meter.line).groups}


async def test_every_documented_command_works(meter: VirtualLinky) -> None:
    for line in COMMANDS.describe().splitlines():
        await COMMANDS.obey(meter, line.split()[0])
    await meter.unplug()


async def test_faults_are_set_and_cleared(meter: VirtualLinky) -> None:
    for line in ("noise 0.1", "lose 0.2", "bursts 0.3"):
        await COMMANDS.obey(meter, line)
    assert meter.line.faults == Faults(0.1, 0.2, 0.3)
    await COMMANDS.obey(meter, "clean")
    assert meter.line.faults == Faults()


async def test_commands_silence_switch_and_swap_the_meter(meter: VirtualLinky) -> None:
    address = labels(meter)["ADSC"]
    await COMMANDS.obey(meter, "silence 12")
    assert [sent.seconds for sent in islice(meter.line, 2)][1] == 12
    await COMMANDS.obey(meter, "mode historique")
    await COMMANDS.obey(meter, "swap")
    list(islice(meter.line, 4))
    assert meter.linky.mode is Mode.HISTORIQUE
    assert labels(meter)["ADCO"] != address


async def test_commands_overload_degrade_and_show_messages(
    meter: VirtualLinky,
) -> None:
    for line in ("overload", "degrade", "message JOYEUX NOEL", "shout EJP DEMAIN", "peak 10 20"):
        await COMMANDS.obey(meter, line)
    data = labels(meter)
    status = int(data["STGE"], 16)
    assert (status >> 7 & 1, status >> 16 & 1, status >> 28 & 3) == (1, 1, 1)
    assert data["MSG1"].rstrip() == "JOYEUX NOEL"
    assert data["MSG2"].rstrip() == "EJP DEMAIN"
    for line in ("relieve", "mend", "message"):
        await COMMANDS.obey(meter, line)
    data = labels(meter)
    assert int(data["STGE"], 16) >> 7 & 1 == int(data["STGE"], 16) >> 16 & 1 == 0
    assert data["MSG1"].startswith("PAS DE")


NONSENSE = {
    "explode": r"mode \[historique",
    "noise loud": r"noise \[RATE\]",
    "mode both": r"mode \[historique",
    "": r"noise \[RATE\]",
    "message JOYEUSES PÂQUES": "accents",
    "shout PÂQUES": "accents",
}


@pytest.mark.parametrize("line", NONSENSE)
async def test_nonsense_is_refused_with_a_hint(meter: VirtualLinky, line: str) -> None:
    with pytest.raises(CommandError, match=NONSENSE[line]):
        await COMMANDS.obey(meter, line)
