"""The proxy before a host: its pages, and what of it is for this machine alone."""

import asyncio
from pathlib import Path

import pytest

from testing.deploy.proxy import ask, proxy

HOST = {"HOST_DOMAIN": "foyers.localhost", "WITH_HOST": "-of-host"}


async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\npage")
    await writer.drain()
    writer.close()


async def asked(port: int, domain: str, path: str) -> tuple[str, str]:
    """Return the status and the rest of an answer."""
    request = f"GET {path} HTTP/1.1\r\nHost: {domain}\r\nConnection: close\r\n\r\n"
    answer = (await ask(port, domain, request)).decode()
    return answer.split()[1], answer


@pytest.mark.parametrize("profiles", ["host", "collective,host"])
async def test_pages_of_a_host_are_reached_and_its_health_is_not(
    profiles: str, tmp_path: Path, socket_enabled: None
) -> None:
    settings = {**HOST, "PROFILES": profiles}
    async with proxy(tmp_path, answers, settings=settings) as port:
        status, answer = await asked(port, "foyers.localhost", "/create?code=x")
        assert status == "200"
        assert answer.endswith("page")
        assert "Strict-Transport-Security" in answer
        assert (await asked(port, "foyers.localhost", "/health"))[0] == "404"


async def test_the_domain_of_a_host_without_a_collective_leads_to_its_pages(
    tmp_path: Path, socket_enabled: None
) -> None:
    async with proxy(tmp_path, answers, settings={**HOST, "PROFILES": "host"}) as port:
        status, answer = await asked(port, "localhost", "/create?code=x")
        assert status == "302"
        assert "Location: https://foyers.localhost/create?code=x\r\n" in answer


async def test_the_domain_of_a_collective_beside_a_host_has_its_own_pages(
    tmp_path: Path, socket_enabled: None
) -> None:
    settings = {**HOST, "PROFILES": "collective,host"}
    async with proxy(tmp_path, answers, settings=settings) as port:
        assert (await asked(port, "localhost", "/"))[0] == "200"
