"""Foreign bytes are decoded behind one function, whatever their decoder fails by."""

import ast
from base64 import b64decode
from collections.abc import Callable
import json
from pathlib import Path
import zlib

import pytest

from consometers_quoalise.elements.decoding import Undecodable, decoded

ADDON = Path(__file__).parents[3] / "addon"
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
    "consometers_enedis_files/archive.py": "a file of the household, bounded, refused in words",
    "consometers_node/cli/core/control_socket.py": "a socket in the folder of the node",
    "consometers_node/cli/core/paths.py": "settings",
    "consometers_node/cli/node/running_home.py": "an argument of the node's own command",
    "consometers_node/collective/about.py": "a setting",
    "consometers_node/collective/members/sites.py": "a row",
    "consometers_node/collective/monitoring/alerts.py": "a setting",
    "consometers_node/collective/outlines.py": "a file that the operator adds, bounded",
    "consometers_node/collective/permissions/member_permissions.py": "a setting",
    "consometers_node/collective/privacy/erasure_log.py": "a file of the node, verified",
    "consometers_node/collective/privacy/own_export.py": "an archive that is written",
    "consometers_node/collective/publication/closing/monthly_groups.py": "a setting",
    "consometers_node/collective/publication/closing/openings.py": "a row",
    "consometers_node/collective/publication/policy.py": "a setting",
    "consometers_node/settings_file/file.py": "settings",
    "consometers_node/collective/witness/heads.py": "a setting",
    "consometers_node/collective/witness/register.py": "a row",
    "consometers_node/host/homes/register.py": "a row",
    "consometers_node/household/files/blocks.py": "a row",
    "consometers_node/sharing/access_requests.py": "an archive, in `decoded` or found whole by it",
    "consometers_node/sharing/openings.py": "a row",
    "consometers_node/store/personal.py": "a row",
    "consometers_node/web/public/open_data/archive.py": "an archive that is written",
    "consometers_node/web/public/open_data/opendata.py": "a file of the program",
    "consometers_node/web/public/witness.py": "a body, in `decoded`",
    "consometers_node/wire/need_file.py": "a file of the administrator, refused in words",
    "consometers_node/wire/witness_requests.py": "a field, in `decoded`",
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
    for file in ADDON.glob("consometers_*/**/*.py"):
        for call in ast.walk(ast.parse(file.read_text())):
            match call:
                case ast.Call(func=ast.Attribute(attr=name)) | ast.Call(func=ast.Name(id=name)):
                    if name in DECODERS:
                        calling.add(str(file.relative_to(ADDON)))
    assert calling == OWN.keys()
