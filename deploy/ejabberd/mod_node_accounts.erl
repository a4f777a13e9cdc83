%% Accounts by invitation alone (XEP-0445), for ejabberd before 26.01, which has no mod_invites.
%%
%% The command generate_invite is named and answers as that of mod_invites: the node uses either by mod_http_api.
%% Both tables are on every machine of the cluster. The name of a removed account is never given again.

-module(mod_node_accounts).
-behaviour(gen_mod).

-export([start/2, stop/1, reload/3, depends/2, mod_options/1, mod_opt_type/1, mod_doc/0]).
-export([generate_invite/1, offer/2, register/2, bury/2]).

-include_lib("p1_xmpp/include/xmpp.hrl").
-include_lib("ejabberd/include/ejabberd_commands.hrl").

-record(node_invitation, {token, host, expires}).
-record(removed_account, {address, at}).

-define(PREAUTH, <<"urn:xmpp:pars:0">>).

start(_Host, _Options) ->
    ejabberd_mnesia:create(?MODULE, node_invitation,
        [{disc_copies, [node()]}, {attributes, record_info(fields, node_invitation)}]),
    ejabberd_mnesia:create(?MODULE, removed_account,
        [{disc_copies, [node()]}, {attributes, record_info(fields, removed_account)}]),
    ejabberd_commands:register_commands(?MODULE, commands()),
    {ok, [
        {hook, c2s_pre_auth_features, offer, 50},
        {hook, c2s_unauthenticated_packet, register, 50},
        {hook, remove_user, bury, 50}
    ]}.

stop(_Host) -> ejabberd_commands:unregister_commands(commands()).

reload(_Host, _New, _Old) -> ok.

depends(_Host, _Options) -> [].

mod_opt_type(invite_expiry) -> econf:timeout(day).

mod_options(_Host) -> [{invite_expiry, timer:hours(24 * 90)}].

mod_doc() -> #{}.

commands() ->
    [#ejabberd_commands{
        name = generate_invite,
        tags = [accounts],
        desc = "Create an invitation to an account",
        module = ?MODULE,
        function = generate_invite,
        args = [{host, binary}],
        result = {invite, {tuple, [{invite_uri, string}, {landing_page, string}]}}
    }].

generate_invite(Host) ->
    Token = base64:encode(crypto:strong_rand_bytes(18), #{mode => urlsafe, padding => false}),
    Now = erlang:system_time(millisecond),
    Expires = Now + gen_mod:get_module_opt(Host, ?MODULE, invite_expiry),
    {atomic, ok} = mnesia:transaction(fun() ->
        [mnesia:delete({node_invitation, Old}) || Old <- expired(Now)],
        mnesia:write(#node_invitation{token = Token, host = Host, expires = Expires})
    end),
    {<<"xmpp:", Host/binary, "?register;preauth=", Token/binary>>, <<>>}.

expired(Now) ->
    mnesia:select(node_invitation, [{#node_invitation{token = '$1', expires = '$2', _ = '_'}, [{'=<', '$2', Now}], ['$1']}]).

offer(Features, _Host) -> [#feature_register{} | Features].

%% Before any login: first the token of an invitation, then the name and the password.
register(State, #iq{type = set, sub_els = [#xmlel{name = <<"preauth">>} = Preauth]} = Request) ->
    case fxml:get_tag_attr_s(<<"xmlns">>, Preauth) of
        ?PREAUTH -> preauthenticate(State, fxml:get_tag_attr_s(<<"token">>, Preauth), Request);
        _ -> State
    end;
register(State, #iq{type = Type, sub_els = [_]} = Request) when Type == set; Type == get ->
    try xmpp:try_subtag(Request, #register{}) of
        #register{} = Register when Type == set -> answer(State, Request, make_account(State, Register));
        #register{} -> answer(State, Request, {error, xmpp:err_not_allowed()});
        false -> State
    catch
        _:{xmpp_codec, _} -> answer(State, Request, {error, xmpp:err_bad_request()})
    end;
register(State, _) ->
    State.

preauthenticate(#{lserver := Host} = State, Token, Request) ->
    Now = erlang:system_time(millisecond),
    case mnesia:dirty_read(node_invitation, Token) of
        [#node_invitation{host = Host, expires = Expires}] when Expires > Now ->
            answer(State#{invitation => Token}, Request, ok);
        _ ->
            answer(State, Request, {error, xmpp:err_item_not_found()})
    end.

make_account(#{lserver := Host, invitation := Token}, #register{username = User, password = Password})
        when is_binary(User), is_binary(Password), Password /= <<>> ->
    case {take(Token), removed(User, Host)} of
        {[], _} -> {error, xmpp:err_item_not_found()};
        {[Invitation], true} -> refuse(Invitation, exists);
        {[Invitation], false} ->
            case ejabberd_auth:try_register(User, Host, Password) of
                ok -> ok;
                {error, Reason} -> refuse(Invitation, Reason)
            end
    end;
make_account(_, _) ->
    {error, xmpp:err_not_allowed()}.

%% Nobody else has the invitation then: each makes one account.
take(Token) ->
    {atomic, Invitations} = mnesia:transaction(fun() ->
        Invitations = mnesia:read(node_invitation, Token, write),
        mnesia:delete({node_invitation, Token}),
        Invitations
    end),
    Invitations.

refuse(Invitation, Reason) ->
    {atomic, ok} = mnesia:transaction(fun() -> mnesia:write(Invitation) end),
    {error, case Reason of
        exists -> xmpp:err_conflict();
        invalid_jid -> xmpp:err_jid_malformed();
        invalid_password -> xmpp:err_not_acceptable();
        not_allowed -> xmpp:err_not_allowed();
        _ -> xmpp:err_internal_server_error()
    end}.

removed(User, Host) -> mnesia:dirty_read(removed_account, {jid:nodeprep(User), Host}) /= [].

bury(User, Host) ->
    Removed = #removed_account{address = {jid:nodeprep(User), Host}, at = erlang:system_time(millisecond)},
    {atomic, ok} = mnesia:transaction(fun() -> mnesia:write(Removed) end),
    ok.

answer(#{lserver := Host} = State, Request, Outcome) ->
    Bare = xmpp:set_els(Request, []),
    Answer = case Outcome of
        ok -> xmpp:make_iq_result(Bare);
        {error, Error} -> xmpp:make_error(Bare, Error)
    end,
    {stop, ejabberd_c2s:send(State, xmpp:set_from_to(Answer, jid:make(Host), undefined))}.
