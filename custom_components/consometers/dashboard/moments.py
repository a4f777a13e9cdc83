"""Hours and prices in words: templates, which Home Assistant renders, in the reader's language.

A tile writes an hour as a distance from now, and a time that has begun as one of the past; and a
price in the unit of its sensor, which no bill has.
"""

from collections.abc import Mapping


def best_time(start: str, end: str, words: Mapping[str, str]) -> str:
    """Return when the best time is, by the entities of its start and end."""
    return (
        f"{_known(start, end)}"
        f"{{% set start, end = {_hour(start)}, {_hour(end)} %}}"
        f"**{words['best_time']}**<br>"
        f"{{% if start <= now() %}}{_sentence(words['best_time_now'], words, end='end')}"
        f"{{% elif start.date() == now().date() %}}"
        f"{_sentence(words['best_time_today'], words, start='start', end='end')}"
        f"{{% else %}}{_sentence(words['best_time_tomorrow'], words, start='start', end='end')}"
        "{% endif %}{% endif %}"
    )


def price(entity: str, currency: str, words: Mapping[str, str]) -> str:
    """Return the price of a kWh as bills have it, by the entity of it in a currency."""
    return f"{_known(entity)}**{_price(f"states('{entity}')", currency, words)}**{{% endif %}}"


def next_tariff(tariff: str, start: str, currency: str, words: Mapping[str, str]) -> str:
    """Return which tariff comes next, when, and its price, by the entities of its name and start.

    The price, in a currency, is an attribute of the name where it is known.
    """
    name, at_price = f"states('{tariff}')", f"state_attr('{tariff}', 'price')"
    return (
        f"{_known(tariff, start)}"
        f"{{% set start = {_hour(start)} %}}"
        f"**{words['next_tariff']}**<br>"
        f"{_sentence(words['next_tariff_from'], words, tariff=name, start='start')}"
        f"{{% if {at_price} is number %}}<br>{_price(at_price, currency, words)}{{% endif %}}"
        "{% endif %}"
    )


def _price(expression: str, currency: str, words: Mapping[str, str]) -> str:
    """Write a price in hundredths, to two places. Of euros their name is known."""
    unit, factor, places = ("c€", 100, 2) if currency == "EUR" else (currency, 1, 4)
    number = f"'%.{places}f' | format({expression} | float * {factor})"
    return f"{{{{ ({number}) | replace('.', '{words['decimal_mark']}') }}}}\u00a0{unit}/kWh"


def _known(*entities: str) -> str:
    conditions = " and ".join(f"has_value('{each}')" for each in entities)
    return f"{{% if {conditions} %}}"


def _hour(entity: str) -> str:
    return f"states('{entity}') | as_datetime | as_local"


def _sentence(sentence: str, words: Mapping[str, str], **expressions: str) -> str:
    """Put expressions into a sentence: hours, but for the name of a tariff."""
    whole, minutes = words["whole_hour"], words["hour_with_minutes"]
    return sentence.format(
        **{
            name: f"{{{{ {each} }}}}"
            if name == "tariff"
            else f"{{{{ {each}.strftime('{minutes}' if {each}.minute else '{whole}') }}}}"
            for name, each in expressions.items()
        }
    )
