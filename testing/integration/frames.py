"""Kinds of meters, each by a frame that it sends. No address here is a real one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consometers_tic import Mode
from packages.tic.tests import samples
from packages.tic.tests.samples import Fields

ADDRESS = "041861123456"
OTHER_ADDRESS = "021963654321"
DELIVERY_POINT = "99001234567890"


@dataclass(frozen=True)
class Kind:
    """A mode, and the groups of a frame in it."""

    mode: Mode
    groups: Sequence[Fields]

    def but(self, **changes: str | None) -> Kind:
        """Return one that differs in the data of some labels, or, by None, lacks them."""
        return Kind(self.mode, _changed(self.groups, changes))

    def of(self, address: str) -> Kind:
        """Return another meter's."""
        return self.but(ADSC=address, ADCO=address)


def _changed(groups: Sequence[Fields], changes: dict[str, str | None]) -> list[Fields]:
    changed: list[Fields] = []
    for fields in groups:
        data = changes.get(fields[0], fields[-1])
        if data is None:
            continue
        changed.append((fields[0], data) if len(fields) == 2 else (*fields[:2], data))
    return changed


def _kind(mode: Mode, groups: Sequence[Fields]) -> Kind:
    return Kind(mode, groups).but(ADSC=ADDRESS, ADCO=ADDRESS, PRM=DELIVERY_POINT)


def _with(groups: Sequence[Fields], more: Mapping[str, Sequence[Fields]]) -> list[Fields]:
    """Put groups after those with some labels."""
    return [each for fields in groups for each in (fields, *more.get(fields[0], ()))]


CONSUMER = _kind(Mode.STANDARD, samples.CONSUMER)
PRODUCER = _kind(Mode.STANDARD, samples.PRODUCER)
PRODUCTION = PRODUCER.but(NGTF="   PRODUCTEUR   ", LTARF="INDEX NON CONSO ")
BASE = _kind(Mode.HISTORIQUE, samples.BASE)
OFF_PEAK = _kind(Mode.HISTORIQUE, samples.OFF_PEAK)
EJP = _kind(Mode.HISTORIQUE, samples.EJP)
TEMPO = _kind(Mode.HISTORIQUE, samples.TEMPO)
HISTORIQUE_THREE_PHASE = _kind(Mode.HISTORIQUE, samples.THREE_PHASE)
HISTORIQUE_SHORT = _kind(Mode.HISTORIQUE, samples.SHORT)

THREE_PHASE = Kind(
    Mode.STANDARD,
    _with(
        samples.CONSUMER,
        {
            "IRMS1": [("IRMS2", "002"), ("IRMS3", "000")],
            "URMS1": [("URMS2", "235"), ("URMS3", "237")],
            "SINSTS": [("SINSTS1", "00400"), ("SINSTS2", "00290"), ("SINSTS3", "00000")],
            "SMAXSN": [
                ("SMAXSN1", "E250715073112", "01321"),
                ("SMAXSN2", "E250715073113", "02000"),
                ("SMAXSN3", "E250715073114", "01000"),
            ],
            "SMAXSN-1": [
                ("SMAXSN1-1", "E250714193001", "02210"),
                ("SMAXSN2-1", "E250714193002", "02000"),
                ("SMAXSN3-1", "E250714193003", "01000"),
            ],
            "UMOY1": [("UMOY2", samples.NOON, "236"), ("UMOY3", samples.NOON, "238")],
        },
    ),
).but(ADSC=OTHER_ADDRESS, PRM=DELIVERY_POINT, PREF="12", PCOUP="12")

# Index 2 runs, today is blue, tomorrow red, and a peak is announced for tomorrow.
STANDARD_TEMPO = Kind(
    Mode.STANDARD,
    _with(
        samples.CONSUMER,
        {"STGE": [("DPM1", " 250716060000", "00"), ("FPM1", " 250717060000", "00")]},
    ),
).but(
    ADSC=ADDRESS,
    PRM=DELIVERY_POINT,
    NGTF="     TEMPO      ",
    LTARF="    HP  BLEU    ",
    STGE="1D3A4401",
)
