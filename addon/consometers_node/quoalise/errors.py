"""Errors between peers, as values of the domain: sent, or received.

    QuoaliseError
      NotAuthorized, ItemNotFound, ResourceConstraint, UpstreamError
      BadRequest
        Malformed       what was sent cannot be read, and where
      OtherError        any other stanza error, as servers send them

`stanza_errors` writes and reads them as XMPP stanza errors (RFC 6120 §8.3).
"""

from enum import StrEnum

from ..i18n.text import Text, TranslatedError, around, text
from .problems import Problem

_AT = text("{place}: {said}.")
_ANSWERED = text("The peer answered {condition}.")
_REFUSES = text("{peer} refuses: {said}")
_UPSTREAM = text("The source of {peer}'s data ({issuer}) refuses, with the code {code}: {said}")
_UNREADABLE = text("The answer of {peer} cannot be read ({said}) Inform its operator.")
_NOBODY = text("{peer} is offline: its node is not running, or the address is wrong.")
_NO_SERVER = text(
    "The server of {peer} cannot be reached from yours: check the address, or try later."
)
_BY_CONDITION = {
    "service-unavailable": _NOBODY,
    "recipient-unavailable": _NOBODY,
    "remote-server-not-found": _NO_SERVER,
    "remote-server-timeout": _NO_SERVER,
}


class ErrorType(StrEnum):
    """The asker's remedy for an error. Source: RFC 6120 §8.3.2."""

    AUTH = "auth"
    """Retry after getting permission."""
    CANCEL = "cancel"
    """Do not retry."""
    CONTINUE = "continue"
    """It was only a warning."""
    MODIFY = "modify"
    """Retry after changing what was asked."""
    WAIT = "wait"
    """Retry later."""


class QuoaliseError(TranslatedError):
    """Any error of this room. `condition` and `type` are those of its stanza error."""

    condition: str = "undefined-condition"
    type: ErrorType = ErrorType.CANCEL
    words = text("An error occurred.")


class NotAuthorized(QuoaliseError):
    """There is no permission."""

    condition = "not-authorized"
    type = ErrorType.AUTH
    words = text("There is no permission to read this: ask for it, or ask for less.")


class ItemNotFound(QuoaliseError):
    """There is no such series: an answer to peers that may know, others get `NotAuthorized`."""

    condition = "item-not-found"
    words = text("There is no such series: request the list of series.")


class ResourceConstraint(QuoaliseError):
    """Asked too often."""

    condition = "resource-constraint"
    type = ErrorType.WAIT
    words = text("Too many requests: wait a minute, then try again.")


class BadRequest(QuoaliseError):
    """The request cannot be answered in this form."""

    condition = "bad-request"
    type = ErrorType.MODIFY
    words = text("This is not readable.")


class Malformed(BadRequest):
    """A message cannot be read. `place` is the path of the element, attribute or field."""

    def __init__(self, place: str, problem: Problem, **values: object) -> None:
        """Say where, what and with which values the words are to be filled."""
        self.place = place
        self.problem = problem
        if "found" in values:
            values["found"] = _shown(values["found"])
        words = problem.text.fill(**values)
        super().__init__(around(_AT, words, place=place))


class UpstreamError(QuoaliseError):
    """The error of a source behind the node, in its own code (None where it gave none)."""

    words = text("The source of the data refused.")

    def __init__(self, issuer: str, code: str | None = None, words: Text | None = None) -> None:
        """Say who refused, with which code, in which words."""
        self.issuer = issuer
        self.code = code
        super().__init__(words)


class OtherError(QuoaliseError):
    """Any other stanza error, such as `service-unavailable` or `remote-server-not-found`."""

    def __init__(self, condition: str, type: ErrorType, words: Text | None = None) -> None:
        """Say which condition (RFC 6120 §8.3.3) and what the asker can do."""
        super().__init__(words or _ANSWERED.fill(condition=condition))
        self.condition = condition
        self.type = type


def refusal(peer: str, error: QuoaliseError) -> Text:
    """Return who refuses, and why."""
    match error:
        case UpstreamError():
            issuer, code = error.issuer or "?", error.code or "?"
            return around(_UPSTREAM, error.text, peer=peer, issuer=issuer, code=code)
        case Malformed():
            return around(_UNREADABLE, error.text, peer=peer)
        case _:
            return around(_BY_CONDITION.get(error.condition, _REFUSES), error.text, peer=peer)


_SHOWN = 60


def _shown(value: object) -> str:
    """Return the offending text, cut short, in characters that any message can carry."""
    printable = "".join(c if c.isprintable() else "·" for c in str(value)[: _SHOWN + 1])
    return printable if len(printable) <= _SHOWN else printable[:_SHOWN] + "…"
