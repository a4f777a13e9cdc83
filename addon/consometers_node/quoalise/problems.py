"""Every possible error in a peer's message, once, in both languages.

A message says what is wrong and what to do. What was found stands in braces.
"""

from enum import Enum

from ..i18n.text import Text, text


class Problem(Enum):
    """A reason why a message cannot be read."""

    # the document
    TOO_LARGE = text("{found} bytes are too many: send at most {most}")
    TOO_DEEP = text("elements are nested too deeply: at most {most} levels")
    NOT_UTF_8 = text("this is not UTF-8: send UTF-8")
    DTD = text("a document type (<!DOCTYPE) is refused: leave it out")
    NOT_XML = text("this is not XML ({found})")
    NOT_FOR_XML = text("{found} is a character that XML cannot carry: leave it out")

    # elements and attributes
    OTHER_ELEMENT = text("Unexpected <{found}>: send <{wanted}>")
    NO_ELEMENT = text("<{wanted}> is missing: add it")
    TWO_ELEMENTS = text("there are several <{wanted}>: send one")
    NO_ATTRIBUTE = text("this attribute is missing: add it")
    NO_TEXT = text("this is empty: fill it in")
    TOO_LONG = text("{found} characters are too many: send at most {most}")
    TOO_MANY_ELEMENTS = text("there are {found} of <{wanted}>: send at most {most}")
    NOT_A_LANGUAGE = text("“{found}” is not a language tag: send such as fr or en-GB")
    NOT_A_CHOICE = text("“{found}” is not known here: send one of {wanted}")

    # records
    TOO_MANY_RECORDS = text(
        "{found} records are too many: at most {most}; ask for a shorter range, then for the next"
    )
    NO_NAME = text("this record has no name: give it n, or a base name bn")
    NAME_CHARACTERS = text(
        "“{found}” is not a name: letters, digits and -:./_ alone, a letter or digit first, at most"
        " {most} characters"
    )
    NO_VALUE = text(
        "this record has no value: give it v, or leave it out (a missing value is missing)"
    )
    NOT_A_MEASURE = text("values must be numbers, not text, booleans or data: send v")
    NOT_A_NUMBER = text("“{found}” is not a finite number: send digits, or leave the record out")
    TOO_BIG = text("{found} is too big: at most {most} either side of zero")
    RELATIVE_TIME = text("time {found} is relative to now: send seconds since 1970, UTC")
    TOO_LATE = text(
        "time {found} is after the year 2099: send seconds (not milliseconds) since 1970, UTC"
    )
    VERSION = text("SenML version “{found}” is not supported: send version {most} or lower")
    OTHER_VERSION = text(
        "version {found} follows version {wanted}: send one version in one message"
    )
    MUST_UNDERSTAND = text("this field must be understood, and is not here: leave it out")

    # identifiers, times, intervals
    NOT_A_DEVICE = text(
        "“{found}” names no device: send urn:dev: and a device, such as urn:dev:prm: and 14 digits"
    )
    NOT_A_PATH = text(
        "“{found}” is not the end of an identifier: send such as consumption/power/active/raw"
    )
    NOT_AN_ADDRESS = text(
        "“{found}” is not a bare XMPP address: send name@server, without a resource"
    )
    SHORT_SECRET = text("a secret of {found} bytes is too short: use at least {most}")
    NOT_A_TIME = text("“{found}” is not a time: send such as 2021-12-01T00:00:00+01:00")
    NO_OFFSET = text("“{found}” does not say its offset from UTC: add it, such as +01:00 or Z")
    OUT_OF_TIME = text("“{found}” is before 1978-07-05 or after 2099: correct the year")
    BACKWARDS = text("the range ends ({found}) before it starts ({wanted}): exchange the two")
    NOT_A_PRICE = text("“{found}” is not a price: send euro cents, such as 12.5")
    NOT_A_CHANGE = text("“{found}” is not a change in percent: send such as -12.5")
    NOT_A_DURATION = text(
        "“{found}” is not a duration in whole seconds: send such as PT30M, P1D or P2Y (ISO 8601)"
    )

    # data needs and permissions
    NOT_A_LINK = text("“{found}” is not a link to a page: send one that begins with https://")
    NOT_A_UUID = text(
        "“{found}” is not a UUID: send one in lower case, such as"
        " 123e4567-e89b-42d3-a456-426614174000"
    )
    NOT_BASE64 = text("this is not base64: send it in groups of four characters (RFC 4648 §4)")
    NOT_A_HASH = text("“{found}” is not a SHA-256: send 64 hexadecimal digits, in lower case")

    # protected sums
    NOT_A_DAY = text("“{found}” is not a day: send such as 2026-11-29")
    NOT_AN_HOUR = text("“{found}” is not the start of an hour in UTC: send a whole hour")
    NOT_HEXADECIMAL = text("“{found}” is not a number: send {wanted} hexadecimal digits")
    NOT_ROWS = text("{found} bytes are no whole number of entries: each has {wanted} bytes")
    TOO_MANY_ROWS = text("{found} entries are too many: send at most {most}")
    OUT_OF_ORDER = text("{found} comes after a later hour, or twice: send each hour once, in order")
    WRONG_WITNESS = text(
        "a data request has a witness where its reading is “sum”, and only there: correct one of"
        " the two"
    )

    # commands and their forms
    NO_FIELD = text("this field is missing: fill it in")
    TWO_FIELDS = text("this field is repeated: send it once")
    TWO_VALUES = text("this field has {found} values: send one")
    NOT_A_BOOLEAN = text("“{found}” is neither true nor false: send true or false")
    NOT_A_COUNT = text("“{found}” is not a whole number from {least} on: send digits")
    NOT_A_SUBSCRIPTION = text(
        "“{found}” is not a subscribed power: send whole kVA, from {least} to {most}"
    )

    @property
    def text(self) -> Text:
        """The words, with the names of what was found in braces."""
        words: Text = self.value
        return words
