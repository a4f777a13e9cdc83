"""What people read where a peer, or a server on the way to it, refuses what was asked of it."""

from .errors import Malformed, QuoaliseError, UpstreamError
from .text import Text, around, text

_REFUSES = text("{peer} refuses: {said}", "{peer} refuse : {said}")
_UPSTREAM = text(
    "The source of {peer}'s data ({issuer}) refuses, with the code {code}: {said}",
    "La source des données de {peer} ({issuer}) refuse, avec le code {code} : {said}",
)
_UNREADABLE = text(
    "{peer} answered what cannot be read ({said}) Tell whoever runs it.",
    "{peer} a répondu quelque chose d’illisible ({said}) Prévenez qui le tient.",
)
_NOBODY = text(
    "{peer} is not there: its node does not run at the moment, or the address is wrong.",
    "{peer} n’est pas là : son nœud ne tourne pas en ce moment, ou l’adresse est fausse.",
)
_NO_SERVER = text(
    "The server of {peer} cannot be reached from yours: check the address, or try later.",
    "Le serveur de {peer} est injoignable depuis le vôtre : vérifiez l’adresse, ou réessayez plus"
    " tard.",
)
_BY_CONDITION = {
    "service-unavailable": _NOBODY,
    "recipient-unavailable": _NOBODY,
    "remote-server-not-found": _NO_SERVER,
    "remote-server-timeout": _NO_SERVER,
}


def refusal(peer: str, error: QuoaliseError) -> Text:
    """Say who refuses, and why."""
    match error:
        case UpstreamError():
            issuer, code = error.issuer or "?", error.code or "?"
            return around(_UPSTREAM, error.text, peer=peer, issuer=issuer, code=code)
        case Malformed():
            return around(_UNREADABLE, error.text, peer=peer)
        case _:
            return around(_BY_CONDITION.get(error.condition, _REFUSES), error.text, peer=peer)
