"""A household's contract: power, tariff option, and the names of its rates in both modes."""

from dataclasses import dataclass
from enum import StrEnum

from consometers_tic import Colour


class Option(StrEnum):
    """The tariff options that both modes know, and that of a meter which nobody consumes behind."""

    BASE = "base"
    HC = "hc"
    EJP = "ejp"
    TEMPO = "tempo"
    PRODUCER = "producer"


@dataclass(frozen=True, slots=True)
class Rate:
    """One price: supplier's index (1 to 10), LTARF, and PTEC and register of historique mode."""

    index: int
    name: str
    ptec: str
    register: str
    closes_contact: bool = False


@dataclass(frozen=True, slots=True)
class Contract:
    """Option, subscribed apparent power (kVA; the meter cuts off there too), phases, direction."""

    option: Option = Option.BASE
    reference_kva: int = 9
    phases: int = 1
    producer: bool = False

    @property
    def subscribed_a(self) -> int:
        """ISOUSC: the subscribed current of one phase."""
        return self.reference_kva * 1000 // 200 // self.phases


RATES: dict[Option, tuple[Rate, ...]] = {
    Option.BASE: (Rate(1, "BASE", "TH..", "BASE"),),
    Option.HC: (
        Rate(1, "HEURE CREUSE", "HC..", "HCHC", closes_contact=True),
        Rate(2, "HEURE PLEINE", "HP..", "HCHP"),
    ),
    Option.EJP: (
        Rate(1, "HEURE NORMALE", "HN..", "EJPHN"),
        Rate(2, "POINTE MOBILE", "PM..", "EJPHPM"),
    ),
    Option.TEMPO: (
        Rate(1, "HC BLEU", "HCJB", "BBRHCJB", closes_contact=True),
        Rate(2, "HP BLEU", "HPJB", "BBRHPJB"),
        Rate(3, "HC BLANC", "HCJW", "BBRHCJW", closes_contact=True),
        Rate(4, "HP BLANC", "HPJW", "BBRHPJW"),
        Rate(5, "HC ROUGE", "HCJR", "BBRHCJR", closes_contact=True),
        Rate(6, "HP ROUGE", "HPJR", "BBRHPJR"),
    ),
    Option.PRODUCER: (Rate(1, "INDEX NON CONSO", "TH..", "BASE"),),
}
CALENDAR_NAMES = {
    Option.BASE: "BASE",
    Option.HC: "H PLEINE/CREUSE",
    Option.EJP: "EJP",
    Option.TEMPO: "TEMPO",
    Option.PRODUCER: "PRODUCTEUR",
}
OPTARIF = {
    Option.BASE: "BASE",
    Option.HC: "HC..",
    Option.EJP: "EJP.",
    Option.TEMPO: "BBR(",
    Option.PRODUCER: "BASE",
}
COLOURS = (Colour.BLUE, Colour.WHITE, Colour.RED)
