"""An invitation on paper."""

from datetime import UTC, datetime
from html.parser import HTMLParser
import re
from typing import override
from xml.etree import ElementTree as ET

import pytest

from consometers_node.web.core.sheets import (
    InvitationSheet,
    qr_image,
    qr_lines,
    sheets_page,
)

LINK = "xmpp:collectif@kersabiec.example?consometers-join;token=abc"
ACCOUNT = "xmpp:kersabiec.example?register;preauth=def"
UNTIL = datetime(2026, 8, 1, 10, tzinfo=UTC)


class _Asks(HTMLParser):
    """Notes what a page would ask others for."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, name) for name, _ in attrs if name in {"src", "href", "action"}]
        if tag in {"script", "link", "iframe", "form"}:
            self.found.append((tag, ""))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "fr",
            ("Rejoignez L&#39;Élan &lt;b&gt;", "prend fin le 1er août 2026", "Prenez un compte"),
        ),
        ("en", ("Join L&#39;Élan &lt;b&gt;", "ends on 1 August 2026", "Take an account")),
    ],
)
def test_sheet_explains_how_to_join(language: str, words: tuple[str, ...]) -> None:
    page = sheets_page([InvitationSheet("L'Élan <b>", LINK, ACCOUNT, UNTIL)], language)
    for words_shown in (*words, LINK, ACCOUNT, f'<html lang="{language}">'):
        assert words_shown in page
    assert page.count("<svg") == 2
    asks = _Asks()
    asks.feed(page)
    assert asks.found == []


def test_sheet_without_an_account_mentions_none() -> None:
    page = sheets_page([InvitationSheet("Élan", LINK, None, UNTIL)], "en")
    assert page.count("<svg") == 1
    assert "account" not in page


def test_qr_codes_are_images_and_characters() -> None:
    assert qr_image(LINK, "png").startswith(b"\x89PNG")
    assert ET.fromstring(qr_image(LINK, "svg")).tag.endswith("svg")
    drawn = re.sub(r"\x1b\[[0-9;]*m", "", qr_lines(LINK))
    assert set(drawn) <= set(" █▀▄\n")
    assert len(drawn.splitlines()) > 10
