"""script/bench hass: what a home costs a Home Assistant, in rows a day and in CPU.

A real Home Assistant reads a virtual single-phase meter in standard mode, at its true pace, on a
pseudo-terminal; then a virtual inverter over Modbus TCP; then a producer's meter, the inverter
behind it and the balance of both, at noon in June. Its CPU is counted against its own before it
knew of any. A poll of the inverter is also set against its floor: the same registers, read by a
program that does nothing with them.
"""

import argparse
import asyncio
from collections.abc import Mapping
from datetime import datetime
import operator
from pathlib import Path
import sqlite3
from tempfile import TemporaryDirectory
from typing import NamedTuple
from zoneinfo import ZoneInfo

from consometers_tic_virtual import Contract, Linky, VirtualLinky
from consometers_tic_virtual.world import World
from demo.furnishing import DOMAIN, add_balance, add_inverter, add_meter, entities_with
from demo.hass import Api, Hass
from demo.inverter import PROFILES, Inverter, VirtualInverter

from .process import cpu_s
from .registers import floor_ms

MOST_ROWS_A_DAY = 25_000
"""States of a meter."""
MOST_ROWS_A_DAY_OF_A_HOME = 60_000
"""States of a meter, an inverter and their balance, if it were always noon."""
DAY_S = 86_400
NOON = datetime(2026, 6, 17, 14, tzinfo=ZoneInfo("Europe/Paris")).timestamp()
WARM_UP_S = 75.0
"""Until the derived power is known and the first values of all entities are written."""
EVERY_FRAME = {"power_interval": 0, "register_interval": 0}
OFTEN_S = 2
STATISTIC_ROWS_A_DAY = DAY_S // 300 + DAY_S // 3600
"""Of each statistic: those of 5 minutes, which are kept for some days, and those of hours."""
FLOOR_POLLS = 300


class Usage(NamedTuple):
    """What was used up to a moment."""

    at: float
    cpu_s: float
    rows: int
    frames: int
    requests: int

    def since(self, earlier: Usage) -> Usage:
        """Return what was used from an earlier moment on."""
        return Usage(*map(operator.sub, self, earlier, strict=True))

    def cpu_beyond(self, idle: Usage) -> float:
        """Return the seconds of CPU above those of a Home Assistant that reads nothing."""
        return self.cpu_s - idle.cpu_s * self.at / idle.at

    @property
    def rows_a_day(self) -> float:
        return self.rows * DAY_S / self.at


class Bench:
    """A Home Assistant under measure, and the inverter that it may read."""

    idle: Usage
    """What it used before it knew of anything."""

    def __init__(self, hass: Hass, inverter: VirtualInverter, seconds: float) -> None:
        self.hass = hass
        self.inverter = inverter
        self.meter: str | None = None
        """The entry of the meter, once Home Assistant knows of one."""
        self._seconds = seconds

    async def used(self) -> Usage:
        """Wait until all is as it stays, and give what is used from then on."""
        await asyncio.sleep(WARM_UP_S)
        before = await self._usage()
        await asyncio.sleep(self._seconds)
        return (await self._usage()).since(before)

    async def _usage(self) -> Usage:
        return Usage(
            at=asyncio.get_running_loop().time(),
            cpu_s=cpu_s(self.hass.pid),
            rows=await self._rows(),
            frames=await self._frames(),
            requests=self.inverter.requests,
        )

    async def _frames(self) -> int:
        """Ask the integration how many frames it has heard."""
        if self.meter is None:
            return 0
        path = f"diagnostics/config_entry/{self.meter}"
        answer = await self.hass.api.request("GET", path)
        return int(answer["data"]["link"]["counters"]["frames"])

    async def _rows(self) -> int:
        """Count the states that the recorder has written of our entities."""
        ours = await self._ours()
        path = self.hass.folder / "home-assistant_v2.db"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            (rows,) = database.execute(
                "SELECT count(*) FROM states JOIN states_meta USING (metadata_id)"
                f" WHERE states_meta.entity_id IN ({', '.join('?' * len(ours))})",
                ours,
            ).fetchone()
        return int(rows)

    async def statistic_rows_a_day(self) -> int:
        """Count the rows of statistics that the recorder writes of our entities in a day."""
        statistics = await self.hass.api.command("recorder/list_statistic_ids")
        ours = set(await self._ours())
        return STATISTIC_ROWS_A_DAY * sum(
            statistic["statistic_id"] in ours for statistic in statistics
        )

    async def _ours(self) -> list[str]:
        everything = await self.hass.api.command("config/entity_registry/list")
        return [entity["entity_id"] for entity in everything if entity["platform"] == DOMAIN]


async def _measure(seconds: float) -> bool:
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        home = Linky(World(), Contract(producer=True))
        meter = VirtualLinky(Linky(), link=folder / "linky")
        producer = VirtualLinky(home, link=folder / "producer", start=NOON)
        inverter = VirtualInverter(Inverter(PROFILES["home"], load=home.load), start=NOON)
        async with meter, producer, inverter, Hass(folder / "hass", level="warning") as hass:
            bench = Bench(hass, inverter, seconds)
            bench.idle = await bench.used()
            light = await _of_a_meter(bench, meter)
            await _of_a_poll(bench)
            return await _of_a_home(bench, producer) and light


async def _of_a_meter(bench: Bench, meter: VirtualLinky) -> bool:
    api = bench.hass.api
    bench.meter = entry_id = await add_meter(api, meter.port)
    default = await bench.used()
    _print_frames("a meter, default options", default, bench.idle)
    step = await api.start_options_flow(entry_id)
    await api.submit_options(step, silence=30, raw_labels=False, **EVERY_FRAME)
    _print_frames("a meter, every frame", await bench.used(), bench.idle)
    bench.meter = None
    await api.remove(entry_id)
    return default.rows_a_day <= MOST_ROWS_A_DAY


async def _of_a_poll(bench: Bench) -> None:
    api, inverter = bench.hass.api, bench.inverter
    entry_id = await add_inverter(api, inverter.host, inverter.port, 1)
    step = await api.start_options_flow(entry_id)
    await api.submit_options(step, interval=OFTEN_S)
    used = await bench.used()
    poll_ms = 1000 * used.cpu_beyond(bench.idle) * OFTEN_S / used.at
    floor = await floor_ms(inverter.host, inverter.port, FLOOR_POLLS)
    print(
        f"an inverter, every {OFTEN_S} s: {poll_ms:.2f} ms of CPU a poll"
        f" of {used.requests * OFTEN_S / used.at:.1f} requests; the registers alone, by"
        f" modbus-connection: {floor:.2f} ms ({poll_ms / floor:.1f} times)",
        flush=True,
    )
    await api.remove(entry_id)


async def _of_a_home(bench: Bench, producer: VirtualLinky) -> bool:
    api, inverter = bench.hass.api, bench.inverter
    bench.meter = await add_meter(api, producer.port)
    solar = await add_inverter(api, inverter.host, inverter.port, 1)
    await add_balance(api, "surplus", **await _sources(api, bench.meter, solar))
    used = await bench.used()
    statistics = await bench.statistic_rows_a_day()
    print(
        f"a meter, an inverter and their balance, default options: {used.rows_a_day:.0f} states"
        f" a day, if it were always noon, and {statistics} rows of statistics,"
        f" {100 * used.cpu_beyond(bench.idle) / used.at:.2f} % of a core",
        flush=True,
    )
    return used.rows_a_day <= MOST_ROWS_A_DAY_OF_A_HOME


async def _sources(api: Api, meter: str, solar: str) -> Mapping[str, str | list[str]]:
    """Return what the flow of the balance proposes."""
    counts = {"energy_drawn", "energy_injected", "active_power_drawn", "active_power_injected"}
    of_meter = await entities_with(api, meter, counts)
    of_inverter = await entities_with(api, solar, {"energy", "power"})
    return {
        "production_energy": [of_inverter["energy"]],
        "production_power": [of_inverter["power"]],
        "drawn_energy": of_meter["energy_drawn"],
        "drawn_power": of_meter["active_power_drawn"],
        "injected_energy": of_meter["energy_injected"],
        "injected_power": of_meter["active_power_injected"],
    }


def _print_frames(what: str, used: Usage, idle: Usage) -> None:
    cpu_s = used.cpu_beyond(idle)
    print(
        f"{what}: {used.rows_a_day:.0f} rows a day,"
        f" {1000 * cpu_s / used.frames:.2f} ms of CPU a frame"
        f" ({100 * cpu_s / used.at:.2f} % of a core; {used.frames} frames in {used.at:.0f} s)",
        flush=True,
    )


def main(arguments: list[str]) -> int:
    """Print the figures; 1 if a meter or a home writes more rows by default than it may."""
    parser = argparse.ArgumentParser(prog="script/bench hass", description=__doc__)
    parser.add_argument("--seconds", type=float, default=180.0, help="for each of five measures")
    return 0 if asyncio.run(_measure(parser.parse_args(arguments).seconds)) else 1
