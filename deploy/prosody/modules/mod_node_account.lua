-- The account of the collective's node: it is made at the first start, with a password that nobody has seen.
--
-- With that password one gets invitations to an account, one for each POST, and removes accounts other than the
-- node's own. Nothing else can be done here: no shell of this server is within the node's reach.

local hashes = require "prosody.util.hashes";
local id = require "prosody.util.id";
local jid = require "prosody.util.jid";
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

local function is_node(request)
	return hashes.equals(request.headers.authorization or "", "Bearer " .. password);
end

module:provides("http", {
	name = "account-invitation";
	route = {
		POST = function (event)
			if not is_node(event.request) then return 401; end
			local invite = invites.create_account();
			return invite and invite.uri .. "\n" or 507; -- not stored: the log says why
		end;
	};
});

-- The body is the address of the account. One that is not there is removed already.
module:provides("http", {
	name = "account-removal";
	route = {
		POST = function (event)
			if not is_node(event.request) then return 401; end
			local name, host = jid.prepped_split(event.request.body);
			if not name or host ~= module.host or name == user then return 400; end
			if usermanager.user_exists(name, host) and not usermanager.delete_user(name, host) then return 507; end
			return 204;
		end;
	};
});
