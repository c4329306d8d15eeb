-- Which calls of webhooks came, so that one that is repeated gets the first one's answer and does not run again. A row whose time is over is as
-- if it were not there; retention takes it away.

CREATE TABLE repeat (
    tenant     TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    hash       BLOB NOT NULL,
    content    BLOB NOT NULL,
    holder     BLOB NOT NULL,
    held_until INTEGER NOT NULL,
    answer     BLOB,
    PRIMARY KEY (tenant, hash)
) STRICT;
CREATE INDEX repeat_by_held_until ON repeat (held_until);
