-- Third parties' secrets. The key of a tenant's secrets is sealed under the operator's key, the secrets under the tenant's.

CREATE TABLE data_key (
    id         UUID NOT NULL,
    tenant     TEXT COLLATE "C" NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    sealed     BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE credential (
    id          UUID NOT NULL,
    tenant      TEXT COLLATE "C" NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name        TEXT COLLATE "C" NOT NULL,
    kind        TEXT NOT NULL,
    description TEXT,
    version     INTEGER NOT NULL,
    data_key    UUID NOT NULL,
    sealed      BYTEA NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name),
    FOREIGN KEY (tenant, data_key) REFERENCES data_key (tenant, id) ON DELETE CASCADE
);
CREATE INDEX credential_by_data_key ON credential (tenant, data_key);
