"""What a household does with its space: create it, and delete it."""

from dataclasses import dataclass
from datetime import datetime

from consometers_node.store import Store

from . import invitations, spaces
from .homes import Homes
from .spaces import ShownTerms


@dataclass(frozen=True, slots=True)
class SpaceServices:
    """The spaces of a host. An address is a name at `domain`."""

    store: Store
    homes: Homes
    domain: str
    most_spaces: int

    async def check(self, name: str, token: str | None, at: datetime) -> None:
        """Check whether a space can be created, by an invitation or, with None, without.

        Raises NotInvited, BadName, Full. Names are compared for the invited alone.
        """
        async with self.store.reading() as connection:
            if token is not None:
                await invitations.check(connection, token, at)
            spaces.check_name(name)
            await spaces.check_free(connection, name, self.most_spaces)

    async def create(
        self, name: str, hashed: str, terms: ShownTerms, token: str | None, at: datetime
    ) -> str:
        """Create a space with its home; return the token of a first session.

        Raises NotInvited, BadName, Full. A home that was made before a refusal is empty, and the
        next household of this name takes it over.
        """
        await self.check(name, token, at)
        address = f"{name}@{self.domain}"
        await self.homes.create(address, terms.language)
        async with self.store.writing() as connection:
            await spaces.add(
                connection,
                name,
                address,
                hashed=hashed,
                terms=terms,
                at=at,
                most_spaces=self.most_spaces,
            )
            if token is not None:
                await invitations.use(connection, token, name, at)
            return await spaces.begin_session(connection, name, at)

    async def delete(self, name: str, *, untold: bool = False) -> None:
        """Delete a space with its home. Raises NoAccount.

        If the home cannot be erased, the account stays, and its household tries again; so it does
        after `Untold`, unless `untold`.
        """
        async with self.store.reading() as connection:
            space = await spaces.find(connection, name)
        await self.homes.erase(space.address, untold=untold)
        async with self.store.writing() as connection:
            await spaces.remove(connection, name)
