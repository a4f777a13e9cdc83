"""The command `run`: runs the node of a household, a collective or a host until it is stopped."""

import json
import os
import sys
from typing import Annotated, Literal

import typer

from consometers_node.cli.core.errors import misused
from consometers_node.cli.core.locale import say
from consometers_node.cli.core.options import Ours
from consometers_node.cli.core.usage import Commands
from consometers_node.i18n.text import text

_NO_PAGE = text(
    "is for a household's node: set the address of other nodes' pages in their settings."
)
commands = Commands()


@commands.add(
    "run",
    text(
        "A household's node reads Home Assistant, answers its peers and sends them the data it"
        " allowed, nothing else. A collective's node collects the data its members allowed, sums"
        " it, and publishes the sums of enough homes. A host runs the nodes of households that"
        " have no Home Assistant. The log goes to stderr."
    ),
)
def run(
    common: Ours,
    *,
    role: Annotated[
        Literal["household", "collective", "host"],
        typer.Option(
            metavar="household|collective|host",
            envvar="CONSOMETERS_ROLE",
            help=say("The owner of this node."),
        ),
    ] = "household",
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        typer.Option(
            metavar="debug|info|warning|error",
            help=say("The level of detail of the log."),
        ),
    ] = "info",
    page: Annotated[
        str | None,
        typer.Option(
            metavar=say("HOST:PORT"),
            help=say(
                "Serve the page and the API of a household at this address; the page only"
                " through Home Assistant's ingress. Without this option, an account must already"
                " exist."
            ),
        ),
    ] = None,
    ingress: Annotated[
        list[str] | None, typer.Option(envvar="CONSOMETERS_INGRESS", hidden=True)
    ] = None,
    haste: Annotated[float, typer.Option(envvar="CONSOMETERS_HASTE", hidden=True, min=1)] = 1,
) -> None:
    """Run until SIGTERM or Ctrl-C.

    For tests: `ingress` are addresses that are let in as Home Assistant's is; with haste, all
    waits are that many times shorter.
    """
    if role != "household" and page is not None:
        raise misused("--page", _NO_PAGE)
    # A role never loads another one's modules.
    if role == "collective":
        from . import running_collective  # noqa: PLC0415

        running_collective.run(common, log_level, haste)
    elif role == "host":
        from . import running_host  # noqa: PLC0415

        running_host.run(common, log_level, haste)
    else:
        options = {
            "data": None if common.data is None else str(common.data),
            "as_json": common.as_json,
            "log_level": log_level,
            "page": page,
            "ingress": ingress,
            "haste": haste,
        }
        # The command-line parser would stay loaded, with 2 MB of a home's memory.
        program = (sys.executable, "-P", "-m", f"{__package__}.running_home", json.dumps(options))
        os.execv(program[0], program)  # noqa: S606  # it is this very program
