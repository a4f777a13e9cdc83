"""The copy of its data that a member asks for."""

from hashlib import sha256
import io
from zipfile import ZipFile

from consometers_node.collective.privacy.own_export import OwnExports


async def whole(exports: OwnExports, jid: str) -> bytes:
    first = await exports.part(jid, 1)
    parts = [first, *[await exports.part(jid, n) for n in range(2, first.parts + 1)]]
    assert {(part.id, part.size, part.sha256) for part in parts} == {
        (first.id, first.size, first.sha256)
    }
    content = b"".join(part.content for part in parts)
    assert (len(content), sha256(content).hexdigest()) == (first.size, first.sha256)
    return content


def files(content: bytes) -> dict[str, str]:
    with ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}
