"""The RELAX NG schemas of the specification."""

from functools import cache
from importlib.resources import as_file, files
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from lxml import etree  # type: ignore[import-untyped]

from .session.stanzas import DATA


def fault(stanza: Element) -> str:
    """Return why a stanza of the protocol is not valid, or "" if it is.

    The reason of a `<quoalise>` in it comes first: it says more, and is the same in all stanzas.
    """
    for quoalise in stanza.iter(DATA):
        if reason := _reason("quoalise", quoalise):
            return reason
    return _reason("stanzas", stanza)


def _reason(name: str, element: Element) -> str:
    schema = _schema(name)
    if schema.validate(etree.fromstring(ET.tostring(element))):
        return ""
    return str(schema.error_log[0].message)


@cache
def _schema(name: str) -> etree.RelaxNG:
    with as_file(files(__package__) / "schemas") as folder:
        return etree.RelaxNG(file=str(folder / f"{name}.rng"))
