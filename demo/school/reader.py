"""The reader, another house's application, which the school's XMPP server serves."""

import json
from pathlib import Path
import shutil
from typing import Final

from demo.hass.folder import ROOT
from demo.servers.prosody import Prosody

BUILT: Final = ROOT / "applications/reader/dist"
"""What script/setup builds where npm is there."""
_WEBSOCKET: Final = "/xmpp-websocket"


def serve(server: Prosody, folder: Path, node: str) -> str | None:
    """Have a server serve it from its next start on, for its accounts; return the address.

    `node` is offered to readers. None where it is not built.
    """
    if not (BUILT / "index.html").exists():
        return None
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(BUILT, folder)
    settings = {"domain": server.host, "websocket": _WEBSOCKET, "node": node}
    (folder / "settings.json").write_text(json.dumps(settings))
    return server.serve(folder)
