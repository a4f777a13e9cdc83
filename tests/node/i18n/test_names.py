"""Names inside a sentence."""

import pytest

from consometers_node.i18n.names import of_name


@pytest.mark.parametrize(
    ("name", "french"),
    [
        ("École de Kerlann", "de l’École de Kerlann"),
        ("école élémentaire", "de l’école élémentaire"),
        ("Mairie", "de la Mairie"),
        ("Gymnase municipal", "du Gymnase municipal"),
        ("Hôtel de ville", "de l’Hôtel de ville"),
        ("Ateliers municipaux", "des Ateliers municipaux"),
        ("Les Toits solaires", "des Toits solaires"),
        ("Le Palais", "du Palais"),
        ("La Gacilly", "de La Gacilly"),
        ("Lesneven", "de Lesneven"),
        ("L’Élan solaire", "de L’Élan solaire"),
        ("Auray", "d’Auray"),
        ("Lorient", "de Lorient"),
        ("Yerres", "de Yerres"),
        ("", "de "),
    ],
)
def test_french_contracts_de_with_an_article(name: str, french: str) -> None:
    assert of_name(name).say("fr") == french
    assert of_name(name).say("en") == f"of {name}"
