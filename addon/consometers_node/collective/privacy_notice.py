"""What a collective tells anybody of what it keeps: what for, how long, and where it lies. Pure."""

from collections.abc import Mapping, Sequence

from ..permission import DataNeed
from ..quoalise import Text
from ..quoalise.text import text, verbatim
from ..sharing.consent_text import length
from ..xmpp import DataPolicy

_LANGUAGES = ("en", "fr")
_OF = text("{title}: {said}")
_AND = text("; ")
_AFTER = text("{length} after the end of the permission")
_NOT_AFTER = text("no longer than the permission lasts")
_NOT_TOLD = text("{controller} does not say: ask {contact}")


def data_policy(asked: Sequence[DataNeed], location: str | None) -> DataPolicy | None:
    """Say what becomes of what members are asked for; None where nothing is asked."""
    if not asked:
        return None
    first = asked[0]
    return DataPolicy(
        purpose=_of_each(asked, {one.id: Text(one.purpose) for one in asked}),
        retention=_of_each(asked, {one.id: _kept(one.retention_days) for one in asked}),
        location=verbatim(location)
        if location
        else _NOT_TOLD.fill(controller=first.controller, contact=first.contact),
    )


def _of_each(asked: Sequence[DataNeed], words: Mapping[str, Text]) -> Text:
    """Say something of each data need, with its title."""
    return Text(
        {
            tag: _AND.say(tag).join(
                _OF.say(tag).format(title=Text(one.title).say(tag), said=words[one.id].say(tag))
                for one in asked
            )
            for tag in _LANGUAGES
        }
    )


def _kept(days: int) -> Text:
    if not days:
        return _NOT_AFTER
    return Text({tag: _AFTER.say(tag).format(length=length(days, tag)) for tag in _LANGUAGES})
