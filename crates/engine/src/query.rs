//! A body in the query of a GET (CONTRACT section 4). Pure.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use tidegate_model::Json;

/// The URL with the body's attributes as `key1=value1&key2=value2`, sorted by key, form-encoded, before any fragment.
///
/// Nested values are compact JSON, null is an empty value, and an empty body leaves the URL as it is.
pub(crate) fn appended(url: &str, body: &Json) -> String {
    let mut attributes = body.attributes().unwrap_or_default();
    if attributes.is_empty() {
        return url.to_owned();
    }
    attributes.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (key, value) in &attributes {
        form.append_pair(key, &text(value));
    }
    let (before, fragment) = url.find('#').map_or((url, ""), |at| url.split_at(at));
    let separator = match before.find('?') {
        None => "?",
        Some(_) if before.ends_with(['?', '&']) => "",
        Some(_) => "&",
    };
    format!("{before}{separator}{}{fragment}", form.finish())
}

fn text(value: &Json) -> String {
    if value.as_str().trim() == "null" {
        return String::new();
    }
    scalar(value).unwrap_or_else(|| compact(value.as_str()))
}

/// The text of a string, a number or a boolean; `None` for the others. Numbers stay as they are written.
pub(crate) fn scalar(value: &Json) -> Option<String> {
    let text = value.as_str().trim();
    match text.as_bytes().first()? {
        b'"' => serde_json::from_str(text).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(text.to_owned()),
    }
}

/// Valid JSON without spaces, keys sorted, so that the same value always makes the same URL. Numbers stay as they are written.
fn compact(text: &str) -> String {
    let text = text.trim();
    match text.as_bytes().first() {
        Some(b'{') => {
            let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).unwrap_or_default();
            let members = members.iter().map(|(key, value)| format!("{}:{}", Json::of(key), compact(value.get())));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Some(b'[') => {
            let items: Vec<Box<RawValue>> = serde_json::from_str(text).unwrap_or_default();
            format!("[{}]", items.iter().map(|item| compact(item.get())).collect::<Vec<_>>().join(","))
        }
        Some(b'"') => Json::of(&serde_json::from_str::<String>(text).unwrap_or_default()).to_string(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;
    use url::Url;

    use super::*;

    fn get(url: &str, body: &str) -> String {
        appended(url, &Json::parse(body).unwrap())
    }

    #[test]
    fn keys_are_sorted_and_values_form_encoded() {
        let body = r#"{"b":"x y&z=é","a":9007199254740993,"c":true,"d":1.50}"#;
        assert_eq!(
            get("https://x.example/p", body),
            "https://x.example/p?a=9007199254740993&b=x+y%26z%3D%C3%A9&c=true&d=1.50"
        );
    }

    #[test]
    fn nested_values_are_compact_json_and_null_is_empty() {
        let body = r#"{"n": null, "o": {"b": [1, {"z": "q r"}], "a": 1.0}, "e": [ ], "f": { }}"#;
        let pairs: Vec<_> = Url::parse(&get("https://x.example", body)).unwrap().query_pairs().into_owned().collect();
        let expected = [("e", "[]"), ("f", "{}"), ("n", ""), ("o", r#"{"a":1.0,"b":[1,{"z":"q r"}]}"#)];
        assert_eq!(pairs, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn the_query_goes_behind_one_that_is_there_and_before_the_fragment() {
        assert_eq!(get("https://x.example/p?k=v#top", r#"{"a":1}"#), "https://x.example/p?k=v&a=1#top");
        assert_eq!(get("https://x.example/p#top?no", r#"{"a":1}"#), "https://x.example/p?a=1#top?no");
        assert_eq!(get("https://x.example/p?", r#"{"a":1}"#), "https://x.example/p?a=1");
        assert_eq!(get("https://x.example/p?k=v#top", "{}"), "https://x.example/p?k=v#top");
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// Whatever the URL has is there to the letter: nothing of it is written anew.
        #[test]
        fn the_url_itself_stays_as_it_was_written(
            path in "(/[!$-;=@-Z_a-z~%]{0,6}){0,3}",
            query in prop::option::of("[!$-?@-Z_a-z~%&]{0,10}"),
            fragment in prop::option::of("[ -~é]{0,8}"),
            body in prop::collection::btree_map(any::<String>(), json(), 0..4),
        ) {
            let before = format!("https://x.example{path}{}", query.map_or(String::new(), |query| format!("?{query}")));
            let fragment = fragment.map_or(String::new(), |fragment| format!("#{fragment}"));
            let url = format!("{before}{fragment}");
            let after = appended(&url, &Json::of(&body));
            prop_assert!(after.starts_with(&before) && after.ends_with(&fragment), "{}", after);
            let added = &after[before.len()..after.len() - fragment.len()];
            if body.is_empty() {
                prop_assert_eq!(added, "");
            } else {
                let separator = if !before.contains('?') { "?" } else if before.ends_with(['?', '&']) { "" } else { "&" };
                let form = added.strip_prefix(separator).unwrap();
                prop_assert!(form.bytes().all(|b| b.is_ascii_alphanumeric() || b"*-._+%=&".contains(&b)), "{}", form);
                let keys: Vec<String> = form_urlencoded::parse(form.as_bytes()).map(|(key, _)| key.into_owned()).collect();
                prop_assert!(keys.is_sorted(), "{:?}", keys);
            }
        }

        /// A URL parser reads back exactly what the script returned, and finds the rest of the URL as it was.
        #[test]
        fn a_url_parser_reads_the_body_back(
            body in prop::collection::btree_map(any::<String>(), json(), 0..5),
            query in prop::option::of("[a-z]{1,3}=[a-z%20+]{0,4}(&[a-z]{1,3}=[a-z]{0,4}){0,2}"),
            fragment in prop::option::of("[a-z?&=/]{0,6}"),
        ) {
            let query = query.map(|q| q.replace('%', "")).map_or(String::new(), |q| format!("?{q}"));
            let fragment = fragment.map_or(String::new(), |f| format!("#{f}"));
            let url = format!("https://x.example:8443/a/b{query}{fragment}");
            let before = Url::parse(&url).unwrap();
            let after = Url::parse(&appended(&url, &Json::of(&body))).unwrap();

            prop_assert_eq!(before.path(), after.path());
            prop_assert_eq!(before.port(), after.port());
            prop_assert_eq!(before.fragment(), after.fragment());
            let mut expected: Vec<(String, String)> = before.query_pairs().into_owned().collect();
            expected.extend(body.iter().map(|(key, value)| {
                let text = match value {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                (key.clone(), text)
            }));
            prop_assert_eq!(after.query_pairs().into_owned().collect::<Vec<_>>(), expected);
        }
    }
}
