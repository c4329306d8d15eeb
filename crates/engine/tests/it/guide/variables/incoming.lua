-- Variables of a webhook
-- `parameters` is the decoded body of a POST or query of a GET (a key that comes twice there is an array); `rawBody` is the exact body;
-- `requestUrl` is without its query; `headers` finds a name in any case, and joins repeated headers with `, `.

-- given: POST {"qty":2}
return {
    parameters = parameters,
    rawBody = rawBody,
    type = headers["Content-Type"],
    absent = headers["X-Nothing"] == nil,
    requestTime = requestTime,
    requestUrl = requestUrl,
}
-- result: {"parameters":{"qty":2},"rawBody":"{\"qty\":2}","type":"application/json","absent":true,
--   "requestTime":"2026-06-01T12:00:00Z","requestUrl":"https://gate.example/webhook/key"}
