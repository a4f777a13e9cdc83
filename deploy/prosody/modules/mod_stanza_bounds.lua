-- Ends a stream on which a stanza has longer names, more of them, or deeper ones than an honest stanza has.
--
-- The parser copies each name with the whole of its namespace: a stanza of 256 KiB, half of it one namespace and half
-- elements in it, took 19 s and 1 GB. The size of a stanza bounds that by its square; the length of a name as it comes
-- does by its size. The bounds are those of the node, in consometers_quoalise_xmpp/parsing.py.

local xmppstream = require "prosody.util.xmppstream";

module:set_global();

local longest_name = module:get_option_integer("stanza_longest_name", 128, 64); -- with its namespace
local most_attributes = module:get_option_integer("stanza_most_attributes", 64, 16); -- of an element
local most_elements = module:get_option_integer("stanza_most_elements", 10000, 100);
local most_levels = module:get_option_integer("stanza_most_levels", 16, 8);

-- What util.xmppstream calls to make the parser of each stream has no other handle.
local place, new_parser;
repeat
	place = (place or 0) + 1;
	local name, value = debug.getupvalue(xmppstream.new, place);
	assert(name, "This Prosody makes its parsers another way: the names of a stanza would have no bound");
	if name == "new_parser" then new_parser = value; end
until new_parser

local function excess(name, attributes)
	if #name > longest_name then return "too long a name"; end
	if #attributes > most_attributes then return "too many attributes"; end
	for _, attribute in ipairs(attributes) do
		if #attribute > longest_name then return "too long a name"; end
	end
end

local function bounded(handlers, ...)
	local depth, elements = 0, 0; -- The stream's own element is level 1, a stanza level 2.
	local checked = {};
	for event, handler in pairs(handlers) do checked[event] = handler; end

	function checked.StartElement(parser, name, attributes)
		depth = depth + 1;
		elements = depth <= 2 and 1 or elements + 1;
		local found = excess(name, attributes)
			or elements > most_elements and "too many elements"
			or depth > most_levels + 1 and "too many levels";
		if found then
			module:log("warn", "A stream was ended: a stanza had %s", found);
			parser:stop();
			return;
		end
		return handlers.StartElement(parser, name, attributes);
	end

	function checked.EndElement(parser, name)
		depth = depth - 1;
		return handlers.EndElement(parser, name);
	end

	return new_parser(checked, ...);
end

function module.load() debug.setupvalue(xmppstream.new, place, bounded); end
function module.unload() debug.setupvalue(xmppstream.new, place, new_parser); end
