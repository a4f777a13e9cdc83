"""Unknown parts of a message, stored as they came so that they can be forwarded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

type Attributes = Mapping[str, str]
"""By name; names in a namespace as ElementTree writes them, `{namespace}name`."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """An element of any kind. White space between elements is not kept."""

    tag: str
    attributes: Attributes = field(default_factory=dict)
    text: str = ""
    children: tuple[Fragment, ...] = ()
    tail: str = ""


def read(element: Element) -> Fragment:
    """Store an element. Its depth must have been checked."""
    return Fragment(
        element.tag,
        dict(element.attrib),
        _words(element.text),
        tuple(map(read, elements(element))),
        _words(element.tail),
    )


def write(fragment: Fragment) -> Element:
    """Return the element back."""
    element = Element(fragment.tag, dict(fragment.attributes))
    element.text = fragment.text or None
    element.tail = fragment.tail or None
    element.extend(map(write, fragment.children))
    return element


def elements(parent: Element) -> Iterable[Element]:
    """Return the children that are elements: not comments, whose tag is a function."""
    return (child for child in parent if not callable(child.tag))


def _words(text: str | None) -> str:
    return text if text and not text.isspace() else ""
