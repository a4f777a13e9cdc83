"""What a peer answers at once: `list`, `subscribe`, `unsubscribe`, `needs`."""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from datetime import datetime

from consometers_quoalise import ByLanguage, DataNeed, Duration, Identifier, Malformed, answers
from consometers_quoalise.languages import best
from consometers_quoalise.records import identifier
from consometers_quoalise.records.documents import Json
from consometers_quoalise_network import Join, links
from consometers_quoalise_network.errors import NotALink

from .account import asking
from .errors import misused
from .output import Output, table
from .times import local
from .words import Language, say

_TIMES = ("first", "last")


async def list_series(typed: Namespace, output: Output) -> None:
    """Print which series the account may read."""
    async with asking(typed, output) as peer:
        listed = await peer.list_series(typed.peer)
    rows = [answers.row(series) for series in listed]
    if output.as_json:
        output.document({"from": typed.peer, "series": rows})
    elif rows:
        columns = [var for var in answers.COLUMNS if any(row.get(var) for row in rows)]
        titles = [say(var, output.language) for var in columns]
        shown = [[_cell(var, row.get(var) or "") for var in columns] for row in rows]
        output.text(table(titles, shown))
    else:
        output.text(say("no_series", output.language, peer=typed.peer))


async def subscribe(typed: Namespace, output: Output) -> None:
    """Ask for new records, or for no more of them."""
    series = read_identifier(typed.series, output.language)
    subscribed = typed.command == "subscribe"
    async with asking(typed, output) as peer:
        await (peer.subscribe if subscribed else peer.unsubscribe)(typed.peer, series)
    if output.as_json:
        document = {"from": typed.peer, "identifier": str(series), "to": typed.account}
        output.document({**document, "subscribed": subscribed})
    else:
        key = "subscribed" if subscribed else "unsubscribed"
        facts = {"peer": typed.peer, "series": series, "jid": typed.account}
        output.text(say(key, output.language, **facts))


async def needs(typed: Namespace, output: Output) -> None:
    """Print what a collective asks homes for."""
    token = None
    if ":" in typed.peer:
        invitation = links.read(typed.peer)
        if not isinstance(invitation, Join):
            raise NotALink
        typed.peer, token = invitation.collective, invitation.token
    async with asking(typed, output) as peer:
        asked = await peer.get_data_needs(typed.peer, token)
    if output.as_json:
        output.document({"from": typed.peer, "needs": [_plain(need) for need in asked]})
    elif asked:
        output.text("\n\n".join("\n".join(_lines(need, output.language)) for need in asked))
    else:
        output.text(say("no_needs", output.language, peer=typed.peer))


def read_identifier(typed: str, language: Language) -> Identifier:
    """Read an argument that names a series."""
    try:
        return identifier.identifier(typed)
    except Malformed:
        raise misused("not_a_series", language, typed=typed) from None


def _cell(var: str, sent: str) -> str:
    return local(datetime.fromisoformat(sent)) if sent and var in _TIMES else sent


def _lines(need: DataNeed, language: Language) -> Iterator[str]:
    yield say(
        "need",
        language,
        title=_best(need.title, language),
        id=need.id,
        version=need.version,
    )
    yield _best(need.purpose, language)
    facts: dict[str, object] = {
        "controller": need.controller,
        "contact": need.contact,
        "policy": need.policy,
        "asked_series": ", ".join(
            f"{series.direction}/{series.quantity}" for series in need.series
        ),
        "interval": need.interval,
        "past": need.history,
        "duration": need.duration,
        "retention": need.retention,
        "identification": need.identification,
        "reading": need.reading,
        "recipients": _best(need.recipients, language),
        "witness": need.witness and say("witness_facts", language, **asdict(need.witness)),
    }
    for key, fact in facts.items():
        if fact:
            yield say("fact", language, name=say(key, language), fact=fact)


def _best(words: ByLanguage, language: Language) -> str:
    return words[best(words, language)] if words else ""


def _plain(value: object) -> Json:
    """Return a value of the protocol for programs: fields by name, durations as ISO 8601."""
    match value:
        case Duration():
            return str(value)
        case tuple():
            return [_plain(part) for part in value]
        case Mapping():
            return {str(key): _plain(part) for key, part in value.items()}
        case None | str() | int():
            return value
        case _:
            assert is_dataclass(value)
            return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
