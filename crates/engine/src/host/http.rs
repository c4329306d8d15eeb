//! `http.request`: its options and its answer.

use std::time::Duration;

use bytes::Bytes;
use mlua::{Lua, LuaString, Table, Value};
use tidegate_model::{TenantId, kept};

use super::{Refusal, mistake};
use crate::attach::{Attached, NotAttached, NotSent};
use crate::egress::{MAX_HEADERS, Request, Response};
use crate::engine::Parts;
use crate::library::form;
use crate::masks::Masks;
use crate::running::Running;
use crate::sandbox::Shared;
use crate::value::{self, Bounds};

/// So many bytes at most have all headers of a call together, names and values.
const HEADERS: usize = 64 << 10;

/// A call that a script asks for.
pub(crate) struct HttpCall {
    pub(crate) request: Request,
    /// The name of the credential to attach.
    pub(crate) credential: Option<String>,
}

impl HttpCall {
    /// Makes the call, for this tenant. What comes back holds none of the secrets that went with it, nor those of `masks`.
    pub(super) async fn send(
        self,
        tenant: &TenantId,
        parts: &Parts,
        mut masks: Masks,
    ) -> Result<(Response, Option<Attached>), NotSent> {
        let Self { request, credential } = self;
        let (response, attached) = match (credential, &parts.attach) {
            (Some(name), Some(attach)) => {
                let (response, attached) = attach.send(tenant, &name, request).await?;
                masks.add(attached.masks());
                (response, Some(attached))
            }
            (Some(name), None) => return Err(NotAttached::Unknown(name).into()),
            (None, _) => (parts.egress.send(request).await?, None),
        };
        Ok((masks.response(response), attached))
    }
}

/// Reads the table that `http.request` takes.
pub(super) fn read(lua: &Lua, shared: &Shared, run: &Running, options: &Table) -> Result<HttpCall, Refusal> {
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
    let credential = text(options, "credential")?;
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
        None => run.limits().http_timeout,
        Some(seconds) if seconds > 0.0 && seconds.is_finite() => {
            Duration::try_from_secs_f64(seconds).map_or(run.limits().http_timeout, |t| t.min(run.limits().http_timeout))
        }
        Some(_) => return mistake("http.request: timeout is a number of seconds above 0"),
    };
    let request = Request { method, url, headers, body, timeout, max_response: run.limits().http_response };
    Ok(HttpCall { request, credential })
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
    let mut room = HEADERS;
    let mut takes = |text: &LuaString| match room.checked_sub(text.as_bytes().len()) {
        Some(rest) => {
            room = rest;
            true
        }
        None => false,
    };
    // An error ends the walk; what it says is told below.
    let end = || Err(mlua::Error::StackError);
    let walked = table.for_each(|name: Value, value: Value| {
        let (Value::String(name), Value::String(_) | Value::Integer(_) | Value::Number(_)) = (&name, &value) else {
            fault = Some(format!("header {:?} must have a name and a string", shown(&name)));
            return end();
        };
        if headers.len() == MAX_HEADERS || !takes(name) || !value.as_string().is_none_or(&mut takes) {
            fault = Some(format!("at most {MAX_HEADERS} headers of {} KiB together are sent", HEADERS >> 10));
            return end();
        }
        headers.push((name.to_string_lossy(), value.to_string()?));
        Ok(())
    });
    match fault {
        Some(what) => mistake(format!("http.request: {what}")),
        None => walked.map(|()| headers).map_err(Refusal::from),
    }
}

/// A header's name as a message shows it.
fn shown(name: &Value) -> String {
    match name {
        Value::String(name) => kept::start_of(&name.to_string_lossy(), 64),
        other => other.type_name().to_owned(),
    }
}

/// Makes the table that `http.request` answers; the prelude adds `json()`.
pub(super) fn table(lua: &Lua, response: &Response) -> mlua::Result<Table> {
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
