"""The connection: who gets in, what its loss means for a pending request, what stays secret."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
import logging
from unittest.mock import patch

from aiohttp import ClientSession
import pytest

from consometers_node.household.errors import Away, SourceFault
from consometers_node.household.recorder.errors import HomeAssistantRefusal, TooMuch, WrongToken
from consometers_node.household.recorder.home_assistant import HomeAssistant, HomeAssistantAccess
from testing.home_assistant.toy import TOKEN, ToyHomeAssistant, connection
from testing.run import DEADLINE_S
from testing.waiting import until


@pytest.fixture
def toy(toy: ToyHomeAssistant) -> ToyHomeAssistant:
    toy.answers["get_config"] = {"time_zone": "Europe/Paris"}
    return toy


@contextmanager
def impatient(home: HomeAssistant) -> Iterator[None]:
    with patch.object(home, "_timeout_s", 0.1):
        yield


async def assert_away(home: HomeAssistant, words: str) -> None:
    """Check what a request raises once a connection was tried."""
    await until(lambda: home.problem is not None and words in home.problem.say("en"))
    with impatient(home), pytest.raises(Away, match=words):
        await home.ask("get_config")


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("http://homeassistant.local:8123", "ws://homeassistant.local:8123/api/websocket"),
        ("https://home.example/", "wss://home.example/api/websocket"),
        (" http://[::1]:8123/ ", "ws://[::1]:8123/api/websocket"),
        ("https://home.example/under/it", "wss://home.example/under/it/api/websocket"),
        ("ws://home.example/api/websocket", "ws://home.example/api/websocket"),
    ],
)
def test_urls_of_a_browser_are_accepted(typed: str, url: str) -> None:
    assert HomeAssistantAccess.at(typed, TOKEN) == HomeAssistantAccess(url, TOKEN)


@pytest.mark.parametrize("typed", ["", "homeassistant.local:8123", "ftp://home.example"])
def test_invalid_urls_are_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="starts with http"):
        HomeAssistantAccess.at(typed, TOKEN)


def test_an_add_on_connects_through_its_supervisor() -> None:
    assert HomeAssistantAccess.through_supervisor("t").url == "ws://supervisor/core/websocket"
    there = HomeAssistantAccess.through_supervisor("t", "http://127.0.0.1:8080")
    assert there.url == "ws://127.0.0.1:8080/core/websocket"


def test_the_token_is_not_shown() -> None:
    assert TOKEN not in repr(HomeAssistantAccess.at("http://home.example", TOKEN))


async def test_a_refused_command_raises_the_reason(toy: ToyHomeAssistant) -> None:
    async with connection(toy) as home:
        with pytest.raises(HomeAssistantRefusal, match="energy/get_prefs: No prefs"):
            await home.ask("energy/get_prefs")


async def test_a_wrong_token_is_tried_once(toy: ToyHomeAssistant) -> None:
    async with ClientSession() as session:
        home = HomeAssistant(HomeAssistantAccess.at(toy.url, "another-token"), session)
        waiting = asyncio.create_task(home.connected())
        with pytest.raises(WrongToken, match="create a new one"):
            await home.run()
        with pytest.raises(WrongToken):
            await waiting
        with pytest.raises(WrongToken):
            await home.ask("get_config")
    assert toy.logins == 1


@pytest.mark.parametrize(
    ("status", "words"), [(502, "502: it is starting"), (404, "404"), (403, "banned")]
)
async def test_an_http_error_is_logged_once_and_retried(
    toy: ToyHomeAssistant, caplog: pytest.LogCaptureFixture, status: int, words: str
) -> None:
    toy.status = status
    with caplog.at_level(logging.INFO, "consometers_node"):
        async with connection(toy) as home:
            await assert_away(home, words)
            toy.status = 101
            assert await home.ask("get_config")
    records = [each for each in caplog.records if each.name.startswith("consometers_node")]
    problem, success = (record.getMessage() for record in records)
    assert words in problem
    assert success == "connected to Home Assistant"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url": "http://127.0.0.1:9/"}, "cannot be reached"),
        *(
            ({"greeting": greeting}, "is not Home Assistant")
            for greeting in ("", "hello", "{}", "[]")
        ),
    ],
)
async def test_another_service_counts_as_away(
    toy: ToyHomeAssistant, change: dict[str, str], words: str
) -> None:
    for name, value in change.items():
        setattr(toy, name, value)
    async with connection(toy) as home:
        await assert_away(home, words)


async def test_https_to_an_http_port_is_reported(toy: ToyHomeAssistant) -> None:
    toy.url = toy.url.replace("http:", "https:")
    async with connection(toy) as home:
        await assert_away(home, "it may speak http alone")


async def test_a_missing_greeting_counts_as_away(toy: ToyHomeAssistant) -> None:
    toy.greeting = None
    async with connection(toy, answer_within=timedelta(seconds=0.1)) as home:
        await assert_away(home, "does not answer")
        assert toy.logins >= 1


async def test_a_missing_answer_counts_as_away(toy: ToyHomeAssistant) -> None:
    async with connection(toy) as home:
        await home.connected()
        toy.silent = True
        with impatient(home), pytest.raises(Away, match="too long to answer get_config"):
            await home.ask("get_config")
        toy.silent = False
        assert await home.ask("get_config")


async def test_a_lost_connection_fails_pending_commands_as_away(
    toy: ToyHomeAssistant,
) -> None:
    toy.silent = True
    async with connection(toy) as home:
        asking = asyncio.create_task(home.ask("get_config"))
        await until(lambda: bool(toy.asked))
        await toy.hang_up()
        with pytest.raises(Away, match="was lost"):
            await asking
        toy.silent = False
        assert await home.ask("get_config")
    assert toy.logins == 2


async def test_a_command_can_be_cancelled(toy: ToyHomeAssistant) -> None:
    toy.silent = True
    async with connection(toy) as home:
        asking = asyncio.create_task(home.ask("get_config"))
        await until(lambda: bool(toy.asked))
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        toy.silent = False
        assert await home.ask("get_config")
    assert toy.logins == 1


async def test_an_answer_too_large_fails_alone(toy: ToyHomeAssistant) -> None:
    toy.answers["get_states"] = "x" * 20_000
    async with connection(toy, max_answer_bytes=10_000) as home:
        with pytest.raises(TooMuch):
            await home.ask("get_states")
        assert await home.ask("get_config")


async def test_listeners_are_called_at_events_and_new_connections(toy: ToyHomeAssistant) -> None:
    heard: list[None] = []
    async with connection(toy) as home:
        home.listen("statistics", lambda: heard.append(None))
        await until(lambda: len(heard) == 1)
        await toy.fire("statistics")
        await until(lambda: len(heard) == 2)
        await toy.hang_up()
        await until(lambda: len(heard) == 3)
        await toy.fire("another")
        await toy.fire("statistics")
        await until(lambda: len(heard) == 4)


async def test_commands_work_where_events_are_refused(
    toy: ToyHomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    toy.deaf = True
    heard: list[None] = []
    async with connection(toy) as home:
        home.listen("statistics", lambda: heard.append(None))
        await until(lambda: len(heard) == 1)
        assert await home.ask("get_config")
    assert "refuses events statistics" in caplog.text
    assert toy.logins == 1


async def test_a_request_after_the_connection_closed_fails(toy: ToyHomeAssistant) -> None:
    async with connection(toy) as home:
        await home.connected()
    with pytest.raises(Away, match="no longer connects"):
        await home.ask("get_config")


@pytest.mark.parametrize("wait", [HomeAssistant.connected, lambda home: home.ask("get_config")])
async def test_stopping_while_home_assistant_is_away_logs_nothing(
    toy: ToyHomeAssistant, wait: Callable[[HomeAssistant], Coroutine[None, None, object]]
) -> None:
    toy.status = 502
    faults: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: faults.append(context["message"])
    )
    async with connection(toy) as home:
        waiting = asyncio.create_task(wait(home))
        await until(lambda: home.problem is not None and "502" in home.problem.say())
        waiting.cancel()
        await asyncio.wait({waiting})
    await asyncio.sleep(0)
    assert faults == []


async def test_a_connection_that_is_stopped_at_any_moment_ends(toy: ToyHomeAssistant) -> None:
    faults: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: faults.append(context["message"])
    )
    access = HomeAssistantAccess.at(toy.url, TOKEN)
    async with ClientSession() as session:
        # So many turns of the loop take it from its first step to its last subscription.
        for turns in range(1, 60):
            home = HomeAssistant(access, session)
            for event in ("recorder_hourly_statistics_generated", "another_event"):
                home.listen(event, lambda: None)
            running = asyncio.create_task(home.run())
            asking = asyncio.create_task(home.ask("get_config"))
            for _ in range(turns):
                await asyncio.sleep(0)
            running.cancel()
            async with asyncio.timeout(DEADLINE_S):
                await asyncio.wait({running, asking})
            assert running.cancelled()
            assert asking.exception() is None or isinstance(asking.exception(), Away)
    assert faults == []


async def test_no_log_or_error_holds_the_token_or_address(
    toy: ToyHomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    messages: list[str] = []
    with caplog.at_level(logging.DEBUG):
        for status, token in ((101, TOKEN), (502, TOKEN), (101, "another-secret")):
            toy.status = status
            within = timedelta(seconds=0.1 if status == 502 else 60)
            async with connection(toy, token=token, answer_within=within) as home:
                try:
                    await home.ask("get_config")
                except SourceFault as fault:
                    messages.append(str(fault))
    assert len(messages) == 2
    ours = [record.getMessage() for record in caplog.records if "asyncio" not in record.name]
    place = toy.url.removeprefix("http://").rstrip("/")
    for line in (*messages, *(line for line in ours if "GET /api" not in line)):
        assert TOKEN not in line
        assert "another-secret" not in line
        assert place not in line
        assert "Europe/Paris" not in line
