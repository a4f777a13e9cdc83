"""Errors as people and calling programs read them.

A `CliError` has a condition for programs (of the stanza error, or a name of ours in the same
style), words for people, and the status with which the process ends. Everything else that can be
raised in a command becomes one here, or is a fault of ours.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
import errno
from typing import Any

from consometers_node.i18n.protocol import refusal, sentence
from consometers_node.i18n.text import Text, around, text, verbatim
from consometers_quoalise.errors import Malformed, QuoaliseError, UpstreamError

FAILED = 1
USAGE = 2
INTERRUPTED = 130

_ONCE = {
    "unreachable": text(
        "The server {host} cannot be reached ({why}): check the network and the address; use"
        " --host and --port if DNS does not give its address."
    ),
    "interrupted": text("The server {host} closed the connection ({why}): try again."),
    "temporary-failure": text("The server {host} accepts no login at the moment: try again later."),
    "certificate-refused": text(
        "The server {host} does not prove its identity ({why}). For a private server, give the"
        " file of its certificate authority with --ca-file; otherwise warn its operator."
    ),
}
"""The network's message says that it retries: a command does not."""
_DATABASE = text("The node's database cannot be used: {said}")
_FILE = text("{name} cannot be used: {said}.")
_SYSTEM = {
    errno.ENOENT: text("there is no such file or folder"),
    errno.EACCES: text("this is not permitted to this account"),
    errno.EPERM: text("this is not permitted"),
    errno.EISDIR: text("this is a folder"),
    errno.ENOTDIR: text("its folder is a file"),
    errno.EEXIST: text("it already exists"),
    errno.ENAMETOOLONG: text("its name is too long"),
    errno.ENOSPC: text("the disk is full"),
    errno.EDQUOT: text("there is no room left for this account"),
    errno.EROFS: text("the disk is read-only"),
}


class CliError(Exception):
    """The failure of a command. `more` is for programs."""

    def __init__(
        self,
        condition: str,
        words: Text,
        *,
        status: int = FAILED,
        more: Mapping[str, str | None] | None = None,
    ) -> None:
        super().__init__(words.say())
        self.condition = condition
        self.words = words
        self.status = status
        self.more = more or {}


def misused(what: str, words: Text) -> CliError:
    """Return the error of an option or an argument."""
    template = text("{what}: {said}")
    return CliError("usage", around(template, words, what=what), status=USAGE)


def mistyped(option: str, fault: Malformed) -> CliError:
    """Return the error of what was typed for an option, in the words of its reader."""
    sentences = sentence(fault).by_language.items()
    words = {tag: f"{option}{words.removeprefix(fault.place)}" for tag, words in sentences}
    return CliError("usage", Text(words), status=USAGE)


def system_reason(error: OSError) -> Text:
    """Return the system's error for a file."""
    why = error.strerror or str(error)
    return _SYSTEM.get(error.errno or 0, verbatim(why))


@contextmanager
def refusals_of(peer: str) -> Iterator[None]:
    """Turn what a peer, or a server on the way to it, answers inside into a `CliError`."""
    try:
        yield
    except UpstreamError as error:
        more = {"from": peer, "issuer": error.issuer, "code": error.issuer_code}
        raise CliError(error.condition, refusal(peer, error), more=more) from error
    except QuoaliseError as error:
        condition = "unreadable-answer" if isinstance(error, Malformed) else error.condition
        raise CliError(condition, refusal(peer, error), more={"from": peer}) from error


def run_to_end[T](
    work: Coroutine[Any, Any, T], cli_error: Callable[[Exception], CliError | None]
) -> T:
    """Run a coroutine; of several errors the first one counts, as the `CliError` that it is."""
    try:
        return asyncio.run(work)
    except Exception as error:  # noqa: BLE001  # it is raised
        first = error
        while isinstance(first, ExceptionGroup):
            first = first.exceptions[0]
        # The message covers its own cause too.
        raise cli_error(first) or first from first.__cause__


def cli_error_of(error: Exception) -> CliError | None:
    """Return the message for an error, or None for an unforeseen one."""
    if isinstance(error, CliError):
        return error
    # A command that speaks to no server and opens no database fails without loading either.
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    from consometers_node.store import StoreFault  # noqa: PLC0415
    from consometers_node.store.engine.errors import explained, is_outage  # noqa: PLC0415
    from consometers_quoalise_network import NetworkError  # noqa: PLC0415

    match error:
        case QuoaliseError():
            return CliError(error.condition, sentence(error))
        case NetworkError():
            once = _ONCE.get(error.code)
            words = sentence(error) if once is None else once.fill(**error.details)
            return CliError(error.code, words)
        case StoreFault() | DBAPIError() if isinstance(error, StoreFault) or is_outage(error):
            return CliError("database", around(_DATABASE, explained(error)))
        case OSError(filename=str() as file):
            return CliError("file", around(_FILE, system_reason(error), name=file))
        case _:
            return None
