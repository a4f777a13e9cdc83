"""script/demo: opens the show house, says where to look, and closes it on Ctrl-C."""

import argparse
import asyncio
from contextlib import AsyncExitStack
from dataclasses import asdict
from functools import partial
import json
from operator import attrgetter
import os
from pathlib import Path
import shutil
import signal
import sys
from typing import Final

import demo.school.node
import demo.servers.program

from .collectives import around
from .collectives.around import ProgressPrinter, PublishedPrinter
from .collectives.federation import FOLDERS, FULL, SMALL, Federation
from .hass import HassDied, HassError, Language, free_port
from .hass.api import PASSWORD, USER
from .hass.folder import ROOT
from .inverter.commands import COMMANDS as INVERTER_COMMANDS
from .meter.commands import COMMANDS as METER_COMMANDS
from .processes.commands import Command, Commands, typed_lines
from .school.furnishing import HouseError, collective_page
from .school.kersabiec import HASS, MEMORY, Address, House, Indoors
from .school.node import DOMAIN, OBSERVER, SERVER, Node
from .servers.program import PASSWORD as XMPP_PASSWORD, NodeError, closed
from .servers.prosody import LOOPBACK, Authority, Prosody

_FOLDER: Final = ROOT / ".demo"
_USUAL_PORT: Final = 8123
_USUAL_XMPP_PORT: Final = 5222
_USUAL_MODBUS_PORT: Final = 1502
_OF_LANGUAGE: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_OPENING: Final = """\
Home Assistant démarre à l’école de Kersabiec…
Home Assistant starts at the school of Kersabiec…
"""
_GUIDE: Final = """
  {address.url}
  Identifiant / User          {user}
  Mot de passe / Password     {password}

À voir :
  le compteur                 {address.device_page}
  celui des panneaux          {address.roof_meter_page}
  leur onduleur               {address.inverter_page}
  le bilan                    {address.balance_page}
  le tableau Énergie          {address.energy_page}
  les corrections             {address.repairs_page}
Tapez ici ce qui arrive au compteur (unplug, plug, mode, overload, relieve… ; aide les dit toutes)
ou, après « inverter », à l’onduleur (night refuses, fail, mend, jump, unplug, plug…).
Ctrl-C arrête tout ; l’état reste dans {folder}, --fresh repart de zéro.

What to look at:
  the meter                   {address.device_page}
  that of the panels          {address.roof_meter_page}
  their inverter              {address.inverter_page}
  the balance                 {address.balance_page}
  the Energy dashboard        {address.energy_page}
  repairs                     {address.repairs_page}
Type here what happens to the meter (unplug, plug, mode, overload, relieve…; help lists all)
or, after “inverter”, to the inverter (night refuses, fail, mend, jump, unplug, plug…).
Ctrl-C ends everything; the state stays in {folder}, --fresh starts over.
"""
_NODE_GUIDE: Final = """\
  Partage / Sharing           {node.page}
  Tableau / Dashboard         {indoors.dashboard_page}
  Nœud / Node                 {node.jid}
  Observateur / Observer      {observer}
  Mot de passe / Password     {password}
  Serveur / Server            {host}:{node.server.port}
  Autorité / Authority        {node.server.ca_file}
  Lecture / To read it        {reader}
  Séries / Series             {series}

  {node.command}

Le nœud de l’école laisse un observateur lire un an de ses compteurs et de son onduleur. Cette
commande lit les dernières 24 heures de ce qu’elle soutire ; avec --start 2026-01-01 elle lit plus,
avec --output an.csv elle l’écrit.
Tout client Quoalise lit de même : connecté comme l’observateur, il demande get_history au nœud.
La page de lecture, écrite dans un autre langage, en est un : dans un navigateur, avec ce compte.

The school's node lets an observer read a year of its meters and of its inverter. This command
reads the last 24 hours of what it draws; with --start 2026-01-01 it reads more, with --output
year.csv it writes that.
Any Quoalise client reads the same: logged in as the observer, it asks the node for get_history.
The page to read it, written in another language, is one: in a browser, with that account.
"""
_NO_PROSODY: Final = """\
Prosody, le serveur XMPP, manque : l’école n’a pas de nœud. (Debian : apt install prosody)
Prosody, the XMPP server, is missing: the school has no node. (Debian: apt install prosody)
"""


COMMANDS: Final = Commands[House](
    *METER_COMMANDS.of(attrgetter("meter")),
    Command(
        "inverter COMMAND",
        "to the inverter: night, fail, mend, jump, unplug, plug…",
        lambda house, words: INVERTER_COMMANDS.obey(house.inverter, " ".join(words)),
    ),
)


def main() -> None:
    """Run until Ctrl-C or SIGTERM."""
    arguments = _arguments()
    if arguments.fresh:
        forget(arguments.folder)
    complaint = None
    try:
        asyncio.run(_run(arguments))
    except* KeyboardInterrupt:
        pass
    except* (HouseError, NodeError, HassError, HassDied, OSError) as group:
        complaint = _first(group)
    if complaint is not None:
        sys.exit(f"script/demo: {complaint}")


def forget(folder: Path) -> None:
    """Remove the files of all parts of the demo from its folder, and no others."""
    for name in (HASS, demo.school.node.FOLDER, SERVER, *FOLDERS):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / MEMORY).unlink(missing_ok=True)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/demo",
        description="The school of Kersabiec: its Linky, the panels on its roof, two years of "
        "history, and Home Assistant; around it homes, their cooperative, their municipality. | "
        "L’école de Kersabiec : son Linky, les panneaux de son toit, deux ans d’historique, et "
        "Home Assistant ; autour d’elle des foyers, leur coopérative, leur commune.",
        epilog="Commands, one a line on standard input:\n" + COMMANDS.describe(),
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
    others = parser.add_mutually_exclusive_group()
    others.add_argument(
        "--small",
        action="store_true",
        help=f"{SMALL.homes} homes around the school, and a month of them, instead of "
        f"{FULL.homes} with two years | {SMALL.homes} foyers autour de l’école, et un mois, au "
        f"lieu de {FULL.homes} avec deux ans",
    )
    others.add_argument(
        "--school",
        action="store_true",
        help="nobody around it, up in seconds from the second time on | l’école seule, prête en "
        "quelques secondes dès la deuxième fois",
    )
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="where the state is kept")
    return parser.parse_args()


def _language() -> Language:
    """The language that is asked for, though no locale of that name may be installed."""
    locale = next(filter(None, map(os.environ.get, _OF_LANGUAGE)), "")
    return "fr" if locale.lower().startswith("fr") else "en"


async def _run(arguments: argparse.Namespace) -> None:
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, task.cancel)
    async with AsyncExitStack() as stack:
        try:
            house, node, federation = await _prepare(arguments, stack)
            await _live(house, node, federation, as_json=arguments.json)
        except asyncio.CancelledError:
            # Ctrl-C while it is being closed is one too many: the second one ends at once.
            for number in _SIGNALS:
                loop.remove_signal_handler(number)


async def _prepare(
    arguments: argparse.Namespace, stack: AsyncExitStack
) -> tuple[House, Node | None, Federation | None]:
    """Return the parts to open, and have them closed in the end."""
    folder = arguments.folder.absolute()
    node = federation = None
    if demo.school.node.is_missing():
        print(_NO_PROSODY, file=sys.stderr, flush=True)
    else:
        port = free_port(_USUAL_XMPP_PORT)
        warm = stack.enter_context(demo.servers.program.warm())
        if arguments.school:
            server = Prosody(DOMAIN, Authority(folder / SERVER), folder / SERVER, port=port)
        else:
            size, hear = SMALL if arguments.small else FULL, ProgressPrinter(quiet=arguments.json)
            federation = Federation(folder, size, hear, warm, port=port)
            server = federation.school_server
        node = Node(folder, server, warm)
    house = House(
        folder,
        port=arguments.port or free_port(_USUAL_PORT),
        inverter_port=_USUAL_MODBUS_PORT,
        language=arguments.language,
        supervised=None if node is None else node.supervised,
    )
    stack.push_async_callback(closed, *(part for part in (node, federation, house) if part))
    return house, node, federation


async def _live(
    house: House, node: Node | None, federation: Federation | None, *, as_json: bool
) -> None:
    """Open everything, print where to look, and run typed commands, for ever."""
    if not as_json:
        print(_OPENING, flush=True)
    async with asyncio.TaskGroup() as group:
        beginning = group.create_task(_begin(node, federation))
        address = await house.open()
        if not as_json:
            guide = _GUIDE.format(
                address=address, user=USER, password=PASSWORD, folder=house.folder
            )
            print(guide, flush=True)
        group.create_task(COMMANDS.obey_lines(house, typed_lines()))
        group.create_task(house.live())
        await beginning
        indoors = at_home = summing = None
        if node is not None:
            await node.open(house.hass, await house.registers())
            group.create_task(node.program.live())
            if federation is not None:
                group.create_task(federation.live())
                if not as_json:
                    print(around.waiting(federation.size), flush=True)
                # Homes start to send while a visitor looks at the school.
                summing = group.create_task(
                    federation.open(
                        partial(_first_page, federation, as_json=as_json),
                        PublishedPrinter(quiet=as_json),
                    )
                )
            await node.until_read()
            indoors = await house.take_in_node()
            if not as_json:
                print(_node_guide(node, indoors), flush=True)
        if summing is not None and federation is not None and indoors is not None:
            await summing
            at_home = await collective_page(house.hass.api, indoors.entry_id)
            if not as_json:
                print(around.guide(federation, at_home), flush=True)
        if as_json:
            print(_as_json(address, node, indoors, federation, at_home), flush=True)


def _first_page(federation: Federation, *, as_json: bool) -> None:
    if not as_json:
        print(around.first_page(federation), flush=True)


async def _begin(node: Node | None, federation: Federation | None) -> None:
    """Do everything that needs no Home Assistant, while that starts."""
    async with asyncio.TaskGroup() as starting:
        if node is not None:
            starting.create_task(node.start())
        if federation is not None:
            starting.create_task(federation.start())
    if node is not None and federation is not None:
        await federation.gather(node)


def _node_guide(node: Node, indoors: Indoors) -> str:
    return _NODE_GUIDE.format(
        node=node,
        indoors=indoors,
        observer=OBSERVER,
        password=XMPP_PASSWORD,
        host=LOOPBACK,
        reader=node.reader or "–",
        series=around.column(series["identifier"] for series in node.series),
    )


def _as_json(
    address: Address,
    node: Node | None,
    indoors: Indoors | None,
    federation: Federation | None,
    at_home: str | None,
) -> str:
    pages = {
        "energy_page": address.energy_page,
        "repairs_page": address.repairs_page,
        "dashboard_page": None if indoors is None else indoors.dashboard_page,
    }
    house = {**asdict(address), **pages, "username": USER, "password": PASSWORD}
    of_node = _node_as_json(node, indoors)
    return json.dumps({**house, **of_node, **around.as_json(federation, at_home)})


def _node_as_json(node: Node | None, indoors: Indoors | None) -> dict[str, object]:
    """What an observer needs; null without a node."""
    if node is None or indoors is None:
        return {"xmpp": None, "node": None, "observer": None, "series": [], "command": None}
    return {
        "xmpp": {
            "domain": DOMAIN,
            "host": LOOPBACK,
            "port": node.server.port,
            "ca_file": str(node.server.ca_file),
        },
        "node": {
            "jid": node.jid,
            "page": node.page,
            "reader": node.reader,
            "entry_id": indoors.entry_id,
            "device_page": indoors.node_page,
        },
        "observer": {
            "jid": OBSERVER,
            "password": XMPP_PASSWORD,
            "password_file": str(node.password_file),
        },
        "series": node.series,
        "command": node.command,
    }


if __name__ == "__main__":
    main()
