-- Loads a renewed certificate within a minute: the reverse proxy renews it without a notice.

local lfs = require "lfs";

module:set_global();

local certificates = module:get_option_path("certificates", "certs", "config");

-- When any certificate below a folder was last written, as far down as Prosody looks.
local function newest(folder, depth)
	local found = 0;
	for name in lfs.dir(folder) do
		local path = folder .. "/" .. name;
		local mode = lfs.attributes(path, "mode");
		if mode == "directory" and not name:find("^%.") and depth > 1 then
			found = math.max(found, newest(path, depth - 1));
		elseif mode == "file" and name:find("%.crt$") then
			found = math.max(found, lfs.attributes(path, "modification"));
		end
	end
	return found;
end

local known = newest(certificates, 3);

module:add_timer(60, function (_, _)
	local found = newest(certificates, 3);
	if found ~= known then
		known = found;
		module:log("warn", "The certificate was renewed");
		prosody.reload_config();
	end
	return 60;
end);
