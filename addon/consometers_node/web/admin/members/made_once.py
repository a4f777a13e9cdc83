"""Forms that make several things to hand out, once: invitations, codes.

What they make is shown once. A form has a key, from which the numbers of what it makes derive: when
it is sent twice, they are taken.
"""

from collections.abc import Collection
from hashlib import sha256
import re
import secrets

from consometers_node.i18n.text import text
from consometers_node.web.core.admin_context import AdminContext
from consometers_node.web.core.page_base import RequestRefused
from consometers_node.web.core.request_context import FilledForm
from consometers_node.web.core.speech import numbered

_KEY = re.compile(r"[0-9a-f]{32}")
_DIGITS = 8
_NO_NUMBER = text("Write a whole number, from 1 to {most}.")
TWICE = text(
    "These were created already, and shown once. If you lost them, revoke them and create others."
)


def form_key() -> str:
    """Return the key of a new form."""
    return secrets.token_hex(16)


def numbers_of(context: AdminContext, count: int, taken: Collection[str]) -> list[str]:
    """Return the numbers of what this form makes. Raises RequestRefused if it was sent before."""
    key = context.typed("form")
    if not _KEY.fullmatch(key):
        raise RequestRefused(409, TWICE)
    numbers = [sha256(f"{key}{n}".encode()).hexdigest()[:_DIGITS] for n in range(count)]
    if not set(numbers).isdisjoint(taken):
        raise RequestRefused(409, TWICE)
    return numbers


def whole_number[T](context: AdminContext, name: str, most: int, filled: FilledForm[T]) -> int:
    """Return the number in a field, and note where it is none from 1 to `most`."""
    number = context.whole_number(name) or 0
    if not 1 <= number <= most:
        filled.errors[name] = numbered(_NO_NUMBER, most=most)
    return number
