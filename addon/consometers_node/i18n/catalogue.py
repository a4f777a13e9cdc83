"""Translations of our sentences, by their English: gettext's catalogue.

Translators edit `locale/<language>/LC_MESSAGES/consometers.po`. A wheel holds the compiled
catalogues alone; a checkout compiles one when it has changed since.
"""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
import os
from pathlib import Path

LANGUAGES = ("en", "fr")

_IN_SOURCES = "en"
_FOLDER = Path(__file__).with_name("locale")


@cache
def translations(language: str) -> NullTranslations:
    """Return the translations into a language: none into English, in which sources are written."""
    if language == _IN_SOURCES:
        return NullTranslations()
    source = _FOLDER / language / "LC_MESSAGES" / "consometers.po"
    target = source.with_suffix(".mo")
    content = compiled(source, target) if source.exists() else target.read_bytes()
    return GNUTranslations(BytesIO(content))


def compiled(source: Path, target: Path) -> bytes:
    """Return the compiled form of a source; it stays in a file with the same time of change."""
    changed = source.stat().st_mtime_ns
    if target.exists() and target.stat().st_mtime_ns == changed:
        return target.read_bytes()
    # What is installed never gets here, and starts without these.
    from babel.messages.mofile import write_mo  # noqa: PLC0415
    from babel.messages.pofile import read_po  # noqa: PLC0415

    content = BytesIO()
    with source.open("rb") as file:
        write_mo(content, read_po(file, abort_invalid=True))
    try:
        # Whole or not at all: other programs of the checkout may read it now.
        part = target.with_suffix(f".{os.getpid()}")
        part.write_bytes(content.getvalue())
        os.utime(part, ns=(changed, changed))
        part.replace(target)
    except OSError:
        pass  # a checkout that only others may write
    return content.getvalue()
