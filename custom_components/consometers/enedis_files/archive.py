"""Archives: what they contain, unpacked within a limit."""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Final
from zipfile import BadZipFile, ZipFile, ZipInfo
import zlib

from .values import MOST_UNPACKED_BYTES, Refusal, Refused

_MOST_FILES: Final = 200
_MOST_AT_ONCE: Final = 256 * 1024
_ENCRYPTED: Final = 0x1
_SIGNATURE: Final = b"PK\x03\x04"


def is_archive(data: bytes) -> bool:
    """Return whether these bytes begin as an archive does; a workbook is one, too."""
    return data.startswith(_SIGNATURE)


def unpack(data: bytes, is_wanted: Callable[[str], bool]) -> Mapping[str, bytes]:
    """Return the wanted files of an archive by their names, in the order of these.

    The size that an archive declares is not believed: what is unpacked is counted.
    """
    try:
        with ZipFile(BytesIO(data)) as archive:
            infos = archive.infolist()
            if len(infos) > _MOST_FILES:
                raise Refused(Refusal.UNPACKS_TOO_LARGE)
            wanted = sorted(
                (info for info in infos if not info.is_dir() and is_wanted(info.filename)),
                key=lambda info: info.filename,
            )
            if any(info.flag_bits & _ENCRYPTED for info in wanted):
                raise Refused(Refusal.ENCRYPTED)
            left, files = MOST_UNPACKED_BYTES, {}
            for info in wanted:
                files[info.filename] = _unpack_one(archive, info, left)
                left -= len(files[info.filename])
            return files
    except BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError:
        raise Refused(Refusal.DAMAGED) from None


def names(data: bytes) -> list[str]:
    """Return the names of an archive's files."""
    try:
        with ZipFile(BytesIO(data)) as archive:
            return archive.namelist()
    except BadZipFile, NotImplementedError, OSError, ValueError:
        raise Refused(Refusal.DAMAGED) from None


def _unpack_one(archive: ZipFile, info: ZipInfo, most: int) -> bytes:
    whole = bytearray()
    with archive.open(info) as file:
        while piece := file.read(min(_MOST_AT_ONCE, most + 1 - len(whole))):
            whole += piece
            if len(whole) > most:
                raise Refused(Refusal.UNPACKS_TOO_LARGE)
    return bytes(whole)
