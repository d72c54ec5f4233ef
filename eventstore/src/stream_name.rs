//! Names of streams.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest stream name, in bytes.
const BYTES_MAX: usize = 255;

/// The name of a stream: a category, `-`, and a key, such as `app-0198c0de` or `name-app-7f-redis`.
///
/// The category is everything before the first `-` and starts with a letter; the key is not empty.
/// Only `a-z`, `0-9` and `-` occur, at most 255 bytes in all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamName(String);

/// A text that cannot name a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("stream name {0:?} must be a category, '-' and a key of a-z, 0-9 and '-', at most {BYTES_MAX} bytes")]
pub struct InvalidStreamName(String);

impl StreamName {
    /// The stream of one `key` in a `category`.
    ///
    /// # Errors
    ///
    /// [`InvalidStreamName`] if the two do not make a stream name, or `category` holds a `-`.
    pub fn new(category: &str, key: impl fmt::Display) -> Result<Self, InvalidStreamName> {
        let name = format!("{category}-{key}");
        if category.contains('-') {
            return Err(InvalidStreamName(name));
        }
        Self::try_from(name)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What comes before the first `-`.
    #[must_use]
    pub fn category(&self) -> &str {
        self.0.split_once('-').map_or(self.as_str(), |(category, _)| category)
    }

    /// What comes after the first `-`.
    #[must_use]
    pub fn key(&self) -> &str {
        self.0.split_once('-').map_or("", |(_, key)| key)
    }
}

impl TryFrom<String> for StreamName {
    type Error = InvalidStreamName;

    fn try_from(name: String) -> Result<Self, InvalidStreamName> {
        let starts_with_letter = name.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
        let has_key = name.split_once('-').is_some_and(|(_, key)| !key.is_empty());
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if starts_with_letter && has_key && name.len() <= BYTES_MAX && name.bytes().all(allowed) {
            Ok(Self(name))
        } else {
            Err(InvalidStreamName(name))
        }
    }
}

impl FromStr for StreamName {
    type Err = InvalidStreamName;

    fn from_str(name: &str) -> Result<Self, InvalidStreamName> {
        Self::try_from(name.to_owned())
    }
}

impl From<StreamName> for String {
    fn from(name: StreamName) -> Self {
        name.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_name_is_a_category_and_a_key() {
        let name: StreamName = "name-app-7f-redis".parse().unwrap();
        assert_eq!((name.category(), name.key()), ("name", "app-7f-redis"));
        assert_eq!(StreamName::new("name", "app-7f-redis"), Ok(name));
    }

    #[test]
    fn other_texts_name_no_stream() {
        let long = format!("app-{}", "x".repeat(252));
        for text in [
            "", "app", "app-", "-app", "1app-1", "App-1", "app_1", "app-ä", "app-1 ", "app-a.b", &long,
        ] {
            assert_eq!(
                text.parse::<StreamName>(),
                Err(InvalidStreamName(text.to_owned())),
                "{text}"
            );
        }
        assert!(StreamName::new("name-app", "redis").is_err());
        assert!(long[..255].parse::<StreamName>().is_ok());
    }
}
