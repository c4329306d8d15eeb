//! The secrets that went with a run's calls: no answer that a script gets, or a record keeps, repeats one of them.
//!
//! A secret is found as it is, and however JSON, a URL or a form spells its characters; also where one of these is written within another,
//! as a URL in JSON, or JSON in a text of JSON.

mod views;

use std::ops::Range;

use tidegate_model::Secret;
use tidegate_model::kept::MASK;

use crate::egress::Response;
use views::{Reader, View};

/// So many ways of writing a text within another are seen through.
const DEPTH: usize = 2;

/// What is masked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Masks(Vec<Secret>);

impl Masks {
    /// Masks these texts.
    pub(crate) fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut masks = Self::default();
        masks.add(&Self(texts.into_iter().filter(|text| !text.is_empty()).map(Secret::new).collect()));
        masks
    }

    /// Masks those too.
    pub(crate) fn add(&mut self, others: &Self) {
        for secret in &others.0 {
            if !self.0.contains(secret) {
                self.0.push(secret.clone());
            }
        }
    }

    /// An answer without them.
    pub(crate) fn response(&self, mut response: Response) -> Response {
        let sought = self.sought();
        for (name, value) in &mut response.headers {
            hide_in(name, &sought);
            hide_in(value, &sought);
        }
        if let Some(masked) = without(&response.body, response.truncated, &sought) {
            response.body = masked.into();
        }
        response
    }

    /// A text without them.
    pub(crate) fn text(&self, mut text: String) -> String {
        hide_in(&mut text, &self.sought());
        text
    }

    fn sought(&self) -> Vec<Sought<'_>> {
        self.0.iter().map(Sought::of).collect()
    }
}

fn hide_in(text: &mut String, sought: &[Sought<'_>]) {
    if let Some(masked) = without(text.as_bytes(), false, sought) {
        *text = String::from_utf8_lossy(&masked).into_owned();
    }
}

/// The text with each secret replaced; `None` where there is none. A text that was `cut` may end within a secret: that is replaced too.
fn without(text: &[u8], cut: bool, sought: &[Sought<'_>]) -> Option<Vec<u8>> {
    let mut places = Vec::new();
    if !sought.is_empty() {
        let end = cut.then_some(text.len());
        look(&View::plain(text), DEPTH, end, sought, &mut places);
    }
    if places.is_empty() {
        return None;
    }
    places.sort_by_key(|place| place.start);
    let mut masked = Vec::with_capacity(text.len());
    let mut end = 0;
    for place in places {
        if place.start >= end {
            masked.extend_from_slice(text.get(end..place.start).unwrap_or_default());
            masked.extend_from_slice(MASK.as_bytes());
        }
        end = end.max(place.end);
    }
    masked.extend_from_slice(text.get(end..).unwrap_or_default());
    Some(masked)
}

/// Adds where secrets stand in a text as it is, and as it may be read. What begins at its end goes on to `end`, where the text was cut.
fn look(view: &View<'_>, depth: usize, end: Option<usize>, sought: &[Sought<'_>], places: &mut Vec<Range<usize>>) {
    for secret in sought {
        let begun = secret.find(view, places);
        if let (Some(end), 1..) = (end, begun) {
            places.push(view.place(view.bytes().len() - begun)..end);
        }
    }
    if depth == 0 {
        return;
    }
    // Only where a space is sought it matters whether a plus sign is one.
    let with_space = sought.iter().any(|secret| secret.text.contains(&b' '));
    let readers = [Some(Reader::Json), Some(Reader::Percent), with_space.then_some(Reader::Form)];
    for view in readers.into_iter().flatten().filter_map(|reader| view.read_by(reader)) {
        look(&view, depth - 1, end, sought, places);
    }
}

/// A secret, prepared to be found in a time that grows with the text alone (Knuth, Morris and Pratt's).
struct Sought<'s> {
    text: &'s [u8],
    /// Of each beginning of the text: how much of the text its end begins again.
    again: Vec<usize>,
}

impl<'s> Sought<'s> {
    fn of(secret: &'s Secret) -> Self {
        let text = secret.reveal().as_bytes();
        let mut sought = Self { text, again: Vec::with_capacity(text.len()) };
        let mut matched = 0;
        for (index, byte) in text.iter().enumerate() {
            if index > 0 {
                matched = sought.step(matched, *byte);
            }
            sought.again.push(matched);
        }
        sought
    }

    /// How much of it stands at the end of what was read, after one byte more.
    fn step(&self, mut matched: usize, byte: u8) -> usize {
        loop {
            match self.text.get(matched) {
                Some(next) if *next == byte => return matched + 1,
                _ if matched == 0 => return 0,
                _ => matched = self.again.get(matched - 1).copied().unwrap_or_default(),
            }
        }
    }

    /// Adds where it stands; how much of it stands at the end.
    fn find(&self, view: &View<'_>, places: &mut Vec<Range<usize>>) -> usize {
        let (bytes, Some(first)) = (view.bytes(), self.text.first()) else { return 0 };
        let (mut at, mut matched) = (0, 0);
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if matched == 0 {
                let Some(skipped) = memchr::memchr(*first, rest) else { return 0 };
                at += skipped + 1;
                matched = 1;
            } else {
                matched = self.step(matched, rest[0]);
                at += 1;
            }
            if matched == self.text.len() {
                places.push(view.place(at - matched)..view.place(at));
                matched = self.again.last().copied().unwrap_or_default();
            }
        }
        matched
    }
}

#[cfg(test)]
mod tests;
