"""A collective's data about this node: requested, checked, and offered (RGPD art. 15 and 20)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
import io
import struct
import tempfile
from typing import IO, Final, NoReturn
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from consometers_node.i18n.protocol import refusal, sentence
from consometers_node.i18n.text import Text, TranslatedError, text
from consometers_node.store import PeerId, Store
from consometers_node.store.answers import AccessRequest, log_request
from consometers_node.store.peers import Peer
from consometers_quoalise import ExportPart, QuoaliseError
from consometers_quoalise.elements.decoding import Undecodable, decoded
from consometers_quoalise_network import Asking, NetworkError

DOCUMENT, RECORDS = "export.json", "records.csv"
"""The files in a collective's archive."""
MOST_BYTES: Final = 64 * 1024**2
MOST_PARTS: Final = 2_000
MOST_UNPACKED: Final = 1024**3
_CHUNK = 64 * 1024
_METHODS: Final = (ZIP_STORED, ZIP_DEFLATED)
"""Those that Python unpacks in parts of bounded size."""
_END: Final = struct.Struct("<4s6xHI4xH")
"""The end of a ZIP file: signature, number of files, bytes of their list, bytes of a comment."""
_END_SIGNATURE, _LOCATOR = b"PK\x05\x06", b"PK\x06\x07"
_LOCATOR_BYTES: Final = 20
_MOST_LISTED: Final = 4_096

_DAMAGED = text(
    "The answer of {peer} is damaged or incomplete: ask again. If this persists, "
    "inform the collective."
)
_TOO_MUCH = text(
    "The answer of {peer} is larger than this node accepts: ask the collective for a copy."
)
_NO_ROOM = text("The export cannot be stored: free some space on the disk, then ask again.")


class BadCopy(TranslatedError):
    """A collective sent an invalid archive. `text` says why."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A collective's data, as received: a ZIP file that was checked."""

    facts: ExportPart
    file: IO[bytes] = field(repr=False)

    async def chunks(self, name: str) -> AsyncIterator[str]:
        """Yield one of its files, part by part."""
        with ZipFile(self.file) as archive, archive.open(name) as unpacked:
            words = io.TextIOWrapper(unpacked, encoding="utf-8", errors="replace", newline="")
            while chunk := await asyncio.to_thread(words.read, _CHUNK):
                yield chunk


async def fetch(
    asking: Asking, collective: str, came: Callable[[int, int], None] = lambda _part, _of: None
) -> Copy:
    """Request all data of a collective about us, and check it. `came` is called at each part.

    Raises `QuoaliseError`, `NetworkError`, `BadCopy`, and OSError where the disk is full.
    """
    first = await asking.get_export(collective)
    if first.size > MOST_BYTES or first.parts > MOST_PARTS:
        raise BadCopy(_TOO_MUCH, peer=collective)
    file = tempfile.TemporaryFile()  # noqa: SIM115  # `Copy` keeps it
    try:
        await _receive(asking, collective, first, file, came)
    except BaseException:
        file.close()
        raise
    return Copy(first, file)


async def _receive(
    asking: Asking,
    collective: str,
    first: ExportPart,
    file: IO[bytes],
    came: Callable[[int, int], None],
) -> None:
    """Write all parts into a file, and check it."""
    damaged = BadCopy(_DAMAGED, peer=collective)
    digest, size = sha256(), 0
    for number in range(1, first.parts + 1):
        part = first if number == 1 else await asking.get_export(collective, number)
        size += len(part.content)
        if (part.id, part.part) != (first.id, number) or size > first.size:
            raise damaged
        digest.update(part.content)
        await asyncio.to_thread(file.write, part.content)
        came(number, first.parts)
    is_whole = size == first.size and digest.hexdigest() == first.sha256
    if not is_whole or not await asyncio.to_thread(is_readable, file):
        raise damaged


def is_readable(file: IO[bytes]) -> bool:
    """Return whether a ZIP file has the expected contents, whole and not too large."""
    try:
        return _lists_few(file) and decoded(_is_whole, file)
    except Undecodable:
        return False


def _is_whole(file: IO[bytes]) -> bool:
    with ZipFile(file) as archive:
        members = archive.infolist()
        return (
            sorted(info.filename for info in members) == [DOCUMENT, RECORDS]
            and all(info.compress_type in _METHODS for info in members)
            and sum(info.file_size for info in members) <= MOST_UNPACKED
            and archive.testzip() is None
        )


def _lists_few(file: IO[bytes]) -> bool:
    """Return whether a ZIP file ends with a list of two: `ZipFile` reads a list of any length.

    Source: APPNOTE.TXT §4.3.15 and §4.3.16. Before the end there is no list of ZIP64, behind it no
    comment.
    """
    file.seek(max(0, file.seek(0, io.SEEK_END) - _LOCATOR_BYTES - _END.size))
    tail = file.read()
    if len(tail) < _END.size or tail[: -_END.size].startswith(_LOCATOR):
        return False
    signature, count, size, comment = _END.unpack(tail[-_END.size :])
    return (signature, count, comment) == (_END_SIGNATURE, 2, 0) and size <= _MOST_LISTED


@dataclass(slots=True)
class OpenRequest:
    """The state of a request: parts that came, then the copy or a problem."""

    peer: Peer
    who: str
    part: int = 0
    parts: int = 0
    copy: Copy | None = None
    problem: Text | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event, repr=False)


class AccessRequests:
    """Requests the data of collectives, one after the other; keeps the last copy of each."""

    def __init__(self, store: Store, asking: Asking) -> None:
        self._store = store
        self._asking = asking
        self._requests: dict[PeerId, OpenRequest] = {}
        self._waiting: asyncio.Queue[OpenRequest] = asyncio.Queue()

    def of_peer(self, peer: PeerId) -> OpenRequest | None:
        """Return the last request to a peer since the node went online."""
        return self._requests.get(peer)

    def ask(self, peer: Peer, who: str) -> OpenRequest:
        """Queue a request to a peer, unless one is under way."""
        last = self._requests.get(peer.id)
        if last is not None:
            if not last.over.is_set():
                return last
            if last.copy is not None:
                last.copy.file.close()
        request = self._requests[peer.id] = OpenRequest(peer, who)
        self._waiting.put_nowait(request)
        return request

    async def run(self) -> NoReturn:
        """Send the queued requests until cancelled."""
        try:
            while True:
                request = await self._waiting.get()
                try:
                    await self._fetch(request)
                except QuoaliseError as fault:
                    request.problem = refusal(request.peer.name, fault)
                except (NetworkError, BadCopy) as fault:
                    request.problem = sentence(fault)
                except OSError:
                    request.problem = _NO_ROOM
                finally:
                    request.over.set()
        finally:
            for request in self._requests.values():
                if request.copy is not None:
                    request.copy.file.close()

    async def _fetch(self, request: OpenRequest) -> None:
        def came(part: int, parts: int) -> None:
            request.part, request.parts = part, parts

        copy = await fetch(self._asking, request.peer.jid, came)
        await log_copy(self._store, request.peer.id, request.who, copy)
        request.copy = copy


async def log_copy(store: Store, peer: PeerId, who: str, copy: Copy) -> None:
    """Register the receipt, before anybody reads it."""
    facts = copy.facts
    async with store.writing() as connection:
        await log_request(
            connection,
            AccessRequest(
                at=datetime.now(UTC),
                peer_id=peer,
                who=who,
                made_at=facts.time,
                size=facts.size,
                sha256=facts.sha256,
            ),
        )
