//! Which attributes an object may have.

use tidegate_model::{Error, Json, ObjectId};

use crate::rules::{MAX_STATE_DEPTH, depth};

/// How many bytes of attributes an object may have: an update's event carries them twice, and has to fit in a message of the bus.
pub(super) const MAX_DATA: usize = 256 * 1024;

/// The attributes that a caller gave, without the id: an `id` that equals the object's says nothing new, another one is refused.
pub(super) fn given(data: &Json, id: &ObjectId) -> Result<Vec<(String, Json)>, Error> {
    let mut attributes = data.attributes().ok_or_else(|| Error::invalid("data", "a JSON object"))?;
    if let Some(place) = attributes.iter().position(|(key, _)| key == "id") {
        let (_, value) = attributes.remove(place);
        if value.to_value().as_str() != Some(id.as_str()) {
            return Err(Error::invalid("data.id", format!("no id, or the object's own: {id}")));
        }
    }
    Ok(attributes)
}

/// All attributes of an object, which are neither too large nor too deep.
pub(super) fn bounded(data: Json) -> Result<Json, Error> {
    if data.as_str().len() > MAX_DATA {
        return Err(Error::invalid("data", format!("at most {} KiB in all", MAX_DATA / 1024)));
    }
    if depth(&data) > MAX_STATE_DEPTH {
        return Err(Error::invalid("data", format!("arrays and objects nested at most {MAX_STATE_DEPTH} deep")));
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_among_the_attributes_is_dropped_when_it_is_the_objects_own_and_refused_otherwise() {
        let json = |text: &str| Json::parse(text).unwrap();
        let id: ObjectId = "7".parse().unwrap();
        assert_eq!(given(&json(r#"{"a":1,"id":"7"}"#), &id).unwrap().len(), 1);
        for other in [r#"{"id":"8"}"#, r#"{"id":7}"#, r#"{"id":null}"#] {
            assert!(matches!(given(&json(other), &id), Err(Error::InvalidData(_))), "{other}");
        }
        assert!(matches!(given(&json("[1]"), &id), Err(Error::InvalidData(_))));
    }
}
