"""Words that the pages of administration take from tables."""

from consometers_node.collective.members.member_overview import Status
from consometers_node.collective.members.members import MemberKind
from consometers_node.collective.monitoring.backups import BackupStep
from consometers_node.collective.permissions.member_permissions import PermissionActor
from consometers_node.i18n.text import text

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
