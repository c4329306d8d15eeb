-- Records by day: each day's are a table of their own, a range of ids (an id begins with its millisecond), made ahead and dropped as a whole
-- when the day is past retention. What was there stays where it is: `execution_before`, every id until the end of the day of this step.
-- `execution_other` has what belongs to no day that is there: ids of clocks that are ahead, of days that are gone (a delivery that took its
-- time), of days that could not be made. So no record is ever refused for want of a place.

-- Functions below keep it as their own: nobody's tables come before these.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', TRUE);

ALTER TABLE execution RENAME TO execution_before;
ALTER INDEX execution_pkey RENAME TO execution_before_pkey;
ALTER INDEX execution_by_integration RENAME TO execution_before_by_integration;
ALTER INDEX execution_by_status RENAME TO execution_before_by_status;
ALTER INDEX execution_by_event RENAME TO execution_before_by_event;
ALTER INDEX execution_by_object RENAME TO execution_before_by_object;
ALTER INDEX execution_by_started_at RENAME TO execution_before_by_started_at;

CREATE TABLE execution (
    id          UUID NOT NULL,
    tenant      TEXT COLLATE "C" NOT NULL CONSTRAINT execution_tenant_fkey REFERENCES tenant (id) ON DELETE CASCADE,
    integration UUID NOT NULL,
    status      TEXT NOT NULL,
    trigger     TEXT NOT NULL,
    started_at  BIGINT NOT NULL,
    event_id    TEXT COLLATE "C",
    object_type TEXT COLLATE "C",
    object_id   TEXT COLLATE "C",
    search      TEXT NOT NULL,
    body        BYTEA NOT NULL,
    PRIMARY KEY (tenant, id)
) PARTITION BY RANGE (id);
CREATE INDEX execution_by_integration ON execution (tenant, integration, status, id);
CREATE INDEX execution_by_status ON execution (tenant, status, id);
CREATE INDEX execution_by_event ON execution (tenant, event_id, id) WHERE event_id IS NOT NULL;
CREATE INDEX execution_by_object ON execution (tenant, object_id, id) WHERE object_id IS NOT NULL;
CREATE INDEX execution_by_started_at ON execution (started_at);

-- The wall of 0015. Whoever reads a day by its own name stands before the same one.
CREATE FUNCTION wall_execution(part TEXT) RETURNS VOID LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', part);
    EXECUTE format($policy$
        CREATE POLICY tenant_wall ON %I USING (
            CASE (SELECT COALESCE(current_setting('tidegate.tenant', TRUE), ''))
                WHEN '' THEN TRUE WHEN tenant THEN TRUE ELSE FALSE END)
        $policy$, part);
END $$;
SELECT wall_execution('execution');

-- Who was let to the records is let to all of them, and to none by the name of a part.
DO $$
DECLARE
    granted RECORD;
BEGIN
    FOR granted IN
        SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS whom, a.privilege_type AS what,
            CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS further
        FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = 'execution_before'::regclass AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('GRANT %s ON execution TO %s%s', granted.what, granted.whom, granted.further);
        EXECUTE format('REVOKE %s ON execution_before FROM %s CASCADE', granted.what, granted.whom);
    END LOOP;
END $$;

CREATE TABLE execution_other PARTITION OF execution DEFAULT;
SELECT wall_execution('execution_other');

-- The least id of a millisecond, and of a day, both counted from 1970 in UTC.
CREATE FUNCTION first_id_of(millisecond BIGINT) RETURNS UUID LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(GREATEST(millisecond, 0)), 12, '0') || repeat('0', 20))::uuid
$$;
CREATE FUNCTION first_id_of_day(day INTEGER) RETURNS UUID LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
    SELECT first_id_of(day::bigint * 86400000)
$$;

-- Which ids have which place. The oldest place has no least id; that of everything else has neither.
CREATE FUNCTION execution_places() RETURNS TABLE (part TEXT, low UUID, high UUID) LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT c.relname, substring(bound.text FROM $r$FROM \('([0-9a-f-]+)'\)$r$)::uuid, substring(bound.text FROM $r$TO \('([0-9a-f-]+)'\)$r$)::uuid
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid, LATERAL pg_get_expr(c.relpartbound, c.oid) AS bound (text)
    WHERE i.inhparent = 'execution'::regclass
$$;

-- The two below run as the owner of the tables, so that a role that reads and writes rows alone can keep house. They do nothing with rows that
-- INSERT and DELETE do not, and ask for the right to those.
CREATE FUNCTION require_execution(privilege TEXT) RETURNS VOID LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT has_table_privilege(session_user, 'execution', privilege) THEN
        RAISE insufficient_privilege USING MESSAGE = format('%s has no %s on execution', session_user, privilege);
    END IF;
    -- Behind the wall a day looks empty that is full of other tenants' records.
    IF COALESCE(current_setting('tidegate.tenant', TRUE), '') <> '' THEN
        RAISE insufficient_privilege USING MESSAGE = 'days are made and dropped for all tenants, not for one';
    END IF;
END $$;

-- Nobody waits long for either: what cannot be locked at once is left for another time. Both change one day, so that locks are held for
-- one day's work.

-- Makes a day's place: 'made', 'there' (some place has its ids), 'busy' (somebody uses what would have to be locked), or 'crowded': the day
-- was not made in time, and so much of it lies in the other place that moving it would hold up others. It stays there, and goes row by row.
CREATE FUNCTION make_execution_day(day INTEGER) RETURNS TEXT LANGUAGE plpgsql SECURITY DEFINER
    SET search_path FROM CURRENT SET lock_timeout = '50ms' AS $$
DECLARE
    made CONSTANT TEXT := 'execution_' || to_char(DATE '1970-01-01' + day, 'YYYYMMDD');
    first CONSTANT UUID := first_id_of_day(day);
    beyond CONSTANT UUID := first_id_of_day(day + 1);
    most CONSTANT INTEGER := 10000;
BEGIN
    PERFORM require_execution('INSERT');
    IF EXISTS (SELECT FROM execution_places() p WHERE p.high > first AND (p.low < beyond) IS NOT FALSE) THEN
        RETURN 'there';
    END IF;
    IF (SELECT COUNT(*) FROM (SELECT FROM execution_other o WHERE o.id >= first AND o.id < beyond LIMIT most + 1) AS few) > most THEN
        RETURN 'crowded';
    END IF;
    -- Whoever makes a day meanwhile is waited for here.
    LOCK TABLE ONLY execution IN SHARE UPDATE EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM execution_places() p WHERE p.high > first AND (p.low < beyond) IS NOT FALSE) THEN
        RETURN 'there';
    END IF;
    -- The foreign key asks for the first: before the second, as whoever deletes a tenant does. While the day's rows leave the other place,
    -- none may come into it.
    LOCK TABLE tenant IN SHARE ROW EXCLUSIVE MODE;
    LOCK TABLE execution_other IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE %I (LIKE execution)', made);
    EXECUTE format('WITH moved AS (DELETE FROM execution_other WHERE id >= %L AND id < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
        first, beyond, made);
    EXECUTE format('ALTER TABLE execution ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', made, first, beyond);
    PERFORM wall_execution(made);
    RETURN 'made';
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RETURN 'busy';
END $$;

-- Drops the oldest day that is over, and whose every record began before then (in microseconds): 'dropped', 'busy' as above, or 'none'.
CREATE FUNCTION drop_execution_day(before BIGINT) RETURNS TEXT LANGUAGE plpgsql SECURITY DEFINER
    SET search_path FROM CURRENT SET lock_timeout = '50ms' AS $$
DECLARE
    day TEXT;
    is_young BOOLEAN;
BEGIN
    PERFORM require_execution('DELETE');
    FOR day IN
        SELECT p.part FROM execution_places() p
        WHERE p.low IS NOT NULL AND p.high <= first_id_of(LEAST(before / 1000, (1::bigint << 48) - 1)) ORDER BY p.low
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE started_at >= $1)', day) INTO is_young USING before;
        CONTINUE WHEN is_young;
        LOCK TABLE ONLY execution IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', day);
        -- Now nobody can add one.
        EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE started_at >= $1)', day) INTO is_young USING before;
        IF NOT is_young THEN
            EXECUTE format('DROP TABLE %I', day);
            RETURN 'dropped';
        END IF;
    END LOOP;
    RETURN 'none';
EXCEPTION
    WHEN lock_not_available OR deadlock_detected THEN RETURN 'busy';
    -- Somebody else was faster.
    WHEN undefined_table THEN RETURN 'busy';
END $$;

DO $$
DECLARE
    tomorrow INTEGER := (now() AT TIME ZONE 'UTC')::date - DATE '1970-01-01' + 1;
    attach TEXT := format('ALTER TABLE execution ATTACH PARTITION execution_before FOR VALUES FROM (MINVALUE) TO (%L)', first_id_of_day(tomorrow));
BEGIN
    EXECUTE attach;
EXCEPTION WHEN check_violation THEN
    -- Somebody's clock is ahead, or ids were made otherwise.
    WITH moved AS (DELETE FROM execution_before WHERE id >= first_id_of_day(tomorrow) RETURNING *)
    INSERT INTO execution_other SELECT * FROM moved;
    EXECUTE attach;
END $$;
