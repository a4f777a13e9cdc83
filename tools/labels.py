"""Writes docs/labels.md and docs/labels.fr.md from the catalogue: script/lib/run tools.labels."""

from collections.abc import Iterator
from pathlib import Path
import sys

from consometers_tic import CATALOGUE, Chars, Kind, Label, Mode

DOCS = Path(__file__).parents[1] / "docs"
FILES = {"en": DOCS / "labels.md", "fr": DOCS / "labels.fr.md"}

_TEXTS = {
    "en": {
        "title": "Every label of the TIC",
        "other": "*[En français](labels.fr.md).*",
        "intro": (
            "What a meter can send, in the order in which it does. [How we read it](tic.md) says"
            " what each behaviour means for what is believed. This page is written from the"
            " catalogue by `script/lib/run tools.labels`."
        ),
        "mode": "Mode",
        "head": "| label | meaning | unit | data | behaviour | sent |",
        "dated": "dated",
        "three_phase": "three-phase",
        "producer": "producer",
        "pilot": "pilot meters, for `{}`",
        "empty": "none",
    },
    "fr": {
        "title": "Toutes les étiquettes de la TIC",
        "other": "*[In English](labels.md).*",
        "intro": (
            "Ce qu’un compteur peut envoyer, dans l’ordre où il le fait. Cette page est écrite"
            " d’après le catalogue par `script/lib/run tools.labels`."
        ),
        "mode": "Mode",
        "head": "| étiquette | sens | unité | donnée | comportement | envoyée |",
        "dated": "horodatée",
        "three_phase": "triphasé",
        "producer": "producteur",
        "pilot": "compteurs pilotes, pour `{}`",
        "empty": "aucune",
    },
}
_CHARS = {
    Chars.DIGITS: ("digits", "chiffres"),
    Chars.HEX: ("hexadecimal digits", "chiffres hexadécimaux"),
    Chars.CODE: ("letters", "lettres"),
    Chars.SCHEDULE: ("characters, 11 blocks", "caractères, 11 blocs"),
    Chars.TEXT: ("characters", "caractères"),
}
_KINDS = {
    Kind.REGISTER: ("register", "index"),
    Kind.MEASURE: ("measure", "mesure"),
    Kind.STEADY: ("steady", "stable"),
    Kind.MAXIMUM: ("maximum", "maximum"),
    Kind.CLOCK: ("clock", "horloge"),
    Kind.ONCE: ("sent once", "envoyée une fois"),
}


def page(language: str) -> str:
    """Return the whole page in a language, en or fr."""
    return "\n".join(_lines(language)) + "\n"


def _lines(language: str) -> Iterator[str]:
    texts = _TEXTS[language]
    yield f"# {texts['title']}"
    yield ""
    yield texts["other"]
    yield ""
    yield texts["intro"]
    for mode in (Mode.STANDARD, Mode.HISTORIQUE):
        yield ""
        yield f"## {texts['mode']} {mode}"
        yield texts["head"]
        yield "|---|---|---|---|---|---|"
        for label in CATALOGUE[mode].values():
            yield f"| {' | '.join(_cells(label, language))} |"


def _cells(label: Label, language: str) -> Iterator[str]:
    texts, nth = _TEXTS[language], 0 if language == "en" else 1
    yield f"`{label.name}`"
    yield (label.meaning, label.meaning_fr)[nth]
    yield label.unit or ""
    chars = _CHARS[label.chars][nth]
    word = chars.removesuffix("s") if label.length == 1 else chars
    data = f"{label.length} {word}" if label.length else texts["empty"]
    yield f"{data}, {texts['dated']}" if label.horodated else data
    yield _KINDS[label.kind][nth]
    marks = [texts[mark] for mark in ("three_phase", "producer") if getattr(label, mark)]
    if label.same_as is not None:
        marks.append(texts["pilot"].format(label.same_as))
    yield ", ".join(marks)


def main() -> int:
    """Write both pages."""
    for language, file in FILES.items():
        file.write_text(page(language), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
