"""Invitations on paper, a sheet for each, with QR codes and instructions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
import io

from markupsafe import Markup
import segno

from .rendering import TEMPLATES, environment
from .speech import Language

_REPOSITORY = "https://github.com/consometers/consometers-home-assistant"
_BORDER = 2
"""Modules of white around a code; phones need them."""


@dataclass(frozen=True, slots=True)
class InvitationSheet:
    """An invitation to a collective of that name, perhaps with one to an account."""

    name: str
    link: str
    account: str | None
    until: datetime


def sheets_page(sheets: Sequence[InvitationSheet], language: str) -> str:
    """Return a printable page, with a sheet for each invitation; it needs no other file."""
    return (
        environment()
        .get_template("invitation-sheets.html")
        .render(
            language=Language(language),
            sheets=sheets,
            style=Markup(style()),  # noqa: S704
            repository=_REPOSITORY,
            qr_inline=qr_inline,
        )
    )


@cache
def style() -> str:
    """Return the CSS of that page."""
    return (TEMPLATES / "invitation-sheets.css").read_text(encoding="utf-8")


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
