"""A client of Home Assistant's API, as browsers use it.

REST for flows and states, a websocket for the rest.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
import time
from typing import Any, Final, Literal, NotRequired, TypedDict, cast

import aiohttp

type Json = Mapping[str, Any]
type Period = Literal["5minute", "hour", "day", "week", "month"]

USER: Final = "kersabiec"
PASSWORD: Final = "kersabiec"
NAME: Final = "Kersabiec"

# An access token is good for 30 minutes.
_TOKEN_LIFE: Final = timedelta(minutes=20)
_TIMEOUT: Final = timedelta(seconds=120)
# A year of hours is read or written in one message.
_MAX_MESSAGE: Final = 64 * 1024 * 1024


class HassError(Exception):
    """Home Assistant refused a request; the text says what and why."""


class State(TypedDict):
    """A state in Home Assistant."""

    entity_id: str
    state: str
    attributes: dict[str, Any]


class RegistryEntity(TypedDict):
    """An entity in the entity registry."""

    entity_id: str
    unique_id: str
    platform: str
    translation_key: str | None
    config_entry_id: str | None
    device_id: str | None


class FlowStep(TypedDict):
    """The state of a flow: a form to fill, work in progress, an entry created, an end."""

    flow_id: str
    type: Literal["form", "progress", "progress_done", "create_entry", "abort", "menu"]
    step_id: NotRequired[str]
    data_schema: NotRequired[list[dict[str, Any]]]
    errors: NotRequired[dict[str, str] | None]
    description_placeholders: NotRequired[dict[str, str] | None]
    reason: NotRequired[str]
    title: NotRequired[str]
    result: NotRequired[dict[str, Any]]


class Issue(TypedDict):
    """A repair issue in Home Assistant."""

    domain: str
    issue_id: str
    is_fixable: bool
    translation_key: str | None


class StatisticRow(TypedDict):
    """One interval of a statistic; start and end are milliseconds since 1970."""

    start: int
    end: int
    state: NotRequired[float | None]
    sum: NotRequired[float | None]


class Socket:
    """An authenticated websocket. One command at a time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = count(1)

    async def command(self, kind: str, **fields: Any) -> Any:
        """Send a command and return its result."""
        message_id = next(self._ids)
        async with asyncio.timeout(_TIMEOUT.total_seconds()):
            await self._socket.send_json({"id": message_id, "type": kind, **fields})
            while True:
                answer = await self._socket.receive_json()
                if answer["type"] == "result" and answer["id"] == message_id:
                    break
        if not answer["success"]:
            raise HassError(f"{kind}: {answer['error']['message']}")
        return answer["result"]


class Api:
    """A logged-in user of one Home Assistant."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session
        self._refresh_token = ""
        self._token = ""
        self._token_until = 0.0

    # The user

    async def onboard(self, language: str) -> bool:
        """Create the owner and log in; False when Home Assistant has an owner already."""
        owner = {"name": NAME, "username": USER, "password": PASSWORD, "language": language}
        async with self._session.post(
            f"{self.url}/api/onboarding/users", json={"client_id": self._client_id, **owner}
        ) as response:
            if response.status in (403, 404):
                return False
            answer = await _json(response)
        await self._get_tokens(grant_type="authorization_code", code=answer["auth_code"])
        return True

    async def log_in(self, username: str = USER, password: str = PASSWORD) -> None:
        """Log in as the owner that `onboard` created, or as somebody else."""
        path = f"{self.url}/auth/login_flow"
        start = {
            "client_id": self._client_id,
            "handler": ["homeassistant", None],
            "redirect_uri": self._client_id,
        }
        async with self._session.post(path, json=start) as response:
            flow_id = (await _json(response))["flow_id"]
        person = {"client_id": self._client_id, "username": username, "password": password}
        async with self._session.post(f"{path}/{flow_id}", json=person) as response:
            code = (await _json(response))["result"]
        await self._get_tokens(grant_type="authorization_code", code=code)

    async def add_user(self, name: str, username: str, password: str) -> None:
        """Add a user who is no administrator."""
        made = await self.command("config/auth/create", name=name, group_ids=["system-users"])
        credentials = {"username": username, "password": password}
        await self.command(
            "config/auth_provider/homeassistant/create", user_id=made["user"]["id"], **credentials
        )

    @property
    def _client_id(self) -> str:
        return f"{self.url}/"

    async def _get_tokens(self, **grant: str) -> None:
        async with self._session.post(
            f"{self.url}/auth/token", data={"client_id": self._client_id, **grant}
        ) as response:
            answer = await _json(response)
        self._token = answer["access_token"]
        self._token_until = time.monotonic() + _TOKEN_LIFE.total_seconds()
        self._refresh_token = answer.get("refresh_token", self._refresh_token)

    async def token(self) -> str:
        """An access token that is good for some minutes more."""
        if time.monotonic() > self._token_until:
            await self._get_tokens(grant_type="refresh_token", refresh_token=self._refresh_token)
        return self._token

    async def long_lived_token(self, client_name: str = "node", days: int = 9) -> str:
        """Make an access token for a program."""
        return cast(
            str,
            await self.command(
                "auth/long_lived_access_token", client_name=client_name, lifespan=days
            ),
        )

    # Requests

    async def request(self, method: str, path: str, data: Json | None = None) -> Any:
        """Ask by REST, and return the answer's JSON. The path is what follows `/api/`."""
        headers = {"Authorization": f"Bearer {await self.token()}"}
        async with self._session.request(
            method, f"{self.url}/api/{path}", json=data, headers=headers
        ) as response:
            return await _json(response)

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[Socket]:
        """Open a websocket for several commands."""
        token = await self.token()
        async with self._session.ws_connect(
            f"{self.url}/api/websocket", max_msg_size=_MAX_MESSAGE
        ) as socket:
            async with asyncio.timeout(_TIMEOUT.total_seconds()):
                await socket.receive_json()
                await socket.send_json({"type": "auth", "access_token": token})
                if (await socket.receive_json())["type"] != "auth_ok":
                    raise HassError("the websocket let nobody in")
            yield Socket(socket)

    async def command(self, kind: str, **fields: Any) -> Any:
        """Send one websocket command and return its result."""
        async with self.socket() as socket:
            return await socket.command(kind, **fields)

    # Flows

    async def start_flow(
        self, handler: str, *, entry_id: str | None = None, choice: str | None = None
    ) -> FlowStep:
        """Start to add an integration, or to reconfigure one of its entries.

        A choice is made in the menu with which the flow begins.
        """
        data = {"handler": handler} | ({"entry_id": entry_id} if entry_id else {})
        step = cast(FlowStep, await self.request("POST", "config/config_entries/flow", data))
        return step if choice is None else await self.submit(step, next_step_id=choice)

    async def start_options_flow(self, entry_id: str, *, choice: str | None = None) -> FlowStep:
        """Start to change the options of an entry, and choose in the menu if there is one."""
        path = "config/config_entries/options/flow"
        step = cast(FlowStep, await self.request("POST", path, {"handler": entry_id}))
        if choice is None or step["type"] != "menu":
            return step
        return await self.submit_options(step, next_step_id=choice)

    async def submit(self, step: FlowStep, **data: Any) -> FlowStep:
        """Submit a form of a config flow, and wait for its next step."""
        path = f"config/config_entries/flow/{step['flow_id']}"
        step = cast(FlowStep, await self.request("POST", path, data))
        async with asyncio.timeout(300):
            while step["type"] in ("progress", "progress_done"):
                await asyncio.sleep(0.2)
                step = cast(FlowStep, await self.request("GET", path))
        return step

    async def submit_options(self, step: FlowStep, **data: Any) -> FlowStep:
        path = f"config/config_entries/options/flow/{step['flow_id']}"
        return cast(FlowStep, await self.request("POST", path, data))

    async def fix(self, issue: Issue, **data: Any) -> FlowStep:
        """Walk the fix flow of a repair, whose one form takes the data, to its end."""
        start = {"handler": issue["domain"], "issue_id": issue["issue_id"]}
        step = await self.request("POST", "repairs/issues/fix", start)
        return cast(
            FlowStep, await self.request("POST", f"repairs/issues/fix/{step['flow_id']}", data)
        )

    # Entries, entities, states, repairs

    async def entries(self, domain: str) -> list[dict[str, Any]]:
        """The config entries of an integration."""
        path = f"config/config_entries/entry?domain={domain}"
        return cast(list[dict[str, Any]], await self.request("GET", path))

    async def reload(self, entry_id: str) -> None:
        await self.request("POST", f"config/config_entries/entry/{entry_id}/reload")

    async def remove(self, entry_id: str) -> None:
        await self.request("DELETE", f"config/config_entries/entry/{entry_id}")

    async def entities(self, entry_id: str) -> list[RegistryEntity]:
        """The entities that a config entry registered, disabled ones too."""
        everything = await self.command("config/entity_registry/list")
        return [entity for entity in everything if entity["config_entry_id"] == entry_id]

    async def entity_ids(self, entry_id: str) -> dict[str, str]:
        """The entity ids of a config entry by translation key."""
        return {
            entity["translation_key"]: entity["entity_id"]
            for entity in await self.entities(entry_id)
            if entity["translation_key"]
        }

    async def states(self) -> list[State]:
        return cast(list[State], await self.request("GET", "states"))

    async def state(self, entity_id: str) -> State:
        return cast(State, await self.request("GET", f"states/{entity_id}"))

    async def history(self, entity_id: str, since: datetime) -> list[State]:
        """Return an entity's past states, oldest first."""
        answer = await self.command(
            "history/history_during_period",
            entity_ids=[entity_id],
            start_time=since.isoformat(),
            no_attributes=False,
        )
        return [
            {"entity_id": entity_id, "state": seen["s"], "attributes": seen["a"]}
            for seen in answer.get(entity_id, [])
        ]

    async def issues(self, domain: str) -> list[Issue]:
        """The open repair issues of an integration."""
        answer = await self.command("repairs/list_issues")
        return [issue for issue in answer["issues"] if issue["domain"] == domain]

    async def set_language(self, language: str) -> None:
        """Set the language of the home, in which entities are named when they are next loaded."""
        await self.command("config/core/update", language=language)

    # Statistics

    async def statistics(
        self, statistic_id: str, period: Period, since: datetime, until: datetime | None = None
    ) -> list[StatisticRow]:
        """The rows of one statistic, in Wh, W or what it is in."""
        fields = {} if until is None else {"end_time": until.isoformat()}
        answer = await self.command(
            "recorder/statistics_during_period",
            statistic_ids=[statistic_id],
            period=period,
            start_time=since.isoformat(),
            units={"energy": "Wh", "power": "W"},
            types=["state", "sum"],
            **fields,
        )
        return cast(list[StatisticRow], answer.get(statistic_id, []))

    async def import_statistics(self, metadata: Json, rows: Sequence[Json]) -> None:
        """Write rows of an entity's own statistics. They are there a little later."""
        await self.command(
            "recorder/import_statistics",
            metadata={"source": "recorder", "name": None, **metadata},
            stats=rows,
        )


async def _json(response: aiohttp.ClientResponse) -> Any:
    if response.status >= 400:
        reason = (await response.text())[:300]
        raise HassError(f"{response.method} {response.url.path}: {response.status} {reason}")
    return await response.json()
