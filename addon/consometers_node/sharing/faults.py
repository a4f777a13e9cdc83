"""What of a person's wishes cannot be, in words: for the command line and for pages."""

from ..permission import (
    ChangedNeed,
    ForbiddenChange,
    NotNarrower,
    OutdatedNeed,
    PermissionFault,
    UnknownPermission,
    WrongClock,
)
from ..quoalise import Text
from ..quoalise.text import text, verbatim
from ..store import NotPermitted
from ..wire import Unsayable
from . import words
from .names import OtherCollective

NARROWER = {
    "series": text(
        "Choose series that are asked for, at an interval that is no finer than what is asked.",
        "Choisissez des séries qui sont demandées, à un pas de temps pas plus fin que demandé.",
    ),
    "interval": text(
        "The interval is finer than what is asked: choose that one, or a coarser one.",
        "Le pas de temps est plus fin que demandé : choisissez celui-là, ou un plus grossier.",
    ),
    "identification": text(
        "This is not the name that is asked for: grant it as asked, or refuse.",
        "Ce n’est pas le nom qui est demandé : accordez-le tel quel, ou refusez.",
    ),
    "history_days": text(
        "That is more of the past than what is asked.", "C’est plus de passé que demandé."
    ),
    "duration_days": text("That is longer than what is asked.", "C’est plus long que demandé."),
}
_OUTDATED = text(
    "A newer version of this was asked since: answer that one.",
    "Une version plus récente a été demandée depuis : répondez à celle-là.",
)
_CHANGED = text(
    "What is asked changed without a new version: ask whoever asks it to number it anew.",
    "Ce qui est demandé a changé sans nouvelle version : demandez à qui le demande de la"
    " renuméroter.",
)
_UNKNOWN = text("There is no such permission.", "Il n’y a pas de telle autorisation.")
_FORBIDDEN = text(
    "This permission is “{before}”: it cannot become “{after}”.",
    "Cette autorisation est « {before} » : elle ne peut pas devenir « {after} ».",
)
_REFUSED = text("The database refuses: {why}", "La base de données refuse : {why}")


def said_of(fault: Exception) -> Text | None:
    """Give the words of an error of this room or of those under it; None of any other."""
    match fault:
        case Unsayable() | OtherCollective() | WrongClock():
            return fault.text
        case NotNarrower():
            return NARROWER[fault.field]
        case ForbiddenChange():
            before, after = words.STATES[fault.before], words.STATES[fault.after]
            return Text(
                {
                    tag: said.format(before=before.say(tag), after=after.say(tag))
                    for tag, said in _FORBIDDEN.by_language.items()
                }
            )
        case OutdatedNeed():
            return _OUTDATED
        case ChangedNeed():
            return _CHANGED
        case UnknownPermission():
            return _UNKNOWN
        case PermissionFault():
            return verbatim(str(fault))
        case NotPermitted():
            return _REFUSED.fill(why=fault)
        case _:
            return None
