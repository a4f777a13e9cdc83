"""The command: quoalise-conformance server ADDRESS, quoalise-conformance client."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
import os
from pathlib import Path
import signal
import sys
from typing import Final

from .checks.content import is_identifier
from .client import try_client
from .peer import Absent, NotPermitted, Target
from .report import FORMATS, complete, write
from .results import Outcome, Result, conforms
from .server import try_server
from .session.network import Login, NoSession, Session, session
from .session.transport import Ended
from .synthetic import SERIES
from .words import Language, say

CONFORMS, FAILS, NOTHING_TRIED = 0, 1, 2
RESOURCES: Final = {"server": "conformance", "client": "quoalise"}


def main(arguments: list[str] | None = None) -> int:
    """Try a program; return the exit status."""
    language = Language.of(os.environ)
    options = _parser(language).parse_args(arguments)
    try:
        results = asyncio.run(_run(options, language))
    except (NoSession, BadInput) as problem:
        print(say(problem.key, language, **problem.facts), file=sys.stderr)
        return NOTHING_TRIED
    except Absent as absent:
        key = "absent" if absent.condition else "silent"
        facts = {"address": options.address, "seen": absent.condition}
        print(say(key, language, **facts), file=sys.stderr)
        return NOTHING_TRIED
    except NotPermitted:
        facts = {"account": options.account, "series": options.series}
        print(say("not_permitted", language, **facts), file=sys.stderr)
        return NOTHING_TRIED
    except Ended:
        print(say("interrupted", language), file=sys.stderr)
        return NOTHING_TRIED
    otherwise = {"server": "of_clients", "client": "of_servers"}[options.mode]
    print(write(complete(results, otherwise), options.format, language), end="")
    if all(each.outcome is Outcome.NOT_TRIED for each in results.values()):
        return NOTHING_TRIED
    return CONFORMS if conforms(results.values()) else FAILS


class BadInput(Exception):
    """An argument that cannot be used: a key of `words`, with facts for its sentence."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key)
        self.key = key
        self.facts = facts


async def _run(options: argparse.Namespace, language: Language) -> Mapping[str, Result]:
    run = _server(options) if options.mode == "server" else _client(options, language)
    login = Login(
        jid=options.account,
        password=_password(options.password_file),
        resource=RESOURCES[options.mode],
        host=options.host,
        port=options.port or (5222 if options.host else None),
        ca_file=options.ca_file,
        direct_tls=options.direct_tls,
    )
    async with session(login) as transport:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, transport.deliver, None)
        return await run(transport)


def _server(
    options: argparse.Namespace,
) -> Callable[[Session], Awaitable[Mapping[str, Result]]]:
    for series in filter(None, (options.series, options.foreign_series)):
        if not is_identifier(series):
            raise BadInput("no_series", series=series)
    if "@" not in options.address:
        raise BadInput("no_address", address=options.address)
    target = Target(
        address=options.address,
        series=options.series,
        foreign=options.foreign_series,
        start=_time(options.start),
        end=_time(options.end),
        listen_seconds=options.listen,
    )
    if target.start is not None and target.end is not None and target.start >= target.end:
        raise BadInput("backwards")
    return lambda transport: try_server(transport, target)


def _client(
    options: argparse.Namespace, language: Language
) -> Callable[[Session], Awaitable[Mapping[str, Result]]]:
    def run(transport: Session) -> Awaitable[Mapping[str, Result]]:
        facts = {"address": transport.jid, "series": SERIES}
        print(say("serving", language, **facts), file=sys.stderr, flush=True)
        return try_client(transport, options.wait_for)

    return run


def _password(file: Path) -> str:
    try:
        return file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "UTF-8"
        raise BadInput("no_file", file=file, why=why) from None


def _time(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone().timestamp()
    except ValueError:
        raise BadInput("no_time", time=text) from None


def _parser(language: Language) -> argparse.ArgumentParser:
    def words(key: str) -> str:
        return say(f"help_{key}", language)

    def options_of(command: argparse.ArgumentParser) -> Callable[..., argparse.Action]:
        """Return what adds an option, under a heading in the language of the others."""
        add = command.add_argument_group(words("options")).add_argument
        add("-h", "--help", action="help", help=words("help"))
        return add

    parser = argparse.ArgumentParser(
        prog="quoalise-conformance",
        description=words("all"),
        epilog=words("epilog"),
        add_help=False,
    )
    modes = parser.add_subparsers(title=words("modes"), dest="mode", required=True)
    options_of(parser)
    for mode in ("server", "client"):
        command = modes.add_parser(mode, help=words(mode), description=words(mode), add_help=False)
        if mode == "server":
            arguments = command.add_argument_group(words("arguments"))
            arguments.add_argument("address", metavar="ADDRESS", help=words("address"))
        add = options_of(command)
        add("--account", metavar="JID", required=True, help=words("account"))
        add("--password-file", metavar="FILE", type=Path, required=True, help=words("password"))
        add("--host", help=words("host"))
        add("--port", type=int, help=words("port"))
        add("--ca-file", metavar="FILE", type=Path, help=words("ca"))
        add("--direct-tls", action="store_true", help=words("direct"))
        add("--format", choices=FORMATS, default="text", help=words("format"))
        if mode == "server":
            add("--series", metavar="URN", required=True, help=words("series"))
            add("--foreign-series", metavar="URN", default="", help=words("foreign"))
            add("--start", metavar="TIME", help=words("start"))
            add("--end", metavar="TIME", help=words("end"))
            add("--listen", metavar="SECONDS", type=float, default=0.0, help=words("listen"))
        else:
            add("--wait-for", metavar="N", type=int, help=words("wait"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
