"""Who may hold back what a home shares: its administrators, and the automations that they wrote."""

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError

from ..const import DOMAIN


async def require_administrator(hass: HomeAssistant, context: Context | None) -> None:
    """Raise ServiceValidationError if the caller is a person, and no administrator.

    An automation acts by itself, and for nobody.
    """
    user_id = None if context is None else context.user_id
    if user_id is None:
        return
    user = await hass.auth.async_get_user(user_id)
    if user is None or not user.is_admin:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="only_administrators"
        )
