"""script/bench node: the memory that a household's node takes with nothing to do.

It is on the network of a real Prosody, and connected to a real Home Assistant.
"""

import argparse
import asyncio
from collections.abc import Mapping
import os
from pathlib import Path
import shutil
import subprocess
import sys
import sysconfig
from tempfile import TemporaryDirectory

from demo.hass import Hass
from demo.hass.folder import ROOT
from demo.servers.program import Program, environment, warm
from demo.servers.prosody import Authority, Prosody
from tools.bench.harness.process import Memory
from tools.bench.harness.programs import PASSWORD, running, set_up

MOST_MIB = 70.0
AS_IN_THE_IMAGE = {
    "PYTHONOPTIMIZE": "2",
    "PYTHONNODEBUGRANGES": "1",
    "SSL_CERT_DIR": "/etc/ssl/certs",
    "SSL_CERT_FILE": os.devnull,
}
"""By the Dockerfile, and by the script that runs the node."""
_TRIMMED = ("babel", "pyasn1_modules", "pygments", "slixmpp", "sqlalchemy")
"""Packages of which `addon/trim` leaves less in the image."""
_COMPILE = (
    "import consometers_node.cli.app, consometers_node.cli.node.running_home,"
    " consometers_node.web.site"
)
"""As the image is built: a start that compiles would take 5 MB more."""


def main(arguments: list[str]) -> int:
    """Print the figure; 1 if it is too much."""
    parser = argparse.ArgumentParser(prog="script/bench node", description=__doc__)
    parser.add_argument("--rest", type=float, default=60.0, help="seconds until memory is idle")
    memory = asyncio.run(_measure(parser.parse_args(arguments).rest))
    print(f"memory of the node: {memory}; resident at most {MOST_MIB:.0f} MiB are wanted")
    return 0 if memory.resident <= MOST_MIB else 1


async def _measure(pause_s: float) -> Memory:
    with TemporaryDirectory() as place, warm() as commands:
        folder = Path(place)
        (folder / "node").mkdir()
        variables = _as_in_the_image(ROOT / ".cache" / "trimmed")
        node = Program(folder / "node", folder / "node.log", commands, variables)
        async with Hass(folder / "hass", level="warning") as hass:
            with Prosody("one.test", Authority(folder / "authority")) as server:
                (home,) = server.register_all(["home"], PASSWORD)
                await set_up(node, hass, server, home)
                async with running(node):
                    await asyncio.sleep(pause_s)
                    return Memory.of(node.pid)


def _as_in_the_image(packages: Path) -> Mapping[str, str]:
    """Trim packages into a folder, and return the variables by which a node takes them."""
    shutil.rmtree(packages, ignore_errors=True)
    installed = Path(sysconfig.get_path("purelib"))
    for name in _TRIMMED:
        shutil.copytree(installed / name, packages / name)
    subprocess.run((ROOT / "addon" / "trim", packages), check=True)
    inherited = environment(packages)
    paths = {"PYTHONPATH": os.pathsep.join((str(packages), inherited["PYTHONPATH"]))}
    variables = {**AS_IN_THE_IMAGE, **paths}
    subprocess.run(
        (sys.executable, "-P", "-c", _COMPILE), env={**inherited, **variables}, check=True
    )
    return variables
