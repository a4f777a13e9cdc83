"""Settings of a collective as they stand in a file: all of them, and as few as may be."""

LEAST_SETTINGS = """\
name = "Énergies de Kersabiec"
identifier = "kersabiec"
[xmpp]
account = "collectif@kersabiec.example"
"""
FULL_SETTINGS = """\
name = "Énergies de Kersabiec"
identifier = "kersabiec"
data = "/var/lib/consometers"
database = "postgresql://node@/collective"
time_zone = "Indian/Reunion"
needs = ["needs/roof.toml", "/etc/consometers/sums.toml"]
location = "Saint-Denis, in the town hall"
[xmpp]
account = "collectif@kersabiec.example"
host = "localhost"
port = 5223
security = "direct"
ca_file = "ca.pem"
password_file = "password"
account_command = ["prosodyctl", "shell", "invite", "create_account"]
account_removal_command = ["prosodyctl", "shell", "user", "delete"]

[page]
host = "0.0.0.0"
port = 8123
names = ["Energies.example.org", "www.energies.example.org"]
proxies = ["192.168.1.5", "fd00::/64"]
outlines = "communes.geojson"
outlines_source = "IGN, Admin Express"

[publication]
basis = "agreed"
minimum = 12
interval = "PT30M"
wait_minutes = 45
longest_wait_minutes = 90
members = false

[alerts]
mail_to = ["contact@kersabiec.example", "tech@kersabiec.example"]
mail_from = "node@kersabiec.example"
smtp_host = "smtp.kersabiec.example"
smtp_port = 2525
smtp_security = "tls"
smtp_user = "node"
smtp_password_file = "smtp-password"
webhook = "https://chat.kersabiec.example/hooks/1"

[witness]
for = ["coop@other.example", "sun@other.example"]
[backups]
kept_days = 45

[metrics]
host = "::1"
port = 9101

[about]
sentence_fr = "Des foyers de Kersabiec."
sentence_en = "Homes of Kersabiec."
join_fr = "Écrivez-nous."
join_en = "Write to us."
join_link = "https://kersabiec.example/adherer"
meeting_on = "2026-07-04"
meeting_fr = "À 18 h, à la mairie."
meeting_en = "At 6 pm, at the town hall."
mail = "contact@kersabiec.example"
phone = "02 97 00 00 00"
address = "1 rue du Four, 44350 Kersabiec"
legal_name = "Énergies de Kersabiec"
legal_form = "SCIC"
registration = "000 000 000 RCS Kersabiec"
publisher = "la présidence"
host_name = "Hébergeur"
host_address = "2 rue du Four"
host_phone = "02 97 00 00 01"
dpo = "dpo@kersabiec.example"
audit_on = "2026-05-04"
audit_by = "Access lab"
audit_percent = 62
audit_gaps_fr = "Les graphiques."
audit_gaps_en = "The charts."
co2_grams = 40
co2_source_fr = "Exemple"
co2_source_en = "Example"
co2_year = 2025
local_price = "15.5"
grid_price = 20
price_source_fr = "Exemple"
price_source_en = "Example"
"""
