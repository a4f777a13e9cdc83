"""What can go wrong in a collective, in words for whoever asked for it."""

from typing import ClassVar

from ..quoalise import Text
from ..quoalise.text import text


class CollectiveFault(Exception):
    """Something that cannot be done; `text` says why, and what to do. `condition` is for programs.

    The words name nobody and no series: they may be logged, and told to the peer that asked.
    """

    condition: ClassVar[str] = "not-possible"

    def __init__(self, words: Text) -> None:
        super().__init__(words.say())
        self.text = words


class NotInvited(CollectiveFault):
    """The invitation is unknown, or has ended."""

    condition = "not-invited"


class OtherKind(CollectiveFault):
    """Whoever gave something is invited as something else than it is."""

    condition = "other-kind"

    def __init__(self) -> None:
        super().__init__(
            text(
                "This node is a member already, of another kind than this invitation is for (a"
                " home, a site, a collective), and shares by that. To change it, withdraw all that"
                " it shares here, have that erased, and open the invitation again.",
                "Ce nœud est déjà membre, d’une autre sorte que celle de cette invitation (foyer,"
                " site, collectif), et partage à ce titre. Pour en changer, retirez tout ce qu’il"
                " partage ici, faites-le effacer, puis rouvrez l’invitation.",
            )
        )


class NotAsked(CollectiveFault):
    """A permission goes beyond what is asked, or answers something that is asked no longer."""

    condition = "not-asked"


class NotYours(CollectiveFault):
    """A permission names what another member shares already."""

    condition = "not-yours"


class Unknown(CollectiveFault):
    """There is no such member, permission, invitation or data need."""

    condition = "unknown"


class NameTaken(CollectiveFault):
    """Two sites would have one name."""

    condition = "name-taken"

    def __init__(self, name: str) -> None:
        super().__init__(
            text(
                "There is a site named “{name}” already: choose another name.",
                "Il y a déjà un site nommé « {name} » : choisissez un autre nom.",
            ).fill(name=name)
        )


class Nameless(CollectiveFault):
    """A home is to be named."""

    def __init__(self) -> None:
        super().__init__(
            text(
                "A home has no name here but its pseudonym: only a site or a collective has one.",
                "Un foyer n’a pas d’autre nom ici que son pseudonyme : seul un site ou un collectif"
                " en a un.",
            )
        )


class NoSite(CollectiveFault):
    """A collective is to be shown as a site."""

    condition = "no-site"

    def __init__(self) -> None:
        super().__init__(
            text(
                "A collective is never shown as a site: what it tells are sums of its own members."
                " Give it a name instead.",
                "Un collectif n’est jamais montré comme site : ce qu’il dit, ce sont des sommes de"
                " ses propres membres. Donnez-lui plutôt un nom.",
            )
        )


class Shown(CollectiveFault):
    """What is to be a home again was published as something else."""

    condition = "shown"

    def __init__(self) -> None:
        super().__init__(
            text(
                "Sums of months in which this member counts are published already: as a site it"
                " hid nobody in them, and as a home it would hide others by figures that may be"
                " known. Have it erased, and invite it again as a home.",
                "Des sommes de mois où ce membre compte sont déjà publiées : comme site, il n’y"
                " cachait personne, et comme foyer il en cacherait d’autres par des chiffres"
                " peut-être connus. Faites-le effacer, puis invitez-le de nouveau comme foyer.",
            )
        )
