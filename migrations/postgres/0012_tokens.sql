-- Access tokens that were revoked before their time (RFC 7009). One whose client is gone needs no row.

CREATE TABLE revoked_token (
    id         UUID   NOT NULL PRIMARY KEY,
    client     UUID   NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);
CREATE INDEX revoked_token_by_client ON revoked_token (client);
CREATE INDEX revoked_token_by_expiry ON revoked_token (expires_at);
