"""Words that the pages of administration take from tables."""

from ...collective.given import Actor
from ...collective.members import Kind
from ...collective.roster import Status
from ...quoalise import Text
from ...quoalise.text import text
from ..language import LANGUAGES
from ..speech import Language

KINDS = {
    Kind.HOME: text("home", "foyer"),
    Kind.SITE: text("public building", "bâtiment public"),
    Kind.COLLECTIVE: text("collective", "collectif"),
}
STATUSES = {
    Status.TELLING: text("delivering", "transmet"),
    Status.SILENT: text("silent", "silencieux"),
    Status.GUEST: text("has allowed nothing yet", "n’a encore rien autorisé"),
    Status.LEFT: text("left", "parti"),
    Status.ERASED: text("erased", "effacé"),
}
ACTORS = {
    Actor.MEMBER: text("the member", "le membre"),
    Actor.COLLECTIVE: text("the collective", "le collectif"),
    Actor.CLOCK: text("its time was over", "son terme"),
}


def numbered(words: Text, **found: float) -> Text:
    """Put numbers into words, their thousands apart as each language has them."""
    written = {
        tag: {name: Language(tag).number(value) for name, value in found.items()}
        for tag in LANGUAGES
    }
    return Text({tag: words.say(tag).format(**written[tag]) for tag in LANGUAGES})
