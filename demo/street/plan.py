"""Who lives in a street, and how they reach the network: the input of its program."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
import json
from pathlib import Path
from typing import Final, Self

HOUR_S = 3600
COMMUNE: Final = "Lorient"
"""Whose municipality sums what its homes draw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An XMPP server on this machine."""

    host: str
    port: int
    ca_file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A home: its account, its building and its meter, its commune, the invitation that it has.

    One with a recording has its records from there, and a building by which it was made. Nobody
    reads one with a `code`, which its witness gave to it: it allows protected sums alone. One that
    `forgets_its_key` masks with another than its witness has: its reports are invalid.
    """

    jid: str
    site: str
    kwp: float
    seed: int
    invitation: str
    area: str = COMMUNE
    kva: int = 9
    recording: str | None = None
    code: str | None = None
    forgets_its_key: bool = False

    @property
    def masked(self) -> bool:
        return self.code is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All homes of one program, the servers of their accounts by domain, and how far they go."""

    folder: str
    password: str
    history_days: int
    places: Mapping[str, Place]
    homes: Sequence[Home]

    def write(self, file: Path) -> None:
        """Write it for the program: its owner alone may read the invitations."""
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(self)))

    def has_allowed(self, home: Home) -> bool:
        """Whether a home lives with the others: one that is masked allows protected sums before."""
        return not home.masked or self._allowed(home).exists()

    def note_allowed(self, home: Home) -> None:
        """Note that a masked home has allowed protected sums."""
        self._allowed(home).touch()

    def _allowed(self, home: Home) -> Path:
        return Path(self.folder) / f"{home.jid}.allowed"

    @classmethod
    def read(cls, file: Path) -> Self:
        plan = json.loads(file.read_text())
        places = {domain: Place(**place) for domain, place in plan.pop("places").items()}
        homes = tuple(Home(**home) for home in plan.pop("homes"))
        return cls(places=places, homes=homes, **plan)
