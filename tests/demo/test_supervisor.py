"""The Supervisor of the show house tells all sides what the real one tells them."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from demo.hass import Api, Hass, free_port
from demo.supervisor import COOKIE, INGRESS, LOOPBACK, Supervisor

USER = {"id": "0a1b", "username": "noel", "name": "Noël"}
TOLD = {"service": "consometers", "config": {"host": "add-on", "port": 8099, "token": "t"}}


class Core:
    """As much of Home Assistant's HTTP as a Supervisor asks for."""

    def __init__(self) -> None:
        self.state = "RUNNING"
        self.pushed: list[str] = []
        app = web.Application()
        app.add_routes(
            [
                web.post("/auth/token", self._token),
                web.get("/api/config", self._config),
                web.get("/api/websocket", self._websocket),
                web.post("/api/hassio_push/discovery/{uuid}", self._push),
            ]
        )
        self.server = TestServer(app, host=LOOPBACK)

    async def _token(self, _request: web.Request) -> web.Response:
        return web.json_response({"access_token": "of an administrator"})

    async def _config(self, _request: web.Request) -> web.Response:
        return web.json_response({"state": self.state, "version": "2026.11.0"})

    async def _push(self, request: web.Request) -> web.Response:
        self.pushed.append(request.match_info["uuid"])
        return web.Response()

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "auth_required"})
        said = await socket.receive_json()
        known = said["access_token"] == "of an administrator"
        await socket.send_json({"type": "auth_ok" if known else "auth_invalid"})
        async for message in socket:
            told = message.json()
            result = [USER] if told["type"] == "config/auth/list" else told["type"]
            answer = {"type": "result", "success": True, "result": result}
            await socket.send_json({"id": told["id"], **answer})
        return socket


async def _page(request: web.Request) -> web.StreamResponse:
    """Return how it was asked, a piece at a time."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    peer = request.transport.get_extra_info("peername")[0] if request.transport else ""
    for line in (request.method, request.raw_path, peer, await request.text()):
        await response.write(f"{line}\n".encode())
    for name, value in request.headers.items():
        await response.write(f"{name}: {value}\n".encode())
    return response


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def core(session: aiohttp.ClientSession) -> AsyncIterator[Core]:
    core = Core()
    async with core.server:
        yield core


@pytest.fixture
async def supervisor(core: Core, session: aiohttp.ClientSession) -> AsyncIterator[Supervisor]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", _page)
    port = free_port()
    async with TestServer(app, host=LOOPBACK, port=port), Supervisor(port) as supervisor:
        url = str(core.server.make_url("")).rstrip("/")
        home = SimpleNamespace(url=url, api=Api(url, session))
        supervisor.oversee(cast(Hass, home))
        yield supervisor


@pytest.fixture
def addon(supervisor: Supervisor) -> dict[str, str]:
    """What the add-on's program shows that it is one."""
    return {"Authorization": f"Bearer {supervisor.environment['SUPERVISOR_TOKEN']}"}


@pytest.fixture
def home(supervisor: Supervisor) -> dict[str, str]:
    """What Home Assistant shows."""
    return {"Authorization": f"Bearer {supervisor.supervised.token}"}


async def _answer(asked: Any) -> Any:
    async with asked as response:
        assert response.status == 200, await response.text()
        told = await response.json()
        assert told["result"] == "ok"
        return told["data"]


async def test_an_add_on_reaches_home_assistant_with_its_own_token(
    supervisor: Supervisor, session: aiohttp.ClientSession
) -> None:
    url = f"{supervisor.url}/core/websocket"
    async with session.ws_connect(url) as socket:
        assert (await socket.receive_json())["type"] == "auth_required"
        await socket.send_json({"type": "auth", "access_token": supervisor.token})
        assert (await socket.receive_json())["type"] == "auth_ok"
        await socket.send_json({"id": 1, "type": "ping"})
        assert (await socket.receive_json())["result"] == "ping"
    async with session.ws_connect(url) as socket:
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": "of an administrator"})
        assert (await socket.receive_json())["type"] == "auth_invalid"


async def test_while_home_assistant_starts_there_is_a_bad_gateway(
    supervisor: Supervisor, session: aiohttp.ClientSession, core: Core, addon: dict[str, str]
) -> None:
    core.state = "STARTING"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await session.ws_connect(f"{supervisor.url}/core/websocket")
    assert refused.value.status == 502
    async with session.get(f"{supervisor.url}/core/api/config", headers=addon) as answer:
        assert answer.status == 502


async def test_an_add_on_asks_home_assistant_by_rest(
    supervisor: Supervisor, session: aiohttp.ClientSession, addon: dict[str, str]
) -> None:
    async with session.get(f"{supervisor.url}/core/api/config", headers=addon) as answer:
        assert (await answer.json())["state"] == "RUNNING"
    async with session.get(f"{supervisor.url}/core/api/config") as answer:
        assert answer.status == 401


async def test_what_an_add_on_tells_is_told_on_once(
    supervisor: Supervisor,
    session: aiohttp.ClientSession,
    core: Core,
    addon: dict[str, str],
    home: dict[str, str],
) -> None:
    place = f"{supervisor.url}/discovery"
    for _ in range(2):
        told = await _answer(session.post(place, json=TOLD, headers=addon))
    while not core.pushed:
        await _answer(session.get(place, headers=home))
    assert core.pushed == [told["uuid"]]
    message = await _answer(session.get(f"{place}/{told['uuid']}", headers=home))
    assert message["config"] == {"host": LOOPBACK, "port": 8099, "token": "t"}
    assert message["addon"] == supervisor.slug
    changed = {**TOLD, "config": {"host": "add-on", "port": 8099, "token": "another"}}
    again = await _answer(session.post(place, json=changed, headers=addon))
    assert again == told
    (listed,) = (await _answer(session.get(place, headers=home)))["discovery"]
    assert listed["config"]["token"] == "another"


async def test_an_add_on_tells_of_nothing_that_its_configuration_has_not(
    supervisor: Supervisor, session: aiohttp.ClientSession, addon: dict[str, str]
) -> None:
    told = {**TOLD, "service": "mqtt"}
    async with session.post(f"{supervisor.url}/discovery", json=told, headers=addon) as answer:
        assert answer.status == 403


async def test_home_assistant_is_told_of_the_add_on_and_its_panel(
    supervisor: Supervisor, session: aiohttp.ClientSession, home: dict[str, str]
) -> None:
    from aiohasupervisor.models import InstalledAddonComplete

    place = f"{supervisor.url}/addons/{supervisor.slug}/info"
    told = InstalledAddonComplete.from_dict(await _answer(session.get(place, headers=home)))
    assert told.ingress_url == f"{supervisor.ingress_path}/"
    panels = await _answer(session.get(f"{supervisor.url}/ingress/panels", headers=home))
    assert panels["panels"][supervisor.slug]["title"] == "Consometers"
    for unknown in ("addons/another/info", "discovery/0"):
        async with session.get(f"{supervisor.url}/{unknown}", headers=home) as answer:
            assert answer.status == 404


async def test_the_page_is_told_who_visits_by_ingress_alone(
    supervisor: Supervisor, session: aiohttp.ClientSession, home: dict[str, str]
) -> None:
    opened = await _answer(
        session.post(
            f"{supervisor.url}/ingress/session", json={"user_id": USER["id"]}, headers=home
        )
    )
    valid = f"{supervisor.url}/ingress/validate_session"
    await _answer(session.post(valid, json=opened, headers=home))
    async with session.post(valid, json={"session": "another"}, headers=home) as answer:
        assert answer.status == 401
    token = supervisor.ingress_path.rpartition("/")[2]
    async with session.post(
        f"{supervisor.url}/ingress/{token}/join?a=b",
        cookies={COOKIE: opened["session"]},
        headers={"X-Remote-User-Id": "an administrator's", "X-Ingress-Path": "/here"},
        data="said",
    ) as answer:
        assert answer.content_type == "text/event-stream"
        method, path, peer, said, *headers = (await answer.text()).splitlines()
    assert (method, path, peer, said) == ("POST", "/join?a=b", INGRESS, "said")
    told = dict(line.split(": ", 1) for line in headers)
    assert told["X-Remote-User-Id"] == USER["id"]
    assert told["X-Remote-User-Name"] == USER["username"]
    assert told["X-Remote-User-Display-Name"] == USER["name"]
    assert told["X-Ingress-Path"] == "/here"


async def test_ingress_asks_for_a_session_and_for_the_page_of_the_add_on(
    supervisor: Supervisor, session: aiohttp.ClientSession, home: dict[str, str]
) -> None:
    async with session.get(f"{supervisor.url}/ingress/another/") as answer:
        assert answer.status == 401
    opened = await _answer(
        session.post(
            f"{supervisor.url}/ingress/session", json={"user_id": USER["id"]}, headers=home
        )
    )
    cookies = {COOKIE: opened["session"]}
    async with session.get(f"{supervisor.url}/ingress/another/", cookies=cookies) as answer:
        assert answer.status == 503
