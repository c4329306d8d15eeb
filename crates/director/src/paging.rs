//! Pages as callers ask for them and get them: limits, and cursors that belong to their list and tenant.

use std::fmt::Display;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tidegate_model::{Error, Page, PageOf, TenantId};
use tidegate_storage::Sealer;

/// Longer texts are no cursors of ours.
const MAX_CURSOR: usize = 1024;

/// Which page, as the caller asked: not yet checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// `None` is 100.
    pub first: Option<i32>,
    /// `None` and "" are the first page.
    pub after: Option<String>,
}

/// A page as the caller gets it.
#[derive(Clone, Debug)]
pub(crate) struct Listed<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Echoes `after`.
    pub start_cursor: String,
    /// Asks for the next page; "" on the last one.
    pub end_cursor: String,
    /// Whether there is a next page.
    pub has_next: bool,
    /// How many the whole list has.
    pub total: u64,
}

/// One list as its cursors know it: its name, and the tenant where it has one.
///
/// A cursor is the key of the last row, sealed for this list: opaque (it tells nothing of other tenants' rows), and of no use elsewhere.
pub(crate) struct List<'a> {
    sealer: &'a Sealer,
    place: String,
}

impl<'a> List<'a> {
    pub(crate) fn new(sealer: &'a Sealer, name: &str, tenant: Option<&TenantId>) -> Self {
        let tenant = tenant.map_or("", TenantId::as_str);
        Self { sealer, place: format!("cursor/{tenant}/{name}") }
    }

    /// Checks what the caller asked for.
    pub(crate) fn page<K: FromStr>(&self, asked: &Asked) -> Result<PageOf<K>, Error> {
        let first = asked.first.unwrap_or(100);
        let first = u16::try_from(first)
            .ok()
            .filter(|n| (1..=100).contains(n))
            .ok_or_else(|| Error::invalid("first", "1 to 100"))?;
        let after = match asked.after.as_deref() {
            None | Some("") => None,
            Some(cursor) => {
                Some(self.key(cursor).ok_or_else(|| Error::invalid("after", "a cursor that this list gave"))?)
            }
        };
        Ok(PageOf { first, after })
    }

    /// Dresses a page for the caller who asked for it.
    pub(crate) fn listed<T, K: Display>(
        &self,
        asked: Asked,
        page: Page<T>,
        key: impl Fn(&T) -> K,
    ) -> Result<Listed<T>, Error> {
        let end_cursor = match page.data.last() {
            Some(last) if page.has_next => self.cursor(&key(last).to_string())?,
            _ => String::new(),
        };
        let start_cursor = asked.after.unwrap_or_default();
        Ok(Listed { data: page.data, start_cursor, end_cursor, has_next: page.has_next, total: page.total })
    }

    fn cursor(&self, key: &str) -> Result<String, Error> {
        Ok(URL_SAFE_NO_PAD.encode(self.sealer.seal(&self.place, key.as_bytes())?))
    }

    fn key<K: FromStr>(&self, cursor: &str) -> Option<K> {
        if cursor.len() > MAX_CURSOR {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let plain = self.sealer.try_open(&self.place, &sealed)?;
        std::str::from_utf8(&plain).ok()?.parse().ok()
    }
}

impl<T> Listed<T> {
    /// The same page of other things.
    pub(crate) fn map<U>(self, each: impl FnMut(T) -> U) -> Listed<U> {
        Listed {
            data: self.data.into_iter().map(each).collect(),
            start_cursor: self.start_cursor,
            end_cursor: self.end_cursor,
            has_next: self.has_next,
            total: self.total,
        }
    }
}
