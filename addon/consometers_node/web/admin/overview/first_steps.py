"""The first steps of a collective or a witness: done by what the node finds, none ticked off."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from consometers_node.collective.about import About, load_about
from consometers_node.collective.members import invitations
from consometers_node.collective.monitoring.backups import Backups, BackupStep
from consometers_node.collective.permissions import needs
from consometers_node.collective.publication.policy import opened
from consometers_node.collective.settings import Settings
from consometers_node.collective.witness import codes
from consometers_node.collective.witness.codes import Code
from consometers_node.i18n.text import Text, text
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.admin.words import ALERTS_GUIDE, BACKUPS_GUIDE, CODES_GUIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a collective, or a witness, has of what its first steps make."""

    about: About
    backups: Backups
    settings: Settings
    has_request: bool
    has_invited: bool
    is_open: bool
    codes: Sequence[Code] = ()

    @property
    def is_only_witness(self) -> bool:
        """Whether this node vouches for the homes of others, and began no collective itself."""
        began = self.has_request or self.has_invited or self.is_open
        return bool(self.settings.witness_for) and not began


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStep:
    """A step, with the page of administration where it is done, or the guide where none is."""

    words: Text
    why: Text
    to: str = ""
    guide: Mapping[str, str] | None = None
    is_done: Callable[[Beginning], bool]


def _has_contact(state: Beginning) -> bool:
    return state.about.mail is not None


def _has_backup(state: Beginning) -> bool:
    return BackupStep.MADE in state.backups.last


_ALERTS = FirstStep(
    words=text("Choose who receives alerts"),
    why=text("On the server: a message when something fails, and when it works again."),
    guide=ALERTS_GUIDE,
    is_done=lambda state: bool(state.settings.mail or state.settings.webhook),
)
STEPS: Sequence[FirstStep] = (
    FirstStep(
        words=text("Give a contact address"),
        why=text("People who want to take part, or ask what happens to their data, write to it."),
        to="about#mail",
        is_done=_has_contact,
    ),
    FirstStep(
        words=text("Set up the nightly backup"),
        why=text("On the server. This step is done once a first backup was made."),
        guide=BACKUPS_GUIDE,
        is_done=_has_backup,
    ),
    _ALERTS,
    FirstStep(
        words=text("Write your data request"),
        why=text("What you ask homes for, and its purpose: they read it before they allow it."),
        to="needs/new",
        is_done=lambda state: state.has_request,
    ),
    FirstStep(
        words=text("Invite the first member"),
        why=text(
            "By a link, or a QR code on paper. The home scans it on its node’s page, under Join,"
            " and then appears here."
        ),
        to="invitations/new",
        is_done=lambda state: state.has_invited,
    ),
    FirstStep(
        words=text("Open the collective"),
        why=text(
            "The collective is closed: nothing is published. Opening publishes, once, the history"
            " that your founders allowed; later members count from their arrival. So wait until"
            " that history is there, and check the preview."
        ),
        to="publication",
        is_done=lambda state: state.is_open,
    ),
)
WITNESS_STEPS: Sequence[FirstStep] = (
    FirstStep(
        words=text("Give a contact address"),
        why=text("Households may ask who vouches for them, before they use your code."),
        to="about#mail",
        is_done=_has_contact,
    ),
    FirstStep(
        words=text("Set up the nightly backup"),
        why=text(
            "On the server. It leaves out the homes’ keys (the file keys.db) on purpose: never copy"
            " them. After a restore, each home enrols again by itself, with its code. Done once a"
            " first backup was made."
        ),
        guide=BACKUPS_GUIDE,
        is_done=_has_backup,
    ),
    _ALERTS,
    FirstStep(
        words=text("Create the first codes"),
        why=text("Print the sheets at once: each code is shown only once."),
        to="codes/new",
        is_done=lambda state: bool(state.codes),
    ),
    FirstStep(
        words=text("Give the codes to households"),
        why=text(
            "Yourself, to households that you know to be real; never to the collective. Done once a"
            " first home has enrolled."
        ),
        guide=CODES_GUIDE,
        is_done=lambda state: any(code.enrolled_at for code in state.codes),
    ),
)


async def look(connection: AsyncConnection, settings: Settings, backups: Backups) -> Beginning:
    """Return what a collective, or a witness, has of what its first steps make."""
    offered = await needs.offered(connection)
    lost = await needs.unreadable(connection)
    return Beginning(
        about=await load_about(connection, settings.about),
        backups=backups,
        settings=settings,
        has_request=bool(offered) or any(need.closed_at is None for need in lost),
        has_invited=backups.joined_at is not None
        or bool(await invitations.all_invitations(connection)),
        is_open=await opened(connection) is not None,
        codes=await codes.all_codes(connection) if settings.witness_for else (),
    )


def steps_of(state: Beginning) -> list[tuple[FirstStep, bool]]:
    """Return all steps, each with whether it is done; none once all are."""
    which = WITNESS_STEPS if state.is_only_witness else STEPS
    steps = [(step, step.is_done(state)) for step in which]
    return [] if all(done for _, done in steps) else steps
