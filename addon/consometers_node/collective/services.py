"""Administrators' actions, on the pages or on the command line: each once.

An action is one transaction, stands in the access log under the name of who did it, and wakes the
node that runs. Pages and command line read what was typed, and show what came of it.
"""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from consometers_node.permission import DataNeed
from consometers_node.sharing.permissions.consent import Decisions
from consometers_node.store import Store
from consometers_node.store.clock import confirm
from consometers_node.store.collective.access_log import Read, note_read, written_by
from consometers_node.store.collective.tables import ChallengeId, MemberId, MemberPermissionId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_quoalise import ByLanguage, Erased
from consometers_quoalise_network import Join, links

from .about import About, Subject, store_about
from .challenges import register
from .challenges.register import Challenge, TypedChallenge
from .letters import register as letters
from .members import accounts, invitations, shares
from .members.invitations import Invitation
from .members.members import Member, MemberKind, Members
from .members.sites import Description
from .permissions import member_permissions, needs
from .privacy.erasure import erase_member
from .publication.policy import InForce
from .publication.reading.queries import Published
from .settings import Settings
from .witness import codes, register as witness_register
from .witness.codes import Code
from .witness.service import NotWitnessed


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationOrder:
    """Which invitations to issue; `uses` is None for any number, `account` adds an XMPP account.

    `shares` are those that each member holds from then on, by plant.
    """

    days: int
    uses: int | None
    count: int
    kind: MemberKind
    area: str | None
    note: str
    account: bool
    shares: Mapping[MemberId, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IssuedInvitation:
    """An invitation with its links, which are shown once."""

    invitation: Invitation
    link: str
    account: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterOrder:
    """A letter to some members: a `group` of them by its name, or one. `form` sends it once."""

    members: Collection[MemberId]
    group: str
    body: ByLanguage = field(repr=False)
    form: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeOrder:
    """Which codes to make as a witness, for homes of a collective (bare JID)."""

    collective: str
    count: int
    days: int


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A code as it is printed, which is shown once."""

    code: Code
    printed: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """The actions of one person at one moment. `wake` notifies the running node of the change."""

    store: Store
    settings: Settings
    who: str
    at: datetime
    wake: Callable[[], Awaitable[object]]

    async def show_as_site(self, member: MemberId, name: str, description: Description) -> Member:
        """Show a member under its name, as a site. Raises as `Members.present` does."""
        async with self._changing("site", member) as members:
            await members.present(member, name, description, self.at)
            return await members.get(member)

    async def show_as_home(self, member: MemberId) -> Member:
        """Stop showing a site under its name. Raises as `Members.hide` does."""
        async with self._changing("home", member) as members:
            await members.hide(member)
            return await members.get(member)

    async def rename(self, member: MemberId, name: str, website: str | None = None) -> Member:
        """Name a collective that is a member. Raises as `Members.rename` does."""
        async with self._changing("name", member) as members:
            await members.rename(member, name, website)
            return await members.get(member)

    async def set_area(self, member: MemberId, area: str | None) -> Member:
        """Store in which commune a member is; None if in none."""
        async with self._changing("area", member) as members:
            await members.set_area(member, area)
            return await members.get(member)

    async def set_shares(self, member: MemberId, held: Mapping[MemberId, int]) -> None:
        """Store how many shares a member holds, by plant; 0 for none. Raises TooManyShares."""
        async with self._changing("shares", member) as members:
            await shares.hold(members.connection, member, held)

    async def set_note(
        self, member: MemberId, note: str | None, nickname: str | None = None
    ) -> None:
        """Store administrators' notes on a member, and their name for it; None for none."""
        async with self._changing("note", member) as members:
            await members.set_note(member, note, nickname)

    async def write_letter(self, order: LetterOrder) -> int:
        """Send a letter to members through their nodes; return to how many.

        Raises NobodyToWriteTo, TooManyLetters, and IntegrityError if the form was sent before.
        """
        async with self.store.writing() as connection:
            count = await letters.write(
                connection, order.members, order.body, key=order.form, at=self.at
            )
            if order.group:
                await self._note(connection, f"message to {count} members: {order.group}")
            else:
                (member,) = order.members
                await self._note(connection, "message", member)
        await self.wake()
        return count

    async def terminate(self, member: MemberId, permissions: Iterable[MemberPermissionId]) -> None:
        """End permissions of a member in the collective's name; its node is informed."""
        async with self._changing("terminate", member) as members:
            for permission in permissions:
                await member_permissions.terminate(members, permission, self.at)

    async def erase(self, member: Member, *, account: bool = False) -> tuple[Erased, ...]:
        """End all permissions of a member, and erase what is held of it.

        `account` has its account on the collective's own server removed too, once its node was
        notified. Raises NotHere.
        """
        if account and not (member.jid and self.settings.xmpp.removes(member.jid)):
            raise accounts.NotHere
        async with self.store.writing() as connection:
            await self._note(connection, "erase with account" if account else "erase", member.id)
            if account and member.jid:
                await accounts.order_removal(connection, member.jid)
        erased = await erase_member(self.store, self.settings.time_zone, member.id, self.at)
        await self.wake()
        return erased

    async def remove_account(self, address: str) -> None:
        """Remove an account of the collective's own server that is no member's any more.

        Raises NotHere, OfMember or NotRemoved.
        """
        if not self.settings.xmpp.removes(address):
            raise accounts.NotHere
        async with self.store.reading() as connection:
            if await Members(connection, self.settings.time_zone).by_jid(address) is not None:
                raise accounts.OfMember
        await accounts.remove(self.settings.xmpp.account_removal_command, address)
        async with self._acting("account removed"):
            pass

    async def offer(self, need: DataNeed) -> bool:
        """Offer a data need to members. Return whether this version is new.

        Raises BadWitness, and as `needs.offer` does.
        """
        what = f"data need {need.id} version {need.version} asked for"
        async with self._acting(what) as connection:
            await self.check_witness(connection, need)
            if await needs.offer(connection, need, self.at):
                return True
            await needs.reopen(connection, need.id)
            return False

    async def close(self, need: str) -> None:
        """Close a data need. Raises NotFound."""
        async with self._acting(f"data need {need} closed") as connection:
            await needs.close(connection, need, self.at)

    async def reopen(self, need: str) -> None:
        """Offer the newest version of a data need again. Raises NotFound, BadWitness."""
        async with self._acting(f"data need {need} asked for again") as connection:
            for version in (await needs.versions(connection, need))[-1:]:
                await self.check_witness(connection, version.need)
            await needs.reopen(connection, need)

    async def invite(
        self,
        order: InvitationOrder,
        *,
        ids: Sequence[str | None] | None = None,
        deliver: Callable[[Sequence[IssuedInvitation]], None] | None = None,
    ) -> list[IssuedInvitation]:
        """Issue invitations. Where `deliver` fails, none of them is stored: nobody has its link.

        Raises NoAccount, TooManyShares, and IntegrityError if an id is taken.
        """
        xmpp = self.settings.xmpp
        invited = [
            (name, await accounts.invite(xmpp.account_command) if order.account else None)
            for name in ids or [None] * order.count
        ]
        issued = []
        what = f"{order.count} invitations made for {order.kind}"
        async with self._acting(what) as connection:
            for name, account in invited:
                invitation, token = await invitations.make(
                    connection,
                    at=self.at,
                    expires_at=self.at + timedelta(days=order.days),
                    most_uses=order.uses,
                    kind=order.kind,
                    area=order.area,
                    note=order.note,
                    id=name,
                )
                await shares.promise(connection, invitation.id, order.shares)
                link = links.write(Join(xmpp.account, token))
                issued.append(IssuedInvitation(invitation, link, account))
            if deliver is not None:
                deliver(issued)
        return issued

    async def revoke(self, invitation: str) -> Invitation:
        """Revoke an invitation. Raises NotFound."""
        async with self._acting(f"invitation {invitation} revoked") as connection:
            return await invitations.revoke(connection, invitation, self.at)

    async def make_codes(
        self,
        order: CodeOrder,
        *,
        ids: Sequence[str | None] | None = None,
        deliver: Callable[[Sequence[IssuedCode]], None] | None = None,
    ) -> list[IssuedCode]:
        """Make codes for households. Where `deliver` fails, none of them is stored.

        Raises NotWitnessed, and IntegrityError if an id is taken.
        """
        if order.collective not in self.settings.witness_for:
            raise NotWitnessed
        expires_at = self.at + timedelta(days=order.days)
        async with self._acting(f"{order.count} codes made for {order.collective}") as connection:
            issued = [
                IssuedCode(
                    *await codes.make(
                        connection,
                        collective=order.collective,
                        at=self.at,
                        expires_at=expires_at,
                        id=name,
                    )
                )
                for name in ids or [None] * order.count
            ]
            if deliver is not None:
                deliver(issued)
        return issued

    async def revoke_code(self, code: str) -> Code:
        """Revoke a code: a home that enrolled by it leaves. Raises NotFound."""
        async with self._acting(f"code {code} revoked") as connection:
            return await witness_register.revoke(connection, code, self.at)

    async def describe(self, about: About, subject: Subject) -> None:
        """Store the collective's description, of which one subject changed."""
        async with self._acting(f"{subject} changed") as connection:
            await store_about(connection, about, self.settings.about)

    async def set_challenge(
        self, typed: TypedChallenge, challenge_id: ChallengeId | None = None
    ) -> Challenge:
        """Store a new or changed challenge.

        Raises BadChallenge and NotFound.
        """
        what = "challenge {} set" if challenge_id is None else "challenge {} changed"
        async with self.store.reading() as connection:
            rules = await InForce(self.settings.publication).read(connection, self.at)
            published = Published(
                self.settings.identifier, self.settings.time_zone, rules.publication
            )
            challenge = register.read(typed, await published.places(connection))
        async with self._acting(what.format(challenge.name_en)) as connection:
            if challenge_id is None:
                return replace(challenge, id=await register.add(connection, challenge))
            challenge = replace(challenge, id=challenge_id)
            await register.change(connection, challenge)
            return challenge

    async def remove_challenge(self, challenge_id: ChallengeId) -> Challenge:
        """Remove a challenge. Raises NotFound."""
        async with self.store.reading() as connection:
            challenge = await register.challenge_of(connection, challenge_id)
        async with self._acting(f"challenge {challenge.name_en} removed") as connection:
            return await register.remove(connection, challenge_id)

    async def confirm_clock(self) -> None:
        """Store that a person confirmed the clock."""
        async with self._acting("clock confirmed") as connection:
            await confirm(connection, self.at)

    @property
    def decisions(self) -> Decisions:
        """Answers to a municipality, or to others that ask this collective for its sums."""
        return Decisions(self.store, written_by(self.who))

    async def check_witness(self, connection: AsyncConnection, need: DataNeed) -> None:
        """Raise BadWitness where a protected sum could not be opened, or would protect nothing."""
        rules = await InForce(self.settings.publication).read(connection, self.at)
        account = self.settings.xmpp.account
        await needs.check_witness(connection, need, account, rules.chosen.publication)

    async def _note(
        self, connection: AsyncConnection, what: str, member: MemberId | None = None
    ) -> None:
        await note_read(connection, Read(at=self.at, who=self.who, what=what, member=member))

    @asynccontextmanager
    async def _acting(
        self, what: str, member: MemberId | None = None
    ) -> AsyncIterator[AsyncConnection]:
        async with self.store.writing() as connection:
            yield connection
            await self._note(connection, what, member)
        await self.wake()

    @asynccontextmanager
    async def _changing(self, what: str, member: MemberId) -> AsyncIterator[Members]:
        async with self._acting(what, member) as connection:
            yield Members(connection, self.settings.time_zone)
