"""What is typed after `quoalise`."""

import argparse
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
import re
from typing import Any, Final, NoReturn, override

from consometers_quoalise_network import Security

from .errors import USAGE, CommandError
from .history import FORMATS, history
from .listen import listen
from .output import Output
from .requests import list_series, needs, subscribe
from .words import Language, say

type Command = Callable[[argparse.Namespace, Output], Coroutine[Any, Any, None]]

PROGRAM: Final = "quoalise"
COMMANDS: Final[dict[str, Command]] = {
    "list": list_series,
    "history": history,
    "listen": listen,
    "subscribe": subscribe,
    "unsubscribe": subscribe,
    "needs": needs,
}
_MESSAGES: Final = {
    r"the following arguments are required: (.*)": "missing_argument",
    r"unrecognized arguments: (.*)": "extra_argument",
    r"argument (.*): invalid choice: '(.*?)'.*\(choose from (.*)\)": "not_a_choice",
    r"argument (.*): expected one argument": "missing_value",
    r"argument (.*): invalid .* value: '(.*)'": "not_a_value",
}
"""What argparse says in English alone."""


def parse(arguments: Sequence[str], language: Language) -> argparse.Namespace:
    """Read the arguments: `command` is the name of one, `run` its function.

    Raises `CommandError`, and SystemExit after help.
    """
    parser = _Parser(language, PROGRAM, say("description", language), say("epilog", language))
    commands = parser.add_subparsers(
        title=say("commands", language),
        metavar=say("COMMAND", language),
        dest="command",
        required=True,
        parser_class=_Parser,
    )
    for name, command in COMMANDS.items():
        summary = say(name, language)
        details = say(f"{name}_details", language)
        below: _Parser = commands.add_parser(
            name, help=summary, language=language, description=summary, epilog=details
        )
        below.set_defaults(run=command)
        _add_arguments(below, name)
        _add_account(below)
    return parser.parse_args(arguments)


class _Parser(argparse.ArgumentParser):
    """Speaks the language of its reader."""

    def __init__(
        self, language: Language, prog: str, description: str, epilog: str, **_options: object
    ) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            add_help=False,
            allow_abbrev=False,
            formatter_class=_FORMATTERS[language],
        )
        self.language = language
        self.arguments = self.add_argument_group(say("arguments", language))
        self.options = self.add_argument_group(say("options", language))
        self.options.add_argument("-h", "--help", action="help", help=say("help", language))

    @override
    def error(self, message: str) -> NoReturn:
        """Raise a `CommandError`."""
        for pattern, key in _MESSAGES.items():
            if match := re.fullmatch(pattern, message):
                message = say(key, self.language, **dict(zip("abc", match.groups(), strict=False)))
        explains = say("explains", self.language, command=self.prog)
        raise CommandError("usage", f"{message}\n{explains}", status=USAGE)


def _add_arguments(parser: _Parser, name: str) -> None:
    language = parser.language
    if name == "needs":
        parser.arguments.add_argument(
            "peer", metavar=say("COLLECTIVE", language), help=say("collective_help", language)
        )
    elif name != "listen":
        parser.arguments.add_argument("peer", metavar="PEER", help=say("peer_help", language))
    if name in {"history", "subscribe", "unsubscribe"}:
        parser.arguments.add_argument("series", metavar="URN", help=say("series_help", language))
    options = parser.options
    if name == "history":
        time, file = say("TIME", language), say("FILE", language)
        options.add_argument("--start", metavar=time, help=say("start_help", language))
        options.add_argument("--end", metavar=time, help=say("end_help", language))
        options.add_argument("--format", choices=FORMATS, help=say("format_help", language))
        options.add_argument("--output", metavar=file, type=Path, help=say("output_help", language))
    elif name == "listen":
        count, sender = say("count_help", language), say("from_help", language)
        options.add_argument("--count", metavar="N", type=_number(range(1, 10**9)), help=count)
        options.add_argument("--from", metavar="JID", dest="sender", help=sender)
    options.add_argument("--json", action="store_true", help=say("json_help", language))


def _add_account(parser: _Parser) -> None:
    language, file = parser.language, say("FILE", parser.language)
    account = parser.add_argument_group(say("account", language))
    account.add_argument(
        "--account", metavar="JID", required=True, help=say("account_help", language)
    )
    account.add_argument(
        "--password-file", metavar=file, type=Path, help=say("password_file_help", language)
    )
    account.add_argument("--host", metavar=say("HOST", language), help=say("host_help", language))
    port = _number(range(1, 2**16))
    account.add_argument("--port", metavar="PORT", type=port, help=say("port_help", language))
    account.add_argument(
        "--security",
        choices=[security.value for security in Security],
        default=Security.EITHER.value,
        help=say("security_help", language),
    )
    account.add_argument("--ca-file", metavar=file, type=Path, help=say("ca_file_help", language))


def _number(allowed: range) -> Callable[[str], int]:
    def read(typed: str) -> int:
        if (number := int(typed)) not in allowed:
            raise ValueError
        return number

    return read


class _Formatter(argparse.HelpFormatter):
    """The usage as the language has it."""

    language = Language.ENGLISH

    @override
    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        title = say("usage", self.language) if prefix is None else prefix
        super().add_usage(usage, actions, groups, title)


class _FrenchFormatter(_Formatter):
    language = Language.FRENCH


_FORMATTERS: Final = {Language.ENGLISH: _Formatter, Language.FRENCH: _FrenchFormatter}
