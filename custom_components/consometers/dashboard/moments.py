"""Sentences with an hour or a price: templates, which Home Assistant renders, in its language.

A tile writes an hour as a distance from now, a time that has begun as one of the past, and a price
in euros.
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


def next_tariff(tariff: str, start: str, words: Mapping[str, str]) -> str:
    """Return which tariff comes next, and when, by the entities of its name and start."""
    name = f"states('{tariff}')"
    return (
        f"{_known(tariff, start)}"
        f"{{% set start = {_hour(start)} %}}"
        f"**{words['next_tariff']}**<br>"
        f"{_sentence(words['next_tariff_from'], words, tariff=name, start='start')}"
        "{% endif %}"
    )


def price_of_kwh(price: str, words: Mapping[str, str]) -> str:
    """Return a price as bills have it, in cents, by the entity that has it in euros per kWh."""
    cents = f"'{{:.2f}}'.format(states('{price}') | float * 100)"
    return (
        f"{_known(price)}"
        f"**{words['price']}**<br>"
        f"{{{{ {cents} | replace('.', '{words['decimal_mark']}') }}}}\u00a0c€/kWh"
        "{% endif %}"
    )


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
