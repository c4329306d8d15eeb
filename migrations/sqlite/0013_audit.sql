-- The audit log. An entry without a tenant is the platform's.

CREATE TABLE audit (
    id      BLOB    NOT NULL PRIMARY KEY,
    tenant  TEXT    REFERENCES tenant (id) ON DELETE CASCADE,
    at      INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    thing   TEXT,
    refused INTEGER NOT NULL,
    body    BLOB    NOT NULL
) STRICT;
CREATE INDEX audit_by_tenant ON audit (tenant, id);
CREATE INDEX audit_by_actor ON audit (tenant, actor, id);
CREATE INDEX audit_by_thing ON audit (tenant, kind, thing, id);
