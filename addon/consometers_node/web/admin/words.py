"""Words that the pages of administration take from tables."""

from ...collective.members.member_overview import Status
from ...collective.members.members import MemberKind
from ...collective.monitoring.backups import BackupStep
from ...collective.permissions.member_permissions import PermissionActor
from ...quoalise import Text
from ...quoalise.text import text
from ..core.language import LANGUAGES
from ..core.speech import Language

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


def numbered(words: Text, **values: float) -> Text:
    """Put numbers into words, their thousands apart as each language has them."""
    written = {
        tag: {name: Language(tag).number(value) for name, value in values.items()}
        for tag in LANGUAGES
    }
    return Text({tag: words.say(tag).format(**written[tag]) for tag in LANGUAGES})
