//! The operator's keys: the first one seals, each one opens.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tidegate_model::Randomness;

type Key = [u8; 32];

/// One key, or several while they are changed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct MasterKeys {
    pub(crate) first: Key,
    pub(crate) former: Vec<Key>,
}

impl MasterKeys {
    /// Draws one.
    pub(crate) fn draw(randomness: &dyn Randomness) -> Self {
        let mut first = [0; 32];
        randomness.fill(&mut first);
        Self { first, former: Vec::new() }
    }

    /// Reads keys in base64, with commas or line ends between them; or tells what is wrong with them.
    pub(crate) fn read(text: &str) -> Result<Self, &'static str> {
        const NONE: &str = "is no key, and no list of keys";
        let mut keys = Vec::<Key>::new();
        for word in text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty()) {
            let key: Key = STANDARD.decode(word).map_err(|_| NONE)?.try_into().map_err(|_| NONE)?;
            if keys.contains(&key) {
                return Err("holds the same key twice");
            }
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(NONE);
        }
        Ok(Self { first: keys.remove(0), former: keys })
    }

    /// The same keys behind a new one.
    pub(crate) fn behind(self, new: Key) -> Self {
        let former = [vec![self.first], self.former].concat();
        Self { first: new, former }
    }

    /// As a file holds them: one to a line.
    pub(crate) fn write(&self) -> String {
        let lines = [&self.first].into_iter().chain(&self.former).map(|key| format!("{}\n", STANDARD.encode(key)));
        lines.collect()
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKeys(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_the_newest_is_the_first() {
        let keys = MasterKeys { first: [1; 32], former: vec![] }.behind([2; 32]).behind([3; 32]);
        assert_eq!((keys.first, &keys.former[..]), ([3; 32], &[[2; 32], [1; 32]][..]));
        assert_eq!(MasterKeys::read(&keys.write()), Ok(keys.clone()));
        assert_eq!(MasterKeys::read(&keys.write().replace('\n', ", ")), Ok(keys));
    }

    #[test]
    fn what_is_no_list_of_keys_is_refused() {
        let one = MasterKeys { first: [1; 32], former: vec![] }.write();
        for bad in ["", ",", "short", &format!("{one},short")] {
            assert!(MasterKeys::read(bad).is_err_and(|wrong| wrong.contains("no key")), "{bad:?}");
        }
        assert!(MasterKeys::read(&format!("{one},{one}")).is_err_and(|wrong| wrong.contains("twice")));
    }
}
