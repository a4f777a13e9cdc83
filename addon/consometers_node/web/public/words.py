"""Words that the public pages take from tables."""

from collections.abc import Mapping
from typing import Any

from consometers_node.collective.members.sites import BUILDINGS, HEATS
from consometers_node.figures import FIGURES
from consometers_node.i18n.text import text
from consometers_node.series import Direction

from .drawing.charts import Step
from .drawing.energy_way import draw_way, withheld
from .drawing.marks import COLOURS, draw

FLOWS = {
    Direction.CONSUMPTION: text("from the grid"),
    Direction.INJECTION: text("to the grid"),
    Direction.PRODUCTION: text("solar production"),
}
STEPS = {
    Step.HOUR: text("Hour"),
    Step.DAY: text("Day"),
    Step.MONTH: text("Month"),
}
UNITS = {
    Step.HOUR: text("energy per hour"),
    Step.DAY: text("energy per day"),
    Step.MONTH: text("energy per month"),
}
LICENCE = "Licence Ouverte / Open Licence 2.0 (Etalab)"
LICENCE_URL = "https://www.etalab.gouv.fr/licence-ouverte-open-licence"
LICENCE_ID = "etalab-2.0"
"""Its name among SPDX's."""

WORDS: Mapping[str, Any] = {
    "figures": FIGURES,
    "flows": FLOWS,
    "steps": STEPS,
    "units": UNITS,
    "buildings": BUILDINGS,
    "heats": HEATS,
    "Step": Step,
    "draw": draw,
    "draw_way": draw_way,
    "withheld": withheld,
    "colours": COLOURS,
    "licence": LICENCE,
    "licence_url": LICENCE_URL,
}
