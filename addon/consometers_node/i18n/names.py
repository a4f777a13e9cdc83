"""Names of buildings, communes and collectives inside a sentence.

French contracts “de” with an article, and a common noun takes one: de l’École de Kerlann, du
Gymnase municipal, des Toits solaires, d’Auray, de Lorient.
"""

import re
import unicodedata

from .text import Text

_FEMININE = re.compile(
    "association|bibliothèque|commune|communauté|coopérative|crèche|école|ferme|halle|mairie"
    "|maison|médiathèque|piscine|résidence|salle|ville"
)
_MASCULINE = re.compile(
    "atelier|centre|collectif|collège|complexe|dojo|ehpad|foyer|groupe|gymnase|hôtel|lycée|musée"
    "|pôle|stade|syndicat|théâtre|village"
)
_PLURAL = re.compile("ateliers|bureaux|services|tennis")
_ARTICLE = re.compile(r"(Les?) (?=\S)")
_CONTRACTED = {"Le": "du", "Les": "des"}


def of_name(name: str) -> Text:
    """Return “of” with a name after it."""
    return Text({"en": f"of {name}", "fr": _in_french(name)})


def _in_french(name: str) -> str:
    if article := _ARTICLE.match(name):
        return f"{_CONTRACTED[article[1]]} {name[article.end() :]}"
    noun = re.split(r"\W", name, maxsplit=1)[0].casefold()
    if _PLURAL.fullmatch(noun):
        return f"des {name}"
    is_feminine = _FEMININE.fullmatch(noun)
    if is_feminine or _MASCULINE.fullmatch(noun):
        if _begins_with_vowel(name) or noun == "hôtel":
            return f"de l’{name}"
        return f"de la {name}" if is_feminine else f"du {name}"
    return f"d’{name}" if _begins_with_vowel(name) else f"de {name}"


def _begins_with_vowel(name: str) -> bool:
    return unicodedata.normalize("NFD", name[:1]).casefold()[:1] in {*"aeiouœæ"}
