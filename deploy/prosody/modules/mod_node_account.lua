-- The account of the collective's node: it is made at the first start, with a password that nobody has seen.
--
-- Whoever has that password gets invitations to an account, one for each POST, and can do nothing else here:
-- no shell of this server is within the node's reach.

local hashes = require "prosody.util.hashes";
local id = require "prosody.util.id";
local usermanager = require "prosody.core.usermanager";

local user = module:get_option_string("node_account", "collective");
local file = module:get_option_path("node_secret", "node", "data");
local invites = module:depends("invites");
module:depends("http");

local function read()
	local found = io.open(file);
	if not found then return nil; end
	local line = found:read("*l");
	found:close();
	return line;
end

local function make()
	local made = assert(io.open(file, "w"));
	assert(made:write(id.long(), "\n"));
	assert(made:close());
	return read();
end

local password = read() or make();

function module.ready()
	if not usermanager.user_exists(user, module.host) then
		assert(usermanager.create_user(user, password, module.host));
	elseif not usermanager.test_password(user, module.host, password) then
		assert(usermanager.set_password(user, password, module.host));
	end
end

module:provides("http", {
	name = "account-invitation";
	route = {
		POST = function (event)
			local told = event.request.headers.authorization or "";
			if not hashes.equals(told, "Bearer " .. password) then return 401; end
			return invites.create_account().uri .. "\n";
		end;
	};
});
