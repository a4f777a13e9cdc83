"""Writes the Zabbix templates, in both languages: script/lib/run tools.zabbix.

`zabbix.yaml.jinja` is their form. Items of problems, titles, units and words are those of the
metrics (`collective/monitoring`), which have their French in the node's catalogue.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
import json
from pathlib import Path
import sys
from typing import Any, Final
from uuid import UUID

from jinja2 import Environment, StrictUndefined

from consometers_node.collective.monitoring.metrics import ALL, BYTES, INSTANT, Metric
from consometers_node.collective.monitoring.problems import TITLES, ProblemKind

FOLDER = Path(__file__).parents[1] / "deploy" / "zabbix"
FILES = {language: FOLDER / f"consometers.{language}.yaml" for language in ("en", "fr")}
PRIORITIES: Final = {
    ProblemKind.DATABASE: "HIGH",
    ProblemKind.NETWORK: "AVERAGE",
    ProblemKind.DISK: "AVERAGE",
    ProblemKind.CERTIFICATE: "AVERAGE",
    ProblemKind.BACKUP: "AVERAGE",
    ProblemKind.TEST_RESTORE: "WARNING",
    ProblemKind.OFFSITE_COPY: "WARNING",
    ProblemKind.WITNESS: "WARNING",
    ProblemKind.SET_BACK: "WARNING",
}
"""Problems with a trigger, and its severity. That of silent members has a threshold of its own."""
_GREEN, _ORANGE = "1F7A5C", "C2410C"
_FLOWS = {"consumption": "488FC2", "injection": "8353D1", "production": "FF9800"}
_GRAPHS = {
    "consometers_published_power_watts": _FLOWS,
    "consometers_published_today_self_sufficiency_ratio": {"": _GREEN},
    "consometers_published_today_joules": _FLOWS,
    "consometers_members_delivering": {"*": _GREEN},
    "consometers_messages_total": {"*": _ORANGE},
    "process_resident_memory_bytes": {"": _GREEN},
}
"""The graphs of the dashboard: the metrics, with the colors of their labels' values."""
_COLONS = {"en": ": ", "fr": " : "}
_METRICS: Final = {metric.name: metric for metric in ALL}
_ITEMS = {"consometers_node", "consometers_problem", "consometers_published_timestamp_seconds"}
"""Metrics that are items of the template, for its triggers: discovery omits them."""
_UNITS = {INSTANT: "unixtime", BYTES: "B"}
_INDENT = 20 * " "
_FORM = Environment(
    autoescape=False,  # noqa: S701: YAML
    block_start_string="<%",
    block_end_string="%>",
    variable_start_string="<<",
    variable_end_string=">>",
    comment_start_string="<#",
    comment_end_string="#>",
    trim_blocks=True,
    keep_trailing_newline=True,
    undefined=StrictUndefined,
).from_string((Path(__file__).parent / "zabbix.yaml.jinja").read_text(encoding="utf-8"))


def page(language: str) -> str:
    """Return the template in a language, en or fr."""

    def title(name: str, value: str = "") -> str:
        metric = _METRICS[name]
        word = metric.words.get(value)
        parts = [metric.title.say(language), word.say(language) if word else value]
        return _quoted(_COLONS[language].join(filter(None, parts)))

    def problem(kind: str) -> str:
        words = TITLES[kind].say(language)
        return _quoted(words[0].upper() + words[1:])

    metrics = [metric for metric in ALL if metric.name not in _ITEMS]
    return _FORM.render(
        problems=TITLES,
        priorities=PRIORITIES,
        graphs=_GRAPHS,
        colon=_COLONS[language],
        say=lambda english, french: _quoted(french if language == "fr" else english),
        comment=lambda english, french: french if language == "fr" else english,
        title=title,
        problem=problem,
        help=lambda name: _quoted(_METRICS[name].help.say(language)),
        uuid=_uuid,
        figures=_table({metric.name: _figure(metric, language) for metric in metrics}),
        words=_table(_words(metrics, language)),
    )


def _quoted(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"


def _uuid(*key: str) -> str:
    """Return the identifier of an object that is not in the form, always the same one."""
    return UUID(bytes=sha256(" ".join(key).encode()).digest()[:16], version=4).hex


def _figure(metric: Metric[Any], language: str) -> tuple[str, str, float]:
    """Return a title, and what Zabbix shows its values in: a unit, and the factor to it."""
    unit = metric.unit
    factor = float(unit.factor)
    whole = int(factor) if factor.is_integer() else factor
    return metric.title.say(language), _UNITS.get(unit, unit.symbol), whole


def _words(metrics: Sequence[Metric[Any]], language: str) -> Mapping[str, str]:
    """Return the words of labels' values.

    Where two metrics have different ones for a value, the second one's are under both names.
    """
    words: dict[str, str] = {}
    for metric in metrics:
        for value, named in metric.words.items():
            if named is None:
                continue
            word = named.say(language)
            if words.setdefault(value, word) != word:
                words[f"{metric.name} {value}"] = word
    return words


def _table(entries: Mapping[str, object]) -> str:
    return ",\n".join(
        f"{_INDENT}{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in entries.items()
    )


def main() -> int:
    """Write both templates."""
    for language, file in FILES.items():
        file.write_text(page(language), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
