"""The types of settings that a collective alone has."""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from consometers_node.i18n.text import Text, text
from consometers_node.series import Interval
from consometers_node.settings_file.formats import one_of, string, whole_number
from consometers_node.settings_file.schema import Format, Input

from .disclosure.sdc_rules import LEAST_MINIMUM

_IDENTIFIER = r"(?!.{41})[a-z0-9]+(?:\.[a-z0-9]+)*"

STEPS = (Interval.PT5M, Interval.PT30M, Interval.PT1H)
"""The intervals at which sums may be published, beside days."""


class Basis(StrEnum):
    """On what sums are published."""

    AGREED = "agreed"
    """Members agreed to sums of so many of them."""
    LAW = "law"
    """What the law lets anybody publish."""


class SmtpSecurity(StrEnum):
    """How TLS begins on the way to the mail server."""

    STARTTLS = "starttls"
    TLS = "tls"
    """At once."""
    NONE = "none"
    """For a mail server on the same machine, without a password."""


def _price(value: object, _: Path) -> Decimal:
    return Decimal(string(str(value).strip().replace(",", "."), r"\d{1,3}(\.\d{1,3})?"))


def _minutes(most: int, hint: Text) -> Format:
    number = whole_number(range(1, most + 1), hint)
    return Format(
        lambda value, folder: timedelta(minutes=number.parse(value, folder)), hint, Input.WHOLE
    )


Identifier = Annotated[
    str,
    Format(
        lambda value, _: string(value, _IDENTIFIER),
        text('write lower-case letters, digits and dots, such as "kersabiec".'),
    ),
]
SmtpEncryption = Annotated[SmtpSecurity, one_of(SmtpSecurity)]
Publishing = Annotated[Basis, one_of(Basis)]
Homes = Annotated[
    int,
    whole_number(
        range(LEAST_MINIMUM, 2**63),
        text(
            "write a number from {least} up: a sum of fewer members reveals too much about each."
        ).fill(least=LEAST_MINIMUM),
        placeholder=text("HOMES"),
    ),
]
Step = Annotated[Interval, one_of(STEPS)]
Wait = Annotated[timedelta, _minutes(1440, text("write minutes, from 1 to 1440."))]
LongestWait = Annotated[timedelta, _minutes(2880, text("write minutes, from 1 to 2880."))]
Percent = Annotated[int, whole_number(range(101), text("write a whole number from 0 to 100."))]
Grams = Annotated[
    int, whole_number(range(1, 2_001), text("write a whole number of grams, from 1 to 2000."))
]
Year = Annotated[int, whole_number(range(1990, 2100), text("write a year, such as 2025."))]
Price = Annotated[Decimal, Format(_price, text('write euro cents, such as "12.5".'), Input.DECIMAL)]
