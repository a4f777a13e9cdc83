"""Problems of a collective's node, each kind once: for pages, figures, and messages.

Sentences name no member: they are sent by mail, and read on the screens of monitoring.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
import shutil

from consometers_node.collective.node import CollectiveNode
from consometers_node.collective.witness.heads import SetBack
from consometers_node.i18n.protocol import sentence
from consometers_node.i18n.text import Text, around, text
from consometers_node.store.collective.member_status import MemberCounts

from .backups import LONGEST, Backups, BackupStep
from .certificates import Certificates

_FULL_FROM = 0.9
_FEW_BYTES = 500 * 1024**2
_MANY_SILENT = 0.2
_WITNESS_ANSWERS_IN = timedelta(minutes=30)
_LONG_AWAY = timedelta(days=1)
_SHOWN_FOR = timedelta(days=7)
"""How long a set-back remains a problem, once the witness opens hours again."""


class ProblemKind(StrEnum):
    """The subject of a problem."""

    NETWORK = "network"
    DATABASE = "database"
    CLOCK = "clock"
    DISK = "disk"
    CERTIFICATE = "certificate"
    BACKUP = "backup"
    TEST_RESTORE = "test_restore"
    OFFSITE_COPY = "offsite_copy"
    SILENCE = "silence"
    WITNESS = "witness"
    SET_BACK = "set_back"
    ALERTS = "alerts"


TITLES: Mapping[str, Text] = {
    ProblemKind.NETWORK: text("not on the network"),
    ProblemKind.DATABASE: text("the database cannot be used"),
    ProblemKind.CLOCK: text("the clock is not confirmed"),
    ProblemKind.DISK: text("the disk is nearly full"),
    ProblemKind.CERTIFICATE: text("a certificate expires soon"),
    ProblemKind.BACKUP: text("no recent backup"),
    ProblemKind.TEST_RESTORE: text("no recent test restore"),
    ProblemKind.OFFSITE_COPY: text("no recent off-site copy"),
    ProblemKind.SILENCE: text("many members are silent"),
    ProblemKind.WITNESS: text("the witness does not answer"),
    ProblemKind.SET_BACK: text("this witness was set back"),
    ProblemKind.ALERTS: text("alerts cannot be sent"),
}
STORED = frozenset(
    {
        ProblemKind.BACKUP,
        ProblemKind.TEST_RESTORE,
        ProblemKind.OFFSITE_COPY,
        ProblemKind.SILENCE,
        ProblemKind.WITNESS,
        ProblemKind.SET_BACK,
    }
)
"""Kinds that are unknown while the database cannot be read."""

_OF_STEPS = {
    BackupStep.MADE: ProblemKind.BACKUP,
    BackupStep.TESTED: ProblemKind.TEST_RESTORE,
    BackupStep.COPIED: ProblemKind.OFFSITE_COPY,
}
_OVERDUE = {
    BackupStep.MADE: text("No backup for {days} days: check the nightly backup."),
    BackupStep.TESTED: text("No test restore of a backup for {days} days."),
    BackupStep.COPIED: text("No off-site copy of the backups for {days} days."),
}
_NEVER_DONE = {
    BackupStep.MADE: text("No backup was ever made: set up the nightly backup."),
    BackupStep.TESTED: text("No backup was ever restored as a test."),
    BackupStep.COPIED: text(
        "The backups were never copied off the site: a fire would destroy them with the server."
    ),
}
_NETWORK = text("The collective is not on the network: {said}")
_CONNECTING = text("The collective is not on the network: it is still connecting.")
_DATABASE = text("The database cannot be read.")
_DISK = text("The disk is {share} % full: {free} MB are left. Free some space soon.")
_CERTIFICATE = text("The certificate of {name} expires on {day}, and no newer one is used.")
_WITNESS = text(
    "Figures have waited for the witness of protected sums for {hours} h. Nothing is lost"
    " meanwhile."
)
_WITNESS_SAYS = text(
    "Figures have waited for the witness of protected sums for {hours} h. Nothing is lost"
    " meanwhile. {said}"
)
_OPENS_NOTHING = text(
    "This witness was set back to an earlier state: {why}. It opens nothing until the clock of a"
    " home agrees with its own, which takes a day at most."
)
_OPENS_LATER_HOURS = text(
    "This witness was set back to an earlier state: {why}. It opens no hour that began before"
    " {moment}. Homes whose keys are missing enrol again by themselves."
)
_ALERTS = text("Alerts cannot be sent: {said}")
_SILENCE = text("Of {all} members that have sent data, {count} have sent none lately.")


class Weight(StrEnum):
    """The severity of a problem."""

    WRONG = "wrong"
    """Something does not work."""
    WARN = "warn"
    """Somebody should look."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of a kind, in one sentence."""

    kind: ProblemKind
    weight: Weight
    words: Text


UNREADABLE = Problem(ProblemKind.DATABASE, Weight.WRONG, _DATABASE)


def of_node(node: CollectiveNode) -> Iterator[Problem]:
    """Yield the problems of a running node."""
    if node.database_problem is not None:
        yield Problem(ProblemKind.DATABASE, Weight.WRONG, node.database_problem)
    if not node.is_online:
        problem = node.network_problem
        words = around(_NETWORK, sentence(problem)) if problem else _CONNECTING
        yield Problem(ProblemKind.NETWORK, Weight.WRONG, words)
    if (doubt := node.clock.doubt) is not None:
        weight = Weight.WRONG if doubt.is_wrong else Weight.WARN
        yield Problem(ProblemKind.CLOCK, weight, doubt.text)


def of_certificates(certificates: Certificates, at: datetime) -> Iterator[Problem]:
    """Yield refused certificates, and those whose renewal is overdue."""
    for refusal in certificates.refused:
        yield Problem(ProblemKind.CERTIFICATE, Weight.WRONG, refusal)
    for certificate in certificates.seen.values():
        if certificate.is_ending(at):
            words = _CERTIFICATE.fill(name=certificate.name, day=certificate.ends.date())
            yield Problem(ProblemKind.CERTIFICATE, Weight.WRONG, words)


def of_alerts(unsent: Mapping[str, Text]) -> Iterator[Problem]:
    """Yield why alerts cannot be sent."""
    for why in unsent.values():
        yield Problem(ProblemKind.ALERTS, Weight.WRONG, around(_ALERTS, why))


def of_backups(backups: Backups, at: datetime) -> Iterator[Problem]:
    """Yield the steps of the backups that are overdue, or were never done."""
    overdue, never_done = backups.overdue(at), backups.never_done(at)
    for step in BackupStep:
        weight = Weight.WRONG if step is BackupStep.MADE else Weight.WARN
        if step in overdue:
            yield Problem(_OF_STEPS[step], weight, _OVERDUE[step].fill(days=LONGEST[step].days))
        elif step in never_done:
            yield Problem(_OF_STEPS[step], weight, _NEVER_DONE[step])


def of_members(counts: MemberCounts) -> Iterator[Problem]:
    """Yield whether many members that sent data are silent at once, which suggests one cause."""
    begun = sum(kind.begun for kind in counts.granting.values())
    silent = sum(kind.silent for kind in counts.granting.values())
    if silent > _MANY_SILENT * begun:
        words = _SILENCE.fill(all=begun, count=silent)
        yield Problem(ProblemKind.SILENCE, Weight.WARN, words)


def of_witnesses(
    waiting_since: datetime | None, at: datetime, faults: Iterable[Text] = ()
) -> Iterator[Problem]:
    """Yield whether protected sums wait for a witness, and why it has not answered if known."""
    if waiting_since is None or at - waiting_since < _WITNESS_ANSWERS_IN:
        return
    waited = at - waiting_since
    hours = max(1, round(waited / timedelta(hours=1)))
    fault = next(iter(faults), None)
    words = (
        _WITNESS.fill(hours=hours) if fault is None else around(_WITNESS_SAYS, fault, hours=hours)
    )
    yield Problem(ProblemKind.WITNESS, Weight.WRONG if waited > _LONG_AWAY else Weight.WARN, words)


def of_set_back(back: SetBack | None, at: datetime) -> Iterator[Problem]:
    """Yield a set-back of this node as a witness, until some days after it opens hours again."""
    if back is None:
        return
    if back.opens_from is None:
        words = _OPENS_NOTHING.fill(why=back.why)
        yield Problem(ProblemKind.SET_BACK, Weight.WRONG, words)
    elif at - back.opens_from < _SHOWN_FOR:
        moment = back.opens_from.strftime("%Y-%m-%d %H:%M UTC")
        words = _OPENS_LATER_HOURS.fill(why=back.why, moment=moment)
        yield Problem(ProblemKind.SET_BACK, Weight.WARN, words)


async def of_disk(folder: Path) -> list[Problem]:
    """Return whether the disk of the node is nearly full."""
    try:
        disk = await asyncio.to_thread(shutil.disk_usage, folder)
    except OSError:
        return []
    if disk.free >= _FEW_BYTES and disk.used < disk.total * _FULL_FROM:
        return []
    share, free = round(100 * disk.used / disk.total), disk.free // 1024**2
    weight = Weight.WRONG if disk.free < _FEW_BYTES else Weight.WARN
    return [Problem(ProblemKind.DISK, weight, _DISK.fill(share=share, free=free))]
