"""A collective's messages on the pages of a home."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from consometers_node.store import PeerId
from consometers_node.store.household.letters import ReceivedLetter, add
from testing.homes.served import DRAWN, GUEST, ServedHome, allow, ask

HOSTILE = "Hello,\n<script>alert(1)</script> [now](https://evil.example) \u202e"


@pytest.fixture
async def letter(home: ServedHome) -> str:
    await allow(home, await ask(home), DRAWN)
    received = ReceivedLetter(
        peer_id=PeerId(1),
        id=str(uuid4()),
        written_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
        received_at=datetime.now(UTC),
        body={"en": HOSTILE, "fr": "Bonjour."},
    )
    async with home.store.writing() as connection:
        await add(connection, received)
    return received.id


@pytest.mark.usefixtures("letter")
async def test_a_new_message_is_announced_and_read_as_plain_text(home: ServedHome) -> None:
    browser = home.browser()
    assert "1 new message" in (await browser.open("")).text
    page = await browser.open("letters")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; [now](https://evil.example)" in page.html
    assert not any("evil" in link for link in page.links)
    assert "coop@example.org" in page.text
    french = await home.browser(language="fr").open("letters")
    assert "Bonjour." in french.text


async def test_a_message_that_was_read_stays_on_its_page_alone(
    home: ServedHome, letter: str
) -> None:
    browser = home.browser()
    page = await browser.open("letters")
    page = await browser.send(page, f"letters/1/{letter}")
    assert "Mark as read" not in page.text
    assert "Hello," in page.text
    first = await browser.open("")
    assert "new message" not in first.text
    assert "./letters" in first.links


async def test_only_an_administrator_marks_a_message_as_read(home: ServedHome, letter: str) -> None:
    guest = home.browser(GUEST)
    page = await guest.open("letters")
    assert "Hello," in page.text
    assert "Mark as read" not in page.text
    assert (await guest.post(f"letters/1/{letter}", [])).status == 403


async def test_the_api_has_unread_messages_alone(home: ServedHome, letter: str) -> None:
    assert await _letters(home) == [
        {
            "id": letter,
            "time": "2026-03-01T09:00:00+00:00",
            "text": {"en": HOSTILE, "fr": "Bonjour."},
        }
    ]
    browser = home.browser()
    await browser.send(await browser.open("letters"), f"letters/1/{letter}")
    assert await _letters(home) == []


async def _letters(home: ServedHome) -> object:
    headers = {"Authorization": "Bearer the-token-of-the-api"}
    async with home.session.get(home.url / "api/v1/node", headers=headers) as response:
        (collective,) = (await response.json())["collectives"]
    return collective["letters"]
