-- Third parties' secrets. The key of a tenant's secrets is sealed under the operator's key, the secrets under the tenant's.

CREATE TABLE data_key (
    id         BLOB    NOT NULL,
    tenant     TEXT    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE TABLE credential (
    id          BLOB    NOT NULL,
    tenant      TEXT    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name        TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    description TEXT,
    version     INTEGER NOT NULL,
    data_key    BLOB    NOT NULL,
    sealed      BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name),
    FOREIGN KEY (tenant, data_key) REFERENCES data_key (tenant, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX credential_by_data_key ON credential (tenant, data_key);
