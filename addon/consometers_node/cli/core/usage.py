"""Typer's own messages in the user's language; and commands that are loaded when called.

Typer's help has its titles in English, and so have its complaints of what was typed. What has no
translation here stays English.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
import inspect
import re

import typer
from typer._click import Command, Context, HelpFormatter
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.main import get_group

from consometers_node.i18n.text import Text, text

from .errors import USAGE, CliError
from .locale import read, say
from .options import Common, grouped


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """A command: the module of the command line that has it, and what it does, in one sentence.

    All commands of a `group`'s module go under its name.
    """

    module: str
    summary: Text
    group: bool = False


class _Spoken(Command):
    """A help text in the user's language."""

    def format_usage(self, ctx: Context, formatter: HelpFormatter) -> None:
        pieces = " ".join(self.collect_usage_pieces(ctx))
        if pieces:
            formatter.write_usage(ctx.command_path, pieces, say("Usage: "))
        else:  # Nothing would be written.
            formatter.write(f"{say('Usage: ')}{ctx.command_path}\n")

    def get_help_option(self, ctx: Context) -> TyperOption | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = say("Show this help.")
        return option

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        _title_panels()
        super().format_help(ctx, formatter)


class SpokenCommand(_Spoken, TyperCommand):
    """A command with its help in the user's language."""


class SpokenGroup(_Spoken, TyperGroup):
    """A group of commands with its help in the user's language."""


class LazyGroup(SpokenGroup):
    """Commands by name. The module of one is imported when it is called; for the list, none is."""

    entries: Mapping[str, CommandEntry] = {}
    _listing = False

    def list_commands(self, ctx: Context) -> list[str]:
        return list(self.entries)

    def get_command(self, ctx: Context, cmd_name: str) -> TyperCommand | TyperGroup | None:
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        summary = read(entry.summary)
        if self._listing:
            return TyperCommand(cmd_name, help=summary)
        module = import_module(f"..{entry.module}", __package__)
        typer_group = get_group(module.commands.all)
        if entry.group:
            typer_group.name, typer_group.help = cmd_name, summary
            return typer_group
        command = typer_group.commands[cmd_name]
        assert isinstance(command, TyperCommand)
        command.help = "\n\n".join(filter(None, (summary, command.help)))
        return command

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        self._listing = True
        super().format_help(ctx, formatter)
        self._listing = False


class Commands:
    """What the commands of a module are registered with.

    commands = Commands()

    @commands.add("logout")
    def logout(common: Common) -> None: …

    A command that is a coroutine takes first what `run` opens for the time that it lasts: a
    database. It has the options that `run` needs too.

    commands = Commands(run, Common)

    @commands.add("refuse")
    async def refuse(session: HouseholdSession, yes: Yes = False) -> None: …
    """

    def __init__(
        self, run: Callable[..., None] | None = None, options: type[Common] = Common
    ) -> None:
        self._run = run
        self._options = options
        self.all = typer.Typer(
            cls=SpokenGroup,
            add_completion=False,
            pretty_exceptions_enable=False,
            options_metavar="",
            subcommand_metavar=say("COMMAND …"),
        )

    def add[F: Callable[..., object]](
        self, name: str, details: Text | None = None
    ) -> Callable[[F], F]:
        """Register a function; its help is the summary of its entry, then the details."""
        details_text = read(details) if details else ""

        def register(command: F) -> F:
            called = _opening(command, self._run, self._options) if self._run else command
            self.all.command(name, cls=SpokenCommand, help=details_text)(grouped(called))
            return command

        return register


def _opening(
    command: Callable[..., object], run: Callable[..., None], options: type[Common]
) -> Callable[..., object]:
    """Turn a coroutine into a command: `run` gives its first parameter, and takes the options."""
    if not inspect.iscoroutinefunction(command):
        return command

    @wraps(command)
    def called(common: Common, **given: object) -> None:
        run(common, lambda opened: command(opened, **given))

    _, *typed = inspect.signature(command, eval_str=True).parameters.values()
    kind = inspect.Parameter.KEYWORD_ONLY
    common = inspect.Parameter("common", kind, annotation=options)
    called.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [common, *(parameter.replace(kind=kind) for parameter in typed)]
    )
    return called


def usage_error(error: typer.TyperException, program: str) -> CliError:
    """Print a usage error of Typer's, and where to find help."""
    message = error.format_message()
    command = getattr(getattr(error, "ctx", None), "command_path", program)
    template = text("{said}\n“{command} --help” explains how.")
    words = {"en": message, "fr": in_french(message)}
    return CliError(
        "usage",
        Text(
            {
                tag: template.say(tag).format(said=word, command=command)
                for tag, word in words.items()
            }
        ),
        status=USAGE,
    )


def in_french(message: str) -> str:
    """Translate a usage error of Typer's, if it is known here."""
    for pattern, words in _TYPER.items():
        if match := re.fullmatch(pattern, message, re.DOTALL):
            return words.say("fr").format(*match.groups())
    return message


_PERHAPS = text("No such option: {0}. Did you mean {1}?")
_TYPER = {
    r"Missing command\.": text("Missing command."),
    r"Missing (?:argument|option) '(.+?)'\..*": text("Missing {0}."),
    r"No such command '(.*)'\..*": text("No such command: {0}."),
    r"No such option: (\S+)": text("No such option: {0}."),
    r"No such option: (\S+) \(Possible options: (.*)\)": _PERHAPS,
    r"No such option: (\S+) Did you mean (.*)\?": _PERHAPS,
    r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)": text("Unexpected arguments: {0}."),
    r"Option '(.+?)' requires (?:an argument|\d+ arguments)\.": text("{0} requires a value."),
    r"Option '(.+?)' does not take a value\.": text("{0} does not take a value."),
    r"Invalid value for '(.+?)': '?(.*?)'? is not one of (.*?)\.?": text(
        "{0}: “{1}” is not one of {2}."
    ),
    r"Invalid value for '(.+?)': '?(.*?)'? is not a valid int(?:eger)?(?: range)?\.": text(
        "{0}: “{1}” is not a whole number."
    ),
    r"Invalid value for '(.+?)': (-?\d+) is not in the range (.*)\.": text(
        "{0}: {1} is not in the range {2}."
    ),
    r"Invalid value for '(.+?)': (.*)": text("{0}: {1}"),
}
"""What Typer says in English, and the sentence of which the catalogue has the French."""


def _title_panels() -> None:
    from typer import rich_utils  # noqa: PLC0415

    rich_utils.OPTIONS_PANEL_TITLE = say("Options")
    rich_utils.ARGUMENTS_PANEL_TITLE = say("Arguments")
    rich_utils.COMMANDS_PANEL_TITLE = say("Commands")
    rich_utils.REQUIRED_LONG_STRING = say("[required]")
    rich_utils.DEFAULT_STRING = say("[default: {}]")
    rich_utils.ENVVAR_STRING = say("[env var: {}]")
