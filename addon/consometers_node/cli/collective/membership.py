"""How members are displayed."""

from datetime import datetime
from typing import NamedTuple

from consometers_node.cli.core.output import Columns, Json, Output
from consometers_node.cli.core.times import day, shown
from consometers_node.collective.members.members import Member, MemberKind, known_spelling
from consometers_node.collective.members.shares import Holding
from consometers_node.collective.members.sites import BUILDINGS, HEATS
from consometers_node.collective.permissions.member_permissions import MemberPermission
from consometers_node.collective.privacy.export import values
from consometers_node.i18n.text import Text, text
from consometers_node.permission import State
from consometers_node.sharing import consent_text as shared_words
from consometers_node.store.collective.member_series import MemberSeries
from consometers_node.store.collective.tables import MemberId
from consometers_node.store.engine.connection import AsyncConnection

KINDS = {
    MemberKind.HOME: text("home"),
    MemberKind.SITE: text("site"),
    MemberKind.COLLECTIVE: text("collective"),
}
_PSEUDONYM = text("Pseudonym")
_KIND = text("Kind")
_NAME = text("Name")
_AREA = text("Commune")
_JOINED = text("Joined", context="list on the command line")
_HEARD = text("Last data", context="list on the command line")
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
    "shares": text("Shares of its panels"),
    "words_fr": text("Description in French"),
    "words_en": text("Description in English"),
}
_WORDS = {str(value): words_of for words in (BUILDINGS, HEATS) for value, words_of in words.items()}
_SHARES = text("{shares} of {total}, {plant}")
_HELD = text("Shares", context="of a plant")
_PERMISSION = text(
    "\n{title} ({need}, version {version}): {state}, from {since} until {until}, {interval}"
)
_ERASED_AT = text("Erased on {day}.")
_TAKEN = text("“{typed}” is known here as “{known}”: that name is used.")


def _state(member: Member, gave: list[MemberPermission]) -> str:
    if member.jid is None:
        return "erased"
    if member.left_at is not None:
        return "left"
    return "member" if gave else "guest"


class Overview(NamedTuple):
    """A member in the list: with its permissions, and when its last records came."""

    member: Member
    gave: list[MemberPermission]
    last_received_at: datetime | None


COLUMNS: Columns[Overview] = {
    _PSEUDONYM: lambda row: row.member.pseudonym,
    _KIND: lambda row: KINDS[row.member.kind],
    _NAME: lambda row: row.member.name,
    _AREA: lambda row: row.member.area,
    _JOINED: lambda row: day(row.member.joined_at),
    text("Permissions"): lambda row: sum(
        permission.state is State.GRANTED for permission in row.gave
    ),
    _HEARD: lambda row: row.last_received_at,
    _STATE: lambda row: _STATES[_state(row.member, row.gave)],
}
_SERIES: Columns[MemberSeries] = {
    text("Series", context="one each"): lambda series: series.identifier,
    text("History fetched up to"): lambda series: day(series.backfilled_until),
    _HEARD: lambda series: series.last_received_at,
    text("Subscribed power (kVA)"): lambda series: series.subscribed_kva,
    text("Problem"): lambda series: series.problem,
    text("Invalid report"): lambda series: series.invalid_at,
}


def facts(member: Member) -> dict[str, Json]:
    """Return the member's identity here."""
    described = member.description
    return {
        **values(member, "pseudonym", "jid", "kind", "name"),
        "description": dict(described.facts()) if described else None,
        **values(member, "area", "joined_at", "left_at", "nickname", "note"),
    }


def share(holding: Holding) -> dict[str, Json]:
    """Return shares of a plant."""
    plant = holding.plant
    return {"plant": plant.name, "shares": holding.shares, "of": plant.total}


def member_document(overview: Overview) -> dict[str, Json]:
    """Return a member for programs."""
    member, gave, last_received_at = overview
    return {
        **facts(member),
        "state": _state(member, gave),
        "last_received_at": shown(last_received_at),
        "permissions": [
            {
                "permission": permission.id,
                "need": permission.need.id,
                "version": permission.need.version,
                **values(permission, "state", "interval"),
                **values(permission, "records_from", "valid_until", "erase_at"),
            }
            for permission in gave
        ],
    }


def series_document(series: MemberSeries) -> dict[str, Json]:
    """Return how far a series was collected, for programs."""
    return {
        "permission": series.permission,
        "identifier": series.identifier,
        "asked_until": shown(series.backfilled_until),
        "last_received_at": shown(series.last_received_at),
        "subscribed_kva": series.subscribed_kva,
        "problem": series.problem,
        "invalid_at": shown(series.invalid_at),
    }


def say_all(
    member: Member,
    gave: list[MemberPermission],
    series: list[MemberSeries],
    held: list[Holding],
    output: Output,
) -> None:
    """Print everything about a member but its records."""

    def line(what: Text, value: object) -> None:
        output.say(_FACT, what=what, said=value)

    line(_PSEUDONYM, member.pseudonym)
    line(_STATE, _STATES[_state(member, gave)])
    line(_KIND, KINDS[member.kind])
    for what, fact in ((_NAME, member.name), (_ADDRESS, member.jid), (_AREA, member.area)):
        if fact is not None:
            line(what, fact)
    line(_JOINED, day(member.joined_at))
    for key, value in (member.description.facts() if member.description else {}).items():
        line(_DESCRIBED[key], _WORDS.get(str(value), value))
    for holding in held:
        plant = holding.plant
        words = _SHARES.fill(shares=holding.shares, total=plant.total, plant=plant.name)
        line(_HELD, words)
    for permission in gave:
        output.say(
            _PERMISSION,
            title=Text(permission.need.title),
            need=permission.need.id,
            version=permission.need.version,
            state=shared_words.STATES[permission.state],
            since=day(permission.records_from),
            until=day(permission.valid_until),
            interval=shared_words.INTERVALS[permission.interval],
        )
        if permission.erase_at is not None:
            output.say(_ERASED_AT, day=day(permission.erase_at))
    if series:
        output.table(_SERIES, series)


async def known_commune(
    connection: AsyncConnection, typed: str, output: Output, member: MemberId | None = None
) -> str:
    """Return a commune in its known spelling, and report the change."""
    commune = await known_spelling(connection, typed, member)
    if commune != typed:
        output.note(_TAKEN, typed=typed, known=commune)
    return commune
