-- The same tables, columns and keys as migrations/sqlite/0001_start.sql; a test compares them.
-- Times are microseconds since 1970, bodies compressed JSON. Texts that keys are made of sort by their bytes, as in SQLite.

CREATE TABLE tenant (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name       TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE integration_system (
    id          UUID NOT NULL PRIMARY KEY,
    name        TEXT COLLATE "C" NOT NULL UNIQUE,
    description TEXT
);

CREATE TABLE application (
    id                 UUID NOT NULL,
    tenant             TEXT COLLATE "C" NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name               TEXT COLLATE "C" NOT NULL,
    description        TEXT,
    provider_name      TEXT,
    base_url           TEXT,
    labels             TEXT NOT NULL,
    integration_system UUID REFERENCES integration_system (id),
    created_at         BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name)
);
CREATE INDEX application_by_integration_system ON application (integration_system);

CREATE TABLE runtime (
    id                 UUID NOT NULL,
    tenant             TEXT COLLATE "C" NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name               TEXT COLLATE "C" NOT NULL,
    description        TEXT,
    labels             TEXT NOT NULL,
    integration_system UUID REFERENCES integration_system (id),
    created_at         BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name)
);
CREATE INDEX runtime_by_integration_system ON runtime (integration_system);

-- A client dies with its owner by these foreign keys, whichever calls race.
CREATE TABLE client (
    id                 UUID NOT NULL PRIMARY KEY,
    owner_kind         TEXT NOT NULL,
    tenant             TEXT COLLATE "C",
    integration_system UUID REFERENCES integration_system (id) ON DELETE CASCADE,
    application        UUID,
    runtime            UUID,
    scopes             TEXT NOT NULL,
    secret             BYTEA NOT NULL,
    created_at         BIGINT NOT NULL,
    FOREIGN KEY (tenant, application) REFERENCES application (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, runtime) REFERENCES runtime (tenant, id) ON DELETE CASCADE,
    CHECK (CASE owner_kind
        WHEN 'ADMINISTRATOR' THEN COALESCE(integration_system, application, runtime) IS NULL AND tenant IS NULL
        WHEN 'INTEGRATION_SYSTEM' THEN integration_system IS NOT NULL AND COALESCE(application, runtime) IS NULL AND tenant IS NULL
        WHEN 'APPLICATION' THEN application IS NOT NULL AND COALESCE(integration_system, runtime) IS NULL AND tenant IS NOT NULL
        WHEN 'RUNTIME' THEN runtime IS NOT NULL AND COALESCE(integration_system, application) IS NULL AND tenant IS NOT NULL
        ELSE FALSE END)
);
CREATE INDEX client_by_owner ON client (COALESCE(integration_system, application, runtime));
CREATE INDEX client_by_integration_system ON client (integration_system);
CREATE INDEX client_by_application ON client (tenant, application);
CREATE INDEX client_by_runtime ON client (tenant, runtime);

CREATE TABLE signing_key (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    sealed     BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE logic (
    id          UUID NOT NULL,
    tenant      TEXT COLLATE "C" NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name        TEXT COLLATE "C" NOT NULL,
    kind        TEXT NOT NULL,
    description TEXT,
    version     INTEGER NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name)
);

CREATE TABLE logic_version (
    tenant     TEXT COLLATE "C" NOT NULL,
    logic      UUID NOT NULL,
    version    INTEGER NOT NULL,
    source     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, logic, version),
    FOREIGN KEY (tenant, logic) REFERENCES logic (tenant, id) ON DELETE CASCADE
);

-- Stays, disabled, when its Integration is deleted: objects name it.
CREATE TABLE execution_user (
    id          UUID NOT NULL,
    tenant      TEXT COLLATE "C" NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    username    TEXT NOT NULL,
    disabled_at BIGINT,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE integration (
    id             UUID NOT NULL,
    tenant         TEXT COLLATE "C" NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name           TEXT COLLATE "C" NOT NULL,
    description    TEXT,
    direction      TEXT NOT NULL,
    http_method    TEXT NOT NULL,
    active         BOOLEAN NOT NULL,
    effective_date BIGINT,
    expiry_date    BIGINT,
    core_logic     UUID NOT NULL,
    enable_logic   UUID,
    execution_user UUID NOT NULL,
    url            TEXT,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name),
    FOREIGN KEY (tenant, core_logic) REFERENCES logic (tenant, id),
    FOREIGN KEY (tenant, enable_logic) REFERENCES logic (tenant, id),
    FOREIGN KEY (tenant, execution_user) REFERENCES execution_user (tenant, id),
    CHECK ((direction = 'OUTGOING' AND url IS NOT NULL) OR (direction = 'INCOMING' AND url IS NULL))
);
CREATE INDEX integration_by_core_logic ON integration (tenant, core_logic);
CREATE INDEX integration_by_enable_logic ON integration (tenant, enable_logic);
CREATE INDEX integration_by_execution_user ON integration (tenant, execution_user);

CREATE TABLE subscription (
    tenant      TEXT COLLATE "C" NOT NULL,
    integration UUID NOT NULL,
    object_type TEXT COLLATE "C" NOT NULL,
    event_type  TEXT NOT NULL,
    PRIMARY KEY (tenant, object_type, event_type, integration),
    FOREIGN KEY (tenant, integration) REFERENCES integration (tenant, id) ON DELETE CASCADE
);
CREATE INDEX subscription_by_integration ON subscription (tenant, integration);

CREATE TABLE webhook_key (
    tenant      TEXT COLLATE "C" NOT NULL,
    integration UUID NOT NULL,
    hash        BYTEA NOT NULL UNIQUE,
    sealed      BYTEA NOT NULL,
    PRIMARY KEY (tenant, integration),
    FOREIGN KEY (tenant, integration) REFERENCES integration (tenant, id) ON DELETE CASCADE
);

CREATE TABLE object_type (
    id     UUID NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name   TEXT COLLATE "C" NOT NULL,
    schema TEXT,
    PRIMARY KEY (tenant, name),
    UNIQUE (tenant, id)
);

CREATE TABLE object (
    seq         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant      TEXT COLLATE "C" NOT NULL,
    object_type TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    data        TEXT NOT NULL,
    version     INTEGER NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    created_by  TEXT NOT NULL,
    updated_by  TEXT NOT NULL,
    UNIQUE (tenant, object_type, id),
    FOREIGN KEY (tenant, object_type) REFERENCES object_type (tenant, name) ON DELETE CASCADE
);
CREATE INDEX object_by_seq ON object (tenant, object_type, seq);

CREATE TABLE outbox (
    id     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    body   BYTEA NOT NULL
);
CREATE INDEX outbox_by_tenant ON outbox (tenant);

-- Who alone may do a thing for a while.
CREATE TABLE lease (
    name         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    holder       UUID NOT NULL,
    leased_until BIGINT NOT NULL
);

-- How far a reader of the log has come.
CREATE TABLE intake (
    name     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL
);
INSERT INTO intake (name, position) VALUES ('events', 0);

-- Entries of the log that are no events.
CREATE TABLE aside (
    id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position BIGINT NOT NULL,
    subject  TEXT NOT NULL,
    payload  BYTEA NOT NULL,
    reason   TEXT NOT NULL,
    time     BIGINT NOT NULL
);

-- Events that were taken in: deliveries share them, and one that comes again is known.
CREATE TABLE event (
    id       TEXT COLLATE "C" NOT NULL,
    tenant   TEXT COLLATE "C" NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    taken_at BIGINT NOT NULL,
    body     BYTEA NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX event_by_taken_at ON event (taken_at);

CREATE TABLE delivery (
    id           UUID NOT NULL,
    tenant       TEXT COLLATE "C" NOT NULL,
    integration  UUID NOT NULL,
    status       TEXT NOT NULL,
    trigger      TEXT NOT NULL,
    started_at   BIGINT NOT NULL,
    event_id     TEXT COLLATE "C" NOT NULL,
    object_type  TEXT COLLATE "C" NOT NULL,
    object_id    TEXT COLLATE "C" NOT NULL,
    next_at      BIGINT NOT NULL,
    holder       UUID,
    leased_until BIGINT,
    search       TEXT NOT NULL,
    body         BYTEA NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, event_id) REFERENCES event (tenant, id),
    FOREIGN KEY (tenant, integration) REFERENCES integration (tenant, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX delivery_once ON delivery (tenant, event_id, integration) WHERE trigger = 'EVENT';
CREATE INDEX delivery_by_event ON delivery (tenant, event_id);
CREATE INDEX delivery_by_integration ON delivery (tenant, integration);
CREATE INDEX delivery_by_next_at ON delivery (next_at);
CREATE INDEX delivery_by_lane ON delivery (integration, next_at);

-- No foreign key to its Integration: records stay when it is deleted.
CREATE TABLE execution (
    id          UUID NOT NULL,
    tenant      TEXT COLLATE "C" NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
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
);
CREATE INDEX execution_by_integration ON execution (tenant, integration, id);
CREATE INDEX execution_by_event ON execution (tenant, event_id) WHERE event_id IS NOT NULL;
CREATE INDEX execution_by_object ON execution (tenant, object_id) WHERE object_id IS NOT NULL;
CREATE INDEX execution_by_started_at ON execution (started_at);
