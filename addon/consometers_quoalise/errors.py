"""Errors, as codes with details: an application puts them into words.

    ProtocolError       also those of the network: `xmpp.errors`
      QuoaliseError     between peers: sent, or received
        NotAuthorized, ItemNotFound, ResourceConstraint, UpstreamError
        BadRequest
          Malformed       what was sent cannot be read, and where
        OtherError        any other stanza error, as servers send them

`stanza_errors` writes and reads those between peers as XMPP stanza errors (RFC 6120 §8.3).
"""

from collections.abc import Mapping
from enum import StrEnum

from .languages import ByLanguage
from .problems import Problem


class Code(StrEnum):
    """The reason for a refusal. `Problem` has the reasons why a message cannot be read."""

    UNDEFINED = "undefined-condition"
    NOT_AUTHORIZED = "not-authorized"
    ITEM_NOT_FOUND = "item-not-found"
    RESOURCE_CONSTRAINT = "resource-constraint"
    BAD_REQUEST = "bad-request"
    UPSTREAM = "upstream-error"
    OTHER = "other-condition"
    """Details: `condition`."""

    # of a node, in its answers
    NO_SUCH_COMMAND = "no-such-command"
    ANSWER_TOO_LARGE = "answer-too-large"
    NODE_FAULT = "node-fault"
    NOT_EXPECTED = "not-expected"
    TOO_COMPLEX = "too-complex"


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


class ProtocolError(Exception):
    """An error: its code, and the details for a sentence about it.

    Details may be personal, such as an address: they are in no `str`, and so in no log.
    """

    code: str = Code.UNDEFINED
    details: Mapping[str, object]

    def __init__(self, code: str | None = None, **details: object) -> None:
        """Make an error; without a code, it has that of its kind."""
        if code is not None:
            self.code = code
        self.details = details
        super().__init__(str(self.code))


class QuoaliseError(ProtocolError):
    """Any error between peers. `condition` and `type` are those of its stanza error."""

    condition: str = "undefined-condition"
    type: ErrorType = ErrorType.CANCEL

    def __init__(
        self, texts: ByLanguage | None = None, *, code: str | None = None, **details: object
    ) -> None:
        """Make an error, perhaps in words of the program that refuses, by language."""
        super().__init__(code, **details)
        self.texts = texts or {}


class NotAuthorized(QuoaliseError):
    """There is no permission."""

    condition: str = Code.NOT_AUTHORIZED
    code: str = Code.NOT_AUTHORIZED
    type = ErrorType.AUTH


class ItemNotFound(QuoaliseError):
    """There is no such series: an answer to peers that may know, others get `NotAuthorized`."""

    condition: str = Code.ITEM_NOT_FOUND
    code: str = Code.ITEM_NOT_FOUND


class ResourceConstraint(QuoaliseError):
    """Asked too often."""

    condition: str = Code.RESOURCE_CONSTRAINT
    code: str = Code.RESOURCE_CONSTRAINT
    type = ErrorType.WAIT


class BadRequest(QuoaliseError):
    """The request cannot be answered in this form."""

    condition: str = Code.BAD_REQUEST
    code: str = Code.BAD_REQUEST
    type = ErrorType.MODIFY


class Malformed(BadRequest):
    """A message cannot be read. `place` is the path of the element, attribute or field."""

    def __init__(self, place: str, problem: Problem, **details: object) -> None:
        """Say where, what and with which details."""
        if "found" in details:
            details["found"] = _shown(details["found"])
        super().__init__(None, code=problem, **details)
        self.place = place

    def __str__(self) -> str:
        """Return the place and the code."""
        return f"{self.place}: {self.code}"


class UpstreamError(QuoaliseError):
    """The error of a source behind the node, with its own code (None where it gave none)."""

    code = Code.UPSTREAM

    def __init__(
        self, issuer: str, issuer_code: str | None = None, texts: ByLanguage | None = None
    ) -> None:
        """Say who refused, with which code, in which words."""
        super().__init__(texts)
        self.issuer = issuer
        self.issuer_code = issuer_code


class OtherError(QuoaliseError):
    """Any other stanza error, such as `service-unavailable` or `remote-server-not-found`."""

    def __init__(
        self,
        condition: str,
        type: ErrorType,
        texts: ByLanguage | None = None,
        *,
        code: Code = Code.OTHER,
    ) -> None:
        """Say which condition (RFC 6120 §8.3.3) and what the asker can do."""
        super().__init__(texts, code=code, condition=condition)
        self.condition = condition
        self.type = type


_SHOWN = 60


def _shown(value: object) -> str:
    """Return the offending text, cut short, in characters that any message can carry."""
    printable = "".join(c if c.isprintable() else "·" for c in str(value)[: _SHOWN + 1])
    return printable if len(printable) <= _SHOWN else printable[:_SHOWN] + "…"
