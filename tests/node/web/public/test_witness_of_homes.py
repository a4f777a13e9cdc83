"""Homes and their witness over HTTPS, with an authority of their own: enrolled, summed, left."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
import ssl

from aiohttp import web

from consometers_node.collective.witness.service import WitnessService
from consometers_node.household.protected_sums.enrolling import Enrolling
from consometers_node.household.protected_sums.witness_address import Trust
from consometers_node.household.protected_sums.witness_client import WitnessClient
from consometers_node.permission import Permissions
from consometers_node.series import Direction, Record
from consometers_node.sharing.changes import Changes
from consometers_node.sharing.records.masked_reports import load_keys, mask
from consometers_node.store import PermissionId, Store
from consometers_node.store.household.enrolments import StoredEnrolment, enrolments, set_code
from consometers_node.store.peers import add_peer
from consometers_node.web.public.site import PublicSite
from consometers_protected_sums.exchange import OpenedSum, Part, Refusal, RefusedHomes
from consometers_protected_sums.field import MODULUS, encode
from consometers_protected_sums.reports import Verification, outputs, share
from consometers_quoalise import Reports
from consometers_quoalise_network.backoff import Backoff
from demo.servers.prosody import Authority
from packages.protected_sums.tests.homes import VERIFICATION_KEY, Asked, verifier_of
from testing.clocks import Hands, confirmed
from testing.databases.fixtures import Place
from testing.homes.data_needs import (
    CHOICE_OF_PROTECTED,
    HOURLY,
    PROTECTED,
    STOP,
    WITNESS,
    grant,
    now,
)
from testing.pages.town import settings
from testing.witnesses.enrolled import (
    COLLECTIVE,
    Request,
    answers_of,
    codes_for,
    new_witness,
    this_hour,
)
from testing.witnesses.toy import over_https

WH = (31_337, 29_989, 30_011)


@dataclass
class Home:
    """A home that granted the sum, and what it does at its witness."""

    store: Store
    hands: Hands
    enrolling: Enrolling
    permission: PermissionId

    async def report(self, wh: int, hour: datetime) -> Reports:
        """Mask a value as it leaves."""
        async with self.store.reading() as connection:
            keys = await load_keys(connection, self.permission)
        assert keys is not None
        return mask(keys, COLLECTIVE, self.permission, HOURLY, [Record(hour, wh)])

    async def enrolment(self) -> StoredEnrolment:
        async with self.store.reading() as connection:
            return (await enrolments(connection))[self.permission]


def pages(store: Store, folder: Path, witness: WitnessService) -> web.Application:
    return PublicSite(store, settings(folder, witness_for=(COLLECTIVE,)), "0", witness=witness).app


async def new_home(store: Store, url: str, authority: Authority, code: str) -> Home:
    """Return a home that granted the sum, and has not met its witness."""
    hands = Hands(datetime.now(UTC))
    clock = await confirmed(store, hands)
    need = replace(PROTECTED, witness=replace(WITNESS, url=url, minimum=3))
    async with store.writing() as connection:
        coop = await add_peer(connection, COLLECTIVE, "Coop", now())
        permission = await grant(Permissions(connection), coop.id, need, CHOICE_OF_PROTECTED)
        await set_code(connection, permission, code)
    tls = ssl.create_default_context(cafile=str(authority.file))
    enrolling = Enrolling(
        store, clock, Changes(), WitnessClient(Trust(tls, is_private=True)), Backoff(0, 0, 0)
    )
    return Home(store, hands, enrolling, permission)


def added(reports: list[Reports]) -> Asked:
    """Add reports up, as the collective does."""
    rows = [each.reports[0] for each in reports]
    verification = Verification(VERIFICATION_KEY, Direction.CONSUMPTION, rows[0].hour)
    shares = [share(row.masked) for row in rows]
    values, squares = zip(*map(outputs, shares), strict=True)
    return Asked(
        "1",
        tuple(
            Part(each.permission, each.day, row.nonce, encode(verifier_of(elements, verification)))
            for each, row, elements in zip(reports, rows, shares, strict=True)
        ),
        sum(values) % MODULUS,
        sum(squares) % MODULUS,
    )


async def test_restarted_witness_opens_exact_sums(
    file: Store,
    tmp_path: Path,
    new_database: Callable[[str], Awaitable[Place]],
    socket_enabled: None,
) -> None:
    authority, hour = Authority(tmp_path / "authority"), this_hour()
    async with AsyncExitStack() as stack:
        stores = [await Store.open(await new_database("sqlite")) for _ in WH]
        for store in stores:
            stack.push_async_callback(store.close)
        witness = await new_witness(file)
        async with over_https(pages(file, tmp_path, witness), authority, tmp_path) as port:
            homes = [
                await new_home(store, f"https://localhost:{port}", authority, code)
                for store, (_, code) in zip(stores, await codes_for(file, len(WH)), strict=True)
            ]
            for home in homes[:2]:
                await home.enrolling.round()
        # The witness is away: the third home waits, and says so.
        await homes[2].enrolling.round()
        assert (await homes[2].enrolment()).enrolled_at is None
        assert "cannot be reached" in homes[2].enrolling.problems[homes[2].permission].say()
        witness = await new_witness(file)
        async with over_https(pages(file, tmp_path, witness), authority, tmp_path, port):
            await homes[2].enrolling.round()
            assert not any(home.enrolling.problems for home in homes)
            reports = [await home.report(wh, hour) for home, wh in zip(homes, WH, strict=True)]
            request = Request((added(reports),), hour)
            answers = (OpenedSum(frozenset({"1"}), 3, sum(WH)),)
            assert await answers_of(witness, request) == answers
            witness = await new_witness(file)
            assert await answers_of(witness, request) == answers
            await _looks_and_leaves(homes)
        later = hour - timedelta(hours=1)
        reports = [await home.report(300, later) for home in homes[:2]]
        gone = replace(reports[0], permission=homes[2].permission)
        request = Request((added([*reports, gone]),), later)
        (answer,) = await answers_of(witness, request)
        assert answer == RefusedHomes(Refusal.NOT_ENROLLED, frozenset({homes[2].permission}))
    assert _values_in(tmp_path / "node.db", WH) == []


async def _looks_and_leaves(homes: list[Home]) -> None:
    """Have all homes look a day later; the last one leaves then."""
    for home in homes:
        await home.enrolling.round()
        summary = (await home.enrolment()).summary
        assert summary is not None
        assert '"consumption": 1' in summary
        assert '"least_homes": 3' in summary
    async with homes[2].store.writing() as connection:
        await Permissions(connection).withdraw(homes[2].permission, STOP, now())
    await homes[2].enrolling.round()
    assert (await homes[2].enrolment()).left_at is not None


def _values_in(file: Path, values: tuple[int, ...]) -> list[int]:
    """Return which values stand in a database, as text or as a number of 8 bytes."""
    content = file.read_bytes() + file.with_name(f"{file.name}-wal").read_bytes()
    return [
        value
        for value in values
        if any(
            form in content
            for form in (str(value).encode(), value.to_bytes(8), value.to_bytes(8, "little"))
        )
    ]
