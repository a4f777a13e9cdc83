"""Open data: the same figures under addresses that stay."""

import asyncio
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Callable
import csv
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
import io
from ipaddress import ip_network
from itertools import product
from pathlib import Path
import re
import sys

import jsonschema  # type: ignore[import-untyped]
import pytest
from yarl import URL

from consometers_node.collective.disclosure.reasons import PUBLIC_REASONS, Reason
from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.members.sites import Description
from consometers_node.collective.settings import PageSettings
from consometers_node.figures import FIGURES, Unit
from consometers_node.rate_limit import TokenBucket
from consometers_node.series import Direction, Interval
from consometers_node.store.collective.groups import GroupKind
from consometers_node.store.collective.masked_reports import (
    StoredOpening,
    forget_opened,
    store_answer,
    store_opening,
)
from consometers_node.store.collective.publication import ClosedInterval, PublishedCell, write
from consometers_node.web.public.open_data.archive import ARCHIVE
from consometers_node.web.public.open_data.opendata import FIELDS, MOST_DAYS, Longer
from consometers_node.web.public.page_base import DATA
from consometers_node.web.public.routes import LOOKS
from consometers_node.web.public.words import LICENCE, LICENCE_ID, LICENCE_URL
from testing.pages.town import ReleasedTown, day_of, hours_of, open_data, serving, settings

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


async def test_hours_have_values_and_numbers_of_members(town: ReleasedTown) -> None:
    document = await open_data(town, "consumption/by/all/PT1H/from/2026-06-09/to/2026-06-10")
    assert document["unit"] == "Wh"
    assert document["time_zone"] == "Europe/Paris"
    assert document["licence"] == "etalab-2.0"
    assert len(document["values"]) == 24 + 15
    assert document["values"][0] == {
        "start": "2026-06-09T00:00:00+02:00",
        "end": "2026-06-09T01:00:00+02:00",
        "value": 10_000,
        "hours": 1,
        "hours_ended": 1,
        "hours_without_homes": 0,
        "protected_later": 0,
        "protected_since": None,
        "members": 37,
        "members_counting": 40,
        "homes": 37,
        "per_home": 270.3,
        "withheld": None,
    }


async def test_figures_say_without_which_homes_they_are_and_which_came_later(
    empty: ReleasedTown,
) -> None:
    """As JSON, as CSV and on the page, of the hour and of its day."""
    start = datetime(2026, 6, 9, 10, tzinfo=UTC)
    day = date(2026, 6, 9)
    hour = PublishedCell(
        group=await empty.group(),
        direction=Direction.CONSUMPTION,
        interval=Interval.PT1H,
        start=start,
        day=day,
        watt_minutes=600_000,
        members=10,
        homes=10,
        counting=10,
        homes_watt_minutes=600_000,
        average=60_000,
        minutes=60,
        unopened=60,
    )
    midnight = datetime(2026, 6, 8, 22, tzinfo=UTC)
    asked = StoredOpening(
        Direction.CONSUMPTION, start, "commune@example.org", "", bytes(32), b"", start
    )
    async with empty.store.writing() as connection:
        await store_opening(connection, asked)
        whole = hour._replace(interval=Interval.P1D, start=midnight)
        await write(connection, [hour, whole], [])
    for interval, first_day in ((Interval.PT1H, start), (Interval.P1D, midnight)):
        await empty.close([first_day], interval=interval)

    async def figures() -> list[tuple[object, ...]]:
        names = ["value", "hours_without_homes", "homes"]
        names += ["protected_later", "protected_since"]
        documents = [
            await open_data(empty, f"consumption/by/all/{interval}/from/{day}/to/{day}")
            for interval in ("PT1H", "P1D", "P1M")
        ]
        return [
            tuple(value[name] for name in names)
            for document in documents
            for value in document["values"]
            if value["value"] is not None
        ]

    browser = empty.browser()
    assert await figures() == 3 * [(10_000, 1, 10, 0, None)]
    pages = "", "wall", f"day/{day}", f"day/{day}.csv", "data"
    shown = [(await browser.open(page)).text for page in pages]
    assert "protected homes not counted in 1 of 1 hours" in shown[2]
    async with empty.store.writing() as connection:
        await store_answer(connection, asked, "{}")
    # That a witness was asked, hours ago, is on no page.
    assert not any("witness" in words for words in shown[:4])
    assert [(await browser.open(page)).text for page in pages] == shown
    async with empty.store.writing() as connection:
        opened = hour._replace(protected=1, members=12, homes=12, counting=13, unopened=0)
        closed = ClosedInterval(
            direction=Direction.CONSUMPTION,
            interval=Interval.PT1H,
            start=start,
            closed_at=empty.now + timedelta(hours=7),
            expected=13,
            response=12,
            protected=1,
        )
        await write(connection, [opened], [closed])
        await forget_opened(connection, Direction.CONSUMPTION, start)
    since = (empty.now + timedelta(hours=7)).astimezone(UTC)
    assert await figures() == 3 * [(20_000, 0, 22, 12, since.isoformat())]
    page = (await browser.open(f"day/{day}")).text
    assert "+ 12 protected homes, from 10 Jun" in page
    assert "protected homes not counted" not in page
    rows = (await browser.open(f"day/{day}.csv")).html
    (row,) = [row for row in csv.DictReader(io.StringIO(rows)) if row["consumption_wh"]]
    assert (row["protected_later"], row["protected_since"]) == ("12", since.isoformat())
    assert (row["consumption_hours_without_homes"], row["members_counting"]) == ("0", "23")


@pytest.mark.parametrize(
    ("quantity", "day", "month"),
    [
        ("consumption", 240_000, 480_000),
        ("production", 72_000, 144_000),
        ("injection", 24_000, 48_000),
        ("total-consumption", 288_000, 576_000),
        ("shared-locally", 24_000, 48_000),
        ("self-consumed", 48_000, 96_000),
        ("production-share", 0.25, 0.25),
        ("local-coverage", 0.25, 0.25),
        ("self-consumption", 0.6667, 0.6667),
        ("self-sufficiency", 0.1667, 0.1667),
    ],
)
async def test_days_add_up_to_months_and_years(
    town: ReleasedTown, quantity: str, day: float, month: float
) -> None:
    days = await open_data(town, f"{quantity}/by/all/P1D/from/2026-06-08/to/2026-06-09")
    assert [value["value"] for value in days["values"]] == [day, day]
    for interval in ("P1M", "P1Y"):
        document = await open_data(
            town, f"{quantity}/by/all/{interval}/from/2026-06-08/to/2026-06-08"
        )
        (value,) = document["values"]
        assert value["value"] == month
        assert value["hours"] == 48
        # From the first of January on, an hour less for summer time.
        assert value["hours_ended"] == (9 * 24 if interval == "P1M" else 160 * 24 - 1)


async def test_shared_locally_is_the_hourly_minimum_of_injection_and_consumption(
    empty: ReleasedTown,
) -> None:
    """By night 8 kW are drawn and none injected, at noon 5 kW are injected and 2 drawn."""
    everybody, yesterday = await empty.group(), date(2026, 6, 9)

    def sun(at_noon: int, at_night: int) -> Callable[[int], int]:
        return lambda hour: at_noon if 10 <= hour < 14 else at_night

    flows = day_of(
        yesterday, production=sun(6_000, 0), injection=sun(5_000, 0), consumption=sun(2_000, 8_000)
    )
    # The last hour of sun has no published consumption.
    del flows[Direction.CONSUMPTION][datetime(2026, 6, 9, 11, tzinfo=UTC)]  # type: ignore[attr-defined]
    await empty.release(everybody, flows, in_part=True)
    path = "shared-locally/by/all/PT1H/from/2026-06-09/to/2026-06-09"
    hours = [value["value"] for value in (await open_data(empty, path))["values"]]
    assert hours == [*10 * [0], *3 * [2_000], None, *10 * [0]]
    for interval in ("P1D", "P1M"):
        path = f"shared-locally/by/all/{interval}/from/2026-06-09/to/2026-06-09"
        (value,) = (await open_data(empty, path))["values"][-1:]
        assert value["value"] == 6_000
        assert (value["hours"], value["hours_ended"]) == (23, 24)
    page = await empty.browser().open("month/2026-06")
    assert "Shared locally 6 kWh" in page.text
    assert "23 of 24 hours" in page.text
    page = await empty.browser().open("month/2026-06.csv")
    (row,) = [row for row in csv.DictReader(io.StringIO(page.html)) if row["shared_locally_wh"]]
    assert (row["shared_locally_wh"], row["shared_locally_hours"]) == ("6000", "23")
    school = await empty.site("École", Description())
    await empty.release(school, flows, members=1)
    path = "shared-locally/by/ecole/P1D/from/2026-06-09/to/2026-06-09"
    assert (await open_data(empty, path))["values"] == []
    assert "Shared locally" not in (await empty.browser().open("sites/ecole/month/2026-06")).text


async def test_a_site_is_a_group(town: ReleasedTown) -> None:
    groups = (await open_data(town, "groups.json"))["groups"]
    assert [group["id"] for group in groups] == ["all", "ecole-de-kersabiec", "larmor-plage"]
    document = await open_data(
        town, "production/by/ecole-de-kersabiec/PT1H/from/2026-06-09/to/2026-06-09"
    )
    assert {value["members"] for value in document["values"]} == {1}


@pytest.mark.parametrize("interval", ["PT1H", "P1D", "P1M"])
async def test_withheld_values_have_a_reason_and_no_value(
    town: ReleasedTown, interval: str
) -> None:
    path = f"consumption/by/larmor-plage/{interval}/from/2026-06-10/to/2026-06-10"
    if interval == "P1D":
        path = path.replace("-10", "-09")
    document = await open_data(town, path)
    assert document["values"]
    for value in document["values"]:
        assert value["value"] is None
        assert value["members"] == 0
        assert value["withheld"] == {
            "reason": "below-threshold",
            "need": 10,
            "text": {
                "en": "not published: fewer than 10 homes, or a few of them make most of it",
                "fr": "non publié : moins de 10 foyers,"
                " ou quelques-uns d’entre eux en font l’essentiel",
            },
        }


async def test_rates_are_withheld_with_their_values_and_null_without_production(
    town: ReleasedTown,
) -> None:
    document = await open_data(town, "self-sufficiency/by/all/P1D/from/2026-06-07/to/2026-06-07")
    (value,) = document["values"]
    assert value["value"] is None
    assert value["withheld"]["reason"] == "below-threshold"
    document = await open_data(town, "self-consumption/by/all/PT1H/from/2026-06-09/to/2026-06-09")
    assert document["values"][0]["value"] is None
    assert document["values"][0]["withheld"] is None


async def test_urls_stay_when_the_interval_changes(empty: ReleasedTown) -> None:
    everybody, half = await empty.group(), timedelta(minutes=30)
    hours, changed = hours_of(date(2026, 6, 8)), hours_of(date(2026, 6, 9))
    halves = [start + n * half for start in changed for n in range(2)]
    drawn = Direction.CONSUMPTION
    await empty.release(everybody, {drawn: dict.fromkeys(hours, 1_000)})
    await empty.close(hours)
    await empty.release(everybody, {drawn: dict.fromkeys(halves, 500)}, step=Interval.PT30M)
    await empty.close(halves, interval=Interval.PT30M)
    path = "consumption/by/all/PT1H/from/2026-06-08/to/2026-06-09"
    before = await open_data(empty, path)
    other = Publication(minimum=10, interval=Interval.PT30M)
    folder = empty.settings.folder
    async with serving(ReleasedTown(empty.store, settings(folder, publication=other))) as town:
        values = (await open_data(town, path))["values"]
        assert len(values) == 24
        assert values == before["values"][:24]
        values = (await open_data(town, path.replace("PT1H", "PT30M")))["values"]
        assert [value["value"] for value in values] == 48 * [250]
        assert (await open_data(town, "groups.json"))["intervals"][:2] == [
            {"id": "PT1H", "from": "2026-06-08", "to": "2026-06-08"},
            {"id": "PT30M", "from": "2026-06-09", "to": None},
        ]
        page = await town.browser().open("data")
        assert "PT1H (from 8 June 2026 to 8 June 2026), PT30M (since 9 June 2026)" in page.text
        for day, count in (("2026-06-08", 24), ("2026-06-09", 48)):
            page = await town.browser().open(f"day/{day}.csv")
            assert len(page.html.splitlines()) == 1 + count


async def test_csv_equals_json(town: ReleasedTown) -> None:
    for quantity, interval in product(FIGURES, ("PT1H", "P1D", "P1M", "P1Y")):
        await compare(town, f"{quantity}/by/all/{interval}/from/2026-06-08/to/2026-06-10")


async def compare(town: ReleasedTown, path: str) -> None:
    """Compare the JSON and the CSV of a series."""
    document = await open_data(town, path)
    assert await open_data(town, f"{path}.json") == document
    page = await town.browser().open(f"data/{path}.csv")
    assert page.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert 'rel="license"' in page.headers["Link"]
    rows = list(csv.DictReader(io.StringIO(page.html)))
    for value in document["values"]:
        value["withheld"] = value["withheld"] and value["withheld"]["reason"]
    assert rows == [
        {name: "" if field is None else str(field) for name, field in value.items()}
        for value in document["values"]
    ]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("power/by/all/P1D/from/2026-06-08/to/2026-06-10", 404, "no such quantity"),
        ("consumption/by/nobody/P1D/from/2026-06-08/to/2026-06-10", 404, "no such group"),
        ("consumption/by/all/PT5M/from/2026-06-08/to/2026-06-10", 404, "no such resolution"),
        ("consumption/by/all/P1D/from/2026-06-31/to/2026-07-10", 400, "cannot be read"),
        ("consumption/by/all/P1D/from/20260608/to/20260610", 400, "cannot be read"),
        ("consumption/by/all/P1D/from/2026-W23-1/to/2026-06-10", 400, "cannot be read"),
        ("consumption/by/all/P1D/from/2026-06-10/to/2026-06-08", 400, "cannot be read"),
        ("consumption/by/all/P1D/from/0001-01-01/to/9999-12-31", 400, "cannot be read"),
        ("consumption/by/all/P1D/from/2000-01-01/to/2099-12-31", 400, "cannot be read"),
        ("consumption/by/all/PT1H/from/2026-01-01/to/2026-06-10", 400, "cannot be read"),
        ("consumption/by/all/P1D/from/2026-06-08/to/2026-06-10.xml", 400, "cannot be read"),
        ("consumption/by/all/P1D/from/2026-06-08", 404, "nothing at this address"),
        ("nothing", 404, "nothing at this address"),
    ],
)
async def test_invalid_queries_say_why(
    town: ReleasedTown, path: str, status: int, words: str
) -> None:
    document = await open_data(town, path, status)
    assert words in document["title"]
    assert document["status"] == status
    assert document["title_fr"]


async def test_scripts_of_other_sites_may_read_open_data(town: ReleasedTown) -> None:
    for path in (
        "groups.json",
        "openapi.json",
        "production/by/all/P1M/from/2026-01-01/to/2026-12-31",
    ):
        page = await town.browser().open(f"data/{path}")
        assert page.headers["Access-Control-Allow-Origin"] == "*"
        assert page.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "max-age=60" in page.headers["Cache-Control"]
        assert page.headers["ETag"]


async def test_the_data_dictionary_names_each_parameter_and_reason(town: ReleasedTown) -> None:
    page = await town.browser().open("data")
    assert LICENCE in page.text
    for name in (*FIGURES, *FIELDS, "PT1H", "P1D", "P1M", "P1Y", "larmor-plage"):
        assert name in page.text
    for reason in Reason:
        is_public = reason in PUBLIC_REASONS
        assert (f"<code>{reason.replace('_', '-')}</code>" in page.html) is is_public


async def test_the_data_dictionary_by_law_names_the_field_with_the_number_of_homes(
    town: ReleasedTown,
) -> None:
    by_law = replace(town.settings, publication=Publication(minimum=None))
    async with serving(ReleasedTown(town.store, by_law)) as served:
        page = await served.browser().open("data")
    assert "fewer than need homes" in page.text
    assert "None" not in page.text


async def test_the_rate_limit_answers_when_to_retry(town: ReleasedTown) -> None:
    seconds = 0.0
    limits = TokenBucket(at_once=3, a_second=0.5, clock=lambda: seconds)
    async with serving(town, limits) as slow:
        for _ in range(3):
            await open_data(slow, "groups.json")
        page = await slow.browser("fr").open("data/groups.json")
        assert page.status == 429
        assert page.headers["Retry-After"] == "2"
        assert (await slow.browser("fr").open()).status == 429
        other = await slow.browser().open("data/groups.json", X_Forwarded_For="203.0.113.7")
        assert other.status == 200
        assert slow.session is not None
        async with slow.session.get(slow.url.join(URL("static/public.css"))) as response:
            assert response.status == 200
        seconds = 2.0
        await open_data(slow, "groups.json")


async def test_scripts_of_other_sites_may_read_errors(town: ReleasedTown) -> None:
    assert town.session is not None
    limits = TokenBucket(at_once=3, a_second=0.5, clock=lambda: 0.0)
    async with serving(town, limits) as slow:
        assert slow.session is not None
        for method, path, status in (
            ("GET", "nothing", 404),
            ("POST", "groups.json", 405),
            ("GET", "consumption/by/nobody/PT1H/from/2026-06-09/to/2026-06-09", 404),
            ("GET", "groups.json", 429),
        ):
            address = slow.url.join(URL(f"data/{path}"))
            async with slow.session.request(method, address) as response:
                assert response.status == status
                assert response.headers["Access-Control-Allow-Origin"] == "*"
                assert "Retry-After" in response.headers["Access-Control-Expose-Headers"]
                assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Access-Control-Allow-Origin" not in (await slow.browser().open()).headers


async def test_preflight_requests_are_not_rate_limited(town: ReleasedTown) -> None:
    limits = TokenBucket(at_once=1, a_second=0.001, clock=lambda: 0.0)
    asks = {
        "Origin": "https://elsewhere.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "if-none-match",
    }
    async with serving(town, limits) as slow:
        assert slow.session is not None
        for _ in range(3):
            address = slow.url.join(URL("data/groups.json"))
            async with slow.session.options(address, headers=asks) as response:
                assert response.status == 204
                assert response.headers["Access-Control-Allow-Origin"] == "*"
                assert response.headers["Access-Control-Allow-Headers"] == "If-None-Match"
                assert response.headers["Access-Control-Max-Age"] == "86400"
                assert not await response.read()
        await open_data(slow, "groups.json")
        for path in ("", "data"):
            async with slow.session.options(slow.url.join(URL(path))) as response:
                assert response.status == 429


async def test_clients_cannot_forge_their_address(town: ReleasedTown) -> None:
    town.settings = replace(town.settings, page=PageSettings(proxies=(ip_network("192.0.2.0/24"),)))
    async with serving(town, TokenBucket(at_once=1, a_second=0.001, clock=lambda: 0.0)) as slow:
        answers = [
            await slow.browser().open("data/groups.json", X_Forwarded_For=f"203.0.113.{n}")
            for n in range(3)
        ]
        assert [answer.status for answer in answers] == [200, 429, 429]


async def test_openapi_describes_exactly_the_served_paths(town: ReleasedTown) -> None:
    paths = (await open_data(town, "openapi.json"))["paths"]
    served = {path.removeprefix(DATA) for path in (*LOOKS, ARCHIVE) if path.startswith(f"{DATA}/")}
    # `last` takes the ending along.
    twins = {path for path in paths if path.removesuffix(".csv") in paths}
    assert {path.removesuffix(".csv") if path in twins else path for path in paths} == served - {
        "/openapi.json"
    }
    for path, item in paths.items():
        assert item.keys() <= {"parameters", "get"}
        named = [parameter["$ref"].rpartition("/")[2] for parameter in item.get("parameters", ())]
        assert named == re.findall(r"\{(\w+)\}", path)


async def test_openapi_lists_the_values_of_answers(town: ReleasedTown) -> None:
    document = await open_data(town, "openapi.json")
    assert document["info"]["license"] == {"name": LICENCE, "identifier": LICENCE_ID}
    assert document["externalDocs"]["url"] == LICENCE_URL
    for most in MOST_DAYS.values():
        assert f"{most} days at most" in document["info"]["description"]
    schemas = document["components"]["schemas"]
    assert schemas["Quantity"]["enum"] == [*FIGURES]
    assert schemas["Interval"]["enum"] == [*Interval, *Longer]
    assert schemas["Series"]["properties"]["unit"]["enum"] == sorted(Unit)
    reasons = [reason.replace("_", "-") for reason in PUBLIC_REASONS]
    assert schemas["Withheld"]["properties"]["reason"]["enum"] == reasons
    group = schemas["Groups"]["properties"]["groups"]["items"]
    assert group["properties"]["kind"]["enum"] == [*GroupKind]


@pytest.mark.parametrize(
    ("schema", "path", "status"),
    [
        ("Groups", "groups.json", 200),
        ("Series", "consumption/by/all/PT1H/from/2026-06-06/to/2026-06-10", 200),
        ("Series", "self-sufficiency/by/all/P1D/from/2026-06-07/to/2026-06-08", 200),
        ("Series", "production/by/larmor-plage/P1Y/from/2026-06-07/to/2026-06-08", 200),
        ("Problem", "consumption/by/nobody/PT1H/from/2026-06-09/to/2026-06-09", 404),
        ("Problem", "consumption/by/all/PT1H/from/2026-06-09/to/never", 400),
    ],
)
async def test_answers_match_their_schema(
    town: ReleasedTown, schema: str, path: str, status: int
) -> None:
    described = await open_data(town, "openapi.json")
    jsonschema.validate(
        await open_data(town, path, status),
        {"$ref": f"#/components/schemas/{schema}", "components": described["components"]},
    )


async def test_server_conforms_to_openapi(town: ReleasedTown, tmp_path: Path) -> None:
    """OpenAPI cannot describe the error for well-formed days that lie too far apart."""
    asked = await asyncio.create_subprocess_exec(
        SCHEMATHESIS,
        "run",
        f"{town.url}data/openapi.json",
        f"--url={town.url}data",
        "--exclude-checks=positive_data_acceptance",
        "--max-examples=40",
        "--generation-deterministic",
        "--suppress-health-check=all",
        "--warnings=off",
        "--no-color",
        cwd=tmp_path,
        stdout=PIPE,
        stderr=STDOUT,
    )
    output, _ = await asked.communicate()
    assert asked.returncode == 0, output.decode()
    assert b"generated" in output
