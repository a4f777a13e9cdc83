"""Errors between this node and the network, as values of the domain.

    NetworkError
      may pass              Unreachable, Interrupted, CertificateRefused, NotEncrypted,
                            TemporaryFailure
      a person must act     WrongPassword, AccountDisabled, NoLogin, TakenOver
      registration          InvitationRefused, AccountTaken, RegistrationRefused
      a request, a push     NoAnswer, NotAcknowledged
      what was typed        NotALink, NotAnAddress

What a peer answers is a `quoalise.QuoaliseError`. Texts say what to do.
"""

from typing import ClassVar

from consometers_node.i18n.text import TranslatedError, text


class NetworkError(TranslatedError):
    """Any error of this room. A lasting one stays until a person acts: nothing is tried again."""

    lasting: ClassVar[bool] = False


class Unreachable(NetworkError):
    """No server answers."""

    words = text(
        "The server {host} cannot be reached ({why}). The node will try again: check the network"
        " and the address."
    )


class Interrupted(NetworkError):
    """The server closed the connection."""

    words = text("The server {host} closed the connection ({why}). The node will try again.")


class CertificateRefused(NetworkError):
    """The server did not prove that it is the one."""

    words = text(
        "The server {host} does not prove its identity ({why}). For a private server, give the"
        " file of its certificate authority; otherwise warn its operator."
    )


class NotEncrypted(NetworkError):
    """The server offers no TLS."""

    words = text("The server {host} offers no encryption: nothing was sent. Choose another server.")


class TemporaryFailure(NetworkError):
    """The server cannot check passwords now."""

    words = text("The server {host} accepts no login at the moment. The node will try again.")


class WrongPassword(NetworkError):
    """The server does not take this address and password."""

    lasting = True
    words = text("The server refuses the address {jid} with this password: correct one of them.")


class AccountDisabled(NetworkError):
    """The server closed the account."""

    lasting = True
    words = text("The account {jid} is closed: ask the operator of the server.")


class NoLogin(NetworkError):
    """The server offers no login that keeps the password secret from it."""

    lasting = True
    words = text(
        "The server {host} offers no login that protects the password (SCRAM). Choose another"
        " server."
    )


class TakenOver(NetworkError):
    """Another program logged in under the same full address."""

    lasting = True
    words = text(
        "Another program now uses the address {jid}: stop one of them, then start this one again."
    )


class InvitationRefused(NetworkError):
    """The server does not know the invitation, or it was used."""

    lasting = True
    words = text("The invitation is used up, expired or not of {host}: ask for a new one.")


class AccountTaken(NetworkError):
    """An account of that name exists."""

    lasting = True
    words = text("The address {jid} is taken: choose another name.")


class RegistrationRefused(NetworkError):
    """The server makes no account, for a reason of its own."""

    lasting = True
    words = text("The server {host} creates no account ({why}): ask its operator.")


class NoAnswer(NetworkError):
    """The peer did not answer in time."""

    words = text("{peer} did not answer. Try again later.")


class NotAcknowledged(NetworkError):
    """The peer did not acknowledge a push in time. It may have it."""

    words = text("{peer} has not acknowledged this: send it again.")


class NotALink(NetworkError):
    """The text is no invitation."""

    lasting = True
    words = text(
        "This is not an invitation: it must begin with xmpp: and contain ?register;preauth= or"
        " ?consometers-join;token="
    )


class NotAnAddress(NetworkError):
    """The text is no XMPP address of an account."""

    lasting = True
    words = text("“{found}” is not an XMPP address: write name@server.")
