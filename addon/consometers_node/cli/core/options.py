"""Options that several commands share, each once, in groups.

A command takes a group as one parameter, and its options appear one by one:

    @commands.add("login")
    def login(jid: str, reach: Reach, common: Common) -> None: …
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from functools import wraps
import inspect
from pathlib import Path
from typing import Annotated, Literal

import typer

from .environment import SETTINGS
from .locale import say
from .output import Output

_ACCOUNT = say("The account")
_FILE = say("FILE")

Peer = Annotated[
    str,
    typer.Argument(
        metavar="JID",
        help=say("The XMPP address of the node to ask, such as name@server."),
    ),
]
Urn = Annotated[
    str,
    typer.Argument(
        metavar="URN",
        help=say("The identifier of the series, as “quoalise list” shows it."),
    ),
]
OutputFile = Annotated[
    Path | None,
    typer.Option(
        "--output",
        metavar=_FILE,
        help=say("Write to a file that only you can read, instead of standard output."),
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help=say("Do not ask again."))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """Options of every command."""

    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar=say("FOLDER"),
            envvar="CONSOMETERS_DATA",
            help=say(
                "The folder of the node; by default consometers in $XDG_DATA_HOME or"
                " ~/.local/share. CONSOMETERS_DATABASE, a PostgreSQL URL, takes precedence."
            ),
        ),
    ] = None
    as_json: Annotated[
        bool,
        typer.Option("--json", help=say("Print JSON, for programs.")),
    ] = False

    @property
    def output(self) -> Output:
        """Output options."""
        return Output(as_json=self.as_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours(Common):
    """Options of every command of a collective or a host, and of those that all roles have."""

    settings: Annotated[
        Path | None,
        typer.Option(
            "--settings",
            metavar=_FILE,
            envvar=SETTINGS,
            help=say(
                "The settings file of a collective or a host; by default collective.toml or"
                " host.toml in the node's folder."
            ),
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """The format and the destination of an export."""

    wanted: Annotated[
        Literal["json", "csv"],
        typer.Option("--format", metavar="json|csv", help=say("How.")),
    ] = "json"
    file: OutputFile = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How to log in to a server."""

    host: Annotated[
        str | None,
        typer.Option(
            metavar=say("HOST"),
            help=say("The address of the server, to override DNS."),
            rich_help_panel=_ACCOUNT,
        ),
    ] = None
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=1,
            max=65535,
            help=say("Its port: 5222, or 5223 with --security direct."),
            rich_help_panel=_ACCOUNT,
        ),
    ] = None
    security: Annotated[
        Literal["either", "direct", "starttls"],
        typer.Option(
            metavar="either|direct|starttls",
            help=say("The encryption mode: at once, within the stream, or automatic."),
            rich_help_panel=_ACCOUNT,
        ),
    ] = "either"
    ca_file: Annotated[
        Path | None,
        typer.Option(
            metavar=_FILE,
            help=say("The certificate authority of a private server (PEM)."),
            rich_help_panel=_ACCOUNT,
        ),
    ] = None
    password_file: Annotated[
        Path | None,
        typer.Option(
            metavar=_FILE,
            help=say(
                "A file whose first line is the password; - is the standard input. Without this"
                " option: CONSOMETERS_PASSWORD, or a prompt."
            ),
            rich_help_panel=_ACCOUNT,
        ),
    ] = None


def grouped(command: Callable[..., object]) -> Callable[..., None]:
    """Turn each parameter that is a dataclass into one option for each of its fields."""
    taken: list[inspect.Parameter] = []
    groups: dict[str, Callable[..., object]] = {}
    fields: dict[str, list[str]] = {}
    for name, parameter in inspect.signature(command, eval_str=True).parameters.items():
        kind: object = parameter.annotation
        if isinstance(kind, type) and is_dataclass(kind):
            groups[name] = kind
            options = list(inspect.signature(kind, eval_str=True).parameters.values())
            fields[name] = [option.name for option in options]
            taken += options
        else:
            taken.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    @wraps(command)
    def called(**given: object) -> None:
        made = {
            name: make(**{field: given.pop(field) for field in fields[name]})
            for name, make in groups.items()
        }
        command(**given, **made)

    annotations: Mapping[str, object] = {
        parameter.name: parameter.annotation for parameter in taken
    }
    called.__signature__ = inspect.Signature(taken)  # type: ignore[attr-defined]
    called.__annotations__ = dict(annotations)
    del called.__wrapped__
    return called
