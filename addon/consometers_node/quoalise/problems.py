"""Everything that can be wrong with what a peer sends, once, in both languages.

A message says what is wrong and what to do. What was found stands in braces.
"""

from enum import Enum

from .text import Text, text


class Problem(Enum):
    """One way in which what was sent cannot be read."""

    # the document
    TOO_LARGE = text(
        "{found} bytes are too many: send at most {most}",
        "{found} octets, c’est trop : envoyez-en au plus {most}",
    )
    TOO_DEEP = text(
        "elements are nested too deeply: at most {most} levels",
        "les éléments sont trop imbriqués : {most} niveaux au plus",
    )
    NOT_UTF_8 = text(
        "this is not UTF-8: send UTF-8", "ce n’est pas de l’UTF-8 : envoyez de l’UTF-8"
    )
    DTD = text(
        "a document type (<!DOCTYPE) is refused: leave it out",
        "un type de document (<!DOCTYPE) est refusé : retirez-le",
    )
    NOT_XML = text("this is not XML ({found})", "ce n’est pas du XML ({found})")
    NOT_FOR_XML = text(
        "{found} is a character that XML cannot carry: leave it out",
        "{found} est un caractère que XML ne peut pas transporter : retirez-le",
    )

    # elements and attributes
    OTHER_ELEMENT = text(
        "<{found}> stands here: send <{wanted}>", "<{found}> se trouve ici : envoyez <{wanted}>"
    )
    NO_ELEMENT = text("<{wanted}> is missing: add it", "<{wanted}> manque : ajoutez-le")
    TWO_ELEMENTS = text(
        "there are several <{wanted}>: send one", "il y a plusieurs <{wanted}> : envoyez-en un seul"
    )
    NO_ATTRIBUTE = text("this attribute is missing: add it", "cet attribut manque : ajoutez-le")
    NO_TEXT = text("this is empty: fill it in", "c’est vide : remplissez-le")
    TOO_LONG = text(
        "{found} characters are too many: send at most {most}",
        "{found} caractères, c’est trop : envoyez-en au plus {most}",
    )
    TOO_MANY_ELEMENTS = text(
        "there are {found} of <{wanted}>: send at most {most}",
        "il y a {found} fois <{wanted}> : envoyez-en au plus {most}",
    )
    NOT_A_LANGUAGE = text(
        "“{found}” is not a language tag: send such as fr or en-GB",
        "« {found} » n’est pas une étiquette de langue : envoyez par exemple fr ou en-GB",
    )
    NOT_A_CHOICE = text(
        "“{found}” is not known here: send one of {wanted}",
        "« {found} » n’est pas connu ici : envoyez l’un de {wanted}",
    )

    # records
    TOO_MANY_RECORDS = text(
        "{found} records are too many: at most {most}; ask for a shorter range, then for the next",
        "{found} enregistrements, c’est trop : {most} au plus ; demandez une période plus courte,"
        " puis la suivante",
    )
    NO_NAME = text(
        "this record has no name: give it n, or a base name bn",
        "cet enregistrement n’a pas de nom : donnez-lui n, ou un nom de base bn",
    )
    NAME_CHARACTERS = text(
        "“{found}” is not a name: letters, digits and -:./_ alone, a letter or digit first, at most"
        " {most} characters",
        "« {found} » n’est pas un nom : seulement des lettres, des chiffres et -:./_, une lettre ou"
        " un chiffre d’abord, {most} caractères au plus",
    )
    NO_VALUE = text(
        "this record has no value: give it v, or leave it out (a missing value is missing)",
        "cet enregistrement n’a pas de valeur : donnez-lui v, ou retirez-le (ce qui manque manque)",
    )
    NOT_A_MEASURE = text(
        "a value that is text, true or false, or data is refused: send a number, v",
        "une valeur qui est un texte, vrai ou faux, ou des données est refusée : envoyez un"
        " nombre, v",
    )
    NOT_A_NUMBER = text(
        "“{found}” is not a finite number: send digits, or leave the record out",
        "« {found} » n’est pas un nombre fini : envoyez des chiffres, ou retirez l’enregistrement",
    )
    TOO_BIG = text(
        "{found} is too big: at most {most} either side of zero",
        "{found} est trop grand : au plus {most} de part et d’autre de zéro",
    )
    RELATIVE_TIME = text(
        "time {found} is relative to now: send seconds since 1970, UTC",
        "l’heure {found} est relative à maintenant : envoyez des secondes depuis 1970, UTC",
    )
    TOO_LATE = text(
        "time {found} is after the year 2099: send seconds (not milliseconds) since 1970, UTC",
        "l’heure {found} est après l’an 2099 : envoyez des secondes (et non des millisecondes)"
        " depuis 1970, UTC",
    )
    VERSION = text(
        "SenML version “{found}” is not read here: send version {most} or lower",
        "la version « {found} » de SenML n’est pas lue ici : envoyez la version {most} ou une plus"
        " ancienne",
    )
    OTHER_VERSION = text(
        "version {found} follows version {wanted}: send one version in one message",
        "la version {found} suit la version {wanted} : envoyez une seule version par message",
    )
    MUST_UNDERSTAND = text(
        "this field must be understood, and is not here: leave it out",
        "ce champ doit être compris, et ne l’est pas ici : retirez-le",
    )

    # identifiers, times, intervals
    NOT_A_DEVICE = text(
        "“{found}” names no device: send urn:dev: and a device, such as urn:dev:prm: and 14 digits",
        "« {found} » ne nomme aucun appareil : envoyez urn:dev: et un appareil, par exemple"
        " urn:dev:prm: et 14 chiffres",
    )
    NOT_A_PATH = text(
        "“{found}” is not the end of an identifier: send such as consumption/power/active/raw",
        "« {found} » n’est pas la fin d’un identifiant : envoyez par exemple"
        " consumption/power/active/raw",
    )
    NOT_AN_ADDRESS = text(
        "“{found}” is not a bare XMPP address: send name@server, without a resource",
        "« {found} » n’est pas une adresse XMPP nue : envoyez nom@serveur, sans ressource",
    )
    SHORT_SECRET = text(
        "a secret of {found} bytes is too short: make one of at least {most}",
        "un secret de {found} octets est trop court : faites-en un d’au moins {most}",
    )
    NOT_A_TIME = text(
        "“{found}” is not a time: send such as 2021-12-01T00:00:00+01:00",
        "« {found} » n’est pas une date et heure : envoyez par exemple 2021-12-01T00:00:00+01:00",
    )
    NO_OFFSET = text(
        "“{found}” does not say its offset from UTC: add it, such as +01:00 or Z",
        "« {found} » ne dit pas son décalage par rapport à UTC : ajoutez-le, par exemple +01:00"
        " ou Z",
    )
    OUT_OF_TIME = text(
        "“{found}” is before 1978-07-05 or after 2099: correct the year",
        "« {found} » est avant le 1978-07-05 ou après 2099 : corrigez l’année",
    )
    BACKWARDS = text(
        "the range ends ({found}) before it starts ({wanted}): exchange the two",
        "la période finit ({found}) avant de commencer ({wanted}) : échangez les deux",
    )
    NOT_A_DURATION = text(
        "“{found}” is not a duration in whole seconds: send such as PT30M, P1D or P2Y (ISO 8601)",
        "« {found} » n’est pas une durée en secondes entières : envoyez par exemple PT30M, P1D ou"
        " P2Y (ISO 8601)",
    )

    # data needs and permissions
    NOT_A_LINK = text(
        "“{found}” is not a link to a page: send one that begins with https://",
        "« {found} » n’est pas le lien d’une page : envoyez-en un qui commence par https://",
    )
    NOT_A_UUID = text(
        "“{found}” is not a UUID: send one in lower case, such as"
        " 123e4567-e89b-42d3-a456-426614174000",
        "« {found} » n’est pas un UUID : envoyez-en un en minuscules, par exemple"
        " 123e4567-e89b-42d3-a456-426614174000",
    )
    NOT_A_HASH = text(
        "“{found}” is not a SHA-256: send 64 hexadecimal digits, in lower case",
        "« {found} » n’est pas un SHA-256 : envoyez 64 chiffres hexadécimaux, en minuscules",
    )

    # commands and their forms
    NO_FIELD = text("this field is missing: fill it in", "ce champ manque : remplissez-le")
    TWO_FIELDS = text(
        "this field comes twice: send it once", "ce champ vient deux fois : envoyez-le une fois"
    )
    TWO_VALUES = text(
        "this field has {found} values: send one", "ce champ a {found} valeurs : envoyez-en une"
    )
    NOT_A_BOOLEAN = text(
        "“{found}” is neither true nor false: send true or false",
        "« {found} » n’est ni vrai ni faux : envoyez true ou false",
    )
    NOT_A_COUNT = text(
        "“{found}” is not a whole number from {least} on: send digits",
        "« {found} » n’est pas un nombre entier à partir de {least} : envoyez des chiffres",
    )

    @property
    def text(self) -> Text:
        """The words, with the names of what was found in braces."""
        words: Text = self.value
        return words
