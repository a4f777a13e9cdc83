"""The API of a witness for homes, and the page about its collectives."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
import logging
from pathlib import Path
import re
from uuid import uuid4

from aiohttp import ClientResponse, ClientSession
import pytest

from consometers_node.collective.witness import heads, register
from consometers_node.collective.witness.heads import Evidence
from consometers_node.rate_limit import TokenBucket
from consometers_node.store import Store
from consometers_node.web.public.witness import WRONG_CODES
from consometers_node.wire.witness_requests import (
    Call,
    DepartureReceipt,
    EnrolmentReceipt,
    OpeningsSummary,
)
from consometers_protected_sums.exchange import Refusal, RefusedHomes, RefusedSum
from testing.clocks import sure
from testing.pages.browser import Browser
from testing.pages.town import ReleasedTown, serving, settings
from testing.witnesses.enrolled import (
    COLLECTIVE,
    HOURS,
    VALUES,
    EnrolledHome,
    answers_of,
    enrolled,
    new_witness,
    opening_of,
    this_hour,
    vouched,
)

UNLIMITED = 100_000
MINIMUM = 10
"""The minimum promised to each home."""


@pytest.fixture
async def witness(file: Store, tmp_path: Path, socket_enabled: None) -> AsyncIterator[ReleasedTown]:
    town = ReleasedTown(file, settings(tmp_path, witness_for=(COLLECTIVE,)))
    service = await new_witness(file)
    limits = TokenBucket(UNLIMITED, 1)
    async with serving(town, limits, lambda: datetime.now(UTC), witness=service) as served:
        yield served


async def post(town: ReleasedTown, call: Call, body: object) -> ClientResponse:
    return await visitor(town).post(town.url / call.path[1:], json=body)


def visitor(town: ReleasedTown) -> ClientSession:
    assert town.session is not None
    return town.session


async def test_home_enrols_reads_openings_and_departs(
    witness: ReleasedTown, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    home = EnrolledHome()
    await vouched(witness.store, home)
    answer = await post(witness, Call.ENROLMENTS, home.enrolment().body())
    assert answer.status == 201
    receipt = EnrolmentReceipt.read(await answer.json())
    assert receipt.proves(home.enrolment())
    answer = await post(witness, Call.ENROLMENTS, home.enrolment().body())
    assert (answer.status, EnrolmentReceipt.read(await answer.json())) == (200, receipt)
    answer = await post(witness, Call.OPENINGS, home.signed(Call.OPENINGS).body())
    summary = OpeningsSummary.read(await answer.json())
    assert (summary.homes, summary.opened, summary.left_at) == (None, {}, None)
    answer = await post(witness, Call.DEPARTURES, home.signed(Call.DEPARTURES).body())
    assert DepartureReceipt.read(await answer.json()).left_at >= summary.enrolled_at
    assert answer.headers["Cache-Control"] == "no-cache"
    assert home.pseudonym not in caplog.text
    assert home.code not in caplog.text


async def test_invalid_requests_are_refused_in_both_languages(witness: ReleasedTown) -> None:
    home = EnrolledHome()
    await vouched(witness.store, home)
    await post(witness, Call.ENROLMENTS, home.enrolment().body())
    other = home.enrolment(minimum=11).body()
    stranger = home.enrolment().body() | {"collective": "other@energies.example"}
    unknown = EnrolledHome().signed(Call.OPENINGS).body()
    for call, body, status in (
        (Call.ENROLMENTS, other, 409),
        (Call.ENROLMENTS, stranger, 403),
        (Call.ENROLMENTS, EnrolledHome().enrolment().body(), 422),
        (Call.ENROLMENTS, other | {"code": "BCDFG"}, 400),
        (Call.ENROLMENTS, {}, 400),
        (Call.OPENINGS, unknown, 404),
        (Call.OPENINGS, unknown | {"mac": "AAAA"}, 400),
        (Call.DEPARTURES, unknown, 404),
        (Call.DEPARTURES, {"long": "x" * 5000}, 413),
    ):
        answer = await post(witness, call, body)
        problem = await answer.json(content_type="application/problem+json")
        assert (answer.status, problem["status"]) == (status, status)
        assert problem["title"] != problem["title_fr"]
        assert problem.get("detail", "") != problem.get("detail_fr")
    for raw in (b"\xff", b"[" * 4000, b"nothing"):
        answer = await visitor(witness).post(witness.url / "witness/enrolments", data=raw)
        assert answer.status == 400
    answer = await visitor(witness).get(witness.url / "witness/enrolments")
    assert answer.status == 405


async def test_frequent_requests_must_wait(
    file: Store, tmp_path: Path, socket_enabled: None
) -> None:
    town = ReleasedTown(file, settings(tmp_path, witness_for=(COLLECTIVE,)))
    service = await new_witness(file)
    async with serving(town, TokenBucket(2, 0.01), witness=service) as served:
        answers = [await post(served, Call.ENROLMENTS, {}) for _ in range(3)]
    assert [answer.status for answer in answers] == [400, 400, 429]
    assert answers[-1].content_type == "application/problem+json"


async def test_wrong_codes_are_limited_by_address_and_say_nothing_of_valid_ones(
    witness: ReleasedTown,
) -> None:
    """A home that enrols, or tries again after a lost answer, uses none of the tries up."""
    home, late = EnrolledHome(), EnrolledHome()
    await vouched(witness.store, home, late)
    for _ in range(3):
        assert (await post(witness, Call.ENROLMENTS, home.enrolment().body())).status < 300
    wrong = [EnrolledHome(), EnrolledHome(code=home.code)]
    answers = []
    for n in range(WRONG_CODES):
        answer = await post(witness, Call.ENROLMENTS, wrong[n % 2].enrolment().body())
        answers.append((answer.status, await answer.read()))
    # One that nobody has, and one that a home has, are answered alike.
    assert {status for status, _ in answers} == {422}
    assert len({body for _, body in answers}) == 1
    # From then on, the address learns nothing at all: not even by a valid code.
    for each in (EnrolledHome(), late):
        answer = await post(witness, Call.ENROLMENTS, each.enrolment().body())
        assert answer.status == 429
        assert 500 < int(answer.headers["Retry-After"]) <= 600
        assert answer.content_type == "application/problem+json"
    # Homes that are enrolled go on.
    answer = await post(witness, Call.OPENINGS, home.signed(Call.OPENINGS).body())
    assert (answer.status, (await answer.json())["opened"]) == (200, {})


async def test_tries_that_come_at_once_are_counted_before_they_are_made(
    witness: ReleasedTown,
) -> None:
    async def attempt() -> int:
        return (await post(witness, Call.ENROLMENTS, EnrolledHome().enrolment().body())).status

    statuses = Counter(await asyncio.gather(*(attempt() for _ in range(3 * WRONG_CODES))))
    assert statuses == {422: WRONG_CODES, 429: 2 * WRONG_CODES}


async def test_strangers_do_not_raise_the_number_of_homes_enrolled(
    witness: ReleasedTown, tmp_path: Path
) -> None:
    service = await new_witness(witness.store)
    await enrolled(service, 10)
    for _ in range(5):
        await post(witness, Call.ENROLMENTS, EnrolledHome().enrolment().body())
    for language, words in (
        ("en", "so could either of us together with all but one of the homes in a sum."),
        ("fr", "l’un de nous le pourrait aussi avec tous les foyers d’une somme sauf un."),
    ):
        browser = Browser(visitor(witness), witness.url, "", language)
        page = await browser.open("witness")
        assert words in page.text
        assert "Homes enrolled 10" in page.text or "Foyers inscrits 10" in page.text


async def shown(witness: ReleasedTown) -> dict[str, str]:
    """Return the facts of the page, in English, by their names."""
    page = await visitor(witness).get(witness.url / "witness")
    html = await page.text()
    assert page.status == 200
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html))


async def test_page_of_a_witness_shows_collective_and_openings(
    witness: ReleasedTown, tmp_path: Path
) -> None:
    service = await new_witness(witness.store)
    homes, hour = await enrolled(service, 20), this_hour()
    for hours in range(MINIMUM):
        at = hour - hours * HOURS
        await answers_of(service, opening_of(homes[:10], at))
    html = await (await visitor(witness).get(witness.url / "witness")).text()
    assert COLLECTIVE in html
    assert not any(home.pseudonym in html for home in homes)
    facts = await shown(witness)
    assert list(facts) == ["Homes enrolled", "Since", "Sums opened", "Last opening"]
    assert (facts["Homes enrolled"], facts["Sums opened"]) == ("20", "10")
    front = await (await visitor(witness).get(witness.url / "about")).text()
    assert 'href="./witness"' in front


async def test_page_of_a_witness_shows_no_refusal(witness: ReleasedTown) -> None:
    """An hourly reader would otherwise see which hours one large home dominates."""
    service = await new_witness(witness.store)
    homes, hour = await enrolled(service, 20), this_hour()
    before = await (await visitor(witness).get(witness.url / "witness")).read()
    dominated = opening_of(homes[:10], hour, [30_000, *VALUES[1:]])
    for request, reason in (
        (dominated, Refusal.DOMINANCE),
        (replace(dominated, id=str(uuid4())), Refusal.OPENED_BEFORE),
        (opening_of(homes[:9], hour - HOURS, VALUES[:9]), Refusal.TOO_FEW),
        (replace(opening_of(homes, hour, VALUES * 2), verification_key=bytes(32)), None),
    ):
        (answer, *_) = await answers_of(service, request)
        assert isinstance(answer, RefusedSum | RefusedHomes)
        assert reason in (answer.reason, None)
        assert await (await visitor(witness).get(witness.url / "witness")).read() == before
    async with witness.store.reading() as connection:
        (work,) = await register.overview(connection, (COLLECTIVE,), datetime.now(UTC))
    assert work.refused[Refusal.DOMINANCE] == 1


async def test_page_of_a_witness_shows_no_count_below_the_minimum(witness: ReleasedTown) -> None:
    service = await new_witness(witness.store)
    nobody = await shown(witness)
    homes = await enrolled(service, MINIMUM - 1)
    assert await shown(witness) == nobody == {"Homes enrolled": "too few to be shown"}
    homes += await enrolled(service, 1)
    await answers_of(service, opening_of(homes, this_hour()))
    assert list(await shown(witness)) == ["Homes enrolled", "Since", "Last opening"]
    await service.leave(homes[0].signed(Call.DEPARTURES))
    facts = await shown(witness)
    assert list(facts) == ["Homes enrolled", "Last opening"]
    assert facts["Homes enrolled"] == "too few to be shown"


async def test_pages_of_a_witness_that_was_set_back_say_so_in_both_languages(
    witness: ReleasedTown,
) -> None:
    async with witness.store.writing() as connection:
        await heads.mark(connection, Evidence.KEYS)
    for opens, sentences in (
        (False, {"en": "It opens nothing until a home", "fr": "Il n’ouvre rien avant"}),
        (True, {"en": "it opens no hour that began before", "fr": "n’ouvre aucune heure"}),
    ):
        if opens:
            async with witness.store.writing() as connection:
                await heads.agree(connection, sure(datetime.now(UTC)))
        for language, sentence in sentences.items():
            browser = Browser(visitor(witness), witness.url, "", language)
            assert sentence in (await browser.open("witness")).text


async def test_collective_that_is_no_witness_has_no_such_page(empty: ReleasedTown) -> None:
    assert (await visitor(empty).get(empty.url / "witness")).status == 404
    answer = await post(empty, Call.ENROLMENTS, EnrolledHome().enrolment().body())
    assert answer.status == 404
    about = await (await visitor(empty).get(empty.url / "about")).text()
    assert "witness" not in about
