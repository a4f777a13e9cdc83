-- The XMPP server of a collective, with accounts for its node and for members who have none elsewhere; and that of a
-- host, whose homes have addresses of their own domain.

pidfile = "/run/prosody/prosody.pid"
admin_socket = "/run/prosody/prosody.sock"
data_path = "/var/lib/prosody"
plugin_paths = { "/usr/local/lib/prosody/modules" }

-- No address of anybody is logged, as it would be from "info" on.
log = { warn = "*console" }

-- There is no module that keeps messages: homes' records pass through, and are stored nowhere here.
modules_enabled = {
	"disco"; "roster"; "saslauth"; "tls"; "ping"; "smacks"; "s2s_bidi";
	"limits"; "blocklist"; "tombstones";
	"invites"; "invites_register"; "register_ibr";
	"websocket"; "http_altconnect";
	"admin_shell"; "renewed_certificates"; "node_account"; "stanza_bounds";
}
modules_disabled = { "offline" }

c2s_ports = { 5222 }
c2s_direct_tls_ports = { 5223 }
s2s_ports = { 5269 }
s2s_direct_tls_ports = {}
-- For the node and the proxy alone, which come through the inner network: this port is not published. By default HTTP
-- is on loopback. Of its paths, the proxy passes on the WebSocket, with TLS, and the files that say where that is.
http_ports = { 5280 }
http_interfaces = { "0.0.0.0" }
https_ports = {}
http_default_host = ENV_DOMAIN
http_external_url = "https://" .. ENV_DOMAIN .. "/"
consider_websocket_secure = true

certificates = ENV_CERTIFICATES
c2s_require_encryption = true
s2s_require_encryption = true
s2s_secure_auth = true

authentication = "internal_hashed"
storage = "internal"

-- An account is made by invitation alone, once for each. Printed sheets have some time.
allow_registration = true
registration_invite_only = true
invite_expiry = "90 days"

-- A node sends a year of its past in pages of up to 120 KiB: at the usual 10 kB/s it would not have done by the time
-- that its peer waits. Faster senders are slowed down, not cut off.
limits = {
	c2s = { rate = "500kb/s", burst = "4s" };
	s2sin = { rate = "1mb/s", burst = "4s" };
}
c2s_stanza_size_limit = 128 * 1024
s2s_stanza_size_limit = 128 * 1024
smacks_hibernation_time = "5 minutes"

node_account = "collective"
node_secret = "/secrets/node"

-- For the host's program, which comes through the inner network: this port is not published either.
component_ports = { 5347 }
component_interfaces = { "0.0.0.0" }

VirtualHost(ENV_DOMAIN)

-- A host's program speaks for all of its homes (XEP-0114).
if (ENV_HOST_DOMAIN or "") ~= "" then
	Component(ENV_HOST_DOMAIN)
	component_secret = FileLine(ENV_HOST_SECRETS .. "/component")
end
