//! One example: comments that say what it shows, a script, and comments that say how it ends.
//!
//! ```lua
//! -- json.is_null(value)
//! -- Whether a value is `json.null`.
//!
//! -- given: POST {"qty":null}
//! return { null = json.is_null(parameters.qty) }
//! -- result: {"null":true}
//! ```
//!
//! Given is a webhook call (`POST body`) or an event (`CREATE new`, `UPDATE old -> new`, `DELETE old`); nothing is a call with `{}`.
//! `-- enable logic` runs it as such, `-- wall: 100 ms` gives it no more time. It ends with `-- result:` or `-- fails:`, and may
//! say before what it `-- logs:`.

use std::time::Duration;

use serde_json::Value;
use tidegate_engine::Run;
use tidegate_model::{Change, Json, Outcome};

pub(super) struct Example {
    title: String,
    explanation: String,
    pub(super) code: String,
    pub(super) given: Given,
    pub(super) enables: bool,
    pub(super) wall: Option<Duration>,
    logs: Vec<String>,
    ends: Ends,
}

pub(super) enum Given {
    Call(String),
    Event(Change),
}

enum Ends {
    Result(Value),
    Fails(String),
}

impl Example {
    pub(super) fn read(text: &str) -> Self {
        let (head, code) = text.split_once("\n\n").expect("an empty line ends the explanation");
        let mut head = head.lines().map(|line| line.strip_prefix("--").expect("a comment").trim());
        let title = head.next().expect("a title").to_owned();
        let explanation = head.collect::<Vec<_>>().join("\n");
        let said = |what: &str| code.lines().find_map(|line| line.strip_prefix(&format!("-- {what}")));
        let logs = code.lines().filter_map(|line| line.strip_prefix("-- logs: ")).map(str::to_owned).collect();
        let wall = said("wall: ").map(|text| {
            let millis = text.strip_suffix(" ms").and_then(|millis| millis.parse().ok());
            Duration::from_millis(millis.unwrap_or_else(|| panic!("{title}: {text}")))
        });
        let ends = match (rest(code, "-- result: "), said("fails: ")) {
            (Some(json), None) => Ends::Result(serde_json::from_str(&json).unwrap_or_else(|e| panic!("{title}: {e}"))),
            (None, Some(message)) => Ends::Fails(message.to_owned()),
            _ => panic!("{title}: an example ends with a result or fails"),
        };
        Self {
            explanation,
            code: code.trim_end().to_owned(),
            given: said("given: ").map_or_else(|| Given::Call("{}".to_owned()), given),
            enables: said("enable logic").is_some(),
            wall,
            logs,
            ends,
            title,
        }
    }

    pub(super) fn markdown(&self) -> String {
        let Self { title, explanation, code, .. } = self;
        format!("### {title}\n\n{explanation}\n\n```lua\n{code}\n```")
    }

    /// How the run went otherwise than the example says, if it did.
    pub(super) fn differs_from(&self, run: &Run) -> Option<String> {
        let logged: Vec<_> = run.log.iter().map(|line| format!("{}: {}", line.level.as_str(), line.text)).collect();
        if !self.logs.is_empty() && logged != self.logs {
            return Some(format!("logged {logged:?}"));
        }
        let result = match &run.outcome {
            Outcome::Failed(failure) => {
                let message = failure.message.lines().next().unwrap_or_default();
                let as_said = matches!(&self.ends, Ends::Fails(said) if said == message);
                return (!as_said).then(|| format!("failed: {message}"));
            }
            _ if self.enables => run.enable_result.as_ref(),
            Outcome::Succeeded(result) => Some(result),
            Outcome::Skipped(_) => None,
        };
        let result = result.map(Json::to_value);
        let as_said = matches!((&self.ends, &result), (Ends::Result(said), Some(came)) if said == came);
        (!as_said).then(|| format!("returned {}", result.unwrap_or_default()))
    }

    /// Whether its title is about this function, and its script uses it.
    pub(super) fn shows(&self, function: &str) -> bool {
        let uses = |text: &str| {
            let mut places = text.match_indices(function);
            let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.');
            places.any(|(at, _)| {
                !part(text[..at].chars().next_back()) && !part(text[at + function.len()..].chars().next())
            })
        };
        uses(&self.title) && uses(&self.code)
    }
}

/// What follows the mark, up to the end, over lines of comments.
fn rest(code: &str, mark: &str) -> Option<String> {
    let at = code.find(mark)?;
    Some(code[at + mark.len()..].lines().map(|line| line.trim_start_matches("--").trim()).collect())
}

fn given(text: &str) -> Given {
    let (what, data) = text.split_once(' ').expect("what is given, and with which data");
    let json = |text: &str| Json::parse(text.trim()).unwrap_or_else(|e| panic!("{text}: {e}"));
    Given::Event(match what {
        "POST" => return Given::Call(data.to_owned()),
        "CREATE" => Change::Create { new: json(data) },
        "DELETE" => Change::Delete { old: json(data) },
        "UPDATE" => {
            let (old, new) = data.split_once(" -> ").expect("two states");
            Change::Update { old: json(old), new: json(new) }
        }
        other => panic!("{other} is nothing that happens"),
    })
}
