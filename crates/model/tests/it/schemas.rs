use serde_json::{Value, json};
use tidegate_model::Json;
use tidegate_model::schema::{InvalidSchema, MAX_MISFITS, Schema};

fn compile(schema: &Value) -> Result<Schema, InvalidSchema> {
    Schema::compile(&Json::of(schema))
}

fn misfits(schema: &Value, value: &Value) -> Vec<String> {
    let checked = compile(schema).unwrap().check(value);
    checked.err().into_iter().flatten().map(|misfit| format!("{} {}", misfit.pointer, misfit.expected)).collect()
}

#[test]
fn what_does_not_fit_is_told_with_its_place_and_never_with_a_value() {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://example.com/order",
        "type": "object",
        "required": ["id", "lines"],
        "additionalProperties": false,
        "properties": {
            "id": { "type": "string", "pattern": "^o-\\d+$", "maxLength": 9 },
            "state": { "enum": ["open", "closed"] },
            "kind": { "const": 7 },
            "lines": { "type": "array", "minItems": 1, "uniqueItems": true, "items": { "$ref": "#/$defs/line" } },
            "any": { "anyOf": [{ "type": "string" }, { "$ref": "https://example.com/order#line" }] },
            "names": { "propertyNames": { "maxLength": 2 } },
        },
        "$defs": { "line": { "$anchor": "line", "type": "object", "properties": {
            "qty": { "type": "integer", "minimum": 1, "multipleOf": 2 }, "a/b~c": { "type": ["null", "boolean"] },
        }, "unevaluatedProperties": false } },
    });
    let fitting = json!({ "id": "o-7", "state": "open", "kind": 7, "lines": [{ "qty": 2, "a/b~c": null }], "any": {} });
    assert_eq!(misfits(&schema, &fitting), [""; 0]);
    let secret = "hunter2";
    let value = json!({
        "id": secret, "state": secret, "kind": secret, "lines": [{ "qty": 0.5, "a/b~c": secret, "hunter2": 1 }],
        "any": [secret], "names": { "hunter2": 1 }, "hunter2": secret,
    });
    let mut told = misfits(&schema, &value);
    told.sort();
    assert_eq!(
        told,
        [
            " no properties but those of the schema",
            "/any what at least one schema of anyOf says",
            "/id text that matches ^o-\\d+$",
            "/kind 7",
            "/lines/0 no properties but those of the schema",
            "/lines/0/a~1b~0c null or true or false",
            "/lines/0/qty a multiple of 2",
            "/lines/0/qty an integer",
            "/lines/0/qty at least 1",
            "/names names of properties: at most 2 characters",
            "/state one of \"open\", \"closed\"",
        ]
    );
    assert!(!told.join(" ").contains(secret));
    assert_eq!(misfits(&schema, &json!({})), [" the property \"id\"", " the property \"lines\""]);
    assert_eq!(misfits(&schema, &json!([])), [" an object"]);
    assert_eq!(misfits(&json!(false), &json!(1)), [" nothing here"]);
}

#[test]
fn integers_beyond_doubles_are_compared_as_they_are_and_formats_are_annotations() {
    let schema =
        json!({ "properties": { "n": { "maximum": 9_007_199_254_740_992_i64 }, "at": { "format": "date-time" } } });
    assert_eq!(misfits(&schema, &json!({ "n": 9_007_199_254_740_992_i64, "at": "yesterday" })), [""; 0]);
    assert_eq!(misfits(&schema, &json!({ "n": 9_007_199_254_740_993_i64 })), ["/n at most 9007199254740992"]);
}

#[test]
fn no_more_misfits_are_told_than_anybody_reads_and_none_at_length() {
    let many: Vec<_> = (0..1000).collect();
    assert_eq!(misfits(&json!({ "items": { "type": "string" } }), &json!(many)).len(), MAX_MISFITS);
    let long = json!({ "x".repeat(5000): 1 });
    let told = misfits(&json!({ "additionalProperties": { "type": "string" } }), &long);
    assert!(told[0].len() < 600, "{told:?}");
}

#[test]
fn what_is_no_schema_is_refused_with_the_reason() {
    let nested = (0..40).fold(json!({}), |inner, _| json!({ "not": inner }));
    let doubling: serde_json::Map<_, _> = (0..60)
        .map(|n| (format!("d{n}"), json!({ "allOf": [{ "$ref": format!("#/$defs/d{}", n + 1) }, { "$ref": format!("#/$defs/d{}", n + 1) }] })))
        .chain([("d60".to_owned(), json!(true))])
        .collect();
    let chain: serde_json::Map<_, _> = (0..1000)
        .map(|n| (format!("d{n}"), json!({ "$ref": format!("#/$defs/d{}", n + 1) })))
        .chain([("d1000".to_owned(), json!(true))])
        .collect();
    let patterns: serde_json::Map<_, _> = (0..60).map(|n| (format!("p{n}"), json!({}))).collect();
    let cases = [
        (json!([]), "an object or a boolean"),
        (json!("text"), "an object or a boolean"),
        (json!({ "type": "text" }), "at /type: expected"),
        (json!({ "properties": { "a": { "minimum": "1" } } }), "at /properties/a/minimum: expected a number"),
        (json!({ "properties": { "a": 1 } }), "an object or a boolean"),
        (json!({ "required": ["a", "a"] }), "at /required: expected no item twice"),
        (json!({ "$schema": "http://json-schema.org/draft-07/schema#" }), "no $schema but"),
        (json!({ "$schema": "https://example.com/mine" }), "no $schema but"),
        (json!({ "$ref": "https://example.com/other.json" }), "nothing is fetched"),
        (json!({ "$ref": "file:///etc/passwd" }), "nothing is fetched"),
        (json!({ "items": { "$ref": "other.json#/a" } }), "nothing is fetched"),
        (json!({ "$ref": "https://json-schema.org/draft/2020-12/schema" }), "nothing is fetched"),
        (json!({ "$dynamicRef": "https://example.com/other.json#a" }), "nothing is fetched"),
        (json!({ "$ref": "#/$defs/none" }), "leads nowhere"),
        (json!({ "$ref": "#none" }), "leads nowhere"),
        (json!({ "$ref": "#" }), "leads back to itself"),
        (
            json!({ "$defs": { "a": { "anyOf": [{ "$ref": "#/$defs/a" }] } }, "$ref": "#/$defs/a" }),
            "leads back to itself",
        ),
        (json!({ "$defs": { "a": { "$id": "https://example.com/a" } } }), "no $id but the outermost"),
        (json!({ "pattern": "(" }), "at /pattern: expected"),
        (json!({ "pattern": "^(?=a)" }), "at /pattern: expected a regular expression"),
        (json!({ "pattern": "(a{500}){500}" }), "at /pattern: expected a regular expression"),
        (json!({ "pattern": "a".repeat(2000) }), "at most 50 patterns"),
        (json!({ "patternProperties": patterns }), "at most 50 patterns"),
        (json!({ "$ref": "#/$defs/d0", "$defs": doubling }), "too often"),
        (json!({ "$ref": "#/$defs/d0", "$defs": chain }), "too often"),
        (json!({ "$comment": "x".repeat(70_000) }), "at most 64 KiB"),
        (nested, "nested at most 32 deep"),
    ];
    for (schema, reason) in cases {
        let shown: String = schema.to_string().chars().take(120).collect();
        let refused = compile(&schema).err().unwrap_or_else(|| panic!("accepted: {shown}")).to_string();
        assert!(refused.contains(reason), "{shown}: {refused}");
        assert!(refused.starts_with("a JSON Schema (draft 2020-12)") && refused.len() < 600, "{refused}");
    }
}

#[test]
fn usual_patterns_are_compiled() {
    for pattern in [r"^\w+$", r"^[\p{L}\d -]+$", r"^\d{4}-\d\d-\d\d$", "^(a|b|c)*$", r"^[^@\s]+@[^@\s]+$"] {
        let compiled = compile(&json!({ "pattern": pattern }));
        assert!(compiled.is_ok(), "{pattern}: {:?}", compiled.err());
    }
}

/// A schema that doubles the work with each level of the value: 2^50 looks, if anybody made them.
#[test]
fn a_check_that_would_not_end_is_refused_before_it_begins() {
    let schema = json!({ "$ref": "#/$defs/n", "$defs": { "n": { "properties": { "x": { "anyOf": [
        { "allOf": [{ "$ref": "#/$defs/n" }, { "$ref": "#/$defs/n" }] }, { "type": "string" },
    ] } } } } });
    let nested = |depth| (0..depth).fold(json!(1), |inner, _| json!({ "x": inner }));
    assert_eq!(misfits(&schema, &nested(50)), [" something smaller, or nested less deeply: this is too much to check"]);
    assert_eq!(misfits(&schema, &json!({ "x": { "x": "y" } })), [""; 0]);
}

#[test]
fn of_a_large_value_the_first_misfit_is_told_and_none_where_it_would_hold_all_others() {
    let many: Vec<_> = (0..60_000).map(|n| json!({ "qty": i32::from(n < 50_000) })).collect();
    let line = json!({ "required": ["qty"], "properties": { "qty": { "type": "integer", "minimum": 1 } } });
    assert_eq!(misfits(&json!({ "items": line }), &json!(many)), ["/50000/qty at least 1"]);
    assert_eq!(misfits(&json!({ "items": { "anyOf": [line] } }), &json!(many)), [" what the schema says"]);
    assert_eq!(misfits(&json!({ "items": { "anyOf": [line] } }), &json!(many[..50_000])), [""; 0]);
}

/// Tests run on threads with the stack that the runtime's threads have.
#[test]
fn the_deepest_check_that_is_made_fits_on_a_stack() {
    for chain in [1, 2, 4, 40, 390] {
        let mut parts: serde_json::Map<_, _> = (0..chain)
            .map(|n| (format!("d{n}"), json!({ "anyOf": [{ "$ref": format!("#/$defs/d{}", n + 1) }] })))
            .collect();
        parts.insert(format!("d{chain}"), json!({ "properties": { "x": { "$ref": "#/$defs/d0" } }, "type": "object" }));
        let Ok(schema) = compile(&json!({ "$ref": "#/$defs/d0", "$defs": parts })) else { continue };
        let value = (0..63).fold(json!(1), |inner, _| json!({ "x": inner }));
        assert!(schema.check(&value).is_err(), "{chain}");
    }
}
