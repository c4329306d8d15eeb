//! What a script asks of the platform while it waits: HTTP calls and the tenant's objects.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use mlua::{IntoLuaMulti, Lua, MultiValue, Table, Value};
use tidegate_model::contract::{Actor, Objects};
use tidegate_model::{Error, Json, Object, ObjectId, TypeName};

use crate::egress::{Egress, EgressError, Request, Response};
use crate::library::form;
use crate::running::Running;
use crate::sandbox::Shared;
use crate::stop::Stop;
use crate::value::{self, Bounds, WriteError};
use crate::variables;

/// A request, read from the script's values.
pub(crate) enum Asked {
    Http(Request),
    Objects(Actor, Operation),
}

/// What came of it.
pub(crate) enum Answered {
    Http(Result<Response, EgressError>),
    Objects(Result<Found, Error>),
    /// The platform's own failure.
    Lost,
}

/// One call of `objects`.
pub(crate) enum Operation {
    Get(TypeName, ObjectId),
    Find(TypeName, Json, u32),
    Create(TypeName, Option<ObjectId>, Json),
    Update(TypeName, ObjectId, Json),
    Upsert(TypeName, ObjectId, Json),
    Delete(TypeName, ObjectId),
}

/// What a call of `objects` answers.
pub(crate) enum Found {
    Nothing,
    One(Object),
    Several(Vec<Object>),
}

/// Why a request is not carried out.
pub(crate) enum Refusal {
    /// The script made a mistake that it can catch.
    Mistake(String),
    Stop(Stop),
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl From<mlua::Error> for Refusal {
    fn from(error: mlua::Error) -> Self {
        match crate::stop::within(&error) {
            Some(stop) => Self::Stop(stop.clone()),
            None => Self::Mistake(error.to_string()),
        }
    }
}

impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Stop(Stop::ResultDepth(_) | Stop::ResultSize(_)) => Self::Mistake("it is too large".to_owned()),
            WriteError::Stop(stop) => Self::Stop(stop),
            unfit @ WriteError::Unfit { .. } => Self::Mistake(unfit.to_string()),
        }
    }
}

fn mistake<T>(what: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Mistake(what.into()))
}

/// Reads a request: its name, then its arguments.
pub(crate) fn read(lua: &Lua, shared: &Shared, run: &Running, name: &str, args: &MultiValue) -> Result<Asked, Refusal> {
    if name == "http" {
        run.count_http()?;
        let Some(Value::Table(options)) = args.front() else { return mistake("http.request takes a table") };
        return http(lua, shared, run, options).map(Asked::Http);
    }
    run.count_objects()?;
    let args: Vec<Value> = args.iter().cloned().collect();
    operation(lua, shared, run, &args).map(|operation| Asked::Objects(run.actor(), operation))
}

fn http(lua: &Lua, shared: &Shared, run: &Running, options: &Table) -> Result<Request, Refusal> {
    const KNOWN: [&str; 8] = ["method", "url", "headers", "body", "json", "form", "timeout", "credential"];
    let mut unknown = None;
    options.for_each(|key: Value, _: Value| {
        let known = matches!(&key, Value::String(key) if KNOWN.iter().any(|known| key == known));
        if !known {
            unknown = Some(key.to_string().unwrap_or_default());
        }
        Ok(())
    })?;
    if let Some(key) = unknown {
        return mistake(format!("http.request knows no option {key:?}"));
    }
    if !options.raw_get::<Value>("credential")?.is_nil() {
        return mistake("http.request: credentials are not available yet; remove the option credential");
    }
    let Some(url) = text(options, "url")? else { return mistake("http.request needs a url") };
    let method = text(options, "method")?.unwrap_or_else(|| "GET".to_owned()).to_ascii_uppercase();
    let Ok(method) = http::Method::from_bytes(method.as_bytes()) else {
        return mistake(format!("http.request: {method:?} is no method"));
    };
    if matches!(method, http::Method::CONNECT | http::Method::TRACE) {
        return mistake(format!("http.request: {method} is not available"));
    }
    let mut headers = match options.raw_get::<Value>("headers")? {
        Value::Nil => Vec::new(),
        Value::Table(table) => header_list(&table)?,
        _ => return mistake("http.request: headers must be a table"),
    };
    let mut default_type = |value: &str| {
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("content-type".to_owned(), value.to_owned()));
        }
    };
    let (body, json, fields) =
        (options.raw_get::<Value>("body")?, options.raw_get::<Value>("json")?, options.raw_get::<Value>("form")?);
    let body = match (body, json, fields) {
        (Value::Nil, Value::Nil, Value::Nil) => None,
        (Value::String(body), Value::Nil, Value::Nil) => Some(Bytes::copy_from_slice(&body.as_bytes())),
        (Value::Nil, json, Value::Nil) => {
            default_type("application/json");
            let bounds = Bounds { size: shared.meter.memory() / 2 };
            Some(value::write(lua, &shared.converter, &shared.meter, bounds, &json)?.into())
        }
        (Value::Nil, Value::Nil, Value::Table(fields)) => {
            default_type("application/x-www-form-urlencoded");
            Some(form(lua, shared, &fields).map_err(Refusal::Mistake)?.into())
        }
        _ => return mistake("http.request takes one of body (a string), json, form (a table)"),
    };
    let timeout = match options.raw_get::<Option<f64>>("timeout")? {
        None => run.limits.http_timeout,
        Some(seconds) if seconds > 0.0 && seconds.is_finite() => {
            Duration::try_from_secs_f64(seconds).map_or(run.limits.http_timeout, |t| t.min(run.limits.http_timeout))
        }
        Some(_) => return mistake("http.request: timeout is a number of seconds above 0"),
    };
    Ok(Request { method, url, headers, body, timeout, max_response: run.limits.http_response })
}

fn text(options: &Table, name: &str) -> Result<Option<String>, Refusal> {
    match options.raw_get::<Value>(name)? {
        Value::Nil => Ok(None),
        Value::String(text) => match text.to_str() {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(_) => mistake(format!("http.request: {name} is not UTF-8")),
        },
        other => mistake(format!("http.request: {name} must be a string, not a {}", other.type_name())),
    }
}

fn header_list(table: &Table) -> Result<Vec<(String, String)>, Refusal> {
    let mut headers = Vec::new();
    let mut fault = None;
    table.for_each(|name: Value, value: Value| {
        match (&name, &value) {
            (Value::String(name), Value::String(_) | Value::Integer(_) | Value::Number(_)) => {
                headers.push((name.to_string_lossy(), value.to_string()?));
            }
            _ => fault = Some(name.to_string().unwrap_or_default()),
        }
        Ok(())
    })?;
    match fault {
        Some(name) => mistake(format!("http.request: header {name:?} must have a name and a string")),
        None => Ok(headers),
    }
}

fn operation(lua: &Lua, shared: &Shared, run: &Running, args: &[Value]) -> Result<Operation, Refusal> {
    let Some(Value::String(name)) = args.first() else { return mistake("objects: which operation?") };
    let name = name.to_string_lossy();
    let object_type = parse::<TypeName>(args.get(1), &name, "an object type")?;
    let id = |place: usize| parse::<ObjectId>(args.get(place), &name, "an id");
    let data = |place: usize| attributes(lua, shared, run, args.get(place), &name);
    Ok(match name.as_str() {
        "get" => Operation::Get(object_type, id(2)?),
        "find" => {
            let matching = if args.get(2).is_none_or(Value::is_nil) { Json::empty_object() } else { data(2)? };
            Operation::Find(object_type, matching, limit(args.get(3))?)
        }
        "create" => {
            let id = if args.get(3).is_none_or(Value::is_nil) { None } else { Some(id(3)?) };
            Operation::Create(object_type, id, data(2)?)
        }
        "update" => Operation::Update(object_type, id(2)?, data(3)?),
        "upsert" => Operation::Upsert(object_type, id(2)?, data(3)?),
        "delete" => Operation::Delete(object_type, id(2)?),
        other => return mistake(format!("objects has no {other}")),
    })
}

fn parse<T: TryFrom<String>>(value: Option<&Value>, operation: &str, what: &str) -> Result<T, Refusal>
where
    T::Error: std::fmt::Display,
{
    let text = match value {
        Some(Value::String(text)) => text.to_str().map(|text| text.to_owned()).ok(),
        Some(Value::Integer(number)) => Some(number.to_string()),
        Some(Value::UserData(data)) => data.borrow::<value::Exact>().ok().map(|exact| exact.as_str().to_owned()),
        _ => None,
    };
    let Some(text) = text else { return mistake(format!("objects.{operation}: {what} was expected")) };
    T::try_from(text).map_err(|e| Refusal::Mistake(format!("objects.{operation}: {what}: {e}")))
}

/// The attributes of an object: a table, whose `id` (which reading an object puts there) is left out.
fn attributes(
    lua: &Lua,
    shared: &Shared,
    run: &Running,
    value: Option<&Value>,
    operation: &str,
) -> Result<Json, Refusal> {
    let Some(Value::Table(table)) = value else {
        return mistake(format!("objects.{operation}: a table of attributes was expected"));
    };
    let bounds = Bounds { size: run.limits.result };
    let json =
        value::write(lua, &shared.converter, &shared.meter, bounds, &Value::Table(table.clone())).map_err(|e| {
            match Refusal::from(e) {
                Refusal::Mistake(what) => Refusal::Mistake(format!("objects.{operation}: {what}")),
                stop @ Refusal::Stop(_) => stop,
            }
        })?;
    let json = Json::trusted(json);
    // An array without items was written as an object has to be.
    let Some(all) = json.attributes() else {
        return if json.as_str() == "[]" {
            Ok(Json::empty_object())
        } else {
            mistake(format!("objects.{operation}: a table of attributes was expected, not an array"))
        };
    };
    Ok(Json::object(all.iter().filter(|(key, _)| key != "id").map(|(key, value)| (key.as_str(), value))))
}

fn limit(options: Option<&Value>) -> Result<u32, Refusal> {
    const MOST: u32 = 1000;
    const USUAL: u32 = 100;
    match options {
        None | Some(Value::Nil) => Ok(USUAL),
        Some(Value::Table(options)) => match options.raw_get::<Value>("limit")? {
            Value::Nil => Ok(USUAL),
            Value::Integer(n) => match u32::try_from(n) {
                Ok(n @ 1..=MOST) => Ok(n),
                _ => mistake("objects.find: limit is a number from 1 to 1000"),
            },
            _ => mistake("objects.find: limit is a number from 1 to 1000"),
        },
        Some(_) => mistake("objects.find: options must be a table"),
    }
}

impl Asked {
    /// Carries the request out.
    pub(crate) async fn answer(self, run: &Rc<Running>) -> Answered {
        match self {
            Self::Http(request) => {
                let egress: Egress = run.parts.egress.clone();
                let sent = run.io.run(async move { egress.send(request).await }).await;
                sent.map_or(Answered::Lost, Answered::Http)
            }
            Self::Objects(actor, operation) => {
                let objects = run.parts.objects.clone();
                let done = run.io.run(async move { operation.carry_out(&*objects, &actor).await }).await;
                done.map_or(Answered::Lost, Answered::Objects)
            }
        }
    }
}

impl Operation {
    async fn carry_out(self, objects: &dyn Objects, actor: &Actor) -> Result<Found, Error> {
        Ok(match self {
            Self::Get(t, id) => objects.get(actor, &t, &id).await?.map_or(Found::Nothing, Found::One),
            Self::Find(t, matching, limit) => Found::Several(objects.find(actor, &t, &matching, limit).await?),
            Self::Create(t, id, data) => Found::One(objects.create(actor, &t, id, &data).await?),
            Self::Update(t, id, data) => Found::One(objects.update(actor, &t, &id, &data, None).await?),
            Self::Upsert(t, id, data) => Found::One(objects.upsert(actor, &t, &id, &data).await?),
            Self::Delete(t, id) => {
                objects.delete(actor, &t, &id, None).await?;
                Found::Nothing
            }
        })
    }
}

impl Answered {
    /// Makes what the script's call comes back with: `true, value` or `false, message`.
    pub(crate) fn into_values(self, lua: &Lua, shared: &Shared) -> mlua::Result<MultiValue> {
        match self {
            Self::Http(Ok(response)) => (true, http_table(lua, &response)?).into_lua_multi(lua),
            Self::Http(Err(e)) => (false, e.to_string()).into_lua_multi(lua),
            Self::Objects(Ok(found)) => (true, object_value(lua, shared, found)?).into_lua_multi(lua),
            Self::Objects(Err(e)) => (false, e.to_string()).into_lua_multi(lua),
            Self::Lost => (false, "internal error").into_lua_multi(lua),
        }
    }
}

fn http_table(lua: &Lua, response: &Response) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("status", response.status)?;
    let headers = lua.create_table()?;
    for (name, value) in &response.headers {
        match headers.raw_get::<Option<String>>(name.as_str())? {
            Some(earlier) => headers.raw_set(name.as_str(), format!("{earlier}, {value}"))?,
            None => headers.raw_set(name.as_str(), value.as_str())?,
        }
    }
    table.raw_set("headers", headers)?;
    table.raw_set("body", lua.create_string(&response.body)?)?;
    table.raw_set("truncated", response.truncated)?;
    Ok(table)
}

fn object_value(lua: &Lua, shared: &Shared, found: Found) -> mlua::Result<Value> {
    match found {
        Found::Nothing => Ok(Value::Nil),
        Found::One(object) => variables::with_id(lua, shared, &object.data, object.id.as_str()),
        Found::Several(objects) => {
            let list = lua.create_table()?;
            for object in objects {
                list.raw_push(variables::with_id(lua, shared, &object.data, object.id.as_str())?)?;
            }
            list.set_metatable(Some(shared.converter.array.clone()))?;
            Ok(Value::Table(list))
        }
    }
}
