"""Why a source cannot be read, said so that a person knows what to do."""

from custom_components.consometers.linky.link import LinkError, LinkLost, NoSuchPort, PortBusy

from .words import Language, say

_KEYS: tuple[tuple[type[BaseException], str], ...] = (
    (PermissionError, "not_allowed"),
    (IsADirectoryError, "a_folder"),
    (FileNotFoundError, "no_such_file"),
    (NoSuchPort, "no_such_port"),
    (PortBusy, "port_busy"),
    (LinkLost, "link_lost"),
)


def complaint(error: OSError | LinkError, name: str, language: Language) -> str:
    """Return the sentence for an error."""
    cause = error.__cause__ or error if isinstance(error, LinkError) else error
    for kind, key in _KEYS:
        if isinstance(error, kind) or (kind is PermissionError and isinstance(cause, kind)):
            return say(key, language, source=name)
    return say("cannot_open", language, source=name, cause=str(cause) or type(cause).__name__)
