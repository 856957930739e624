-- Moments are milliseconds since 1970; ids are 16 bytes, big-endian, so they sort by time.

-- A list and how far it is. stage: 0 being read, 1 under way, 2 ended. promised: its end is owed.
CREATE TABLE resends (
    id BLOB PRIMARY KEY NOT NULL,
    client TEXT NOT NULL,
    stage INTEGER NOT NULL,
    promised INTEGER NOT NULL,
    force INTEGER NOT NULL,
    trace TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    status TEXT NOT NULL,
    received INTEGER NOT NULL,
    repeats INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    invalid INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    not_sent INTEGER NOT NULL,
    unknown INTEGER NOT NULL,
    upstream_calls INTEGER NOT NULL,
    -- What became of those that have no end of their own once it ended: a code as in ends, or NULL.
    rest INTEGER
) WITHOUT ROWID;
CREATE INDEX resends_by_end ON resends (finished_at) WHERE stage = 2;
CREATE INDEX resends_under_way ON resends (id) WHERE stage < 2;

-- Up to 1,000 rows of a list, as the caller wrote them, in a JSON array: see json_each(emails).
-- kinds: a byte each (0 address, 1 stood in the list before, 2 and up no address, by reason).
-- keys: 16 bytes each, keyed hashes. repeats: (offset u16, first u32) of rows that repeat an earlier one;
-- repeated: (offset u16, count u32) of rows that later ones repeat.
CREATE TABLE chunks (
    rowid INTEGER PRIMARY KEY,
    resend BLOB NOT NULL,
    number INTEGER NOT NULL,
    first INTEGER NOT NULL,
    size INTEGER NOT NULL,
    emails TEXT NOT NULL,
    kinds BLOB NOT NULL,
    keys BLOB NOT NULL,
    repeats BLOB NOT NULL,
    repeated BLOB NOT NULL,
    UNIQUE (resend, number)
);

-- What became of the rows of a chunk: 9 bytes each, a code and its argument (a moment, or a refusal).
CREATE TABLE ends (
    rowid INTEGER PRIMARY KEY,
    codes BLOB NOT NULL
);

-- fax.plus' words about addresses it refused.
CREATE TABLE refusals (
    resend BLOB NOT NULL,
    number INTEGER NOT NULL,
    code TEXT NOT NULL,
    detail TEXT,
    PRIMARY KEY (resend, number)
) WITHOUT ROWID;

-- Calls to fax.plus: marked before they are made; verdict is NULL until they have ended. at: when a call was
-- marked, and once it has ended when that was: a call may wait long for its turn, and windows begin with its end.
-- members: 36 bytes each (resend, index u32, key).
CREATE TABLE calls (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    members BLOB NOT NULL,
    verdict TEXT,
    code TEXT,
    detail TEXT
);

-- Idempotency keys, as hashes.
CREATE TABLE idempotency (
    client TEXT NOT NULL,
    key BLOB NOT NULL,
    body BLOB NOT NULL,
    force INTEGER NOT NULL,
    resend BLOB NOT NULL,
    PRIMARY KEY (client, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_by_resend ON idempotency (resend);

-- Addresses that fax.plus refused alone, as keys.
CREATE TABLE culprits (
    key BLOB PRIMARY KEY NOT NULL,
    at INTEGER NOT NULL
) WITHOUT ROWID;

-- What was learned and decided: the pace, a pause, the refresh token that replaced the one of the settings.
CREATE TABLE facts (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) WITHOUT ROWID;
