"""The first steps of a collective lead to where each is done, until all are."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consometers_node.collective.about import About
from consometers_node.collective.members import invitations
from consometers_node.collective.monitoring.backups import BackupStep, note
from consometers_node.collective.permissions import needs
from consometers_node.collective.publication.policy import AT_ONCE, open_from
from consometers_node.collective.settings import MailSettings
from consometers_node.collective.witness.register import enrol
from consometers_node.store import Store
from consometers_node.web.admin.overview.first_steps import STEPS, WITNESS_STEPS, FirstStep
from consometers_node.web.admin.words import ACCOUNTS_GUIDE
from consometers_node.web.core.page_base import REPOSITORY
from testing.checkout import ROOT
from testing.documentation import anchors
from testing.homes.data_needs import NEED
from testing.pages.office import NAME, Office, serving, settle_together
from testing.pages.town import NOW, settings
from testing.pages.village import Village
from testing.witnesses.enrolled import COLLECTIVE, FIRST_HEAD, EnrolledHome, vouched

CONTACT, BACKUP, ALERTS, REQUEST, INVITATION, OPENING = (step.words.say("en") for step in STEPS)
MAIL = MailSettings(mail_to=("contact@example.org",), smtp_host="mail.example.org")


type Begun = Callable[..., AbstractAsyncContextManager[Office]]


@pytest.fixture
def begun(file: Store, tmp_path: Path, socket_enabled: None) -> Begun:
    """Serve a collective that has done nothing yet but what stands in its settings."""

    @asynccontextmanager
    async def serve(**written: object) -> AsyncIterator[Office]:
        bare = {"about": About(), "webhook": None} | written
        async with serving(file, settings(tmp_path, **bare)) as office:
            await office.appoint(NAME)
            yield office

    return serve


async def not_done(office: Office, steps: Sequence[FirstStep] = STEPS) -> list[str]:
    """Return the steps that the first page links to."""
    links = (await (await office.enter()).open("")).html
    return [words for step in steps if f">{(words := step.words.say('en'))}</a>" in links]


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(("steps", "collectives"), [(STEPS, ()), (WITNESS_STEPS, (COLLECTIVE,))])
async def test_each_step_leads_to_where_it_is_done(
    begun: Begun, steps: Sequence[FirstStep], collectives: tuple[str, ...], language: str
) -> None:
    async with begun(witness_for=collectives) as office:
        browser = await office.enter(language)
        page = await browser.open("")
        for step in steps:
            assert step.words.say(language) in page.text
            assert " ".join(step.why.say(language).split()) in page.text
            path, _, section = step.to.partition("#")
            if step.guide is None:
                assert page.link(step.to)
                there = await browser.open(path)
                assert there.status == 200
                assert not section or f'id="{section}"' in there.html
            else:
                assert step.guide[language] in page.links


@pytest.mark.parametrize(
    "guide", [ACCOUNTS_GUIDE, *(step.guide for step in (*STEPS, *WITNESS_STEPS) if step.guide)]
)
def test_each_guide_exists_in_each_language(guide: dict[str, str]) -> None:
    for address in guide.values():
        path, _, section = address.removeprefix(f"{REPOSITORY}/blob/main/").partition("#")
        assert section in anchors(ROOT / path)


async def back_up(village: Village) -> None:
    await note(village.connection, BackupStep.MADE, NOW)


async def ask(village: Village) -> None:
    await needs.offer(village.connection, NEED, NOW)


async def invite(village: Village) -> None:
    await invitations.make(village.connection, at=NOW, expires_at=NOW + timedelta(days=30))


async def admit(village: Village) -> None:
    await village.members.admit("home@example.org", NOW)


async def open_it(village: Village) -> None:
    await open_from(village.connection, AT_ONCE, NAME, NOW)


@pytest.mark.parametrize(
    ("step", "written", "work"),
    [
        (CONTACT, {"about": About(mail="contact@example.org")}, None),
        (BACKUP, {}, back_up),
        (ALERTS, {"mail": MAIL}, None),
        (ALERTS, {"webhook": "https://chat.example.org/hooks/1"}, None),
        (REQUEST, {}, ask),
        (INVITATION, {}, invite),
        (INVITATION, {}, admit),
        (OPENING, {}, open_it),
    ],
)
async def test_a_step_is_done_by_what_is_there(
    begun: Begun,
    step: str,
    written: dict[str, object],
    work: Callable[[Village], Awaitable[None]] | None,
) -> None:
    async with begun(**written) as office:
        if work is not None:
            async with office.village() as village:
                await work(village)
        titles = [each.words.say("en") for each in STEPS]
        assert await not_done(office) == [title for title in titles if title != step]
        assert "1 of 6 done" in (await (await office.enter()).open("")).text


async def test_they_disappear_once_all_are_done(office: Office) -> None:
    await settle_together(office)
    page = await (await office.enter()).open("")
    assert "All is well" in page.text
    assert "First steps" not in page.text


async def test_all_is_well_never_stands_above_an_open_step(office: Office) -> None:
    await settle_together(office)
    without_alerts = replace(office.settings, webhook=None)
    async with serving(office.store, without_alerts) as opened:
        assert await not_done(opened) == [ALERTS]
        page = await (await opened.enter()).open("")
    assert "5 of 6 done" in page.text
    assert "All is well" not in page.text
    assert "Nothing to do" not in page.text


async def test_a_witness_is_led_until_its_first_home_has_enrolled(begun: Begun) -> None:
    async with begun(witness_for=(COLLECTIVE,)) as office:
        *on_server, _, first_home = titles = [step.words.say("en") for step in WITNESS_STEPS]
        assert await not_done(office, WITNESS_STEPS) == titles
        page = await (await office.enter()).open("")
        assert f"the witness of {COLLECTIVE}" in page.text
        assert "invitation" not in page.text
        home = EnrolledHome()
        await vouched(office.store, home)
        assert await not_done(office, WITNESS_STEPS) == [*on_server, first_home]
        async with office.store.writing() as connection:
            await enrol(connection, home.enrolment(), FIRST_HEAD, datetime.now(UTC))
        assert await not_done(office, WITNESS_STEPS) == on_server
        assert "2 of 5 done" in (await (await office.enter()).open("")).text


async def test_a_witness_whose_steps_are_done_sees_its_problems(begun: Begun) -> None:
    contact = About(mail="contact@example.org")
    async with begun(witness_for=(COLLECTIVE,), about=contact, mail=MAIL) as office:
        home = EnrolledHome()
        await vouched(office.store, home)
        async with office.village() as village:
            await back_up(village)
            await enrol(village.connection, home.enrolment(), FIRST_HEAD, datetime.now(UTC))
        page = await (await office.enter()).open("")
    assert "First steps" not in page.text
    assert "The legal notice lacks what the law requires" in page.text
    assert "Last backup" in page.text


async def test_a_witness_with_a_request_of_its_own_is_led_as_a_collective(begun: Begun) -> None:
    async with begun(witness_for=(COLLECTIVE,)) as office:
        async with office.village() as village:
            await ask(village)
        titles = [step.words.say("en") for step in STEPS]
        assert await not_done(office) == [title for title in titles if title != REQUEST]
