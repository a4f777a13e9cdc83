"""How members are shown."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from consometers_node.collective.members.areas import as_known
from consometers_node.collective.members.members import Kind, Member
from consometers_node.collective.members.sites import BUILDINGS, HEATS
from consometers_node.collective.permissions.member_permissions import Given
from consometers_node.collective.privacy import export as exported
from consometers_node.permission import State
from consometers_node.quoalise.text import Text, text
from consometers_node.sharing import consent_text as shared_words
from consometers_node.store.collective_tables import MemberId
from consometers_node.store.member_series import Gathered

from .collective import day, shown
from .output import Json, Output
from .times import local

KINDS = {
    Kind.HOME: text("home"),
    Kind.SITE: text("site"),
    Kind.COLLECTIVE: text("collective"),
}
_PSEUDONYM = text("Pseudonym")
_KIND = text("Kind")
_NAME = text("Name")
_AREA = text("Commune")
_JOINED = text("Joined", context="list on the command line")
_GIVES = text("Permissions")
_HEARD = text("Last heard", context="list on the command line")
_STATE = text("State")
_STATES = {
    "guest": text("invited"),
    "member": text("member"),
    "left": text("left"),
    "erased": text("erased", context="of a member"),
}
_ADDRESS = text("Address")
_FACT = text("{what}: {said}")
_DESCRIBED = {
    "building": text("Building"),
    "heating": text("Heating"),
    "hot_water": text("Hot water"),
    "surface_m2": text("Surface (m²)"),
    "peak_kwp": text("Panels (kWp)"),
    "words": text("Description"),
}
_WORDS = {str(one): said for words in (BUILDINGS, HEATS) for one, said in words.items()}
_PERMISSION = text(
    "\n{title} ({need}, version {version}): {state}, from {since} until {until}, {interval}"
)
_ERASED_AT = text("Erased on {day}.")
_SERIES = text("Series", context="one each")
_ASKED = text("Past asked until")
_PROBLEM = text("Problem")
TITLES = (_PSEUDONYM, _KIND, _NAME, _AREA, _JOINED, _GIVES, _HEARD, _STATE)
_TAKEN = text("“{typed}” is known as “{known}” here: that is taken.")


def _state(one: Member, gave: list[Given]) -> str:
    if one.jid is None:
        return "erased"
    if one.left_at is not None:
        return "left"
    return "member" if gave else "guest"


def last_heard(series: list[Gathered]) -> datetime | None:
    """Return when records of any of these series last came."""
    return max((one.heard_at for one in series if one.heard_at is not None), default=None)


def as_told(one: Member, gave: list[Given], heard: datetime | None) -> dict[str, Json]:
    """Return a member for programs."""
    return {
        **exported.facts(one),
        "state": _state(one, gave),
        "last_heard": shown(heard),
        "permissions": [
            {
                "permission": each.id,
                "need": each.need.id,
                "version": each.need.version,
                "state": each.state,
                "interval": each.interval,
                "records_from": shown(each.records_from),
                "valid_until": shown(each.valid_until),
                "erase_at": shown(each.erase_at),
            }
            for each in gave
        ],
    }


def gathered(one: Gathered) -> dict[str, Json]:
    """Return for programs how far a series was gathered."""
    return {
        "permission": one.given,
        "identifier": one.identifier,
        "asked_until": shown(one.asked_until),
        "heard_at": shown(one.heard_at),
        "problem": one.problem,
    }


def as_row(one: Member, gave: list[Given], heard: datetime | None, output: Output) -> list[str]:
    """Return the line of a member in the list, under `TITLES`."""
    return [
        one.pseudonym,
        output.said(KINDS[one.kind]),
        one.name or "",
        one.area or "",
        day(one.joined_at),
        str(sum(each.state is State.GRANTED for each in gave)),
        "" if heard is None else local(heard.timestamp()),
        output.said(_STATES[_state(one, gave)]),
    ]


def say_all(one: Member, gave: list[Given], series: list[Gathered], output: Output) -> None:
    """Say all of a member but its records."""

    def line(what: Text, said: object) -> None:
        output.say(_FACT, what=output.said(what), said=said)

    line(_PSEUDONYM, one.pseudonym)
    line(_STATE, output.said(_STATES[_state(one, gave)]))
    line(_KIND, output.said(KINDS[one.kind]))
    for what, said in ((_NAME, one.name), (_ADDRESS, one.jid), (_AREA, one.area)):
        if said is not None:
            line(what, said)
    line(_JOINED, day(one.joined_at))
    for key, value in (one.description.told() if one.description else {}).items():
        named = _WORDS.get(str(value))
        line(_DESCRIBED[key], output.said(named) if named else value)
    for each in gave:
        output.say(
            _PERMISSION,
            title=output.said(Text(each.need.title)),
            need=each.need.id,
            version=each.need.version,
            state=output.said(shared_words.STATES[each.state]),
            since=day(each.records_from),
            until=day(each.valid_until),
            interval=output.said(shared_words.INTERVALS[each.interval]),
        )
        if each.erase_at is not None:
            output.say(_ERASED_AT, day=day(each.erase_at))
    if series:
        rows = [
            [
                each.identifier,
                day(each.asked_until),
                "" if each.heard_at is None else local(each.heard_at.timestamp()),
                each.problem or "",
            ]
            for each in series
        ]
        output.table((_SERIES, _ASKED, _HEARD, _PROBLEM), rows)


async def known_commune(
    connection: AsyncConnection, typed: str, output: Output, member: MemberId | None = None
) -> str:
    """Return a commune as it is written where it is known, and say so where it was not."""
    known = await as_known(connection, typed, member)
    if known != typed:
        output.note(_TAKEN, typed=typed, known=known)
    return known
