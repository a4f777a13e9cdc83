"""Data needs and permissions between the protocol's words and the node's.

A mean power over an interval and the energy of that interval say the same thing: who asks for power
may be answered by a register of energy. Who asks for energy wants a register.

Calendar units become days, never more of them than were meant: a year is 365 days, a month 30.
"""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from xml.etree.ElementTree import canonicalize

from consometers_node.i18n.text import TranslatedError, text
from consometers_node.permission import BadNeed, DataNeed, DataNeedSeries, ShownText, Terms
from consometers_node.series import Interval, Quantity, Series
import consometers_quoalise as quoalise
from consometers_quoalise import Duration, Identifier, iso8601
from consometers_quoalise.elements.markup import serialise
from consometers_quoalise.federation import permissions_xml

_YEAR_DAYS, _MONTH_DAYS, _DAY_S = 365, 30, 86_400

_NO_SUCH_INTERVAL = text(
    "Records at a resolution of {found} are not supported here: use one of {wanted}."
)
_INCOMPLETE = text(
    "The data request “{need}” cannot be used ({field}): ask {controller} to correct it."
)


class Unsayable(TranslatedError):
    """The protocol cannot say this, or the node cannot use what it says."""


def read_need(sent: quoalise.DataNeed) -> DataNeed:
    """Read a data need. Raises `Unsayable` on one that no household could answer."""
    try:
        return DataNeed(
            id=sent.id,
            version=sent.version,
            title=sent.title,
            purpose=sent.purpose,
            recipients=sent.recipients,
            controller=sent.controller,
            contact=sent.contact,
            policy=sent.policy,
            series=frozenset(
                DataNeedSeries(series.direction, quantity)
                for series in sent.series
                for quantity in _quantities(series.quantity)
            ),
            interval=read_interval(sent.interval),
            history_days=days(sent.history),
            duration_days=days(sent.duration),
            retention_days=days(sent.retention),
            identification=sent.identification,
            reading=sent.reading,
            witness=sent.witness,
        )
    except BadNeed as fault:
        field = fault.field.removesuffix("_days")
        raise Unsayable(
            _INCOMPLETE, need=sent.id, field=field, controller=sent.controller
        ) from fault


def write_need(need: DataNeed) -> quoalise.DataNeed:
    """Return a data need as `read_need` reads it."""
    series = sorted(need.series, key=lambda kind: (kind.direction, kind.quantity))
    powers = {kind.direction for kind in series if kind.quantity is Quantity.POWER}
    return quoalise.DataNeed(
        id=need.id,
        version=need.version,
        title=need.title,
        purpose=need.purpose,
        recipients=need.recipients,
        controller=need.controller,
        contact=need.contact,
        policy=need.policy,
        series=tuple(
            quoalise.DataNeedSeries(kind.direction, kind.quantity)
            for kind in series
            if kind.quantity is Quantity.POWER or kind.direction not in powers
        ),
        interval=write_interval(need.interval),
        history=Duration(days=need.history_days),
        duration=Duration(days=need.duration_days),
        retention=Duration(days=need.retention_days),
        identification=need.identification,
        reading=need.reading,
        witness=need.witness,
    )


def need_hash(need: DataNeed) -> str:
    """Return the SHA-256 of a data need, in hexadecimal digits: who has its text has its hash.

    It is of the `<data-need>`, its texts in the order of their languages, as Canonical XML 2.0.
    """
    sent = write_need(need)
    (element,) = permissions_xml.write_data_needs(
        [
            replace(
                sent,
                title=_in_order(sent.title),
                purpose=_in_order(sent.purpose),
                recipients=_in_order(sent.recipients),
            )
        ]
    )
    return sha256(canonicalize(serialise(element).decode()).encode()).hexdigest()


def _in_order(texts: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(texts.items()))


def write_permission(
    permission_id: str,
    need: DataNeed,
    terms: Terms,
    names: Mapping[Identifier, Series],
    shown: ShownText,
) -> quoalise.Permission:
    """Return a grant as its peer receives it; `names` are those of the series, for that peer."""
    return quoalise.Permission(
        id=permission_id,
        need=need.id,
        version=need.version,
        series=tuple(names),
        interval=write_interval(terms.interval),
        records_from=terms.records_from,
        valid_from=terms.valid_from,
        valid_until=terms.valid_until,
        shown_sha256=shown.hash,
        shown_language=shown.language,
        identification=terms.identification,
        reading=need.reading,
        subscribed_kva={
            name: terms.subscribed_kva[series]
            for name, series in names.items()
            if series in terms.subscribed_kva
        },
    )


def days(length: Duration) -> int:
    """Return whole days, no more than the duration has."""
    calendar = length.years * _YEAR_DAYS + length.months * _MONTH_DAYS + length.days
    return calendar + length.seconds // _DAY_S


def read_interval(duration: Duration) -> Interval:
    """Return the interval of records. Raises `Unsayable`."""
    if (step := str(duration)) not in Interval:
        raise Unsayable(_NO_SUCH_INTERVAL, found=step, wanted=", ".join(Interval))
    return Interval(step)


def write_interval(interval: Interval) -> Duration:
    """Return the interval as the protocol writes it."""
    return iso8601.duration(interval)


def _quantities(quantity: Quantity) -> tuple[Quantity, ...]:
    match quantity:
        case Quantity.POWER:
            return Quantity.POWER, Quantity.ENERGY
        case Quantity.ENERGY:
            return (Quantity.ENERGY,)
