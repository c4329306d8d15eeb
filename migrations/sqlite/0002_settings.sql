-- The same columns as migrations/postgres/0002_settings.sql.
-- A pin is a version of the Logic that is in `core_logic` or `enable_logic`; versions are never deleted before their Logic is.

ALTER TABLE integration ADD COLUMN core_pin INTEGER;
ALTER TABLE integration ADD COLUMN enable_pin INTEGER;
ALTER TABLE integration ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
