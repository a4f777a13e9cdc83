"""A figure has one name: on a collective's pages and in members' Home Assistant."""

from collections.abc import Mapping
from dataclasses import fields
import json
from pathlib import Path
import re

import pytest

from consometers_node.figures import FIGURES
from custom_components.consometers.node.api.answers import DayFigures
from custom_components.consometers.node.sensors import COLLECTIVE_SENSORS

TRANSLATIONS = Path(__file__).parents[1] / "custom_components" / "consometers" / "translations"
FIGURES_OF_DAY = {field.name: FIGURES[field.name.replace("_", "-")] for field in fields(DayFigures)}


def words(sentence: str) -> list[str]:
    return re.findall(r"[\w-]+", sentence.casefold())


def likeness(title: str, name: str) -> float:
    """Return the part of a title's words that a name has, such as “soutirée” for “soutiré”."""
    there = words(name)
    parts = [
        any(word == own or (len(own) > 3 and word.startswith(own)) for word in there)
        for own in words(title)
    ]
    return sum(parts) / len(parts)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("key", FIGURES_OF_DAY)
def test_a_sensor_of_the_day_is_named_as_its_figure_and_as_no_other(
    key: str, language: str
) -> None:
    entities: Mapping[str, Mapping[str, str]] = json.loads(
        (TRANSLATIONS / f"{language}.json").read_text()
    )["entity"]["sensor"]
    (sensor,) = (each for each in COLLECTIVE_SENSORS if each.key == f"{key}_today")
    name = entities[sensor.translation_key or sensor.key]["name"]
    like = {
        other: likeness(figure.title.say(language), name)
        for other, figure in FIGURES_OF_DAY.items()
    }
    assert like.pop(key) > max(0, *like.values()), name
