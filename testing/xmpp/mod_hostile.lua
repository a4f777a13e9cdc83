-- What a server can do to the stanzas that pass through it, as an account of its own orders: hold,
-- bounce, drop and double them, hand them on in any order and again, and forge any. For tests.
local st = require "prosody.util.stanza";
local parse = require "prosody.util.xml".parse;

local NS = "urn:example:hostile";
local rules, held, seen, doubled = {}, {}, {}, {};
local ours = setmetatable({}, { __mode = "k" });

local function pass(stanza)
	local copy = st.clone(stanza);
	ours[copy] = true;
	module:send(copy);
end

local function meet(event)
	local stanza = event.stanza;
	if ours[stanza] then return; end
	local text = tostring(stanza);
	table.insert(seen, { text = text, stanza = st.clone(stanza) });
	for _, rule in ipairs(rules) do
		if text:find(rule.match, 1, true) then
			if rule.action == "double" then
				table.insert(doubled, text);
				pass(stanza);
				return;
			end
			if rule.action ~= "drop" then
				table.insert(held, st.clone(stanza));
			end
			if rule.action == "bounce" then
				pass(st.error_reply(stanza, "wait", "remote-server-timeout"));
			end
			return true;
		end
	end
end

module:hook("route/remote", meet, 1000);
for _, event in ipairs({ "iq/full", "iq/bare", "message/full", "message/bare" }) do
	module:hook(event, meet, 1000);
end

local orders = {};

function orders.rule(order)
	table.insert(rules, { match = order.attr.match, action = order.attr.action });
end

function orders.reset()
	rules, held, seen, doubled = {}, {}, {}, {};
end

function orders.release(order)
	local stanzas = held;
	rules, held = {}, {};
	local first, last, step = 1, #stanzas, 1;
	if order.attr.order == "reverse" then first, last, step = #stanzas, 1, -1; end
	for n = first, last, step do pass(stanzas[n]); end
	return #stanzas;
end

function orders.replay(order)
	local count = 0;
	for n = #seen, 1, -1 do
		if seen[n].text:find(order.attr.match, 1, true) then
			pass(seen[n].stanza);
			count = count + 1;
		end
	end
	return count;
end

function orders.count(order)
	local count = 0;
	for _, one in ipairs(seen) do
		if one.text:find(order.attr.match, 1, true) then count = count + 1; end
	end
	return count;
end

function orders.doubled(order)
	local count = 0;
	for _, text in ipairs(doubled) do
		if text:find(order.attr.match, 1, true) then count = count + 1; end
	end
	return count;
end

function orders.forge(order)
	local stanza = assert(parse(order:get_text()));
	ours[stanza] = true;
	module:send(stanza);
end

-- Says over the stream to another server what no honest server would: another domain's words.
function orders.spoof(order)
	local session = prosody.hosts[module.host].s2sout[order.attr.to_host];
	if not session then return 0; end
	session.sends2s(assert(parse(order:get_text())));
	return 1;
end

module:hook("iq/host/" .. NS .. ":order", function (event)
	local order = event.stanza.tags[1];
	local count = orders[order.attr["do"]](order) or 0;
	event.origin.send(st.reply(event.stanza):tag("done", { xmlns = NS, count = tostring(count) }));
	return true;
end);
