"""What goes wrong, as a sentence for a person and as a condition for a program."""

from collections.abc import Iterator
from contextlib import contextmanager
import errno

from consometers_quoalise import Malformed, ProtocolError, QuoaliseError, UpstreamError
from consometers_quoalise.languages import best
from consometers_quoalise_network import NetworkError

from .words import Language, has, say

FAILED = 1
USAGE = 2
INTERRUPTED = 130

_SYSTEM = {
    errno.ENOENT: "no_such_file",
    errno.EACCES: "not_permitted",
    errno.EPERM: "not_permitted",
    errno.EISDIR: "is_a_folder",
    errno.ENOTDIR: "folder_is_a_file",
    errno.ENAMETOOLONG: "name_too_long",
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EROFS: "read_only",
}
_BY_CONDITION = {
    "service-unavailable": "offline",
    "recipient-unavailable": "offline",
    "remote-server-not-found": "no_server",
    "remote-server-timeout": "no_server",
}


class CommandError(Exception):
    """The failure of a command. `more` is for programs."""

    def __init__(
        self,
        condition: str,
        sentence: str,
        *,
        status: int = FAILED,
        more: dict[str, str | None] | None = None,
    ) -> None:
        super().__init__(sentence)
        self.condition = condition
        self.sentence = sentence
        self.status = status
        self.more = more or {}


def misused(key: str, language: Language, **facts: object) -> CommandError:
    """Return the error of an option or an argument."""
    return CommandError("usage", say(key, language, **facts), status=USAGE)


@contextmanager
def refusals_of(peer: str, language: Language) -> Iterator[None]:
    """Turn what a peer, or a server on the way to it, answers inside into a `CommandError`."""
    try:
        yield
    except QuoaliseError as error:
        condition = "unreadable-answer" if isinstance(error, Malformed) else error.condition
        more: dict[str, str | None] = {"from": peer}
        if isinstance(error, UpstreamError):
            more |= {"issuer": error.issuer, "code": error.issuer_code}
        sentence = _refusal(peer, error, language)
        raise CommandError(condition, sentence, more=more) from error


def command_error_of(error: Exception, language: Language) -> CommandError | None:
    """Return the message for an error, or None for an unforeseen one."""
    match error:
        case CommandError():
            return error
        case NetworkError():
            return CommandError(error.code, _own(error, language))
        case OSError(filename=str() as file):
            return CommandError("file", unusable(file, error, language))
        case _:
            return None


def unusable(file: str, error: OSError, language: Language) -> str:
    """Return why a file cannot be read or written."""
    key = _SYSTEM.get(error.errno or 0)
    why = say(key, language) if key else error.strerror or str(error)
    return say("file", language, file=file, why=why)


def _refusal(peer: str, error: QuoaliseError, language: Language) -> str:
    words = error.texts[best(error.texts, language)] if error.texts else _own(error, language)
    match error:
        case UpstreamError():
            issuer, code = error.issuer or "?", error.issuer_code or "?"
            return say("upstream", language, peer=peer, issuer=issuer, code=code, words=words)
        case Malformed():
            return say("unreadable", language, peer=peer, place=error.place, code=error.code)
        case _:
            key = _BY_CONDITION.get(error.condition, "refuses")
            return say(key, language, peer=peer, words=words)


def _own(error: ProtocolError, language: Language) -> str:
    """Return our words for an error: a peer need not send any."""
    key = error.code if has(error.code) else "other-condition"
    return say(key, language, **{"condition": error.code, **error.details})
