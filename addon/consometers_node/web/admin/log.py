"""The access log: who read what about whom, and what administrators did."""

from datetime import timedelta
import re

from aiohttp import web

from consometers_node.collective.members.members import Members
from consometers_node.i18n.text import Text, text
from consometers_node.series import Interval
from consometers_node.sharing.consent_text import INTERVALS
from consometers_node.store.collective.access_log import reads
from consometers_node.web.core.admin_context import AdminContext
from consometers_node.web.core.language import LANGUAGES

from .page_base import AdminPages
from .pager import Pager

_AT_ONCE = 50
_SPANS = (30, 365)

_WHATS = {
    "page": text("viewed the member’s page"),
    "export json": text("exported everything"),
    "export csv": text("exported the records"),
    "own export": text("received a copy of its data"),
    "site": text("described it as a public building"),
    "home": text("changed it back to a home"),
    "name": text("named it"),
    "area": text("set the commune"),
    "note": text("changed the name or the note"),
    "shares": text("set the shares"),
    "message": text("sent it a message"),
    r"message to (?P<count>\d+) members: silent": text(
        "sent a message to the silent members ({count})"
    ),
    r"message to (?P<count>\d+) members: all": text("sent a message to all members ({count})"),
    "device": text("decided the owner of a device"),
    "believe": text("accepted records set aside"),
    "leave out": text("rejected records set aside"),
    "terminate": text("ended a permission"),
    "erase": text("erased the member"),
    "erase with account": text("erased the member and its account"),
    "account removed": text("removed the account of a former member"),
    "login": text("logged in"),
    "password": text("changed their password"),
    "about changed": text("changed what the pages say of the collective"),
    "figures changed": text("changed the prices or the CO₂ factor"),
    r"data need (?P<id>\S+) version (?P<version>\d+) asked for": text(
        "requested “{id}”, version {version}"
    ),
    r"data need (?P<id>\S+) closed": text("stopped “{id}”"),
    r"data need (?P<id>\S+) asked for again": text("resumed “{id}”"),
    r"(?P<count>\d+) invitations made for \S+": text("created invitations ({count})"),
    r"invitation (?P<id>\S+) revoked": text("revoked invitation {id}"),
    r"(?P<count>\d+) codes made for (?P<jid>\S+)": text("made codes for {jid} ({count})"),
    r"code (?P<id>\S+) revoked": text("revoked code {id}"),
    r"challenge (?P<name>.+) set": text("set the challenge “{name}”"),
    r"challenge (?P<name>.+) changed": text("changed the challenge “{name}”"),
    r"challenge (?P<name>.+) removed": text("removed the challenge “{name}”"),
    r"joined (?P<jid>\S+)": text("opened the invitation of {jid}"),
    r"allowed (?P<id>\S+) of (?P<jid>\S+)": text("allowed “{id}” to {jid}"),
    r"refused (?P<id>\S+) of (?P<jid>\S+)": text("refused “{id}” to {jid}"),
    r"withdrawn (?P<id>\S+) of (?P<jid>\S+)": text("withdrew “{id}” from {jid}"),
    r"publication as the file says": text("restored the publication rules of the settings file"),
    r"publication (?P<rules>.+)": text("chose the publication rules: {rules}"),
    r"preview of publication (?P<rules>.+)": text("previewed the publication: {rules}"),
}
"""Patterns of entries in words: the first match counts. Other entries are shown as they are."""
_RULE = re.compile(r"\S+=(?:not yet|\S+)")
_RULES = {
    "basis=law": text("as the law requires", context="log"),
    "minimum": text("at least {value} homes"),
    "wait_minutes": text("closing after {value} min without new data"),
    "opens=now": text("from now on", context="log"),
    "opens=not yet": text("only once an administrator opens"),
    "opens": text("from {value} on"),
}


async def show(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Show the accesses to one member or to all, the last first."""
    span = next((days for days in _SPANS if context.asked("days") == str(days)), _SPANS[0])
    async with pages.store.reading() as connection:
        members = Members(connection, pages.settings.time_zone)
        member = (
            await members.by_pseudonym(context.asked("member")) if context.asked("member") else None
        )
        since = context.now - timedelta(days=span)
        entries = await reads(connection, member.id if member else None, since)
        pager = Pager.asked(context, len(entries), _AT_ONCE)
        shown = entries[pager.first : pager.end]
        whose = {
            member_id: await members.get(member_id)
            for member_id in {entry.member for entry in shown if entry.member is not None}
        }
    return pages.page(
        context,
        "log.html",
        reads=shown,
        whose=whose,
        member=member,
        span=span,
        spans=_SPANS,
        pager=pager,
        in_words=_in_words,
    )


def _in_words(what: str) -> Text:
    for pattern, words in _WHATS.items():
        if match := re.fullmatch(pattern, what):
            names: dict[str, str | Text] = dict(match.groupdict())
            if "rules" in names:
                names["rules"] = _rules(match["rules"])
            return words.fill(**names)
    return Text({"en": what})


def _rules(written: str) -> Text:
    """Return rules of publication for people; unknown ones stay as they are."""
    sentences = []
    for rule in _RULE.findall(written):
        key, _, value = rule.partition("=")
        if key == "interval" and value in Interval:
            sentences.append(INTERVALS[Interval(value)])
        elif rule in _RULES or key in _RULES:
            sentences.append((_RULES.get(rule) or _RULES[key]).fill(value=value))
        elif rule != "basis=agreed":
            sentences.append(Text({"en": rule}))
    return Text({tag: ", ".join(sentence.say(tag) for sentence in sentences) for tag in LANGUAGES})
