"""The program: its commands by name, each loaded when it is called.

A command is an entry of `COMMANDS` and a function in its module, which adds it to its `commands`
(`usage.Commands`). It prints with `output` and raises what went wrong.
"""

import sys

import typer

from consometers_node.i18n.text import text

from .core import environment
from .core.locale import say
from .core.output import Output, exit_status, prepare_streams
from .core.usage import CommandEntry, LazyGroup, usage_error

PROGRAM = "consometers-node"
COMMANDS = {
    "run": CommandEntry("node.run", text("Run this node.")),
    "status": CommandEntry("node.status", text("Show the status of this node.")),
    "home": CommandEntry(
        "household.home", text("Test the Home Assistant of this node, and save it.")
    ),
    "add-file": CommandEntry(
        "household.files", text("Show a file of energy, and keep its readings.")
    ),
    "files": CommandEntry("household.files", text("List the files of a home, or remove one.")),
    "delivery-point": CommandEntry(
        "node.account", text("Save the number of the home's delivery point.")
    ),
    "join": CommandEntry("node.joining", text("Answer an invitation.")),
    "peer": CommandEntry(
        "node.joining", text("Submit a peer’s data request, from a file, to the household.")
    ),
    "permissions": CommandEntry(
        "household.permissions", text("List the data requests and answers.")
    ),
    "preview": CommandEntry(
        "household.permissions", text("Show the actual records that would leave.")
    ),
    "grant": CommandEntry("household.permissions", text("Allow a data request.")),
    "code": CommandEntry(
        "household.permissions", text("Save the code for the witness of a protected sum.")
    ),
    "refuse": CommandEntry("household.permissions", text("Refuse a data request.")),
    "withdraw": CommandEntry("household.permissions", text("Stop all sharing, at once.")),
    "access": CommandEntry(
        "household.access", text("Ask a collective for all that it holds about this home.")
    ),
    "import": CommandEntry(
        "household.pulling",
        text("Import a peer’s series into Home Assistant, and keep it up to date."),
    ),
    "imports": CommandEntry("household.pulling", text("List the imported series.")),
    "api": CommandEntry("node.api", text("Show the token of the node's API.")),
    "export": CommandEntry("node.status", text("Export all data of this node.")),
    "erase": CommandEntry(
        "node.status", text("Withdraw everything and erase all data of this node.")
    ),
    "init": CommandEntry("node.init", text("Set up a collective or a host.")),
    "needs": CommandEntry(
        "collective.needs", text("The data requests of a collective."), group=True
    ),
    "invitations": CommandEntry(
        "collective.invitations", text("Invite people to a collective."), group=True
    ),
    "members": CommandEntry("collective.members", text("The members of a collective."), group=True),
    "messages": CommandEntry(
        "collective.letters", text("Messages of a collective to its members."), group=True
    ),
    "admins": CommandEntry(
        "node.admins",
        text("The administrators of the pages of a collective or a host."),
        group=True,
    ),
    "publication": CommandEntry(
        "collective.publication",
        text("Publication of a collective: preview, then open."),
        group=True,
    ),
    "witness": CommandEntry(
        "collective.witness", text("This node as the witness of other collectives."), group=True
    ),
    "challenges": CommandEntry(
        "collective.challenges",
        text("Challenges between communes and public buildings."),
        group=True,
    ),
    "register": CommandEntry(
        "collective.processing", text("The record of processing of a collective.")
    ),
    "policy": CommandEntry(
        "collective.processing", text("The draft of a collective’s data policy.")
    ),
    "reads": CommandEntry("collective.processing", text("The access log.")),
    "confirm-clock": CommandEntry("node.clock", text("Confirm the clock of this computer.")),
    "checkpoint": CommandEntry(
        "node.moving", text("Write everything into the one database file, before copying it.")
    ),
    "alerts": CommandEntry(
        "collective.alerts", text("The alerts of a collective, by e-mail or webhook."), group=True
    ),
    "backups": CommandEntry(
        "collective.backups",
        text("The backups of a collective, as this node knows them."),
        group=True,
    ),
    "reapply": CommandEntry(
        "collective.reapplying",
        text("Reapply the withdrawals and erasures made since a restored backup."),
    ),
    "migrate-store": CommandEntry(
        "node.moving", text("Move all data of a node to another database.")
    ),
    "login": CommandEntry("node.account", text("Test the XMPP account of this node, and save it.")),
    "logout": CommandEntry("node.account", text("Forget the account saved by login.")),
}


class _Commands(LazyGroup):
    entries = COMMANDS


app = typer.Typer(
    cls=_Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    options_metavar="",
    subcommand_metavar=say("COMMAND …"),
    help=say("A node of the Consometers' federation, on the command line."),
)


@app.callback()
def _before_command(context: typer.Context) -> None:
    environment.check()
    if context.invoked_subcommand is None:
        context.get_help()


def main() -> None:
    """Run the command that was typed, and end with its status."""
    prepare_streams()
    arguments = sys.argv[1:]
    sys.exit(exit_status(lambda: _called(arguments), Output(as_json="--json" in arguments)))


def _called(arguments: list[str]) -> object:
    try:
        return app(arguments, prog_name=PROGRAM, standalone_mode=False)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except typer.TyperException as error:
        raise usage_error(error, PROGRAM) from error
