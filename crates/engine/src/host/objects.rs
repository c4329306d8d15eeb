//! `objects`: its operations and their answers.

use mlua::{Lua, Value};
use tidegate_model::contract::{Actor, Objects};
use tidegate_model::{Error, Json, Object, ObjectId, TypeName};

use super::{Refusal, mistake};
use crate::running::Running;
use crate::sandbox::Shared;
use crate::value::{self, Bounds};
use crate::variables;

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

/// Reads the name of the operation and its arguments.
pub(super) fn read(lua: &Lua, shared: &Shared, run: &Running, args: &[Value]) -> Result<Operation, Refusal> {
    let Some(Value::String(name)) = args.first() else { return mistake("objects: which operation?") };
    let name = name.to_string_lossy();
    let object_type = parse::<TypeName>(args.get(1), &name, "an object type")?;
    let id = |place: usize| parse::<ObjectId>(args.get(place), &name, "an id");
    let all = |place: usize| attributes(lua, shared, run, args.get(place), &name);
    let data = |place: usize| all(place).map(|all| without_id(&all));
    Ok(match name.as_str() {
        "get" => Operation::Get(object_type, id(2)?),
        "find" => {
            let matching = if args.get(2).is_none_or(Value::is_nil) { Json::empty_object() } else { all(2)? };
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

/// The attributes of an object: a table.
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
    let bounds = Bounds { size: run.limits().result };
    let json =
        value::write(lua, &shared.converter, &shared.meter, bounds, &Value::Table(table.clone())).map_err(|e| {
            match Refusal::from(e) {
                Refusal::Mistake(what) => Refusal::Mistake(format!("objects.{operation}: {what}")),
                stop @ Refusal::Stop(_) => stop,
            }
        })?;
    let json = Json::trusted(json);
    // An array without items was written as an object has to be.
    match json.as_str() {
        "[]" => Ok(Json::empty_object()),
        text if text.starts_with('{') => Ok(json),
        _ => mistake(format!("objects.{operation}: a table of attributes was expected, not an array")),
    }
}

/// What is written of an object: its id, which reading it puts among its attributes, is none of them.
fn without_id(all: &Json) -> Json {
    let all = all.attributes().unwrap_or_default();
    Json::object(all.iter().filter(|(key, _)| key != "id").map(|(key, value)| (key.as_str(), value)))
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

impl Operation {
    /// Does it.
    pub(super) async fn carry_out(self, objects: &dyn Objects, actor: &Actor) -> Result<Found, Error> {
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

/// Makes the value that the call answers: objects with their ids among their attributes.
pub(super) fn value(lua: &Lua, shared: &Shared, found: Found) -> mlua::Result<Value> {
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
