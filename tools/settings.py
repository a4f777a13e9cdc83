"""Writes docs/settings.md and docs/settings.fr.md: script/lib/run tools.settings."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
import sys

from consometers_node.collective.settings import KEYS
from consometers_node.settings_file.file import default_of
from consometers_node.settings_file.schema import Key

DOCS = Path(__file__).parents[1] / "docs"
FILES = {"en": DOCS / "settings.md", "fr": DOCS / "settings.fr.md"}

_INTROS = {
    "en": """\
# Every setting of a collective

*[En français](settings.fr.md).*

The keys of [`collective.toml`](collective.md#init), in its order. Each one is also an environment
variable, which overrides the file: `xmpp.port` is `CONSOMETERS_XMPP_PORT`.
`consometers-node init --set xmpp.port=5223` writes one.
This page is written from the program by `script/lib/run tools.settings`.
""",
    "fr": """\
# Tous les réglages d’un collectif

*[In English](settings.md).*

Les clés de [`collective.toml`](collective.fr.md#init), dans leur ordre. Chacune est aussi une
variable d’environnement, qui l’emporte sur le fichier : `xmpp.port` est `CONSOMETERS_XMPP_PORT`.
`consometers-node init --set xmpp.port=5223` en écrit une.
Cette page est écrite d’après le programme par `script/lib/run tools.settings`.
""",
}
_HEADS = {
    "en": "| key | what it is for | value | default |",
    "fr": "| clé | à quoi elle sert | valeur | par défaut |",
}
_REQUIRED = {"en": "required", "fr": "obligatoire"}


def page(language: str) -> str:
    """Return the whole page in a language, en or fr."""
    return "\n".join((_INTROS[language], *_lines(language))) + "\n"


def _lines(language: str) -> Iterator[str]:
    for section, keys in groupby(KEYS.values(), lambda key: key.section):
        if section:
            yield f"\n## {section}"
        yield _HEADS[language]
        yield "|---|---|---|---|"
        for key in keys:
            yield f"| {' | '.join(_cells(key, language))} |"


def _cells(key: Key, language: str) -> Iterator[str]:
    yield f"`{key.name}`"
    yield key.what.say(language)
    yield key.format.sentence.say(language)
    default = default_of(key)
    if key.required:
        yield _REQUIRED[language]
    else:
        yield f"`{default}`" if default else ""


def main() -> int:
    """Write both pages."""
    for language, file in FILES.items():
        file.write_text(page(language), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
