"""The templates of deploy/zabbix."""

import json
import re
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from testing.checkout import ROOT

FOLDER: Final = ROOT / "deploy" / "zabbix"
LANGUAGES: Final = ("en", "fr")

type Yaml = dict[str, Any]


def exported(language: str) -> Yaml:
    text = (FOLDER / f"consometers.{language}.yaml").read_text()
    export: Yaml = yaml.safe_load(text)["zabbix_export"]
    return export


def template(language: str) -> Yaml:
    (template,) = exported(language)["templates"]
    assert isinstance(template, dict)
    return template


def table(name: str, language: str) -> dict[str, Any]:
    """Return a table of the script that names the items discovered."""
    (rule,) = template(language)["discovery_rules"]
    (script,) = rule["preprocessing"][1]["parameters"]
    (written,) = re.findall(rf"var {name} = (\{{.*?\}});", script, re.DOTALL)
    table_data: dict[str, Any] = json.loads(written)
    return table_data
