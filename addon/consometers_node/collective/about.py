"""Who a collective is, for its public pages: from the settings file, or an administrator.

What an administrator writes counts more than the file, field by field.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
import json
from pathlib import Path
from typing import Any, NamedTuple

from ..i18n.text import UNSAID, Text
from ..store.connection import AsyncConnection
from ..store.settings import set_setting, setting
from .settings_schema import KEYS, BadValue, Key

_SETTING = "about"
_SECTION = "about."
_WHOLE, _HALF = 100, 50
_CENTS = 100


class Accessibility(StrEnum):
    """How far pages comply with the RGAA, in the words of its statement."""

    NOT = "not"
    """Fewer than half of the criteria are met, or nobody audited the pages."""
    PARTIALLY = "partially"
    FULLY = "fully"


class Notice(StrEnum):
    """A part of the public pages that the collective has to write."""

    PRESENTATION = "presentation"
    LEGAL = "legal"
    AUDIT = "audit"


REQUIRED: Mapping[Notice, tuple[str, ...]] = {
    Notice.PRESENTATION: ("sentence_fr", "sentence_en", "mail"),
    # Loi n° 2004-575 du 21 juin 2004, article 1-1.
    Notice.LEGAL: (
        *("legal_name", "legal_form", "address", "phone", "publisher"),
        *("host_name", "host_address", "host_phone"),
    ),
    Notice.AUDIT: ("audit_on", "audit_by", "audit_percent"),
}


CO2 = ("co2_grams", "co2_source_fr", "co2_source_en", "co2_year")


PRICES = ("local_price", "grid_price", "price_source_fr", "price_source_en")


class Prices(NamedTuple):
    """The price of a kWh, in cents: from a neighbour and from the grid, with the source."""

    local: Decimal
    grid: Decimal
    source: Text

    @property
    def saved(self) -> Decimal:
        """What a kWh from a neighbour saves, in euros."""
        return (self.grid - self.local) / _CENTS


class CO2Factor(NamedTuple):
    """How many grams of CO₂ a kWh from elsewhere would emit, by whom and of which year."""

    grams: int
    source: Text
    year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """A collective's description, by the keys of the settings; None where it has none."""

    sentence_fr: str | None = None
    sentence_en: str | None = None
    join_fr: str | None = None
    join_en: str | None = None
    join_link: str | None = None
    mail: str | None = None
    phone: str | None = None
    address: str | None = None
    legal_name: str | None = None
    legal_form: str | None = None
    registration: str | None = None
    publisher: str | None = None
    host_name: str | None = None
    host_address: str | None = None
    host_phone: str | None = None
    dpo: str | None = None
    audit_on: date | None = None
    audit_by: str | None = None
    audit_percent: int | None = None
    audit_gaps_fr: str | None = None
    audit_gaps_en: str | None = None
    co2_grams: int | None = None
    co2_source_fr: str | None = None
    co2_source_en: str | None = None
    co2_year: int | None = None
    local_price: Decimal | None = None
    grid_price: Decimal | None = None
    price_source_fr: str | None = None
    price_source_en: str | None = None

    @property
    def sentence(self) -> Text:
        """Who it is, and where."""
        return _in_languages(fr=self.sentence_fr, en=self.sentence_en)

    @property
    def join(self) -> Text:
        """How to take part."""
        return _in_languages(fr=self.join_fr, en=self.join_en)

    @property
    def audit_gaps(self) -> Text:
        """What is not accessible."""
        return _in_languages(fr=self.audit_gaps_fr, en=self.audit_gaps_en)

    @property
    def is_audited(self) -> bool:
        """Whether an audit is known well enough to declare its result."""
        return not any(getattr(self, name) is None for name in REQUIRED[Notice.AUDIT])

    @property
    def accessibility(self) -> Accessibility:
        """Return the level of compliance of the pages."""
        if not self.is_audited or self.audit_percent is None or self.audit_percent < _HALF:
            return Accessibility.NOT
        is_whole = self.audit_percent == _WHOLE
        return Accessibility.FULLY if is_whole else Accessibility.PARTIALLY

    @property
    def co2(self) -> CO2Factor | None:
        """How much CO₂ electricity from elsewhere would emit, if that is stated with its source."""
        if self.co2_grams is None or self.co2_year is None or self.missing_of(CO2):
            return None
        source = _in_languages(fr=self.co2_source_fr, en=self.co2_source_en)
        return CO2Factor(self.co2_grams, source, self.co2_year)

    @property
    def prices(self) -> Prices | None:
        """What a kWh costs, if that is stated whole."""
        if self.local_price is None or self.grid_price is None or self.missing_of(PRICES):
            return None
        source = _in_languages(fr=self.price_source_fr, en=self.price_source_en)
        return Prices(self.local_price, self.grid_price, source)

    def missing_of(self, names: Sequence[str]) -> list[Key]:
        """Return which fields are missing of a group that is filled in together, or not at all."""
        empty = [name for name in names if getattr(self, name) is None]
        return [] if len(empty) == len(names) else [key_of(name) for name in empty]

    def missing(self, notice: Notice) -> list[Key]:
        """Return the required fields that are empty. An audit may be left out whole."""
        names = REQUIRED[notice]
        if notice is Notice.AUDIT:
            return self.missing_of(names)
        return [key_of(name) for name in names if getattr(self, name) is None]


FIELDS = tuple(field.name for field in fields(About))


def key_of(name: str) -> Key:
    """Return the key of a field in the settings."""
    return KEYS[_SECTION + name]


def read_about(typed: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Text]]:
    """Return the values that were typed, None where nothing was, and what is wrong by field."""
    values: dict[str, Any] = {}
    errors: dict[str, Text] = {}
    for name, value in typed.items():
        try:
            values[name] = key_of(name).read(value, Path()) if value else None
        except BadValue:
            errors[name] = key_of(name).format.sentence
    return values, errors


async def load_about(connection: AsyncConnection, written: About) -> About:
    """Return a collective's description; `written` is the settings file's."""
    stored = await setting(connection, _SETTING)
    if stored is None:
        return written
    fields_typed = {name: typed for name, typed in json.loads(stored).items() if name in FIELDS}
    values, _ = read_about(fields_typed)
    return replace(written, **values)


async def store_about(connection: AsyncConnection, about: About, written: About) -> None:
    """Store what differs from the file."""
    differing = {
        name: "" if (value := getattr(about, name)) is None else str(value)
        for name in FIELDS
        if getattr(about, name) != getattr(written, name)
    }
    await set_setting(connection, _SETTING, json.dumps(differing, ensure_ascii=False) or None)


def _in_languages(**words: str | None) -> Text:
    by_language = {tag: sentence for tag, sentence in words.items() if sentence is not None}
    return Text(by_language) if by_language else UNSAID
