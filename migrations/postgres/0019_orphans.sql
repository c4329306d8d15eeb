-- A delivery outlives its Integration until it has ended in a record: no foreign key takes it away. It goes with its tenant, by name.
-- A process of the version before cannot delete a tenant that has open deliveries, and is refused; everything else it does as it did.
-- The same tables, columns and keys as migrations/sqlite/0019_orphans.sql.

DO $$
DECLARE
    -- What it is called depends on the server that made it.
    chain NAME := (SELECT conname FROM pg_constraint
        WHERE conrelid = 'delivery'::regclass AND contype = 'f' AND confrelid = 'integration'::regclass);
BEGIN
    EXECUTE format('ALTER TABLE delivery DROP CONSTRAINT %I', chain);
END $$;
