"""An administrator sees what the public would see, and chooses then."""

from datetime import date, timedelta
from itertools import product

from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.node import CollectiveNode
from consometers_node.collective.permissions import needs
from consometers_node.collective.publication.policy import (
    AT_ONCE,
    FIELDS,
    ChosenRules,
    chosen,
    open_from,
    opened,
)
from consometers_node.store.collective.access_log import reads
from consometers_node.store.settings import set_setting
from consometers_quoalise_network import Account, Identity, Server
from consometers_quoalise_xmpp import XmppTransport
from testing.collectives.publishing import PublishingTown
from testing.homes.data_needs import PROTECTED
from testing.pages.browser import Browser, Page
from testing.pages.office import NAME, Office, close_due, serving, settle_together, summary
from testing.pages.town import NOW

FIVE, THREE = Publication(minimum=5), Publication(minimum=3)
YESTERDAY = NOW.date() - timedelta(days=1)


async def record_days(office: Office) -> None:
    """Store some days of four homes of Lorient, where ten homes would be shown."""
    async with office.village() as village:
        town = PublishingTown(
            village.connection, office.settings.publication, NOW - timedelta(hours=2)
        )
        homes = await town.members(4, "Lorient")
        # Homes of the town joined in July.
        moved = "UPDATE group_membership SET from_month = '2020-01-01'"
        await village.connection.exec_driver_sql(moved)
        for n in range(5):
            await town.record(homes, 1000, day=YESTERDAY - timedelta(days=n))


async def test_form_has_each_declared_rule(office: Office) -> None:
    html = (await (await office.enter()).open("publication")).html
    assert [name for name in FIELDS if f' name="{name}"' not in html] == []


async def choice(office: Office) -> ChosenRules | None:
    return await office.read(chosen)


async def rules(office: Office) -> Publication | None:
    stored = await choice(office)
    return None if stored is None else stored.rules.publication


async def opens(office: Office) -> date | None:
    opening = await office.read(opened)
    return None if opening is None else opening.opens


async def logged(office: Office) -> list[str]:
    return [entry.what for entry in reversed(await office.read(reads)) if entry.what != "login"]


async def previewed(browser: Browser, *filled: tuple[str, str]) -> Page:
    page = await browser.open("publication")
    return await browser.send(page, "publication/preview", *filled)


async def test_the_page_shows_the_rules_in_force(office: Office) -> None:
    browser = await office.enter()
    page = await browser.open("publication")
    assert "10 homes" in page.text
    assert "every hour" in page.text
    assert "As in the settings file." in page.text
    assert "The collective is closed: nothing is published before you open it." in page.text
    assert not [form for form in page.forms if "publication/file" in form.action]


async def test_preview_counts_figures_and_changes_nothing(office: Office) -> None:
    await record_days(office)
    browser = await office.enter()
    page = await previewed(browser, ("minimum", "4"))
    assert page.status == 200
    assert "24 shown" in page.text
    assert "protect your members less" in page.text
    assert await choice(office) is None
    assert await logged(office) == [
        (
            "preview of publication basis=agreed minimum=4 interval=PT1H wait_minutes=20"
            " longest_wait_minutes=120"
        )
    ]


async def test_public_home_page_can_be_previewed(office: Office) -> None:
    await record_days(office)
    office.clock.now = NOW - timedelta(hours=13)
    browser = await office.enter()
    preview = await previewed(browser, ("minimum", "4"))
    fields = preview.form("publication").fields
    page = await browser.post("publication/front", fields)
    assert page.status == 200
    assert "nobody else sees this" in page.text
    assert "4 kW" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert any(address.startswith("../../static/public.css") for address in page.loads)
    public = await browser.open("/")
    assert "4 kW" not in public.text
    assert "once at least 10 homes" in public.text


async def test_previewed_rules_are_chosen(office: Office) -> None:
    browser = await office.enter()
    page = await previewed(browser, ("minimum", "12"), ("wait_minutes", "60"))
    page = await browser.send(page, "publication")
    assert page.url.query_string == "done=chosen"
    assert "12 homes" in page.text
    assert f"Chosen by {NAME}" in page.text
    assert await rules(office) == Publication(minimum=12, wait=timedelta(minutes=60))
    stored = await choice(office)
    assert stored is not None
    assert stored.by == NAME
    page = await browser.send(page, "publication/file")
    # Ten homes are fewer than twelve: that is seen first.
    assert "protect your members less" in page.text


async def test_weaker_protection_needs_consent_of_members(office: Office) -> None:
    browser = await office.enter()
    page = await previewed(browser, ("minimum", "5"))
    page = await browser.send(page, "publication")
    assert page.status == 422
    assert "First confirm that your members agreed" in page.text
    assert await choice(office) is None
    page = await browser.send(page, "publication", ("agreed", "yes"))
    assert page.status == 200
    assert await rules(office) == FIVE
    # The file is stricter: back at once.
    page = await browser.send(page, "publication/file")
    assert page.url.query_string == "done=back"
    assert await choice(office) is None
    assert (await logged(office))[-1] == "publication as the file says"


async def test_publication_opens_on_a_day(office: Office) -> None:
    browser = await office.enter()
    page = await previewed(browser, ("opening", "from"), ("opens", "2026-12-01"))
    assert "a preview of opening it now" in page.text
    page = await browser.send(page, "publication")
    assert await opens(office) == date(2026, 12, 1)
    assert "1 December 2026" in page.text
    page = await previewed(browser, ("opening", "not-yet"))
    await browser.send(page, "publication")
    assert await opens(office) is None
    page = await previewed(browser, ("opening", ""), ("basis", "law"), ("minimum", "whatever"))
    assert "as the law requires" in page.text
    await browser.send(page, "publication", ("agreed", "yes"), ("without_history", "yes"))
    assert await rules(office) == Publication(minimum=None)
    assert await opens(office) == AT_ONCE


async def test_opening_in_vain_needs_a_confirmation(office: Office) -> None:
    """Four homes would lose their history by it."""
    await record_days(office)
    browser = await office.enter()
    page = await previewed(browser, ("opening", ""))
    assert "118 hidden" in page.text
    assert "118: too few homes" in page.text
    assert "nor ever will be once the collective is open" in page.text
    page = await browser.send(page, "publication")
    assert page.status == 422
    assert "First confirm that your members do without their history" in page.text
    assert await opens(office) is None
    await browser.send(page, "publication", ("without_history", "yes"))
    assert await opens(office) == AT_ONCE


async def test_opening_says_how_many_intervals_it_publishes(office: Office) -> None:
    await record_days(office)
    browser = await office.enter()
    page = await previewed(browser, ("minimum", "4"), ("opening", ""))
    assert "Of the history since 5 June 2026" in page.text
    assert "Opening publishes, once, the history" in page.text
    assert "118 shown" in page.text
    assert "Open without the history" not in page.text
    await browser.send(page, "publication", ("agreed", "yes"))
    assert await opens(office) == AT_ONCE


HOSTILE = {
    "minimum": ("2", "0", "-1", "²", "٣٣", "9" * 3000, "1e3", "", "<script>alert(1)</script>"),
    "basis": ("none", ""),
    "interval": ("P1D", "PT1S"),
    "wait_minutes": ("0", "1441", "'; DROP TABLE setting; --"),
    "opening": ("whenever",),
    "opens": ("", "tomorrow", "9999-12-31", "0001-01-01", "2026-02-30"),
}


async def test_invalid_values_choose_nothing(office: Office) -> None:
    browser = await office.enter()
    page = await browser.open("publication")
    form = dict(page.form("publication/preview").fields)
    form |= {"agreed": "yes", "opening": "from", "opens": "2026-12-01"}
    values = [(name, value) for name, some in HOSTILE.items() for value in some]
    for (name, value), way in product(values, ("", "/preview", "/front")):
        page = await browser.post(f"publication{way}", list({**form, name: value}.items()))
        assert page.status == 422, name
        assert "Please correct the following" in page.text
    assert await choice(office) is None
    assert await logged(office) == []


async def test_errors_are_listed_in_page_order(office: Office) -> None:
    browser = await office.enter("fr")
    page = await previewed(browser, ("wait_minutes", "1441"), ("minimum", "2"), ("opening", "from"))
    assert [name for name, _ in summary(page)] == ["minimum", "wait_minutes", "opens"]
    assert summary(page)[1][1].endswith(", en minutes : Écrivez des minutes, de 1 à 1 440.")


async def test_previewed_rules_can_be_changed(office: Office) -> None:
    browser = await office.enter()
    page = await previewed(browser, ("minimum", "40"), ("interval", "PT30M"))
    page = await browser.post("publication/form", page.form("publication").fields)
    fields = dict(page.form("publication/preview").fields)
    assert (fields["minimum"], fields["interval"]) == ("40", "PT30M")
    for path in ("preview", "front", "form"):
        page = await browser.open(f"publication/{path}")
        assert page.url.path == "/administration/publication"


async def test_protected_sums_require_hourly_publication(office: Office) -> None:
    await office.written(lambda connection: needs.offer(connection, PROTECTED, NOW))
    browser = await office.enter("fr")
    page = await previewed(browser, ("minimum", "40"), ("interval", "PT30M"))
    assert page.status == 422
    ((name, words),) = summary(page)
    assert name == "interval"
    assert f"« {PROTECTED.id} » demande des sommes protégées" in words
    await office.written(lambda connection: needs.close(connection, PROTECTED.id, NOW))
    page = await previewed(browser, ("minimum", "40"), ("interval", "PT30M"))
    assert page.status == 200


async def test_unreadable_choice_is_reported(office: Office) -> None:
    await office.written(lambda connection: set_setting(connection, "publication", "{"))
    browser = await office.enter()
    page = await browser.open("publication")
    assert "can no longer be read" in page.text
    page = await browser.send(page, "publication/file")
    assert page.url.query_string == "done=back"


async def test_running_node_applies_chosen_rules(office: Office) -> None:
    who = Identity(Account("coop@example.org", "a word"), Server())
    node = CollectiveNode(
        office.store, office.settings, who, lambda settings: XmppTransport(settings.account)
    )
    before = node.changes.count
    async with serving(office.store, office.settings, node) as running:
        browser = await running.enter()
        page = await previewed(browser, ("minimum", "20"))
        await browser.send(page, "publication")
    assert node.rules.now.publication == Publication(minimum=20)
    assert node.changes.count > before


async def test_opening_form_differs_once_figures_are_published(office: Office) -> None:
    await record_days(office)
    async with office.village() as village:
        await open_from(village.connection, AT_ONCE, NAME, NOW)
        town = PublishingTown(village.connection, THREE, NOW, opened_at=NOW)
        await town.look(NOW)
    page = await (await office.enter()).open("publication")
    assert "Figures have been published since" in page.text
    assert "Nothing new before a date" in page.text


async def test_another_resolution_begins_at_midnight(office: Office) -> None:
    await record_days(office)
    async with office.village() as village:
        await open_from(village.connection, AT_ONCE, NAME, NOW)
        await PublishingTown(village.connection, THREE, NOW, opened_at=NOW).look(NOW)
    browser = await office.enter()
    page = await previewed(browser, ("interval", "PT30M"))
    assert "a new resolution from midnight on" in page.text
    page = await browser.send(page, "publication", ("agreed", "yes"))
    assert "every hour from 11 June 2026: every half hour" in page.text
    assert dict(page.form("publication/preview").fields)["interval"] == "PT30M"
    page = await previewed(browser, ("minimum", "12"))
    # The step was chosen before.
    assert "protect your members less" not in page.text
    office.clock.now = NOW + timedelta(days=1)
    page = await (await office.enter()).open("publication")
    assert "every half hour" in page.text
    assert "from 11 June" not in page.text


async def test_hours_show_their_number_of_homes_or_a_reason(office: Office) -> None:
    await settle_together(office, homes=12, hours=11)
    async with office.village() as village:
        await village.join("late", days=3)
    browser = await office.enter()
    page = await browser.open("publication")
    assert "Hours of 10 June 2026" in page.text
    assert "2 intervals are not published, or in part." in page.text
    # From 13:00 in Lorient on, there are no records.
    assert "14:00 nothing came 0 of 12" in page.text
    assert "12:00 published 12 of 12" in page.text
    assert "13 of" not in page.text
    page = await browser.follow(page, "day=2026-06-09")
    assert "Hours of 9 June 2026" in page.text
    assert "All due figures are published." in page.text
    assert page.link("day=2026-06-10")
    for odd in ("x", "9999-12-31", "2026-02-30", "1999-01-01"):
        assert "Hours of 10 June 2026" in (await browser.open(f"publication?day={odd}")).text
    assert (
        "No interval of this day is closed"
        in (await browser.open("publication?day=2026-01-01")).text
    )


async def test_publication_of_history_shows_its_progress(office: Office) -> None:
    async with office.village() as village:
        for n in range(12):
            await village.join(f"h{n}", days=12, hours_today=13)
        await open_from(village.connection, AT_ONCE, NAME, NOW)
    browser = await office.enter()
    page = await browser.open("publication")
    assert "History being published 0%" in page.text
    # It asks again by itself, until it is done.
    assert ("section", "hx-trigger", "every 2s") in page.attributes
    await close_due(office)
    page = await browser.open("publication")
    assert "History being published" not in page.text
    assert "All due figures are published." in page.text
