"""A value for each type of setting, as a variable of the environment has it."""

from collections.abc import Mapping

from consometers_node.collective import settings_formats
from consometers_node.host import settings as host_settings
from consometers_node.settings_file import formats
from consometers_node.settings_file.schema import Format, Key

_MODULES = (formats, settings_formats, host_settings)

BY_TYPE = {
    "Words": "in the town hall",
    "Identifier": "kersabiec",
    "File": "/etc/consometers/file",
    "Files": "/etc/consometers/roof.toml:/etc/consometers/sums.toml",
    "DatabaseUrl": "postgresql://node@/collective",
    "Zone": "Indian/Reunion",
    "Address": "collectif@kersabiec.example",
    "Addresses": "coop@other.example,sun@other.example",
    "Domain": "foyers.example",
    "Host": "host.kersabiec.example",
    "Port": "5299",
    "Encryption": "direct",
    "SmtpEncryption": "tls",
    "Command": "invite 'an account'",
    "MailAddress": "contact@kersabiec.example",
    "MailAddresses": "contact@kersabiec.example,tech@kersabiec.example",
    "WebhookUrl": "https://chat.kersabiec.example/hooks/1",
    "HostNames": "energies.example.org,www.energies.example.org",
    "Networks": "192.168.1.5/32,fd00::/64",
    "Publishing": "agreed",
    "Homes": "12",
    "Step": "PT30M",
    "Wait": "45",
    "LongestWait": "90",
    "LanguageTag": "en",
    "Spaces": "500",
    "YesNo": "false",
    "Days": "45",
    "Sentences": "1 rue du Four",
    "Paragraph": "Homes of Kersabiec.",
    "Source": "an example",
    "WebPage": "https://kersabiec.example/adherer",
    "Phone": "02 97 00 00 00",
    "Day": "2026-05-04",
    "Percent": "62",
    "Grams": "40",
    "Year": "2025",
    "Price": "15.5",
}


def format_of(name: str) -> Format:
    """Return how values of a type are written."""
    module = next(module for module in _MODULES if hasattr(module, name))
    metadata = getattr(module, name).__metadata__
    return next(part for part in metadata if isinstance(part, Format))


_FORMATS = [(format_of(name), value) for name, value in BY_TYPE.items()]


def examples(keys: Mapping[str, Key]) -> dict[str, str]:
    """Return a value for each key."""
    return {
        name: next(value for format_, value in _FORMATS if format_ is key.format)
        for name, key in keys.items()
    }
