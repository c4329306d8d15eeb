-- A second secret of a client while its first is being replaced, and clients of Tidegate's own services.
-- The same tables, columns and keys as migrations/sqlite/0014_clients.sql.

-- Null in clients of the version before: the first secret bears the client's own id and was made with it.
ALTER TABLE client ADD COLUMN secret_id UUID;
ALTER TABLE client ADD COLUMN secret_created_at BIGINT;
ALTER TABLE client ADD COLUMN second_secret BYTEA;
ALTER TABLE client ADD COLUMN second_secret_id UUID;
ALTER TABLE client ADD COLUMN second_secret_created_at BIGINT;

-- What an operator calls the service whose client it is.
ALTER TABLE client ADD COLUMN service TEXT COLLATE "C";
ALTER TABLE client DROP CONSTRAINT client_check;
ALTER TABLE client ADD CONSTRAINT client_check CHECK (CASE owner_kind
    WHEN 'ADMINISTRATOR' THEN COALESCE(integration_system, application, runtime) IS NULL AND tenant IS NULL
    WHEN 'SERVICE' THEN COALESCE(integration_system, application, runtime) IS NULL AND tenant IS NULL
    WHEN 'INTEGRATION_SYSTEM' THEN integration_system IS NOT NULL AND COALESCE(application, runtime) IS NULL AND tenant IS NULL
    WHEN 'APPLICATION' THEN application IS NOT NULL AND COALESCE(integration_system, runtime) IS NULL AND tenant IS NOT NULL
    WHEN 'RUNTIME' THEN runtime IS NOT NULL AND COALESCE(integration_system, application) IS NULL AND tenant IS NOT NULL
    ELSE FALSE END AND (owner_kind = 'SERVICE') = (service IS NOT NULL)
    AND (second_secret IS NULL) = (second_secret_id IS NULL) AND (second_secret IS NULL) = (second_secret_created_at IS NULL));
