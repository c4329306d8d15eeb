//! Pages of a list: keyset cursors, so that page 1 and page 1 000 cost the same and rows added meanwhile move nothing.

/// Which page: how many, and after which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageOf<K> {
    /// At most this many, 1..=100.
    pub first: u16,
    /// Only what comes after this key in the list's order; `None` is the first page.
    pub after: Option<K>,
}

/// One page of a list, in the list's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Whether more come after these.
    pub has_next: bool,
    /// How many the whole list has.
    pub total: u64,
}

impl<T> Page<T> {
    /// Makes a page of up to `first + 1` rows read: the extra one only shows that there are more.
    pub fn cut(mut rows: Vec<T>, first: u16, total: u64) -> Self {
        let has_next = rows.len() > usize::from(first);
        rows.truncate(usize::from(first));
        Self { data: rows, has_next, total }
    }

    /// The same page of other things.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(each).collect(), has_next: self.has_next, total: self.total }
    }
}

/// A page of a list whose length nobody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Whether more come after these.
    pub has_next: bool,
}

impl<T> Slice<T> {
    /// A slice of nothing.
    pub fn empty() -> Self {
        Self { data: Vec::new(), has_next: false }
    }

    /// The page of a list of this length.
    pub fn of_list(self, total: u64) -> Page<T> {
        Page { data: self.data, has_next: self.has_next, total }
    }
}
