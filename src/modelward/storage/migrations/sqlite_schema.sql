-- Written by `make schema` from the migrations; never edited by hand.
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE event (
	sequence BIGINT NOT NULL, 
	id TEXT NOT NULL, 
	at TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	name TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	previous TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	PRIMARY KEY (sequence), 
	UNIQUE (id)
);
CREATE INDEX event_by_subject ON event (subject, sequence);
CREATE INDEX event_by_name ON event (name, sequence);
CREATE TRIGGER event_is_never_updated BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'The event log is append-only.'); END;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'The event log is append-only.'); END;
CREATE TABLE job (
	id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	state TEXT NOT NULL, 
	run_at TEXT NOT NULL, 
	attempt INTEGER NOT NULL, 
	attempts_max INTEGER NOT NULL, 
	owner TEXT, 
	lease_until TEXT, 
	error TEXT, 
	created_at TEXT NOT NULL, 
	finished_at TEXT, 
	PRIMARY KEY (id)
);
CREATE INDEX job_due ON job (state, run_at);
CREATE TABLE schedule (
	id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	cron TEXT NOT NULL, 
	zone TEXT NOT NULL, 
	catch_up TEXT NOT NULL, 
	next_at TEXT, 
	PRIMARY KEY (id)
);
CREATE INDEX schedule_due ON schedule (next_at);
CREATE TABLE answer (
	actor TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	request TEXT NOT NULL, 
	status INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	at TEXT NOT NULL, 
	PRIMARY KEY (actor, "key")
);
CREATE INDEX answer_by_age ON answer (at);
CREATE TABLE person (
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	persona TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	disabled_at TEXT, 
	PRIMARY KEY (id)
);
CREATE TABLE token (
	id TEXT NOT NULL, 
	person TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	label TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	expires_at TEXT, 
	revoked_at TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(person) REFERENCES person (id), 
	UNIQUE (hash)
);
CREATE TABLE session (
	hash TEXT NOT NULL, 
	person TEXT NOT NULL, 
	token TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	expires_at TEXT NOT NULL, 
	ended_at TEXT, 
	PRIMARY KEY (hash), 
	FOREIGN KEY(person) REFERENCES person (id), 
	FOREIGN KEY(token) REFERENCES token (id)
);
CREATE TABLE model (
	name TEXT NOT NULL, 
	description TEXT NOT NULL, 
	owner TEXT NOT NULL, 
	tags TEXT NOT NULL, 
	words TEXT NOT NULL, 
	versions INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	created_by TEXT NOT NULL, particulars TEXT, policy TEXT, withdrawn_at TEXT, single BOOLEAN, 
	PRIMARY KEY (name)
);
CREATE TABLE version (
	ref TEXT NOT NULL, 
	model TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	description TEXT NOT NULL, 
	facts TEXT NOT NULL, 
	artifact TEXT, 
	status TEXT NOT NULL, 
	status_reason TEXT NOT NULL, 
	tags TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	created_by TEXT NOT NULL, stage TEXT, metadata TEXT, particulars TEXT, modified_at TEXT, modified_by TEXT, withdrawn_at TEXT, approved_until TEXT, 
	PRIMARY KEY (ref), 
	CONSTRAINT version_number UNIQUE (model, number), 
	FOREIGN KEY(model) REFERENCES model (name)
);
CREATE TABLE artifact (
	digest TEXT NOT NULL, 
	bytes BIGINT NOT NULL, 
	name TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	created_by TEXT NOT NULL, 
	PRIMARY KEY (digest)
);
CREATE VIRTUAL TABLE model_search USING fts5(name UNINDEXED, words, tokenize = 'trigram');
CREATE TRIGGER model_search_add AFTER INSERT ON model
    BEGIN INSERT INTO model_search (name, words) VALUES (new.name, new.words); END;
CREATE TABLE card (
	name TEXT NOT NULL, 
	model TEXT, 
	version TEXT, 
	version_number INTEGER, 
	status TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	risk_rating TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	created_by TEXT NOT NULL, 
	modified_at TEXT NOT NULL, 
	modified_by TEXT NOT NULL, subject TEXT, missing INTEGER DEFAULT '0' NOT NULL, stale INTEGER DEFAULT '0' NOT NULL, debt INTEGER DEFAULT '0' NOT NULL, owner TEXT, of_model TEXT, 
	PRIMARY KEY (name), 
	FOREIGN KEY(model) REFERENCES model (name), 
	FOREIGN KEY(version) REFERENCES version (ref)
);
CREATE INDEX card_by_version ON card (version);
CREATE INDEX card_by_model ON card (model, version_number);
CREATE TABLE card_version (
	card TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	content TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	origins TEXT NOT NULL, 
	at TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	note TEXT NOT NULL, bindings TEXT DEFAULT '{}' NOT NULL, 
	PRIMARY KEY (card, number), 
	FOREIGN KEY(card) REFERENCES card (name)
);
CREATE TRIGGER card_version_is_never_updated BEFORE UPDATE ON card_version
BEGIN SELECT RAISE(ABORT, 'A version of a card is never changed.'); END;
CREATE TABLE evaluation (
	id TEXT NOT NULL, 
	version TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	dataset TEXT NOT NULL, 
	settings TEXT NOT NULL, 
	state TEXT NOT NULL, 
	outcome TEXT, 
	reason TEXT NOT NULL, 
	report TEXT, 
	summary TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	created_by TEXT NOT NULL, 
	finished_at TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(version) REFERENCES version (ref), 
	FOREIGN KEY(dataset) REFERENCES artifact (digest)
);
CREATE INDEX evaluation_by_version ON evaluation (version, id);
CREATE TABLE policy (
	sequence INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	source TEXT NOT NULL, 
	text TEXT NOT NULL, 
	at TEXT NOT NULL, 
	PRIMARY KEY (sequence)
);
CREATE TABLE review (
	id TEXT NOT NULL, 
	version TEXT NOT NULL, 
	state TEXT NOT NULL, 
	because TEXT NOT NULL, 
	checks TEXT NOT NULL, 
	dossier TEXT NOT NULL, 
	opened_at TEXT NOT NULL, 
	checked_at TEXT NOT NULL, 
	decided_at TEXT, 
	decided_by TEXT, 
	note TEXT NOT NULL, 
	bound TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(version) REFERENCES version (ref)
);
CREATE INDEX review_by_version ON review (version, id);
CREATE INDEX review_by_state ON review (state, id);
CREATE UNIQUE INDEX review_open_once ON review (version) WHERE state = 'open';
CREATE TABLE endpoint (
	name TEXT NOT NULL, 
	version TEXT NOT NULL, 
	version_status TEXT NOT NULL, 
	unapproved BOOLEAN NOT NULL, 
	url TEXT NOT NULL, 
	capture_share DOUBLE NOT NULL, 
	capture_required BOOLEAN NOT NULL, 
	created_at TEXT NOT NULL, 
	created_by TEXT NOT NULL, 
	removed_at TEXT, approved_until TEXT, 
	PRIMARY KEY (name), 
	FOREIGN KEY(version) REFERENCES version (ref)
);
CREATE INDEX endpoint_by_version ON endpoint (version);
CREATE TABLE capture (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	endpoint TEXT NOT NULL, 
	inference_id TEXT NOT NULL, 
	at TEXT NOT NULL, 
	received_at TEXT NOT NULL, 
	body TEXT NOT NULL, 
	file TEXT, 
	CONSTRAINT capture_once UNIQUE (endpoint, inference_id)
);
CREATE INDEX capture_hot ON capture (endpoint, at) WHERE file IS NULL;
CREATE INDEX capture_filed ON capture (received_at) WHERE file IS NOT NULL;
CREATE TABLE capture_file (
	id TEXT NOT NULL, 
	endpoint TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	bytes BIGINT NOT NULL, 
	rows BIGINT NOT NULL, 
	first_at TEXT NOT NULL, 
	last_at TEXT NOT NULL, 
	time_column TEXT NOT NULL, 
	id_column TEXT NOT NULL, 
	at TEXT, 
	columns TEXT NOT NULL, 
	notes TEXT NOT NULL, 
	stored_at TEXT NOT NULL, 
	stored_by TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX capture_file_by_time ON capture_file (endpoint, last_at);
CREATE TABLE capture_hour (
	file TEXT NOT NULL, 
	hour TEXT NOT NULL, 
	endpoint TEXT NOT NULL, 
	rows BIGINT NOT NULL, 
	PRIMARY KEY (file, hour), 
	FOREIGN KEY(file) REFERENCES capture_file (id)
);
CREATE INDEX capture_hour_by_time ON capture_hour (endpoint, hour);
CREATE TABLE baseline (
	name TEXT NOT NULL, 
	version TEXT, 
	dataset TEXT NOT NULL, 
	columns TEXT, 
	state TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	rows BIGINT, 
	profile TEXT, 
	constraints TEXT, 
	created_at TEXT NOT NULL, 
	created_by TEXT NOT NULL, 
	ready_at TEXT, constraints_version INTEGER DEFAULT '1' NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE monitor (
	name TEXT NOT NULL, 
	endpoint TEXT NOT NULL, 
	baseline TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	cron TEXT NOT NULL, 
	zone TEXT NOT NULL, 
	window_hours INTEGER, 
	lag_minutes INTEGER NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	created_at TEXT NOT NULL, 
	created_by TEXT NOT NULL, 
	removed_at TEXT, false_alarms_a_month DOUBLE, segments TEXT DEFAULT '[]' NOT NULL, 
	PRIMARY KEY (name), 
	FOREIGN KEY(endpoint) REFERENCES endpoint (name), 
	FOREIGN KEY(baseline) REFERENCES baseline (name)
);
CREATE INDEX monitor_by_endpoint ON monitor (endpoint);
CREATE TABLE run (
	id TEXT NOT NULL, 
	monitor TEXT NOT NULL, 
	endpoint TEXT NOT NULL, 
	baseline TEXT NOT NULL, 
	window_start TEXT NOT NULL, 
	window_end TEXT NOT NULL, 
	attempt INTEGER NOT NULL, 
	scheduled BOOLEAN NOT NULL, 
	state TEXT NOT NULL, 
	outcome TEXT, 
	reason TEXT NOT NULL, 
	rows BIGINT, 
	violations INTEGER NOT NULL, 
	drifted TEXT NOT NULL, 
	findings TEXT NOT NULL, 
	notes TEXT NOT NULL, 
	failure TEXT, 
	report TEXT, 
	profile TEXT, 
	requested_at TEXT NOT NULL, 
	requested_by TEXT NOT NULL, 
	started_at TEXT, 
	finished_at TEXT, 
	PRIMARY KEY (id), 
	CONSTRAINT run_of_window UNIQUE (monitor, window_start, window_end, attempt), 
	FOREIGN KEY(monitor) REFERENCES monitor (name)
);
CREATE INDEX run_by_window ON run (monitor, window_end, attempt);
CREATE TABLE run_point (
	run TEXT NOT NULL, 
	"column" TEXT NOT NULL, 
	measure TEXT NOT NULL, 
	monitor TEXT NOT NULL, 
	at TEXT NOT NULL, 
	value DOUBLE NOT NULL, 
	threshold DOUBLE, 
	PRIMARY KEY (run, "column", measure), 
	FOREIGN KEY(run) REFERENCES run (id)
);
CREATE INDEX run_point_series ON run_point (monitor, "column", measure, at);
CREATE TABLE alert (
	id TEXT NOT NULL, 
	monitor TEXT NOT NULL, 
	endpoint TEXT NOT NULL, 
	version TEXT, 
	severity TEXT NOT NULL, 
	state TEXT NOT NULL, 
	cause TEXT NOT NULL, 
	runs TEXT NOT NULL, 
	runs_count INTEGER NOT NULL, 
	opened_at TEXT NOT NULL, 
	last_failed_at TEXT NOT NULL, 
	recovered_at TEXT, 
	acknowledged_by TEXT NOT NULL, 
	acknowledged_at TEXT, 
	note TEXT NOT NULL, 
	closed_by TEXT NOT NULL, 
	closed_at TEXT, 
	reason TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX alert_by_opening ON alert (opened_at, id);
CREATE INDEX alert_by_state ON alert (state, opened_at);
CREATE UNIQUE INDEX alert_one_unclosed ON alert (monitor) WHERE state != 'closed';
CREATE TABLE alert_rule (
	monitor TEXT NOT NULL, 
	runs_failed INTEGER NOT NULL, 
	runs_judged INTEGER NOT NULL, 
	severity TEXT NOT NULL, 
	PRIMARY KEY (monitor)
);
CREATE TABLE edge (
	source TEXT NOT NULL, 
	relation TEXT NOT NULL, 
	target TEXT NOT NULL, 
	event TEXT NOT NULL, 
	at TEXT NOT NULL, 
	PRIMARY KEY (source, relation, target)
);
CREATE INDEX edge_by_target ON edge (target);
CREATE INDEX card_by_subject ON card (subject);
CREATE INDEX card_by_debt ON card (debt, name);
CREATE INDEX card_by_time ON card (modified_at, name);
CREATE INDEX card_by_status ON card (status, name);
CREATE INDEX card_by_risk ON card (risk_rating, name);
CREATE TABLE card_status (
	card TEXT NOT NULL, 
	place INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	status TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	at TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	PRIMARY KEY (card, place), 
	FOREIGN KEY(card) REFERENCES card (name)
);
CREATE TABLE card_control (
	card TEXT NOT NULL, 
	pack TEXT NOT NULL, 
	control TEXT NOT NULL, 
	place INTEGER NOT NULL, 
	applies BOOLEAN NOT NULL, 
	reason TEXT NOT NULL, 
	at TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	PRIMARY KEY (card, pack, control, place), 
	FOREIGN KEY(card) REFERENCES card (name)
);
CREATE TABLE card_template (
	sequence INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	source TEXT NOT NULL, 
	text TEXT NOT NULL, 
	at TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	PRIMARY KEY (sequence)
);
CREATE TABLE card_words (
	id INTEGER NOT NULL, 
	card TEXT NOT NULL, 
	words TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (card), 
	FOREIGN KEY(card) REFERENCES card (name)
);
CREATE TRIGGER model_search_change AFTER UPDATE OF words ON model WHEN old.words <> new.words
    BEGIN UPDATE model_search SET words = new.words WHERE name = new.name; END;
CREATE VIRTUAL TABLE card_search USING fts5(words, content = 'card_words', content_rowid = 'id',
    tokenize = 'trigram');
CREATE TRIGGER card_search_add AFTER INSERT ON card_words
    BEGIN INSERT INTO card_search (rowid, words) VALUES (new.id, new.words); END;
CREATE TRIGGER card_search_change AFTER UPDATE OF words ON card_words WHEN old.words <> new.words
    BEGIN
        INSERT INTO card_search (card_search, rowid, words) VALUES ('delete', old.id, old.words);
        INSERT INTO card_search (rowid, words) VALUES (new.id, new.words);
    END;
CREATE TRIGGER card_search_drop AFTER DELETE ON card_words
    BEGIN INSERT INTO card_search (card_search, rowid, words) VALUES ('delete', old.id, old.words); END;
CREATE TABLE evidence (
	id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	series TEXT NOT NULL, 
	source TEXT NOT NULL, 
	model TEXT, 
	version TEXT, 
	digest TEXT NOT NULL, 
	dataset TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	at TEXT NOT NULL, 
	known_at TEXT NOT NULL, 
	measures TEXT NOT NULL, 
	groups TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX evidence_by_version ON evidence (version, at);
CREATE INDEX evidence_by_model ON evidence (model, at);
CREATE INDEX evidence_by_series ON evidence (series, at);
CREATE TABLE card_binding (
	card TEXT NOT NULL, 
	path TEXT NOT NULL, 
	evidence TEXT NOT NULL, 
	series TEXT NOT NULL, 
	expires_at TEXT, 
	stale TEXT NOT NULL, 
	PRIMARY KEY (card, path), 
	FOREIGN KEY(card) REFERENCES card (name), 
	FOREIGN KEY(evidence) REFERENCES evidence (id)
);
CREATE INDEX card_binding_by_series ON card_binding (series);
CREATE INDEX card_binding_by_time ON card_binding (expires_at);
CREATE INDEX card_by_owner ON card (owner, name);
CREATE TABLE card_deletion (
	card TEXT NOT NULL, 
	PRIMARY KEY (card)
);
CREATE TRIGGER card_version_is_never_deleted BEFORE DELETE ON card_version
WHEN NOT EXISTS (SELECT 1 FROM card_deletion WHERE card = OLD.card)
BEGIN SELECT RAISE(ABORT, 'A version of a card is never changed.'); END;
CREATE TABLE card_comment (
	id TEXT NOT NULL, 
	card TEXT NOT NULL, 
	path TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	thread TEXT NOT NULL, 
	at TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	resolved_at TEXT, 
	resolved_by TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(card) REFERENCES card (name), 
	FOREIGN KEY(thread) REFERENCES card_comment (id)
);
CREATE INDEX card_comment_by_thread ON card_comment (card, thread, id);
CREATE TABLE card_comment_text (
	comment TEXT NOT NULL, 
	edition INTEGER NOT NULL, 
	text TEXT NOT NULL, 
	mentions TEXT NOT NULL, 
	at TEXT NOT NULL, 
	PRIMARY KEY (comment, edition), 
	FOREIGN KEY(comment) REFERENCES card_comment (id)
);
CREATE TABLE card_review_request (
	id TEXT NOT NULL, 
	card TEXT NOT NULL, 
	path TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	reviewer TEXT NOT NULL, 
	asked_by TEXT NOT NULL, 
	asked_at TEXT NOT NULL, 
	note TEXT NOT NULL, 
	state TEXT NOT NULL, 
	answer TEXT NOT NULL, 
	answered_at TEXT, 
	answered_number INTEGER, 
	PRIMARY KEY (id), 
	FOREIGN KEY(card) REFERENCES card (name)
);
CREATE INDEX card_review_request_by_card ON card_review_request (card, id);
CREATE INDEX card_review_request_by_reviewer ON card_review_request (reviewer, state, id);
CREATE TABLE card_notice (
	id TEXT NOT NULL, 
	person TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	card TEXT NOT NULL, 
	path TEXT NOT NULL, 
	about TEXT NOT NULL, 
	text TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	at TEXT NOT NULL, 
	read_at TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(card) REFERENCES card (name)
);
CREATE INDEX card_notice_by_person ON card_notice (person, id);
CREATE INDEX card_notice_by_card ON card_notice (card);
CREATE TABLE card_attachment (
	id TEXT NOT NULL, 
	card TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	bytes BIGINT NOT NULL, 
	media_type TEXT NOT NULL, 
	at TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	removed_at TEXT, 
	removed_by TEXT, 
	removed_number INTEGER, 
	reason TEXT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(card) REFERENCES card (name)
);
CREATE INDEX card_attachment_by_card ON card_attachment (card, id);
CREATE TABLE webhook (
	name TEXT NOT NULL, 
	url TEXT NOT NULL, 
	events TEXT NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	disabled_reason TEXT NOT NULL, 
	failures INTEGER NOT NULL, 
	paused_until TEXT, 
	created_at TEXT NOT NULL, 
	created_by TEXT NOT NULL, 
	removed_at TEXT, 
	PRIMARY KEY (name)
);
CREATE TABLE webhook_secret (
	webhook TEXT NOT NULL, 
	generation INTEGER NOT NULL, 
	secret TEXT NOT NULL, 
	until TEXT, 
	PRIMARY KEY (webhook, generation), 
	FOREIGN KEY(webhook) REFERENCES webhook (name)
);
CREATE TABLE webhook_delivery (
	id TEXT NOT NULL, 
	webhook TEXT NOT NULL, 
	event TEXT NOT NULL, 
	event_name TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	state TEXT NOT NULL, 
	attempts INTEGER NOT NULL, 
	rounds INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	last_at TEXT, 
	last_status INTEGER, 
	last_answer TEXT NOT NULL, 
	last_error TEXT NOT NULL, 
	finished_at TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(webhook) REFERENCES webhook (name)
);
CREATE INDEX webhook_delivery_by_webhook ON webhook_delivery (webhook, created_at, id);
CREATE TABLE card_export (
	id TEXT NOT NULL, 
	card TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	format TEXT NOT NULL, 
	name TEXT NOT NULL, 
	pack TEXT NOT NULL, 
	state TEXT NOT NULL, 
	progress FLOAT NOT NULL, 
	reason TEXT NOT NULL, 
	document TEXT, 
	size BIGINT NOT NULL, 
	file_name TEXT NOT NULL, 
	media_type TEXT NOT NULL, 
	dropped TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	created_by TEXT NOT NULL, 
	finished_at TEXT, 
	PRIMARY KEY (id)
);
CREATE UNIQUE INDEX card_export_by_name ON card_export (card, name);
CREATE INDEX card_export_by_card ON card_export (card, id);
CREATE INDEX model_by_age ON model (created_at, name);
CREATE INDEX version_by_age ON version (created_at, ref);
CREATE TABLE tag (
	thing TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (thing, "key")
);
CREATE TABLE deployable (
	name TEXT NOT NULL, 
	containers TEXT NOT NULL, 
	particulars TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	created_by TEXT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE INDEX deployable_by_age ON deployable (created_at, name);
CREATE TABLE training_run (
	name TEXT NOT NULL, 
	state TEXT NOT NULL, 
	artifact_uri TEXT NOT NULL, 
	facts TEXT NOT NULL, 
	particulars TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	created_by TEXT NOT NULL, 
	modified_at TEXT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE INDEX training_run_by_age ON training_run (created_at, name);
CREATE INDEX training_run_by_artifact ON training_run (artifact_uri, name);
CREATE TABLE card_wording (
	card TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	text TEXT NOT NULL, 
	PRIMARY KEY (card, number), 
	FOREIGN KEY(card) REFERENCES card (name)
);
CREATE TABLE card_particulars (
	card TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (card), 
	FOREIGN KEY(card) REFERENCES card (name)
);
CREATE TABLE card_delivery (
	export TEXT NOT NULL, 
	card TEXT NOT NULL, 
	name TEXT NOT NULL, 
	address TEXT NOT NULL, 
	artifact TEXT NOT NULL, 
	state TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	at TEXT NOT NULL, 
	PRIMARY KEY (export), 
	CONSTRAINT card_delivery_name UNIQUE (card, name), 
	FOREIGN KEY(card) REFERENCES card (name)
);
CREATE TABLE key_pair (
	id TEXT NOT NULL, 
	person TEXT NOT NULL, 
	label TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	mark TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	expires_at TEXT, 
	revoked_at TEXT, used_at TEXT, 
	PRIMARY KEY (id)
);
CREATE INDEX key_pair_by_person ON key_pair (person, created_at);
CREATE TABLE bucket (
	name TEXT NOT NULL, 
	region TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE bucket_object (
	bucket TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	size BIGINT NOT NULL, 
	pieces TEXT NOT NULL, 
	etag TEXT NOT NULL, 
	headers TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	changed_at TEXT NOT NULL, 
	PRIMARY KEY (bucket, "key")
);
CREATE TABLE upload (
	id TEXT NOT NULL, 
	bucket TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	headers TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	begun_at TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE upload_part (
	upload TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	size BIGINT NOT NULL, 
	etag TEXT NOT NULL, 
	checksums TEXT NOT NULL, 
	stored_at TEXT NOT NULL, 
	PRIMARY KEY (upload, number)
);
CREATE TABLE monitor_history (
	monitor TEXT NOT NULL, 
	baseline TEXT NOT NULL, 
	edition INTEGER NOT NULL, 
	covered TEXT NOT NULL, 
	runs INTEGER NOT NULL, 
	profiles BLOB NOT NULL, 
	PRIMARY KEY (monitor)
);
CREATE TABLE baseline_segments (
	baseline TEXT NOT NULL, 
	columns TEXT NOT NULL, 
	profile TEXT NOT NULL, 
	PRIMARY KEY (baseline, columns)
);
CREATE TABLE card_pack (
	pack TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	text TEXT NOT NULL, 
	retired BOOLEAN NOT NULL, 
	note TEXT NOT NULL, 
	at TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	PRIMARY KEY (pack, number)
);
CREATE INDEX card_notice_unread ON card_notice (person) WHERE read_at IS NULL;
CREATE INDEX card_by_model_said ON card (of_model, name);
CREATE INDEX version_by_change ON version (coalesce(modified_at, created_at), ref);
CREATE TABLE blob_idle (
	hex TEXT NOT NULL, 
	since TEXT NOT NULL, 
	PRIMARY KEY (hex)
);
