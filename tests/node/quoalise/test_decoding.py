"""Foreign bytes are decoded behind one function, whatever their decoder fails by."""

import ast
from base64 import b64decode
from collections.abc import Callable
import json
from pathlib import Path
import zlib

import pytest

import consometers_node
from consometers_node.quoalise.decoding import Undecodable, decoded

ROOM = Path(consometers_node.__file__).parent
DECODERS = {
    "ZipFile",
    "b32decode",
    "b64decode",
    "decompress",
    "decompressobj",
    "loads",
    "urlsafe_b64decode",
}
OWN = {
    "cli/core/control_socket.py": "a socket in the folder of the node",
    "cli/core/paths.py": "settings",
    "cli/node/running_home.py": "an argument of the node's own command",
    "collective/about.py": "a setting",
    "collective/members/sites.py": "a row",
    "collective/monitoring/alerts.py": "a setting",
    "collective/permissions/member_permissions.py": "a setting",
    "collective/privacy/erasure_log.py": "a file of the node, each line of which is verified",
    "collective/privacy/own_export.py": "an archive that is written",
    "collective/publication/monthly_groups.py": "a setting",
    "collective/publication/openings.py": "a row",
    "collective/publication/policy.py": "a setting",
    "collective/settings.py": "settings",
    "collective/witness/heads.py": "a setting",
    "collective/witness/register.py": "a row",
    "sharing/access_requests.py": "an archive, in `decoded` or found whole by it",
    "sharing/openings.py": "a row",
    "store/personal.py": "a row",
    "web/public/opendata.py": "a file of the program",
    "web/public/witness.py": "a body, in `decoded`",
    "wire/need_file.py": "a file of the administrator, refused in words",
    "protected_sums/requests.py": "a field, in `decoded`",
}
"""Modules that call a decoder by themselves, and what of."""


@pytest.mark.parametrize(
    ("decoder", "sent"),
    [
        (zlib.decompress, b"a-secret"),
        (json.loads, "[" * 200_000),
        (b64decode, "secret"),
        (bytes.decode, b"a-secret\xff"),
    ],
    ids=["deflate", "depth", "base64", "utf-8"],
)
def test_whatever_a_decoder_fails_by_is_one_error_without_the_bytes(
    decoder: Callable[[object], object], sent: object
) -> None:
    with pytest.raises(Undecodable) as failed:
        decoded(decoder, sent)
    assert "secret" not in str(failed.value)
    assert failed.value.__cause__ is None


def test_no_other_module_calls_a_decoder_by_itself() -> None:
    calling = set()
    for file in ROOM.rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text())):
            match call:
                case ast.Call(func=ast.Attribute(attr=name)) | ast.Call(func=ast.Name(id=name)):
                    if name in DECODERS:
                        calling.add(str(file.relative_to(ROOM)))
    assert calling == OWN.keys()
