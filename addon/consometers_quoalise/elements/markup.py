"""XML of limited size and depth, without a document type: bytes in, elements out, and back.

The standard library's expat expands the entities that a document type declares. What comes from a
peer has none: a document with `<!DOCTYPE` is refused before it is parsed. It is read as UTF-8,
whatever it says of itself (RFC 6120 §11.6, RFC 8428 §7); UTF-16, in which the refusal would not see
those letters, does not go without zero bytes.
"""

import re
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from consometers_quoalise.errors import Malformed
from consometers_quoalise.problems import Problem

MAX_BYTES = 120 * 1024
"""Of one document: with the longest addresses, a stanza that the servers of `deploy/` pass."""
MAX_DEPTH = 16
"""Levels of elements in one document; the deepest of ours has 7."""

XML = "http://www.w3.org/XML/1998/namespace"
LANG = f"{{{XML}}}lang"
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse(data: bytes) -> Element:
    """Read a whole document. Raises `Malformed`, and nothing else."""
    if len(data) > MAX_BYTES:
        raise Malformed("document", Problem.TOO_LARGE, found=len(data), most=MAX_BYTES)
    if b"\0" in data:
        raise Malformed("document", Problem.NOT_UTF_8)
    if b"<!DOCTYPE" in data:
        raise Malformed("document", Problem.DTD)
    parser = ET.XMLParser(encoding="utf-8")  # noqa: S314
    try:
        parser.feed(data)
        root: Element = parser.close()
    except ET.ParseError as error:
        reason, _, where = str(error).partition(": ")
        raise Malformed(f"document, {where}", Problem.NOT_XML, found=reason) from None
    # Elements that hold others are closed by an end tag: few of these, few levels.
    if data.count(b"</") >= MAX_DEPTH:
        check_depth(root)
    return root


def check_depth(root: Element) -> None:
    """Refuse more than `MAX_DEPTH` levels."""
    level = [root]
    for _ in range(MAX_DEPTH):
        level = [child for element in level if len(element) for child in element]
        if not level:
            return
    raise Malformed("document", Problem.TOO_DEEP, most=MAX_DEPTH)


def serialise(root: Element, most: int | None = MAX_BYTES) -> bytes:
    """Return the UTF-8 of an element, each namespace declared where it begins, without prefixes.

    Raises `Malformed` on what XML cannot carry, and on more bytes than `most` (None: any number).
    """
    check_depth(root)
    document = within(root, "")
    if illegal := _ILLEGAL.search(document):
        codepoint = f"U+{ord(illegal[0]):04X}"
        raise Malformed("document", Problem.NOT_FOR_XML, found=codepoint)
    data = document.encode()
    if most is not None and len(data) > most:
        raise Malformed("document", Problem.TOO_LARGE, found=len(data), most=most)
    return data


def within(root: Element, namespace: str) -> str:
    """Return an element as it is written within one of a namespace, with no limit."""
    pieces: list[str] = []
    _write(root, namespace, pieces)
    return "".join(pieces)


def tag(namespace: str, name: str) -> str:
    """Return a name in a namespace as ElementTree writes it."""
    return f"{{{namespace}}}{name}" if namespace else name


def split(name: str) -> tuple[str, str]:
    """Return the namespace, perhaps empty, and the local part of ElementTree's name."""
    namespace, _, local = name.rpartition("}")
    return namespace[1:], local


def local(name: str) -> str:
    """Return the local part of ElementTree's name, as places in errors have it."""
    return split(name)[1]


def named(name: str) -> str:
    """Return ElementTree's name as XML has it: `quoalise xmlns='urn:quoalise:0'`."""
    namespace, local_name = split(name)
    return f"{local_name} xmlns='{namespace}'" if namespace else local_name


def _write(element: Element, inherited: str, out: list[str]) -> None:
    namespace, name = split(element.tag)
    out.append(f"<{name}" if namespace == inherited else f"<{name} xmlns={_quoted(namespace)}")
    for key, value in element.attrib.items():
        if key[0] == "{":
            out.append(_qualified(key, value, len(out)))
        else:
            out.append(f" {key}={_quoted(value)}")
    if not len(element) and not element.text:
        out.append("/>")
        return
    out.append(">")
    out.append(_escaped(element.text))
    for child in element:
        _write(child, namespace, out)
        out.append(_escaped(child.tail))
    out.append(f"</{name}>")


def _qualified(key: str, value: str, number: int) -> str:
    """Return an attribute of a namespace, with a prefix of its own unless it is xml's."""
    namespace, name = split(key)
    if namespace == XML:
        return f" xml:{name}={_quoted(value)}"
    return f" xmlns:n{number}={_quoted(namespace)} n{number}:{name}={_quoted(value)}"


def _quoted(value: str) -> str:
    return f'"{value}"' if value.isalnum() else quoteattr(value)


def _escaped(words: str | None) -> str:
    return escape(words, {"\r": "&#13;"}) if words else ""
