"""The stanzas that nodes send through the servers of tests, validated against the schemas."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from testing.xmpp.schemas import faults

_CLIENT = "{jabber:client}"
_OURS = frozenset(
    {
        "{http://jabber.org/protocol/commands}command",
        "{http://jabber.org/protocol/disco#info}query",
        "{http://jabber.org/protocol/disco#items}query",
        "{urn:quoalise:0}quoalise",
        "{urn:consometers:federation:0}reports",
        "{urn:xmpp:receipts}received",
        f"{_CLIENT}error",
    }
)
"""What a stanza of the protocol contains; others, such as pings, are of XMPP alone."""


def recorded(folder: Path) -> Iterator[Element]:
    """Yield the stanzas of the protocol that servers have recorded in a folder."""
    for file in sorted(folder.iterdir()):
        with file.open() as lines:
            for line in lines:
                if not line.endswith("\n"):
                    continue  # The server was killed.
                stanza = ET.fromstring(f'<stream xmlns="jabber:client">{line}</stream>')[0]
                if any(child.tag in _OURS for child in stanza):
                    yield stanza


def check(folder: Path) -> Counter[str]:
    """Validate them; return how many there are of each kind: its first child of the protocol."""
    kinds: Counter[str] = Counter()
    wrong = []
    for stanza in recorded(folder):
        kinds[next(child.tag for child in stanza if child.tag in _OURS)] += 1
        if mistakes := faults(stanza):
            wrong.append(f"{shape(stanza)}: {mistakes[0]}")
    listed = "\n".join(sorted(set(wrong))[:20])
    assert not wrong, f"Stanzas that are not valid: {len(wrong)}\n{listed}"
    return kinds


def shape(stanza: Element) -> str:
    """Return a stanza without its values, as far down as its commands and errors go."""
    inside = ", ".join(
        f"{child.tag} {child.get('node') or child.get('type') or [each.tag for each in child]}"
        for child in stanza
    )
    return f"{stanza.tag} {stanza.get('type')}: {inside}"
