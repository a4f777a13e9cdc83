"""The facts of a site: a public building that chose to be named."""

from dataclasses import asdict, dataclass
from enum import StrEnum
import json

from consometers_node.i18n.text import Text, text

MAX_NAME = 100
MAX_WORDS = 2_000
MAX_SURFACE_M2 = 1_000_000
MAX_PEAK_KWP = 100_000
MAX_SHARES = 1_000_000


class Building(StrEnum):
    """The use of a building. Sites of one kind are summed together."""

    SCHOOL = "school"
    NURSERY = "nursery"
    TOWN_HALL = "town-hall"
    LIBRARY = "library"
    SPORTS = "sports-hall"
    COMMUNITY = "community-hall"
    CARE = "care-home"
    HOUSING = "housing"
    WORKSHOP = "workshop"
    OTHER = "other"


class Heat(StrEnum):
    """The heat source of a building, or of its hot water."""

    ELECTRIC = "electric"
    HEAT_PUMP = "heat-pump"
    GAS = "gas"
    OIL = "oil"
    WOOD = "wood"
    SOLAR = "solar"
    DISTRICT = "district"
    NONE = "none"


BUILDINGS = {
    Building.SCHOOL: text("school"),
    Building.NURSERY: text("nursery"),
    Building.TOWN_HALL: text("town hall"),
    Building.LIBRARY: text("library"),
    Building.SPORTS: text("sports hall"),
    Building.COMMUNITY: text("community hall"),
    Building.CARE: text("care home"),
    Building.HOUSING: text("housing"),
    Building.WORKSHOP: text("workshops"),
    Building.OTHER: text("public building"),
}
HEATS = {
    Heat.ELECTRIC: text("electric"),
    Heat.HEAT_PUMP: text("heat pump"),
    Heat.GAS: text("gas"),
    Heat.OIL: text("oil"),
    Heat.WOOD: text("wood"),
    Heat.SOLAR: text("solar"),
    Heat.DISTRICT: text("heat network"),
    Heat.NONE: text("none"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """Facts of a site, None where unknown. ValueError where one is out of its range.

    With `shares`, so many in all, its panels are a plant: see `shares`. It may be described in each
    language, in one, or in none.
    """

    building: Building | None = None
    heating: Heat | None = None
    hot_water: Heat | None = None
    surface_m2: int | None = None
    peak_kwp: float | None = None
    shares: int | None = None
    words_fr: str = ""
    words_en: str = ""

    def __post_init__(self) -> None:
        if self.surface_m2 is not None and not 0 < self.surface_m2 <= MAX_SURFACE_M2:
            raise ValueError("surface_m2")
        if self.peak_kwp is not None and not 0 < self.peak_kwp <= MAX_PEAK_KWP:
            raise ValueError("peak_kwp")
        if self.shares is not None and not 0 < self.shares <= MAX_SHARES:
            raise ValueError("shares")
        for key in ("words_fr", "words_en"):
            if len(getattr(self, key)) > MAX_WORDS:
                raise ValueError(key)

    @property
    def words(self) -> Text:
        """The description, in the languages in which it was written."""
        written = {"fr": self.words_fr, "en": self.words_en}
        return Text({tag: words for tag, words in written.items() if words})

    def facts(self) -> dict[str, str | int | float]:
        """Return the known facts, by name."""
        return {key: value for key, value in asdict(self).items() if value not in {None, ""}}

    def pack(self) -> str:
        return json.dumps(self.facts(), ensure_ascii=False)

    @classmethod
    def unpack(cls, packed: str | None) -> Description | None:
        if packed is None:
            return None
        facts = json.loads(packed)
        if "words" in facts:  # Of when there was one text, whatever its language.
            facts.setdefault("words_fr", facts.pop("words"))
        for key, kind in (("building", Building), ("heating", Heat), ("hot_water", Heat)):
            if key in facts:
                facts[key] = kind(facts[key])
        return cls(**facts)
