-- What scripts find besides Lua itself: the libraries over their native halves, and the parts of Lua's own libraries that run native
-- code for longer than a script's limits allow. Runs once per machine, before the globals are locked.
local native = ...
local HOST, TURN, gave_way = native.host, native.turn, native.gave_way

local raise, type, tonumber, setmetatable, rawget, rawset, rawequal = error, type, tonumber, setmetatable, rawget, rawset, rawequal
local pack, unpack = table.pack, table.unpack
local try, try_with = pcall, xpcall
local create, resume, yield, isyieldable = coroutine.create, coroutine.resume, coroutine.yield, coroutine.isyieldable
local find, sub, lower, rep, match, gmatch, gsub, split =
    string.find, string.sub, string.lower, string.rep, string.match, string.gmatch, string.gsub, string.split
local sort, move, concat = table.sort, table.move, table.concat
local seed_random, min, max = math.randomseed, math.min, math.max
local exceed = native.exceed

local library = {}

-- == errors: one that says that a limit was reached ends the run, whoever caught it ==

local raised, judge = native.raised, native.judge

-- Luau tells some limits by plain texts. A script may raise the same text, its own or a partner's: then it means nothing.
function error(message, level)
    if type(message) == "string" then raised(message) end
    raise(message, if level == 0 then 0 else (tonumber(level) or 1) + 1)
end

local error = error

-- Natives answer (true, value) or (false, message): so the error carries the script's line, and is a string.
local function answered(ok, ...)
    if ok then return ... end
    error((...), 3)
end

-- Hands a request to the platform and comes back with the answer; `level` is where the script called.
local function await(level, request, ...)
    if not isyieldable() then
        error(request .. " cannot wait within a comparator, a callback or a metamethod: call it before", level)
    end
    return yield(HOST, request, ...)
end

local function optional(value, kind, name)
    if value ~= nil and type(value) ~= kind then error(name .. " must be a " .. kind .. ", not a " .. type(value), 3) end
    return value
end

local function judged(ok, ...)
    if ok then return ok, ... end
    return ok, judge((...))
end

-- What was raised within a handler is caught nowhere.
local function handled(...)
    raised(nil)
    return ...
end

function pcall(f, ...) return judged(try(f, ...)) end

function xpcall(f, handler, ...)
    if type(handler) ~= "function" then return try_with(f, handler, ...) end
    return handled(try_with(f, function(e) return handler(judge(e)) end, ...))
end

-- == coroutines: a request of the platform passes through the script's own, and so does a turn that is over ==

local function is_of_platform(co, first)
    return rawequal(first, HOST) or rawequal(first, TURN) or (first == nil and gave_way(co))
end

local function relay(co, results)
    while results[1] and is_of_platform(co, results[2]) do
        if rawequal(results[2], HOST) then
            results = pack(resume(co, yield(unpack(results, 2, results.n))))
        else
            if isyieldable() then yield(TURN) end
            results = pack(resume(co))
        end
    end
    if not results[1] then return false, judge(results[2]) end
    return unpack(results, 1, results.n)
end

local function resumed(co, ...)
    local ok, first = ...
    if not ok then return ok, judge(first) end
    if is_of_platform(co, first) then
        local results = pack(...)
        -- Told once.
        if first == nil then results[2] = TURN end
        return relay(co, results)
    end
    return ...
end

function coroutine.resume(co, ...)
    return resumed(co, resume(co, ...))
end

local function unwrapped(ok, ...)
    if ok then return ... end
    error((...), 0)
end

function coroutine.wrap(f)
    local co = create(f)
    return function(...) return unwrapped(resumed(co, resume(co, ...))) end
end

-- == Lua's own, bounded ==

local MANY = 2 ^ 31 - 1
local HUGE = 2 ^ 29
local SMALL = 2 ^ 20
local STEP = 2 ^ 16
local SET_WORK = 2 ^ 23

-- Whether Luau may count from one to the other without a chance to stop. It takes texts for the numbers that they say, and what fits no integer of
-- its own for any of them: not-a-number is within nothing.
local function within(from, to, most)
    from, to = tonumber(from), tonumber(to)
    return not from or not to or (from >= -MANY and to <= MANY and from <= MANY and to >= -MANY and to - from <= most)
end

function string.rep(s, n, ...)
    local times = tonumber(n) or 0
    if times > MANY or (type(s) == "string" and times * #s > HUGE) then exceed("string.rep") end
    return rep(s, n, ...)
end

local function has_specials(pattern)
    return find(pattern, "[%^%$%*%+%?%.%(%)%[%]%%%-]") ~= nil
end

-- A set in a pattern is walked anew for each character, without a chance to stop.
local function guard(s, pattern)
    if type(s) == "string" and type(pattern) == "string" and #s * #pattern > SET_WORK and find(pattern, "[", 1, true) then
        exceed("pattern with a set over a long text")
    end
end

function string.find(s, pattern, init, plain)
    if type(s) == "string" and type(pattern) == "string" and #s * #pattern > SMALL then
        if plain or not has_specials(pattern) then return native.find(s, pattern, init or 1) end
        guard(s, pattern)
    end
    return find(s, pattern, init, plain)
end

function string.match(s, pattern, ...)
    guard(s, pattern)
    return match(s, pattern, ...)
end

function string.gmatch(s, pattern)
    guard(s, pattern)
    return gmatch(s, pattern)
end

function string.gsub(s, pattern, ...)
    guard(s, pattern)
    return gsub(s, pattern, ...)
end

function string.split(s, separator)
    if type(s) ~= "string" or type(separator) ~= "string" or #s * #separator <= SMALL then return split(s, separator) end
    local parts, from = {}, 1
    while true do
        local first, last = native.find(s, separator, from)
        if not first then
            parts[#parts + 1] = sub(s, from)
            return parts
        end
        parts[#parts + 1] = sub(s, from, first - 1)
        from = last + 1
    end
end

local function less(a, b) return a < b end

function table.sort(t, comparator)
    sort(t, if comparator == nil then less else comparator)
end

function table.move(a, f, e, t, ...)
    if within(f, e, STEP) then return move(a, f, e, t, ...) end
    local first, last, to = tonumber(f), tonumber(e), tonumber(t)
    if not to or not within(first, last, MANY) or (first % 1) + (last % 1) + (to % 1) ~= 0 then exceed("table.move") end
    -- Step by step it can be stopped; the last step first where what is still to be moved would be overwritten.
    for done = 0, last - first, STEP do
        if to > first then
            local low = max(first, last - done - STEP + 1)
            move(a, low, last - done, to + low - first, ...)
        else
            move(a, first + done, min(last, first + done + STEP - 1), to + done, ...)
        end
    end
    return (...) or a
end

function table.concat(t, separator, i, j)
    if not within(i or 1, j, 4 * SMALL) then exceed("table.concat") end
    return concat(t, separator, i, j)
end

-- == log, print, fail ==

local log = {}
for _, level in { "debug", "info", "warn", "error" } do
    log[level] = function(...) native.log(level, ...) end
end
library.log = setmetatable(log, table.freeze({
    __call = function(_, ...) native.log("info", ...) end,
    __metatable = false,
}))
library.print = log.info
library.fail = native.fail

-- == json ==

library.json = {
    null = native.null,
    encode = function(value) return answered(native.json_encode(value)) end,
    decode = function(text) return answered(native.json_decode(text)) end,
    array = function(t) return setmetatable(if t == nil then {} else t, native.array) end,
    is_null = function(value) return rawequal(value, native.null) end,
}

-- == headers: names in any case ==

local headers = table.freeze({
    __index = function(t, name)
        if type(name) ~= "string" then return nil end
        return rawget(t, lower(name))
    end,
    __newindex = function(t, name, value)
        rawset(t, if type(name) == "string" then lower(name) else name, value)
    end,
})

native.headers = headers

-- == http ==

local function request(options)
    if type(options) ~= "table" then error("http.request takes a table", 3) end
    local ok, response = await(4, "http", options)
    if not ok then error(response, 3) end
    setmetatable(response.headers, headers)
    function response.json() return answered(native.json_decode(response.body)) end
    return response
end

library.http = {
    request = function(options) return request(options) end,
    get = function(url, options)
        local all = table.clone(optional(options, "table", "options") or {})
        all.method, all.url = "GET", url
        return request(all)
    end,
    post = function(url, options)
        local all = table.clone(optional(options, "table", "options") or {})
        all.method, all.url = "POST", url
        return request(all)
    end,
}

-- == objects ==

local objects = {}
for _, operation in { "get", "find", "create", "update", "upsert", "delete" } do
    objects[operation] = function(...)
        local ok, result = await(3, "objects", operation, ...)
        if not ok then error(result, 2) end
        return result
    end
end

local function ended(ok, ...)
    if not ok then
        local why = judge((...))
        await(4, "objects.transaction", "rollback")
        error(why, 0)
    end
    local made, why = await(4, "objects.transaction", "commit")
    if not made then error(why, 3) end
    return ...
end

-- The platform collects what is changed between "begin" and "commit".
function objects.transaction(f)
    if type(f) ~= "function" then error("objects.transaction takes a function", 2) end
    local begun, why = await(3, "objects.transaction", "begin")
    if not begun then error(why, 2) end
    return ended(try(f))
end

library.objects = objects

-- == pure functions ==

for name, functions in native.pure do
    local wrapped = {}
    for key, f in functions do
        wrapped[key] = function(...) return answered(f(...)) end
    end
    library[name] = wrapped
end

-- == the body of every run ==

local caught = native.caught

function native.root(script, seed)
    seed_random(seed)
    local ok, result = try_with(script, caught)
    return ok, result
end

return library
