//! What a script asks of the platform while it waits: HTTP calls and the tenant's objects.

mod http;
mod objects;

use std::rc::Rc;

use mlua::{IntoLuaMulti, Lua, MultiValue, Value};
use tidegate_model::Error;
use tidegate_model::contract::Actor;

use crate::egress::{Egress, EgressError, Request, Response};
use crate::running::Running;
use crate::sandbox::Shared;
use crate::stop::Stop;
use crate::value::WriteError;

use objects::{Found, Operation};

/// A request, read from the script's values.
pub(crate) enum Asked {
    Http(Request),
    Objects(Actor, Operation),
}

/// What came of it.
pub(crate) enum Answered {
    Http(Result<Response, EgressError>),
    Objects(Result<Found, Error>),
    /// A trial does not call.
    NotSent,
    /// The platform's own failure.
    Lost,
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
        return http::read(lua, shared, run, options).map(Asked::Http);
    }
    run.count_objects()?;
    let args: Vec<Value> = args.iter().cloned().collect();
    objects::read(lua, shared, run, &args).map(|operation| Asked::Objects(run.actor(), operation))
}

impl Asked {
    /// Whether the platform itself has to answer, rather than a third party.
    pub(crate) fn is_for_platform(&self) -> bool {
        matches!(self, Self::Objects(..))
    }

    /// Carries the request out.
    pub(crate) async fn answer(self, run: &Rc<Running>) -> Answered {
        match self {
            Self::Http(request) => {
                let noted = run.trial.as_ref().map(|sheet| (sheet, sheet.note_call(&request)));
                if noted.is_some_and(|(sheet, _)| !sheet.sends()) {
                    return Answered::NotSent;
                }
                let egress: Egress = run.parts.egress.clone();
                let sent = run.io.run(async move { egress.send(request).await }).await;
                if let (Some((sheet, call)), Some(came)) = (noted, &sent) {
                    sheet.note_answer(call, came);
                }
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

impl Answered {
    /// Whether this is the platform's own failure: another time the same request may be answered.
    pub(crate) fn is_platform_failure(&self) -> bool {
        match self {
            Self::Objects(Err(Error::Internal { .. } | Error::Unavailable(_))) | Self::Lost => true,
            Self::Http(_) | Self::Objects(_) | Self::NotSent => false,
        }
    }

    /// Makes what the script's call comes back with: `true, value` or `false, message`.
    pub(crate) fn into_values(self, lua: &Lua, shared: &Shared) -> mlua::Result<MultiValue> {
        match self {
            Self::Http(Ok(response)) => (true, http::table(lua, &response)?).into_lua_multi(lua),
            Self::Http(Err(e)) => (false, e.to_string()).into_lua_multi(lua),
            Self::Objects(Ok(found)) => (true, objects::value(lua, shared, found)?).into_lua_multi(lua),
            Self::Objects(Err(e)) => (false, e.to_string()).into_lua_multi(lua),
            Self::NotSent => (false, crate::trial::NOT_SENT).into_lua_multi(lua),
            Self::Lost => (false, "internal error").into_lua_multi(lua),
        }
    }
}
