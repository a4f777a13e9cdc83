"""The protocol's codes in our words: errors, what is logged, commands and their forms."""

from collections.abc import Mapping
from typing import Final, override

from consometers_quoalise import (
    Code,
    Event,
    Malformed,
    Node,
    Notice,
    Problem,
    ProtocolError,
    QuoaliseError,
    Role,
    UpstreamError,
)
from consometers_quoalise.commands import Var
from consometers_quoalise.words import Words

from .text import Text, TranslatedError, around, text

SENTENCES: Final[Mapping[str, Text]] = {
    # why a message cannot be read: what is wrong, and what to do
    Problem.TOO_LARGE: text("{found} bytes are too many: send at most {most}"),
    Problem.TOO_DEEP: text("elements are nested too deeply: at most {most} levels"),
    Problem.NOT_UTF_8: text("this is not UTF-8: send UTF-8"),
    Problem.DTD: text("a document type (<!DOCTYPE) is refused: leave it out"),
    Problem.NOT_XML: text("this is not XML ({found})"),
    Problem.NOT_FOR_XML: text("{found} is a character that XML cannot carry: leave it out"),
    Problem.OTHER_ELEMENT: text("Unexpected <{found}>: send <{wanted}>"),
    Problem.NO_ELEMENT: text("<{wanted}> is missing: add it"),
    Problem.TWO_ELEMENTS: text("there are several <{wanted}>: send one"),
    Problem.NO_ATTRIBUTE: text("this attribute is missing: add it"),
    Problem.NO_TEXT: text("this is empty: fill it in"),
    Problem.TOO_LONG: text("{found} characters are too many: send at most {most}"),
    Problem.TOO_MANY_ELEMENTS: text("there are {found} of <{wanted}>: send at most {most}"),
    Problem.NOT_A_LANGUAGE: text("“{found}” is not a language tag: send such as fr or en-GB"),
    Problem.NOT_A_CHOICE: text("“{found}” is not known here: send one of {wanted}"),
    Problem.TOO_MANY_RECORDS: text(
        "{found} records are too many: at most {most}; ask for a shorter range, then for the next"
    ),
    Problem.NO_NAME: text("this record has no name: give it n, or a base name bn"),
    Problem.NAME_CHARACTERS: text(
        "“{found}” is not a name: letters, digits and -:./_ alone, a letter or digit first, at most"
        " {most} characters"
    ),
    Problem.NO_VALUE: text(
        "this record has no value: give it v, or leave it out (a missing value is missing)"
    ),
    Problem.NOT_A_MEASURE: text("values must be numbers, not text, booleans or data: send v"),
    Problem.NOT_A_NUMBER: text(
        "“{found}” is not a finite number: send digits, or leave the record out"
    ),
    Problem.TOO_BIG: text("{found} is too big: at most {most} either side of zero"),
    Problem.RELATIVE_TIME: text("time {found} is relative to now: send seconds since 1970, UTC"),
    Problem.TOO_LATE: text(
        "time {found} is after the year 2099: send seconds (not milliseconds) since 1970, UTC"
    ),
    Problem.VERSION: text("SenML version “{found}” is not supported: send version {most} or lower"),
    Problem.OTHER_VERSION: text(
        "version {found} follows version {wanted}: send one version in one message"
    ),
    Problem.MUST_UNDERSTAND: text("this field must be understood, and is not here: leave it out"),
    Problem.NOT_A_DEVICE: text(
        "“{found}” names no device: send urn:dev: and a device, such as urn:dev:prm: and 14 digits"
    ),
    Problem.NOT_A_PATH: text(
        "“{found}” is not the end of an identifier: send such as consumption/power/active/raw"
    ),
    Problem.NOT_A_BARE_ADDRESS: text(
        "“{found}” is not a bare XMPP address: send name@server, without a resource"
    ),
    Problem.SHORT_SECRET: text("a secret of {found} bytes is too short: use at least {most}"),
    Problem.NOT_A_TIME: text("“{found}” is not a time: send such as 2021-12-01T00:00:00+01:00"),
    Problem.NO_OFFSET: text(
        "“{found}” does not say its offset from UTC: add it, such as +01:00 or Z"
    ),
    Problem.OUT_OF_TIME: text("“{found}” is before 1978-07-05 or after 2099: correct the year"),
    Problem.BACKWARDS: text(
        "the range ends ({found}) before it starts ({wanted}): exchange the two"
    ),
    Problem.NOT_A_PRICE: text("“{found}” is not a price: send euro cents, such as 12.5"),
    Problem.NOT_A_CHANGE: text("“{found}” is not a change in percent: send such as -12.5"),
    Problem.NOT_A_DURATION: text(
        "“{found}” is not a duration in whole seconds: send such as PT30M, P1D or P2Y (ISO 8601)"
    ),
    Problem.NOT_A_LINK: text(
        "“{found}” is not a link to a page: send one that begins with https://"
    ),
    Problem.NOT_A_UUID: text(
        "“{found}” is not a UUID: send one in lower case, such as"
        " 123e4567-e89b-42d3-a456-426614174000"
    ),
    Problem.NOT_BASE64: text(
        "this is not base64: send it in groups of four characters (RFC 4648 §4)"
    ),
    Problem.NOT_A_HASH: text(
        "“{found}” is not a SHA-256: send 64 hexadecimal digits, in lower case"
    ),
    Problem.NOT_A_DAY: text("“{found}” is not a day: send such as 2026-11-29"),
    Problem.NOT_AN_HOUR: text("“{found}” is not the start of an hour in UTC: send a whole hour"),
    Problem.NOT_HEXADECIMAL: text("“{found}” is not a number: send {wanted} hexadecimal digits"),
    Problem.NOT_ROWS: text("{found} bytes are no whole number of entries: each has {wanted} bytes"),
    Problem.TOO_MANY_ROWS: text("{found} entries are too many: send at most {most}"),
    Problem.OUT_OF_ORDER: text(
        "{found} comes after a later hour, or twice: send each hour once, in order"
    ),
    Problem.WRONG_WITNESS: text(
        "a data request has a witness where its reading is “sum”, and only there: correct one of"
        " the two"
    ),
    Problem.NO_FIELD: text("this field is missing: fill it in"),
    Problem.TWO_FIELDS: text("this field is repeated: send it once"),
    Problem.TWO_VALUES: text("this field has {found} values: send one"),
    Problem.NOT_A_BOOLEAN: text("“{found}” is neither true nor false: send true or false"),
    Problem.NOT_A_COUNT: text("“{found}” is not a whole number from {least} on: send digits"),
    Problem.NOT_A_GROUP: text(
        "“{found}” is not a group: send at most 12 digits, without leading zeros"
    ),
    Problem.NOT_A_SUBSCRIPTION: text(
        "“{found}” is not a subscribed power: send whole kVA, from {least} to {most}"
    ),
    # other refusals
    Code.UNDEFINED: text("An error occurred."),
    Code.NOT_AUTHORIZED: text("There is no permission to read this: ask for it, or ask for less."),
    Code.ITEM_NOT_FOUND: text("There is no such series: request the list of series."),
    Code.RESOURCE_CONSTRAINT: text("Too many requests: wait a minute, then try again."),
    Code.BAD_REQUEST: text("This is not readable."),
    Code.UPSTREAM: text("The source of the data refused."),
    Code.OTHER: text("The peer answered {condition}."),
    Code.NO_SUCH_COMMAND: text("Unknown command: request the list of commands."),
    Code.ANSWER_TOO_LARGE: text(
        "The answer is too large: ask for a shorter range, then for the next."
    ),
    Code.NODE_FAULT: text("This node failed to answer: ask again later."),
    Code.NOT_EXPECTED: text("No permission covers this message (any more): it was not stored."),
    Code.TOO_COMPLEX: text(
        "This stanza is larger or more complex than this node reads: send less at a time, with"
        " fewer and shorter names."
    ),
    # errors of the network: what happened, and what to do
    "unreachable": text(
        "The server {host} cannot be reached ({why}). The node will try again: check the network"
        " and the address."
    ),
    "interrupted": text(
        "The server {host} closed the connection ({why}). The node will try again."
    ),
    "certificate-refused": text(
        "The server {host} does not prove its identity ({why}). For a private server, give the"
        " file of its certificate authority; otherwise warn its operator."
    ),
    "not-encrypted": text(
        "The server {host} offers no encryption: nothing was sent. Choose another server."
    ),
    "temporary-failure": text(
        "The server {host} accepts no login at the moment. The node will try again."
    ),
    "wrong-password": text(
        "The server refuses the address {jid} with this password: correct one of them."
    ),
    "account-disabled": text("The account {jid} is closed: ask the operator of the server."),
    "no-login": text(
        "The server {host} offers no login that protects the password (SCRAM). Choose another"
        " server."
    ),
    "taken-over": text(
        "Another program now uses the address {jid}: stop one of them, then start this one again."
    ),
    "invitation-refused": text(
        "The invitation is used up, expired or not of {host}: ask for a new one."
    ),
    "account-taken": text("The address {jid} is taken: choose another name."),
    "registration-refused": text("The server {host} creates no account ({why}): ask its operator."),
    "no-answer": text("{peer} did not answer. Try again later."),
    "not-acknowledged": text("{peer} has not acknowledged this: send it again."),
    "not-alink": text(
        "This is not an invitation: it must begin with xmpp: and contain ?register;preauth= or"
        " ?consometers-join;token="
    ),
    "not-an-address": text("“{found}” is not an XMPP address: write name@server."),
    # what is logged
    Event.ANSWER_POSTPONED: text("A request could not be answered now."),
    Event.ANSWER_LATE: text("A request could not be answered within {seconds} s."),
    Event.ANSWER_FAILED: text("A request of a peer could not be answered."),
    Event.RECORDS_OUTSIDE: text("Records outside of the requested range are dropped: {count}."),
    Event.RECORDS_UNSTORED: text("Records that a peer sent could not be stored."),
    Event.RECEIPT_UNSTORED: text("A receipt could not be stored."),
    # a stanza that was not read
    "stanza-bytes": text("A stanza with too many bytes was not read."),
    "stanza-elements": text("A stanza with too many elements was not read."),
    "stanza-children": text("A stanza with too many children of an element was not read."),
    "stanza-levels": text("A stanza with too many levels was not read."),
    "stanza-attributes": text("A stanza with too many attributes was not read."),
    "stanza-name": text("A stanza with too many characters in a name was not read."),
    "stanza-namespaces": text("A stanza with too many namespaces was not read."),
    "stanza-prefix": text("A stanza with prefixes without a namespace was not read."),
}
"""By code. Details of an error, or of a notice, stand in braces."""

ROLES: Final[Mapping[Role | None, Text]] = {
    Role.HOUSEHOLD: text("Consometers: a home"),
    Role.COLLECTIVE: text("Consometers: a collective"),
    None: text("Consometers: a reader"),
}

TITLES: Final[Mapping[Node, Text]] = {
    Node.GET_HISTORY: text("Get history"),
    Node.SUBSCRIBE: text("Subscribe to new records"),
    Node.UNSUBSCRIBE: text("Unsubscribe from new records"),
    Node.LIST_SERIES: text("List the series"),
    Node.GET_DATA_NEEDS: text("What this collective asks for, and why"),
    Node.GRANT: text("Grant a permission"),
    Node.WITHDRAW: text("Withdraw a permission"),
    Node.TERMINATE: text("Return a permission"),
    Node.GET_EXPORT: text("Get all that this collective holds about you"),
    Node.VERIFY_REPORTS: text("Verify masked reports, as their witness"),
    Node.OPEN_SUMS: text("Open sums of masked reports, as their witness"),
    Node.SEND_LETTER: text("Send a message to the household"),
}
"""Of commands."""

LABELS: Final[Mapping[str, Text]] = {
    Var.IDENTIFIER: text("Identifier of the series"),
    Var.START: text("From", context="start of what is asked"),
    Var.END: text("End, excluded"),
    Var.PERMISSION: text("Number of the permission"),
    Var.ERASE: text("Erase the received data"),
    Var.PART: text("Number of the part"),
}
"""Of the fields of commands."""

DESCRIPTIONS: Final[Mapping[str, Text]] = {
    Var.IDENTIFIER: text("Such as urn:dev:prm:30001610071843_consumption/power/active/raw"),
    Var.START: text(
        "ISO 8601 with offset, such as 2021-12-01T00:00:00+01:00. Empty: 24 hours before the end"
    ),
    Var.END: text("ISO 8601 with offset, such as 2021-12-05T00:00:00+01:00. Empty: now"),
    Var.PART: text("1, then the next, until all parts have come"),
}

COLUMNS: Final[Mapping[str, Text]] = {
    "identifier": text("Identifier"),
    "interval": text("Resolution"),
    "unit": text("Unit"),
    "first": text("First record", context="field of an answer"),
    "last": text("Last record", context="field of an answer"),
    "device": text("Device"),
    "name": text("Name"),
    "shares": text("Your shares"),
    "total_shares": text("Shares in all"),
    "local_price": text("Price between members (c€/kWh)"),
    "grid_price": text("Price from the grid (c€/kWh)"),
    "challenge_fr": text("Challenge, in French"),
    "challenge_en": text("Challenge, in English"),
    "challenge_from": text("First day"),
    "challenge_to": text("Last day"),
    "objective": text("Objective (% less)"),
    "participant": text("Participant"),
    "participants": text("Participants"),
    "change": text("Change (%)"),
    "change_low": text("Change, at least (%)"),
    "change_high": text("Change, at most (%)"),
    "rank_first": text("Best rank"),
    "rank_last": text("Worst rank"),
}
"""Of the answer to `list_series`."""

_AT = text("{place}: {said}.")
_REFUSES = text("{peer} refuses: {said}")
_UPSTREAM = text("The source of {peer}'s data ({issuer}) refuses, with the code {code}: {said}")
_UNREADABLE = text("The answer of {peer} cannot be read ({said}) Inform its operator.")
_NOBODY = text("{peer} is offline: its node is not running, or the address is wrong.")
_NO_SERVER = text(
    "The server of {peer} cannot be reached from yours: check the address, or try later."
)
_BY_CONDITION = {
    "service-unavailable": _NOBODY,
    "recipient-unavailable": _NOBODY,
    "remote-server-not-found": _NO_SERVER,
    "remote-server-timeout": _NO_SERVER,
}


def sentence(fault: ProtocolError | Notice | TranslatedError) -> Text:
    """Return what happened: in the words of a peer that refused, or in ours."""
    match fault:
        case TranslatedError():
            return fault.text
        case QuoaliseError() if fault.texts:
            return Text(fault.texts)
        case Malformed():
            return around(_AT, _filled(fault), place=fault.place)
        case _:
            return _filled(fault)


def _filled(fault: ProtocolError | Notice) -> Text:
    words = SENTENCES[fault.code]
    return words.fill(**fault.details) if fault.details else words


def refusal(peer: str, error: QuoaliseError) -> Text:
    """Return who refuses, and why."""
    words = sentence(error)
    match error:
        case UpstreamError():
            issuer, code = error.issuer or "?", error.issuer_code or "?"
            return around(_UPSTREAM, words, peer=peer, issuer=issuer, code=code)
        case Malformed():
            return around(_UNREADABLE, words, peer=peer)
        case _:
            return around(_BY_CONDITION.get(error.condition, _REFUSES), words, peer=peer)


class OurWords(Words):
    """Our words for a peer, in its language as far as we know it."""

    @override
    def role(self, role: Role | None) -> str:
        return ROLES[role].say(self.language)

    @override
    def title(self, node: Node) -> str:
        return TITLES[node].say(self.language)

    @override
    def label(self, var: str) -> str:
        return LABELS[var].say(self.language)

    @override
    def description(self, var: str) -> str | None:
        words = DESCRIPTIONS.get(var)
        return None if words is None else words.say(self.language)

    @override
    def column(self, var: str) -> str:
        return COLUMNS[var].say(self.language)

    @override
    def sentence(self, error: QuoaliseError) -> tuple[str, str]:
        words = sentence(error)
        language = words.language(self.language)
        return language, words.say(language)
