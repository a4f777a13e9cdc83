"""The examples of docs/protocol.md."""

import re

from testing.checkout import ROOT

DOCS = ROOT / "docs"
PAGE = (DOCS / "protocol.md").read_text()
EXAMPLE = re.compile(r"```xml\n(.*?)```", re.DOTALL)
EXAMPLES = EXAMPLE.findall(PAGE)
