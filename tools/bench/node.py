"""script/bench node: the memory that a household's node takes with nothing to do.

It is on the network of a real Prosody, and connected to a real Home Assistant.
"""

import argparse
import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from demo.hass import Hass
from demo.program import Program, warm
from demo.prosody import Authority, Prosody

from .backfill import PASSWORD, running, set_up
from .process import Memory

MOST_MIB = 70.0
AS_IN_THE_IMAGE = {"PYTHONOPTIMIZE": "2", "PYTHONNODEBUGRANGES": "1"}


def main(arguments: list[str]) -> int:
    """Print the figure; 1 if it is too much."""
    parser = argparse.ArgumentParser(prog="script/bench node", description=__doc__)
    parser.add_argument("--rest", type=float, default=60.0, help="seconds until memory is idle")
    memory = asyncio.run(_measure(parser.parse_args(arguments).rest))
    print(f"memory of the node: {memory}; resident at most {MOST_MIB:.0f} MiB are wanted")
    return 0 if memory.resident <= MOST_MIB else 1


async def _measure(rest_s: float) -> Memory:
    with TemporaryDirectory() as place, warm() as commands:
        folder = Path(place)
        (folder / "node").mkdir()
        node = Program(folder / "node", folder / "node.log", commands, AS_IN_THE_IMAGE)
        async with Hass(folder / "hass", level="warning") as hass:
            with Prosody("one.test", Authority(folder / "authority")) as server:
                (home,) = server.register_all(["home"], PASSWORD)
                await set_up(node, hass, server, home)
                async with running(node):
                    await asyncio.sleep(rest_s)
                    return Memory.of(node.pid)
