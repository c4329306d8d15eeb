//! Field paths as `proto/` spells them. The rules name fields as GraphQL does; there is one set of rules for both.

use tidegate_model::{Error, Violation};

/// The error with the paths of its violations as they are in messages.
pub(super) fn spelled(error: Error) -> Error {
    let Error::InvalidData(violations) = error else { return error };
    let spelled = |v: Violation| Violation { field: path(&v.field), expected: v.expected };
    Error::InvalidData(violations.into_iter().map(spelled).collect())
}

/// `in.coreLogicID` is `input.core_logic_id`: `in` is a reserved word in some languages.
fn path(field: &str) -> String {
    let rest = field.strip_prefix("in").filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    let mut path = if rest.is_some() { "input".to_owned() } else { String::new() };
    let mut before = '.';
    // A unit is one word.
    for letter in rest.unwrap_or(field).replace("MiB", "Mib").chars() {
        if letter.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) {
            path.push('_');
        }
        path.extend(letter.to_lowercase());
        before = letter;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_spelled_as_in_messages() {
        for (graphql, proto) in [
            ("in.coreLogicID", "input.core_logic_id"),
            ("in.baseUrl", "input.base_url"),
            ("in.subscriptions[3].objectType", "input.subscriptions[3].object_type"),
            ("in.limits.memoryMiB", "input.limits.memory_mib"),
            ("in", "input"),
            ("first", "first"),
            ("index", "index"),
            ("data.id", "data.id"),
            ("input.execution_id", "input.execution_id"),
        ] {
            assert_eq!(path(graphql), proto);
        }
    }
}
