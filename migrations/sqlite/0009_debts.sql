-- The order of deliveries about one object, what is done with entries of the log that are no events, and replays by filter.
-- The same tables, columns and keys as migrations/postgres/0009_debts.sql.

-- A delivery's place among those of its Integration about its object; null where its Integration keeps no order.
ALTER TABLE delivery ADD COLUMN place INTEGER;
CREATE INDEX delivery_in_order ON delivery (tenant, integration, object_type, object_id, place) WHERE place IS NOT NULL;

-- The last place that was given out.
INSERT INTO intake (name, position) VALUES ('places', 0);

-- Entries get ids that tell nothing of other tenants, and the tenant that they are shown to: none where it is not known.
ALTER TABLE aside RENAME TO aside_before;
CREATE TABLE aside (
    id       BLOB    NOT NULL PRIMARY KEY,
    tenant   TEXT    REFERENCES tenant (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    subject  TEXT    NOT NULL,
    payload  BLOB    NOT NULL,
    reason   TEXT    NOT NULL,
    time     INTEGER NOT NULL
) STRICT;
INSERT INTO aside (id, position, subject, payload, reason, time)
    SELECT randomblob(16), position, subject, payload, reason, time FROM aside_before;
DROP TABLE aside_before;
CREATE INDEX aside_by_tenant ON aside (tenant, id);
CREATE INDEX aside_by_time ON aside (time);

-- Replays by filter, worked off in steps.
CREATE TABLE replay (
    id         BLOB    NOT NULL,
    tenant     TEXT    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    state      TEXT    NOT NULL,
    filter     TEXT    NOT NULL,
    rate       INTEGER NOT NULL,
    total      INTEGER NOT NULL,
    replayed   INTEGER NOT NULL,
    refused    INTEGER NOT NULL,
    done_to    BLOB    NOT NULL,
    next_at    INTEGER NOT NULL,
    created_by TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at   INTEGER,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX replay_by_next_at ON replay (next_at) WHERE ended_at IS NULL;
CREATE INDEX replay_by_ended_at ON replay (ended_at) WHERE ended_at IS NOT NULL;
