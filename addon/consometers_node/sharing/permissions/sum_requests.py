"""What a home refuses in requests for sums, whatever is ticked; and the minimum it demands."""

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from consometers_node.i18n.foreign import isolated, isolated_text
from consometers_node.i18n.text import Text, text
from consometers_node.permission import DataNeed, Permission, Reading, State
from consometers_node.series import Direction, Series
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.settings import set_setting, setting

DEFAULT_MINIMUM = 10
MOST_MINIMUM = 10_000
"""A home that demands more is in no sum."""

_MINIMUM = "sums.minimum"

_SHARED_SUFFIXES = frozenset(
    {
        *("asso.fr", "com.fr", "gouv.fr", "nom.fr", "prd.fr", "tm.fr"),
        *("avoues.fr", "cci.fr", "greta.fr", "huissier-justice.fr"),
        *("ac.be", "co.at", "gv.at", "or.at", "com.es", "gob.es", "nom.es", "org.es"),
        *("ac.uk", "co.uk", "gov.uk", "me.uk", "org.uk"),
    }
)
"""Of the Public Suffix List (publicsuffix.org, ICANN section), those in the languages of ours and
next door."""

_NOT_A_HOME = text("Only homes take part in protected sums.")
_DEPENDENT = text(
    "The witness {witness} ({domain}) is not independent of {collective}: both names belong to one"
    " domain, so one body could read your home. Nothing can be allowed here; ask the collective for"
    " another witness."
)
_TOO_FEW = text(
    "This request promises sums of at least {promised} homes; your settings demand {minimum}."
    " Refuse, or change the number under Settings."
)
_TWO_SERIES = text("Choose one series of each direction: your home counts once in a sum.")
_TWO_SUMS = text(
    "“{title}” already has a series of this direction in its sums: your home would count twice."
    " Withdraw that permission first."
)
_READ_BESIDES = text(
    "“{title}” already covers this direction on other terms: what a meter counts is shared either"
    " by itself or in protected sums, whatever the statistic. Withdraw that permission first, or"
    " choose another direction."
)


async def minimum_homes(connection: AsyncConnection) -> int:
    """Return the minimum number of homes in each sum with this one."""
    stored = await setting(connection, _MINIMUM)
    return DEFAULT_MINIMUM if stored is None else int(stored)


async def set_minimum_homes(connection: AsyncConnection, minimum: int) -> None:
    """Store the minimum number of homes in a sum, from the next permission on."""
    value = None if minimum == DEFAULT_MINIMUM else str(minimum)
    await set_setting(connection, _MINIMUM, value)


def objection_to_witness(need: DataNeed, collective: str, minimum: int) -> Text | None:
    """Return why a home rejects the witness that a collective (bare JID) names."""
    witness = need.witness
    if witness is None:
        return None
    domain = collective.rpartition("@")[2]
    for other in (witness.jid.rpartition("@")[2], urlsplit(witness.url).hostname or ""):
        if _are_related(other, domain):
            return _DEPENDENT.fill(
                witness=isolated(witness.name),
                domain=isolated(other),
                collective=isolated(need.controller),
            )
    if witness.minimum < minimum:
        return _TOO_FEW.fill(promised=witness.minimum, minimum=minimum)
    return None


def objection_to_series(
    need: DataNeed, chosen: Iterable[Series], permissions: Iterable[Permission], *, of_home: bool
) -> Text | None:
    """Return why these series cannot be allowed beside the same peer's other permissions."""
    chosen = list(chosen)
    is_sum = need.reading is Reading.SUM
    if is_sum and not of_home:
        return _NOT_A_HOME
    directions = [series.direction for series in chosen]
    if is_sum and len(set(directions)) < len(directions):
        return _TWO_SERIES
    objections = objections_to_directions(need, permissions)
    return next((objections[way] for way in directions if way in objections), None)


def objections_to_directions(
    need: DataNeed, permissions: Iterable[Permission]
) -> Mapping[Direction, Text]:
    """Return the directions that cannot be allowed beside the same peer's other permissions.

    A home has one meter in each direction, of which Home Assistant has any number of statistics:
    energy, power, and what helpers derive. So whatever has the direction is of the meter.
    """
    is_sum = need.reading is Reading.SUM
    objections: dict[Direction, Text] = {}
    for other in permissions:
        if other.state is not State.GRANTED or other.need.id == need.id or other.terms is None:
            continue
        is_other_sum = other.need.reading is Reading.SUM
        if is_sum or is_other_sum:
            words = _TWO_SUMS if is_sum and is_other_sum else _READ_BESIDES
            objection = words.fill(title=isolated_text(Text(other.need.title)))
            for series in other.terms.series:
                objections.setdefault(series.direction, objection)
    return objections


def _are_related(domain: str, other: str) -> bool:
    """Return whether two domains are of one registrable domain, or one is above the other."""
    first, second = (f".{name.lower().rstrip('.')}" for name in (domain, other))
    return (
        first.endswith(second)
        or second.endswith(first)
        or _registrable(first) == _registrable(second)
    )


def _registrable(domain: str) -> Sequence[str]:
    """Return the labels that somebody registered: the last two, or three below a shared suffix.

    A suffix that is not known here makes two bodies one, and never one body two.
    """
    labels = domain.strip(".").split(".")
    return labels[-3 if ".".join(labels[-2:]) in _SHARED_SUFFIXES else -2 :]
