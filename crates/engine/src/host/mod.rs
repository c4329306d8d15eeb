//! What a script asks of the platform while it waits: HTTP calls and the tenant's objects.

mod http;
mod objects;
mod overlay;
mod transaction;

use std::rc::Rc;
use std::sync::Arc;

use mlua::{IntoLuaMulti, Lua, MultiValue, Value};
use tidegate_model::Error;
use tidegate_model::contract::{Actor, NOT_SENT, Objects};

use crate::attach::{NotAttached, NotSent};
use crate::egress::Response;
use crate::running::Running;
use crate::sandbox::Shared;
use crate::stop::Stop;
use crate::value::WriteError;

use objects::{Found, Operation};

pub(crate) use http::HttpCall;
pub(crate) use overlay::Overlay;

/// A request, read from the script's values.
pub(crate) enum Asked {
    Http(HttpCall),
    Objects(Actor, Operation),
    /// Make what the transaction changed.
    Commit(Actor, Arc<Overlay>),
}

/// What came of it.
pub(crate) enum Answered {
    Http(Result<Response, NotSent>),
    Objects(Result<Found, Error>),
    /// A trial does not call.
    NotSent,
    Committed(Result<(), Error>),
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

/// Reads a request: its name, then its arguments. `None` when nobody has to be asked.
pub(crate) fn read(
    lua: &Lua,
    shared: &Shared,
    run: &Running,
    name: &str,
    args: &MultiValue,
) -> Result<Option<Asked>, Refusal> {
    if name == "objects.transaction" {
        return transaction::read(run, args);
    }
    if name == "http" {
        if run.transaction().is_some() {
            return mistake("http.request: not within objects.transaction, which must not wait for the outside");
        }
        run.count_http()?;
        let Some(Value::Table(options)) = args.front() else { return mistake("http.request takes a table") };
        return http::read(lua, shared, run, options).map(Asked::Http).map(Some);
    }
    run.count_objects()?;
    let args: Vec<Value> = args.iter().cloned().collect();
    objects::read(lua, shared, run, &args).map(|operation| Some(Asked::Objects(run.actor(), operation)))
}

impl Asked {
    /// Whether the platform itself has to answer, rather than a third party.
    pub(crate) fn is_for_platform(&self) -> bool {
        matches!(self, Self::Objects(..) | Self::Commit(..))
    }

    /// Carries the request out.
    pub(crate) async fn answer(self, run: &Rc<Running>) -> Answered {
        match self {
            Self::Http(asked) => {
                let call = run.calls.begin(&asked, &*run.parts().clock);
                if run.trial.as_ref().is_some_and(|sheet| !sheet.sends()) {
                    run.calls.not_sent(&call, NOT_SENT);
                    return Answered::NotSent;
                }
                let (tenant, parts) = (run.runnable.integration.tenant.clone(), Arc::clone(run.parts()));
                let masks = run.masks.borrow().clone();
                let sent = run.io().run(async move { asked.send(&tenant, &parts, masks).await }).await;
                let came = sent.map(|sent| {
                    sent.map(|(response, attached)| {
                        if let Some(attached) = attached {
                            run.masks.borrow_mut().add(attached.masks());
                            run.calls.attached(&call, attached.header());
                        }
                        response
                    })
                });
                run.calls.answered(&call, came.as_ref());
                came.map_or(Answered::Lost, Answered::Http)
            }
            Self::Objects(actor, operation) => {
                let objects: Arc<dyn Objects> = match run.transaction() {
                    Some(overlay) => overlay,
                    None => run.parts().objects.clone(),
                };
                let done = run.io().run(async move { operation.carry_out(&*objects, &actor).await }).await;
                done.map_or(Answered::Lost, Answered::Objects)
            }
            Self::Commit(actor, overlay) => {
                let objects = run.parts().objects.clone();
                let done = run.io().run(async move { transaction::commit(&*objects, &actor, &overlay).await }).await;
                done.map_or(Answered::Lost, Answered::Committed)
            }
        }
    }
}

impl Answered {
    /// Whether this is the platform's own failure: another time the same request may be answered.
    pub(crate) fn is_platform_failure(&self) -> bool {
        match self {
            Self::Objects(Err(e)) | Self::Committed(Err(e)) => {
                matches!(e, Error::Internal { .. } | Error::Unavailable(_))
            }
            Self::Http(Err(NotSent::NotAttached(NotAttached::Vault { error, .. }))) => {
                matches!(error, Error::Internal { .. } | Error::Unavailable(_))
            }
            Self::Lost => true,
            Self::Http(_) | Self::Objects(Ok(_)) | Self::Committed(Ok(())) | Self::NotSent => false,
        }
    }

    /// Makes what the script's call comes back with: `true, value` or `false, message`.
    pub(crate) fn into_values(self, lua: &Lua, shared: &Shared) -> mlua::Result<MultiValue> {
        match self {
            Self::Http(Ok(response)) => (true, http::table(lua, &response)?).into_lua_multi(lua),
            Self::Http(Err(e)) => (false, e.to_string()).into_lua_multi(lua),
            Self::Objects(Ok(found)) => (true, objects::value(lua, shared, found)?).into_lua_multi(lua),
            Self::Objects(Err(e)) => (false, e.to_string()).into_lua_multi(lua),
            Self::NotSent => (false, NOT_SENT).into_lua_multi(lua),
            Self::Committed(Ok(())) => true.into_lua_multi(lua),
            Self::Committed(Err(e)) => (false, format!("objects.transaction: {e}")).into_lua_multi(lua),
            Self::Lost => (false, "internal error").into_lua_multi(lua),
        }
    }
}
