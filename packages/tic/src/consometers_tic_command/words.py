"""What the reader says, in the two languages of its users."""

from collections.abc import Mapping
from enum import StrEnum

from consometers_tic import Label


class Language(StrEnum):
    """A language that the reader speaks."""

    ENGLISH = "en"
    FRENCH = "fr"

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Language:
        """Return the language of the locale that these variables set."""
        names = ("LC_ALL", "LC_MESSAGES", "LANG")
        locale = next((value for name in names if (value := environment.get(name))), "")
        return cls.FRENCH if locale.lower().startswith("fr") else cls.ENGLISH


def meaning(label: Label, language: Language) -> str:
    """Return what a label stands for."""
    return label.meaning_fr if language is Language.FRENCH else label.meaning


def say(key: str, language: Language, **facts: object) -> str:
    """Return a sentence or a word, with its facts put in."""
    english, french = _WORDS[key]
    return (french if language is Language.FRENCH else english).format(**facts)


_WORDS = {
    "description": (
        "Reads what a meter says on its customer output (TIC) and shows it.",
        "Lit et affiche ce que dit un compteur sur sa sortie client (TIC).",
    ),
    "source": (
        (
            "a file, - for standard input, a serial port (/dev/…), or a serial URL:"
            " socket://host:port, rfc2217://host:port, esphome://host…"
        ),
        (
            "un fichier, - pour l’entrée standard, un port série (/dev/…) ou une URL série :"
            " socket://hôte:port, rfc2217://hôte:port, esphome://hôte…"
        ),
    ),
    "mode": (
        "the meter's mode; auto finds it, and the speed of the port too (default: %(default)s)",
        (
            "le mode du compteur ; auto le trouve, ainsi que la vitesse du port"
            " (par défaut : %(default)s)"
        ),
    ),
    "json": (
        "print a JSON object a line: each frame, whole or cut, and last a summary",
        "écrire un objet JSON par ligne : chaque trame, entière ou coupée, puis un résumé",
    ),
    "epilog": (
        (
            "The JSON holds everything as it was sent: the meter's address and the delivery point"
            " number too, which are personal data. A frame has at least one good group."
            " Exit status: 0 if there was a frame, 1 if not, 2 if the source cannot be read."
        ),
        (
            "Le JSON contient tout ce qui a été envoyé, y compris l’adresse du compteur et le"
            " numéro du point de livraison, qui sont des données personnelles. Une trame a au moins"
            " un groupe juste. Code de retour : 0 s’il y a eu une trame, 1 sinon, 2 si la source"
            " est illisible."
        ),
    ),
    "no_extra": (
        "tic needs {module}: install consometers-tic[command].",
        "tic a besoin de {module} : installez consometers-tic[command].",
    ),
    "no_such_file": (
        "There is no {source}. Serial ports are in /dev, best taken from /dev/serial/by-id.",
        "{source} n’existe pas. Les ports série sont dans /dev, de préférence /dev/serial/by-id.",
    ),
    "no_such_port": (
        "There is no port {source}: is the dongle plugged in, is the name or the address right?",
        "Le port {source} n’existe pas : le dongle est-il branché, le nom ou l’adresse juste ?",
    ),
    "a_folder": ("{source} is a folder.", "{source} est un dossier."),
    "port_busy": (
        "Another program has {source} open: Home Assistant? Close it there first.",
        "Un autre programme utilise {source} : Home Assistant ? Fermez-le d’abord.",
    ),
    "not_allowed": (
        (
            "You may not read {source}. For a serial port, add yourself to the dialout group:"
            " sudo usermod -aG dialout $USER, then log in again."
        ),
        (
            "Vous n’avez pas le droit de lire {source}. Pour un port série, ajoutez-vous au groupe"
            " dialout : sudo usermod -aG dialout $USER, puis reconnectez-vous."
        ),
    ),
    "cannot_open": (
        "{source} cannot be opened: {cause}",
        "{source} ne s’ouvre pas : {cause}",
    ),
    "link_lost": (
        "{source} is gone: the dongle was unplugged, or the other end closed the link.",
        "{source} a disparu : dongle débranché, ou liaison fermée par l’autre bout.",
    ),
    "nothing": (
        (
            "Nothing has come yet. Check the two wires on the meter's terminals I1 and I2"
            " (either way round), and that the dongle has its supply."
        ),
        (
            "Rien n’est encore arrivé. Vérifiez les deux fils sur les bornes I1 et I2 du compteur"
            " (sens indifférent), et l’alimentation du dongle."
        ),
    ),
    "noise": (
        (
            "Bytes come, but nothing that a meter says: another kind of dongle, another parity than"
            " 7E1, a bad contact, or the wrong mode."
        ),
        (
            "Des octets arrivent, mais rien de ce que dit un compteur : autre type de dongle, autre"
            " parité que 7E1, mauvais contact ou mauvais mode."
        ),
    ),
    "silent": (
        "The meter was heard, and nothing good has come since.",
        "Le compteur a été entendu, et plus rien de juste n’est arrivé depuis.",
    ),
    "no_frame": (
        "There is no frame of a meter in {source}.",
        "Il n’y a aucune trame de compteur dans {source}.",
    ),
    "label": ("label", "étiquette"),
    "value": ("value", "valeur"),
    "meaning": ("meaning", "sens"),
    "age": ("age", "âge"),
    "meter": ("meter", "compteur"),
    "1 phase": ("single-phase", "monophasé"),
    "3 phases": ("three-phase", "triphasé"),
    "baud": ("{baud} baud", "{baud} bauds"),
    "quality": (
        (
            "{bytes} bytes · {frames} frames, {correct} of them correct · {groups} groups"
            " · {resyncs} resyncs"
        ),
        (
            "{bytes} octets · {frames} trames, dont {correct} correctes · {groups} groupes"
            " · {resyncs} resynchronisations"
        ),
    ),
    "refused": ("refused: {reasons}", "refusés : {reasons}"),
    "none": ("none", "aucun"),
    "good": ("link good", "liaison bonne"),
    "bad": ("link bad", "liaison mauvaise"),
    "checksum": ("checksum", "somme de contrôle"),
    "length": ("length", "longueur"),
    "characters": ("characters", "caractères"),
    "unknown label": ("unknown label", "étiquette inconnue"),
    "duplicate": ("duplicate", "doublon"),
    "contact_open": ("contact open", "contact ouvert"),
    "cover_open": ("cover open", "capot ouvert"),
    "overvoltage": ("overvoltage", "surtension"),
    "over_reference_power": ("over subscribed power", "dépassement de puissance"),
    "producer": ("producer", "producteur"),
    "injecting": ("injecting", "injection"),
    "clock_degraded": ("clock degraded", "horloge dégradée"),
    "breaker_open": ("breaker open", "organe de coupure ouvert"),
}
