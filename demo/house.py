"""script/demo: opens the show house, tells visitors where to look, and closes it on Ctrl-C."""

import argparse
import asyncio
from dataclasses import asdict
import json
import locale
import os
from pathlib import Path
import signal
import socket
import sys
from typing import Final

from demo.hass import HassDied, HassError, Language, free_port
from demo.hass.api import PASSWORD, USER
from demo.hass.folder import ROOT
from demo.kersabiec import Address, House, HouseError, forget
from demo.meter.commands import describe
from demo.terminal import obey_lines, typed_lines

_FOLDER: Final = ROOT / ".demo"
_USUAL_PORT: Final = 8123

_OPENING: Final = """\
Home Assistant démarre à l'école de Kersabiec…
Home Assistant starts at the school of Kersabiec…
"""
_GUIDE: Final = """
  {url}
  Identifiant / User          {user}
  Mot de passe / Password     {password}

À voir :
  le compteur                 {device_page}
  le tableau Énergie          {energy_page}
  les corrections             {repairs_page}
Tapez ici ce qui arrive au compteur (unplug, plug, mode, overload, relieve… ; aide les dit toutes).
Ctrl-C arrête tout ; l'état reste dans {folder}, --fresh repart de zéro.

What to look at:
  the meter                   {device_page}
  the Energy dashboard        {energy_page}
  repairs                     {repairs_page}
Type here what happens to the meter (unplug, plug, mode, overload, relieve…; help tells all).
Ctrl-C ends everything; the state stays in {folder}, --fresh starts anew.
"""


def main() -> None:
    """Run until Ctrl-C or SIGTERM."""
    arguments = _arguments()
    if arguments.fresh:
        forget(arguments.folder)
    try:
        asyncio.run(_run(arguments))
    except KeyboardInterrupt:
        pass
    except (HouseError, HassError, HassDied, OSError) as error:
        sys.exit(f"script/demo: {error}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/demo",
        description="The school of Kersabiec: a Linky, a year of history, and Home Assistant. "
        "| L'école de Kersabiec : un Linky, un an d'historique, et Home Assistant.",
        epilog="Commands to the meter, one a line on standard input:\n" + describe(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, help="of the pages (default: 8123, or a free one)")
    parser.add_argument("--fresh", action="store_true", help="forget what was | repartir de zéro")
    parser.add_argument(
        "--language", choices=("en", "fr"), default=_language(), help="of a new home"
    )
    parser.add_argument(
        "--json", action="store_true", help="print one line of JSON when all is up, nothing else"
    )
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="where the state is kept")
    return parser.parse_args()


def _language() -> Language:
    name = locale.setlocale(locale.LC_MESSAGES, "") if os.environ.get("LANG") else ""
    return "fr" if name.startswith("fr") else "en"


async def _run(arguments: argparse.Namespace) -> None:
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    house = House(
        arguments.folder.absolute(),
        port=arguments.port or _port(),
        language=arguments.language,
    )
    try:
        if not arguments.json:
            print(_OPENING, flush=True)
        address = await house.open()
        print(
            _as_json(address) if arguments.json else _guide(address, arguments.folder), flush=True
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(obey_lines(house.meter, typed_lines()))
            group.create_task(house.live())
    except asyncio.CancelledError:
        # Ctrl-C while it is being closed is one too many: the second one ends at once.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)
    finally:
        await house.close()


def _port() -> int:
    """The port that everybody knows, unless something listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", _USUAL_PORT))
        except OSError:
            return free_port()
    return _USUAL_PORT


def _guide(address: Address, folder: Path) -> str:
    return _GUIDE.format(
        url=address.url,
        user=USER,
        password=PASSWORD,
        device_page=address.device_page,
        energy_page=address.energy_page,
        repairs_page=address.repairs_page,
        folder=folder,
    )


def _as_json(address: Address) -> str:
    pages = {"energy_page": address.energy_page, "repairs_page": address.repairs_page}
    return json.dumps({**asdict(address), **pages, "username": USER, "password": PASSWORD})


if __name__ == "__main__":
    main()
