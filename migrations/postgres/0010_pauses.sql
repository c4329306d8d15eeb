-- The same columns as migrations/sqlite/0010_pauses.sql.
-- Deliveries of a paused Integration wait. `failing_since` is the first failed call after which none arrived.

ALTER TABLE integration ADD COLUMN paused_at BIGINT;
ALTER TABLE integration ADD COLUMN pause_reason TEXT;
ALTER TABLE integration ADD COLUMN failing_since BIGINT;
