"""Implausible records of a member and contested devices: an administrator decides."""

from datetime import timedelta

from consometers_node.collective.ingestion.validation import MemberMessage, take
from consometers_node.collective.members.members import Member
from consometers_node.collective.publication.policy import AT_ONCE, open_from
from consometers_node.store.collective import set_aside
from consometers_node.store.collective.claims import Proof, claims_to
from testing.collectives.members import meter
from testing.collectives.records import pushed_data
from testing.pages.browser import Browser
from testing.pages.office import NAME, Office, close_due, log
from testing.pages.town import NOW, ZONE

MIDNIGHT = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
DEVICE = str(meter("home").device)


async def admit_implausible(office: Office) -> Member:
    """Admit a home that sends 29 and 31.5 kW after a month of 400 W."""
    async with office.village() as village:
        member = await village.join("home", days=40)
        message = MemberMessage(
            "home@example.org", pushed_data(meter("home"), MIDNIGHT, [29_000, 31_500, 640])
        )
        at = NOW + timedelta(days=1)
        assert await take(village.connection, [message], ZONE.key, at) == [None]
        return member


async def check_notice(browser: Browser, words: str, show: str, members: int) -> None:
    """See a notice on the first page, and the members that it is about."""
    page = await browser.open("")
    assert words in page.text
    page = await browser.open(f"members?show={show}")
    assert page.html.count("members/") >= members


async def test_implausible_records_are_shown_accepted_and_rejected(office: Office) -> None:
    member, notice = await admit_implausible(office), "Records of one member are implausibly high"
    browser = await office.enter()
    await check_notice(browser, notice, "aside", 1)
    page = await browser.open(f"members/{member.pseudonym}")
    for words in ("Records set aside", "29", "31.5", "kW"):
        assert words in page.text
    page = await browser.send(page, "/believe", ("kw", "30"))
    assert page.status == 200
    assert "29\u202fkW" not in page.text
    page = await browser.send(page, "/leave-out")
    assert "rejected" in page.text
    assert notice not in (await browser.open("")).text
    (entry,) = await office.read(set_aside.of_member, member.id)
    assert (entry.record.value, entry.excluded_at) == (31_500, office.clock.now)
    assert [entry for entry in await log(office) if entry[1] in ("believe", "leave out")] == [
        (NAME, "leave out"),
        (NAME, "believe"),
    ]


async def test_accepting_records_needs_a_valid_bound(office: Office) -> None:
    member = await admit_implausible(office)
    browser = await office.enter()
    page = await browser.open(f"members/{member.pseudonym}")
    for kw in ("", "0", "-1", "10001", "1e3", "99999999999", "\u0663"):
        assert (await browser.send(page, "/believe", ("kw", kw))).status == 422, kw
    assert len(await office.read(set_aside.of_member, member.id)) == 2


async def test_contested_device_is_shown_and_decided_by_a_proof(office: Office) -> None:
    async with office.village() as village:
        first = await village.join("home", days=3)
        second = await village.join("next", meter_of="home", days=3)
    notice = "2 members share under the name of a device"
    browser = await office.enter()
    await check_notice(browser, notice, "contested", 2)
    page = await browser.open(f"members/{second.pseudonym}")
    for words in ("Devices named by other", DEVICE, first.pseudonym):
        assert words in page.text
    unsure = await browser.send(page, "/device", ("device", DEVICE), ("proof", "hearsay"))
    assert unsure.status == 422
    wrong = ("device", "urn:dev:prm:30001610071843"), ("proof", "meter")
    assert (await browser.send(page, "/device", *wrong)).status == 409
    page = await browser.send(page, "/device", ("device", DEVICE), ("proof", "operator"))
    assert "decided" in page.text
    assert notice not in (await browser.open("")).text
    claims = await office.read(claims_to, DEVICE)
    assert {(claim.member, claim.counts, claim.proof) for claim in claims} == {
        (first.id, False, None),
        (second.id, True, Proof.OPERATOR),
    }
    assert [entry for entry in await log(office) if entry[1] == "device"] == 2 * [(NAME, "device")]


async def test_member_without_doubts_shows_no_notice(office: Office) -> None:
    async with office.village() as village:
        member = await village.join("home")
    browser = await office.enter()
    page = await browser.open(f"members/{member.pseudonym}")
    assert "set aside" not in page.text
    assert "other members name" not in page.text


async def test_hour_closes_without_implausible_records(office: Office) -> None:
    """One member cannot blank an hour, nor change one that is closed by being believed later."""
    member = await admit_implausible(office)
    async with office.village() as village:
        for n in range(11):
            await village.join(f"next{n}", days=40, hours_today=3)
        await open_from(village.connection, AT_ONCE, NAME, NOW - timedelta(days=50))
    await close_due(office)
    browser = await office.enter()
    # Midnight in UTC is two o'clock in Lorient.
    closed = "04:00 published 12 of 12", "03:00 published 11 of 12", "02:00 published 11 of 12"
    page = await browser.open("publication")
    assert all(text in page.text for text in closed)
    page = await browser.open(f"members/{member.pseudonym}")
    await browser.send(page, "/believe", ("kw", "36"))
    assert not await office.read(set_aside.of_member, member.id)
    await close_due(office)
    page = await browser.open("publication")
    assert all(text in page.text for text in closed)
