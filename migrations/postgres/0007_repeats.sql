-- Which calls of webhooks came, so that one that is repeated gets the first one's answer and does not run again. A row whose time is over is as
-- if it were not there; retention takes it away.

CREATE TABLE repeat (
    tenant     TEXT COLLATE "C" NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    hash       BYTEA NOT NULL,
    content    BYTEA NOT NULL,
    holder     UUID NOT NULL,
    held_until BIGINT NOT NULL,
    answer     BYTEA,
    PRIMARY KEY (tenant, hash)
);
CREATE INDEX repeat_by_held_until ON repeat (held_until);
