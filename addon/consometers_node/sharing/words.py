"""What a person reads before answering, and what is kept of it, in both languages."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from ..permission import Choice, DataNeed, Identification, ShownText, State
from ..quoalise import Role, Text
from ..quoalise.text import around, text, typeset
from ..series import Direction, Interval, Quantity, Series
from ..store.peers import Peer

DIRECTIONS = {
    Direction.CONSUMPTION: text("energy drawn from the grid", "énergie soutirée du réseau"),
    Direction.INJECTION: text("energy fed into the grid", "énergie injectée sur le réseau"),
    Direction.PRODUCTION: text("energy made by panels", "énergie produite par des panneaux"),
}
INTERVALS = {
    Interval.PT5M: text("every 5 minutes", "toutes les 5 minutes"),
    Interval.PT30M: text("every half hour", "toutes les demi-heures"),
    Interval.PT1H: text("every hour", "toutes les heures"),
    Interval.P1D: text("every day", "tous les jours"),
}
QUANTITIES = {
    Quantity.ENERGY: text("register", "compteur"),
    Quantity.POWER: text("mean power", "puissance moyenne"),
}
IDENTIFICATIONS = {
    Identification.PSEUDONYM: text(
        "a pseudonym, which no one else knows", "un pseudonyme, que personne d’autre ne connaît"
    ),
    Identification.DELIVERY_POINT: text(
        "the number of your delivery point", "le numéro de votre point de livraison"
    ),
    Identification.NAME: text(
        "the name of your building, which everyone sees",
        "le nom de votre bâtiment, que tout le monde voit",
    ),
}
_SHOWN_BY_NAME = text(
    "Everyone can see what your building draws, feeds into the grid and makes, {said}, under its"
    " name: on public pages, in open data and on screens. It is shown from a first of a month on."
    " What was published stays, also after you withdraw; nothing more is then published of your"
    " building alone, and its name goes.",
    "Tout le monde peut voir ce que votre bâtiment consomme, injecte et produit, {said}, sous"
    " son nom : sur des pages publiques, en données ouvertes et sur des écrans. Il est montré à"
    " partir d’un premier du mois. Ce qui a été publié reste, même après un retrait ; plus rien"
    " n’est alors publié de votre bâtiment seul, et son nom disparaît.",
)

STATES = {
    State.PROPOSED: text("asked", "demandée"),
    State.GRANTED: text("allowed", "autorisée"),
    State.REFUSED: text("refused", "refusée"),
    State.WITHDRAWN: text("withdrawn", "retirée"),
    State.TERMINATED: text("ended by the collective", "rendue par le collectif"),
    State.EXPIRED: text("expired", "expirée"),
}

_NEED = text(
    """{title}
Asked by {controller} ({peer}), contact {contact}
What for: {purpose}
Who else receives it: {recipients}
Asked: {wanted}, at most {interval}
The past: {history}
For how long: {duration} from the day on which you allow it
Kept after the end: {retention}
Under: {identification}
Policy: {policy}""",
    """{title}
Demandé par {controller} ({peer}), contact {contact}
Pour quoi faire : {purpose}
Qui d’autre les reçoit : {recipients}
Demandé : {wanted}, au plus {interval}
Le passé : {history}
Pour combien de temps : {duration} à partir du jour où vous autorisez
Conservé après la fin : {retention}
Sous : {identification}
Politique de données : {policy}""",
)
_GRANT = text(
    """You allow, until {until}:
{series}
{interval}, from {since} on, under {identification}. Nothing else leaves {origin} for this.
You can withdraw at any time, at once; what was sent is then erased unless you say otherwise.""",
    """Vous autorisez, jusqu’au {until} :
{series}
{interval}, depuis le {since}, sous {identification}. Rien d’autre ne quitte {origin} pour cela.
Vous pouvez retirer cette autorisation à tout moment, avec effet immédiat ; ce qui a été envoyé\
 est alors effacé, sauf si vous dites le contraire.""",
)
_ONE_SERIES = {
    Role.HOUSEHOLD: text("- {statistic}: {direction}", "- {statistic} : {direction}"),
    Role.COLLECTIVE: text(
        "- {statistic}: {direction}, and how many members each sum has",
        "- {statistic} : {direction}, et combien de membres compte chaque somme",
    ),
}
_ORIGINS = {
    Role.HOUSEHOLD: text("your home", "votre foyer"),
    Role.COLLECTIVE: text("your collective", "votre collectif"),
}
_OWN_NAME = text("the name of your collective", "le nom de votre collectif")
_REFUSAL = text(
    "You refuse “{title}”, asked by {controller}. Nothing leaves {origin} for it.",
    "Vous refusez « {title} », demandé par {controller}. Rien ne quitte {origin} pour cela.",
)
_WITHDRAWAL = {
    True: text(
        "You withdraw “{title}”, which you allowed {controller}. Nothing more will leave"
        " {origin} for it, and {controller} is to erase what it received. Sums already published"
        " stay.",
        "Vous retirez « {title} », autorisé à {controller}. Plus rien ne quittera {origin} pour"
        " cela, et {controller} doit effacer ce qui a été reçu. Les sommes déjà publiées restent.",
    ),
    False: text(
        "You withdraw “{title}”, which you allowed {controller}. Nothing more will leave"
        " {origin} for it, and {controller} may keep what it received, for as long as it said.",
        "Vous retirez « {title} », autorisé à {controller}. Plus rien ne quittera {origin} pour"
        " cela, et {controller} peut garder ce qui a été reçu, aussi longtemps qu’annoncé.",
    ),
}
NOT_REGISTERED = text(
    "Nothing more leaves for this, but the register did not take the withdrawal: the collective"
    " does not know of it. Withdraw once more. If this stays, the database of this node was altered"
    " or is damaged: put a backup of the node back, and withdraw again.",
    "Plus rien ne part pour cela, mais le registre n’a pas pris le retrait : le collectif n’en sait"
    " rien. Retirez encore une fois. Si cela persiste, la base de données de ce nœud a été modifiée"
    " ou est abîmée : remettez une sauvegarde du nœud, et retirez de nouveau.",
)
STILL_LEAVES = text(
    "This could not be withdrawn: the database of this node refuses it. Stop the node, so that"
    " nothing leaves. Make room on its disk, or put a backup back; start it, and withdraw again.",
    "Le retrait n’a pas pu se faire : la base de données de ce nœud le refuse. Arrêtez le nœud,"
    " pour que rien ne parte. Faites de la place sur son disque, ou remettez une sauvegarde ;"
    " démarrez-le, et retirez de nouveau.",
)
_NOBODY = text("nobody", "personne")
_NO_PAST = text("none of it", "rien")
_THE_LAST = text("the last {days} days", "les {days} derniers jours")
_DAYS = text("{days} days", "{days} jours")
_A_YEAR = text("1 year", "1 an")
_YEARS = text("{years} years", "{years} ans")
_YEAR_DAYS = 365
_NOT_KEPT = text("nothing", "rien")


def need(asked: DataNeed, peer: Peer, language: str) -> str:
    """Give what is asked, by whom and what for."""
    wanted = dict.fromkeys(
        DIRECTIONS[one.direction].say(language)
        for one in sorted(asked.wanted, key=lambda one: list(Direction).index(one.direction))
    )
    said = _fill(
        _NEED,
        language,
        title=_in(asked.title, language),
        controller=asked.controller,
        peer=peer.jid,
        contact=asked.contact,
        purpose=_in(asked.purpose, language),
        recipients=_in(asked.recipients, language) or _NOBODY.say(language),
        wanted=", ".join(wanted),
        interval=INTERVALS[asked.interval].say(language),
        history=_days(asked.history_days, language),
        duration=length(asked.duration_days, language),
        retention=length(asked.retention_days, language)
        if asked.retention_days
        else _NOT_KEPT.say(language),
        identification=IDENTIFICATIONS[asked.identification].say(language),
        policy=asked.policy,
    )
    shown = shown_by_name(asked)
    return said if shown is None else f"{said}\n{typeset(shown.say(language), language)}"


def shown_by_name(asked: DataNeed) -> Text | None:
    """Return what it means to be shown by name, if the data need asks for that."""
    if asked.identification is not Identification.NAME:
        return None
    return around(_SHOWN_BY_NAME, INTERVALS[asked.interval])


def title(asked: DataNeed, language: str) -> str:
    """Give what is asked, in a few words."""
    return _in(asked.title, language)


def grant(
    asked: DataNeed,
    peer: Peer,
    choice: Choice,
    at: datetime,
    language: str,
    *,
    role: Role = Role.HOUSEHOLD,
) -> ShownText:
    """Give what a person reads before granting this choice."""
    named = IDENTIFICATIONS[choice.identification or asked.identification]
    history = asked.history_days if choice.history_days is None else choice.history_days
    duration = choice.duration_days or asked.duration_days
    said = _fill(
        _GRANT,
        language,
        until=_day(at + timedelta(days=duration), language),
        series="\n".join(series(choice.series, language, role=role)),
        interval=", ".join(
            INTERVALS[one].say(language)
            for one in sorted({one.interval for one in choice.series}, key=lambda one: one.minutes)
        ),
        since=_day(at - timedelta(days=history), language),
        identification=(named if role is Role.HOUSEHOLD else _OWN_NAME).say(language),
        origin=_ORIGINS[role].say(language),
    )
    return ShownText(language, f"{need(asked, peer, language)}\n\n{said}")


def refusal(asked: DataNeed, language: str, *, role: Role = Role.HOUSEHOLD) -> ShownText:
    """Give what a person reads before refusing."""
    return ShownText(language, _about(_REFUSAL, asked, language, role))


def withdrawal(
    asked: DataNeed, language: str, *, erase: bool, role: Role = Role.HOUSEHOLD
) -> ShownText:
    """Give what a person reads before withdrawing."""
    return ShownText(language, _about(_WITHDRAWAL[erase], asked, language, role))


def series(named: Iterable[Series], language: str, *, role: Role = Role.HOUSEHOLD) -> list[str]:
    """Give a line for each series. A mean power is energy by another name."""
    return [
        _fill(
            _ONE_SERIES[role],
            language,
            statistic=one.device,
            direction=DIRECTIONS[one.direction].say(language),
        )
        for one in sorted(named, key=lambda one: (one.device, one.direction))
    ]


def _about(words: Text, asked: DataNeed, language: str, role: Role) -> str:
    return _fill(
        words,
        language,
        title=_in(asked.title, language),
        controller=asked.controller,
        origin=_ORIGINS[role].say(language),
    )


def _fill(words: Text, language: str, **found: object) -> str:
    return typeset(words.say(language).format(**found), language)


def _in(told: object, language: str) -> str:
    assert isinstance(told, dict)
    return Text(told).say(language)


def length(days: int, language: str) -> str:
    """Give so many days, in years if they are whole ones."""
    years, rest = divmod(days, _YEAR_DAYS)
    if rest or not years:
        return _fill(_DAYS, language, days=days)
    return _fill(_A_YEAR if years == 1 else _YEARS, language, years=years)


def _days(days: int, language: str) -> str:
    return _fill(_THE_LAST if days else _NO_PAST, language, days=days)


def _day(at: datetime, language: str) -> str:
    day: date = at.astimezone().date()
    return day.strftime("%d/%m/%Y") if language == "fr" else day.isoformat()
