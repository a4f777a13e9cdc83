"""The schemas of the protocol, docs/schemas: what is wrong with an element."""

from functools import cache
from typing import Final
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from lxml import etree  # type: ignore[import-untyped]

from testing.checkout import ROOT

SCHEMAS: Final = ROOT / "docs" / "schemas"
BY_NAMESPACE: Final = {
    "urn:ietf:params:xml:ns:senml": "senml",
    "urn:quoalise:0": "quoalise",
    "urn:consometers:federation:0": "federation",
    "jabber:x:data": "forms",
    "http://jabber.org/protocol/commands": "commands",
    "jabber:client": "stanzas",
}


def faults(sent: Element | str | bytes) -> list[str]:
    """Return why an element is not valid, by the schema of its namespace."""
    document = ET.tostring(sent) if isinstance(sent, Element) else sent
    parsed = etree.fromstring(document)
    schema = _schema(BY_NAMESPACE[etree.QName(parsed).namespace])
    if schema.validate(parsed):
        return []
    return [str(error.message) for error in schema.error_log]


@cache
def _schema(name: str) -> etree.RelaxNG:
    return etree.RelaxNG(file=str(SCHEMAS / f"{name}.rng"))
