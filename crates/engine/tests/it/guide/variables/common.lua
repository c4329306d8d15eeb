-- Variables of every run
-- `integration`, `userContext` (the user that the script acts as), `organization` (the tenant) and `application` (Tidegate itself).
-- `integration.url` is there for outgoing ones only; `description` may be nil.

return { integration = integration, userContext = userContext, organization = organization, application = application }
-- result: {"integration":{"id":"00000000-0000-0000-0000-000000000007","name":"shop-orders","type":"INCOMING",
--   "httpMethod":"POST","description":"orders of the shop"},
--   "userContext":{"id":"00000000-0000-0000-0000-000000000008","username":"integration/shop-orders"},
--   "organization":{"id":"acme","name":"Acme Inc."},"application":{"name":"Tidegate","version":"1.2.3"}}
