"""Messages for wishes that cannot be met: for the command line and for pages."""

from consometers_node.i18n.text import Text, text, verbatim
from consometers_node.permission import (
    ChangedNeed,
    CountedTwice,
    ForbiddenChange,
    NotNarrower,
    OutdatedNeed,
    PermissionFault,
    SumRefused,
    UnknownPermission,
    WrongClock,
)
from consometers_node.store import NotPermitted
from consometers_node.wire import Unsayable

from . import consent_text
from .names import OtherCollective

NARROWER = {
    "series": text("Choose requested series, at the requested resolution or a coarser one."),
    "interval": text(
        "The resolution is finer than requested: choose the requested one, or a coarser one."
    ),
    "identification": text("This is not the requested name: allow it as requested, or refuse."),
    "history_days": text("That is a longer history than requested."),
    "duration_days": text("That is longer than requested."),
}
_OUTDATED = text("There is a newer version of this data request: answer that one.")
_CHANGED = text(
    "The data request changed without a new version: ask its author to number it again."
)
_UNKNOWN = text("There is no such permission.")
_FORBIDDEN = text("This permission is “{before}”: it cannot become “{after}”.")
_COUNTED_TWICE = text(
    "The sum of all members already has those of {name}: homes would count twice. Choose one of"
    " them."
)
_REFUSED = text("The database refuses: {why}")


def message_of(fault: Exception) -> Text | None:
    """Return the message for an error of this package or of those under it; None for any other."""
    match fault:
        case Unsayable() | OtherCollective() | SumRefused() | WrongClock():
            return fault.text
        case NotNarrower():
            return NARROWER[fault.field]
        case ForbiddenChange():
            before, after = consent_text.STATES[fault.before], consent_text.STATES[fault.after]
            return _FORBIDDEN.fill(before=before, after=after)
        case OutdatedNeed():
            return _OUTDATED
        case ChangedNeed():
            return _CHANGED
        case CountedTwice():
            return _COUNTED_TWICE.fill(name=fault.device)
        case UnknownPermission():
            return _UNKNOWN
        case PermissionFault():
            return verbatim(str(fault))
        case NotPermitted():
            return _REFUSED.fill(why=fault)
        case _:
            return None
