"""The command `api`: the token of the node's API."""

from consometers_node.cli.core.options import Common
from consometers_node.cli.core.usage import Commands
from consometers_node.cli.household.command import run
from consometers_node.i18n.text import text

from .pages import keys

_TOKEN = text(
    "Home Assistant asks for a URL (the address of “run --page”) and this token:\n{token}"
)

commands = Commands()


@commands.add("api")
def api(common: Common) -> None:
    """Show the token of the API."""
    _, token = run(common, lambda session: keys(session.store))
    common.output.result({"token": token}, _TOKEN, token=token)
