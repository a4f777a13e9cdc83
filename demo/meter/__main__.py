"""script/linky: a virtual Linky on a port, obeying commands from standard input."""

import argparse
import asyncio
from datetime import datetime
from pathlib import Path
import sys

from consometers_tic import Mode
from consometers_tic_virtual import Contract, Faults, Linky, Option, VirtualLinky
from consometers_tic_virtual.world import HOUSEHOLD, SCHOOL, World
from demo.processes.commands import stop_signal, typed_lines

from .commands import COMMANDS

_SITES = {site.name: site for site in (HOUSEHOLD, SCHOOL)}
_REFERENCE_KVA = {1: 9, 3: 36}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/linky",
        description="A virtual Linky, to read instead of a real one.",
        epilog="Commands, one a line on standard input:\n" + COMMANDS.describe(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    port = parser.add_mutually_exclusive_group()
    port.add_argument("--link", type=Path, help="path for the pseudo-terminal (default: none)")
    port.add_argument("--tcp", type=int, metavar="PORT", help="a TCP port instead; 0: a free one")
    parser.add_argument("--mode", choices=list(Mode), type=Mode, default=Mode.STANDARD)
    parser.add_argument("--option", choices=list(Option), type=Option, default=Option.BASE)
    parser.add_argument("--phases", choices=(1, 3), type=int, default=1)
    parser.add_argument("--producer", action="store_true", help="the meter reports injection")
    parser.add_argument("--kva", type=int, help="subscribed power (default: 9, or 36 on 3 phases)")
    parser.add_argument("--site", choices=list(_SITES), default=HOUSEHOLD.name)
    parser.add_argument("--kwp", type=float, help="peak power of the panels (default: the site's)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster than a real one")
    parser.add_argument(
        "--start", type=datetime.fromisoformat, help="meter's time, ISO 8601 (default: now)"
    )
    parser.add_argument("--noise", type=float, default=0.0, metavar="RATE", help="bytes altered")
    parser.add_argument("--lose", type=float, default=0.0, metavar="RATE", help="bytes lost")
    parser.add_argument("--bursts", type=float, default=0.0, metavar="RATE", help="bursts lost")
    parser.add_argument(
        "--do", action="append", default=[], metavar="COMMAND", help="obey this at the start"
    )
    return parser.parse_args()


def _virtual_linky(arguments: argparse.Namespace) -> VirtualLinky:
    contract = Contract(
        option=arguments.option,
        reference_kva=arguments.kva or _REFERENCE_KVA[arguments.phases],
        phases=arguments.phases,
        producer=arguments.producer,
    )
    world = World(
        _SITES[arguments.site], kwp=arguments.kwp, phases=arguments.phases, seed=arguments.seed
    )
    return VirtualLinky(
        Linky(world, contract, mode=arguments.mode, seed=arguments.seed),
        link=arguments.link,
        tcp=arguments.tcp,
        speed=arguments.speed,
        start=None if arguments.start is None else arguments.start.timestamp(),
        faults=Faults(arguments.noise, arguments.lose, arguments.bursts),
        seed=arguments.seed,
    )


def _introduce(linky: VirtualLinky) -> None:
    meter = linky.linky
    contract = meter.contract
    print(
        f"A virtual Linky {meter.identity.address} on {linky.port}\n"
        f"  {meter.mode} mode, option {contract.option}, {contract.reference_kva} kVA, "
        f"{contract.phases} phase{'s' if contract.phases > 1 else ''}, "
        f"{'producer' if contract.producer else 'consumer'}; {meter.world.site.name}, "
        f"{meter.world.kwp:g} kWp of panels\n"
        f"  Read it:    script/tic {linky.port}\n"
        f"  Stop it:    Ctrl-C. Commands: help",
        flush=True,
    )


async def _run(arguments: argparse.Namespace) -> None:
    stopped, lines = stop_signal(), typed_lines(arguments.do)
    async with _virtual_linky(arguments) as linky:
        _introduce(linky)
        await COMMANDS.obey_until(stopped, linky, lines, linky.wait())


def main() -> None:
    """Run until Ctrl-C or SIGTERM."""
    try:
        asyncio.run(_run(_arguments()))
    except OSError as error:
        sys.exit(f"script/linky: {error}")


if __name__ == "__main__":
    main()
