-- Listing records by Integration, status and time takes as long among a million as among a thousand: every list is read in the order of an
-- index. An Integration's records of any status are those of each status, merged.

DROP INDEX execution_by_integration;
CREATE INDEX execution_by_integration ON execution (tenant, integration, status, id);
CREATE INDEX execution_by_status ON execution (tenant, status, id);
DROP INDEX execution_by_event;
CREATE INDEX execution_by_event ON execution (tenant, event_id, id) WHERE event_id IS NOT NULL;
DROP INDEX execution_by_object;
CREATE INDEX execution_by_object ON execution (tenant, object_id, id) WHERE object_id IS NOT NULL;
DROP INDEX delivery_by_integration;
CREATE INDEX delivery_by_integration ON delivery (tenant, integration, id);
