"""Data needs and permissions between the protocol's words and the node's.

A mean power over an interval and the energy of that interval say the same thing: who asks for power
may be answered by a register of energy. Who asks for energy wants a register.

Calendar units become days, never more of them than were meant: a year is 365 days, a month 30.
"""

from consometers_node import permission as nouns, quoalise
from consometers_node.permission import BadNeed, DataNeed, ShownText, Terms, Wanted
from consometers_node.quoalise import Duration, Identifier, Text, iso8601
from consometers_node.quoalise.text import text
from consometers_node.series import Direction, Interval, Quantity

from .errors import Unsayable

_YEAR_DAYS, _MONTH_DAYS, _DAY_S = 365, 30, 86_400
_BOTH = (Quantity.POWER, Quantity.ENERGY)

_NO_SUCH_INTERVAL = text(
    "Records at an interval of {found} are not known here: one of {wanted} is."
)
_INCOMPLETE = text(
    "The data need “{need}” cannot be used ({field}): ask {controller} to correct it."
)


def read_need(said: quoalise.DataNeed) -> DataNeed:
    """Read a data need. Raises `Unsayable` on what no household could answer."""
    try:
        return DataNeed(
            id=said.id,
            version=said.version,
            title=said.title.by_language,
            purpose=said.purpose.by_language,
            recipients=said.recipients.by_language,
            controller=said.controller,
            contact=said.contact,
            policy=said.policy,
            wanted=frozenset(
                Wanted(Direction(one.direction), quantity)
                for one in said.wanted
                for quantity in _quantities(one.quantity)
            ),
            interval=read_interval(said.interval),
            history_days=days(said.history),
            duration_days=days(said.duration),
            retention_days=days(said.retention),
            identification=nouns.Identification(said.identification),
            reading=nouns.Reading(said.reading),
        )
    except BadNeed as fault:
        raise Unsayable(
            _INCOMPLETE.fill(
                need=said.id, field=fault.field.removesuffix("_days"), controller=said.controller
            )
        ) from fault


def write_need(need: DataNeed) -> quoalise.DataNeed:
    """Return a data need as `read_need` reads it."""
    wanted = sorted(need.wanted, key=lambda one: (one.direction, one.quantity))
    powers = {one.direction for one in wanted if one.quantity is Quantity.POWER}
    return quoalise.DataNeed(
        id=need.id,
        version=need.version,
        title=Text(need.title),
        purpose=Text(need.purpose),
        recipients=Text(need.recipients),
        controller=need.controller,
        contact=need.contact,
        policy=need.policy,
        wanted=tuple(
            quoalise.Wanted(quoalise.Direction(one.direction), quoalise.Quantity(one.quantity))
            for one in wanted
            if one.quantity is Quantity.POWER or one.direction not in powers
        ),
        interval=write_interval(need.interval),
        history=Duration(days=need.history_days),
        duration=Duration(days=need.duration_days),
        retention=Duration(days=need.retention_days),
        identification=quoalise.Identification(need.identification),
        reading=quoalise.Reading(need.reading),
    )


def write_permission(
    number: str, need: DataNeed, terms: Terms, names: tuple[Identifier, ...], shown: ShownText
) -> quoalise.Permission:
    """Return a grant as its peer is told of it; `names` are those of the series, for that peer."""
    return quoalise.Permission(
        id=number,
        need=need.id,
        version=need.version,
        series=names,
        interval=write_interval(terms.interval),
        records_from=terms.records_from,
        valid_from=terms.valid_from,
        valid_until=terms.valid_until,
        shown_sha256=shown.hash,
        shown_language=shown.language,
        identification=quoalise.Identification(terms.identification),
        reading=quoalise.Reading(need.reading),
    )


def days(length: Duration) -> int:
    """Return whole days, no more than the length has."""
    calendar = length.years * _YEAR_DAYS + length.months * _MONTH_DAYS + length.days
    return calendar + length.seconds // _DAY_S


def read_interval(said: Duration) -> Interval:
    """Return the interval of records. Raises `Unsayable`."""
    if (found := str(said)) not in Interval:
        raise Unsayable(_NO_SUCH_INTERVAL.fill(found=found, wanted=", ".join(Interval)))
    return Interval(found)


def write_interval(interval: Interval) -> Duration:
    """Return the interval as the protocol has it."""
    return iso8601.duration(interval)


def _quantities(said: quoalise.Quantity) -> tuple[Quantity, ...]:
    return _BOTH if said is quoalise.Quantity.POWER else (Quantity.ENERGY,)
