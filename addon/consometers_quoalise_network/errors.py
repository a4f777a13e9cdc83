"""Errors between this node and the network, as values of the domain.

    NetworkError
      may pass              Unreachable, Interrupted, CertificateRefused, NotEncrypted,
                            TemporaryFailure
      a person must act     WrongPassword, AccountDisabled, NoLogin, TakenOver
      registration          InvitationRefused, AccountTaken, RegistrationRefused
      a request, a push     NoAnswer, NotAcknowledged
      what was typed        NotALink, NotAnAddress

What a peer answers is a `quoalise.QuoaliseError`. Details are names such as `host`, `jid`, `why`.
"""

from typing import ClassVar

from consometers_quoalise import ProtocolError


class NetworkError(ProtocolError):
    """Any error of this room. A lasting one stays until a person acts: nothing is tried again."""

    lasting: ClassVar[bool] = False


class Unreachable(NetworkError):
    """No server answers."""

    code = "unreachable"


class Interrupted(NetworkError):
    """The server closed the connection."""

    code = "interrupted"


class CertificateRefused(NetworkError):
    """The server did not prove that it is the one."""

    code = "certificate-refused"


class NotEncrypted(NetworkError):
    """The server offers no TLS."""

    code = "not-encrypted"


class TemporaryFailure(NetworkError):
    """The server cannot check passwords now."""

    code = "temporary-failure"


class WrongPassword(NetworkError):
    """The server does not take this address and password."""

    lasting = True
    code = "wrong-password"


class AccountDisabled(NetworkError):
    """The server closed the account."""

    lasting = True
    code = "account-disabled"


class NoLogin(NetworkError):
    """The server offers no login that keeps the password secret from it."""

    lasting = True
    code = "no-login"


class TakenOver(NetworkError):
    """Another program logged in under the same full address."""

    lasting = True
    code = "taken-over"


class InvitationRefused(NetworkError):
    """The server does not know the invitation, or it was used."""

    lasting = True
    code = "invitation-refused"


class AccountTaken(NetworkError):
    """An account of that name exists."""

    lasting = True
    code = "account-taken"


class RegistrationRefused(NetworkError):
    """The server makes no account, for a reason of its own."""

    lasting = True
    code = "registration-refused"


class NoAnswer(NetworkError):
    """The peer did not answer in time."""

    code = "no-answer"


class NotAcknowledged(NetworkError):
    """The peer did not acknowledge a push in time. It may have it."""

    code = "not-acknowledged"


class NotALink(NetworkError):
    """The text is no invitation."""

    lasting = True
    code = "not-alink"


class NotAnAddress(NetworkError):
    """The text is no XMPP address of an account."""

    lasting = True
    code = "not-an-address"
