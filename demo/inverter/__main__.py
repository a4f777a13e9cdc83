"""script/inverter: a virtual inverter on a port, obeying commands from standard input."""

import argparse
import asyncio
from datetime import datetime
from pathlib import Path
import signal
import sys

from demo.terminal import obey_lines, typed_lines

from .commands import COMMANDS
from .image import BASE, Image, ImageError
from .inverter import Inverter
from .line import BAUD, BAUDS
from .profiles import PROFILES
from .virtual import VirtualInverter


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/inverter",
        description="A virtual solar inverter, SunSpec over Modbus TCP or RTU.",
        epilog="Commands, one a line on standard input:\n" + COMMANDS.describe(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--port", type=int, default=0, help="TCP port (default: a free one)")
    where.add_argument(
        "--line", type=Path, metavar="PATH", help="be on a serial line: a link to its port"
    )
    parser.add_argument(
        "--baud", type=int, choices=BAUDS, default=BAUD, help=f"its speed (default: {BAUD})"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--profile", choices=list(PROFILES), default="home")
    what.add_argument(
        "--image", type=Path, help="serve these registers of a real device: JSON or CSV"
    )
    parser.add_argument("--unit", type=int, default=1, help="unit id of the first (default: 1)")
    parser.add_argument("--units", type=int, default=1, help="how many are behind this port")
    parser.add_argument(
        "--base", type=int, default=BASE, help=f"where the map is (default: {BASE})"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster than a real one")
    parser.add_argument(
        "--start", type=datetime.fromisoformat, help="inverter's time, ISO 8601 (default: now)"
    )
    parser.add_argument(
        "--do", action="append", default=[], metavar="COMMAND", help="obey this at the start"
    )
    return parser.parse_args()


def _virtual_inverter(arguments: argparse.Namespace) -> VirtualInverter:
    units: dict[int, Inverter | Image] = {}
    for nth in range(arguments.units):
        units[arguments.unit + nth] = (
            Image.load(arguments.image)
            if arguments.image
            else Inverter(
                PROFILES[arguments.profile], seed=arguments.seed + nth, base=arguments.base
            )
        )
    return VirtualInverter(
        units,
        port=arguments.port,
        line=arguments.line,
        baud=arguments.baud,
        speed=arguments.speed,
        start=None if arguments.start is None else arguments.start.timestamp(),
        seed=arguments.seed,
    )


def _introduce(inverter: VirtualInverter) -> None:
    at = inverter.device or f"{inverter.host}, port {inverter.port}"
    print(f"A virtual inverter on {at}")
    for unit_id, unit in inverter.units.items():
        print(f"  unit {unit_id}: {_describe(unit)}")
    print("  Stop it:    Ctrl-C. Commands: help", flush=True)


def _describe(unit: Inverter | Image) -> str:
    if isinstance(unit, Image):
        return f"{len(unit.registers)} registers of a file"
    profile = unit.profile
    return (
        f"{profile.name} {unit.serial}, {profile.kwp:g} kWp, "
        f"{profile.phases} phase{'s' if profile.phases > 1 else ''}, "
        f"model {profile.inverter_model}"
    )


async def _until(stopped: asyncio.Event) -> None:
    await stopped.wait()


async def _run(arguments: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    lines = typed_lines()
    for line in arguments.do:
        lines.put_nowait(line)
    async with _virtual_inverter(arguments) as inverter:
        _introduce(inverter)
        tasks = [
            asyncio.create_task(work)
            for work in (obey_lines(COMMANDS, inverter, lines), inverter.wait(), _until(stopped))
        ]
        ended, running = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in running:
            task.cancel()
        for task in ended:
            task.result()


def main() -> None:
    """Run until Ctrl-C or SIGTERM."""
    try:
        asyncio.run(_run(_arguments()))
    except (ImageError, OSError) as error:
        sys.exit(f"script/inverter: {error}")


if __name__ == "__main__":
    main()
