-- The same columns as migrations/sqlite/0013_audit.sql.
-- The audit log. An entry without a tenant is the platform's.

CREATE TABLE audit (
    id      UUID    NOT NULL PRIMARY KEY,
    tenant  TEXT    COLLATE "C" REFERENCES tenant (id) ON DELETE CASCADE,
    at      BIGINT  NOT NULL,
    actor   TEXT    COLLATE "C" NOT NULL,
    kind    TEXT    COLLATE "C" NOT NULL,
    thing   TEXT    COLLATE "C",
    refused BOOLEAN NOT NULL,
    body    BYTEA   NOT NULL
);
CREATE INDEX audit_by_tenant ON audit (tenant, id);
CREATE INDEX audit_by_actor ON audit (tenant, actor, id);
CREATE INDEX audit_by_thing ON audit (tenant, kind, thing, id);
