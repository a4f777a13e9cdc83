"""A value for each type of setting, as a variable of the environment has it."""

from consometers_node.collective import settings_formats
from consometers_node.collective.settings import KEYS
from consometers_node.settings_file import formats
from consometers_node.settings_file.schema import Format, Key

BY_TYPE = {
    "Words": "in the town hall",
    "Identifier": "kersabiec",
    "File": "/etc/consometers/file",
    "Files": "/etc/consometers/roof.toml:/etc/consometers/sums.toml",
    "DatabaseUrl": "postgresql://node@/collective",
    "Zone": "Indian/Reunion",
    "Address": "collectif@kersabiec.example",
    "Addresses": "coop@other.example,sun@other.example",
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
    module = formats if hasattr(formats, name) else settings_formats
    metadata = getattr(module, name).__metadata__
    return next(part for part in metadata if isinstance(part, Format))


_FORMATS = [(format_of(name), value) for name, value in BY_TYPE.items()]


def example(key: Key) -> str:
    """Return a value for a key."""
    return next(value for format_, value in _FORMATS if format_ is key.format)


EXAMPLES = {name: example(key) for name, key in KEYS.items()}
"""A value for every key."""
