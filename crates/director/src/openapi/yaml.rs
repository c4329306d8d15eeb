//! A document as YAML 1.2: blocks, with every text quoted that could be read as something else.

use serde_json::Value;

/// The document as text.
pub(crate) fn text(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, 0);
    text.push('\n');
    text
}

/// Writes a value where a line has been begun.
fn write(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(named) if !named.is_empty() => {
            for (i, (name, value)) in named.iter().enumerate() {
                if i > 0 {
                    line(text, indent);
                }
                text.push_str(&scalar(name));
                text.push(':');
                below(text, value, indent);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    line(text, indent);
                }
                text.push_str("- ");
                write(text, item, indent + 2);
            }
        }
        Value::String(words) => text.push_str(&scalar(words)),
        // What is left is written in YAML as in JSON.
        other => text.push_str(&other.to_string()),
    }
}

/// Writes the value of a name.
fn below(text: &mut String, value: &Value, indent: usize) {
    let is_block = match value {
        Value::Object(named) => !named.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    match value {
        Value::String(words) if is_lines(words) => {
            text.push_str(" |");
            for words in words.trim_end_matches('\n').split('\n') {
                line(text, if words.is_empty() { 0 } else { indent + 2 });
                text.push_str(words);
            }
        }
        value if is_block => {
            line(text, indent + 2);
            write(text, value, indent + 2);
        }
        value => {
            text.push(' ');
            write(text, value, indent);
        }
    }
}

fn line(text: &mut String, indent: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n(' ', indent));
}

/// Whether a text can stand in a block as it is: whole lines, the first of which is not indented.
fn is_lines(text: &str) -> bool {
    let plain = |c: char| {
        c == '\n' || c == '\t' || !c.is_control() && !matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
    };
    text.ends_with('\n') && !text.ends_with("\n\n") && !text.starts_with([' ', '\t', '\n']) && text.chars().all(plain)
}

/// A text on one line: as it is where nothing else can be meant, else as JSON has it, which YAML reads alike.
fn scalar(text: &str) -> String {
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./ ".contains(&b))
        && !text.ends_with(' ')
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    if is_word { text.to_owned() } else { Value::String(text.to_owned()).to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_written_in_blocks_and_nothing_is_read_as_something_else() {
        let document = json!({
            "a": { "b": [1, { "c": "x y", "d": [] }, [true, null]], "200": {}, "e": "no", "f": "1", "g": "", "h": "a: b #c" },
            "script": "if x; then\n  y\n\nfi\n", "odd": " lead\n", "key with: colon": 1.5,
        });
        let expected = r#"a:
  "200": {}
  b:
    - 1
    - c: x y
      d: []
    - - true
      - null
  e: "no"
  f: "1"
  g: ""
  h: "a: b #c"
"key with: colon": 1.5
odd: " lead\n"
script: |
  if x; then
    y

  fi
"#;
        assert_eq!(text(&document), expected);
    }
}
