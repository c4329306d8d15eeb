-- The second wall between tenants. A transaction that acts for one tenant says so (SET LOCAL tidegate.tenant = '...'); from then on it sees
-- and writes that tenant's rows alone, whatever its statements ask for. One that says nothing acts for the platform: claims, the outbox,
-- intake, retention, batches of records; so do processes of the version before.
--
-- The owner of the tables is held to it too. Superusers and roles with BYPASSRLS are not: Tidegate is to have a plain role.
-- The condition is a CASE, because a planner takes half of the rows to pass one; of OR and COALESCE it would expect next to none, and
-- sort where it now goes by an index. The setting is read once per statement.

DO $$
DECLARE
    walled RECORD;
BEGIN
    FOR walled IN
        SELECT c.relname AS name, a.attname AS key FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND NOT a.attisdropped
            AND (a.attname = 'tenant' OR (c.relname = 'tenant' AND a.attname = 'id'))
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', walled.name);
        EXECUTE format($policy$
            CREATE POLICY tenant_wall ON %I USING (
                CASE (SELECT COALESCE(current_setting('tidegate.tenant', TRUE), ''))
                    WHEN '' THEN TRUE WHEN %I THEN TRUE ELSE FALSE END)
            $policy$, walled.name, walled.key);
    END LOOP;
END $$;
