-- How far each import came, so that a repeated one goes on instead of counting twice.
CREATE TABLE imports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    site_id INTEGER NOT NULL,
    bytes_done INTEGER NOT NULL,
    prefix_hash BLOB NOT NULL,
    state TEXT NOT NULL,
    secret BLOB,
    node INTEGER NOT NULL,
    next_seq INTEGER NOT NULL,
    days TEXT NOT NULL,
    updated INTEGER NOT NULL
) STRICT;
CREATE INDEX imports_by_site ON imports (site_id);
