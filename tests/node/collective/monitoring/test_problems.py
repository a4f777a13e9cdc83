"""Problems of a collective's node, each kind once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from consometers_node.collective.monitoring.backups import Backups, BackupStep, backups, note
from consometers_node.collective.monitoring.certificates import Certificate, Certificates
from consometers_node.collective.monitoring.problems import (
    TITLES,
    ProblemKind,
    Weight,
    of_backups,
    of_certificates,
    of_members,
    of_set_back,
)
from consometers_node.collective.witness.heads import Evidence, SetBack
from consometers_node.store import Store
from consometers_node.store.collective.member_status import GrantingMembers, MemberCounts
from consometers_quoalise_network import Account, Identity
from consometers_quoalise_xmpp.trial import certificate
from demo.servers.prosody import Prosody
from testing.collectives.members import AT, join
from testing.networks import PASSWORD, reach
from testing.pages.town import settings
from testing.xmpp.fixtures import NewAccount

DAY = timedelta(days=1)
BACKUP, TEST, COPY = (
    ProblemKind.BACKUP,
    ProblemKind.TEST_RESTORE,
    ProblemKind.OFFSITE_COPY,
)


def test_each_kind_has_a_title() -> None:
    assert set(TITLES) == set(ProblemKind)


@pytest.mark.parametrize(
    ("days", "joined", "expected"),
    [
        ({}, None, []),
        ({}, 0, [BACKUP, COPY]),
        ({}, 31, [BACKUP, TEST, COPY]),
        ({"made": 2}, 29, [COPY]),
        ({"made": 2, "copied": 2}, 31, [TEST]),
        ({"made": 2, "tested": 29, "copied": 2}, 90, []),
        ({"made": 4, "tested": 31, "copied": 4}, 90, [BACKUP, TEST, COPY]),
        ({"made": 4}, None, [BACKUP]),
    ],
)
def test_backup_steps_that_are_overdue_or_were_never_done_are_problems(
    days: dict[str, int], joined: int | None, expected: list[ProblemKind]
) -> None:
    """Where nobody joined yet there is nothing to lose."""
    last = {BackupStep(step): AT - count * DAY for step, count in days.items()}
    stored = Backups(last, None if joined is None else AT - joined * DAY)
    assert [problem.kind for problem in of_backups(stored, AT)] == expected


@pytest.mark.parametrize(
    ("opens_from", "weight"),
    [(None, Weight.WRONG), (AT, Weight.WARN), (AT - 6 * DAY, Weight.WARN), (AT - 8 * DAY, None)],
)
def test_a_witness_that_was_set_back_says_so_for_a_week(
    opens_from: datetime | None, weight: Weight | None
) -> None:
    problems = list(of_set_back(SetBack(Evidence.KEYS, opens_from), AT))
    assert [problem.weight for problem in problems] == ([] if weight is None else [weight])
    for problem in problems:
        assert problem.kind is ProblemKind.SET_BACK
        assert "its keys are missing" in problem.words.say("en")
        assert "ses clés manquent" in problem.words.say("fr")
    assert list(of_set_back(None, AT)) == []


async def test_the_last_time_of_each_backup_step_is_stored(store: Store) -> None:
    async with store.writing() as connection:
        assert await backups(connection) == Backups({}, None)
        await join(connection, "a")
        await note(connection, BackupStep.MADE, AT)
        await note(connection, BackupStep.TESTED, AT)
        await note(connection, BackupStep.MADE, AT + DAY)
        stored = await backups(connection)
    assert stored.last == {BackupStep.MADE: AT + DAY, BackupStep.TESTED: AT}
    assert stored.joined_at is not None


@pytest.mark.parametrize(
    ("delivering", "expected"), [(10, []), (8, []), (7, [ProblemKind.SILENCE])]
)
def test_many_silent_members_are_one_problem(delivering: int, expected: list[ProblemKind]) -> None:
    homes = GrantingMembers(
        members=20, series=20, delivering=delivering - 1, catching_up=0, unread=0, begun=9
    )
    site = GrantingMembers(members=1, series=1, delivering=1, catching_up=0, unread=0, begun=1)
    counts = MemberCounts(granting={"home": homes, "site": site}, guests=3, outbox=0)
    assert [problem.kind for problem in of_members(counts)] == expected


def test_members_that_have_not_begun_are_not_silent() -> None:
    new = GrantingMembers(members=5, series=5, delivering=0, catching_up=5, unread=5, begun=0)
    assert list(of_members(MemberCounts(granting={"home": new}, guests=0, outbox=0))) == []


def test_a_certificate_is_ending_once_its_renewal_is_overdue() -> None:
    shown = {"notBefore": "Jan  1 00:00:00 2026 GMT", "notAfter": "Apr  1 00:00:00 2026 GMT"}
    certificate = Certificate.read("energies.test", shown)
    assert certificate.ends == datetime(2026, 4, 1, tzinfo=UTC)
    assert not certificate.is_ending(certificate.ends - 16 * DAY)
    assert certificate.is_ending(certificate.ends - 14 * DAY)
    day = Certificate.read("energies.test", shown | {"notBefore": "Mar 31 00:00:00 2026 GMT"})
    assert not day.is_ending(day.ends - timedelta(hours=5))


async def test_the_certificate_of_the_server_is_read(
    prosody: tuple[Prosody, Prosody], new_account: NewAccount, tmp_path: Path
) -> None:
    certificates, town = Certificates(), settings(tmp_path)
    shown, (server, _) = partial(certificate, language="en"), prosody
    account, at = Account(new_account(server), PASSWORD), reach(server)
    await certificates.look(town, Identity(account, at), shown)
    (seen,) = certificates.seen.values()
    assert seen.name == account.jid.partition("@")[2]
    assert seen.begins < datetime.now(UTC) < seen.ends
    assert list(of_certificates(certificates, datetime.now(UTC))) == []
    late = seen.ends - timedelta(seconds=1)
    assert [problem.kind for problem in of_certificates(certificates, late)] == [
        ProblemKind.CERTIFICATE
    ]
    # A server that does not answer changes nothing; one that nobody vouches for does.
    await certificates.look(town, Identity(account, replace(at, port=1)), shown)
    assert list(certificates.seen.values()) == [seen]
    await certificates.look(town, Identity(account, replace(at, ca_file=None)), shown)
    assert certificates.seen == {}
    (problem,) = of_certificates(certificates, datetime.now(UTC))
    assert "does not prove its identity" in problem.words.say()
