"""Every possible error in a peer's message, once, as a code."""

from enum import StrEnum


class Problem(StrEnum):
    """A reason why a message cannot be read; a sentence for it has details such as `found`."""

    # the document
    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"
    NOT_UTF_8 = "not-utf-8"
    DTD = "dtd"
    NOT_XML = "not-xml"
    NOT_FOR_XML = "not-for-xml"

    # elements and attributes
    OTHER_ELEMENT = "other-element"
    NO_ELEMENT = "no-element"
    TWO_ELEMENTS = "two-elements"
    NO_ATTRIBUTE = "no-attribute"
    NO_TEXT = "no-text"
    TOO_LONG = "too-long"
    TOO_MANY_ELEMENTS = "too-many-elements"
    NOT_A_LANGUAGE = "not-a-language"
    NOT_A_CHOICE = "not-a-choice"

    # records
    TOO_MANY_RECORDS = "too-many-records"
    NO_NAME = "no-name"
    NAME_CHARACTERS = "name-characters"
    NO_VALUE = "no-value"
    NOT_A_MEASURE = "not-a-measure"
    NOT_A_NUMBER = "not-a-number"
    TOO_BIG = "too-big"
    RELATIVE_TIME = "relative-time"
    TOO_LATE = "too-late"
    VERSION = "version"
    OTHER_VERSION = "other-version"
    MUST_UNDERSTAND = "must-understand"

    # identifiers, times, intervals
    NOT_A_DEVICE = "not-a-device"
    NOT_A_PATH = "not-a-path"
    NOT_A_BARE_ADDRESS = "not-a-bare-address"
    SHORT_SECRET = "short-secret"  # noqa: S105
    NOT_A_TIME = "not-a-time"
    NO_OFFSET = "no-offset"
    OUT_OF_TIME = "out-of-time"
    BACKWARDS = "backwards"
    NOT_A_PRICE = "not-a-price"
    NOT_A_CHANGE = "not-a-change"
    NOT_A_DURATION = "not-a-duration"

    # data needs and permissions
    NOT_A_LINK = "not-a-link"
    NOT_A_UUID = "not-a-uuid"
    NOT_BASE64 = "not-base64"
    NOT_A_HASH = "not-a-hash"

    # protected sums
    NOT_A_DAY = "not-a-day"
    NOT_AN_HOUR = "not-an-hour"
    NOT_HEXADECIMAL = "not-hexadecimal"
    NOT_ROWS = "not-rows"
    TOO_MANY_ROWS = "too-many-rows"
    OUT_OF_ORDER = "out-of-order"
    WRONG_WITNESS = "wrong-witness"

    # commands and their forms
    NO_FIELD = "no-field"
    TWO_FIELDS = "two-fields"
    TWO_VALUES = "two-values"
    NOT_A_BOOLEAN = "not-a-boolean"
    NOT_A_COUNT = "not-a-count"
    NOT_A_GROUP = "not-a-group"
    NOT_A_SUBSCRIPTION = "not-a-subscription"
