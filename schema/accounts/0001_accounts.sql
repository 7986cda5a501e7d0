-- Users, sites and who may read which. Times are milliseconds since the Unix epoch.
-- AUTOINCREMENT: a removed site's number is never given to another site, whose rows would be mixed.
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL UNIQUE,         -- lower case
    name TEXT NOT NULL,
    password TEXT,                      -- PHC string; NULL until the one-time link was used
    owner INTEGER NOT NULL CHECK (owner IN (0, 1)),
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE sites (
    id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id BETWEEN 1 AND 4294967295),
    domain TEXT NOT NULL UNIQUE,        -- lower case
    timezone TEXT NOT NULL,
    hostnames TEXT NOT NULL,            -- this and the exclusions: JSON arrays of strings
    excluded_addresses TEXT NOT NULL,
    excluded_countries TEXT NOT NULL,
    excluded_pages TEXT NOT NULL,
    respect_dnt INTEGER NOT NULL CHECK (respect_dnt IN (0, 1)),
    respect_gpc INTEGER NOT NULL CHECK (respect_gpc IN (0, 1)),
    retention_days INTEGER NOT NULL,
    mark_data_centres INTEGER NOT NULL CHECK (mark_data_centres IN (0, 1)),
    demo INTEGER NOT NULL CHECK (demo IN (0, 1)),
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE roles (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    site_id INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'viewer')),
    PRIMARY KEY (user_id, site_id)
) STRICT, WITHOUT ROWID;

-- A key acts for a user, or reads one site. Tokens of every kind are kept as hashes only.
CREATE TABLE api_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash BLOB NOT NULL UNIQUE,
    label TEXT NOT NULL,
    scopes TEXT NOT NULL,               -- JSON array
    user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
    site_id INTEGER REFERENCES sites (id) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    last_used_day INTEGER,              -- days since 1970-01-01: enough to find unused keys
    revoked INTEGER,
    CHECK ((user_id IS NULL) <> (site_id IS NULL))
) STRICT;

CREATE TABLE sessions (
    hash BLOB PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE links (
    hash BLOB PRIMARY KEY,
    user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,  -- NULL: makes the first user
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who did what, and when. Never an address.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,                -- 'command line', 'link', or 'user 7'
    action TEXT NOT NULL,
    subject TEXT NOT NULL
) STRICT;

CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
