"""What the words of a data need leave out of what members agree to. Pure.

Members agree to the purpose as they read it, and the rules of publication add nothing to it. Words
are compared with the rules in English and French; in other languages, the number of homes alone.
"""

from collections.abc import Iterator
import re
from urllib.parse import urlsplit

from consometers_node.collective.disclosure.sdc_rules import LEAST_MINIMUM, Publication
from consometers_node.i18n.text import Text, text
from consometers_node.permission import DataNeed, Identification
from consometers_node.series import Interval
from consometers_node.sharing.consent_text import INTERVALS

_SPELLED = {
    "en": "three four five six seven eight nine ten eleven twelve",
    "fr": "trois quatre cinq six sept huit neuf dix onze douze",
}
"""Numbers from `LEAST_MINIMUM` on, which people usually write in words."""
_PUBLISHED = re.compile("publi", re.IGNORECASE)
_RESOLUTIONS = {
    Interval.PT1H: {"en": r"\bhour", "fr": r"\bheure|\bhoraire"},
    Interval.PT30M: {"en": r"half.hour|\b30 min", "fr": r"demi.heure|\b30 min"},
    Interval.PT5M: {"en": r"\b(5|five) min", "fr": r"\b(5|cinq) min"},
    Interval.P1D: {"en": r"\bday|\bdaily", "fr": r"\bjour|quotidien"},
}

_UNPUBLISHED = text("The purpose ({language}) does not say that sums are published.")
_UNCOUNTED = text(
    "The purpose ({language}) does not say how many homes a published sum has at least: {count}."
)
_UNRESOLVED = text(
    "The purpose ({language}) does not say at what resolution sums are published: {interval}."
)
_FIRST_PAGE = text(
    "{policy} is the first page of a site: give the data policy a page of its own, such as"
    " /privacy of the collective’s public pages."
)


def omissions(need: DataNeed, publication: Publication) -> list[Text]:
    """Return what the texts of a data need do not say of what is published, and of its policy."""
    omitted = list(_of_words(need, publication))
    if urlsplit(need.policy).path in {"", "/"}:
        omitted.append(_FIRST_PAGE.fill(policy=need.policy))
    return omitted


def _of_words(need: DataNeed, publication: Publication) -> Iterator[Text]:
    # What is shown by name is no sum of homes, and by law no number was promised.
    is_of_homes = need.identification is not Identification.NAME
    count = publication.minimum if is_of_homes else None
    interval = max(publication.interval, need.interval, key=lambda each: each.minutes)
    for tag, purpose in need.purpose.items():
        language = tag.partition("-")[0]
        if language in _SPELLED and not _PUBLISHED.search(purpose):
            yield _UNPUBLISHED.fill(language=tag)
        if count is not None and not re.search(_number(count, language), purpose, re.IGNORECASE):
            yield _UNCOUNTED.fill(language=tag, count=count)
        resolution = _RESOLUTIONS[interval].get(language)
        if resolution is not None and not re.search(resolution, purpose, re.IGNORECASE):
            yield _UNRESOLVED.fill(language=tag, interval=INTERVALS[interval])


def _number(count: int, language: str) -> str:
    words = _SPELLED.get(language, "").split()
    place = count - LEAST_MINIMUM
    spelled = words[place : place + 1] if place >= 0 else []
    return rf"\b({'|'.join([str(count), *spelled])})\b"
