"""The state of a household's node, and its data: `status`, `export`, `erase`."""

from datetime import UTC, datetime

from consometers_node.cli.core import control_socket
from consometers_node.cli.core.errors import CliError
from consometers_node.cli.core.locale import who
from consometers_node.cli.core.node_status import say_running, shared_of, show_shared
from consometers_node.cli.core.options import Common, Export, Ours, Yes
from consometers_node.cli.core.output import deliver
from consometers_node.cli.core.paths import Role, role_of
from consometers_node.cli.core.usage import Commands
from consometers_node.cli.household.command import HouseholdSession, run
from consometers_node.cli.household.source import memory_of
from consometers_node.household.sharing.sync import progress
from consometers_node.i18n.text import text
from consometers_node.sharing import export as exported
from consometers_node.sharing.account import load
from consometers_node.sharing.export import Gone, erase_all

_NOTHING = text("Nothing is shared.")
_EXPORTED = text("{file}: all data of this node.")
_RECORDS_EXPORTED = text("{file}: all records of this node.")
_REALLY = text(
    "This withdraws every permission, asks the collectives to erase the received data, "
    "and erases all records and files of this node; Home Assistant keeps its own. The history of "
    "your permissions stays, as your proof.\nDo you want that? [y/N] "
)
_ERASED = text("Permissions withdrawn: {permissions}. Days of records erased: {blocks}.")
_EXPORT_OF_ONE = text(
    "This is a collective's node: “members export” exports all data of one member, and writes"
    " this in the access log. To copy everything, see “checkpoint”."
)
_ERASE_ONE = text(
    "This is a collective's node: “members erase” erases all data of one member. To end the"
    " collective, erase every member, so that their nodes are informed; then stop the node and"
    " remove its folder and its database."
)

commands = Commands()


@commands.add("status")
def status(common: Ours) -> None:
    """Print the status of a home's node: what is shared, up to when, and its problems."""
    if role_of(common.data, common.settings) is Role.COLLECTIVE:
        # A home has no collective's tables.
        from consometers_node.cli.collective.status import status as status_of_collective  # noqa: PLC0415

        status_of_collective(common)
        return

    async def work(session: HouseholdSession) -> None:
        store, output = session.store, session.output
        running = await control_socket.ask(session.folder, "status")
        memory = await memory_of(store)
        async with store.reading() as connection:
            read = await progress(connection, memory, datetime.now(UTC))
        shared = await shared_of(store, running, read)
        if output.as_json:
            who = await load(store)
            document = {"account": who.account.jid if who else None, "running": running is not None}
            output.document(document | dict(running or {}) | {"peers": shared})
        else:
            say_running(running, output)
            if not show_shared(shared, output):
                output.say(_NOTHING)

    run(common, work)


@commands.add(
    "export",
    text(
        "JSON contains everything except passwords, tokens and the secret of your pseudonyms;"
        " CSV contains only the records."
    ),
)
def export(common: Common, options: Export) -> None:
    """Export all data of this node."""
    if role_of(common.data) is Role.COLLECTIVE:
        raise CliError("collective", _EXPORT_OF_ONE)
    parts = exported.as_csv if options.wanted == "csv" else exported.as_json

    async def work(session: HouseholdSession) -> str:
        return "".join([part async for part in parts(session.store)])

    document = run(common, work)
    if deliver(document.encode(), options.file):
        words = _EXPORTED if options.wanted == "json" else _RECORDS_EXPORTED
        common.output.result({"file": str(options.file)}, words, file=options.file)


@commands.add("erase")
def erase(common: Common, yes: Yes = False) -> None:
    """Withdraw everything, and erase the data of this node."""
    if role_of(common.data) is Role.COLLECTIVE:
        raise CliError("collective", _ERASE_ONE)
    output = common.output
    output.agree(_REALLY, yes=yes)

    async def work(session: HouseholdSession) -> Gone:
        gone = await erase_all(session.store, who(), output.catalogue_language)
        await session.look_again()
        return gone

    gone = run(common, work)
    output.result(
        {"withdrawn": gone.permissions, "days": gone.days},
        _ERASED,
        permissions=gone.permissions,
        blocks=gone.days,
    )
