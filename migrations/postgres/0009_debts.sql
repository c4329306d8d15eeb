-- The order of deliveries about one object, what is done with entries of the log that are no events, and replays by filter.
-- The same tables, columns and keys as migrations/sqlite/0009_debts.sql.

-- A delivery's place among those of its Integration about its object; null where its Integration keeps no order.
ALTER TABLE delivery ADD COLUMN place BIGINT;
CREATE INDEX delivery_in_order ON delivery (tenant, integration, object_type, object_id, place) WHERE place IS NOT NULL;

-- The last place that was given out.
INSERT INTO intake (name, position) VALUES ('places', 0);

-- Entries get ids that tell nothing of other tenants, and the tenant that they are shown to: none where it is not known.
-- The default is for processes of the version before.
ALTER TABLE aside RENAME TO aside_before;
CREATE TABLE aside (
    id       UUID NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant   TEXT COLLATE "C" REFERENCES tenant (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    subject  TEXT NOT NULL,
    payload  BYTEA NOT NULL,
    reason   TEXT NOT NULL,
    time     BIGINT NOT NULL
);
INSERT INTO aside (id, position, subject, payload, reason, time)
    SELECT gen_random_uuid(), position, subject, payload, reason, time FROM aside_before;
DROP TABLE aside_before;
CREATE INDEX aside_by_tenant ON aside (tenant, id);
CREATE INDEX aside_by_time ON aside (time);

-- Replays by filter, worked off in steps.
CREATE TABLE replay (
    id         UUID NOT NULL,
    tenant     TEXT COLLATE "C" NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    state      TEXT NOT NULL,
    filter     TEXT NOT NULL,
    rate       INTEGER NOT NULL,
    total      BIGINT NOT NULL,
    replayed   BIGINT NOT NULL,
    refused    BIGINT NOT NULL,
    done_to    UUID NOT NULL,
    next_at    BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at   BIGINT,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX replay_by_next_at ON replay (next_at) WHERE ended_at IS NULL;
CREATE INDEX replay_by_ended_at ON replay (ended_at) WHERE ended_at IS NOT NULL;
