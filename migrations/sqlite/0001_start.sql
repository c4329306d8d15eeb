-- The same tables, columns and keys as migrations/postgres/0001_start.sql; a test compares them.
-- Times are microseconds since 1970, ids the 16 bytes of a UUID, bodies compressed JSON.

CREATE TABLE tenant (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE integration_system (
    id          BLOB NOT NULL PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    description TEXT
) STRICT;

CREATE TABLE application (
    id                 BLOB    NOT NULL,
    tenant             TEXT    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name               TEXT    NOT NULL,
    description        TEXT,
    provider_name      TEXT,
    base_url           TEXT,
    labels             TEXT    NOT NULL,
    integration_system BLOB REFERENCES integration_system (id),
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name)
) STRICT;
CREATE INDEX application_by_integration_system ON application (integration_system);

CREATE TABLE runtime (
    id                 BLOB    NOT NULL,
    tenant             TEXT    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name               TEXT    NOT NULL,
    description        TEXT,
    labels             TEXT    NOT NULL,
    integration_system BLOB REFERENCES integration_system (id),
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name)
) STRICT;
CREATE INDEX runtime_by_integration_system ON runtime (integration_system);

-- A client dies with its owner by these foreign keys, whichever calls race.
CREATE TABLE client (
    id                 BLOB    NOT NULL PRIMARY KEY,
    owner_kind         TEXT    NOT NULL,
    tenant             TEXT,
    integration_system BLOB REFERENCES integration_system (id) ON DELETE CASCADE,
    application        BLOB,
    runtime            BLOB,
    scopes             TEXT    NOT NULL,
    secret             BLOB    NOT NULL,
    created_at         INTEGER NOT NULL,
    FOREIGN KEY (tenant, application) REFERENCES application (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, runtime) REFERENCES runtime (tenant, id) ON DELETE CASCADE,
    CHECK (CASE owner_kind
        WHEN 'ADMINISTRATOR' THEN COALESCE(integration_system, application, runtime) IS NULL AND tenant IS NULL
        WHEN 'INTEGRATION_SYSTEM' THEN integration_system IS NOT NULL AND COALESCE(application, runtime) IS NULL AND tenant IS NULL
        WHEN 'APPLICATION' THEN application IS NOT NULL AND COALESCE(integration_system, runtime) IS NULL AND tenant IS NOT NULL
        WHEN 'RUNTIME' THEN runtime IS NOT NULL AND COALESCE(integration_system, application) IS NULL AND tenant IS NOT NULL
        ELSE FALSE END)
) STRICT;
CREATE INDEX client_by_owner ON client (COALESCE(integration_system, application, runtime));
CREATE INDEX client_by_integration_system ON client (integration_system);
CREATE INDEX client_by_application ON client (tenant, application);
CREATE INDEX client_by_runtime ON client (tenant, runtime);

CREATE TABLE signing_key (
    id         TEXT    NOT NULL PRIMARY KEY,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE logic (
    id          BLOB    NOT NULL,
    tenant      TEXT    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name        TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    description TEXT,
    version     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name)
) STRICT;

CREATE TABLE logic_version (
    tenant     TEXT    NOT NULL,
    logic      BLOB    NOT NULL,
    version    INTEGER NOT NULL,
    source     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, logic, version),
    FOREIGN KEY (tenant, logic) REFERENCES logic (tenant, id) ON DELETE CASCADE
) STRICT;

-- Stays, disabled, when its Integration is deleted: objects name it.
CREATE TABLE execution_user (
    id          BLOB NOT NULL,
    tenant      TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    username    TEXT NOT NULL,
    disabled_at INTEGER,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE TABLE integration (
    id             BLOB    NOT NULL,
    tenant         TEXT    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name           TEXT    NOT NULL,
    description    TEXT,
    direction      TEXT    NOT NULL,
    http_method    TEXT    NOT NULL,
    active         INTEGER NOT NULL,
    effective_date INTEGER,
    expiry_date    INTEGER,
    core_logic     BLOB    NOT NULL,
    enable_logic   BLOB,
    execution_user BLOB    NOT NULL,
    url            TEXT,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name),
    FOREIGN KEY (tenant, core_logic) REFERENCES logic (tenant, id),
    FOREIGN KEY (tenant, enable_logic) REFERENCES logic (tenant, id),
    FOREIGN KEY (tenant, execution_user) REFERENCES execution_user (tenant, id),
    CHECK ((direction = 'OUTGOING' AND url IS NOT NULL) OR (direction = 'INCOMING' AND url IS NULL))
) STRICT;
CREATE INDEX integration_by_core_logic ON integration (tenant, core_logic);
CREATE INDEX integration_by_enable_logic ON integration (tenant, enable_logic);
CREATE INDEX integration_by_execution_user ON integration (tenant, execution_user);

CREATE TABLE subscription (
    tenant      TEXT NOT NULL,
    integration BLOB NOT NULL,
    object_type TEXT NOT NULL,
    event_type  TEXT NOT NULL,
    PRIMARY KEY (tenant, object_type, event_type, integration),
    FOREIGN KEY (tenant, integration) REFERENCES integration (tenant, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX subscription_by_integration ON subscription (tenant, integration);

CREATE TABLE webhook_key (
    tenant      TEXT NOT NULL,
    integration BLOB NOT NULL,
    hash        BLOB NOT NULL UNIQUE,
    sealed      BLOB NOT NULL,
    PRIMARY KEY (tenant, integration),
    FOREIGN KEY (tenant, integration) REFERENCES integration (tenant, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE object_type (
    id     BLOB NOT NULL,
    tenant TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name   TEXT NOT NULL,
    schema TEXT,
    PRIMARY KEY (tenant, name),
    UNIQUE (tenant, id)
) STRICT;

CREATE TABLE object (
    seq         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    tenant      TEXT    NOT NULL,
    object_type TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    data        TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    created_by  TEXT    NOT NULL,
    updated_by  TEXT    NOT NULL,
    UNIQUE (tenant, object_type, id),
    FOREIGN KEY (tenant, object_type) REFERENCES object_type (tenant, name) ON DELETE CASCADE
) STRICT;
CREATE INDEX object_by_seq ON object (tenant, object_type, seq);

CREATE TABLE outbox (
    id     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    tenant TEXT    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    body   BLOB    NOT NULL
) STRICT;
CREATE INDEX outbox_by_tenant ON outbox (tenant);

-- Who alone may do a thing for a while.
CREATE TABLE lease (
    name         TEXT    NOT NULL PRIMARY KEY,
    holder       BLOB    NOT NULL,
    leased_until INTEGER NOT NULL
) STRICT;

-- How far a reader of the log has come.
CREATE TABLE intake (
    name     TEXT    NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT;
INSERT INTO intake (name, position) VALUES ('events', 0);

-- Entries of the log that are no events.
CREATE TABLE aside (
    id       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    position INTEGER NOT NULL,
    subject  TEXT    NOT NULL,
    payload  BLOB    NOT NULL,
    reason   TEXT    NOT NULL,
    time     INTEGER NOT NULL
) STRICT;

-- Events that were taken in: deliveries share them, and one that comes again is known.
CREATE TABLE event (
    id       TEXT    NOT NULL,
    tenant   TEXT    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    taken_at INTEGER NOT NULL,
    body     BLOB    NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX event_by_taken_at ON event (taken_at);

CREATE TABLE delivery (
    id           BLOB    NOT NULL,
    tenant       TEXT    NOT NULL,
    integration  BLOB    NOT NULL,
    status       TEXT    NOT NULL,
    trigger      TEXT    NOT NULL,
    started_at   INTEGER NOT NULL,
    event_id     TEXT    NOT NULL,
    object_type  TEXT    NOT NULL,
    object_id    TEXT    NOT NULL,
    next_at      INTEGER NOT NULL,
    holder       BLOB,
    leased_until INTEGER,
    search       TEXT    NOT NULL,
    body         BLOB    NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, event_id) REFERENCES event (tenant, id),
    FOREIGN KEY (tenant, integration) REFERENCES integration (tenant, id) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX delivery_once ON delivery (tenant, event_id, integration) WHERE trigger = 'EVENT';
CREATE INDEX delivery_by_event ON delivery (tenant, event_id);
CREATE INDEX delivery_by_integration ON delivery (tenant, integration);
CREATE INDEX delivery_by_next_at ON delivery (next_at);
CREATE INDEX delivery_by_lane ON delivery (integration, next_at);

-- No foreign key to its Integration: records stay when it is deleted.
CREATE TABLE execution (
    id          BLOB    NOT NULL,
    tenant      TEXT    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    integration BLOB    NOT NULL,
    status      TEXT    NOT NULL,
    trigger     TEXT    NOT NULL,
    started_at  INTEGER NOT NULL,
    event_id    TEXT,
    object_type TEXT,
    object_id   TEXT,
    search      TEXT    NOT NULL,
    body        BLOB    NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX execution_by_integration ON execution (tenant, integration, id);
CREATE INDEX execution_by_event ON execution (tenant, event_id) WHERE event_id IS NOT NULL;
CREATE INDEX execution_by_object ON execution (tenant, object_id) WHERE object_id IS NOT NULL;
CREATE INDEX execution_by_started_at ON execution (started_at);

-- The bus where there is no other; on SQLite alone, where the order of positions is the order of commits.
-- Of a deleted tenant's entries the place stays, so that no reader sees a gap.
CREATE TABLE local_log (
    position     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    tenant       TEXT    NOT NULL,
    event_id     TEXT    NOT NULL,
    published_at INTEGER NOT NULL,
    body         BLOB,
    UNIQUE (tenant, event_id)
) STRICT;
CREATE INDEX local_log_by_published_at ON local_log (published_at);
