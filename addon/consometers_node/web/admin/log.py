"""Who read what of whom, and what administrators did."""

from datetime import timedelta
import re

from aiohttp import web

from ...collective.access_log import reads
from ...collective.members.members import Members
from ...quoalise import Text
from ...quoalise.text import text
from ...series import Interval
from ...sharing.consent_text import INTERVALS
from ..language import LANGUAGES
from .handlers import AdminDesk
from .pager import Pager
from .visit import Visit

_AT_ONCE = 50
_SPANS = (30, 365)

_WHATS = {
    "page": text("looked at the member’s page"),
    "export json": text("took all that is held along"),
    "export csv": text("took the records along"),
    "site": text("described it as a public building"),
    "name": text("named it"),
    "area": text("said in which commune it is"),
    "device": text("decided whose a device is"),
    "believe": text("accepted records set aside"),
    "leave out": text("left out records set aside"),
    "terminate": text("ended a permission"),
    "erase": text("had it erased"),
    "login": text("logged in"),
    "password": text("changed their password"),
}
"""What is written down, in words. What is not here is shown as it is."""
_LIKE = {
    re.compile(pattern): words
    for pattern, words in (
        (
            r"data need (?P<id>\S+) version (?P<version>\d+) asked for",
            text("asked for “{id}”, version {version}"),
        ),
        (r"data need (?P<id>\S+) closed", text("closed “{id}”")),
        (
            r"data need (?P<id>\S+) asked for again",
            text("asked for “{id}” again"),
        ),
        (
            r"(?P<count>\d+) invitations made for \S+",
            text("made invitations ({count})"),
        ),
        (
            r"invitation (?P<id>\S+) revoked",
            text("revoked invitation {id}"),
        ),
        (
            r"publication as the file says",
            text("had sums published as the file says"),
        ),
        (
            r"publication (?P<rules>.+)",
            text("chose how sums are published: {rules}"),
        ),
        (
            r"preview of publication (?P<rules>.+)",
            text("looked at what would be published: {rules}"),
        ),
    )
}
"""The same of what has a name in it: the first that it is like."""
_RULE = re.compile(r"\S+=(?:not yet|\S+)")
_RULES = {
    "basis=law": text("what the law wants", context="log"),
    "minimum": text("at least {value} homes"),
    "wait_minutes": text("latecomers waited for {value} min"),
    "opens=not yet": text("not before somebody says so"),
    "opens": text("from {value} on"),
}


async def show(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Show who read what, of one member or of all, the last first."""
    span = next((days for days in _SPANS if visit.asked("days") == str(days)), _SPANS[0])
    async with desk.store.reading() as connection:
        members = Members(connection, desk.settings.time_zone)
        one = await members.by_pseudonym(visit.asked("member")) if visit.asked("member") else None
        since = visit.now - timedelta(days=span)
        found = await reads(connection, one.id if one else None, since)
        pager = Pager.of(visit, len(found), _AT_ONCE)
        shown = found[pager.first : pager.end]
        whose = {
            number: await members.get(number)
            for number in {each.member for each in shown if each.member is not None}
        }
    return desk.page(
        visit,
        "log.html",
        reads=shown,
        whose=whose,
        one=one,
        span=span,
        spans=_SPANS,
        pager=pager,
        said=_said,
    )


def _said(what: str) -> Text:
    if what in _WHATS:
        return _WHATS[what]
    for pattern, words in _LIKE.items():
        if found := pattern.fullmatch(what):
            told = found.groupdict()
            if "rules" not in told:
                return words.fill(**told)
            rules = _rules(told["rules"])
            return Text({tag: words.say(tag).format(rules=rules.say(tag)) for tag in LANGUAGES})
    return Text({"en": what})


def _rules(written: str) -> Text:
    """Return rules of publication as people read them; what is not known stays as it is."""
    said = []
    for rule in _RULE.findall(written):
        key, _, value = rule.partition("=")
        if key == "interval" and value in Interval:
            said.append(INTERVALS[Interval(value)])
        elif rule in _RULES or key in _RULES:
            said.append((_RULES.get(rule) or _RULES[key]).fill(value=value))
        elif rule != "basis=agreed":
            said.append(Text({"en": rule}))
    return Text({tag: ", ".join(one.say(tag) for one in said) for tag in LANGUAGES})
