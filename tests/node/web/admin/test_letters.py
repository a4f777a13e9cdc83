"""Messages to members: shown before they leave, sent once, logged, and bounded."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from consometers_node.collective.letters import register
from consometers_node.collective.letters.register import SENT_FOR, SentLetter
from consometers_node.collective.members.members import Member
from consometers_node.collective.permissions import member_permissions
from testing.clocks import sure
from testing.pages.office import NAME, Office, log, summary
from testing.pages.town import NOW

HOSTILE = "Bonjour,\r\n\r\n\r\n<script>alert(1)</script> {{ 7*7 }} \u202egnp.exe"
READ = "Bonjour,\n\n<script>alert(1)</script> {{ 7*7 }} gnp.exe"


async def admit(office: Office) -> tuple[Member, Member, Member]:
    """Admit a home that sends, a silent one, and a guest."""
    async with office.village() as village:
        return (
            await village.join("home"),
            await village.join("quiet", heard=timedelta(days=9)),
            await village.invite("guest"),
        )


async def letters(office: Office, member: Member) -> Sequence[SentLetter]:
    return await office.read(register.of_member, member.id)


async def test_a_message_is_shown_before_it_leaves_and_logged(office: Office) -> None:
    member, *_ = await admit(office)
    browser = await office.enter()
    page = await browser.follow(await browser.open(f"members/{member.pseudonym}"), "/letter")
    shown = await browser.send(page, "/letter", ("body_fr", HOSTILE), ("body_en", " "))
    assert "Send this message?" in shown.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7*7 }} gnp.exe" in shown.html
    assert await letters(office, member) == []
    done = await browser.send(shown, "/letter", ("sure", "yes"))
    assert "The message is on its way" in done.text
    assert "not received yet" in done.text
    (letter,) = await letters(office, member)
    assert (letter.body, letter.written_at) == ({"fr": READ}, NOW)
    assert (await log(office))[:2] == [(NAME, "page"), (NAME, "message")]
    assert "sent it a message" in (await browser.open("log")).text


async def test_a_message_can_be_changed_before_it_leaves(office: Office) -> None:
    member, *_ = await admit(office)
    browser = await office.enter()
    page = await browser.open(f"members/{member.pseudonym}/letter")
    shown = await browser.send(page, "/letter", ("body_en", "Helo."))
    page = await browser.send(shown, "/letter", ("change", "yes"))
    assert "Helo." in page.html
    shown = await browser.send(page, "/letter", ("body_en", "Hello."))
    await browser.send(shown, "/letter", ("sure", "yes"))
    (letter,) = await letters(office, member)
    assert letter.body == {"en": "Hello."}


async def test_a_form_that_is_sent_twice_writes_once(office: Office) -> None:
    member, *_ = await admit(office)
    address = f"members/{member.pseudonym}/letter"
    browser = await office.enter()
    shown = await browser.fill(address, "/letter", ("body_fr", "Bonjour."))
    await browser.send(shown, "/letter", ("sure", "yes"))
    twice = await browser.send(shown, "/letter", ("sure", "yes"))
    assert (twice.status, "sent already" in twice.text) == (409, True)
    assert len(await letters(office, member)) == 1


@pytest.mark.parametrize(
    ("group", "written", "entry"),
    [
        ("silent", [0, 1, 0], "message to 1 members: silent"),
        ("all", [1, 1, 0], "message to 2 members: all"),
    ],
)
async def test_a_group_is_written_to_at_once(
    office: Office, group: str, written: list[int], entry: str
) -> None:
    members = await admit(office)
    browser = await office.enter()
    page = await browser.open(f"members?show={group}" if group == "silent" else "members")
    page = await browser.follow(page, f"letters?to={group}")
    shown = await browser.send(page, "letters", ("body_fr", "Bonjour."))
    done = await browser.send(shown, "letters", ("sure", "yes"))
    assert "The message is on its way" in done.text
    assert [len(await letters(office, member)) for member in members] == written
    assert (await log(office))[0] == (NAME, entry)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ([], "Write the message in at least one language."),
        ([("body_fr", " \n\u200b ")], "Write the message in at least one language."),
        ([("body_en", 2_001 * "x")], "Write at most 2,000 characters."),
    ],
)
async def test_an_empty_or_long_message_is_corrected(
    office: Office, body: list[tuple[str, str]], error: str
) -> None:
    member, *_ = await admit(office)
    browser = await office.enter()
    page = await browser.fill(f"members/{member.pseudonym}/letter", "/letter", *body)
    assert page.status == 422
    assert error in dict(summary(page)).popitem()[1]


async def test_nobody_is_written_to_who_allows_nothing(office: Office) -> None:
    _, _, guest = await admit(office)
    browser = await office.enter()
    assert "Write a message" not in (await browser.open(f"members/{guest.pseudonym}")).text
    page = await browser.open(f"members/{guest.pseudonym}/letter")
    assert (page.status, "Nobody can receive" in page.text) == (409, True)
    assert (await browser.open("letters?to=everybody")).status == 404


async def test_a_member_receives_three_messages_a_day(office: Office) -> None:
    member, *_ = await admit(office)
    address = f"members/{member.pseudonym}/letter"
    browser = await office.enter()
    for _ in range(3):
        shown = await browser.fill(address, "/letter", ("body_fr", "Bonjour."))
        assert "on its way" in (await browser.send(shown, "/letter", ("sure", "yes"))).text
    shown = await browser.fill(address, "/letter", ("body_fr", "Bonjour."))
    refused = await browser.send(shown, "/letter", ("sure", "yes"))
    assert (refused.status, "at most 3 messages" in refused.text) == (409, True)
    office.clock.go_on(timedelta(days=1))
    browser = await office.enter()
    shown = await browser.fill(address, "/letter", ("body_fr", "Bonjour."))
    assert "on its way" in (await browser.send(shown, "/letter", ("sure", "yes"))).text


async def test_letters_wait_for_a_month_and_go_after_a_year(office: Office) -> None:
    member, *_ = await admit(office)

    async def waiting(after: timedelta) -> list[str]:
        return [jid for _, jid in await office.read(register.waiting, NOW + after)]

    async with office.store.writing() as connection:
        await register.write(connection, [member.id], {"fr": "Bonjour."}, key="a", at=NOW)
    assert await waiting(SENT_FOR) == [member.jid]
    assert await waiting(SENT_FOR + timedelta(seconds=1)) == []
    async with office.store.writing() as connection:
        await register.forget(connection, sure(NOW + timedelta(days=365)))
    assert len(await letters(office, member)) == 1
    async with office.store.writing() as connection:
        await register.forget(connection, sure(NOW + timedelta(days=366)))
    assert await letters(office, member) == []


async def test_a_letter_of_a_member_that_left_is_not_sent_and_goes_with_it(
    office: Office,
) -> None:
    member, *_ = await admit(office)
    browser = await office.enter()
    shown = await browser.fill(
        f"members/{member.pseudonym}/letter", "/letter", ("body_fr", "Bonjour.")
    )
    await browser.send(shown, "/letter", ("sure", "yes"))
    assert [jid for _, jid in await office.read(register.waiting, NOW)] == [member.jid]
    page = await browser.open(f"members/{member.pseudonym}/erase")
    await browser.send(page, "/erase", ("sure", "yes"))
    (permission,) = await office.read(member_permissions.of_member, member.id)
    assert permission.state == "terminated"
    assert await office.read(register.waiting, NOW) == []
    assert await letters(office, member) == []
