"""A server whose owner is the attacker: a real Prosody with a module that misuses what it sees."""

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from demo.servers.prosody import Prosody
from testing.xmpp.plain_peer import PlainPeer

MODULE = Path(__file__).with_name("mod_hostile.lua")
NAMESPACE = "urn:example:hostile"


def corrupt(server: Prosody) -> None:
    """Have a server that runs load the module."""
    (server.folder / "plugins" / MODULE.name).write_text(MODULE.read_text())
    loaded = server._control("shell", f'module:load("hostile", "{server.host}")')
    assert "OK" in loaded, loaded + server.log()[-2000:]


@dataclass
class ServerOwner:
    """Who owns a server, and gives it orders from an account on it."""

    host: str
    account: PlainPeer

    async def order(self, what: str, words: str = "", **attributes: str) -> int:
        written = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
        order = f'<order xmlns="{NAMESPACE}" do="{what}"{written}>{escape(words)}</order>'
        answer = await self.account.ask(self.host, order)
        done = answer.find(f"{{{NAMESPACE}}}done")
        assert done is not None, answer
        return int(done.get("count", "0"))

    async def begin_again(self) -> None:
        await self.order("reset")

    async def meet(self, match: str, action: str) -> None:
        """Hold, bounce, drop or double each stanza that holds these words."""
        await self.order("rule", match=match, action=action)

    async def release(self, order: str = "forward") -> int:
        """Pass everything from now on, held stanzas first; return their count."""
        return await self.order("release", order=order)

    async def replay(self, match: str) -> int:
        """Send again all that passed and holds these words, the last first."""
        return await self.order("replay", match=match)

    async def count(self, match: str) -> int:
        """Count what passed, or was to pass, and holds these words."""
        return await self.order("count", match=match)

    async def doubled(self, match: str) -> int:
        """Count what was passed twice and holds these words."""
        return await self.order("doubled", match=match)

    async def forge(self, stanza: str) -> None:
        """Send a stanza in the name of any account of this server."""
        await self.order("forge", stanza)

    async def spoof(self, stanza: str, to_host: str) -> bool:
        """Send a stanza in anybody's name over the stream to another server, if there is one."""
        return bool(await self.order("spoof", stanza, to_host=to_host))
