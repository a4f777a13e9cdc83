"""A reader in a browser reaches the collective's XMPP server through the proxy."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import NamedTuple, override

from aiohttp import ClientSession, TCPConnector, WSMsgType
import pytest_asyncio

from demo.servers.prosody import Authority
from testing.deploy.proxy import VISITOR, answers_no_http, ask, proxy, trusting
from testing.run import DEADLINE_S
from tools.bench.network.deployed import Deployed

HOST = "localhost"
SITE = f"https://{HOST}"
RELATION = "urn:xmpp:alt-connections:websocket"
OPEN = f'<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="{HOST}" version="1.0"/>'


class Behind(Deployed):
    """Prosody that the proxy reaches from another address, as in a network of containers.

    Of loopback, it would believe that the visitor came by https.
    """

    @override
    def _configuration(self, settings: Mapping[str, object]) -> str:
        before, host, rest = super()._configuration(settings).rpartition("VirtualHost")
        return f"{before}trusted_proxies = {{}}\n{host}{rest}"


class Site(NamedTuple):
    """The proxy, Prosody behind it, and a visitor."""

    address: str
    visitor: ClientSession
    xmpp: Deployed
    folder: Path

    @property
    def websocket(self) -> str:
        return f"{self.address.replace('https', 'wss')}/xmpp-websocket"


@pytest_asyncio.fixture
async def site(tmp_path: Path, socket_enabled: None) -> AsyncIterator[Site]:
    reader = tmp_path / "reader"
    reader.mkdir()
    (reader / "index.html").write_text("<title>Reader</title>")
    xmpp = Behind(HOST, Authority(tmp_path / "authority"))
    port = int(xmpp.serve(tmp_path).rstrip("/").rpartition(":")[2])
    connector = TCPConnector(ssl=trusting(), local_addr=(VISITOR, 0))
    # A node that answers no HTTP: what comes to it is a 502.
    with xmpp:
        async with (
            proxy(tmp_path, answers_no_http, port) as https,
            ClientSession(connector=connector) as visitor,
        ):
            await ask(https)  # It has its certificate once it answers.
            yield Site(f"https://{HOST}:{https}", visitor, xmpp, tmp_path)


async def test_the_domain_says_where_its_websocket_is(site: Site) -> None:
    """Pages of other sites may read it."""
    expected = f"wss://{HOST}/xmpp-websocket"
    for name in ("host-meta.json", "host-meta"):
        async with site.visitor.get(f"{site.address}/.well-known/{name}") as answer:
            assert answer.status == 200
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            if name == "host-meta":
                assert f'href="{expected}"' in (await answer.text()).replace("'", '"')
            else:
                links = (await answer.json())["links"]
                assert links == [{"rel": RELATION, "href": expected}]


async def test_a_browser_is_offered_a_login_by_scram(site: Site) -> None:
    async with site.visitor.ws_connect(site.websocket, protocols=("xmpp",)) as stream:
        assert stream.protocol == "xmpp"
        await stream.send_str(OPEN)
        opened = await stream.receive_str(timeout=DEADLINE_S)
        features = await stream.receive_str(timeout=DEADLINE_S)
    assert f'from="{HOST}"' in opened.replace("'", '"')
    assert "<mechanism>SCRAM-SHA-1<" in features


async def test_a_stanza_beyond_the_limit_ends_the_websocket(site: Site) -> None:
    async with site.visitor.ws_connect(site.websocket, protocols=("xmpp",)) as stream:
        await stream.send_str(OPEN)
        await stream.receive_str(timeout=DEADLINE_S)
        await stream.send_str(f"<message>{2 * Deployed.stanza_size() * 'x'}</message>")
        async for message in stream:
            assert message.type is WSMsgType.TEXT
    assert stream.closed


async def test_no_other_path_leads_to_prosody(site: Site) -> None:
    for path in ("account-invitation", "account-removal", "files", "xmpp-websocket/x"):
        async with site.visitor.post(f"{site.address}/{path}") as answer:
            assert answer.status == 502, path


async def test_the_reader_is_served_where_its_files_are(site: Site) -> None:
    async with site.visitor.get(f"{site.address}/reader") as answer:
        assert answer.url.path == "/reader/"
        assert "Reader" in await answer.text()
        assert "frame-ancestors" in answer.headers["Content-Security-Policy"]
    async with site.visitor.get(f"{site.address}/reader/../log") as answer:
        assert answer.status == 502


async def test_no_log_names_a_visitor(site: Site) -> None:
    async with site.visitor.ws_connect(site.websocket, protocols=("xmpp",)) as stream:
        await stream.send_str(OPEN)
        await stream.receive_str(timeout=DEADLINE_S)
    async with site.visitor.ws_connect(site.websocket, protocols=("xmpp",)) as stream:
        await stream.send_str("</not-xml>")
        await stream.receive(timeout=DEADLINE_S)
    site.xmpp.kill()
    async with site.visitor.get(f"{site.address}/.well-known/host-meta") as answer:
        assert answer.status == 502
    assert VISITOR not in (site.folder / "log").read_text()
