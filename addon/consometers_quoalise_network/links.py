"""Invitations, as a person pastes or scans them (XEP-0147, RFC 5122).

xmpp:collective@example.org?consometers-join;token=…    take part in a collective
xmpp:example.org?register;preauth=…                     an account on a server (XEP-0445)
xmpp:name@example.org?register;preauth=…                the account of that name
"""

from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from .address import bare, parts
from .errors import NotALink, NotAnAddress

_SCHEME = "xmpp:"
_MAX_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class Join:
    """A collective invites to take part."""

    collective: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Register:
    """A server offers an account, perhaps of a given name."""

    host: str
    token: str = field(repr=False)
    user: str | None = None


def read(link: str) -> Join | Register:
    """Read an invitation. Raises `NotALink`."""
    link = link.strip()
    if len(link) > _MAX_LENGTH or not link.lower().startswith(_SCHEME):
        raise NotALink
    invitation = _read(link)
    if len(write(invitation)) > _MAX_LENGTH:
        raise NotALink
    return invitation


def write(link: Join | Register) -> str:
    """Return the invitation that `read` reads."""
    token = quote(link.token, safe="")
    match link:
        case Join(collective):
            return f"{_SCHEME}{quote(collective, safe='@')}?consometers-join;token={token}"
        case Register(host, _, user):
            address = host if user is None else f"{user}@{host}"
            return f"{_SCHEME}{quote(address, safe='@')}?register;preauth={token}"


def _read(link: str) -> Join | Register:
    path, _, query = link[len(_SCHEME) :].partition("?")
    kind, *pairs = query.split(";")
    values = dict(pair.partition("=")[::2] for pair in pairs)
    address = unquote(path.strip("/"))
    try:
        match kind:
            case "consometers-join":
                return Join(bare(address), _token(values, "token"))
            case "register":
                user, host, resource = parts(address)
                if resource or not host:
                    raise NotALink
                return Register(host, _token(values, "preauth"), user or None)
            case _:
                pass
    except NotAnAddress:
        pass
    raise NotALink


def _token(values: dict[str, str], name: str) -> str:
    token = unquote(values.get(name, ""))
    if not token or not token.isprintable():
        raise NotALink
    return token
