"""Writes the templates for Zabbix from the table of figures: `python -m tools.zabbix`.

There is one for each language. Both have the same names for Zabbix, so that whoever imports the
other one changes the words and keeps the history.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Never
from uuid import UUID

import yaml  # type: ignore[import-untyped]

from consometers_node.collective.facts import ALL, PUBLISHED, Fact, Type
from consometers_node.quoalise.text import text

FOLDER: Final = Path(__file__).parent.parent / "deploy" / "zabbix"
LANGUAGES: Final = ("en", "fr")
TEMPLATE: Final = "Consometers collective"
_GROUP: Final = {"uuid": "a571c0d144b14fd4a87a9d9b2aa9fcd6", "name": "Templates/Applications"}
"""Zabbix has it."""

_PROBLEM: Final = "consometers_problem"
_COLOURS: Final = {"consumption": "488FC2", "injection": "8353D1", "production": "FF9800"}
_YES_NO: Final = text("Yes or no", "Oui ou non")
_ANSWERS: Final = {"0": text("no", "non"), "1": text("yes", "oui")}
_OF: Final = text(
    "How the node of a collective goes, and what it publishes. The node sends it by itself.",
    "L’état du nœud d’un collectif, et ce qu’il publie. Le nœud l’envoie de lui-même.",
)
_DELIVERING: Final = "{$CONSOMETERS.DELIVERING.LEAST}"
_SILENCE: Final = "{$CONSOMETERS.SILENCE.MOST}"
_OLD: Final = "{$CONSOMETERS.PUBLISHED.MOST}"
_MACROS: Final = {
    _DELIVERING: (
        "80",
        text("Homes reporting, in %, at least.", "Foyers qui transmettent, en %, au moins."),
    ),
    _SILENCE: (
        "30m",
        text(
            "For how long the node may tell nothing, at most.",
            "Combien de temps le nœud peut ne rien dire, au plus.",
        ),
    ),
    _OLD: (
        "6h",
        text(
            "How old the last published sum may be, at most.",
            "L’âge de la dernière somme publiée, au plus.",
        ),
    ),
}
_THREE_TIMES: Final = "last({item}) + last({item},#2) + last({item},#3) = 3"
"""The last three times that it was told."""
_HOMES: Final = "consometers.members[home]"
_TELLING: Final = "consometers.members_delivering[home]"
_TRIGGERS: Final = (
    (
        "HIGH",
        f"nodata(/{TEMPLATE}/consometers.problem[network],{_SILENCE}) = 1",
        text("The node tells nothing any more", "Le nœud ne dit plus rien"),
    ),
    (
        "HIGH",
        _THREE_TIMES.format(item=f"/{TEMPLATE}/consometers.problem[database]"),
        text("The database cannot be used", "La base de données est inutilisable"),
    ),
    (
        "AVERAGE",
        _THREE_TIMES.format(item=f"/{TEMPLATE}/consometers.problem[network]"),
        text("The node is not on the network", "Le nœud est hors du réseau"),
    ),
    (
        "WARNING",
        f"max(/{TEMPLATE}/{_TELLING},3h) * 100 < {_DELIVERING} * last(/{TEMPLATE}/{_HOMES})",
        text("Many homes do not report", "Beaucoup de foyers ne transmettent pas"),
    ),
    (
        "WARNING",
        f"now() - last(/{TEMPLATE}/consometers.published_timestamp_seconds) > {_OLD}",
        text("No new sum is published", "Aucune nouvelle somme n’est publiée"),
    ),
)
_GRAPHS: Final = (
    "consometers_published_power_watts",
    "consometers_published_today_self_sufficiency_ratio",
    "consometers_published_today_joules",
    "consometers_members_delivering",
    "consometers_messages_total",
    "process_resident_memory_bytes",
)
_COLUMN: Final = 36
"""Half of a dashboard."""
_ROW: Final = 5
_OTHER_COLOURS: Final = ("1F7A5C", "C2410C", "64748B", "A16207")

type _Yaml = dict[str, Any]


def template(language: str) -> str:
    """Give the file of a language."""
    exported = {
        "version": "7.0",
        "template_groups": [_GROUP],
        "templates": [
            {
                "uuid": _uuid("template"),
                "template": TEMPLATE,
                "name": TEMPLATE,
                "description": _OF.say(language),
                "groups": [{"name": _GROUP["name"]}],
                "items": list(_items(language)),
                "macros": [
                    {"macro": macro, "value": value, "description": words.say(language)}
                    for macro, (value, words) in sorted(_MACROS.items())
                ],
                "dashboards": [_dashboard(language)],
                "valuemaps": [
                    {
                        "uuid": _uuid("valuemap"),
                        "name": _YES_NO.say(language),
                        "mappings": [
                            {"value": value, "newvalue": words.say(language)}
                            for value, words in _ANSWERS.items()
                        ],
                    }
                ],
            }
        ],
        "triggers": [
            {
                "uuid": _uuid(expression),
                "expression": expression,
                "name": words.say(language),
                "priority": priority,
            }
            for priority, expression, words in _TRIGGERS
        ],
    }
    written: str = yaml.dump(
        {"zabbix_export": exported},
        Dumper=_Indented,
        allow_unicode=True,
        explicit_start=True,
        sort_keys=False,
        width=80,
    )
    return written


class _Indented(yaml.SafeDumper):  # type: ignore[misc]
    """Lists stand to the right of what they are of."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _items(language: str) -> Iterator[_Yaml]:
    published = {fact.name for fact in PUBLISHED}
    for fact in ALL:
        for of in fact.each:
            yield _item(fact, of, language, is_published=fact.name in published)


def _item(fact: Fact[Never], of: str, language: str, *, is_published: bool) -> _Yaml:
    item: _Yaml = {
        "uuid": _uuid(fact.key(of)),
        "name": fact.title(of).say(language),
        "type": "TRAP",
        "key": fact.key(of),
    }
    if is_published:
        item |= {"history": "365d", "trends": "3650d"}
    if fact.type is Type.WORDS:
        item |= {"trends": "0", "value_type": "CHAR"}
    elif not fact.unit.is_whole:
        item["value_type"] = "FLOAT"
    if fact.unit.shown:
        item["units"] = fact.unit.shown
    item["description"] = fact.told.say(language)
    if fact.name == _PROBLEM:
        item["valuemap"] = {"name": _YES_NO.say(language)}
    return item


def _dashboard(language: str) -> _Yaml:
    facts = {fact.name: fact for fact in ALL}
    widgets = []
    for number, name in enumerate(_GRAPHS):
        fact = facts[name]
        widgets.append(
            {
                "type": "svggraph",
                "name": fact.what.say(language),
                "x": str(number % 2 * _COLUMN),
                "y": str(number // 2 * _ROW),
                "width": str(_COLUMN),
                "height": str(_ROW),
                "fields": list(_graph(fact, chr(ord("A") + number))),
            }
        )
    return {
        "uuid": _uuid("dashboard"),
        "name": "Consometers",
        "pages": [{"widgets": widgets}],
    }


def _graph(fact: Fact[Never], letter: str) -> Iterator[_Yaml]:
    others = iter(_OTHER_COLOURS)
    for line, of in enumerate(fact.each):
        colour = _COLOURS.get(of) or next(others)
        yield {"type": "STRING", "name": f"ds.{line}.color.0", "value": colour}
        yield {"type": "INTEGER", "name": f"ds.{line}.dataset_type", "value": "0"}
        item = {"host": TEMPLATE, "key": fact.key(of)}
        yield {"type": "ITEM", "name": f"ds.{line}.itemids.0", "value": item}
    yield {"type": "STRING", "name": "reference", "value": f"GRAF{letter}"}
    yield {"type": "INTEGER", "name": "righty", "value": "0"}


def _uuid(name: str) -> str:
    digest = sha256(f"consometers zabbix {name}".encode()).digest()
    return UUID(bytes=digest[:16], version=4).hex


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for tag in LANGUAGES:
        (FOLDER / f"consometers.{tag}.yaml").write_text(template(tag))
