"""How much one address may ask for."""

from ipaddress import ip_network

from aiohttp.test_utils import make_mocked_request
import pytest

from consometers_node.web.core.rate_limit import asker


class Line:
    """A connection from an address."""

    def __init__(self, address: str) -> None:
        self._address = address

    def get_extra_info(self, _name: str) -> tuple[str, int]:
        return self._address, 1

    def is_closing(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("198.51.100.1", "", "198.51.100.1"),
        ("8.8.8.8", "203.0.113.7", "8.8.8.8"),
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("192.168.1.20", "203.0.113.7", "192.168.1.20"),
        ("172.18.0.2", "203.0.113.7", "172.18.0.2"),
        ("172.31.250.2", "1.2.3.4, 203.0.113.7", "203.0.113.7"),
        ("172.31.250.2", "::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:172.31.250.2", "203.0.113.7", "203.0.113.7"),
        ("fd00::2", "203.0.113.7", "fd00::/64"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("2001:4860::1", "", "2001:4860::/64"),
        ("127.0.0.1", "2001:4860:0:0:ffff::1", "2001:4860::/64"),
        ("", "", ""),
    ],
)
def test_only_our_proxies_name_the_client(peer: str, forwarded: str, expected: str) -> None:
    request = make_mocked_request(
        "GET",
        "/",
        headers={"X-Forwarded-For": forwarded},
        transport=Line(peer),
    )
    proxies = (ip_network("127.0.0.0/8"), ip_network("172.31.250.0/24"))
    assert asker(request, proxies) == expected
