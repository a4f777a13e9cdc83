"""A Supervisor for one add-on, on loopback: its API for the add-on, and ingress.

    async with Supervisor(port_of_the_page) as supervisor:
        async with Hass(folder, supervised=supervisor.supervised) as hass:
            supervisor.oversee(hass)

It answers core and the add-on as the real one does. It does not manage containers: its user runs
the add-on's program, with `supervisor.environment`.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
import secrets
from typing import Any, Final, Self
from uuid import uuid4

import aiohttp
from aiohttp import hdrs, web
from homeassistant.util.yaml import load_yaml_dict

from demo.hass import Hass, HassError, Supervised, free_port
from demo.hass.folder import ROOT, TIME_ZONE

ADDON: Final = ROOT / "addon"
LOOPBACK: Final = "127.0.0.1"
INGRESS: Final = "127.0.0.2"
"""Where ingress connects from: another address than that of programs on this machine."""
COOKIE: Final = "ingress_session"

_REPOSITORY: Final = "local"
_USER: Final = {"id": "Id", "username": "Name", "name": "Display-Name"}
_OURS: Final = "x-remote-user-"
_HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_RUNNING: Final = "RUNNING"
_CONNECTS_WITHIN: Final = aiohttp.ClientTimeout(total=None, sock_connect=10)
_MAX_MESSAGE: Final = 64 * 1024 * 1024
_CLOSED: Final = (aiohttp.ClientError, ConnectionError, RuntimeError)


@dataclass(frozen=True, kw_only=True)
class Discovered:
    """The add-on's discovery message."""

    uuid: str
    service: str
    config: Mapping[str, Any]


class Supervisor:
    """It knows one add-on, whose page listens on a port of loopback, and one Home Assistant."""

    def __init__(self, page_port: int) -> None:
        """Prepare; nothing listens yet."""
        self._addon = load_yaml_dict(str(ADDON / "config.yaml"))
        self._page = f"http://{LOOPBACK}:{page_port}"
        self._page_port = page_port
        self.slug = f"{_REPOSITORY}_{self._addon['slug']}"
        self.token = secrets.token_hex(28)
        self._ingress_token = secrets.token_urlsafe(32)
        self._core_token = secrets.token_hex(28)
        self.discovered: dict[str, Discovered] = {}
        self._sessions: dict[str, Mapping[str, str]] = {}
        self._hass: Hass | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of the add-on's program."""
        return {
            "SUPERVISOR_TOKEN": self.token,
            "CONSOMETERS_SUPERVISOR": self.url,
            "CONSOMETERS_INGRESS": INGRESS,
            "TZ": TIME_ZONE,
        }

    @property
    def supervised(self) -> Supervised:
        """The environment of Home Assistant."""
        return Supervised(host=f"{LOOPBACK}:{self.port}", token=self._core_token)

    @property
    def options(self) -> Mapping[str, Any]:
        """The add-on's options, as they are until somebody changes them."""
        options: Mapping[str, Any] = self._addon["options"]
        return options

    @property
    def panel_path(self) -> str:
        """The URL of the add-on's page, below Home Assistant's."""
        return f"/{self.slug}"

    @property
    def ingress_path(self) -> str:
        """Where the page itself is, for a browser with a session."""
        return f"/api/hassio_ingress/{self._ingress_token}"

    def oversee(self, hass: Hass) -> None:
        """Stand between the add-on and this Home Assistant."""
        self._hass = hass

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        connector = aiohttp.TCPConnector(local_addr=(INGRESS, 0))
        self._visits = aiohttp.ClientSession(
            connector=connector, auto_decompress=False, timeout=_CONNECTS_WITHIN
        )
        self._session = aiohttp.ClientSession(timeout=_CONNECTS_WITHIN)
        app = web.Application()
        app.add_routes(
            [
                web.get("/core/websocket", self._websocket),
                web.route("*", "/core/api/{path:.*}", self._rest),
                web.post("/discovery", self._discover),
                web.get("/discovery", self._list_discoveries),
                web.get("/discovery/{uuid}", self._discovery),
                web.get("/addons/{slug}/info", self._addon_info),
                web.get("/ingress/panels", self._panels),
                web.post("/ingress/session", self._open_session),
                web.post("/ingress/validate_session", self._validate_session),
                web.route("*", "/ingress/{token}/{path:.*}", self._visit),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self.port).start()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self._runner.cleanup()
        await self._session.close()
        await self._visits.close()

    # Requests of the add-on

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        """Accept the add-on with its own token, and core with one that core knows."""
        core = await self._running_core()
        addon = web.WebSocketResponse(max_msg_size=_MAX_MESSAGE)
        await addon.prepare(request)
        version = (await core.api.request("GET", "config"))["version"]
        await addon.send_json({"type": "auth_required", "ha_version": version})
        greeting = await addon.receive_json()
        if greeting.get("access_token") != self.token:
            await addon.send_json({"type": "auth_invalid", "message": "Invalid access"})
            return addon
        await addon.send_json({"type": "auth_ok", "ha_version": version})
        async with self._session.ws_connect(
            f"{core.url}/api/websocket", max_msg_size=_MAX_MESSAGE
        ) as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": await core.api.token()})
            if (await socket.receive_json())["type"] == "auth_ok":
                await _join(addon, socket)
        await addon.close()
        return addon

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        self._admit(request, self.token)
        core = await self._running_core()
        async with self._session.request(
            request.method,
            f"{core.url}/api/{request.match_info['path']}",
            params=request.query,
            headers={"Authorization": f"Bearer {await core.api.token()}"},
            data=await request.read(),
        ) as answer:
            return web.Response(
                status=answer.status, body=await answer.read(), content_type=answer.content_type
            )

    async def _discover(self, request: web.Request) -> web.Response:
        self._admit(request, self.token)
        body = await request.json()
        if body["service"] not in self._addon["discovery"]:
            return _error("service is not in the add-on's configuration", HTTPStatus.FORBIDDEN)
        message = self.discovered.get(body["service"])
        if message is None or message.config != body["config"]:
            uuid = uuid4().hex if message is None else message.uuid
            message = Discovered(uuid=uuid, service=body["service"], config=body["config"])
            self.discovered[message.service] = message
            task = asyncio.create_task(self._push(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return _ok({"uuid": message.uuid})

    async def _push(self, message: Discovered) -> None:
        """Notify core of a discovery; once it runs, it asks for all of them."""
        with suppress(web.HTTPBadGateway):
            core = await self._running_core()
            async with self._session.post(
                f"{core.url}/api/hassio_push/discovery/{message.uuid}",
                headers={"Authorization": f"Bearer {await core.api.token()}"},
                json={},
            ) as answer:
                answer.raise_for_status()

    async def _running_core(self) -> Hass:
        """Return Home Assistant, if it runs; else the answer is that of a bad gateway."""
        with suppress(HassError, *_CLOSED, TimeoutError):
            if self._hass is not None:
                config = await self._hass.api.request("GET", "config")
                if config["state"] == _RUNNING:
                    return self._hass
        raise web.HTTPBadGateway

    # Requests of core

    async def _list_discoveries(self, request: web.Request) -> web.Response:
        self._admit(request, self._core_token)
        messages = [self._discovery_of(message) for message in self.discovered.values()]
        return _ok({"discovery": messages, "services": {}})

    async def _discovery(self, request: web.Request) -> web.Response:
        self._admit(request, self._core_token)
        uuid = request.match_info["uuid"].replace("-", "")
        for message in self.discovered.values():
            if message.uuid == uuid:
                return _ok(self._discovery_of(message))
        return _error("discovery message not found", HTTPStatus.NOT_FOUND)

    def _discovery_of(self, message: Discovered) -> Mapping[str, Any]:
        """Return a message as core has it. The Supervisor is the DNS of its containers, too."""
        config = {**message.config, "host": LOOPBACK}
        fields = {"service": message.service, "uuid": message.uuid, "config": config}
        return {"addon": self.slug, **fields}

    async def _addon_info(self, request: web.Request) -> web.Response:
        self._admit(request, self._core_token)
        if request.match_info["slug"] != self.slug:
            return _error("add-on does not exist", HTTPStatus.NOT_FOUND)
        fields = {key: value for key, value in self._addon.items() if key in _COPIED}
        return _ok(
            {
                **_INFO,
                **fields,
                "slug": self.slug,
                "version_latest": self._addon["version"],
                "hostname": self.slug.replace("_", "-"),
                "ingress_url": f"{self.ingress_path}/",
                "ingress_entry": self.ingress_path,
                "ingress_port": self._page_port,
            }
        )

    async def _panels(self, request: web.Request) -> web.Response:
        self._admit(request, self._core_token)
        panel = {
            "title": self._addon["panel_title"],
            "icon": self._addon["panel_icon"],
            "admin": self._addon.get("panel_admin", True),
            "enable": True,
        }
        return _ok({"panels": {self.slug: panel}})

    async def _open_session(self, request: web.Request) -> web.Response:
        self._admit(request, self._core_token)
        core = await self._running_core()
        body = await request.json()
        users = await core.api.command("config/auth/list")
        (user,) = [candidate for candidate in users if candidate["id"] == body["user_id"]]
        session = secrets.token_hex(64)
        self._sessions[session] = {key: user[key] for key in _USER if user[key]}
        return _ok({"session": session})

    async def _validate_session(self, request: web.Request) -> web.Response:
        self._admit(request, self._core_token)
        body = await request.json()
        if body["session"] not in self._sessions:
            raise web.HTTPUnauthorized
        return _ok()

    # Ingress

    async def _visit(self, request: web.Request) -> web.StreamResponse:
        user = self._sessions.get(request.cookies.get(COOKIE, ""))
        if user is None:
            raise web.HTTPUnauthorized
        if request.match_info["token"] != self._ingress_token:
            raise web.HTTPServiceUnavailable
        headers = {name: value for name, value in request.headers.items() if _passes(name)}
        headers |= {f"X-Remote-User-{_USER[key]}": identity for key, identity in user.items()}
        try:
            async with self._visits.request(
                request.method,
                f"{self._page}/{request.match_info['path']}",
                params=request.query,
                headers=headers,
                data=await request.read(),
                allow_redirects=False,
            ) as answer:
                response = web.StreamResponse(status=answer.status)
                response.headers.extend(
                    (name, value) for name, value in answer.headers.items() if _returns(name)
                )
                await response.prepare(request)
                async for data in answer.content.iter_any():
                    await response.write(data)
                return response
        except aiohttp.ClientConnectorError:
            raise web.HTTPBadGateway from None

    @staticmethod
    def _admit(request: web.Request, token: str) -> None:
        if request.headers.get(hdrs.AUTHORIZATION) != f"Bearer {token}":
            raise web.HTTPUnauthorized


async def _join(addon: web.WebSocketResponse, core: aiohttp.ClientWebSocketResponse) -> None:
    """Connect two peers until one of them hangs up."""

    async def pass_on(
        source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
        target: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    ) -> None:
        with suppress(*_CLOSED):
            async for message in source:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await target.send_str(message.data)

    both = {asyncio.create_task(pass_on(addon, core)), asyncio.create_task(pass_on(core, addon))}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in both:
            task.cancel()


def _passes(header: str) -> bool:
    name = header.lower()
    return name not in _HOP_BY_HOP and not name.startswith(_OURS)


def _returns(header: str) -> bool:
    return header.lower() not in _HOP_BY_HOP - {"content-encoding", "content-length"}


def _ok(data: Mapping[str, Any] | None = None) -> web.Response:
    return web.json_response({"result": "ok", "data": data or {}})


def _error(message: str, status: HTTPStatus) -> web.Response:
    return web.json_response({"result": "error", "message": message}, status=status)


_COPIED: Final = frozenset(
    {"arch", "description", "discovery", "homeassistant", "homeassistant_api", "ingress", "name"}
    | {"options", "stage", "url", "version"}
)
_OFF: Final = (
    "advanced audio auth_api auto_update build detached devicetree docker_api "
    "full_access gpio hassio_api host_dbus host_ipc host_network host_pid "
    "host_uts kernel_modules signed stdin system_managed uart udev "
    "update_available usb video watchdog"
)
_UNSET: Final = (
    "audio_input audio_output long_description network network_description schema "
    "system_managed_config_entry webui"
)
_INFO: Final[Mapping[str, Any]] = {
    **dict.fromkeys(_OFF.split(), False),
    **dict.fromkeys(_UNSET.split()),
    **dict.fromkeys(
        ("available", "changelog", "documentation", "icon", "ingress_panel", "logo", "protected"),
        True,
    ),
    **dict.fromkeys(("devices", "dns", "machine", "privileged", "services"), ()),
    "apparmor": "profile",
    "boot": "auto",
    "boot_config": "auto",
    "hassio_role": "default",
    "ip_address": LOOPBACK,
    "rating": 8,
    "repository": _REPOSITORY,
    "stage": "stable",
    "startup": "application",
    "state": "started",
    "translations": {},
}
"""The privileges of an ordinary add-on."""
