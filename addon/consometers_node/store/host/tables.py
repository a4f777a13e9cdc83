"""The tables that only a host fills. Energy is in none of them: each home has its own database."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint

from consometers_node.store.engine.declaration import Base, Erasure, column


class SpaceRow(Base, personal=Erasure.SPACE):
    """A household's space at this host, with the Argon2id of its password.

    `address` is the bare JID of its home. The terms are those that it accepted last, as shown.
    """

    __table_args__ = (
        ForeignKeyConstraint(
            ["terms_hash", "terms_language"], ["shown_text.hash", "shown_text.language"]
        ),
    )

    name: Column[str] = column(primary_key=True)
    address: Column[str] = column(unique=True)
    password_hash: Column[str]
    created_at: Column[datetime]
    seen_at: Column[datetime]
    terms_version: Column[str]
    terms_hash: Column[str]
    terms_language: Column[str]
    terms_accepted_at: Column[datetime]


class SpaceSessionRow(Base, personal=Erasure.SPACE):
    """A household that logged in, by the SHA-256 of the token that its browser has."""

    token_hash: Column[str] = column(primary_key=True)
    space: Column[str] = column(ForeignKey("space.name", ondelete="CASCADE"), index=True)
    created_at: Column[datetime]
    seen_at: Column[datetime]
    expires_at: Column[datetime]


class SpaceInvitationRow(Base, personal=Erasure.SPACE):
    """An invitation to one space, by the SHA-256 of its token, and the space that it became."""

    __table_args__ = (CheckConstraint("(used_at IS NULL) = (space IS NULL)", "used"),)

    id: Column[str] = column(primary_key=True)
    token_hash: Column[str] = column(unique=True)
    note: Column[str]
    created_at: Column[datetime]
    expires_at: Column[datetime]
    revoked_at: Column[datetime | None]
    used_at: Column[datetime | None]
    space: Column[str | None] = column(ForeignKey("space.name", ondelete="CASCADE"), unique=True)


class FormerSpaceRow(Base, personal=Erasure.HASHED):
    """The SHA-256 of a name whose space was deleted: nobody else gets its address."""

    name_hash: Column[str] = column(primary_key=True)
