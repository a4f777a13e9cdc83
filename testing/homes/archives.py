"""Archives with a home's data, as a collective answers them."""

import io
from zipfile import ZIP_DEFLATED, ZipFile

from consometers_node.sharing.access_requests import DOCUMENT


def packed(method: int = ZIP_DEFLATED, **files: str) -> bytes:
    content = io.BytesIO()
    with ZipFile(content, "w", method) as archive:
        for name, words in files.items():
            archive.writestr(name.replace("_", "."), words)
    return content.getvalue()


GOOD = packed(export_json='{"member": "é"}\n', records_csv="time,value\n")


_DATA_AT = GOOD.index(DOCUMENT.encode()) + len(DOCUMENT)
NO_DEFLATE = GOOD[:_DATA_AT] + b"\xff\xff\xff" + GOOD[_DATA_AT + 3 :]
"""Its data is no deflate stream: `zlib.error`. The list at its end is intact."""
