"""Writes the words of the Zabbix templates from the metrics: script/lib/run tools.zabbix."""

from collections.abc import Mapping, Sequence
import json
from pathlib import Path
import sys
from typing import Any

from consometers_node.collective.monitoring.metrics import ALL, BYTES, INSTANT, Metric

FOLDER = Path(__file__).parents[1] / "deploy" / "zabbix"
FILES = {language: FOLDER / f"consometers.{language}.yaml" for language in ("en", "fr")}
_ITEMS = {"consometers_node", "consometers_problem", "consometers_published_timestamp_seconds"}
"""Metrics that the templates name themselves, for their triggers."""
_UNITS = {INSTANT: "unixtime", BYTES: "B"}
_END = f"\n{18 * ' '}}};\n"
_INDENT = 20 * " "
_WIDTH = 120


def page(language: str) -> str:
    """Return the whole template, with figures and words as the metrics have them."""
    source = FILES[language].read_text(encoding="utf-8")
    metrics = [metric for metric in ALL if metric.name not in _ITEMS]
    figures = {metric.name: _figure(metric, language) for metric in metrics}
    for name, table in (("figures", figures), ("words", _words(metrics, language))):
        lines = ",\n".join(_line(*entry) for entry in table.items())
        before, begin, rest = source.partition(f"var {name} = {{\n")
        _, end, after = rest.partition(_END)
        source = f"{before}{begin}{lines}{end}{after}"
    return source


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


def _line(key: str, value: object) -> str:
    name, written = json.dumps(key), json.dumps(value, ensure_ascii=False)
    line = f"{_INDENT}{name}: {written}"
    return line if len(line) < _WIDTH else f"{_INDENT}{name}:\n{_INDENT}  {written}"


def main() -> int:
    """Write both templates."""
    for language, file in FILES.items():
        file.write_text(page(language), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
