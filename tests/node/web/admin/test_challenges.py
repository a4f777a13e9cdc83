"""An administrator sets a challenge, changes it, and removes it."""

from consometers_node.collective.challenges.register import all_challenges
from consometers_node.store.collective.access_log import reads
from testing.pages.contest import FIRST, LAST, SLUGS, TYPED, fill
from testing.pages.office import NAME, Office, summary
from testing.pages.town import ReleasedTown

FILLED = (
    ("name_fr", TYPED.name_fr),
    ("name_en", TYPED.name_en),
    ("first_day", FIRST.isoformat()),
    ("last_day", LAST.isoformat()),
    ("objective", "10"),
)
BOTH = (("participants", "lorient"), ("participants", "lanester"))


async def test_a_challenge_is_set_changed_and_removed(office: Office) -> None:
    browser = await office.enter("fr")
    assert "Il n’y en a pas encore autant." in (await browser.open("challenges")).text
    await fill(ReleasedTown(office.store, office.settings), until=FIRST)
    page = await browser.open("challenges")
    for slug in SLUGS:
        assert f'value="{slug}"' in page.html
    page = await browser.fill("challenges", "challenges", *FILLED, *BOTH)
    assert "Le défi est enregistré." in page.text
    assert "2 participants" in page.text
    (challenge,) = await office.read(all_challenges)
    page = await browser.open(f"challenges/{challenge.id}")
    assert page.html.count(" checked") == 2
    changed = (*FILLED[:-1], ("objective", "−5 %"), *BOTH, ("participants", SLUGS[3]))
    await browser.send(page, f"challenges/{challenge.id}/change", *changed)
    (challenge,) = await office.read(all_challenges)
    assert (challenge.objective_percent, len(challenge.participants)) == (5, 3)
    public = await browser.open(f"/challenge/{challenge.id}")
    assert "Objectif : −5 % par rapport à l’an dernier" in public.text
    page = await browser.open(f"challenges/{challenge.id}")
    page = await browser.send(page, f"challenges/{challenge.id}/remove")
    assert "Le défi est supprimé." in page.text
    assert not await office.read(all_challenges)
    assert (await browser.open(f"challenges/{challenge.id}")).status == 404
    fields = [page.form("challenges").fields[0], *changed]
    for action in ("change", "remove"):
        removed = await browser.post(f"challenges/{challenge.id}/{action}", fields)
        assert removed.status == 409
    logged = [read for read in await office.read(reads) if read.what.startswith("challenge")]
    assert [read.what.split()[-1] for read in logged] == ["removed", "changed", "set"]
    assert {read.who for read in logged} == {NAME}
    assert "a supprimé le défi « The spring challenge »" in (await browser.open("log")).text


async def test_invalid_challenge_is_refused_and_stays_in_the_form(office: Office) -> None:
    await fill(ReleasedTown(office.store, office.settings), until=FIRST)
    browser = await office.enter()
    wrong = (*FILLED[:3], ("last_day", FIRST.isoformat()), ("objective", "all"), BOTH[0])
    page = await browser.fill("challenges", "challenges", *wrong)
    assert page.status == 422
    assert [name for name, _ in summary(page)] == ["last_day", "objective", "participants"]
    assert 'value="all"' in page.html
    assert page.html.count(" checked") == 1
    assert not await office.read(all_challenges)
