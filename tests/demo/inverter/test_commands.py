"""Commands act on the inverter, and say what is wrong with them."""

from datetime import timedelta
from pathlib import Path

import pytest

from demo.inverter import (
    Faults,
    Image,
    Night,
    Scales,
    State,
    Stranger,
    VirtualInverter,
    WireFaults,
)
from demo.inverter.commands import COMMANDS
from demo.processes.commands import CommandError
from testing.inverters import NIGHT, NOON, inverter, unix, virtual

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def obey(served: VirtualInverter, *lines: str) -> None:
    for line in lines:
        await COMMANDS.obey(served, line)


async def test_every_documented_command_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with virtual() as served:
        for line in COMMANDS.describe().splitlines():
            word = line.split()[0]
            await obey(served, f"{word} 2026-06-10T14:00+02:00" if word == "clock" else word)
        assert Image.load(tmp_path / "inverter.json").registers


async def test_faults_are_set_and_cleared() -> None:
    served = virtual()
    await obey(served, "zeros 5", "dawn 6", "missing W WH", "without 120 121", "cut 70")
    await obey(served, "scales garbage")
    (unit,) = served.inverters
    assert unit.faults == Faults(
        zeros_until=unix(NOON) + 5,
        zeros_at_dawn_s=6,
        missing=frozenset({"W", "WH"}),
        without=frozenset({120, 121}),
        cut=70,
        scales=Scales.GARBAGE,
    )
    await obey(served, "delay 0.5", "silence 0.1", "busy 0.2", "illegal 0.3", "drop 0.4")
    await obey(served, "mistake 0.5", "lonely", "stranger gateway", "night silent")
    assert served.wire == WireFaults(
        delay_s=0.5,
        silent=0.1,
        busy=0.2,
        illegal=0.3,
        dropped=0.4,
        mistaken=0.5,
        lonely=True,
        stranger=Stranger.GATEWAY,
        night=Night.SILENT,
    )
    await obey(served, "clean")
    assert (served.wire, unit.faults) == (WireFaults(), Faults())


async def test_the_clock_is_set_and_the_sun_with_it() -> None:
    served = virtual()
    assert not served.asleep
    await obey(served, "clock 2026-06-10T03:00+02:00")
    assert served.at == NIGHT
    assert served.asleep


async def test_production_is_limited_and_the_register_moved() -> None:
    served = virtual()
    (unit,) = served.inverters
    before = unit.measures.energy_wh(served.second)
    for line, state in (
        ("throttle 0.2", State.THROTTLED),
        ("fail", State.FAULT),
        ("off", State.OFF),
        ("mend", State.MPPT),
    ):
        await obey(served, line)
        assert unit.measures.state(served.second) is state
    await obey(served, "jump 500")
    assert unit.measures.energy_wh(served.second) == before + 500
    await obey(served, "restart")
    assert unit.measures.energy_wh(served.second) == 0


async def test_all_inverters_of_a_host_obey() -> None:
    served = VirtualInverter({1: inverter(), 2: inverter(seed=2)}, start=NOON.timestamp(), speed=0)
    await obey(served, "jump 500", "missing W")
    served.at = NOON + timedelta(seconds=1)
    for unit in served.inverters:
        assert unit.faults.missing == {"W"}
        assert unit.measures.jumps == [(unix(NOON), 500)]


@pytest.mark.parametrize(
    "line", ["explode", "zeros soon", "night never", "without sun", "clock", "clock noon", ""]
)
async def test_nonsense_is_refused_with_a_hint(line: str) -> None:
    with pytest.raises(CommandError, match=r"zeros \[S\]|night \[|without \[|clock TIME"):
        await obey(virtual(), line)
