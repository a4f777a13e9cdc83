"""Every figure by which a collective is watched, once: its name, its words, where it comes from.

`/metrics` has them under these names, for Prometheus and for the Zabbix template; the health page
in the units that people read. A figure that is not known is left out.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from fractions import Fraction
from typing import Literal, Never

from ..quoalise import Text
from ..quoalise.text import around, text
from ..series import Direction
from .counting import Page, Timed, Visit
from .disclosure import Reason
from .health import Database, Health
from .members import Kind
from .moments import Moment, Together

type Value = float | str | None

_J_PER_WATT_MINUTE = 60


class Type(Enum):
    """What a figure does: it comes and goes, it only grows until a restart, it is words."""

    GAUGE = "gauge"
    COUNTER = "counter"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Unit:
    """How Prometheus names a unit; what people read in its place, and how many of it one makes."""

    suffix: str = ""
    shown: str = ""
    factor: Fraction = Fraction(1)


COUNT = Unit()
SECONDS = Unit("seconds", "s")
INSTANT = Unit("timestamp_seconds")
BYTES = Unit("bytes")
WATTS = Unit("watts", "W")
JOULES = Unit("joules", "Wh", Fraction(1, 3600))
RATIO = Unit("ratio", "%", Fraction(100))


@dataclass(frozen=True, slots=True)
class Label:
    """What a figure is told apart by, and the words for each."""

    name: str
    over: Mapping[str, Text]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact[Source]:
    """A figure, or one for each value of its label. `value` takes what it is of, and that value."""

    name: str
    what: Text
    """A title, in few words."""
    told: Text
    """A sentence."""
    value: Callable[[Source, str], Value]
    type: Type = Type.GAUGE
    unit: Unit = COUNT
    label: Label | None = None

    @property
    def each(self) -> Mapping[str, Text | None]:
        """The values of its label, with their words; one without words if it has none."""
        return {"": None} if self.label is None else self.label.over

    def values(self, source: Source) -> Iterator[tuple[str, float | str]]:
        """Give what is known, by the values of its label."""
        for of in self.each:
            value = self.value(source, of)
            if value is not None:
                yield of, value


_KINDS = Label(
    "kind",
    {
        Kind.HOME: text("homes", "foyers"),
        Kind.SITE: text("public buildings", "bâtiments publics"),
        Kind.COLLECTIVE: text("collectives", "collectifs"),
    },
)
_DIRECTIONS = Label(
    "direction",
    {
        Direction.CONSUMPTION: text("drawn from the grid", "prise au réseau"),
        Direction.INJECTION: text("fed into the grid", "rendue au réseau"),
        Direction.PRODUCTION: text("solar production", "production solaire"),
    },
)
_REASONS = Label(
    "reason",
    {
        "not_yet": text("not closed yet", "pas encore clos"),
        "below_threshold": text("too few homes", "trop peu de foyers"),
        "dominance": text("one home makes most of it", "un foyer en fait l’essentiel"),
        "never": text("so short a time is not published", "une durée si courte ne se publie pas"),
    },
)
_MESSAGES = Label(
    "outcome",
    {
        "acknowledged": text("kept and acknowledged", "conservés et confirmés"),
        "refused": text("refused", "refusés"),
        "unkept": text("not kept, and sent again", "non conservés, et renvoyés"),
        "dropped": text("no room, and sent again", "sans place, et renvoyés"),
    },
)
_REQUESTS = Label(
    "outcome",
    {
        "answered": text("answered", "satisfaites"),
        "turned_down": text("turned down", "refusées"),
        "failed": text("failed here", "en échec ici"),
    },
)
_VISITS = Label(
    "outcome",
    {
        Visit.DONE: text("all was told", "tout a été dit"),
        Visit.BUSY: text("to be asked again", "à redemander"),
        Visit.AWAY: text("not there", "absents"),
        Visit.REFUSED: text("refused", "refusées"),
    },
)
_PAGES = Label(
    "outcome",
    {
        Page.ANSWERED: text("answered", "satisfaites"),
        Page.REFUSED: text("refused", "refusées"),
        Page.LIMITED: text("too many of one", "trop nombreuses"),
        Page.FAILED: text("failed here", "en échec ici"),
    },
)
_PROBLEMS = Label(
    "kind",
    {
        "network": text("not on the network", "hors du réseau"),
        "database": text("the database cannot be used", "base de données inutilisable"),
        "clock": text("the clock is not confirmed", "horloge non confirmée"),
    },
)
_TAKE = text("{said}: time", "{said} : durée")
_IN_ALL = text("{said} How long all of them took.", "{said} Leur durée totale.")
_LAST = text("{said}: last one", "{said} : durée du dernier")
_THE_LAST = text("{said} How long the last one took.", "{said} La durée du dernier.")


def _of(health: Health, kind: str, what: Literal["members", "series", "delivering"]) -> Value:
    if health.database is None:
        return None
    given = health.database.standing.givers.get(kind)
    return 0 if given is None else getattr(given, what)


def _stored(value: Callable[[Database], Value]) -> Callable[[Health, str], Value]:
    """Give a figure that the database tells, as long as it does."""
    return lambda health, _: None if health.database is None else value(health.database)


def _withheld(health: Health, reason: str) -> Value:
    found = health.database
    return None if found is None else found.withheld.get(Reason(reason), 0)


def _instant(at: datetime | None) -> Value:
    return None if at is None else at.timestamp()


def _watts(moment: Moment, direction: str) -> Value:
    energy = moment.now.watt_minutes.get(Direction(direction))
    return None if energy is None else energy / moment.minutes


def _joules(together: Together, direction: str) -> Value:
    energy = together.watt_minutes.get(Direction(direction))
    return None if energy is None else energy * _J_PER_WATT_MINUTE


def _ratio(share: Fraction | None) -> Value:
    return None if share is None else float(share)


def _timed(
    name: str, what: Text, told: Text, timings: Callable[[Health], Timed]
) -> tuple[Fact[Health], ...]:
    """Give the facts of work that takes time: how often, how long all of it, and the last."""
    return (
        Fact(
            name=f"{name}_total",
            what=what,
            told=told,
            type=Type.COUNTER,
            value=lambda health, _: timings(health).count,
        ),
        Fact(
            name=f"{name}_seconds_total",
            what=around(_TAKE, what),
            told=around(_IN_ALL, told),
            type=Type.COUNTER,
            unit=SECONDS,
            value=lambda health, _: timings(health).seconds,
        ),
        Fact(
            name=f"{name}_last_seconds",
            what=around(_LAST, what),
            told=around(_THE_LAST, told),
            unit=SECONDS,
            value=lambda health, _: timings(health).last_s,
        ),
    )


HEALTH: tuple[Fact[Health], ...] = (
    Fact(
        name="consometers_node",
        what=text("Version", "Version"),
        told=text("The version of the node.", "La version du nœud."),
        type=Type.WORDS,
        value=lambda health, _: health.version,
    ),
    Fact(
        name="consometers_problem",
        what=text("Problem", "Problème"),
        told=text("1 while something is in the way.", "1 tant que quelque chose l’empêche."),
        label=_PROBLEMS,
        value=lambda health, kind: (
            not {
                "network": health.online,
                "database": health.writes,
                "clock": health.confirmed,
            }[kind]
        ),
    ),
    Fact(
        name="consometers_members",
        what=text("Members", "Membres"),
        told=text(
            "Members with a permission that holds.", "Membres dont une autorisation est valable."
        ),
        label=_KINDS,
        value=lambda health, kind: _of(health, kind, "members"),
    ),
    Fact(
        name="consometers_members_delivering",
        what=text("Members delivering", "Membres qui transmettent"),
        told=text(
            "Members that told something in the last hours, or days where a day is all they tell.",
            "Membres qui ont transmis ces dernières heures, ou ces derniers jours s’ils ne"
            " transmettent que des jours.",
        ),
        label=_KINDS,
        value=lambda health, kind: _of(health, kind, "delivering"),
    ),
    Fact(
        name="consometers_series_granted",
        what=text("Series granted", "Séries accordées"),
        told=text(
            "Series that members let this collective read.",
            "Séries que les membres laissent lire à ce collectif.",
        ),
        label=_KINDS,
        value=lambda health, kind: _of(health, kind, "series"),
    ),
    Fact(
        name="consometers_guests",
        what=text("Guests", "Invités"),
        told=text(
            "Members that have granted nothing, or no longer.",
            "Membres qui n’ont rien accordé, ou plus rien.",
        ),
        value=_stored(lambda database: database.standing.guests),
    ),
    Fact(
        name="consometers_members_away",
        what=text("Members away", "Membres absents"),
        told=text(
            "Members that were not there when they were asked last.",
            "Membres qui étaient absents à la dernière demande.",
        ),
        value=lambda health, _: health.away,
    ),
    Fact(
        name="consometers_messages_total",
        what=text("Messages of records", "Messages de relevés"),
        told=text(
            "Messages of records that members pushed, by what became of them.",
            "Messages de relevés transmis par les membres, selon ce qu’ils sont devenus.",
        ),
        type=Type.COUNTER,
        label=_MESSAGES,
        value=lambda health, outcome: getattr(health.counts.traffic, outcome),
    ),
    Fact(
        name="consometers_messages_waiting",
        what=text("Messages waiting", "Messages en attente"),
        told=text(
            "Messages that are being kept, or wait for it.",
            "Messages en cours d’enregistrement, ou qui l’attendent.",
        ),
        value=lambda health, _: health.waiting,
    ),
    Fact(
        name="consometers_visits_total",
        what=text("Questions to members", "Demandes aux membres"),
        told=text(
            "Members that were asked for their past, by how it ended.",
            "Demandes de leur passé aux membres, selon leur issue.",
        ),
        type=Type.COUNTER,
        label=_VISITS,
        value=lambda health, outcome: health.counts.visits[Visit(outcome)],
    ),
    Fact(
        name="consometers_requests_total",
        what=text("Requests of peers", "Demandes des pairs"),
        told=text(
            "Requests of peers, by what became of them.",
            "Demandes des pairs, selon ce qu’elles sont devenues.",
        ),
        type=Type.COUNTER,
        label=_REQUESTS,
        value=lambda health, outcome: getattr(health.counts.traffic, outcome),
    ),
    Fact(
        name="consometers_pages_total",
        what=text("Pages", "Pages"),
        told=text(
            "Requests for pages and open data, by how they were answered.",
            "Demandes de pages et de données ouvertes, selon la réponse.",
        ),
        type=Type.COUNTER,
        label=_PAGES,
        value=lambda health, outcome: health.counts.pages[Page(outcome)],
    ),
    Fact(
        name="consometers_outbox_messages",
        what=text("Sums waiting to be sent", "Sommes en attente d’envoi"),
        told=text(
            "Pushes to those who read the sums that were not acknowledged yet.",
            "Envois à ceux qui lisent les sommes, pas encore confirmés.",
        ),
        value=_stored(lambda database: database.standing.outbox),
    ),
    *_timed(
        "consometers_commits",
        text("Commits", "Enregistrements"),
        text(
            "Transactions that kept what members told.",
            "Transactions qui ont conservé ce que les membres ont transmis.",
        ),
        lambda health: health.counts.commits,
    ),
    *_timed(
        "consometers_closings",
        text("Closings", "Clôtures"),
        text(
            "Transactions that closed what was due of the intervals.",
            "Transactions qui ont clos ce qui devait l’être des intervalles.",
        ),
        lambda health: health.counts.looks,
    ),
    Fact(
        name="consometers_closing_timestamp_seconds",
        what=text("Last closing", "Dernière clôture"),
        told=text(
            "When an interval was closed last, since the node started.",
            "Quand un intervalle a été clos, depuis le démarrage du nœud.",
        ),
        unit=INSTANT,
        value=lambda health, _: _instant(health.counts.released_at),
    ),
    Fact(
        name="consometers_published_timestamp_seconds",
        what=text("Published until", "Publié jusqu’à"),
        told=text(
            "The end of the last interval of which a sum of all members is published.",
            "La fin du dernier intervalle dont une somme de tous les membres est publiée.",
        ),
        unit=INSTANT,
        value=_stored(
            lambda database: None if database.moment is None else _instant(database.moment.end)
        ),
    ),
    Fact(
        name="consometers_intervals_suppressed",
        what=text("Intervals without a sum", "Intervalles sans somme"),
        told=text(
            "Intervals of yesterday and today without a published sum of homes, by the reason.",
            "Intervalles d’hier et d’aujourd’hui sans somme de foyers publiée, selon la raison.",
        ),
        label=_REASONS,
        value=_withheld,
    ),
    Fact(
        name="consometers_database_size_bytes",
        what=text("Size of the database", "Taille de la base"),
        told=text("How much room the database takes.", "La place que prend la base de données."),
        unit=BYTES,
        value=_stored(lambda database: database.size_bytes),
    ),
    Fact(
        name="process_resident_memory_bytes",
        what=text("Memory", "Mémoire"),
        told=text("Memory that the process has.", "La mémoire que le processus occupe."),
        unit=BYTES,
        value=lambda health, _: health.memory_bytes,
    ),
    Fact(
        name="process_cpu_seconds_total",
        what=text("CPU time", "Temps de calcul"),
        told=text(
            "Time that the process computed.", "Le temps pendant lequel le processus a calculé."
        ),
        type=Type.COUNTER,
        unit=SECONDS,
        value=lambda health, _: health.cpu_s,
    ),
    Fact(
        name="process_start_time_seconds",
        what=text("Start", "Démarrage"),
        told=text("When the node started.", "Quand le nœud a démarré."),
        unit=INSTANT,
        value=lambda health, _: _instant(health.counts.since),
    ),
)
"""How the node goes."""

PUBLISHED: tuple[Fact[Moment], ...] = (
    Fact(
        name="consometers_published_power_watts",
        what=text("Power", "Puissance"),
        told=text(
            "Mean power of all members in the last interval that is published.",
            "Puissance moyenne de tous les membres dans le dernier intervalle publié.",
        ),
        unit=WATTS,
        label=_DIRECTIONS,
        value=_watts,
    ),
    Fact(
        name="consometers_published_members",
        what=text("Members in the sum", "Membres dans la somme"),
        told=text(
            "Members in the sum of what was drawn from the grid in that interval.",
            "Membres que compte la somme de ce qui a été pris au réseau dans cet intervalle.",
        ),
        value=lambda moment, _: moment.members,
    ),
    Fact(
        name="consometers_published_self_sufficiency_ratio",
        what=text("Self-sufficiency rate", "Taux d’autosuffisance"),
        told=text(
            "Which share of what was used in that interval was produced by the members.",
            "La part de ce qui a été utilisé dans cet intervalle que les membres ont produite.",
        ),
        unit=RATIO,
        value=lambda moment, _: _ratio(moment.now.self_sufficiency),
    ),
    Fact(
        name="consometers_published_today_joules",
        what=text("Energy of the day", "Énergie du jour"),
        told=text(
            "Energy of all members, of the day up to the end of that interval.",
            "Énergie de tous les membres, de la journée jusqu’à la fin de cet intervalle.",
        ),
        unit=JOULES,
        label=_DIRECTIONS,
        value=lambda moment, direction: _joules(moment.today, direction),
    ),
    Fact(
        name="consometers_published_today_self_sufficiency_ratio",
        what=text("Self-sufficiency rate of the day", "Taux d’autosuffisance du jour"),
        told=text(
            "Which share of what was used this day was produced by the members.",
            "La part de ce qui a été utilisé ce jour que les membres ont produite.",
        ),
        unit=RATIO,
        value=lambda moment, _: _ratio(moment.today.self_sufficiency),
    ),
    Fact(
        name="consometers_published_today_self_consumption_ratio",
        what=text("Self-consumption rate of the day", "Taux d’autoconsommation du jour"),
        told=text(
            "Which share of what was produced this day was used on the spot.",
            "La part de ce qui a été produit ce jour qui a été utilisée sur place.",
        ),
        unit=RATIO,
        value=lambda moment, _: _ratio(moment.today.self_consumption),
    ),
)
"""What is published of all members: of the last interval, and of the day that it is in."""

ALL: tuple[Fact[Never], ...] = (*HEALTH, *PUBLISHED)
