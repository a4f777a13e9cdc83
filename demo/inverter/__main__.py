"""script/inverter: a virtual inverter on a port, obeying commands from standard input."""

import argparse
import asyncio
from collections.abc import Callable
from datetime import datetime
from math import inf
from pathlib import Path
import signal
import sys

from demo.processes.commands import stop_signal, typed_lines

from .commands import COMMANDS
from .image import BASE, Image, ImageError
from .inverter import Inverter
from .line import BAUD, BAUDS
from .profiles import PROFILES
from .virtual import VirtualInverter

UNITS = range(256)
UNITS_ON_A_LINE = range(1, 248)
"""Ids that a reader can ask for. Source: Modbus over Serial Line V1.02 §2.2."""


def _whole(least: int, most: int) -> Callable[[str], int]:
    def whole(typed: str) -> int:
        if not typed.isdecimal() or not least <= int(typed) <= most:
            raise argparse.ArgumentTypeError(f"{typed!r} is no number from {least} to {most}")
        return int(typed)

    return whole


def _speed(typed: str) -> float:
    speed = float(typed)
    if not 0 <= speed < inf:
        raise argparse.ArgumentTypeError(f"{typed!r} is no speed")
    return speed


def _time(typed: str) -> datetime:
    try:
        return datetime.fromisoformat(typed)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{typed!r} is no time in ISO 8601") from None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/inverter",
        description="A virtual solar inverter, SunSpec over Modbus TCP or RTU.",
        epilog="Commands, one a line on standard input:\n" + COMMANDS.describe(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--port", type=_whole(0, 65_535), default=0, help="TCP port (default: a free one)"
    )
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
    parser.add_argument(
        "--unit", type=_whole(0, 255), default=1, help="unit id of the first (default: 1)"
    )
    parser.add_argument(
        "--units", type=_whole(1, 256), default=1, help="how many are behind this port"
    )
    parser.add_argument(
        "--base", type=_whole(0, 65_000), default=BASE, help=f"where the map is (default: {BASE})"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=_speed, default=1.0, help="how much faster than a real one")
    parser.add_argument("--start", type=_time, help="inverter's time, ISO 8601 (default: now)")
    parser.add_argument(
        "--do", action="append", default=[], metavar="COMMAND", help="obey this at the start"
    )
    arguments = parser.parse_args()
    ids = UNITS if arguments.line is None else UNITS_ON_A_LINE
    first, last = arguments.unit, arguments.unit + arguments.units - 1
    if first not in ids or last not in ids:
        parser.error(f"units {first} to {last}: there are {ids[0]} to {ids[-1]}")
    return arguments


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


async def _run(arguments: argparse.Namespace) -> None:
    lines = typed_lines(arguments.do)
    async with _virtual_inverter(arguments) as inverter:
        stopped = stop_signal()
        _introduce(inverter)
        await COMMANDS.obey_until(stopped, inverter, lines, inverter.wait())


def main() -> None:
    """Run until Ctrl-C or SIGTERM."""
    arguments = _arguments()
    # While it starts a thread adds years up, and cannot be stopped: either ends it by itself.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        asyncio.run(_run(arguments))
    except (ImageError, OSError) as error:
        sys.exit(f"script/inverter: {error}")


if __name__ == "__main__":
    main()
