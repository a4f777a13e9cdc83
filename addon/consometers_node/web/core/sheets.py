"""Sheets to print, one for each household: invitations, and codes of a witness."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
import io
from typing import ClassVar

from aiohttp import web
from markupsafe import Markup
import segno

from consometers_node.sharing.consent_text import WHO_COULD_READ

from .page_base import REPOSITORY
from .rendering import TEMPLATES, environment
from .speech import Language

_BORDER = 2
"""Modules of white around a code; phones need them."""
_ONLY_PAPER = (
    "default-src 'none'; style-src 'sha256-{style}'; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class InvitationSheet:
    """An invitation to a collective of that name, perhaps with one to an account."""

    template: ClassVar = "invitation-sheets.html"
    name: str
    link: str
    account: str | None
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSheet:
    """A code of a witness of that name, for homes of a collective (bare JID), and its number."""

    template: ClassVar = "code-sheets.html"
    name: str
    collective: str
    code: str
    number: str
    until: datetime


def sheets_page(sheets: Sequence[InvitationSheet] | Sequence[CodeSheet], language: str) -> str:
    """Return a printable page, with a sheet for each; it needs no other file."""
    return (
        environment()
        .get_template(sheets[0].template)
        .render(
            language=Language(language),
            sheets=sheets,
            style=Markup(_style()),  # noqa: S704
            repository=REPOSITORY,
            qr_inline=qr_inline,
            who_could_read=WHO_COULD_READ,
        )
    )


def printable(
    sheets: Sequence[InvitationSheet] | Sequence[CodeSheet], language: str
) -> web.Response:
    """Return that page as an answer, from which nothing can be sent or loaded."""
    hashed = b64encode(sha256(_style().encode()).digest()).decode()
    policy = _ONLY_PAPER.format(style=hashed)
    return web.Response(
        text=sheets_page(sheets, language),
        content_type="text/html",
        headers={"Content-Language": language, "Content-Security-Policy": policy},
    )


@cache
def _style() -> str:
    return (TEMPLATES / "sheets.css").read_text(encoding="utf-8")


def qr_image(link: str, kind: str) -> bytes:
    """Return the QR code of a link as an image: svg, or png."""
    image = io.BytesIO()
    segno.make(link, error="m", micro=False).save(image, kind=kind, scale=8, border=4)
    return image.getvalue()


def qr_inline(link: str, named: str) -> Markup:
    """Return the QR code of a link as an element of a page."""
    code = segno.make(link, error="m", micro=False)
    drawn = code.svg_inline(border=_BORDER, scale=1, omitsize=True, title=named)
    return Markup(drawn)  # noqa: S704


def qr_lines(link: str) -> str:
    """Return the QR code of a link in characters, for a terminal."""
    lines = io.StringIO()
    segno.make(link, error="l", micro=False).terminal(lines, border=_BORDER, compact=True)
    return lines.getvalue()
