SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE FUNCTION public.answer_is_not_emptied() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'answer: is not to be emptied' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END $$;
CREATE FUNCTION public.answer_is_of_now() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (abs(NEW.at - CAST(floor(extract(epoch FROM clock_timestamp())) AS bigint)) <= 300) IS NOT TRUE THEN RAISE EXCEPTION 'answer: what is written happens now' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.answer_is_permitted() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN PERFORM 1 FROM permission WHERE id = NEW.permission_id FOR SHARE; IF (EXISTS (
    SELECT 1 FROM permitted p
    WHERE p.permission_id = NEW.permission_id
      AND p.peer_id = NEW.peer_id
      AND p.series_id = NEW.series_id
      AND NEW.range_start < NEW.range_end
      AND NEW.range_start >= p.records_from
      AND NEW.range_end <= p.valid_until
)) IS NOT TRUE THEN RAISE EXCEPTION 'answer: no permission is valid now for this peer, series, interval and range' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.answer_stands() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'answer: a row is never altered' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.answer_stays() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (OLD.at < CAST(floor(extract(epoch FROM clock_timestamp())) AS bigint) - 366 * 86400) IS NOT TRUE THEN RAISE EXCEPTION 'answer: this row is not to be removed' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN OLD; END $$;
CREATE FUNCTION public.data_need_goes_on() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (NOT EXISTS (SELECT 1 FROM data_need WHERE peer_id = NEW.peer_id AND need = NEW.need AND version >= NEW.version)) IS NOT TRUE THEN RAISE EXCEPTION 'data_need: a version is newer than all before' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.data_need_is_not_emptied() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'data_need: is not to be emptied' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END $$;
CREATE FUNCTION public.data_need_stands() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'data_need: a row is never altered' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.data_need_stays() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'data_need: this row is not to be removed' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN OLD; END $$;
CREATE FUNCTION public.given_register_is_not_emptied() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'given_register: is not to be emptied' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END $$;
CREATE FUNCTION public.given_register_stands() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'given_register: a row is never altered' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.given_register_stays() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'given_register: this row is not to be removed' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN OLD; END $$;
CREATE FUNCTION public.outbox_is_itself() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (NEW.id = OLD.id AND NEW.peer_id = OLD.peer_id AND NEW.permission_id = OLD.permission_id AND NEW.granted = OLD.granted AND NEW.series_id = OLD.series_id AND NEW.range_start = OLD.range_start AND NEW.range_end = OLD.range_end) IS NOT TRUE THEN RAISE EXCEPTION 'outbox: other records are another row' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.outbox_is_permitted() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN PERFORM 1 FROM permission WHERE id = NEW.permission_id FOR SHARE; IF (EXISTS (
    SELECT 1 FROM permitted p
    WHERE p.permission_id = NEW.permission_id
      AND p.peer_id = NEW.peer_id
      AND p.series_id = NEW.series_id
      AND NEW.range_start < NEW.range_end
      AND NEW.range_start >= p.records_from
      AND NEW.range_end <= p.valid_until
)) IS NOT TRUE THEN RAISE EXCEPTION 'outbox: no permission is valid now for this peer, series, interval and range' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.outbox_is_sent_with_permission() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN PERFORM 1 FROM permission WHERE id = NEW.permission_id FOR SHARE; IF (NEW.stanza IS NULL OR EXISTS (
    SELECT 1 FROM permitted p
    WHERE p.permission_id = NEW.permission_id
      AND p.peer_id = NEW.peer_id
      AND p.series_id = NEW.series_id
      AND NEW.range_start < NEW.range_end
      AND NEW.range_start >= p.records_from
      AND NEW.range_end <= p.valid_until
)) IS NOT TRUE THEN RAISE EXCEPTION 'outbox: no permission is valid now for this peer, series, interval and range' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.own_need_is_not_emptied() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'own_need: is not to be emptied' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END $$;
CREATE FUNCTION public.own_need_stands() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (NEW.need = OLD.need AND NEW.version = OLD.version AND NEW.body = OLD.body AND NEW.offered_at = OLD.offered_at) IS NOT TRUE THEN RAISE EXCEPTION 'own_need: what was asked is not altered: ask again, with a new version' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.own_need_stays() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'own_need: this row is not to be removed' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN OLD; END $$;
CREATE FUNCTION public.peer_is_itself() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (NEW.id = OLD.id AND NEW.jid = OLD.jid) IS NOT TRUE THEN RAISE EXCEPTION 'peer: another address is another peer' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.peer_is_not_emptied() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'peer: is not to be emptied' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END $$;
CREATE FUNCTION public.peer_stays() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (NOT EXISTS (SELECT 1 FROM data_need WHERE peer_id = OLD.id)) IS NOT TRUE THEN RAISE EXCEPTION 'peer: this row is not to be removed' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN OLD; END $$;
CREATE FUNCTION public.permission_follows_the_register() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (NEW.state = OLD.state OR NEW.state = (SELECT state FROM register WHERE permission_id = NEW.id ORDER BY seq DESC LIMIT 1)) IS NOT TRUE THEN RAISE EXCEPTION 'permission: its state is what the register says' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.permission_is_itself() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (NEW.id = OLD.id AND NEW.peer_id = OLD.peer_id AND NEW.data_need_id = OLD.data_need_id AND NEW.need = OLD.need) IS NOT TRUE THEN RAISE EXCEPTION 'permission: it stays the answer to what was asked' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.permission_is_not_emptied() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'permission: is not to be emptied' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END $$;
CREATE FUNCTION public.permission_series_is_chosen_before() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN PERFORM 1 FROM permission WHERE id = NEW.permission_id FOR SHARE; IF ((SELECT state FROM permission WHERE id = NEW.permission_id) = 'proposed') IS NOT TRUE THEN RAISE EXCEPTION 'permission_series: no series is added to an answer' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.permission_series_is_not_emptied() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'permission_series: is not to be emptied' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END $$;
CREATE FUNCTION public.permission_series_stands() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'permission_series: a row is never altered' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.permission_series_stays() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF ((SELECT state FROM permission WHERE id = OLD.permission_id) = 'proposed') IS NOT TRUE THEN RAISE EXCEPTION 'permission_series: this row is not to be removed' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN OLD; END $$;
CREATE FUNCTION public.permission_starts_as_a_proposal() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (NEW.state = 'proposed' AND NEW.interval_minutes IS NULL AND NEW.identification IS NULL AND NEW.records_from IS NULL AND NEW.valid_from IS NULL AND NEW.valid_until IS NULL AND NOT EXISTS (SELECT 1 FROM permission WHERE data_need_id = NEW.data_need_id AND state = 'proposed')) IS NOT TRUE THEN RAISE EXCEPTION 'permission: it starts as a proposal, one at a time' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.permission_stays() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'permission: this row is not to be removed' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN OLD; END $$;
CREATE FUNCTION public.permission_takes_what_is_queued() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF OLD.state = 'granted' AND NEW.state <> 'granted' THEN DELETE FROM outbox WHERE permission_id = OLD.id; DELETE FROM subscription
WHERE peer_id = OLD.peer_id
  AND series_id IN (SELECT series_id FROM permission_series WHERE permission_id = OLD.id)
  AND series_id NOT IN (
      SELECT series_id FROM permitted WHERE peer_id = OLD.peer_id AND permission_id <> OLD.id
  ); END IF; RETURN NEW; END $$;
CREATE FUNCTION public.permission_terms_stand() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF ((OLD.state = 'proposed' AND NEW.state = 'proposed') OR (NEW.interval_minutes IS NOT DISTINCT FROM OLD.interval_minutes AND NEW.identification IS NOT DISTINCT FROM OLD.identification AND NEW.records_from IS NOT DISTINCT FROM OLD.records_from AND NEW.valid_from IS NOT DISTINCT FROM OLD.valid_from AND NEW.valid_until IS NOT DISTINCT FROM OLD.valid_until)) IS NOT TRUE THEN RAISE EXCEPTION 'permission: what was answered is not altered' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.register_expires_in_time() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (NEW.state <> 'expired' OR (SELECT valid_until FROM permission WHERE id = NEW.permission_id) <= CAST(floor(extract(epoch FROM clock_timestamp())) AS bigint)) IS NOT TRUE THEN RAISE EXCEPTION 'register: the permission has not run out yet' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.register_follows_the_states() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN PERFORM 1 FROM permission WHERE id = NEW.permission_id FOR UPDATE; IF (CASE WHEN EXISTS (SELECT 1 FROM register WHERE permission_id = NEW.permission_id) THEN (SELECT state FROM permission WHERE id = NEW.permission_id) || '>' || NEW.state IN ('proposed>granted', 'proposed>refused', 'granted>withdrawn', 'granted>terminated', 'granted>expired') ELSE NEW.state = 'proposed' END) IS NOT TRUE THEN RAISE EXCEPTION 'register: this does not follow from the state that the permission is in' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.register_grants_no_more_than_asked() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN PERFORM 1 FROM permission WHERE id = NEW.permission_id FOR UPDATE; IF (NEW.state <> 'granted' OR (
    EXISTS (
        SELECT 1 FROM permission p
        JOIN data_need n ON n.id = p.data_need_id
        WHERE p.id = NEW.permission_id
          AND p.interval_minutes >= n.interval_minutes
          AND (p.identification = n.identification OR p.identification = 'pseudonym')
          AND abs(p.valid_from - CAST(floor(extract(epoch FROM clock_timestamp())) AS bigint)) <= 300
          AND p.valid_until > p.valid_from
          AND p.valid_until <= p.valid_from + n.duration_days * 86400
          AND p.records_from <= p.valid_from
          AND p.records_from >= p.valid_from - n.history_days * 86400
          AND NOT EXISTS (
              SELECT 1 FROM data_need newer
              WHERE newer.peer_id = n.peer_id AND newer.need = n.need AND newer.version > n.version
          )
    )
    AND EXISTS (SELECT 1 FROM permission_series ps WHERE ps.permission_id = NEW.permission_id)
    AND NOT EXISTS (
        SELECT 1 FROM permission_series ps
        JOIN permission p ON p.id = ps.permission_id
        JOIN series s ON s.id = ps.series_id
        LEFT JOIN wanted w
          ON w.data_need_id = p.data_need_id
         AND w.direction = s.direction AND w.quantity = s.quantity
        WHERE ps.permission_id = NEW.permission_id
          AND (w.data_need_id IS NULL OR s.interval_minutes < p.interval_minutes)
    )
)) IS NOT TRUE THEN RAISE EXCEPTION 'register: a grant only narrows what the newest version asks for' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.register_is_not_emptied() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'register: is not to be emptied' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END $$;
CREATE FUNCTION public.register_is_of_now() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (abs(NEW.at - CAST(floor(extract(epoch FROM clock_timestamp())) AS bigint)) <= 300) IS NOT TRUE THEN RAISE EXCEPTION 'register: what is written happens now' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.register_keeps_what_was_shown() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (NEW.text_hash IS NULL OR EXISTS (SELECT 1 FROM shown_text WHERE hash = NEW.text_hash AND language = NEW.language)) IS NOT TRUE THEN RAISE EXCEPTION 'register: the text that was shown is not kept' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.register_sets_the_state() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF NEW.state <> 'proposed' THEN UPDATE permission SET state = NEW.state WHERE id = NEW.permission_id; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.register_stands() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'register: a row is never altered' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.register_stays() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'register: this row is not to be removed' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN OLD; END $$;
CREATE FUNCTION public.series_is_not_emptied() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'series: is not to be emptied' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END $$;
CREATE FUNCTION public.series_stands() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'series: a row is never altered' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.series_stays() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (NOT EXISTS (SELECT 1 FROM permission_series WHERE series_id = OLD.id)) IS NOT TRUE THEN RAISE EXCEPTION 'series: this row is not to be removed' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN OLD; END $$;
CREATE FUNCTION public.shown_text_is_not_emptied() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'shown_text: is not to be emptied' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END $$;
CREATE FUNCTION public.shown_text_stands() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'shown_text: a row is never altered' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.shown_text_stays() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'shown_text: this row is not to be removed' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN OLD; END $$;
CREATE FUNCTION public.subscription_is_itself() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (NEW.peer_id = OLD.peer_id AND NEW.series_id = OLD.series_id) IS NOT TRUE THEN RAISE EXCEPTION 'subscription: another peer or series is another subscription' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.subscription_is_permitted() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (EXISTS (SELECT 1 FROM permitted p WHERE p.peer_id = NEW.peer_id AND p.series_id = NEW.series_id)) IS NOT TRUE THEN RAISE EXCEPTION 'subscription: no permission is valid now for this peer and series' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.wanted_is_asked_at_once() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (NOT EXISTS (SELECT 1 FROM permission WHERE data_need_id = NEW.data_need_id)) IS NOT TRUE THEN RAISE EXCEPTION 'wanted: who wants more asks again, with a new version' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.wanted_is_not_emptied() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'wanted: is not to be emptied' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END $$;
CREATE FUNCTION public.wanted_stands() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'wanted: a row is never altered' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.wanted_stays() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$ BEGIN IF (FALSE) IS NOT TRUE THEN RAISE EXCEPTION 'wanted: this row is not to be removed' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN OLD; END $$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.absence (
    away_from bigint NOT NULL,
    away_until bigint NOT NULL,
    CONSTRAINT ck_absence_range CHECK ((away_from < away_until))
);
CREATE TABLE public.admin_session (
    token_hash text NOT NULL,
    administrator text NOT NULL,
    made_at bigint NOT NULL,
    seen_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE TABLE public.administrator (
    name text NOT NULL,
    password_hash text NOT NULL,
    made_at bigint NOT NULL
);
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.answer (
    id bigint NOT NULL,
    at bigint NOT NULL,
    peer_id bigint NOT NULL,
    permission_id text NOT NULL,
    series_id bigint NOT NULL,
    command text NOT NULL,
    range_start bigint NOT NULL,
    range_end bigint NOT NULL,
    records bigint NOT NULL,
    CONSTRAINT ck_answer_range CHECK ((range_start < range_end)),
    CONSTRAINT ck_answer_records CHECK ((records >= 0))
);
CREATE SEQUENCE public.answer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.answer_id_seq OWNED BY public.answer.id;
CREATE TABLE public.block (
    series_id bigint NOT NULL,
    day date NOT NULL,
    packed bytea NOT NULL,
    changed_at bigint NOT NULL
)
PARTITION BY RANGE (day);
CREATE TABLE public.block_2026_10 (
    series_id bigint NOT NULL,
    day date NOT NULL,
    packed bytea NOT NULL,
    changed_at bigint NOT NULL
);
CREATE TABLE public.block_other (
    series_id bigint NOT NULL,
    day date NOT NULL,
    packed bytea NOT NULL,
    changed_at bigint NOT NULL
);
CREATE TABLE public.coverage (
    series_id bigint NOT NULL,
    covered_from bigint NOT NULL,
    covered_until bigint NOT NULL,
    CONSTRAINT ck_coverage_range CHECK ((covered_from <= covered_until))
);
CREATE TABLE public.data_need (
    id bigint NOT NULL,
    peer_id bigint NOT NULL,
    need text NOT NULL,
    version bigint NOT NULL,
    title text NOT NULL,
    purpose text NOT NULL,
    recipients text NOT NULL,
    controller text NOT NULL,
    contact text NOT NULL,
    policy text NOT NULL,
    interval_minutes bigint NOT NULL,
    reading text NOT NULL,
    identification text NOT NULL,
    history_days bigint NOT NULL,
    duration_days bigint NOT NULL,
    retention_days bigint NOT NULL,
    received_at bigint NOT NULL,
    CONSTRAINT ck_data_need_duration CHECK (((duration_days >= 1) AND (duration_days <= 36600))),
    CONSTRAINT ck_data_need_history CHECK (((history_days >= 0) AND (history_days <= 36600))),
    CONSTRAINT ck_data_need_identification CHECK ((identification = ANY (ARRAY['pseudonym'::text, 'delivery-point'::text]))),
    CONSTRAINT ck_data_need_interval CHECK ((interval_minutes = ANY (ARRAY[(5)::bigint, (30)::bigint, (60)::bigint, (1440)::bigint]))),
    CONSTRAINT ck_data_need_reading CHECK ((reading = ANY (ARRAY['individual'::text, 'sum'::text]))),
    CONSTRAINT ck_data_need_retention CHECK (((retention_days >= 0) AND (retention_days <= 36600))),
    CONSTRAINT ck_data_need_version CHECK ((version >= 1))
);
CREATE SEQUENCE public.data_need_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.data_need_id_seq OWNED BY public.data_need.id;
CREATE TABLE public.given (
    id text NOT NULL,
    member_id bigint NOT NULL,
    need text NOT NULL,
    version bigint NOT NULL,
    state text NOT NULL,
    interval_minutes bigint NOT NULL,
    identification text NOT NULL,
    records_from bigint NOT NULL,
    valid_from bigint NOT NULL,
    valid_until bigint NOT NULL,
    shown_sha256 text NOT NULL,
    shown_language text NOT NULL,
    erase_at bigint,
    told_at bigint,
    CONSTRAINT ck_given_identification CHECK ((identification = ANY (ARRAY['pseudonym'::text, 'delivery-point'::text]))),
    CONSTRAINT ck_given_interval CHECK ((interval_minutes = ANY (ARRAY[(5)::bigint, (30)::bigint, (60)::bigint, (1440)::bigint]))),
    CONSTRAINT ck_given_state CHECK ((state = ANY (ARRAY['granted'::text, 'withdrawn'::text, 'terminated'::text, 'expired'::text])))
);
CREATE TABLE public.given_register (
    seq bigint NOT NULL,
    given_id text NOT NULL,
    state text NOT NULL,
    at bigint NOT NULL,
    actor text NOT NULL,
    text_hash text,
    erased bigint,
    CONSTRAINT ck_given_register_actor CHECK ((actor = ANY (ARRAY['member'::text, 'collective'::text, 'clock'::text]))),
    CONSTRAINT ck_given_register_state CHECK ((state = ANY (ARRAY['granted'::text, 'withdrawn'::text, 'terminated'::text, 'expired'::text])))
);
CREATE SEQUENCE public.given_register_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.given_register_seq_seq OWNED BY public.given_register.seq;
CREATE TABLE public.given_series (
    given_id text NOT NULL,
    identifier text NOT NULL,
    series_id bigint,
    asked_until bigint,
    subscribed_at bigint,
    heard_at bigint,
    problem text
);
CREATE TABLE public.in_group (
    member_id bigint NOT NULL,
    group_id bigint NOT NULL,
    from_month date NOT NULL,
    until_month date
);
CREATE TABLE public.invitation (
    id text NOT NULL,
    token_hash text NOT NULL,
    note text NOT NULL,
    kind text NOT NULL,
    area text,
    made_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    most_uses bigint,
    uses bigint NOT NULL,
    revoked_at bigint,
    CONSTRAINT ck_invitation_kind CHECK ((kind = ANY (ARRAY['home'::text, 'site'::text, 'collective'::text]))),
    CONSTRAINT ck_invitation_uses CHECK (((uses >= 0) AND ((most_uses IS NULL) OR (uses <= most_uses))))
);
CREATE TABLE public.member (
    id bigint NOT NULL,
    pseudonym text NOT NULL,
    jid text,
    kind text NOT NULL,
    name text,
    description text,
    area text,
    invitation_id text,
    joined_at bigint NOT NULL,
    left_at bigint,
    CONSTRAINT ck_member_kind CHECK ((kind = ANY (ARRAY['home'::text, 'site'::text, 'collective'::text]))),
    CONSTRAINT ck_member_name CHECK (((name IS NULL) OR (kind <> 'home'::text)))
);
CREATE TABLE public.member_count (
    series_id bigint NOT NULL,
    day date NOT NULL,
    packed bytea NOT NULL
);
CREATE TABLE public.member_day (
    member_id bigint NOT NULL,
    direction text NOT NULL,
    day date NOT NULL,
    watt_minutes bigint NOT NULL,
    records bigint NOT NULL,
    expected bigint NOT NULL,
    CONSTRAINT ck_member_day_direction CHECK ((direction = ANY (ARRAY['consumption'::text, 'injection'::text, 'production'::text]))),
    CONSTRAINT ck_member_day_records CHECK (((records >= 0) AND (records <= expected)))
);
CREATE TABLE public.member_group (
    id bigint NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    CONSTRAINT ck_member_group_kind CHECK ((kind = ANY (ARRAY['all'::text, 'area'::text, 'building'::text, 'site'::text])))
);
CREATE SEQUENCE public.member_group_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.member_group_id_seq OWNED BY public.member_group.id;
CREATE SEQUENCE public.member_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.member_id_seq OWNED BY public.member.id;
CREATE TABLE public.notice (
    seq bigint NOT NULL,
    erase bigint,
    told_at bigint,
    receipt text,
    CONSTRAINT ck_notice_erase CHECK ((erase = ANY (ARRAY[(0)::bigint, (1)::bigint])))
);
CREATE TABLE public.outbox (
    id bigint NOT NULL,
    peer_id bigint NOT NULL,
    permission_id text NOT NULL,
    granted text DEFAULT 'granted'::text NOT NULL,
    series_id bigint NOT NULL,
    range_start bigint NOT NULL,
    range_end bigint NOT NULL,
    queued_at bigint NOT NULL,
    stanza text,
    sent_at bigint,
    CONSTRAINT ck_outbox_granted CHECK ((granted = 'granted'::text)),
    CONSTRAINT ck_outbox_range CHECK ((range_start < range_end))
);
CREATE SEQUENCE public.outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.outbox_id_seq OWNED BY public.outbox.id;
CREATE TABLE public.own_need (
    need text NOT NULL,
    version bigint NOT NULL,
    body text NOT NULL,
    offered_at bigint NOT NULL,
    closed_at bigint,
    CONSTRAINT ck_own_need_version CHECK ((version >= 1))
);
CREATE TABLE public.peer (
    id bigint NOT NULL,
    jid text NOT NULL,
    name text NOT NULL,
    added_at bigint NOT NULL
);
CREATE SEQUENCE public.peer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.peer_id_seq OWNED BY public.peer.id;
CREATE TABLE public.permission (
    id text NOT NULL,
    peer_id bigint NOT NULL,
    data_need_id bigint NOT NULL,
    need text NOT NULL,
    state text NOT NULL,
    interval_minutes bigint,
    identification text,
    records_from bigint,
    valid_from bigint,
    valid_until bigint,
    CONSTRAINT ck_permission_identification CHECK ((identification = ANY (ARRAY['pseudonym'::text, 'delivery-point'::text]))),
    CONSTRAINT ck_permission_interval CHECK ((interval_minutes = ANY (ARRAY[(5)::bigint, (30)::bigint, (60)::bigint, (1440)::bigint]))),
    CONSTRAINT ck_permission_state CHECK ((state = ANY (ARRAY['proposed'::text, 'granted'::text, 'refused'::text, 'withdrawn'::text, 'terminated'::text, 'expired'::text])))
);
CREATE TABLE public.permission_series (
    permission_id text NOT NULL,
    series_id bigint NOT NULL
);
CREATE TABLE public.series (
    id bigint NOT NULL,
    device text NOT NULL,
    direction text NOT NULL,
    quantity text NOT NULL,
    interval_minutes bigint NOT NULL,
    time_zone text NOT NULL,
    CONSTRAINT ck_series_direction CHECK ((direction = ANY (ARRAY['consumption'::text, 'injection'::text, 'production'::text]))),
    CONSTRAINT ck_series_interval CHECK ((interval_minutes = ANY (ARRAY[(5)::bigint, (30)::bigint, (60)::bigint, (1440)::bigint]))),
    CONSTRAINT ck_series_quantity CHECK ((quantity = ANY (ARRAY['energy'::text, 'power'::text])))
);
CREATE TABLE public.wanted (
    data_need_id bigint NOT NULL,
    direction text NOT NULL,
    quantity text NOT NULL,
    CONSTRAINT ck_wanted_direction CHECK ((direction = ANY (ARRAY['consumption'::text, 'injection'::text, 'production'::text]))),
    CONSTRAINT ck_wanted_quantity CHECK ((quantity = ANY (ARRAY['energy'::text, 'power'::text])))
);
CREATE VIEW public.permitted AS
 SELECT p.id AS permission_id,
    ps.series_id,
    p.peer_id,
    p.identification,
    p.records_from,
    p.valid_until
   FROM ((((public.permission p
     JOIN public.data_need n ON ((n.id = p.data_need_id)))
     JOIN public.permission_series ps ON ((ps.permission_id = p.id)))
     JOIN public.series s ON ((s.id = ps.series_id)))
     JOIN public.wanted w ON (((w.data_need_id = n.id) AND (w.direction = s.direction) AND (w.quantity = s.quantity))))
  WHERE ((p.state = 'granted'::text) AND (n.reading = 'individual'::text) AND (s.interval_minutes >= p.interval_minutes) AND (p.interval_minutes >= n.interval_minutes) AND ((floor(EXTRACT(epoch FROM clock_timestamp())))::bigint < p.valid_until));
CREATE TABLE public.pulled_series (
    statistic text NOT NULL,
    jid text NOT NULL,
    identifier text NOT NULL,
    name text NOT NULL,
    added_at bigint NOT NULL,
    until bigint,
    problem text
);
CREATE TABLE public.read_log (
    id bigint NOT NULL,
    at bigint NOT NULL,
    who text NOT NULL,
    what text NOT NULL,
    member_id bigint,
    range_start bigint,
    range_end bigint,
    records bigint NOT NULL
);
CREATE SEQUENCE public.read_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.read_log_id_seq OWNED BY public.read_log.id;
CREATE TABLE public.register (
    seq bigint NOT NULL,
    permission_id text NOT NULL,
    state text NOT NULL,
    at bigint NOT NULL,
    actor text NOT NULL,
    who text,
    text_hash text,
    language text,
    CONSTRAINT ck_register_actor CHECK ((((state = 'proposed'::text) AND (actor = ANY (ARRAY['peer'::text, 'household'::text]))) OR ((state = ANY (ARRAY['granted'::text, 'refused'::text, 'withdrawn'::text])) AND (actor = 'household'::text)) OR ((state = 'terminated'::text) AND (actor = 'peer'::text)) OR ((state = 'expired'::text) AND (actor = 'clock'::text)))),
    CONSTRAINT ck_register_language CHECK (((text_hash IS NULL) = (language IS NULL))),
    CONSTRAINT ck_register_state CHECK ((state = ANY (ARRAY['proposed'::text, 'granted'::text, 'refused'::text, 'withdrawn'::text, 'terminated'::text, 'expired'::text]))),
    CONSTRAINT ck_register_text CHECK (((text_hash IS NOT NULL) OR (state <> ALL (ARRAY['granted'::text, 'refused'::text, 'withdrawn'::text])))),
    CONSTRAINT ck_register_who CHECK (((actor = 'clock'::text) = (who IS NULL)))
);
CREATE SEQUENCE public.register_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.register_seq_seq OWNED BY public.register.seq;
CREATE TABLE public.released_block (
    group_id bigint NOT NULL,
    direction text NOT NULL,
    interval_minutes bigint NOT NULL,
    day date NOT NULL,
    sums bytea NOT NULL,
    counts bytea NOT NULL,
    reasons bytea NOT NULL,
    final bigint NOT NULL,
    released_at bigint,
    CONSTRAINT ck_released_block_direction CHECK ((direction = ANY (ARRAY['consumption'::text, 'injection'::text, 'production'::text]))),
    CONSTRAINT ck_released_block_final CHECK ((final = ANY (ARRAY[(0)::bigint, (1)::bigint]))),
    CONSTRAINT ck_released_block_interval CHECK ((interval_minutes = ANY (ARRAY[(5)::bigint, (30)::bigint, (60)::bigint, (1440)::bigint])))
);
CREATE TABLE public.secret (
    name text NOT NULL,
    value bytea NOT NULL
);
CREATE SEQUENCE public.series_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.series_id_seq OWNED BY public.series.id;
CREATE TABLE public.setting (
    key text NOT NULL,
    value text NOT NULL
);
CREATE TABLE public.shown_text (
    hash text NOT NULL,
    language text NOT NULL,
    body text NOT NULL,
    CONSTRAINT ck_shown_text_hash CHECK ((length(hash) = 64))
);
CREATE TABLE public.subscription (
    peer_id bigint NOT NULL,
    series_id bigint NOT NULL,
    since bigint NOT NULL,
    cursor bigint
);
CREATE TABLE public.sum_block (
    group_id bigint NOT NULL,
    direction text NOT NULL,
    interval_minutes bigint NOT NULL,
    day date NOT NULL,
    kind text NOT NULL,
    sums bytea NOT NULL,
    counts bytea NOT NULL,
    largest bytea NOT NULL,
    changed_at bigint NOT NULL,
    CONSTRAINT ck_sum_block_direction CHECK ((direction = ANY (ARRAY['consumption'::text, 'injection'::text, 'production'::text]))),
    CONSTRAINT ck_sum_block_interval CHECK ((interval_minutes = ANY (ARRAY[(5)::bigint, (30)::bigint, (60)::bigint, (1440)::bigint]))),
    CONSTRAINT ck_sum_block_kind CHECK ((kind = ANY (ARRAY['home'::text, 'site'::text, 'collective'::text])))
)
PARTITION BY RANGE (day);
CREATE TABLE public.sum_block_other (
    group_id bigint NOT NULL,
    direction text NOT NULL,
    interval_minutes bigint NOT NULL,
    day date NOT NULL,
    kind text NOT NULL,
    sums bytea NOT NULL,
    counts bytea NOT NULL,
    largest bytea NOT NULL,
    changed_at bigint NOT NULL,
    CONSTRAINT ck_sum_block_direction CHECK ((direction = ANY (ARRAY['consumption'::text, 'injection'::text, 'production'::text]))),
    CONSTRAINT ck_sum_block_interval CHECK ((interval_minutes = ANY (ARRAY[(5)::bigint, (30)::bigint, (60)::bigint, (1440)::bigint]))),
    CONSTRAINT ck_sum_block_kind CHECK ((kind = ANY (ARRAY['home'::text, 'site'::text, 'collective'::text])))
);
CREATE TABLE public.to_release (
    direction text NOT NULL,
    interval_minutes bigint NOT NULL,
    day date NOT NULL,
    due_at bigint NOT NULL
);
CREATE TABLE public.unreleased (
    direction text NOT NULL,
    interval_minutes bigint NOT NULL,
    day date NOT NULL,
    member_id bigint NOT NULL,
    before bytea NOT NULL,
    now bytea NOT NULL,
    counted bytea NOT NULL
);
ALTER TABLE ONLY public.block ATTACH PARTITION public.block_2026_10 FOR VALUES FROM ('2026-10-01') TO ('2026-11-01');
ALTER TABLE ONLY public.block ATTACH PARTITION public.block_other DEFAULT;
ALTER TABLE ONLY public.sum_block ATTACH PARTITION public.sum_block_other DEFAULT;
ALTER TABLE ONLY public.answer ALTER COLUMN id SET DEFAULT nextval('public.answer_id_seq'::regclass);
ALTER TABLE ONLY public.data_need ALTER COLUMN id SET DEFAULT nextval('public.data_need_id_seq'::regclass);
ALTER TABLE ONLY public.given_register ALTER COLUMN seq SET DEFAULT nextval('public.given_register_seq_seq'::regclass);
ALTER TABLE ONLY public.member ALTER COLUMN id SET DEFAULT nextval('public.member_id_seq'::regclass);
ALTER TABLE ONLY public.member_group ALTER COLUMN id SET DEFAULT nextval('public.member_group_id_seq'::regclass);
ALTER TABLE ONLY public.outbox ALTER COLUMN id SET DEFAULT nextval('public.outbox_id_seq'::regclass);
ALTER TABLE ONLY public.peer ALTER COLUMN id SET DEFAULT nextval('public.peer_id_seq'::regclass);
ALTER TABLE ONLY public.read_log ALTER COLUMN id SET DEFAULT nextval('public.read_log_id_seq'::regclass);
ALTER TABLE ONLY public.register ALTER COLUMN seq SET DEFAULT nextval('public.register_seq_seq'::regclass);
ALTER TABLE ONLY public.series ALTER COLUMN id SET DEFAULT nextval('public.series_id_seq'::regclass);
INSERT INTO public.absence VALUES (1795647472, 1795651072);
INSERT INTO public.admin_session VALUES ('cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', 'Accueil', 1795654672, 1795654672, 1795654672);
INSERT INTO public.administrator VALUES ('Accueil', '$argon2id$', 1795654672);
INSERT INTO public.alembic_version VALUES ('0003');
INSERT INTO public.answer VALUES (1, 1795654672, 1, 'b612faa5-e8a4-41b8-9cbe-e8ff87f26816', 1, 'get_history', 1795647472, 1795651072, 1);
INSERT INTO public.block_2026_10 VALUES (1, '2026-10-25', '\x0200000100020003000400050006000700080009000a00ffff2c012d012e012f0130013101320133013401350136013701', 1795654672);
INSERT INTO public.coverage VALUES (1, 1792886400, 1792972800);
INSERT INTO public.data_need VALUES (1, 1, 'withdrawn', 1, '{"en": "Sunny roofs", "fr": "Toits au soleil"}', '{"en": "To size the next roof.", "fr": "Pour dimensionner le prochain toit."}', '{"en": "Nobody else.", "fr": "Personne d’autre."}', 'Coop of Kersabiec', 'dpo@coop.example', 'https://coop.example/policy', 60, 'individual', 'pseudonym', 30, 365, 90, 1795654671);
INSERT INTO public.data_need VALUES (2, 1, 'terminated', 1, '{"en": "Sunny roofs", "fr": "Toits au soleil"}', '{"en": "To size the next roof.", "fr": "Pour dimensionner le prochain toit."}', '{"en": "Nobody else.", "fr": "Personne d’autre."}', 'Coop of Kersabiec', 'dpo@coop.example', 'https://coop.example/policy', 60, 'individual', 'pseudonym', 30, 365, 90, 1795654671);
INSERT INTO public.data_need VALUES (3, 1, 'refused', 1, '{"en": "Sunny roofs", "fr": "Toits au soleil"}', '{"en": "To size the next roof.", "fr": "Pour dimensionner le prochain toit."}', '{"en": "Nobody else.", "fr": "Personne d’autre."}', 'Coop of Kersabiec', 'dpo@coop.example', 'https://coop.example/policy', 60, 'individual', 'pseudonym', 30, 365, 90, 1795654671);
INSERT INTO public.data_need VALUES (4, 1, 'sunny-roofs', 1, '{"en": "Sunny roofs", "fr": "Toits au soleil"}', '{"en": "To size the next roof.", "fr": "Pour dimensionner le prochain toit."}', '{"en": "Nobody else.", "fr": "Personne d’autre."}', 'Coop of Kersabiec', 'dpo@coop.example', 'https://coop.example/policy', 60, 'individual', 'pseudonym', 30, 365, 90, 1795654671);
INSERT INTO public.data_need VALUES (5, 1, 'proposed', 1, '{"en": "Sunny roofs", "fr": "Toits au soleil"}', '{"en": "To size the next roof.", "fr": "Pour dimensionner le prochain toit."}', '{"en": "Nobody else.", "fr": "Personne d’autre."}', 'Coop of Kersabiec', 'dpo@coop.example', 'https://coop.example/policy', 60, 'individual', 'pseudonym', 30, 365, 90, 1795654672);
INSERT INTO public.given VALUES ('1c0b5a3e-6f0d-4c19-9d3a-7f6a0e0b2c11', 1, 'sums', 1, 'granted', 60, 'pseudonym', 1795654672, 1795654672, 1795654672, 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'fr', NULL, NULL);
INSERT INTO public.given_register VALUES (1, '1c0b5a3e-6f0d-4c19-9d3a-7f6a0e0b2c11', 'granted', 1795654672, 'member', NULL, NULL);
INSERT INTO public.given_series VALUES ('1c0b5a3e-6f0d-4c19-9d3a-7f6a0e0b2c11', 'urn:dev:org:60060-k7f3q2_consumption/power/active/raw', 1, NULL, NULL, NULL, NULL);
INSERT INTO public.in_group VALUES (1, 1, '2026-10-01', NULL);
INSERT INTO public.invitation VALUES ('spring', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'The market in spring', 'home', 'Lorient', 1795654672, 1795654672, NULL, 1, NULL);
INSERT INTO public.member VALUES (1, 'k7f3q2', 'member@example.org', 'home', NULL, NULL, 'Lorient', 'spring', 1795654672, NULL);
INSERT INTO public.member_count VALUES (1, '2026-10-25', '\x0102');
INSERT INTO public.member_day VALUES (1, 'consumption', '2026-10-25', 720000, 24, 25);
INSERT INTO public.member_group VALUES (1, 'all', '');
INSERT INTO public.notice VALUES (3, 1, NULL, NULL);
INSERT INTO public.notice VALUES (5, NULL, NULL, NULL);
INSERT INTO public.notice VALUES (10, NULL, NULL, NULL);
INSERT INTO public.notice VALUES (2, NULL, 1795654672, 'receipt');
INSERT INTO public.outbox VALUES (2, 1, 'b612faa5-e8a4-41b8-9cbe-e8ff87f26816', 'granted', 1, 1795647472, 1795651072, 1795654672, NULL, NULL);
INSERT INTO public.outbox VALUES (1, 1, 'b612faa5-e8a4-41b8-9cbe-e8ff87f26816', 'granted', 1, 1795647472, 1795651072, 1795654672, 'stanza', 1795654672);
INSERT INTO public.own_need VALUES ('sums', 1, '<data-need/>', 1795654672, NULL);
INSERT INTO public.peer VALUES (1, 'coop@example.org', 'Coop', 1795654671);
INSERT INTO public.peer VALUES (2, 'town@example.org', 'Town', 1795654671);
INSERT INTO public.permission VALUES ('1134cd4c-6e71-45ea-8899-2406de69aece', 1, 1, 'withdrawn', 'withdrawn', 60, 'pseudonym', 1795049871, 1795654671, 1800838671);
INSERT INTO public.permission VALUES ('126dd4ef-0a38-4d4c-8695-d7566f5d8b96', 1, 2, 'terminated', 'terminated', 60, 'pseudonym', 1795049871, 1795654671, 1800838671);
INSERT INTO public.permission VALUES ('ac130c91-b924-4235-bd56-df964e164c53', 1, 3, 'refused', 'refused', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.permission VALUES ('b612faa5-e8a4-41b8-9cbe-e8ff87f26816', 1, 4, 'sunny-roofs', 'granted', 60, 'pseudonym', 1795049871, 1795654671, 1800838671);
INSERT INTO public.permission VALUES ('cd6e2906-5de6-43f9-ab92-9777c6a18ff2', 1, 5, 'proposed', 'proposed', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.permission_series VALUES ('1134cd4c-6e71-45ea-8899-2406de69aece', 1);
INSERT INTO public.permission_series VALUES ('126dd4ef-0a38-4d4c-8695-d7566f5d8b96', 1);
INSERT INTO public.permission_series VALUES ('b612faa5-e8a4-41b8-9cbe-e8ff87f26816', 1);
INSERT INTO public.pulled_series VALUES ('consometers:grid', 'town@example.org', 'urn:dev:prm:30001610071843_consumption', 'The town hall', 1795654672, 1795651072, 'It cannot be reached.');
INSERT INTO public.read_log VALUES (1, 1795654672, 'peer', 'export', 1, NULL, NULL, 24);
INSERT INTO public.register VALUES (1, '1134cd4c-6e71-45ea-8899-2406de69aece', 'proposed', 1795654671, 'peer', 'coop@example.org', NULL, NULL);
INSERT INTO public.register VALUES (2, '1134cd4c-6e71-45ea-8899-2406de69aece', 'granted', 1795654671, 'household', 'user-1', 'e12d4b2e3168846b6da7ba147388293222d03aa61f38d546ca759e06ef5a1f70', 'en');
INSERT INTO public.register VALUES (3, '1134cd4c-6e71-45ea-8899-2406de69aece', 'withdrawn', 1795654671, 'household', 'user-2', '4f8242018d0de7046b25963516008c7ff834bc16b6c548f44744637debfb0bee', 'fr');
INSERT INTO public.register VALUES (4, '126dd4ef-0a38-4d4c-8695-d7566f5d8b96', 'proposed', 1795654671, 'peer', 'coop@example.org', NULL, NULL);
INSERT INTO public.register VALUES (5, '126dd4ef-0a38-4d4c-8695-d7566f5d8b96', 'granted', 1795654671, 'household', 'user-1', 'e12d4b2e3168846b6da7ba147388293222d03aa61f38d546ca759e06ef5a1f70', 'en');
INSERT INTO public.register VALUES (6, '126dd4ef-0a38-4d4c-8695-d7566f5d8b96', 'terminated', 1795654671, 'peer', 'coop@example.org', NULL, NULL);
INSERT INTO public.register VALUES (7, 'ac130c91-b924-4235-bd56-df964e164c53', 'proposed', 1795654671, 'peer', 'coop@example.org', NULL, NULL);
INSERT INTO public.register VALUES (8, 'ac130c91-b924-4235-bd56-df964e164c53', 'refused', 1795654671, 'household', 'user-1', '14d32557feeae05fb859a810551ed748a87bb4af5769ee399f3bec1a262a5985', 'fr');
INSERT INTO public.register VALUES (9, 'b612faa5-e8a4-41b8-9cbe-e8ff87f26816', 'proposed', 1795654671, 'peer', 'coop@example.org', NULL, NULL);
INSERT INTO public.register VALUES (10, 'b612faa5-e8a4-41b8-9cbe-e8ff87f26816', 'granted', 1795654671, 'household', 'user-1', 'e12d4b2e3168846b6da7ba147388293222d03aa61f38d546ca759e06ef5a1f70', 'en');
INSERT INTO public.register VALUES (11, 'cd6e2906-5de6-43f9-ab92-9777c6a18ff2', 'proposed', 1795654672, 'peer', 'coop@example.org', NULL, NULL);
INSERT INTO public.released_block VALUES (1, 'consumption', 60, '2026-10-25', '\x01', '\x01', '\x00', 0, 1795654672);
INSERT INTO public.secret VALUES ('household', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
INSERT INTO public.series VALUES (1, 'urn:dev:prm:30001610071843', 'consumption', 'energy', 60, 'Europe/Paris');
INSERT INTO public.series VALUES (2, 'urn:dev:prm:30001610071843', 'consumption', 'energy', 5, 'Europe/Paris');
INSERT INTO public.series VALUES (3, 'urn:dev:prm:30001610071843', 'injection', 'energy', 60, 'Europe/Paris');
INSERT INTO public.series VALUES (4, 'urn:dev:prm:30001610071843', 'production', 'energy', 60, 'Europe/Paris');
INSERT INTO public.setting VALUES ('jid', 'home@example.org');
INSERT INTO public.shown_text VALUES ('e12d4b2e3168846b6da7ba147388293222d03aa61f38d546ca759e06ef5a1f70', 'en', 'I agree that my hourly consumption leaves.');
INSERT INTO public.shown_text VALUES ('4f8242018d0de7046b25963516008c7ff834bc16b6c548f44744637debfb0bee', 'fr', 'J’arrête tout de suite.');
INSERT INTO public.shown_text VALUES ('14d32557feeae05fb859a810551ed748a87bb4af5769ee399f3bec1a262a5985', 'fr', 'Je refuse.');
INSERT INTO public.subscription VALUES (1, 1, 1795654672, NULL);
INSERT INTO public.sum_block_other VALUES (1, 'consumption', 60, '2026-10-25', 'home', '\x01', '\x01', '\x01', 1795654672);
INSERT INTO public.to_release VALUES ('consumption', 60, '2026-10-25', 1795654672);
INSERT INTO public.unreleased VALUES ('consumption', 60, '2026-10-25', 1, '\x01', '\x02', '\x00');
INSERT INTO public.wanted VALUES (1, 'injection', 'energy');
INSERT INTO public.wanted VALUES (1, 'consumption', 'energy');
INSERT INTO public.wanted VALUES (2, 'injection', 'energy');
INSERT INTO public.wanted VALUES (2, 'consumption', 'energy');
INSERT INTO public.wanted VALUES (3, 'injection', 'energy');
INSERT INTO public.wanted VALUES (3, 'consumption', 'energy');
INSERT INTO public.wanted VALUES (4, 'injection', 'energy');
INSERT INTO public.wanted VALUES (4, 'consumption', 'energy');
INSERT INTO public.wanted VALUES (5, 'injection', 'energy');
INSERT INTO public.wanted VALUES (5, 'consumption', 'energy');
SELECT pg_catalog.setval('public.answer_id_seq', 1, true);
SELECT pg_catalog.setval('public.data_need_id_seq', 5, true);
SELECT pg_catalog.setval('public.given_register_seq_seq', 1, true);
SELECT pg_catalog.setval('public.member_group_id_seq', 1, true);
SELECT pg_catalog.setval('public.member_id_seq', 1, true);
SELECT pg_catalog.setval('public.outbox_id_seq', 2, true);
SELECT pg_catalog.setval('public.peer_id_seq', 2, true);
SELECT pg_catalog.setval('public.read_log_id_seq', 1, true);
SELECT pg_catalog.setval('public.register_seq_seq', 11, true);
SELECT pg_catalog.setval('public.series_id_seq', 4, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.block
    ADD CONSTRAINT pk_block PRIMARY KEY (series_id, day);
ALTER TABLE ONLY public.block_2026_10
    ADD CONSTRAINT block_2026_10_pkey PRIMARY KEY (series_id, day);
ALTER TABLE ONLY public.absence
    ADD CONSTRAINT pk_absence PRIMARY KEY (away_from);
ALTER TABLE ONLY public.admin_session
    ADD CONSTRAINT pk_admin_session PRIMARY KEY (token_hash);
ALTER TABLE ONLY public.administrator
    ADD CONSTRAINT pk_administrator PRIMARY KEY (name);
ALTER TABLE ONLY public.answer
    ADD CONSTRAINT pk_answer PRIMARY KEY (id);
ALTER TABLE ONLY public.block_other
    ADD CONSTRAINT pk_block_other PRIMARY KEY (series_id, day);
ALTER TABLE ONLY public.coverage
    ADD CONSTRAINT pk_coverage PRIMARY KEY (series_id);
ALTER TABLE ONLY public.data_need
    ADD CONSTRAINT pk_data_need PRIMARY KEY (id);
ALTER TABLE ONLY public.given
    ADD CONSTRAINT pk_given PRIMARY KEY (id);
ALTER TABLE ONLY public.given_register
    ADD CONSTRAINT pk_given_register PRIMARY KEY (seq);
ALTER TABLE ONLY public.given_series
    ADD CONSTRAINT pk_given_series PRIMARY KEY (given_id, identifier);
ALTER TABLE ONLY public.in_group
    ADD CONSTRAINT pk_in_group PRIMARY KEY (member_id, group_id, from_month);
ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT pk_invitation PRIMARY KEY (id);
ALTER TABLE ONLY public.member
    ADD CONSTRAINT pk_member PRIMARY KEY (id);
ALTER TABLE ONLY public.member_count
    ADD CONSTRAINT pk_member_count PRIMARY KEY (series_id, day);
ALTER TABLE ONLY public.member_day
    ADD CONSTRAINT pk_member_day PRIMARY KEY (member_id, direction, day);
ALTER TABLE ONLY public.member_group
    ADD CONSTRAINT pk_member_group PRIMARY KEY (id);
ALTER TABLE ONLY public.notice
    ADD CONSTRAINT pk_notice PRIMARY KEY (seq);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT pk_outbox PRIMARY KEY (id);
ALTER TABLE ONLY public.own_need
    ADD CONSTRAINT pk_own_need PRIMARY KEY (need, version);
ALTER TABLE ONLY public.peer
    ADD CONSTRAINT pk_peer PRIMARY KEY (id);
ALTER TABLE ONLY public.permission
    ADD CONSTRAINT pk_permission PRIMARY KEY (id);
ALTER TABLE ONLY public.permission_series
    ADD CONSTRAINT pk_permission_series PRIMARY KEY (permission_id, series_id);
ALTER TABLE ONLY public.pulled_series
    ADD CONSTRAINT pk_pulled_series PRIMARY KEY (statistic);
ALTER TABLE ONLY public.read_log
    ADD CONSTRAINT pk_read_log PRIMARY KEY (id);
ALTER TABLE ONLY public.register
    ADD CONSTRAINT pk_register PRIMARY KEY (seq);
ALTER TABLE ONLY public.released_block
    ADD CONSTRAINT pk_released_block PRIMARY KEY (group_id, direction, interval_minutes, day);
ALTER TABLE ONLY public.secret
    ADD CONSTRAINT pk_secret PRIMARY KEY (name);
ALTER TABLE ONLY public.series
    ADD CONSTRAINT pk_series PRIMARY KEY (id);
ALTER TABLE ONLY public.setting
    ADD CONSTRAINT pk_setting PRIMARY KEY (key);
ALTER TABLE ONLY public.shown_text
    ADD CONSTRAINT pk_shown_text PRIMARY KEY (hash, language);
ALTER TABLE ONLY public.subscription
    ADD CONSTRAINT pk_subscription PRIMARY KEY (peer_id, series_id);
ALTER TABLE ONLY public.sum_block
    ADD CONSTRAINT pk_sum_block PRIMARY KEY (group_id, direction, interval_minutes, day, kind);
ALTER TABLE ONLY public.to_release
    ADD CONSTRAINT pk_to_release PRIMARY KEY (direction, interval_minutes, day);
ALTER TABLE ONLY public.unreleased
    ADD CONSTRAINT pk_unreleased PRIMARY KEY (direction, interval_minutes, day, member_id);
ALTER TABLE ONLY public.wanted
    ADD CONSTRAINT pk_wanted PRIMARY KEY (data_need_id, direction, quantity);
ALTER TABLE ONLY public.sum_block_other
    ADD CONSTRAINT sum_block_other_pkey PRIMARY KEY (group_id, direction, interval_minutes, day, kind);
ALTER TABLE ONLY public.data_need
    ADD CONSTRAINT uq_data_need_id_peer_id_need UNIQUE (id, peer_id, need);
ALTER TABLE ONLY public.data_need
    ADD CONSTRAINT uq_data_need_peer_id_need_version UNIQUE (peer_id, need, version);
ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT uq_invitation_token_hash UNIQUE (token_hash);
ALTER TABLE ONLY public.member_group
    ADD CONSTRAINT uq_member_group_kind_name UNIQUE (kind, name);
ALTER TABLE ONLY public.member
    ADD CONSTRAINT uq_member_jid UNIQUE (jid);
ALTER TABLE ONLY public.member
    ADD CONSTRAINT uq_member_pseudonym UNIQUE (pseudonym);
ALTER TABLE ONLY public.peer
    ADD CONSTRAINT uq_peer_jid UNIQUE (jid);
ALTER TABLE ONLY public.permission
    ADD CONSTRAINT uq_permission_id_peer_id_state UNIQUE (id, peer_id, state);
ALTER TABLE ONLY public.series
    ADD CONSTRAINT uq_series_device_direction_quantity_interval_minutes_time_zone UNIQUE (device, direction, quantity, interval_minutes, time_zone);
CREATE INDEX ix_answer_peer_id_at ON public.answer USING btree (peer_id, at);
CREATE INDEX ix_given_member_id ON public.given USING btree (member_id);
CREATE INDEX ix_given_register_given_id_seq ON public.given_register USING btree (given_id, seq);
CREATE INDEX ix_given_series_identifier ON public.given_series USING btree (identifier);
CREATE INDEX ix_in_group_group_id_from_month ON public.in_group USING btree (group_id, from_month);
CREATE INDEX ix_member_day_direction_day ON public.member_day USING btree (direction, day);
CREATE INDEX ix_outbox_peer_id_stanza ON public.outbox USING btree (peer_id, stanza);
CREATE INDEX ix_outbox_permission_id_series_id ON public.outbox USING btree (permission_id, series_id);
CREATE INDEX ix_read_log_member_id_at ON public.read_log USING btree (member_id, at);
CREATE INDEX ix_register_permission_id_seq ON public.register USING btree (permission_id, seq);
CREATE INDEX ix_to_release_due_at ON public.to_release USING btree (due_at);
CREATE INDEX ix_unreleased_member_id ON public.unreleased USING btree (member_id);
CREATE UNIQUE INDEX uq_permission_granted ON public.permission USING btree (peer_id, need) WHERE (state = 'granted'::text);
CREATE UNIQUE INDEX uq_permission_proposed ON public.permission USING btree (data_need_id) WHERE (state = 'proposed'::text);
ALTER INDEX public.pk_block ATTACH PARTITION public.block_2026_10_pkey;
ALTER INDEX public.pk_block ATTACH PARTITION public.pk_block_other;
ALTER INDEX public.pk_sum_block ATTACH PARTITION public.sum_block_other_pkey;
CREATE TRIGGER answer_is_not_emptied BEFORE TRUNCATE ON public.answer FOR EACH STATEMENT EXECUTE FUNCTION public.answer_is_not_emptied();
CREATE TRIGGER answer_is_of_now BEFORE INSERT ON public.answer FOR EACH ROW EXECUTE FUNCTION public.answer_is_of_now();
CREATE TRIGGER answer_is_permitted BEFORE INSERT ON public.answer FOR EACH ROW EXECUTE FUNCTION public.answer_is_permitted();
CREATE TRIGGER answer_stands BEFORE UPDATE ON public.answer FOR EACH ROW EXECUTE FUNCTION public.answer_stands();
CREATE TRIGGER answer_stays BEFORE DELETE ON public.answer FOR EACH ROW EXECUTE FUNCTION public.answer_stays();
CREATE TRIGGER data_need_goes_on BEFORE INSERT ON public.data_need FOR EACH ROW EXECUTE FUNCTION public.data_need_goes_on();
CREATE TRIGGER data_need_is_not_emptied BEFORE TRUNCATE ON public.data_need FOR EACH STATEMENT EXECUTE FUNCTION public.data_need_is_not_emptied();
CREATE TRIGGER data_need_stands BEFORE UPDATE ON public.data_need FOR EACH ROW EXECUTE FUNCTION public.data_need_stands();
CREATE TRIGGER data_need_stays BEFORE DELETE ON public.data_need FOR EACH ROW EXECUTE FUNCTION public.data_need_stays();
CREATE TRIGGER given_register_is_not_emptied BEFORE TRUNCATE ON public.given_register FOR EACH STATEMENT EXECUTE FUNCTION public.given_register_is_not_emptied();
CREATE TRIGGER given_register_stands BEFORE UPDATE ON public.given_register FOR EACH ROW EXECUTE FUNCTION public.given_register_stands();
CREATE TRIGGER given_register_stays BEFORE DELETE ON public.given_register FOR EACH ROW EXECUTE FUNCTION public.given_register_stays();
CREATE TRIGGER outbox_is_itself BEFORE UPDATE ON public.outbox FOR EACH ROW EXECUTE FUNCTION public.outbox_is_itself();
CREATE TRIGGER outbox_is_permitted BEFORE INSERT ON public.outbox FOR EACH ROW EXECUTE FUNCTION public.outbox_is_permitted();
CREATE TRIGGER outbox_is_sent_with_permission BEFORE UPDATE ON public.outbox FOR EACH ROW EXECUTE FUNCTION public.outbox_is_sent_with_permission();
CREATE TRIGGER own_need_is_not_emptied BEFORE TRUNCATE ON public.own_need FOR EACH STATEMENT EXECUTE FUNCTION public.own_need_is_not_emptied();
CREATE TRIGGER own_need_stands BEFORE UPDATE ON public.own_need FOR EACH ROW EXECUTE FUNCTION public.own_need_stands();
CREATE TRIGGER own_need_stays BEFORE DELETE ON public.own_need FOR EACH ROW EXECUTE FUNCTION public.own_need_stays();
CREATE TRIGGER peer_is_itself BEFORE UPDATE ON public.peer FOR EACH ROW EXECUTE FUNCTION public.peer_is_itself();
CREATE TRIGGER peer_is_not_emptied BEFORE TRUNCATE ON public.peer FOR EACH STATEMENT EXECUTE FUNCTION public.peer_is_not_emptied();
CREATE TRIGGER peer_stays BEFORE DELETE ON public.peer FOR EACH ROW EXECUTE FUNCTION public.peer_stays();
CREATE TRIGGER permission_follows_the_register BEFORE UPDATE ON public.permission FOR EACH ROW EXECUTE FUNCTION public.permission_follows_the_register();
CREATE TRIGGER permission_is_itself BEFORE UPDATE ON public.permission FOR EACH ROW EXECUTE FUNCTION public.permission_is_itself();
CREATE TRIGGER permission_is_not_emptied BEFORE TRUNCATE ON public.permission FOR EACH STATEMENT EXECUTE FUNCTION public.permission_is_not_emptied();
CREATE TRIGGER permission_series_is_chosen_before BEFORE INSERT ON public.permission_series FOR EACH ROW EXECUTE FUNCTION public.permission_series_is_chosen_before();
CREATE TRIGGER permission_series_is_not_emptied BEFORE TRUNCATE ON public.permission_series FOR EACH STATEMENT EXECUTE FUNCTION public.permission_series_is_not_emptied();
CREATE TRIGGER permission_series_stands BEFORE UPDATE ON public.permission_series FOR EACH ROW EXECUTE FUNCTION public.permission_series_stands();
CREATE TRIGGER permission_series_stays BEFORE DELETE ON public.permission_series FOR EACH ROW EXECUTE FUNCTION public.permission_series_stays();
CREATE TRIGGER permission_starts_as_a_proposal BEFORE INSERT ON public.permission FOR EACH ROW EXECUTE FUNCTION public.permission_starts_as_a_proposal();
CREATE TRIGGER permission_stays BEFORE DELETE ON public.permission FOR EACH ROW EXECUTE FUNCTION public.permission_stays();
CREATE TRIGGER permission_takes_what_is_queued BEFORE UPDATE ON public.permission FOR EACH ROW EXECUTE FUNCTION public.permission_takes_what_is_queued();
CREATE TRIGGER permission_terms_stand BEFORE UPDATE ON public.permission FOR EACH ROW EXECUTE FUNCTION public.permission_terms_stand();
CREATE TRIGGER register_expires_in_time BEFORE INSERT ON public.register FOR EACH ROW EXECUTE FUNCTION public.register_expires_in_time();
CREATE TRIGGER register_follows_the_states BEFORE INSERT ON public.register FOR EACH ROW EXECUTE FUNCTION public.register_follows_the_states();
CREATE TRIGGER register_grants_no_more_than_asked BEFORE INSERT ON public.register FOR EACH ROW EXECUTE FUNCTION public.register_grants_no_more_than_asked();
CREATE TRIGGER register_is_not_emptied BEFORE TRUNCATE ON public.register FOR EACH STATEMENT EXECUTE FUNCTION public.register_is_not_emptied();
CREATE TRIGGER register_is_of_now BEFORE INSERT ON public.register FOR EACH ROW EXECUTE FUNCTION public.register_is_of_now();
CREATE TRIGGER register_keeps_what_was_shown BEFORE INSERT ON public.register FOR EACH ROW EXECUTE FUNCTION public.register_keeps_what_was_shown();
CREATE TRIGGER register_sets_the_state AFTER INSERT ON public.register FOR EACH ROW EXECUTE FUNCTION public.register_sets_the_state();
CREATE TRIGGER register_stands BEFORE UPDATE ON public.register FOR EACH ROW EXECUTE FUNCTION public.register_stands();
CREATE TRIGGER register_stays BEFORE DELETE ON public.register FOR EACH ROW EXECUTE FUNCTION public.register_stays();
CREATE TRIGGER series_is_not_emptied BEFORE TRUNCATE ON public.series FOR EACH STATEMENT EXECUTE FUNCTION public.series_is_not_emptied();
CREATE TRIGGER series_stands BEFORE UPDATE ON public.series FOR EACH ROW EXECUTE FUNCTION public.series_stands();
CREATE TRIGGER series_stays BEFORE DELETE ON public.series FOR EACH ROW EXECUTE FUNCTION public.series_stays();
CREATE TRIGGER shown_text_is_not_emptied BEFORE TRUNCATE ON public.shown_text FOR EACH STATEMENT EXECUTE FUNCTION public.shown_text_is_not_emptied();
CREATE TRIGGER shown_text_stands BEFORE UPDATE ON public.shown_text FOR EACH ROW EXECUTE FUNCTION public.shown_text_stands();
CREATE TRIGGER shown_text_stays BEFORE DELETE ON public.shown_text FOR EACH ROW EXECUTE FUNCTION public.shown_text_stays();
CREATE TRIGGER subscription_is_itself BEFORE UPDATE ON public.subscription FOR EACH ROW EXECUTE FUNCTION public.subscription_is_itself();
CREATE TRIGGER subscription_is_permitted BEFORE INSERT ON public.subscription FOR EACH ROW EXECUTE FUNCTION public.subscription_is_permitted();
CREATE TRIGGER wanted_is_asked_at_once BEFORE INSERT ON public.wanted FOR EACH ROW EXECUTE FUNCTION public.wanted_is_asked_at_once();
CREATE TRIGGER wanted_is_not_emptied BEFORE TRUNCATE ON public.wanted FOR EACH STATEMENT EXECUTE FUNCTION public.wanted_is_not_emptied();
CREATE TRIGGER wanted_stands BEFORE UPDATE ON public.wanted FOR EACH ROW EXECUTE FUNCTION public.wanted_stands();
CREATE TRIGGER wanted_stays BEFORE DELETE ON public.wanted FOR EACH ROW EXECUTE FUNCTION public.wanted_stays();
ALTER TABLE ONLY public.admin_session
    ADD CONSTRAINT fk_admin_session_administrator FOREIGN KEY (administrator) REFERENCES public.administrator(name) ON DELETE CASCADE;
ALTER TABLE ONLY public.answer
    ADD CONSTRAINT fk_answer_peer_id FOREIGN KEY (peer_id) REFERENCES public.peer(id);
ALTER TABLE ONLY public.answer
    ADD CONSTRAINT fk_answer_permission_id_series_id FOREIGN KEY (permission_id, series_id) REFERENCES public.permission_series(permission_id, series_id);
ALTER TABLE public.block
    ADD CONSTRAINT fk_block_series_id FOREIGN KEY (series_id) REFERENCES public.series(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.coverage
    ADD CONSTRAINT fk_coverage_series_id FOREIGN KEY (series_id) REFERENCES public.series(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.data_need
    ADD CONSTRAINT fk_data_need_peer_id FOREIGN KEY (peer_id) REFERENCES public.peer(id);
ALTER TABLE ONLY public.given
    ADD CONSTRAINT fk_given_member_id FOREIGN KEY (member_id) REFERENCES public.member(id);
ALTER TABLE ONLY public.given
    ADD CONSTRAINT fk_given_need_version FOREIGN KEY (need, version) REFERENCES public.own_need(need, version);
ALTER TABLE ONLY public.given_series
    ADD CONSTRAINT fk_given_series_given_id FOREIGN KEY (given_id) REFERENCES public.given(id);
ALTER TABLE ONLY public.given_series
    ADD CONSTRAINT fk_given_series_series_id FOREIGN KEY (series_id) REFERENCES public.series(id);
ALTER TABLE ONLY public.in_group
    ADD CONSTRAINT fk_in_group_group_id FOREIGN KEY (group_id) REFERENCES public.member_group(id);
ALTER TABLE ONLY public.in_group
    ADD CONSTRAINT fk_in_group_member_id FOREIGN KEY (member_id) REFERENCES public.member(id);
ALTER TABLE ONLY public.member_count
    ADD CONSTRAINT fk_member_count_series_id FOREIGN KEY (series_id) REFERENCES public.series(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.member_day
    ADD CONSTRAINT fk_member_day_member_id FOREIGN KEY (member_id) REFERENCES public.member(id);
ALTER TABLE ONLY public.member
    ADD CONSTRAINT fk_member_invitation_id FOREIGN KEY (invitation_id) REFERENCES public.invitation(id);
ALTER TABLE ONLY public.notice
    ADD CONSTRAINT fk_notice_seq FOREIGN KEY (seq) REFERENCES public.register(seq);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT fk_outbox_permission_id_peer_id_granted FOREIGN KEY (permission_id, peer_id, granted) REFERENCES public.permission(id, peer_id, state);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT fk_outbox_permission_id_series_id FOREIGN KEY (permission_id, series_id) REFERENCES public.permission_series(permission_id, series_id);
ALTER TABLE ONLY public.permission
    ADD CONSTRAINT fk_permission_data_need_id_peer_id_need FOREIGN KEY (data_need_id, peer_id, need) REFERENCES public.data_need(id, peer_id, need);
ALTER TABLE ONLY public.permission_series
    ADD CONSTRAINT fk_permission_series_permission_id FOREIGN KEY (permission_id) REFERENCES public.permission(id);
ALTER TABLE ONLY public.permission_series
    ADD CONSTRAINT fk_permission_series_series_id FOREIGN KEY (series_id) REFERENCES public.series(id);
ALTER TABLE ONLY public.read_log
    ADD CONSTRAINT fk_read_log_member_id FOREIGN KEY (member_id) REFERENCES public.member(id);
ALTER TABLE ONLY public.register
    ADD CONSTRAINT fk_register_permission_id FOREIGN KEY (permission_id) REFERENCES public.permission(id);
ALTER TABLE ONLY public.register
    ADD CONSTRAINT fk_register_text_hash_language FOREIGN KEY (text_hash, language) REFERENCES public.shown_text(hash, language);
ALTER TABLE ONLY public.released_block
    ADD CONSTRAINT fk_released_block_group_id FOREIGN KEY (group_id) REFERENCES public.member_group(id);
ALTER TABLE ONLY public.subscription
    ADD CONSTRAINT fk_subscription_peer_id FOREIGN KEY (peer_id) REFERENCES public.peer(id);
ALTER TABLE ONLY public.subscription
    ADD CONSTRAINT fk_subscription_series_id FOREIGN KEY (series_id) REFERENCES public.series(id);
ALTER TABLE public.sum_block
    ADD CONSTRAINT fk_sum_block_group_id FOREIGN KEY (group_id) REFERENCES public.member_group(id);
ALTER TABLE ONLY public.unreleased
    ADD CONSTRAINT fk_unreleased_member_id FOREIGN KEY (member_id) REFERENCES public.member(id);
ALTER TABLE ONLY public.wanted
    ADD CONSTRAINT fk_wanted_data_need_id FOREIGN KEY (data_need_id) REFERENCES public.data_need(id);
