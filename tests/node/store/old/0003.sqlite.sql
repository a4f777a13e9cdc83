BEGIN TRANSACTION;
CREATE TABLE absence (
	away_from INTEGER NOT NULL, 
	away_until INTEGER NOT NULL, 
	CONSTRAINT pk_absence PRIMARY KEY (away_from), 
	CONSTRAINT ck_absence_range CHECK (away_from < away_until)
)
 STRICT
;
INSERT INTO "absence" VALUES(1795647470,1795651070);
CREATE TABLE admin_session (
	token_hash TEXT NOT NULL, 
	administrator TEXT NOT NULL, 
	made_at INTEGER NOT NULL, 
	seen_at INTEGER NOT NULL, 
	expires_at INTEGER NOT NULL, 
	CONSTRAINT pk_admin_session PRIMARY KEY (token_hash), 
	CONSTRAINT fk_admin_session_administrator FOREIGN KEY(administrator) REFERENCES administrator (name) ON DELETE CASCADE
)
 STRICT
;
INSERT INTO "admin_session" VALUES('cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','Accueil',1795654670,1795654670,1795654670);
CREATE TABLE administrator (
	name TEXT NOT NULL, 
	password_hash TEXT NOT NULL, 
	made_at INTEGER NOT NULL, 
	CONSTRAINT pk_administrator PRIMARY KEY (name)
)
 STRICT
;
INSERT INTO "administrator" VALUES('Accueil','$argon2id$',1795654670);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
CREATE TABLE answer (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at INTEGER NOT NULL, 
	peer_id INTEGER NOT NULL, 
	permission_id TEXT NOT NULL, 
	series_id INTEGER NOT NULL, 
	command TEXT NOT NULL, 
	range_start INTEGER NOT NULL, 
	range_end INTEGER NOT NULL, 
	records INTEGER NOT NULL, 
	CONSTRAINT fk_answer_peer_id FOREIGN KEY(peer_id) REFERENCES peer (id), 
	CONSTRAINT fk_answer_permission_id_series_id FOREIGN KEY(permission_id, series_id) REFERENCES permission_series (permission_id, series_id), 
	CONSTRAINT ck_answer_range CHECK (range_start < range_end), 
	CONSTRAINT ck_answer_records CHECK (records >= 0)
)
 STRICT
;
INSERT INTO "answer" VALUES(1,1795654670,1,'cb727e5c-12b2-4124-90c0-17d8450cd83b',1,'get_history',1795647470,1795651070,1);
CREATE TABLE block (
	series_id INTEGER NOT NULL, 
	day TEXT NOT NULL, 
	packed BLOB NOT NULL, 
	changed_at INTEGER NOT NULL, 
	CONSTRAINT pk_block PRIMARY KEY (series_id, day), 
	CONSTRAINT fk_block_series_id FOREIGN KEY(series_id) REFERENCES series (id) ON DELETE CASCADE
)
 WITHOUT ROWID,
 STRICT
;
INSERT INTO "block" VALUES(1,'2026-10-25',X'0200000100020003000400050006000700080009000A00FFFF2C012D012E012F0130013101320133013401350136013701',1795654670);
CREATE TABLE coverage (
	series_id INTEGER NOT NULL, 
	covered_from INTEGER NOT NULL, 
	covered_until INTEGER NOT NULL, 
	CONSTRAINT pk_coverage PRIMARY KEY (series_id), 
	CONSTRAINT fk_coverage_series_id FOREIGN KEY(series_id) REFERENCES series (id) ON DELETE CASCADE, 
	CONSTRAINT ck_coverage_range CHECK (covered_from <= covered_until)
)
 STRICT
;
INSERT INTO "coverage" VALUES(1,1792886400,1792972800);
CREATE TABLE data_need (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	peer_id INTEGER NOT NULL, 
	need TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	title TEXT NOT NULL, 
	purpose TEXT NOT NULL, 
	recipients TEXT NOT NULL, 
	controller TEXT NOT NULL, 
	contact TEXT NOT NULL, 
	policy TEXT NOT NULL, 
	interval_minutes INTEGER NOT NULL, 
	reading TEXT NOT NULL, 
	identification TEXT NOT NULL, 
	history_days INTEGER NOT NULL, 
	duration_days INTEGER NOT NULL, 
	retention_days INTEGER NOT NULL, 
	received_at INTEGER NOT NULL, 
	CONSTRAINT fk_data_need_peer_id FOREIGN KEY(peer_id) REFERENCES peer (id), 
	CONSTRAINT uq_data_need_peer_id_need_version UNIQUE (peer_id, need, version), 
	CONSTRAINT uq_data_need_id_peer_id_need UNIQUE (id, peer_id, need), 
	CONSTRAINT ck_data_need_version CHECK (version >= 1), 
	CONSTRAINT ck_data_need_interval CHECK (interval_minutes IN (5, 30, 60, 1440)), 
	CONSTRAINT ck_data_need_reading CHECK (reading IN ('individual', 'sum')), 
	CONSTRAINT ck_data_need_identification CHECK (identification IN ('pseudonym', 'delivery-point')), 
	CONSTRAINT ck_data_need_history CHECK (history_days BETWEEN 0 AND 36600), 
	CONSTRAINT ck_data_need_duration CHECK (duration_days BETWEEN 1 AND 36600), 
	CONSTRAINT ck_data_need_retention CHECK (retention_days BETWEEN 0 AND 36600)
)
 STRICT
;
INSERT INTO "data_need" VALUES(1,1,'withdrawn',1,'{"en": "Sunny roofs", "fr": "Toits au soleil"}','{"en": "To size the next roof.", "fr": "Pour dimensionner le prochain toit."}','{"en": "Nobody else.", "fr": "Personne d’autre."}','Coop of Kersabiec','dpo@coop.example','https://coop.example/policy',60,'individual','pseudonym',30,365,90,1795654669);
INSERT INTO "data_need" VALUES(2,1,'terminated',1,'{"en": "Sunny roofs", "fr": "Toits au soleil"}','{"en": "To size the next roof.", "fr": "Pour dimensionner le prochain toit."}','{"en": "Nobody else.", "fr": "Personne d’autre."}','Coop of Kersabiec','dpo@coop.example','https://coop.example/policy',60,'individual','pseudonym',30,365,90,1795654669);
INSERT INTO "data_need" VALUES(3,1,'refused',1,'{"en": "Sunny roofs", "fr": "Toits au soleil"}','{"en": "To size the next roof.", "fr": "Pour dimensionner le prochain toit."}','{"en": "Nobody else.", "fr": "Personne d’autre."}','Coop of Kersabiec','dpo@coop.example','https://coop.example/policy',60,'individual','pseudonym',30,365,90,1795654670);
INSERT INTO "data_need" VALUES(4,1,'sunny-roofs',1,'{"en": "Sunny roofs", "fr": "Toits au soleil"}','{"en": "To size the next roof.", "fr": "Pour dimensionner le prochain toit."}','{"en": "Nobody else.", "fr": "Personne d’autre."}','Coop of Kersabiec','dpo@coop.example','https://coop.example/policy',60,'individual','pseudonym',30,365,90,1795654670);
INSERT INTO "data_need" VALUES(5,1,'proposed',1,'{"en": "Sunny roofs", "fr": "Toits au soleil"}','{"en": "To size the next roof.", "fr": "Pour dimensionner le prochain toit."}','{"en": "Nobody else.", "fr": "Personne d’autre."}','Coop of Kersabiec','dpo@coop.example','https://coop.example/policy',60,'individual','pseudonym',30,365,90,1795654670);
CREATE TABLE given (
	id TEXT NOT NULL, 
	member_id INTEGER NOT NULL, 
	need TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	interval_minutes INTEGER NOT NULL, 
	identification TEXT NOT NULL, 
	records_from INTEGER NOT NULL, 
	valid_from INTEGER NOT NULL, 
	valid_until INTEGER NOT NULL, 
	shown_sha256 TEXT NOT NULL, 
	shown_language TEXT NOT NULL, 
	erase_at INTEGER, 
	told_at INTEGER, 
	CONSTRAINT pk_given PRIMARY KEY (id), 
	CONSTRAINT fk_given_member_id FOREIGN KEY(member_id) REFERENCES member (id), 
	CONSTRAINT fk_given_need_version FOREIGN KEY(need, version) REFERENCES own_need (need, version), 
	CONSTRAINT ck_given_state CHECK (state IN ('granted', 'withdrawn', 'terminated', 'expired')), 
	CONSTRAINT ck_given_interval CHECK (interval_minutes IN (5, 30, 60, 1440)), 
	CONSTRAINT ck_given_identification CHECK (identification IN ('pseudonym', 'delivery-point'))
)
 STRICT
;
INSERT INTO "given" VALUES('1c0b5a3e-6f0d-4c19-9d3a-7f6a0e0b2c11',1,'sums',1,'granted',60,'pseudonym',1795654670,1795654670,1795654670,'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','fr',NULL,NULL);
CREATE TABLE given_register (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	given_id TEXT NOT NULL, 
	state TEXT NOT NULL, 
	at INTEGER NOT NULL, 
	actor TEXT NOT NULL, 
	text_hash TEXT, 
	erased INTEGER, 
	CONSTRAINT ck_given_register_state CHECK (state IN ('granted', 'withdrawn', 'terminated', 'expired')), 
	CONSTRAINT ck_given_register_actor CHECK (actor IN ('member', 'collective', 'clock'))
)
 STRICT
;
INSERT INTO "given_register" VALUES(1,'1c0b5a3e-6f0d-4c19-9d3a-7f6a0e0b2c11','granted',1795654670,'member',NULL,NULL);
CREATE TABLE given_series (
	given_id TEXT NOT NULL, 
	identifier TEXT NOT NULL, 
	series_id INTEGER, 
	asked_until INTEGER, 
	subscribed_at INTEGER, 
	heard_at INTEGER, 
	problem TEXT, 
	CONSTRAINT pk_given_series PRIMARY KEY (given_id, identifier), 
	CONSTRAINT fk_given_series_given_id FOREIGN KEY(given_id) REFERENCES given (id), 
	CONSTRAINT fk_given_series_series_id FOREIGN KEY(series_id) REFERENCES series (id)
)
 STRICT
;
INSERT INTO "given_series" VALUES('1c0b5a3e-6f0d-4c19-9d3a-7f6a0e0b2c11','urn:dev:org:60060-k7f3q2_consumption/power/active/raw',1,NULL,NULL,NULL,NULL);
CREATE TABLE in_group (
	member_id INTEGER NOT NULL, 
	group_id INTEGER NOT NULL, 
	from_month TEXT NOT NULL, 
	until_month TEXT, 
	CONSTRAINT pk_in_group PRIMARY KEY (member_id, group_id, from_month), 
	CONSTRAINT fk_in_group_member_id FOREIGN KEY(member_id) REFERENCES member (id), 
	CONSTRAINT fk_in_group_group_id FOREIGN KEY(group_id) REFERENCES member_group (id)
)
 WITHOUT ROWID,
 STRICT
;
INSERT INTO "in_group" VALUES(1,1,'2026-10-01',NULL);
CREATE TABLE invitation (
	id TEXT NOT NULL, 
	token_hash TEXT NOT NULL, 
	note TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	area TEXT, 
	made_at INTEGER NOT NULL, 
	expires_at INTEGER NOT NULL, 
	most_uses INTEGER, 
	uses INTEGER NOT NULL, 
	revoked_at INTEGER, 
	CONSTRAINT pk_invitation PRIMARY KEY (id), 
	CONSTRAINT uq_invitation_token_hash UNIQUE (token_hash), 
	CONSTRAINT ck_invitation_uses CHECK (uses >= 0 AND (most_uses IS NULL OR uses <= most_uses)), 
	CONSTRAINT ck_invitation_kind CHECK (kind IN ('home', 'site', 'collective'))
)
 STRICT
;
INSERT INTO "invitation" VALUES('spring','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','The market in spring','home','Lorient',1795654670,1795654670,NULL,1,NULL);
CREATE TABLE member (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	pseudonym TEXT NOT NULL, 
	jid TEXT, 
	kind TEXT NOT NULL, 
	name TEXT, 
	description TEXT, 
	area TEXT, 
	invitation_id TEXT, 
	joined_at INTEGER NOT NULL, 
	left_at INTEGER, 
	CONSTRAINT fk_member_invitation_id FOREIGN KEY(invitation_id) REFERENCES invitation (id), 
	CONSTRAINT uq_member_pseudonym UNIQUE (pseudonym), 
	CONSTRAINT uq_member_jid UNIQUE (jid), 
	CONSTRAINT ck_member_kind CHECK (kind IN ('home', 'site', 'collective')), 
	CONSTRAINT ck_member_name CHECK (name IS NULL OR kind <> 'home')
)
 STRICT
;
INSERT INTO "member" VALUES(1,'k7f3q2','member@example.org','home',NULL,NULL,'Lorient','spring',1795654670,NULL);
CREATE TABLE member_count (
	series_id INTEGER NOT NULL, 
	day TEXT NOT NULL, 
	packed BLOB NOT NULL, 
	CONSTRAINT pk_member_count PRIMARY KEY (series_id, day), 
	CONSTRAINT fk_member_count_series_id FOREIGN KEY(series_id) REFERENCES series (id) ON DELETE CASCADE
)
 WITHOUT ROWID,
 STRICT
;
INSERT INTO "member_count" VALUES(1,'2026-10-25',X'0102');
CREATE TABLE member_day (
	member_id INTEGER NOT NULL, 
	direction TEXT NOT NULL, 
	day TEXT NOT NULL, 
	watt_minutes INTEGER NOT NULL, 
	records INTEGER NOT NULL, 
	expected INTEGER NOT NULL, 
	CONSTRAINT pk_member_day PRIMARY KEY (member_id, direction, day), 
	CONSTRAINT fk_member_day_member_id FOREIGN KEY(member_id) REFERENCES member (id), 
	CONSTRAINT ck_member_day_direction CHECK (direction IN ('consumption', 'injection', 'production')), 
	CONSTRAINT ck_member_day_records CHECK (records BETWEEN 0 AND expected)
)
 WITHOUT ROWID,
 STRICT
;
INSERT INTO "member_day" VALUES(1,'consumption','2026-10-25',720000,24,25);
CREATE TABLE member_group (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	CONSTRAINT uq_member_group_kind_name UNIQUE (kind, name), 
	CONSTRAINT ck_member_group_kind CHECK (kind IN ('all', 'area', 'building', 'site'))
)
 STRICT
;
INSERT INTO "member_group" VALUES(1,'all','');
CREATE TABLE notice (
	seq INTEGER NOT NULL, 
	erase INTEGER, 
	told_at INTEGER, 
	receipt TEXT, 
	CONSTRAINT pk_notice PRIMARY KEY (seq), 
	CONSTRAINT fk_notice_seq FOREIGN KEY(seq) REFERENCES register (seq), 
	CONSTRAINT ck_notice_erase CHECK (erase IN (0, 1))
)
 STRICT
;
INSERT INTO "notice" VALUES(2,NULL,1795654670,'receipt');
INSERT INTO "notice" VALUES(3,1,NULL,NULL);
INSERT INTO "notice" VALUES(5,NULL,NULL,NULL);
INSERT INTO "notice" VALUES(10,NULL,NULL,NULL);
CREATE TABLE outbox (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	peer_id INTEGER NOT NULL, 
	permission_id TEXT NOT NULL, 
	granted TEXT DEFAULT 'granted' NOT NULL, 
	series_id INTEGER NOT NULL, 
	range_start INTEGER NOT NULL, 
	range_end INTEGER NOT NULL, 
	queued_at INTEGER NOT NULL, 
	stanza TEXT, 
	sent_at INTEGER, 
	CONSTRAINT fk_outbox_permission_id_peer_id_granted FOREIGN KEY(permission_id, peer_id, granted) REFERENCES permission (id, peer_id, state), 
	CONSTRAINT fk_outbox_permission_id_series_id FOREIGN KEY(permission_id, series_id) REFERENCES permission_series (permission_id, series_id), 
	CONSTRAINT ck_outbox_granted CHECK (granted = 'granted'), 
	CONSTRAINT ck_outbox_range CHECK (range_start < range_end)
)
 STRICT
;
INSERT INTO "outbox" VALUES(1,1,'cb727e5c-12b2-4124-90c0-17d8450cd83b','granted',1,1795647470,1795651070,1795654670,'stanza',1795654670);
INSERT INTO "outbox" VALUES(2,1,'cb727e5c-12b2-4124-90c0-17d8450cd83b','granted',1,1795647470,1795651070,1795654670,NULL,NULL);
CREATE TABLE own_need (
	need TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	offered_at INTEGER NOT NULL, 
	closed_at INTEGER, 
	CONSTRAINT pk_own_need PRIMARY KEY (need, version), 
	CONSTRAINT ck_own_need_version CHECK (version >= 1)
)
 STRICT
;
INSERT INTO "own_need" VALUES('sums',1,'<data-need/>',1795654670,NULL);
CREATE TABLE peer (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	jid TEXT NOT NULL, 
	name TEXT NOT NULL, 
	added_at INTEGER NOT NULL, 
	CONSTRAINT uq_peer_jid UNIQUE (jid)
)
 STRICT
;
INSERT INTO "peer" VALUES(1,'coop@example.org','Coop',1795654669);
INSERT INTO "peer" VALUES(2,'town@example.org','Town',1795654669);
CREATE TABLE permission (
	id TEXT NOT NULL, 
	peer_id INTEGER NOT NULL, 
	data_need_id INTEGER NOT NULL, 
	need TEXT NOT NULL, 
	state TEXT NOT NULL, 
	interval_minutes INTEGER, 
	identification TEXT, 
	records_from INTEGER, 
	valid_from INTEGER, 
	valid_until INTEGER, 
	CONSTRAINT pk_permission PRIMARY KEY (id), 
	CONSTRAINT fk_permission_data_need_id_peer_id_need FOREIGN KEY(data_need_id, peer_id, need) REFERENCES data_need (id, peer_id, need), 
	CONSTRAINT uq_permission_id_peer_id_state UNIQUE (id, peer_id, state), 
	CONSTRAINT ck_permission_state CHECK (state IN ('proposed', 'granted', 'refused', 'withdrawn', 'terminated', 'expired')), 
	CONSTRAINT ck_permission_interval CHECK (interval_minutes IN (5, 30, 60, 1440)), 
	CONSTRAINT ck_permission_identification CHECK (identification IN ('pseudonym', 'delivery-point'))
)
 STRICT
;
INSERT INTO "permission" VALUES('0e5f4af0-2c77-4550-860e-d29c769a2bad',1,1,'withdrawn','withdrawn',60,'pseudonym',1795049869,1795654669,1800838669);
INSERT INTO "permission" VALUES('3edc0cef-1f8e-4dde-90a0-56170d50d5fb',1,2,'terminated','terminated',60,'pseudonym',1795049869,1795654669,1800838669);
INSERT INTO "permission" VALUES('df4a0f33-78df-481b-9ad0-a19725104031',1,3,'refused','refused',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "permission" VALUES('cb727e5c-12b2-4124-90c0-17d8450cd83b',1,4,'sunny-roofs','granted',60,'pseudonym',1795049870,1795654670,1800838670);
INSERT INTO "permission" VALUES('6ed64ec5-4794-4cc9-bea6-358158dfc23b',1,5,'proposed','proposed',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE permission_series (
	permission_id TEXT NOT NULL, 
	series_id INTEGER NOT NULL, 
	CONSTRAINT pk_permission_series PRIMARY KEY (permission_id, series_id), 
	CONSTRAINT fk_permission_series_permission_id FOREIGN KEY(permission_id) REFERENCES permission (id), 
	CONSTRAINT fk_permission_series_series_id FOREIGN KEY(series_id) REFERENCES series (id)
)
 WITHOUT ROWID,
 STRICT
;
INSERT INTO "permission_series" VALUES('0e5f4af0-2c77-4550-860e-d29c769a2bad',1);
INSERT INTO "permission_series" VALUES('3edc0cef-1f8e-4dde-90a0-56170d50d5fb',1);
INSERT INTO "permission_series" VALUES('cb727e5c-12b2-4124-90c0-17d8450cd83b',1);
CREATE TABLE pulled_series (
	statistic TEXT NOT NULL, 
	jid TEXT NOT NULL, 
	identifier TEXT NOT NULL, 
	name TEXT NOT NULL, 
	added_at INTEGER NOT NULL, 
	until INTEGER, 
	problem TEXT, 
	CONSTRAINT pk_pulled_series PRIMARY KEY (statistic)
)
 STRICT
;
INSERT INTO "pulled_series" VALUES('consometers:grid','town@example.org','urn:dev:prm:30001610071843_consumption','The town hall',1795654670,1795651070,'It cannot be reached.');
CREATE TABLE read_log (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at INTEGER NOT NULL, 
	who TEXT NOT NULL, 
	what TEXT NOT NULL, 
	member_id INTEGER, 
	range_start INTEGER, 
	range_end INTEGER, 
	records INTEGER NOT NULL, 
	CONSTRAINT fk_read_log_member_id FOREIGN KEY(member_id) REFERENCES member (id)
)
 STRICT
;
INSERT INTO "read_log" VALUES(1,1795654670,'peer','export',1,NULL,NULL,24);
CREATE TABLE register (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	permission_id TEXT NOT NULL, 
	state TEXT NOT NULL, 
	at INTEGER NOT NULL, 
	actor TEXT NOT NULL, 
	who TEXT, 
	text_hash TEXT, 
	language TEXT, 
	CONSTRAINT fk_register_permission_id FOREIGN KEY(permission_id) REFERENCES permission (id), 
	CONSTRAINT fk_register_text_hash_language FOREIGN KEY(text_hash, language) REFERENCES shown_text (hash, language), 
	CONSTRAINT ck_register_state CHECK (state IN ('proposed', 'granted', 'refused', 'withdrawn', 'terminated', 'expired')), 
	CONSTRAINT ck_register_actor CHECK ((state = 'proposed' AND actor IN ('peer', 'household')) OR (state IN ('granted', 'refused', 'withdrawn') AND actor = 'household') OR (state = 'terminated' AND actor = 'peer') OR (state = 'expired' AND actor = 'clock')), 
	CONSTRAINT ck_register_who CHECK ((actor = 'clock') = (who IS NULL)), 
	CONSTRAINT ck_register_language CHECK ((text_hash IS NULL) = (language IS NULL)), 
	CONSTRAINT ck_register_text CHECK (text_hash IS NOT NULL OR state NOT IN ('granted', 'refused', 'withdrawn'))
)
 STRICT
;
INSERT INTO "register" VALUES(1,'0e5f4af0-2c77-4550-860e-d29c769a2bad','proposed',1795654669,'peer','coop@example.org',NULL,NULL);
INSERT INTO "register" VALUES(2,'0e5f4af0-2c77-4550-860e-d29c769a2bad','granted',1795654669,'household','user-1','e12d4b2e3168846b6da7ba147388293222d03aa61f38d546ca759e06ef5a1f70','en');
INSERT INTO "register" VALUES(3,'0e5f4af0-2c77-4550-860e-d29c769a2bad','withdrawn',1795654669,'household','user-2','4f8242018d0de7046b25963516008c7ff834bc16b6c548f44744637debfb0bee','fr');
INSERT INTO "register" VALUES(4,'3edc0cef-1f8e-4dde-90a0-56170d50d5fb','proposed',1795654669,'peer','coop@example.org',NULL,NULL);
INSERT INTO "register" VALUES(5,'3edc0cef-1f8e-4dde-90a0-56170d50d5fb','granted',1795654669,'household','user-1','e12d4b2e3168846b6da7ba147388293222d03aa61f38d546ca759e06ef5a1f70','en');
INSERT INTO "register" VALUES(6,'3edc0cef-1f8e-4dde-90a0-56170d50d5fb','terminated',1795654670,'peer','coop@example.org',NULL,NULL);
INSERT INTO "register" VALUES(7,'df4a0f33-78df-481b-9ad0-a19725104031','proposed',1795654670,'peer','coop@example.org',NULL,NULL);
INSERT INTO "register" VALUES(8,'df4a0f33-78df-481b-9ad0-a19725104031','refused',1795654670,'household','user-1','14d32557feeae05fb859a810551ed748a87bb4af5769ee399f3bec1a262a5985','fr');
INSERT INTO "register" VALUES(9,'cb727e5c-12b2-4124-90c0-17d8450cd83b','proposed',1795654670,'peer','coop@example.org',NULL,NULL);
INSERT INTO "register" VALUES(10,'cb727e5c-12b2-4124-90c0-17d8450cd83b','granted',1795654670,'household','user-1','e12d4b2e3168846b6da7ba147388293222d03aa61f38d546ca759e06ef5a1f70','en');
INSERT INTO "register" VALUES(11,'6ed64ec5-4794-4cc9-bea6-358158dfc23b','proposed',1795654670,'peer','coop@example.org',NULL,NULL);
CREATE TABLE released_block (
	group_id INTEGER NOT NULL, 
	direction TEXT NOT NULL, 
	interval_minutes INTEGER NOT NULL, 
	day TEXT NOT NULL, 
	sums BLOB NOT NULL, 
	counts BLOB NOT NULL, 
	reasons BLOB NOT NULL, 
	final INTEGER NOT NULL, 
	released_at INTEGER, 
	CONSTRAINT pk_released_block PRIMARY KEY (group_id, direction, interval_minutes, day), 
	CONSTRAINT fk_released_block_group_id FOREIGN KEY(group_id) REFERENCES member_group (id), 
	CONSTRAINT ck_released_block_direction CHECK (direction IN ('consumption', 'injection', 'production')), 
	CONSTRAINT ck_released_block_interval CHECK (interval_minutes IN (5, 30, 60, 1440)), 
	CONSTRAINT ck_released_block_final CHECK (final IN (0, 1))
)
 WITHOUT ROWID,
 STRICT
;
INSERT INTO "released_block" VALUES(1,'consumption',60,'2026-10-25',X'01',X'01',X'00',0,1795654670);
CREATE TABLE secret (
	name TEXT NOT NULL, 
	value BLOB NOT NULL, 
	CONSTRAINT pk_secret PRIMARY KEY (name)
)
 STRICT
;
INSERT INTO "secret" VALUES('household',X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F');
CREATE TABLE series (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	device TEXT NOT NULL, 
	direction TEXT NOT NULL, 
	quantity TEXT NOT NULL, 
	interval_minutes INTEGER NOT NULL, 
	time_zone TEXT NOT NULL, 
	CONSTRAINT uq_series_device_direction_quantity_interval_minutes_time_zone UNIQUE (device, direction, quantity, interval_minutes, time_zone), 
	CONSTRAINT ck_series_direction CHECK (direction IN ('consumption', 'injection', 'production')), 
	CONSTRAINT ck_series_quantity CHECK (quantity IN ('energy', 'power')), 
	CONSTRAINT ck_series_interval CHECK (interval_minutes IN (5, 30, 60, 1440))
)
 STRICT
;
INSERT INTO "series" VALUES(1,'urn:dev:prm:30001610071843','consumption','energy',60,'Europe/Paris');
INSERT INTO "series" VALUES(2,'urn:dev:prm:30001610071843','consumption','energy',5,'Europe/Paris');
INSERT INTO "series" VALUES(3,'urn:dev:prm:30001610071843','injection','energy',60,'Europe/Paris');
INSERT INTO "series" VALUES(4,'urn:dev:prm:30001610071843','production','energy',60,'Europe/Paris');
CREATE TABLE setting (
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_setting PRIMARY KEY ("key")
)
 STRICT
;
INSERT INTO "setting" VALUES('jid','home@example.org');
CREATE TABLE shown_text (
	hash TEXT NOT NULL, 
	language TEXT NOT NULL, 
	body TEXT NOT NULL, 
	CONSTRAINT pk_shown_text PRIMARY KEY (hash, language), 
	CONSTRAINT ck_shown_text_hash CHECK (length(hash) = 64)
)
 STRICT
;
INSERT INTO "shown_text" VALUES('e12d4b2e3168846b6da7ba147388293222d03aa61f38d546ca759e06ef5a1f70','en','I agree that my hourly consumption leaves.');
INSERT INTO "shown_text" VALUES('4f8242018d0de7046b25963516008c7ff834bc16b6c548f44744637debfb0bee','fr','J’arrête tout de suite.');
INSERT INTO "shown_text" VALUES('14d32557feeae05fb859a810551ed748a87bb4af5769ee399f3bec1a262a5985','fr','Je refuse.');
CREATE TABLE subscription (
	peer_id INTEGER NOT NULL, 
	series_id INTEGER NOT NULL, 
	since INTEGER NOT NULL, 
	cursor INTEGER, 
	CONSTRAINT pk_subscription PRIMARY KEY (peer_id, series_id), 
	CONSTRAINT fk_subscription_peer_id FOREIGN KEY(peer_id) REFERENCES peer (id), 
	CONSTRAINT fk_subscription_series_id FOREIGN KEY(series_id) REFERENCES series (id)
)
 WITHOUT ROWID,
 STRICT
;
INSERT INTO "subscription" VALUES(1,1,1795654670,NULL);
CREATE TABLE sum_block (
	group_id INTEGER NOT NULL, 
	direction TEXT NOT NULL, 
	interval_minutes INTEGER NOT NULL, 
	day TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	sums BLOB NOT NULL, 
	counts BLOB NOT NULL, 
	largest BLOB NOT NULL, 
	changed_at INTEGER NOT NULL, 
	CONSTRAINT pk_sum_block PRIMARY KEY (group_id, direction, interval_minutes, day, kind), 
	CONSTRAINT fk_sum_block_group_id FOREIGN KEY(group_id) REFERENCES member_group (id), 
	CONSTRAINT ck_sum_block_direction CHECK (direction IN ('consumption', 'injection', 'production')), 
	CONSTRAINT ck_sum_block_interval CHECK (interval_minutes IN (5, 30, 60, 1440)), 
	CONSTRAINT ck_sum_block_kind CHECK (kind IN ('home', 'site', 'collective'))
)
 WITHOUT ROWID,
 STRICT
;
INSERT INTO "sum_block" VALUES(1,'consumption',60,'2026-10-25','home',X'01',X'01',X'01',1795654670);
CREATE TABLE to_release (
	direction TEXT NOT NULL, 
	interval_minutes INTEGER NOT NULL, 
	day TEXT NOT NULL, 
	due_at INTEGER NOT NULL, 
	CONSTRAINT pk_to_release PRIMARY KEY (direction, interval_minutes, day)
)
 WITHOUT ROWID,
 STRICT
;
INSERT INTO "to_release" VALUES('consumption',60,'2026-10-25',1795654670);
CREATE TABLE unreleased (
	direction TEXT NOT NULL, 
	interval_minutes INTEGER NOT NULL, 
	day TEXT NOT NULL, 
	member_id INTEGER NOT NULL, 
	"before" BLOB NOT NULL, 
	now BLOB NOT NULL, 
	counted BLOB NOT NULL, 
	CONSTRAINT pk_unreleased PRIMARY KEY (direction, interval_minutes, day, member_id), 
	CONSTRAINT fk_unreleased_member_id FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID,
 STRICT
;
INSERT INTO "unreleased" VALUES('consumption',60,'2026-10-25',1,X'01',X'02',X'00');
CREATE TABLE wanted (
	data_need_id INTEGER NOT NULL, 
	direction TEXT NOT NULL, 
	quantity TEXT NOT NULL, 
	CONSTRAINT pk_wanted PRIMARY KEY (data_need_id, direction, quantity), 
	CONSTRAINT fk_wanted_data_need_id FOREIGN KEY(data_need_id) REFERENCES data_need (id), 
	CONSTRAINT ck_wanted_direction CHECK (direction IN ('consumption', 'injection', 'production')), 
	CONSTRAINT ck_wanted_quantity CHECK (quantity IN ('energy', 'power'))
)
 WITHOUT ROWID,
 STRICT
;
INSERT INTO "wanted" VALUES(1,'consumption','energy');
INSERT INTO "wanted" VALUES(1,'injection','energy');
INSERT INTO "wanted" VALUES(2,'consumption','energy');
INSERT INTO "wanted" VALUES(2,'injection','energy');
INSERT INTO "wanted" VALUES(3,'consumption','energy');
INSERT INTO "wanted" VALUES(3,'injection','energy');
INSERT INTO "wanted" VALUES(4,'consumption','energy');
INSERT INTO "wanted" VALUES(4,'injection','energy');
INSERT INTO "wanted" VALUES(5,'consumption','energy');
INSERT INTO "wanted" VALUES(5,'injection','energy');
CREATE UNIQUE INDEX uq_permission_proposed ON permission (data_need_id) WHERE state = 'proposed';
CREATE UNIQUE INDEX uq_permission_granted ON permission (peer_id, need) WHERE state = 'granted';
CREATE INDEX ix_register_permission_id_seq ON register (permission_id, seq);
CREATE INDEX ix_outbox_permission_id_series_id ON outbox (permission_id, series_id);
CREATE INDEX ix_outbox_peer_id_stanza ON outbox (peer_id, stanza);
CREATE INDEX ix_answer_peer_id_at ON answer (peer_id, at);
CREATE VIEW permitted AS
SELECT p.id AS permission_id, ps.series_id, p.peer_id, p.identification,
       p.records_from, p.valid_until
FROM permission p
JOIN data_need n ON n.id = p.data_need_id
JOIN permission_series ps ON ps.permission_id = p.id
JOIN series s ON s.id = ps.series_id
JOIN wanted w
  ON w.data_need_id = n.id AND w.direction = s.direction AND w.quantity = s.quantity
WHERE p.state = 'granted'
  AND n.reading = 'individual'
  AND s.interval_minutes >= p.interval_minutes
  AND p.interval_minutes >= n.interval_minutes
  AND unixepoch() < p.valid_until;
CREATE TRIGGER peer_stays BEFORE DELETE ON peer WHEN (NOT EXISTS (SELECT 1 FROM data_need WHERE peer_id = OLD.id)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'peer: this row is not to be removed'); END;
CREATE TRIGGER peer_is_not_replaced BEFORE INSERT ON peer WHEN (NOT EXISTS (SELECT 1 FROM peer WHERE id = NEW.id) AND NOT EXISTS (SELECT 1 FROM peer WHERE jid = NEW.jid)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'peer: a row is not replaced'); END;
CREATE TRIGGER peer_is_itself BEFORE UPDATE ON peer WHEN (NEW.id = OLD.id AND NEW.jid = OLD.jid) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'peer: another address is another peer'); END;
CREATE TRIGGER series_stands BEFORE UPDATE ON series WHEN (FALSE) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'series: a row is never altered'); END;
CREATE TRIGGER series_stays BEFORE DELETE ON series WHEN (NOT EXISTS (SELECT 1 FROM permission_series WHERE series_id = OLD.id)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'series: this row is not to be removed'); END;
CREATE TRIGGER series_is_not_replaced BEFORE INSERT ON series WHEN (NOT EXISTS (SELECT 1 FROM series WHERE id = NEW.id) AND NOT EXISTS (SELECT 1 FROM series WHERE device = NEW.device AND direction = NEW.direction AND quantity = NEW.quantity AND interval_minutes = NEW.interval_minutes AND time_zone = NEW.time_zone)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'series: a row is not replaced'); END;
CREATE TRIGGER data_need_stands BEFORE UPDATE ON data_need WHEN (FALSE) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'data_need: a row is never altered'); END;
CREATE TRIGGER data_need_stays BEFORE DELETE ON data_need WHEN (FALSE) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'data_need: this row is not to be removed'); END;
CREATE TRIGGER data_need_is_not_replaced BEFORE INSERT ON data_need WHEN (NOT EXISTS (SELECT 1 FROM data_need WHERE id = NEW.id) AND NOT EXISTS (SELECT 1 FROM data_need WHERE peer_id = NEW.peer_id AND need = NEW.need AND version = NEW.version)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'data_need: a row is not replaced'); END;
CREATE TRIGGER data_need_goes_on BEFORE INSERT ON data_need WHEN (NOT EXISTS (SELECT 1 FROM data_need WHERE peer_id = NEW.peer_id AND need = NEW.need AND version >= NEW.version)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'data_need: a version is newer than all before'); END;
CREATE TRIGGER wanted_stands BEFORE UPDATE ON wanted WHEN (FALSE) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'wanted: a row is never altered'); END;
CREATE TRIGGER wanted_stays BEFORE DELETE ON wanted WHEN (FALSE) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'wanted: this row is not to be removed'); END;
CREATE TRIGGER wanted_is_asked_at_once BEFORE INSERT ON wanted WHEN (NOT EXISTS (SELECT 1 FROM permission WHERE data_need_id = NEW.data_need_id)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'wanted: who wants more asks again, with a new version'); END;
CREATE TRIGGER shown_text_stands BEFORE UPDATE ON shown_text WHEN (FALSE) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'shown_text: a row is never altered'); END;
CREATE TRIGGER shown_text_stays BEFORE DELETE ON shown_text WHEN (FALSE) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'shown_text: this row is not to be removed'); END;
CREATE TRIGGER shown_text_is_not_replaced BEFORE INSERT ON shown_text WHEN (NOT EXISTS (SELECT 1 FROM shown_text WHERE hash = NEW.hash AND language = NEW.language)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'shown_text: a row is not replaced'); END;
CREATE TRIGGER permission_stays BEFORE DELETE ON permission WHEN (FALSE) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'permission: this row is not to be removed'); END;
CREATE TRIGGER permission_is_not_replaced BEFORE INSERT ON permission WHEN (NOT EXISTS (SELECT 1 FROM permission WHERE id = NEW.id)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'permission: a row is not replaced'); END;
CREATE TRIGGER permission_starts_as_a_proposal BEFORE INSERT ON permission WHEN (NEW.state = 'proposed' AND NEW.interval_minutes IS NULL AND NEW.identification IS NULL AND NEW.records_from IS NULL AND NEW.valid_from IS NULL AND NEW.valid_until IS NULL AND NOT EXISTS (SELECT 1 FROM permission WHERE data_need_id = NEW.data_need_id AND state = 'proposed')) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'permission: it starts as a proposal, one at a time'); END;
CREATE TRIGGER permission_is_itself BEFORE UPDATE ON permission WHEN (NEW.id = OLD.id AND NEW.peer_id = OLD.peer_id AND NEW.data_need_id = OLD.data_need_id AND NEW.need = OLD.need) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'permission: it stays the answer to what was asked'); END;
CREATE TRIGGER permission_terms_stand BEFORE UPDATE ON permission WHEN ((OLD.state = 'proposed' AND NEW.state = 'proposed') OR (NEW.interval_minutes IS NOT DISTINCT FROM OLD.interval_minutes AND NEW.identification IS NOT DISTINCT FROM OLD.identification AND NEW.records_from IS NOT DISTINCT FROM OLD.records_from AND NEW.valid_from IS NOT DISTINCT FROM OLD.valid_from AND NEW.valid_until IS NOT DISTINCT FROM OLD.valid_until)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'permission: what was answered is not altered'); END;
CREATE TRIGGER permission_follows_the_register BEFORE UPDATE ON permission WHEN (NEW.state = OLD.state OR NEW.state = (SELECT state FROM register WHERE permission_id = NEW.id ORDER BY seq DESC LIMIT 1)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'permission: its state is what the register says'); END;
CREATE TRIGGER permission_replaces_no_other BEFORE UPDATE ON permission WHEN (NEW.state <> 'granted' OR NOT EXISTS (SELECT 1 FROM permission WHERE peer_id = NEW.peer_id AND need = NEW.need AND state = 'granted' AND id <> NEW.id)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'permission: another version of this need is granted'); END;
CREATE TRIGGER permission_series_stands BEFORE UPDATE ON permission_series WHEN (FALSE) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'permission_series: a row is never altered'); END;
CREATE TRIGGER permission_series_stays BEFORE DELETE ON permission_series WHEN ((SELECT state FROM permission WHERE id = OLD.permission_id) = 'proposed') IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'permission_series: this row is not to be removed'); END;
CREATE TRIGGER permission_series_is_chosen_before BEFORE INSERT ON permission_series WHEN ((SELECT state FROM permission WHERE id = NEW.permission_id) = 'proposed') IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'permission_series: no series is added to an answer'); END;
CREATE TRIGGER register_stands BEFORE UPDATE ON register WHEN (FALSE) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'register: a row is never altered'); END;
CREATE TRIGGER register_stays BEFORE DELETE ON register WHEN (FALSE) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'register: this row is not to be removed'); END;
CREATE TRIGGER register_is_not_replaced BEFORE INSERT ON register WHEN (NOT EXISTS (SELECT 1 FROM register WHERE seq = NEW.seq)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'register: a row is not replaced'); END;
CREATE TRIGGER register_follows_the_states BEFORE INSERT ON register WHEN (CASE WHEN EXISTS (SELECT 1 FROM register WHERE permission_id = NEW.permission_id) THEN (SELECT state FROM permission WHERE id = NEW.permission_id) || '>' || NEW.state IN ('proposed>granted', 'proposed>refused', 'granted>withdrawn', 'granted>terminated', 'granted>expired') ELSE NEW.state = 'proposed' END) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'register: this does not follow from the state that the permission is in'); END;
CREATE TRIGGER register_is_of_now BEFORE INSERT ON register WHEN (abs(NEW.at - unixepoch()) <= 300) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'register: what is written happens now'); END;
CREATE TRIGGER register_grants_no_more_than_asked BEFORE INSERT ON register WHEN (NEW.state <> 'granted' OR (
    EXISTS (
        SELECT 1 FROM permission p
        JOIN data_need n ON n.id = p.data_need_id
        WHERE p.id = NEW.permission_id
          AND p.interval_minutes >= n.interval_minutes
          AND (p.identification = n.identification OR p.identification = 'pseudonym')
          AND abs(p.valid_from - unixepoch()) <= 300
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
)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'register: a grant only narrows what the newest version asks for'); END;
CREATE TRIGGER register_says_actor BEFORE INSERT ON register WHEN ((NEW.state = 'proposed' AND NEW.actor IN ('peer', 'household')) OR (NEW.state IN ('granted', 'refused', 'withdrawn') AND NEW.actor = 'household') OR (NEW.state = 'terminated' AND NEW.actor = 'peer') OR (NEW.state = 'expired' AND NEW.actor = 'clock')) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'register: an entry does not say what it must: actor'); END;
CREATE TRIGGER register_says_who BEFORE INSERT ON register WHEN ((NEW.actor = 'clock') = (NEW.who IS NULL)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'register: an entry does not say what it must: who'); END;
CREATE TRIGGER register_says_language BEFORE INSERT ON register WHEN ((NEW.text_hash IS NULL) = (NEW.language IS NULL)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'register: an entry does not say what it must: language'); END;
CREATE TRIGGER register_says_text BEFORE INSERT ON register WHEN (NEW.text_hash IS NOT NULL OR NEW.state NOT IN ('granted', 'refused', 'withdrawn')) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'register: an entry does not say what it must: text'); END;
CREATE TRIGGER register_keeps_what_was_shown BEFORE INSERT ON register WHEN (NEW.text_hash IS NULL OR EXISTS (SELECT 1 FROM shown_text WHERE hash = NEW.text_hash AND language = NEW.language)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'register: the text that was shown is not kept'); END;
CREATE TRIGGER register_expires_in_time BEFORE INSERT ON register WHEN (NEW.state <> 'expired' OR (SELECT valid_until FROM permission WHERE id = NEW.permission_id) <= unixepoch()) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'register: the permission has not run out yet'); END;
CREATE TRIGGER register_sets_the_state AFTER INSERT ON register WHEN NEW.state <> 'proposed' BEGIN UPDATE permission SET state = NEW.state WHERE id = NEW.permission_id; END;
CREATE TRIGGER permission_takes_what_is_queued BEFORE UPDATE ON permission WHEN OLD.state = 'granted' AND NEW.state <> 'granted' BEGIN DELETE FROM outbox WHERE permission_id = OLD.id; DELETE FROM subscription
WHERE peer_id = OLD.peer_id
  AND series_id IN (SELECT series_id FROM permission_series WHERE permission_id = OLD.id)
  AND series_id NOT IN (
      SELECT series_id FROM permitted WHERE peer_id = OLD.peer_id AND permission_id <> OLD.id
  ); END;
CREATE TRIGGER outbox_is_permitted BEFORE INSERT ON outbox WHEN (EXISTS (
    SELECT 1 FROM permitted p
    WHERE p.permission_id = NEW.permission_id
      AND p.peer_id = NEW.peer_id
      AND p.series_id = NEW.series_id
      AND NEW.range_start < NEW.range_end
      AND NEW.range_start >= p.records_from
      AND NEW.range_end <= p.valid_until
)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'outbox: no permission is valid now for this peer, series, interval and range'); END;
CREATE TRIGGER outbox_knows_no_state_but_granted BEFORE INSERT ON outbox WHEN (NEW.granted = 'granted') IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'outbox: a row is queued as long as its permission is granted'); END;
CREATE TRIGGER outbox_is_sent_with_permission BEFORE UPDATE ON outbox WHEN (NEW.stanza IS NULL OR EXISTS (
    SELECT 1 FROM permitted p
    WHERE p.permission_id = NEW.permission_id
      AND p.peer_id = NEW.peer_id
      AND p.series_id = NEW.series_id
      AND NEW.range_start < NEW.range_end
      AND NEW.range_start >= p.records_from
      AND NEW.range_end <= p.valid_until
)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'outbox: no permission is valid now for this peer, series, interval and range'); END;
CREATE TRIGGER outbox_is_itself BEFORE UPDATE ON outbox WHEN (NEW.id = OLD.id AND NEW.peer_id = OLD.peer_id AND NEW.permission_id = OLD.permission_id AND NEW.granted = OLD.granted AND NEW.series_id = OLD.series_id AND NEW.range_start = OLD.range_start AND NEW.range_end = OLD.range_end) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'outbox: other records are another row'); END;
CREATE TRIGGER answer_is_permitted BEFORE INSERT ON answer WHEN (EXISTS (
    SELECT 1 FROM permitted p
    WHERE p.permission_id = NEW.permission_id
      AND p.peer_id = NEW.peer_id
      AND p.series_id = NEW.series_id
      AND NEW.range_start < NEW.range_end
      AND NEW.range_start >= p.records_from
      AND NEW.range_end <= p.valid_until
)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'answer: no permission is valid now for this peer, series, interval and range'); END;
CREATE TRIGGER answer_is_of_now BEFORE INSERT ON answer WHEN (abs(NEW.at - unixepoch()) <= 300) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'answer: what is written happens now'); END;
CREATE TRIGGER answer_stands BEFORE UPDATE ON answer WHEN (FALSE) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'answer: a row is never altered'); END;
CREATE TRIGGER answer_stays BEFORE DELETE ON answer WHEN (OLD.at < unixepoch() - 366 * 86400) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'answer: this row is not to be removed'); END;
CREATE TRIGGER answer_is_not_replaced BEFORE INSERT ON answer WHEN (NOT EXISTS (SELECT 1 FROM answer WHERE id = NEW.id)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'answer: a row is not replaced'); END;
CREATE TRIGGER subscription_is_permitted BEFORE INSERT ON subscription WHEN (EXISTS (SELECT 1 FROM permitted p WHERE p.peer_id = NEW.peer_id AND p.series_id = NEW.series_id)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'subscription: no permission is valid now for this peer and series'); END;
CREATE TRIGGER subscription_is_itself BEFORE UPDATE ON subscription WHEN (NEW.peer_id = OLD.peer_id AND NEW.series_id = OLD.series_id) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'subscription: another peer or series is another subscription'); END;
CREATE INDEX ix_in_group_group_id_from_month ON in_group (group_id, from_month);
CREATE INDEX ix_given_member_id ON given (member_id);
CREATE INDEX ix_given_series_identifier ON given_series (identifier);
CREATE INDEX ix_given_register_given_id_seq ON given_register (given_id, seq);
CREATE INDEX ix_read_log_member_id_at ON read_log (member_id, at);
CREATE INDEX ix_member_day_direction_day ON member_day (direction, day);
CREATE INDEX ix_unreleased_member_id ON unreleased (member_id);
CREATE INDEX ix_to_release_due_at ON to_release (due_at);
CREATE TRIGGER own_need_stands BEFORE UPDATE ON own_need WHEN (NEW.need = OLD.need AND NEW.version = OLD.version AND NEW.body = OLD.body AND NEW.offered_at = OLD.offered_at) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'own_need: what was asked is not altered: ask again, with a new version'); END;
CREATE TRIGGER own_need_stays BEFORE DELETE ON own_need WHEN (FALSE) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'own_need: this row is not to be removed'); END;
CREATE TRIGGER own_need_is_not_replaced BEFORE INSERT ON own_need WHEN (NOT EXISTS (SELECT 1 FROM own_need WHERE need = NEW.need AND version = NEW.version)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'own_need: a row is not replaced'); END;
CREATE TRIGGER given_register_stands BEFORE UPDATE ON given_register WHEN (FALSE) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'given_register: a row is never altered'); END;
CREATE TRIGGER given_register_stays BEFORE DELETE ON given_register WHEN (FALSE) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'given_register: this row is not to be removed'); END;
CREATE TRIGGER given_register_is_not_replaced BEFORE INSERT ON given_register WHEN (NOT EXISTS (SELECT 1 FROM given_register WHERE seq = NEW.seq)) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'given_register: a row is not replaced'); END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('peer',2);
INSERT INTO "sqlite_sequence" VALUES('data_need',5);
INSERT INTO "sqlite_sequence" VALUES('register',11);
INSERT INTO "sqlite_sequence" VALUES('series',4);
INSERT INTO "sqlite_sequence" VALUES('outbox',2);
INSERT INTO "sqlite_sequence" VALUES('answer',1);
INSERT INTO "sqlite_sequence" VALUES('member',1);
INSERT INTO "sqlite_sequence" VALUES('member_group',1);
INSERT INTO "sqlite_sequence" VALUES('given_register',1);
INSERT INTO "sqlite_sequence" VALUES('read_log',1);
COMMIT;
