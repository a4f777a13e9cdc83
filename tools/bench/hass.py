"""script/bench hass: what a meter costs a Home Assistant, in rows a day and in CPU a frame.

A real Home Assistant reads a virtual single-phase meter in standard mode, at its true pace, on a
pseudo-terminal. Its CPU is counted against its own before it knew of the meter.
"""

import argparse
import asyncio
from dataclasses import dataclass
import os
from pathlib import Path
import sqlite3
from tempfile import TemporaryDirectory

from demo.hass import Hass
from demo.meter import Linky, VirtualLinky

MOST_ROWS_A_DAY = 25_000
DAY_S = 86_400
WARM_UP_S = 75.0
"""Until the derived power is known and the first values of all entities are written."""
EVERY_FRAME = {"power_interval": 0, "register_interval": 0}


@dataclass(frozen=True)
class Usage:
    """What was used up to a moment."""

    at: float
    cpu_s: float
    rows: int
    frames: int

    def since(self, earlier: Usage) -> Usage:
        """Give what was used from an earlier moment on."""
        return Usage(
            self.at - earlier.at,
            self.cpu_s - earlier.cpu_s,
            self.rows - earlier.rows,
            self.frames - earlier.frames,
        )


class Bench:
    """A Home Assistant under measure. `entry_id` is set once it knows of the meter."""

    def __init__(self, hass: Hass) -> None:
        self._hass = hass
        self.entry_id: str | None = None

    async def over(self, seconds: float) -> Usage:
        """Give what is used in that time."""
        before = await self._usage()
        await asyncio.sleep(seconds)
        return (await self._usage()).since(before)

    async def _usage(self) -> Usage:
        stat = Path(f"/proc/{self._hass.pid}/stat").read_text().rpartition(")")[2].split()
        ticks = int(stat[11]) + int(stat[12])
        return Usage(
            at=asyncio.get_running_loop().time(),
            cpu_s=ticks / os.sysconf("SC_CLK_TCK"),
            rows=self._rows(),
            frames=await self._frames(),
        )

    async def _frames(self) -> int:
        """Ask the integration how many frames it has heard."""
        if self.entry_id is None:
            return 0
        path = f"diagnostics/config_entry/{self.entry_id}"
        answer = await self._hass.api.request("GET", path)
        return int(answer["data"]["link"]["counters"]["frames"])

    def _rows(self) -> int:
        """Count the states that the recorder has written of our entities."""
        path = self._hass.folder / "home-assistant_v2.db"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            (rows,) = database.execute(
                "SELECT count(*) FROM states JOIN states_meta USING (metadata_id)"
                " WHERE states_meta.entity_id LIKE '%.linky%'"
            ).fetchone()
        return int(rows)


async def _measure(seconds: float) -> bool:
    with TemporaryDirectory() as folder:
        meter = VirtualLinky(Linky(), link=Path(folder) / "linky")
        async with meter, Hass(Path(folder) / "hass", level="warning") as hass:
            bench = Bench(hass)
            await asyncio.sleep(WARM_UP_S)
            idle = await bench.over(seconds)
            step = await hass.api.start_flow("consometers", choice="meter")
            step = await hass.api.submit(step, device=meter.port)
            bench.entry_id = entry_id = (await hass.api.submit(step))["result"]["entry_id"]
            await asyncio.sleep(WARM_UP_S)
            default = await bench.over(seconds)
            light = _print("default options", default, idle)
            step = await hass.api.start_options_flow(entry_id)
            await hass.api.submit_options(step, silence=30, raw_labels=False, **EVERY_FRAME)
            await asyncio.sleep(WARM_UP_S)
            _print("every frame", await bench.over(seconds), idle)
    return light


def _print(what: str, used: Usage, idle: Usage) -> bool:
    rows_a_day = used.rows * DAY_S / used.at
    cpu_s = used.cpu_s - idle.cpu_s * used.at / idle.at
    print(
        f"{what}: {rows_a_day:.0f} rows a day,"
        f" {1000 * cpu_s / used.frames:.2f} ms of CPU a frame"
        f" ({100 * cpu_s / used.at:.2f} % of a core; {used.frames} frames in {used.at:.0f} s)",
        flush=True,
    )
    return rows_a_day <= MOST_ROWS_A_DAY


def main(arguments: list[str]) -> int:
    """Print the figures; 1 if the default writes more rows than it may."""
    parser = argparse.ArgumentParser(prog="script/bench hass", description=__doc__)
    parser.add_argument("--seconds", type=float, default=180.0, help="for each of three measures")
    return 0 if asyncio.run(_measure(parser.parse_args(arguments).seconds)) else 1
