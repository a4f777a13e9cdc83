"""The privacy notice of a collective, for anybody: purposes, retention and location. Pure."""

from collections.abc import Callable, Sequence

from consometers_node.i18n.text import Text, text, verbatim
from consometers_node.permission import DataNeed
from consometers_node.sharing.consent_text import length
from consometers_quoalise_network import DataPolicy

_LANGUAGES = ("en", "fr")
_OF = text("{title}: {said}")
_AND = text("; ")
_AFTER = text("{length} after the end of the permission")
_NOT_AFTER = text("no longer than the permission lasts")
_NOT_TOLD = text("{controller} does not say: ask {contact}")


def data_policy(needs: Sequence[DataNeed], location: str | None) -> DataPolicy | None:
    """Return how members' data are processed; None where nothing is requested."""
    if not needs:
        return None
    first = needs[0]
    unsaid = _NOT_TOLD.fill(controller=first.controller, contact=first.contact)
    place = verbatim(location) if location else unsaid
    return DataPolicy(
        purpose=_of_each(needs, lambda need: Text(need.purpose)).by_language,
        retention=_of_each(needs, retention).by_language,
        location=place.by_language,
    )


def _of_each(needs: Sequence[DataNeed], words: Callable[[DataNeed], Text]) -> Text:
    """Return words about each data need, with its title."""
    return Text(
        {
            tag: _AND.say(tag).join(
                _OF.say(tag).format(title=Text(need.title).say(tag), said=words(need).say(tag))
                for need in needs
            )
            for tag in _LANGUAGES
        }
    )


def retention(need: DataNeed) -> Text:
    """Return how long records are stored after the permission for a data need ended."""
    days = need.retention_days
    if not days:
        return _NOT_AFTER
    return Text({tag: _AFTER.say(tag).format(length=length(days, tag)) for tag in _LANGUAGES})
