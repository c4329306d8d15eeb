-- A second secret of a client while its first is being replaced, and clients of Tidegate's own services.
-- The same tables, columns and keys as migrations/postgres/0014_clients.sql. A check cannot be changed here, so the table is made anew,
-- and first the one that refers to it: rows are not to die with the table that they leave.

CREATE TABLE client_next (
    id                       BLOB    NOT NULL PRIMARY KEY,
    owner_kind               TEXT    NOT NULL,
    tenant                   TEXT,
    integration_system       BLOB REFERENCES integration_system (id) ON DELETE CASCADE,
    application              BLOB,
    runtime                  BLOB,
    scopes                   TEXT    NOT NULL,
    secret                   BLOB    NOT NULL,
    created_at               INTEGER NOT NULL,
    secret_id                BLOB,
    secret_created_at        INTEGER,
    second_secret            BLOB,
    second_secret_id         BLOB,
    second_secret_created_at INTEGER,
    service                  TEXT,
    FOREIGN KEY (tenant, application) REFERENCES application (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, runtime) REFERENCES runtime (tenant, id) ON DELETE CASCADE,
    CHECK (CASE owner_kind
        WHEN 'ADMINISTRATOR' THEN COALESCE(integration_system, application, runtime) IS NULL AND tenant IS NULL
        WHEN 'SERVICE' THEN COALESCE(integration_system, application, runtime) IS NULL AND tenant IS NULL
        WHEN 'INTEGRATION_SYSTEM' THEN integration_system IS NOT NULL AND COALESCE(application, runtime) IS NULL AND tenant IS NULL
        WHEN 'APPLICATION' THEN application IS NOT NULL AND COALESCE(integration_system, runtime) IS NULL AND tenant IS NOT NULL
        WHEN 'RUNTIME' THEN runtime IS NOT NULL AND COALESCE(integration_system, application) IS NULL AND tenant IS NOT NULL
        ELSE FALSE END AND (owner_kind = 'SERVICE') = (service IS NOT NULL)
        AND (second_secret IS NULL) = (second_secret_id IS NULL) AND (second_secret IS NULL) = (second_secret_created_at IS NULL))
) STRICT;
INSERT INTO client_next (id, owner_kind, tenant, integration_system, application, runtime, scopes, secret, created_at)
    SELECT id, owner_kind, tenant, integration_system, application, runtime, scopes, secret, created_at FROM client;

CREATE TABLE revoked_token_next (
    id         BLOB    NOT NULL PRIMARY KEY,
    client     BLOB    NOT NULL REFERENCES client_next (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT;
INSERT INTO revoked_token_next (id, client, expires_at) SELECT id, client, expires_at FROM revoked_token;

DROP TABLE revoked_token;
DROP TABLE client;
ALTER TABLE client_next RENAME TO client;
ALTER TABLE revoked_token_next RENAME TO revoked_token;
CREATE INDEX revoked_token_by_client ON revoked_token (client);
CREATE INDEX revoked_token_by_expiry ON revoked_token (expires_at);
CREATE INDEX client_by_owner ON client (COALESCE(integration_system, application, runtime));
CREATE INDEX client_by_integration_system ON client (integration_system);
CREATE INDEX client_by_application ON client (tenant, application);
CREATE INDEX client_by_runtime ON client (tenant, runtime);
