"""Every label a meter can send, once. Validation, entities, docs and tests derive from this table.

Sources: Enedis-NOI-CPT_54E v3 (Linky) and Enedis-NOI-CPT_02E v6 (the electronic meters before it).
Labels stand in the order in which the meter transmits them.
"""

from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass
from enum import Enum, StrEnum
from functools import partial
from types import MappingProxyType

from . import values
from .values import Mode, Value


class Unit(StrEnum):
    """Unit of a field. The meter never writes it."""

    WATT_HOUR = "Wh"
    VAR_HOUR = "varh"
    WATT = "W"
    VOLT_AMPERE = "VA"
    KILOVOLT_AMPERE = "kVA"
    AMPERE = "A"
    VOLT = "V"
    MINUTE = "min"


class Chars(Enum):
    """The characters that a field may hold."""

    DIGITS = b"0123456789"
    HEX = b"0123456789ABCDEF"
    CODE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ.-"
    SCHEDULE = b"0123456789ABCDEFNOUTIL "
    TEXT = bytes(range(0x20, 0x7F))


class Kind(Enum):
    """How a field behaves from frame to frame, which decides when a reading of it is believed."""

    REGISTER = "register"
    """Only grows."""
    MEASURE = "measure"
    """Differs in every frame."""
    STEADY = "steady"
    """Is repeated, the same, until it changes."""
    MAXIMUM = "maximum"
    """Is repeated until it grows, and starts again from nothing at midnight."""
    CLOCK = "clock"
    """Is the time of the frame."""
    ONCE = "once"
    """Is sent in a single frame."""


@dataclass(frozen=True, slots=True)
class Label:
    """One label of the TIC. `meaning` and `meaning_fr` are for people.

    `length` counts the characters of the data, `parse` gives its typed value. `personal` marks
    what identifies a home. `same_as` names the label of which this one is another spelling.
    """

    name: str
    meaning: str
    meaning_fr: str
    _: KW_ONLY
    mode: Mode
    length: int
    kind: Kind = Kind.STEADY
    chars: Chars = Chars.DIGITS
    unit: Unit | None = None
    parse: Callable[[str], Value] = int
    horodated: bool = False
    three_phase: bool = False
    producer: bool = False
    personal: bool = False
    same_as: str | None = None


_DAYS = (("", "today", "aujourd’hui"), ("-1", "yesterday", "hier"))
_PHASES = (1, 2, 3)


def _standard() -> Iterator[Label]:
    """Yield the labels of standard mode. Source: Enedis-NOI-CPT_54E §6.2.2."""
    label = partial(Label, mode=Mode.STANDARD)
    register = partial(label, length=9, kind=Kind.REGISTER, unit=Unit.WATT_HOUR)
    power = partial(label, length=5, kind=Kind.MEASURE, unit=Unit.VOLT_AMPERE)
    maximum = partial(label, length=5, kind=Kind.MAXIMUM, unit=Unit.VOLT_AMPERE, horodated=True)
    curve = partial(label, length=5, unit=Unit.WATT, horodated=True)
    current = partial(label, length=3, kind=Kind.MEASURE, unit=Unit.AMPERE)
    voltage = partial(label, length=3, unit=Unit.VOLT)
    limit = partial(label, length=2, unit=Unit.KILOVOLT_AMPERE)
    calendar = partial(label, length=2)
    # The meter pads text; of a code, every character counts.
    words = partial(label, chars=Chars.TEXT, parse=str.strip)
    moment = partial(label, length=2, horodated=True, parse=str)
    day = partial(label, length=98, chars=Chars.SCHEDULE, parse=values.schedule)

    yield label(
        "ADSC",
        "meter's address (serial number)",
        "adresse du compteur (numéro de série)",
        length=12,
        parse=values.address,
        personal=True,
    )
    yield label("VTIC", "version of the TIC", "version de la TIC", length=2, parse=str)
    yield label(
        "DATE",
        "date and time of the meter",
        "date et heure du compteur",
        length=0,
        kind=Kind.CLOCK,
        parse=str,
        horodated=True,
    )
    yield words("NGTF", "supplier's calendar", "calendrier du fournisseur", length=16)
    yield words("LTARF", "current tariff", "tarif en cours", length=16)
    yield register("EAST", "energy drawn, total", "énergie soutirée, total")
    for n in range(1, 11):
        yield register(
            f"EASF{n:02}",
            f"energy drawn, supplier's index {n}",
            f"énergie soutirée, index fournisseur {n}",
        )
    for n in range(1, 5):
        yield register(
            f"EASD{n:02}",
            f"energy drawn, distributor's index {n}",
            f"énergie soutirée, index distributeur {n}",
        )
    yield register("EAIT", "energy injected, total", "énergie injectée, total", producer=True)
    for n in range(1, 5):
        yield register(
            f"ERQ{n}",
            f"reactive energy, quadrant {n}",
            f"énergie réactive, quadrant {n}",
            unit=Unit.VAR_HOUR,
            producer=True,
        )
    for n in _PHASES:
        yield current(
            f"IRMS{n}",
            f"RMS current, phase {n}",
            f"courant efficace, phase {n}",
            three_phase=n > 1,
        )
    for n in _PHASES:
        yield voltage(
            f"URMS{n}",
            f"RMS voltage, phase {n}",
            f"tension efficace, phase {n}",
            kind=Kind.MEASURE,
            three_phase=n > 1,
        )
    yield limit("PREF", "subscribed apparent power", "puissance apparente souscrite")
    yield limit("PCOUP", "cut-off apparent power", "puissance apparente de coupure")
    yield power("SINSTS", "apparent power drawn", "puissance apparente soutirée")
    yield power(
        "SINST1",
        "apparent power drawn (pilot meters)",
        "puissance apparente soutirée (compteurs pilotes)",
        same_as="SINSTS",
    )
    for n in _PHASES:
        yield power(
            f"SINSTS{n}",
            f"apparent power drawn, phase {n}",
            f"puissance apparente soutirée, phase {n}",
            three_phase=True,
        )
    for suffix, when, when_fr in _DAYS:
        yield maximum(
            f"SMAXSN{suffix}",
            f"highest apparent power drawn {when}",
            f"puissance apparente soutirée maximale, {when_fr}",
        )
        yield maximum(
            f"SMAXN{suffix}",
            f"highest apparent power drawn {when} (pilot meters)",
            f"puissance apparente soutirée maximale, {when_fr} (compteurs pilotes)",
            same_as=f"SMAXSN{suffix}",
        )
        for n in _PHASES:
            yield maximum(
                f"SMAXSN{n}{suffix}",
                f"highest apparent power drawn {when}, phase {n}",
                f"puissance apparente soutirée maximale, {when_fr}, phase {n}",
                three_phase=True,
            )
    yield power("SINSTI", "apparent power injected", "puissance apparente injectée", producer=True)
    for suffix, when, when_fr in _DAYS:
        yield maximum(
            f"SMAXIN{suffix}",
            f"highest apparent power injected {when}",
            f"puissance apparente injectée maximale, {when_fr}",
            producer=True,
        )
    for name, way, way_fr, producer in (
        ("CCASN", "drawn", "soutirée", False),
        ("CCAIN", "injected", "injectée", True),
    ):
        yield curve(
            name,
            f"load curve {way}: mean power of the last period",
            f"courbe de charge {way_fr} : puissance moyenne de la dernière période",
            producer=producer,
        )
        yield curve(
            f"{name}-1",
            f"load curve {way}: mean power of the period before",
            f"courbe de charge {way_fr} : puissance moyenne de la période précédente",
            producer=producer,
        )
    for n in _PHASES:
        yield voltage(
            f"UMOY{n}",
            f"mean voltage, phase {n}",
            f"tension moyenne, phase {n}",
            horodated=True,
            three_phase=n > 1,
        )
    yield label(
        "STGE",
        "status register",
        "registre de statuts",
        length=8,
        chars=Chars.HEX,
        parse=values.status,
    )
    for n in (1, 2, 3):
        yield moment(f"DPM{n}", f"start of mobile peak {n}", f"début de la pointe mobile {n}")
        yield moment(f"FPM{n}", f"end of mobile peak {n}", f"fin de la pointe mobile {n}")
    yield words("MSG1", "short message", "message court", length=32)
    yield words("MSG2", "very short message", "message ultra-court", length=16, kind=Kind.ONCE)
    yield label("PRM", "delivery point", "point de livraison", length=14, parse=str, personal=True)
    yield label("RELAIS", "closed relays", "relais fermés", length=3, parse=values.relays)
    yield calendar(
        "NTARF", "number of the current tariff index", "numéro de l’index tarifaire en cours"
    )
    yield calendar(
        "NJOURF",
        "number of today's calendar day",
        "numéro du jour en cours au calendrier du fournisseur",
    )
    yield calendar(
        "NJOURF+1",
        "number of tomorrow's calendar day",
        "numéro du prochain jour au calendrier du fournisseur",
    )
    yield day("PJOURF+1", "schedule of tomorrow", "profil du prochain jour")
    yield day("PPOINTE", "schedule of the next peak day", "profil du prochain jour de pointe")


def _historique() -> Iterator[Label]:
    """Yield the labels of historique mode. Sources: 54E §6.1, 02E tables 3 to 6."""
    label = partial(Label, mode=Mode.HISTORIQUE)
    register = partial(label, length=9, kind=Kind.REGISTER, unit=Unit.WATT_HOUR)
    current = partial(label, length=3, kind=Kind.MEASURE, unit=Unit.AMPERE)
    highest = partial(label, length=3, unit=Unit.AMPERE)
    code = partial(label, length=4, chars=Chars.CODE, parse=str)

    for n in _PHASES:
        yield current(
            f"ADIR{n}",
            f"overrun warning, phase {n}",
            f"avertissement de dépassement, phase {n}",
            three_phase=True,
        )
    yield label(
        "ADCO",
        "meter's address (serial number)",
        "adresse du compteur (numéro de série)",
        length=12,
        parse=values.address,
        personal=True,
    )
    # The last character of BBRx may be any printable one.
    yield code("OPTARIF", "tariff option", "option tarifaire", chars=Chars.TEXT)
    yield label("ISOUSC", "subscribed current", "intensité souscrite", length=2, unit=Unit.AMPERE)
    yield register("BASE", "energy drawn, base tariff", "énergie soutirée, option base")
    yield register("HCHC", "energy drawn, off-peak hours", "énergie soutirée, heures creuses")
    yield register("HCHP", "energy drawn, peak hours", "énergie soutirée, heures pleines")
    yield register("EJPHN", "energy drawn, normal hours", "énergie soutirée, heures normales")
    yield register("EJPHPM", "energy drawn, mobile peak", "énergie soutirée, pointe mobile")
    for colour, day, day_fr in (
        ("B", "blue", "bleus"),
        ("W", "white", "blancs"),
        ("R", "red", "rouges"),
    ):
        yield register(
            f"BBRHCJ{colour}",
            f"energy drawn, off-peak hours of {day} days",
            f"énergie soutirée, heures creuses des jours {day_fr}",
        )
        yield register(
            f"BBRHPJ{colour}",
            f"energy drawn, peak hours of {day} days",
            f"énergie soutirée, heures pleines des jours {day_fr}",
        )
    yield label(
        "PEJP", "notice of a mobile peak", "préavis de pointe mobile", length=2, unit=Unit.MINUTE
    )
    yield code("PTEC", "current tariff", "tarif en cours")
    yield code("DEMAIN", "colour of tomorrow", "couleur du lendemain")
    yield current("IINST", "RMS current", "courant efficace")
    for n in _PHASES:
        yield current(
            f"IINST{n}",
            f"RMS current, phase {n}",
            f"courant efficace, phase {n}",
            three_phase=True,
        )
    yield current("ADPS", "overrun warning", "avertissement de dépassement")
    yield highest("IMAX", "highest current", "courant maximal")
    for n in _PHASES:
        yield highest(
            f"IMAX{n}",
            f"highest current, phase {n}",
            f"courant maximal, phase {n}",
            three_phase=True,
        )
    # The documents give PMAX in W; a Linky sends VA here.
    yield label(
        "PMAX",
        "highest apparent power drawn yesterday",
        "puissance apparente soutirée maximale, hier",
        length=5,
        unit=Unit.VOLT_AMPERE,
        three_phase=True,
    )
    yield label(
        "PAPP",
        "apparent power drawn",
        "puissance apparente soutirée",
        length=5,
        kind=Kind.MEASURE,
        unit=Unit.VOLT_AMPERE,
    )
    yield code("HHPHC", "schedule group", "groupe horaire", length=1)
    yield label("MOTDETAT", "status word", "mot d’état", length=6, chars=Chars.HEX, parse=str)
    yield label(
        "PPOT",
        "phases without voltage",
        "phases sans tension",
        length=2,
        chars=Chars.HEX,
        parse=values.missing_phases,
        three_phase=True,
    )


def _by_name(labels: Iterator[Label]) -> MappingProxyType[str, Label]:
    return MappingProxyType({label.name: label for label in labels})


CATALOGUE = MappingProxyType(
    {Mode.HISTORIQUE: _by_name(_historique()), Mode.STANDARD: _by_name(_standard())}
)
"""The labels of each mode by name, in the order of transmission."""

LABELS = tuple(label for labels in CATALOGUE.values() for label in labels.values())
"""The labels of both modes."""

ADDRESS_LABELS = MappingProxyType({Mode.HISTORIQUE: "ADCO", Mode.STANDARD: "ADSC"})
