-- A delivery outlives its Integration until it has ended in a record: no foreign key takes it away. It goes with its tenant, by name.
-- A foreign key cannot be dropped here, so the table is made anew; nothing refers to it.
-- The same tables, columns and keys as migrations/postgres/0019_orphans.sql.

CREATE TABLE delivery_next (
    id           BLOB    NOT NULL,
    tenant       TEXT    NOT NULL,
    integration  BLOB    NOT NULL,
    status       TEXT    NOT NULL,
    trigger      TEXT    NOT NULL,
    started_at   INTEGER NOT NULL,
    event_id     TEXT    NOT NULL,
    object_type  TEXT    NOT NULL,
    object_id    TEXT    NOT NULL,
    next_at      INTEGER NOT NULL,
    holder       BLOB,
    leased_until INTEGER,
    search       TEXT    NOT NULL,
    body         BLOB    NOT NULL,
    place        INTEGER,
    parked       INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, event_id) REFERENCES event (tenant, id)
) STRICT;
INSERT INTO delivery_next (id, tenant, integration, status, trigger, started_at, event_id, object_type, object_id, next_at, holder,
        leased_until, search, body, place, parked)
    SELECT id, tenant, integration, status, trigger, started_at, event_id, object_type, object_id, next_at, holder,
        leased_until, search, body, place, parked FROM delivery;
DROP TABLE delivery;
ALTER TABLE delivery_next RENAME TO delivery;
CREATE UNIQUE INDEX delivery_once ON delivery (tenant, event_id, integration) WHERE trigger = 'EVENT';
CREATE INDEX delivery_by_event ON delivery (tenant, event_id);
CREATE INDEX delivery_by_integration ON delivery (tenant, integration, id);
CREATE INDEX delivery_by_lane ON delivery (integration, next_at);
CREATE INDEX delivery_due ON delivery (next_at) WHERE NOT parked;
CREATE INDEX delivery_parked ON delivery (integration) WHERE parked;
CREATE INDEX delivery_in_order ON delivery (tenant, integration, object_type, object_id, place) WHERE place IS NOT NULL;

-- The places that deleted tenants have left in the log have the names of no events any more: another tenant of that id may use them.
UPDATE local_log SET event_id = event_id || char(0) || position WHERE body IS NULL;
