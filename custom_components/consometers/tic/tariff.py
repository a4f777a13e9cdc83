"""One tariff model over both modes: the present rate, tomorrow's, announced peaks.

It says what the meter says and computes nothing: at what hour a meter turns its colours is not
specified. Sources: Enedis-NOI-CPT_54E §6.2.3.14, Enedis-NOI-CPT_02E tables 3 and 4.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from .meter import Reading
from .values import Colour, Status


@dataclass(frozen=True, slots=True)
class Peak:
    """A mobile peak that the meter has announced. `end` is None until the meter knows it."""

    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Tariff:
    """The tariff, as far as the meter sends it; None is what it does not send.

    `contract` is the supplier's calendar or the tariff option, `label` the name of what runs now,
    `register` the label of the index that counts now. `peak_notice` is true from the notice of a
    mobile peak until its end, `peak_now` while it lasts.
    """

    contract: str | None = None
    label: str | None = None
    register: str | None = None
    colour_today: Colour | None = None
    colour_tomorrow: Colour | None = None
    peak_notice: bool | None = None
    peak_now: bool | None = None
    peaks: tuple[Peak, ...] = ()


def tariff(readings: Mapping[str, Reading]) -> Tariff:
    """Return the tariff from the believed readings of the meter."""
    if "STGE" in readings:
        return _standard(readings)
    if "PTEC" in readings:
        return _historique(readings)
    return Tariff()


_OPTIONS = {"BAS": "BASE", "HC.": "HEURES CREUSES", "EJP": "EJP", "BBR": "TEMPO"}
_PERIODS = {
    "TH..": ("BASE", "BASE"),
    "HC..": ("HEURE CREUSE", "HCHC"),
    "HP..": ("HEURE PLEINE", "HCHP"),
    "HN..": ("HEURE NORMALE", "EJPHN"),
    "PM..": ("POINTE MOBILE", "EJPHPM"),
    "HCJB": ("HC BLEU", "BBRHCJB"),
    "HPJB": ("HP BLEU", "BBRHPJB"),
    "HCJW": ("HC BLANC", "BBRHCJW"),
    "HPJW": ("HP BLANC", "BBRHPJW"),
    "HCJR": ("HC ROUGE", "BBRHCJR"),
    "HPJR": ("HP ROUGE", "BBRHPJR"),
}
_COLOUR_OF_DAY = {"JB": Colour.BLUE, "JW": Colour.WHITE, "JR": Colour.RED}
_COLOUR_OF_TOMORROW = {"BLEU": Colour.BLUE, "BLAN": Colour.WHITE, "ROUG": Colour.RED}


def _historique(readings: Mapping[str, Reading]) -> Tariff:
    period = readings["PTEC"].group.raw
    option = _raw(readings, "OPTARIF")
    label, register = _PERIODS.get(period, (period.strip(".-"), None))
    ejp = option == "EJP."
    return Tariff(
        contract=None if option is None else _OPTIONS.get(option[:3]),
        label=label,
        register=register,
        colour_today=_COLOUR_OF_DAY.get(period[2:]),
        colour_tomorrow=_COLOUR_OF_TOMORROW.get(_raw(readings, "DEMAIN") or ""),
        # PEJP is sent from the notice to the end of the peak, and for that contract alone.
        peak_notice="PEJP" in readings if ejp else None,
        peak_now=period == "PM.." if ejp else None,
    )


def _standard(readings: Mapping[str, Reading]) -> Tariff:
    status = readings["STGE"].group.value
    if not isinstance(status, Status):
        raise TypeError("STGE is no status register")
    return Tariff(
        contract=_text(readings, "NGTF"),
        label=_text(readings, "LTARF"),
        register=f"EASF{status.supplier_index:02}",
        colour_today=status.colour_today,
        colour_tomorrow=status.colour_tomorrow,
        peak_notice=status.peak_notice > 0 or status.peak_now > 0,
        peak_now=status.peak_now > 0,
        peaks=tuple(
            Peak(start, _time(readings, f"FPM{n}"))
            for n in (1, 2, 3)
            if (start := _time(readings, f"DPM{n}")) is not None
        ),
    )


def _raw(readings: Mapping[str, Reading], name: str) -> str | None:
    return readings[name].group.raw if name in readings else None


def _text(readings: Mapping[str, Reading], name: str) -> str | None:
    raw = _raw(readings, name)
    return " ".join(raw.split()) or None if raw is not None else None


def _time(readings: Mapping[str, Reading], name: str) -> datetime | None:
    return readings[name].group.time if name in readings else None
