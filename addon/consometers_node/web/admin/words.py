"""Words that the pages of administration take from tables."""

from collections.abc import Mapping

from consometers_node.collective.members.member_overview import Status
from consometers_node.collective.members.members import MemberKind
from consometers_node.collective.monitoring.backups import BackupStep
from consometers_node.collective.permissions.member_permissions import PermissionActor
from consometers_node.i18n.text import text
from consometers_node.web.core.page_base import REPOSITORY

KINDS = {
    MemberKind.HOME: text("home"),
    MemberKind.SITE: text("public building"),
    MemberKind.COLLECTIVE: text("collective"),
}
STATUSES = {
    Status.DELIVERING: text("delivering"),
    Status.SILENT: text("silent"),
    Status.GUEST: text("no permission yet"),
    Status.LEFT: text("left"),
    Status.ERASED: text("erased", context="of a member"),
}
BACKUP_STEPS = {
    BackupStep.MADE: text("Last backup"),
    BackupStep.TESTED: text("Last test restore"),
    BackupStep.COPIED: text("Last off-site copy"),
}
ACTORS = {
    PermissionActor.MEMBER: text("the member"),
    PermissionActor.COLLECTIVE: text("the collective"),
    PermissionActor.CLOCK: text("its time was over"),
}


def _guide(english: str, french: str) -> Mapping[str, str]:
    """Return the address of a part of the operator's guide, in each language."""
    return {
        tag: f"{REPOSITORY}/blob/main/{part}" for tag, part in (("en", english), ("fr", french))
    }


ACCOUNTS_GUIDE = _guide("docs/collective.md#invitations", "docs/collective.fr.md#invitations")
ALERTS_GUIDE = _guide("docs/collective.md#alerts", "docs/collective.fr.md#alerts")
BACKUPS_GUIDE = _guide("deploy/README.md#backups", "deploy/README.fr.md#sauvegardes")
CODES_GUIDE = _guide("docs/witness.md#codes", "docs/witness.fr.md#les-codes")
