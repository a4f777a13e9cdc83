"""Settings of a host as they stand in a file: all of them, and as few as may be."""

LEAST_SETTINGS = """\
name = "Foyers de Kersabiec"
domain = "foyers.example"

[operator]
name = "Énergies de Kersabiec"
address = "1 rue du Four, 44350 Kersabiec"
contact = "contact@kersabiec.example"
location = "Kersabiec, in the town hall"

[component]
secret_file = "component-secret"
proof = "kersabiec.example"

[page]
url = "https://foyers.example"
"""
FULL_SETTINGS = """\
name = "Foyers de Kersabiec"
domain = "Foyers.example"
data = "/var/lib/consometers"
database = "postgresql://node@/host"
language = "en"
time_zone = "Indian/Reunion"
is_open = true
most_spaces = 500

[operator]
name = "Énergies de Kersabiec"
address = "1 rue du Four, 44350 Kersabiec"
contact = "contact@kersabiec.example"
location = "Saint-Denis, in the town hall"

[component]
host = "prosody"
port = 5348
secret_file = "/secrets/component"
proof = "kersabiec.example"
proof_port = 5223
ca_file = "ca.pem"

[page]
host = "0.0.0.0"
port = 8123
proxies = ["172.31.250.0/24"]
url = "https://foyers.example"
"""
