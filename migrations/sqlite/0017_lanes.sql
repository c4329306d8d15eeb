-- A delivery that found its Integration's lane full waits there, and is claimed for that lane alone: however many there are, nobody else's claim
-- walks past them. The same columns as migrations/postgres/0017_lanes.sql.

ALTER TABLE delivery ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;
DROP INDEX delivery_by_next_at;
CREATE INDEX delivery_due ON delivery (next_at) WHERE NOT parked;
CREATE INDEX delivery_parked ON delivery (integration) WHERE parked;
