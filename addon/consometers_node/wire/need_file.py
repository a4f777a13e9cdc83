"""A data need in a file, in TOML, with the words of `<data-need>`.

id = "roof"
version = 1
controller = "Coopérative d’exemple"
contact = "donnees@example.org"
policy = "https://example.org/donnees"
interval = "PT1H"
history = "P1Y"
duration = "P2Y"
retention = "P6M"
series = [{ direction = "consumption", quantity = "power" }]

[title]
fr = "Le prochain toit"
[purpose]
fr = "Dimensionner le prochain toit de panneaux."

A need whose `reading` is "sum" has a witness:

[witness]
jid = "commune@example.org"
url = "https://commune.example"
minimum = 10
name = "Commune d’exemple"
contact = "donnees@commune.example"
"""

from collections.abc import Mapping, Sequence
import json
from xml.etree.ElementTree import Element, SubElement

from consometers_node.i18n.protocol import sentence
from consometers_node.i18n.text import around, text
from consometers_node.permission import DataNeed
from consometers_quoalise import Malformed
from consometers_quoalise.elements.markup import LANG, parse, serialise, tag
from consometers_quoalise.federation import permissions, permissions_xml

from .needs import Unsayable, read_need, write_need

MAX_BYTES = 64 * 1024

_NOT_TOML = text("The file of the data request cannot be read as TOML: {why}.")
_TOO_LONG = text("The file of the data request is longer than {most} bytes: shorten it.")
_UNKNOWN_KEY = text(
    "The file of the data request has the unknown key “{key}”. Known keys: {known}."
)
_WRONG = text("The data request is not complete: {said}")

_ATTRIBUTES = ("id", "version", "interval", "history", "duration", "retention")
_DEFAULTS = {"identification": "pseudonym", "reading": "individual"}
_WORDS = ("controller", "contact", "policy")
_TEXTS = ("title", "purpose", "recipients")
_WITNESS = "witness"
_OF_WITNESS = ("minimum", "jid", "url")
_WORDS_OF_WITNESS = ("name", "contact")
_SERIES = "series"
_OF_SERIES = ("direction", "quantity")
_WRITTEN = (
    *("id", "version", *_WORDS, "interval", "history", "duration", "retention"),
    *_DEFAULTS,
)
_KNOWN = (*_ATTRIBUTES, *_DEFAULTS, *_WORDS, *_TEXTS, _SERIES, _WITNESS)


def read_need_file(written: bytes) -> DataNeed:
    """Read a data need. Raises `Unsayable`, which names the error."""
    if len(written) > MAX_BYTES:
        raise Unsayable(_TOO_LONG, most=MAX_BYTES)
    # A running node reads no such file, and never loads the parser.
    import tomllib  # noqa: PLC0415

    try:
        need = tomllib.loads(written.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as fault:
        raise Unsayable(_NOT_TOML, why=fault) from fault
    return read_need_mapping(need)


def read_need_mapping(table: Mapping[str, object]) -> DataNeed:
    """Read a data need from the keys of such a file. Raises `Unsayable`."""
    _check_keys(table, _KNOWN)
    needs = Element(permissions_xml.DATA_NEEDS)
    needs.append(_element(table))
    try:
        # Through the XML for peers: what that cannot hold is invalid.
        (need,) = permissions_xml.read_data_needs(parse(serialise(needs)))
    except Malformed as fault:
        raise Unsayable(around(_WRONG, sentence(fault))) from fault
    return read_need(need)


def write_need_file(need: DataNeed) -> str:
    """Return a file that `read_need_file` reads as the same."""
    sent = write_need(need)
    lines = [
        *(f"{key} = {_toml(getattr(sent, key))}" for key in _WRITTEN),
        "series = [",
        *(
            f'  {{ direction = "{series.direction}", quantity = "{series.quantity}" }},'
            for series in sent.series
        ),
        "]",
    ]
    for name in _TEXTS:
        if texts := getattr(need, name):
            lines += ["", f"[{name}]"]
            lines += [f"{_toml(language)} = {_toml(words)}" for language, words in texts.items()]
    if (witness := sent.witness) is not None:
        keys = (*_OF_WITNESS, *_WORDS_OF_WITNESS)
        lines += ["", f"[{_WITNESS}]"]
        lines += [f"{key} = {_toml(getattr(witness, key))}" for key in keys]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    # JSON's notation of a number or a text is TOML too, but for this one character.
    plain = value if isinstance(value, int) else str(value)
    return json.dumps(plain, ensure_ascii=False).replace("\x7f", "\\u007f")


def _element(need: Mapping[str, object]) -> Element:
    """Return the same `<data-need>`: its reader knows all possible errors."""
    attributes = {
        **_DEFAULTS,
        **{key: str(need[key]) for key in _KNOWN if isinstance(need.get(key), str | int)},
    }
    names = {name: word for name, word in attributes.items() if name not in _WORDS}
    element = Element(_tag("data-need"), names)
    for name in _WORDS:
        if name in attributes:
            SubElement(element, _tag(name)).text = attributes[name]
    for name in _TEXTS:
        texts = need.get(name)
        if isinstance(texts, Mapping):
            for language, words in texts.items():
                SubElement(element, _tag(name), {LANG: language}).text = str(words)
    series = need.get(_SERIES)
    for wanted in series if isinstance(series, list) else ():
        if isinstance(wanted, Mapping):
            _check_keys(wanted, _OF_SERIES)
            SubElement(element, _tag(_SERIES), {key: str(value) for key, value in wanted.items()})
    witness = need.get(_WITNESS)
    if isinstance(witness, Mapping):
        _check_keys(witness, (*_OF_WITNESS, *_WORDS_OF_WITNESS))
        child = SubElement(
            element,
            _tag(_WITNESS),
            {key: str(witness[key]) for key in _OF_WITNESS if key in witness},
        )
        for name in _WORDS_OF_WITNESS:
            if name in witness:
                SubElement(child, _tag(name)).text = str(witness[name])
    return element


def _check_keys(table: Mapping[str, object], keys: Sequence[str]) -> None:
    for key in table:
        if key not in keys:
            raise Unsayable(_UNKNOWN_KEY, key=key, known=", ".join(keys))


def _tag(name: str) -> str:
    return tag(permissions.NAMESPACE, name)
