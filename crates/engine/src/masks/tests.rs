use bytes::Bytes;
use proptest::prelude::*;

use super::*;

fn masked(masks: &Masks, body: &[u8], truncated: bool) -> Bytes {
    let headers = Vec::new();
    let body = Bytes::copy_from_slice(body);
    masks.response(Response { status: 200, headers, body, truncated, broken: None }).body
}

#[test]
fn secrets_are_masked_wherever_they_stand_and_nothing_else_is_changed() {
    let masks = Masks::of(["s3cr3t", "s3cr3t-longer", "", "two\"words ü"]);
    for (body, expected) in [
        (&b"a s3cr3t-longer, s3cr3ts3cr3t."[..], &b"a ***, ******."[..]),
        (b"\xffs3cr3t\xffs3cr3", b"\xff***\xffs3cr3"),
        (b"s3cr3", b"s3cr3"),
        (br#"{"a":"two\"words "#, br#"{"a":"two\"words "#),
        ("{\"a\":\"two\\\"words ü\"}".as_bytes(), br#"{"a":"***"}"#),
        (b"a=two%22words+%C3%BC&b", b"a=***&b"),
        (b"", b""),
    ] {
        assert_eq!(masked(&masks, body, false), expected, "{}", String::from_utf8_lossy(body));
    }
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = vec![header("x-a", "Bearer s3cr3t"), header("x-s3cr3t", "2"), header("x-b", "a%22=s3cr%33t")];
    let answer = masks.response(Response { status: 200, headers, body: Bytes::new(), truncated: false, broken: None });
    assert_eq!(answer.headers, [header("x-a", "Bearer ***"), header("x-***", "2"), header("x-b", "a%22=***")]);
}

#[test]
fn each_spelling_of_json_and_of_urls_is_found_and_each_within_another() {
    let masks = Masks::of([r#"pä/"ss w+😀\"#]);
    for body in [
        r#"pä/"ss w+😀\"#,
        r#"p\u00e4\/\"ss w+\ud83d\ude00\\"#,
        r"p\u00E4\u002F\u0022ss\u0020w+\uD83D\uDE00\u005C",
        r#"\u0070ä/\"ss w+😀\\"#,
        "p%C3%A4%2F%22ss+w%2B%F0%9F%98%80%5C",
        "p%c3%a4/%22ss%20w%2b%f0%9f%98%80%5c",
        // JSON in a text of JSON; a URL in JSON that escapes slashes; JSON in a URL.
        r#"p\\u00e4\\\/\\\"ss w+\\ud83d\\ude00\\\\"#,
        r"p%C3%A4\/%22ss+w%2B%F0%9F%98%80%5C",
        "p%5Cu00e4%2F%5C%22ss%20w%2B%5Cud83d%5Cude00%5C%5C",
    ] {
        let answer = format!("{{\"a\":\"{body}\"}}");
        assert_eq!(masked(&masks, answer.as_bytes(), false), "{\"a\":\"***\"}", "{body}");
    }
}

#[test]
fn what_was_cut_within_a_secret_does_not_show_its_beginning() {
    let masks = Masks::of(["s3cr3t", "cr3t-too"]);
    for (body, expected) in [(&b"a s3c"[..], &b"a ***"[..]), (b"a s3cr3", b"a ***"), (b"as", b"a***"), (b"a", b"a")] {
        assert_eq!(masked(&masks, body, true), expected);
    }
    assert_eq!(masked(&masks, b"a s3c", false), &b"a s3c"[..]);
    let masks = Masks::of(["abc/de"]);
    for body in [r"x abc\", r"x abc\u0", r"x abc\/", "x abc%", "x abc%2", "x abc%2Fd", r"x abc\u002fd", "x %61bc"] {
        assert_eq!(masked(&masks, body.as_bytes(), true), "x ***", "{body}");
    }
}

#[test]
fn a_text_that_repeats_itself_is_masked_whole_and_soon() {
    let masks = Masks::of(["aXa"]);
    assert_eq!(masked(&masks, b"-aXaXaX-", false), "-***X-");
    // With a search that begins anew at each place, and within each way of reading, this would take minutes.
    let (secret, body) = (format!("{}b", "\\".repeat(8000)), "\\".repeat(1 << 20));
    assert_eq!(masked(&Masks::of([&*secret]), body.as_bytes(), false).len(), 1 << 20);
}

#[derive(Clone, Copy, Debug)]
enum Style {
    Plain,
    Json,
    Percent,
}

/// The text as somebody may write it who is free to choose for each character.
fn spelled(text: &str, style: Style, choices: &[u8]) -> String {
    let choices = choices.iter().copied().cycle();
    let spell = |(character, choice): (char, u8)| match style {
        Style::Plain => character.to_string(),
        Style::Json => json(character, choice),
        Style::Percent => percent(character, choice),
    };
    text.chars().zip(choices).map(spell).collect()
}

fn json(character: char, choice: u8) -> String {
    let mut units = [0; 2];
    let units = character.encode_utf16(&mut units);
    match (choice % 3, character) {
        (0, '/') => "\\/".to_owned(),
        (0 | 1, '"' | '\\') => format!("\\{character}"),
        (0 | 1, _) => character.to_string(),
        _ if choice >= 128 => units.iter().map(|unit| format!("\\u{unit:04X}")).collect::<Vec<_>>().concat(),
        _ => units.iter().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat(),
    }
}

fn percent(character: char, choice: u8) -> String {
    let mut bytes = [0; 4];
    let bytes = character.encode_utf8(&mut bytes).bytes();
    match (choice % 3, character) {
        (0, ' ') => "+".to_owned(),
        (0 | 1, _) if character.is_ascii_alphanumeric() || "-._~/".contains(character) => character.to_string(),
        _ if choice >= 128 => bytes.map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat(),
        _ => bytes.map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat(),
    }
}

fn style() -> impl Strategy<Value = Style> {
    prop_oneof![Just(Style::Plain), Just(Style::Json), Just(Style::Percent)]
}

proptest! {
    #[test]
    fn a_secret_is_masked_however_each_of_its_characters_is_spelled(
        secret in "[A-Z/\"\\\\ü€😀+%&= -]{1,12}", style in style(), choices in prop::collection::vec(any::<u8>(), 1..12),
        before in "[a-z.{}:]{0,8}", behind in "[g-m.{}:]{0,8}", cut in 0usize..60,
    ) {
        let text = spelled(&secret, style, &choices);
        let masks = Masks::of([&*secret]);
        let whole = masked(&masks, format!("{before}{text}{behind}").as_bytes(), false);
        prop_assert!(whole.starts_with(format!("{before}***").as_bytes()), "{text}: {whole:?}");
        prop_assert!(whole.ends_with(format!("***{behind}").as_bytes()), "{text}: {whole:?}");
        prop_assert!(!whole.windows(text.len()).any(|window| window == text.as_bytes()) || text == "***");
        // What is cut shows nothing but a beginning of one character's spelling.
        let begun = text.get(..cut.min(text.len())).unwrap_or(&text);
        let answer = masked(&masks, format!("{before}{begun}").as_bytes(), true);
        let shown = answer.strip_prefix(before.as_bytes()).unwrap_or(&answer);
        prop_assert!(shown.len() < 12 && (shown.is_empty() || shown.starts_with(b"***") || "%\\".contains(char::from(shown[0]))), "{begun}: {answer:?}");
    }

    #[test]
    fn odd_bytes_are_left_as_they_are_and_never_a_panic(
        text in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(br"\u%+0dDeE8".to_vec())], 0..200),
        secret in "[\\\\u%+0-9a-f ]{1,6}", cut: bool,
    ) {
        let masks = Masks::of([&*secret]);
        masked(&masks, &text, cut);
        let nowhere = Masks::of(["no such text at all"]);
        prop_assert_eq!(&masked(&nowhere, &text, false)[..], &text[..]);
    }
}
