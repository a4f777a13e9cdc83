"""The text that a person reads before answering, which is stored, in both languages."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from consometers_node.i18n.foreign import isolated, quoted
from consometers_node.i18n.text import Text, around, text, typeset
from consometers_node.permission import (
    Choice,
    DataNeed,
    Identification,
    ShownText,
    State,
    subscribed,
)
from consometers_node.series import Direction, Interval, Quantity, Series
from consometers_node.store.peers import Peer
from consometers_quoalise import Role

DIRECTIONS = {
    Direction.CONSUMPTION: text("energy from the grid"),
    Direction.INJECTION: text("energy to the grid"),
    Direction.PRODUCTION: text("energy produced by panels"),
}
INTERVALS = {
    Interval.PT5M: text("every 5 minutes"),
    Interval.PT30M: text("every half hour"),
    Interval.PT1H: text("every hour"),
    Interval.P1D: text("every day"),
}
QUANTITIES = {
    Quantity.ENERGY: text("register"),
    Quantity.POWER: text("mean power"),
}
IDENTIFICATIONS = {
    Identification.PSEUDONYM: text("a pseudonym, different for each collective"),
    Identification.DELIVERY_POINT: text("the number of your delivery point"),
    Identification.NAME: text("the name of your building, which everyone sees"),
}
_SHOWN_BY_NAME = text(
    "Everyone can see what your building takes from the grid, sends to the grid and produces,"
    " {said}, under its name: on public pages, in open data and on screens. It is shown from the"
    " first of a month on. What was published stays, even after you withdraw; nothing more is"
    " then published of your building alone, and its name is removed."
)

WHO_COULD_READ = text(
    "The collective and the witness together could read you; so could either of them together with"
    " all but you of the homes in a sum."
)
_PROTECTED = text(
    "Only sums of at least {minimum} homes can be read. {controller} receives masked values, and no"
    " keys. {witness} ({url}), contact {contact}, receives the keys, and no values; it knows the"
    " homes in a sum: each enrols by a code that it gave to a household."
)

STATES = {
    State.PROPOSED: text("asked"),
    State.GRANTED: text("allowed"),
    State.REFUSED: text("refused"),
    State.WITHDRAWN: text("withdrawn"),
    State.TERMINATED: text("ended by the collective"),
    State.EXPIRED: text("expired"),
}

_NEED = text(
    "{title}\nRequested by: {controller} ({peer}), contact {contact}\nPurpose: "
    "{purpose}\nOther recipients: {recipients}\nData: {wanted}, at most "
    "{interval}\nHistory: {history}\nDuration: {duration} from the day on which you "
    "allow it\nKept after the end: {retention}\nIdentified by: {identification}\nData "
    "policy: {policy}"
)
_GRANT = text("""You allow, until {until}:
{series}
{interval}, from {since} on, under {identification}. Nothing else leaves {origin} for this request.
You can withdraw at any time, at once; the data sent is then erased unless you say otherwise.""")
_ONE_SERIES = {
    Role.HOUSEHOLD: text("- {statistic}: {direction}"),
    Role.COLLECTIVE: text("- {statistic}: {direction}, with the number of members in each sum"),
}
_SUBSCRIBED = text(
    "- {statistic}: the subscribed power of its meter, {power} kVA at present, and each change of"
    " it. {controller} sets aside the records that exceed it, and uses it for nothing else"
)
_ORIGINS = {
    Role.HOUSEHOLD: text("your home"),
    Role.COLLECTIVE: text("your collective"),
}
_OWN_NAME = text("the name of your collective")
_REFUSAL = text(
    "You refuse “{title}”, requested by {controller}. Nothing leaves {origin} for this request."
)
_WITHDRAWAL = {
    True: text(
        "You withdraw “{title}” from {controller}. Nothing more will leave {origin} for this"
        " request, and {controller} must erase the received data. Sums already published stay."
    ),
    False: text(
        "You withdraw “{title}” from {controller}. Nothing more will leave {origin} for this"
        " request, and {controller} may keep the received data for the announced time."
    ),
}
NOT_REGISTERED = text(
    "No more data leaves for this request, but the withdrawal could not be written in the"
    " register and the collective was not informed. Withdraw once more. If this error returns,"
    " the node’s database was altered or is damaged: restore a backup of the node, and withdraw"
    " again."
)
STILL_LEAVES = text(
    "The withdrawal failed: the database of this node refuses it. Stop the node, so that no data"
    " leaves. Free some space on its disk, or restore a backup; start it, and withdraw again."
)
_NOBODY = text("nobody")
_NO_PAST = text("none of it")
_THE_LAST = text("the last {days} days")
_DAYS = text("{days} days")
_A_YEAR = text("1 year")
_YEARS = text("{years} years")
_YEAR_DAYS = 365
_NOT_KEPT = text("nothing")


def need(asked: DataNeed, peer: Peer, language: str, *, role: Role = Role.HOUSEHOLD) -> str:
    """Return the request: what, by whom and what for."""
    words = _fill(
        _NEED,
        language,
        title=quoted(Text(asked.title).say(language), language),
        controller=isolated(asked.controller),
        peer=isolated(peer.jid),
        contact=isolated(asked.contact),
        purpose=quoted(Text(asked.purpose).say(language), language),
        recipients=quoted(Text(asked.recipients).say(language), language) or _NOBODY.say(language),
        wanted=", ".join(DIRECTIONS[way].say(language) for way in asked.directions),
        interval=INTERVALS[asked.interval].say(language),
        history=_days(asked.history_days, language),
        duration=length(asked.duration_days, language),
        retention=length(asked.retention_days, language)
        if asked.retention_days
        else _NOT_KEPT.say(language),
        identification=_identification(asked.identification, role).say(language),
        policy=isolated(asked.policy),
    )
    if (shown := shown_by_name(asked)) is not None:
        words += f"\n{typeset(shown.say(language), language)}"
    if (witness := asked.witness) is not None:
        protected = _fill(
            _PROTECTED,
            language,
            minimum=witness.minimum,
            controller=isolated(asked.controller),
            witness=isolated(witness.name),
            url=isolated(witness.url),
            contact=isolated(witness.contact),
        )
        words += f"\n{protected}\n{typeset(WHO_COULD_READ.say(language), language)}"
    return words


def shown_by_name(asked: DataNeed) -> Text | None:
    """Return what showing by name means, if the data need asks for that."""
    if asked.identification is not Identification.NAME:
        return None
    return around(_SHOWN_BY_NAME, INTERVALS[asked.interval])


def grant(
    asked: DataNeed,
    peer: Peer,
    choice: Choice,
    at: datetime,
    language: str,
    *,
    role: Role = Role.HOUSEHOLD,
) -> ShownText:
    """Return the text before this choice is granted."""
    identification = choice.identification or asked.identification
    history = asked.history_days if choice.history_days is None else choice.history_days
    duration = choice.duration_days or asked.duration_days
    words = _fill(
        _GRANT,
        language,
        until=_day(at + timedelta(days=duration), language),
        series="\n".join(
            [*series(choice.series, language, role=role), *_powers(asked, choice, language)]
        ),
        interval=", ".join(
            INTERVALS[interval].say(language)
            for interval in Interval
            if any(each.interval is interval for each in choice.series)
        ),
        since=_day(at - timedelta(days=history), language),
        identification=_identification(identification, role).say(language),
        origin=_ORIGINS[role].say(language),
    )
    return ShownText(language, f"{need(asked, peer, language, role=role)}\n\n{words}")


def refusal(asked: DataNeed, language: str, *, role: Role = Role.HOUSEHOLD) -> ShownText:
    """Return the text before a refusal."""
    return ShownText(language, _about(_REFUSAL, asked, language, role))


def withdrawal(
    asked: DataNeed, language: str, *, erase: bool, role: Role = Role.HOUSEHOLD
) -> ShownText:
    """Return the text before a withdrawal."""
    return ShownText(language, _about(_WITHDRAWAL[erase], asked, language, role))


def series(granted: Iterable[Series], language: str, *, role: Role = Role.HOUSEHOLD) -> list[str]:
    """Return a line for each series. A mean power is energy by another name."""
    return [
        _fill(
            _ONE_SERIES[role],
            language,
            statistic=each.device,
            direction=DIRECTIONS[each.direction].say(language),
        )
        for each in sorted(granted, key=lambda each: (each.device, each.direction))
    ]


def _powers(asked: DataNeed, choice: Choice, language: str) -> list[str]:
    """Return a line for each subscribed power that leaves."""
    powers = subscribed(asked, choice)
    return [
        _fill(
            _SUBSCRIBED,
            language,
            statistic=each.device,
            power=powers[each],
            controller=isolated(asked.controller),
        )
        for each in sorted(powers, key=lambda each: each.device)
    ]


def _identification(asked: Identification, role: Role) -> Text:
    """Return the name under which records leave: the sums of a collective have its own."""
    return _OWN_NAME if role is Role.COLLECTIVE else IDENTIFICATIONS[asked]


def _about(words: Text, asked: DataNeed, language: str, role: Role) -> str:
    return _fill(
        words,
        language,
        title=isolated(Text(asked.title).say(language)),
        controller=isolated(asked.controller),
        origin=_ORIGINS[role].say(language),
    )


def _fill(words: Text, language: str, **values: object) -> str:
    return typeset(words.say(language).format(**values), language)


def length(days: int, language: str) -> str:
    """Return a number of days, in years if they are whole ones."""
    years, rest = divmod(days, _YEAR_DAYS)
    if rest or not years:
        return _fill(_DAYS, language, days=days)
    return _fill(_A_YEAR if years == 1 else _YEARS, language, years=years)


def _days(days: int, language: str) -> str:
    return _fill(_THE_LAST if days else _NO_PAST, language, days=days)


def _day(at: datetime, language: str) -> str:
    day: date = at.astimezone().date()
    return day.strftime("%d/%m/%Y") if language == "fr" else day.isoformat()
