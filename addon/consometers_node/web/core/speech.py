"""Words, dates and numbers in the conventions of each language."""

from datetime import date, datetime, tzinfo
from functools import cache, partialmethod
import math
import re

from babel import Locale
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_currency, format_decimal, format_percent
from babel.units import format_unit

from consometers_node.i18n.catalogue import translations
from consometers_node.i18n.text import Text, text, typeset

from .language import LANGUAGES

_KILO = 1000
_MEGA = 1_000_000
_NO_DIGITS_FROM = 100
_BEFORE_UNIT = {"en": "\u00a0", "fr": "\u202f"}
_WHOLE_PERCENT = {"en": "0%", "fr": "0\u202f%"}
_PERCENT = {"en": "0.#%", "fr": "0.#\u202f%"}
_LOCALES = {"en": Locale("en", "GB"), "fr": Locale("fr", "FR")}
_YEAR_DAYS = 365
_TODAY = text("today")
_in_print = cache(typeset)
"""For sentences of the catalogue, which are a limited number."""


class Language:
    """Formats for one language and time zone: without one, the zone of the node."""

    def __init__(self, tag: str, zone: tzinfo | None = None) -> None:
        self.tag = tag
        self._zone = zone
        self._locale = _LOCALES[tag]
        self._translations = translations(tag)

    def __call__(self, words: Text) -> str:
        """Say words that have both languages."""
        return typeset(words.say(self.tag), self.tag)

    def gettext(self, message: str) -> str:
        """Say a sentence of a template."""
        return _in_print(self._translations.gettext(message), self.tag)

    def ngettext(self, singular: str, many: str, count: int) -> str:
        """Say it of one thing or of many. In French, nothing is one thing."""
        return _in_print(self._translations.ngettext(singular, many, count), self.tag)

    def day(self, at: datetime | date) -> str:
        """Write a day: 4 March 2026."""
        local = at.astimezone(self._zone).date() if isinstance(at, datetime) else at
        written = format_date(local, "long", locale=self._locale)
        return f"1er{written[1:]}" if self.tag == "fr" and local.day == 1 else written

    def _date(self, pattern: str, day: date) -> str:
        if self.tag == "fr" and day.day == 1:
            pattern = re.sub(r"\bd\b", "d'er'", pattern)
        return format_date(day, pattern, locale=self._locale)

    full_day = partialmethod(_date, "EEEE d MMMM y")
    """Write a day with its name: Wednesday 4 March 2026."""
    weekday = partialmethod(_date, "EEE d")
    """Write a day of a month that is known, with its name."""
    day_month = partialmethod(_date, "d MMM")
    """Write a day of a year that is known, in little room."""
    month = partialmethod(_date, "LLLL y")
    """Write a month and its year."""
    month_short = partialmethod(_date, "LLL")
    """Write a month in little room."""

    def moment(self, at: datetime) -> str:
        """Write an instant in the time of the home, to the minute."""
        local = at.astimezone(self._zone)
        hour = format_time(local, "short", locale=self._locale)
        if local.date() == datetime.now().astimezone(self._zone).date():
            return f"{self(_TODAY)}, {hour}"
        return f"{self.day(local)}, {hour}"

    def ago(self, at: datetime, now: datetime) -> str:
        """Write how long ago an instant was: 5 hours ago."""
        return format_timedelta(at - now, add_direction=True, locale=self._locale)

    def hour(self, at: datetime) -> str:
        """Write a day and an hour, in little room."""
        local = at.astimezone(self._zone)
        return format_datetime(local, "d MMM HH:mm", locale=self._locale)

    def clock(self, at: datetime) -> str:
        """Write the hour and the minute."""
        return format_time(at.astimezone(self._zone), "short", locale=self._locale)

    def number(self, value: float) -> str:
        """Write a number, its thousands apart."""
        return format_decimal(value, locale=self._locale)

    def energy(self, wh: float) -> str:
        """Write an energy in kWh: 12.3 kWh."""
        return self._measured(wh / 1000, "kWh")

    def energy_total(self, wh: float) -> str:
        """Write an energy that stands alone: in MWh from 10,000 kWh on."""
        if round(wh) < 10 * _MEGA:
            return self.energy(wh)
        return self._measured(wh / _MEGA, "MWh")

    def energy_level(self, wh: float, most: float) -> str:
        """Write a level of a scale, all of it in the unit of its largest: 0.25 kWh."""
        per_unit, unit = (_MEGA, "MWh") if most >= 10 * _MEGA else (_KILO, "kWh")
        number = format_decimal(round(wh / per_unit, 3), locale=self._locale)
        return f"{number}{_BEFORE_UNIT[self.tag]}{unit}"

    def energy_each(self, wh: float) -> str:
        """Write the energy of one member, which may be little: 0.37 kWh."""
        return self._measured(wh / 1000, "kWh", 2 if wh < 10 * _KILO else 1)

    def mass(self, grams: float) -> str:
        """Write a mass: in kg, in tonnes from 10,000 kg on."""
        if round(grams) < 10 * _MEGA:
            return self._measured(grams / _KILO, "kg")
        return self._measured(grams / _MEGA, "t")

    def power(self, watts: float, beside: float = 0) -> str:
        """Write a power, in kW from 1 kW on, or beside such a power, so that they compare."""
        if max(watts, beside) < _KILO:
            return self._measured(watts, "W", 0)
        return self._measured(watts / 1000, "kW", 1 if watts >= _KILO / 10 else 2)

    def _measured(self, value: float, unit: str, digits: int = 1) -> str:
        if value >= _NO_DIGITS_FROM:
            digits = 0
        number = format_decimal(
            round(value, digits), "#,##0.##" if digits else "#,##0", locale=self._locale
        )
        return f"{number}{_BEFORE_UNIT[self.tag]}{unit}"

    def euros(self, value: float) -> str:
        """Write an amount: in whole euros from 100 on."""
        digits = 0 if abs(value) >= _NO_DIGITS_FROM else 2
        pattern = {"en": "¤#,##0", "fr": "#,##0\u202f¤"}[self.tag]
        if digits:
            pattern = pattern.replace("#,##0", "#,##0.00")
        rounded = round(value, digits)
        return format_currency(rounded, "EUR", pattern, locale=self._locale, currency_digits=False)

    def times(self, value: float) -> str:
        """Write a factor: × 1.5."""
        return f"×{_BEFORE_UNIT[self.tag]}{format_decimal(value, locale=self._locale)}"

    def percent(self, value: float) -> str:
        """Write a part of 1 as a whole percentage."""
        return format_percent(float(value), _WHOLE_PERCENT[self.tag], locale=self._locale)

    def change(self, value: float) -> str:
        """Write a change of a part of 1 as a percentage with its sign: −12.5%."""
        rounded = round(value, 3)
        sign = "−" if rounded < 0 else "+" if rounded > 0 else ""
        return sign + format_percent(abs(rounded), _PERCENT[self.tag], locale=self._locale)

    def share(self, value: float) -> str:
        """Write a part of 1 as a percentage, never rounded up to all of it."""
        floor = math.floor(value * 1000) / 1000
        return format_percent(floor, _PERCENT[self.tag], locale=self._locale)

    def length(self, days: int) -> str:
        """Write a number of days, as years where they are whole ones."""
        years, rest = divmod(days, _YEAR_DAYS)
        if years and not rest:
            return format_unit(years, "duration-year", locale=self._locale)
        return format_unit(days, "duration-day", locale=self._locale)


def numbered(words: Text, **values: float) -> Text:
    """Put numbers into words, their thousands apart as each language has them."""
    written = {
        tag: {name: Language(tag).number(value) for name, value in values.items()}
        for tag in LANGUAGES
    }
    return Text({tag: words.say(tag).format(**written[tag]) for tag in LANGUAGES})
