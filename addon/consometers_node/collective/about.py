"""Who a collective is, for its public pages: from the settings file, or an administrator.

What an administrator writes counts more than the file, field by field.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
import json
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from consometers_node.i18n.text import UNSAID, Text, text
from consometers_node.settings_file.formats import (
    Day,
    MailAddress,
    Paragraph,
    Phone,
    Sentences,
    Source,
    WebPage,
)
from consometers_node.settings_file.schema import BadValue, Key, fill, keys_of
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.settings import set_setting, setting

from .settings_formats import Grams, Percent, Price, Year

_SETTING = "about"
SECTION = "about."
"""The section of the settings file, with its dot."""
_WHOLE, _HALF = 100, 50
_CENTS = 100


class Accessibility(StrEnum):
    """How far pages comply with the RGAA, in the words of its statement."""

    NOT = "not"
    """Fewer than half of the criteria are met, or nobody audited the pages."""
    PARTIALLY = "partially"
    FULLY = "fully"


@dataclass(frozen=True, slots=True)
class Notice:
    """A part of the public pages that needs some fields: `lacking` says which are missing.

    With `whole`, the part may be left out, and the form refuses half of it with that sentence.
    """

    lacking: Text
    whole: Text | None = None


_PRESENTATION = Notice(text("The public pages do not say who you are yet. Missing: {fields}."))
_LAW = Notice(text("The legal notice lacks what the law requires. Missing: {fields}."))
"""Loi n° 2004-575 du 21 juin 2004, article 1-1."""
_AUDITED = Notice(
    text("The accessibility audit is incomplete. Missing: {fields}."),
    text("To declare an audit, fill in its date, its author and its result."),
)
_FACTOR = Notice(
    text("The CO₂ factor is incomplete, and not shown. Missing: {fields}."),
    text("A CO₂ factor needs its source, in both languages, and its year."),
)
_STATED = Notice(
    text("The prices of a kWh are incomplete, and not shown. Missing: {fields}."),
    text("Prices need each other, and their source in both languages."),
)
_MEETING = Notice(
    text("The next meeting is incomplete, and not shown. Missing: {fields}."),
    text("A meeting needs its day, and its hour and place in both languages."),
)
NOTICES = (_PRESENTATION, _LAW, _AUDITED, _FACTOR, _STATED, _MEETING)


class Subject(StrEnum):
    """What fields are about: each subject has a form of its own."""

    PUBLISHER = "about"
    FIGURES = "figures"


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that stand together in a form, and what to know about them."""

    title: Text
    help: Text = UNSAID
    subject: Subject = Subject.PUBLISHER


_WHO = Group(text("Who you are"))
_NEXT_MEETING = Group(
    text("Next meeting"),
    text("Optional: the page “Take part” announces it, until its day is over."),
)
_CONTACT = Group(text("Contact"))
_LEGAL = Group(
    text("Legal notice"),
    text(
        "French law asks for these lines, for the address and telephone number above, and for the"
        " host (loi n° 2004-575, article 1-1)."
    ),
)
_HOST = Group(text("Host"))
_PRIVACY = Group(text("Personal data"))
_AUDIT = Group(
    text("Accessibility statement"),
    text("Leave these fields empty until the pages have been audited: the statement then says so."),
)
_CO2 = Group(
    text("CO₂ equivalent"),
    text(
        "Optional: the public pages then show what the same amount of electricity from elsewhere"
        " would have emitted, and name this source. Use a published factor, for instance from the"
        " grid operator."
    ),
    Subject.FIGURES,
)
_PRICES = Group(
    text("Prices"),
    text(
        "Optional: the page “The neighbours’ sun” then says what members would save. The price of"
        " a kWh between members is what your collective agreed, or plans; that of the grid is a"
        " usual tariff, with taxes."
    ),
    Subject.FIGURES,
)


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
    """A collective's description: each field with its group in the form, and who needs it."""

    sentence: Annotated[
        Paragraph,
        _WHO,
        _PRESENTATION,
        text("One sentence in {language}: who you are, and where."),
    ] = UNSAID
    join: Annotated[Paragraph, _WHO, text("How to take part, in {language}.")] = UNSAID
    join_link: Annotated[WebPage | None, _WHO, text("The web page where people sign up.")] = None
    meeting_on: Annotated[
        Day | None, _NEXT_MEETING, _MEETING, text("The day of the next meeting.")
    ] = None
    meeting: Annotated[
        Paragraph,
        _NEXT_MEETING,
        _MEETING,
        text("Its hour, its place and its subject, in {language}."),
    ] = UNSAID
    mail: Annotated[
        MailAddress | None,
        _CONTACT,
        _PRESENTATION,
        text("The e-mail address for the public."),
    ] = None
    phone: Annotated[Phone | None, _CONTACT, _LAW, text("The telephone number for the public.")] = (
        None
    )
    address: Annotated[
        Sentences | None,
        _CONTACT,
        _LAW,
        text("The postal address of the registered office."),
    ] = None
    legal_name: Annotated[
        Sentences | None, _LEGAL, _LAW, text("The registered name of the publisher.")
    ] = None
    legal_form: Annotated[
        Sentences | None, _LEGAL, _LAW, text("The legal form of the publisher.")
    ] = None
    registration: Annotated[
        Sentences | None,
        _LEGAL,
        text("The registration number (SIREN, RNA), and the share capital of a company."),
    ] = None
    publisher: Annotated[
        Sentences | None,
        _LEGAL,
        _LAW,
        text("The publication director: by law, who represents the publisher."),
    ] = None
    host_name: Annotated[Sentences | None, _HOST, _LAW, text("The name of the host.")] = None
    host_address: Annotated[
        Sentences | None, _HOST, _LAW, text("The postal address of the host.")
    ] = None
    host_phone: Annotated[Phone | None, _HOST, _LAW, text("The telephone number of the host.")] = (
        None
    )
    dpo: Annotated[
        Sentences | None, _PRIVACY, text("The contact of the data protection officer, if any.")
    ] = None
    audit_on: Annotated[
        Day | None, _AUDIT, _AUDITED, text("The day of the accessibility audit (RGAA).")
    ] = None
    audit_by: Annotated[
        Sentences | None, _AUDIT, _AUDITED, text("Who made the accessibility audit.")
    ] = None
    audit_percent: Annotated[
        Percent | None,
        _AUDIT,
        _AUDITED,
        text("The share of the RGAA criteria that are met, in %."),
    ] = None
    audit_gaps: Annotated[Paragraph, _AUDIT, text("What is not accessible, in {language}.")] = (
        UNSAID
    )
    co2_grams: Annotated[
        Grams | None,
        _CO2,
        _FACTOR,
        text("The CO₂ factor of electricity from elsewhere, in g per kWh."),
    ] = None
    co2_source: Annotated[
        Source, _CO2, _FACTOR, text("The source of that CO₂ factor, in {language}.")
    ] = UNSAID
    co2_year: Annotated[Year | None, _CO2, _FACTOR, text("The year of that CO₂ factor.")] = None
    local_price: Annotated[
        Price | None,
        _PRICES,
        _STATED,
        text("The price of a kWh between members, in euro cents, grid charges and taxes included."),
    ] = None
    grid_price: Annotated[
        Price | None,
        _PRICES,
        _STATED,
        text("The price of a kWh from the grid, in euro cents, taxes included."),
    ] = None
    price_source: Annotated[
        Source, _PRICES, _STATED, text("The source and date of these prices, in {language}.")
    ] = UNSAID

    @property
    def is_audited(self) -> bool:
        """Whether an audit is known well enough to declare its result."""
        return not self._empty(_AUDITED)

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
        if self.co2_grams is None or self.co2_year is None or self._empty(_FACTOR):
            return None
        return CO2Factor(self.co2_grams, self.co2_source, self.co2_year)

    @property
    def prices(self) -> Prices | None:
        """What a kWh costs, if that is stated whole."""
        if self.local_price is None or self.grid_price is None or self._empty(_STATED):
            return None
        return Prices(self.local_price, self.grid_price, self.price_source)

    def meets_from(self, day: date) -> bool:
        """Return whether a meeting is announced for that day or later."""
        return self.meeting_on is not None and not self._empty(_MEETING) and self.meeting_on >= day

    def missing(self, notice: Notice) -> list[Key]:
        """Return the fields that a notice still lacks: none where it may be left out, and is."""
        empty = self._empty(notice)
        is_left_out = notice.whole is not None and len(empty) == len(_needed_by(notice))
        return [] if is_left_out else empty

    def _empty(self, notice: Notice) -> list[Key]:
        return [key for key in _needed_by(notice) if key.value(self) is None]


KEYS = {key.last_name: key for key in keys_of(About, SECTION)}
"""The fields of the forms, by name."""


def group_of(key: Key) -> Group:
    """Return the fields among which a field stands in its form."""
    return next(mark for mark in key.marks if isinstance(mark, Group))


def subject_of(notice: Notice) -> Subject:
    """Return what the fields of a notice are about."""
    return group_of(_needed_by(notice)[0]).subject


def _needed_by(notice: Notice) -> list[Key]:
    return [key for key in KEYS.values() if notice in key.marks]


NEEDED = tuple(key for notice in NOTICES if notice.whole is None for key in _needed_by(notice))
"""The fields that every collective has to fill in."""


def values_of(about: About) -> dict[str, Any]:
    """Return the value of each field; None where there is none."""
    return {name: key.value(about) for name, key in KEYS.items()}


def read_about(typed: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Text]]:
    """Return the values that were typed, None where nothing was, and what is wrong by field."""
    values: dict[str, Any] = {}
    errors: dict[str, Text] = {}
    for name, value in typed.items():
        try:
            values[name] = KEYS[name].read(value, Path()) if value else None
        except BadValue:
            errors[name] = KEYS[name].format.sentence
    return values, errors


def overwritten(about: About, values: Mapping[str, Any]) -> About:
    """Return the description with other values of some fields."""
    return fill(About, {**values_of(about), **values})


async def load_about(connection: AsyncConnection, written: About) -> About:
    """Return a collective's description; `written` is the settings file's."""
    stored = await setting(connection, _SETTING)
    if stored is None:
        return written
    values, _ = read_about(
        {name: typed for name, typed in json.loads(stored).items() if name in KEYS}
    )
    return overwritten(written, values)


async def store_about(connection: AsyncConnection, about: About, written: About) -> None:
    """Store what differs from the file."""
    in_file = values_of(written)
    differing = {
        name: "" if value is None else str(value)
        for name, value in values_of(about).items()
        if value != in_file[name]
    }
    document = json.dumps(differing, ensure_ascii=False) if differing else None
    await set_setting(connection, _SETTING, document)
