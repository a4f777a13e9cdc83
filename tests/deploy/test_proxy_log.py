"""The proxy's log, under errors as they happen: it names no visitor and no page."""

import asyncio
from pathlib import Path

import pytest

from testing.deploy.proxy import VISITOR, Answer, answers_no_http, ask, proxy

PRIVATE = (VISITOR, "lisette", "mill", "secret", "join", "invitation", "administration")


async def closes(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def closes_after_the_request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def answers_by_half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
    await writer.drain()
    writer.close()


@pytest.mark.parametrize(
    "answer",
    [None, closes, closes_after_the_request, answers_by_half, answers_no_http],
    ids=lambda answer: answer.__name__ if answer else "does not run",
)
async def test_the_proxy_logs_an_error_without_visitor_and_page(
    answer: Answer | None, tmp_path: Path, socket_enabled: None
) -> None:
    async with proxy(tmp_path, answer) as port:
        assert b" 502 " in await ask(port) or answer is answers_by_half
    log = (tmp_path / "log").read_text()
    assert '"status":502' in log or answer is answers_by_half
    assert [each for each in PRIVATE if each in log] == []
