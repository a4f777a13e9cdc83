"""Errors to and from XMPP stanza errors (RFC 6120 §8.3).

    <error type="cancel">
      <undefined-condition xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>
      <text xmlns="urn:ietf:params:xml:ns:xmpp-stanzas" xml:lang="fr">…</text>
      <upstream-error xmlns="urn:quoalise:0" issuer="enedis-sge-tiers" code="SGT4G3"/>
    </error>

The text is in the language of the requester. Where a source gave no code we write an empty one,
for today's client takes it for granted; today's proxies write none.
"""

from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement

from . import bounds
from .elements.fragment import elements
from .elements.markup import LANG, split, tag
from .errors import (
    BadRequest,
    ErrorType,
    ItemNotFound,
    NotAuthorized,
    OtherError,
    QuoaliseError,
    ResourceConstraint,
    UpstreamError,
)
from .languages import DEFAULT_LANGUAGE
from .records.metadata import NAMESPACE
from .words import Words

STREAM = "jabber:client"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
ERROR = tag(STREAM, "error")
_TEXT = tag(STANZAS, "text")
_UPSTREAM = tag(NAMESPACE, "upstream-error")
_KINDS: Mapping[str, type[QuoaliseError]] = {
    kind.condition: kind for kind in (NotAuthorized, ItemNotFound, ResourceConstraint, BadRequest)
}


_CODES = Words()


def write(error: QuoaliseError, words: Words = _CODES) -> Element:
    """Return the `<error>` of a stanza, in the words for its reader."""
    element = Element(ERROR, {"type": error.type})
    SubElement(element, tag(STANZAS, error.condition))
    language, sentence = words.sentence(error)
    SubElement(element, _TEXT, {LANG: language}).text = sentence
    if isinstance(error, UpstreamError):
        SubElement(element, _UPSTREAM, {"issuer": error.issuer, "code": error.issuer_code or ""})
    return element


def read(error: Element) -> QuoaliseError:
    """Return the error in an `<error>`, whatever it contains, as far as `bounds` allows."""
    names = [split(child.tag) for child in elements(error) if child.tag != _TEXT]
    conditions = [bounds.clip("code", name) for namespace, name in names if namespace == STANZAS]
    condition = conditions[0] if conditions else QuoaliseError.condition
    texts = error.findall(_TEXT)[: bounds.ELEMENTS["text"]]
    sent = {
        bounds.clip("lang", element.get(LANG, DEFAULT_LANGUAGE)): bounds.clip(
            "text", element.text.strip()
        )
        for element in texts
        if element.text and not element.text.isspace()
    }
    upstream = error.find(_UPSTREAM)
    if upstream is not None:
        issuer, code = (bounds.clip(name, upstream.get(name, "")) for name in ("issuer", "code"))
        return UpstreamError(issuer, code or None, sent)
    if kind := _KINDS.get(condition):
        return kind(sent)
    type_ = error.get("type", "")
    error_type = ErrorType(type_) if type_ in ErrorType else ErrorType.CANCEL
    return OtherError(condition, error_type, sent)
