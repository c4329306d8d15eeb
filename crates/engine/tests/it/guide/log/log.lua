-- `log(...)`, `log.debug(...)`, `log.info(...)`, `log.warn(...)`, `log.error(...)`, `print(...)`
-- A line in the execution record; `log` and `print` are `log.info`. Tables are shown as JSON. A warning makes a success
-- `SUCCESS_WITH_WARNING`; an error does not make it a failure.

-- given: POST {"qty":2,"tags":["a"]}
log("order of", parameters.qty, parameters.tags)
print("the same level")
log.debug("a detail")
log.info("a step")
log.warn("no sku")
log.error("no price")
return {}
-- logs: info: order of 2 ["a"]
-- logs: info: the same level
-- logs: debug: a detail
-- logs: info: a step
-- logs: warn: no sku
-- logs: error: no price
-- result: {}
