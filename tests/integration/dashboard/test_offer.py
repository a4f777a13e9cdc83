"""Home Assistant offers the dashboard on its pages, and builds it when it is opened."""

from homeassistant.components import frontend
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.consometers.const import DOMAIN
from custom_components.consometers.dashboard import offer


@pytest.fixture
async def with_pages(hass: HomeAssistant, enable_custom_integrations: None) -> None:
    """Start the frontend of Home Assistant without its built files."""
    assert await async_setup_component(hass, "websocket_api", {})
    hass.config.components.add(frontend.DOMAIN)
    urls = frontend.UrlManager(lambda change, url: None, [])
    hass.data[frontend.DATA_EXTRA_MODULE_URL] = urls
    assert await async_setup_component(hass, DOMAIN, {})


@pytest.mark.usefixtures("with_pages")
async def test_pages_load_the_strategy(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> None:
    (url,) = hass.data[frontend.DATA_EXTRA_MODULE_URL].urls
    assert url == "/consometers/strategy.js"
    client = await hass_client_no_auth()
    answer = await client.get(url)
    assert answer.status == 200
    assert answer.content_type == "text/javascript"
    # Nobody keeps that of a former version without asking.
    assert "max-age" not in answer.headers.get("Cache-Control", "")
    code = await answer.text()
    assert 'll-strategy-dashboard-consometers"' in code
    assert f'"{offer.COMMAND}"' in code


@pytest.mark.usefixtures("with_pages")
@pytest.mark.parametrize(("language", "page"), [("en", "Now"), ("fr", "Maintenant")])
async def test_the_dashboard_is_written_in_the_requested_language(
    hass_ws_client: WebSocketGenerator, language: str, page: str
) -> None:
    client = await hass_ws_client()
    await client.send_json_auto_id({"type": offer.COMMAND, "language": language})
    answer = await client.receive_json()
    assert answer["success"]
    assert [view["title"] for view in answer["result"]["views"]] == [page]


@pytest.mark.usefixtures("with_pages")
async def test_read_only_users_may_see_the_dashboard(
    hass_ws_client: WebSocketGenerator, hass_read_only_access_token: str
) -> None:
    client = await hass_ws_client(access_token=hass_read_only_access_token)
    await client.send_json_auto_id({"type": offer.COMMAND, "language": "en"})
    assert (await client.receive_json())["success"]


@pytest.mark.usefixtures("with_pages")
@pytest.mark.parametrize("asked", [{}, {"language": 1}, {"language": "e" * 21}])
async def test_malformed_requests_are_refused(
    hass_ws_client: WebSocketGenerator, asked: dict[str, object]
) -> None:
    client = await hass_ws_client()
    await client.send_json_auto_id({"type": offer.COMMAND, **asked})
    assert (await client.receive_json())["error"]["code"] == "invalid_format"


async def test_setup_needs_no_frontend(
    hass: HomeAssistant, enable_custom_integrations: None
) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    assert frontend.DATA_EXTRA_MODULE_URL not in hass.data
