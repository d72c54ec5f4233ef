//! Version numbers as the store accepts them.

use std::{
    cmp::Ordering,
    fmt::{self, Write as _},
    hash::{Hash, Hasher},
    str::FromStr,
    sync::Arc,
};

use crate::text::as_text;

/// A SemVer number that starts with a digit and contains a dot: `12.0.0`, `1.2`, `1.0.0-rc.1+build`.
///
/// Two numbers are equal when SemVer gives neither precedence, so build metadata does not count and `1.2` is `1.2.0`
/// (Helm fills missing parts with zeros). The text is kept as it was written.
#[derive(Debug, Clone)]
pub struct VersionNumber {
    text: Arc<str>,
    precedence: semver::Version,
}

as_text!(VersionNumber);

impl VersionNumber {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        !self.precedence.pre.is_empty()
    }

    /// The number without build metadata and with all three parts: equal numbers have equal keys.
    #[must_use]
    pub fn key(&self) -> String {
        self.precedence.to_string()
    }

    /// A text whose byte order is SemVer precedence, for stores that can only compare text.
    #[must_use]
    pub fn sort_key(&self) -> String {
        let semver::Version {
            major,
            minor,
            patch,
            pre,
            ..
        } = &self.precedence;
        // Every row of a version has its key in it, so it is made in one piece.
        let mut key = String::with_capacity(32);
        for (place, number) in [major, minor, patch].into_iter().enumerate() {
            if place > 0 {
                key.push('.');
            }
            let digits = number.checked_ilog10().unwrap_or(0) + 1;
            // Writing into a text cannot fail.
            let _ = write!(key, "{digits:03}{number}");
        }
        if pre.is_empty() {
            key.push('~'); // above every pre-release
            return key;
        }
        for identifier in pre.split('.') {
            // Numbers sort below words and, like those before, by length first: none of SemVer has leading zeros; '!' sorts below every character an identifier may hold.
            if identifier.bytes().all(|b| b.is_ascii_digit()) {
                key.push_str(&format!("!0{:03}{identifier}", identifier.len()));
            } else {
                key.push_str(&format!("!1{identifier}"));
            }
        }
        key
    }
}

impl PartialEq for VersionNumber {
    fn eq(&self, other: &Self) -> bool {
        self.precedence == other.precedence
    }
}

impl Eq for VersionNumber {}

impl Hash for VersionNumber {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.precedence.hash(state);
    }
}

impl PartialOrd for VersionNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for VersionNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        self.precedence.cmp(&other.precedence)
    }
}

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a version number is SemVer, starts with a digit, contains a dot and has at most 100 characters; {0:?} is not")]
pub struct InvalidVersionNumber(String);

impl FromStr for VersionNumber {
    type Err = InvalidVersionNumber;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidVersionNumber(text.chars().take(100).collect());
        if text.len() > 100 || !text.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(invalid());
        }
        let (core, rest) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
        let filled = match core.matches('.').count() {
            1 => format!("{core}.0{rest}"),
            2 => text.to_owned(),
            _ => return Err(invalid()),
        };
        let mut precedence = semver::Version::parse(&filled).map_err(|_| invalid())?;
        precedence.build = semver::BuildMetadata::EMPTY;
        Ok(Self {
            text: text.into(),
            precedence,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> VersionNumber {
        text.parse().unwrap()
    }

    #[test]
    fn a_number_starts_with_a_digit_contains_a_dot_and_is_semver() {
        for good in ["11.3.4", "1.0", "1.0.0-rc.1", "1.0.0+meta", "1.0-rc.1", "0.0.0"] {
            assert!(good.parse::<VersionNumber>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "1",
            "v1.0",
            "v1.0.0",
            "latest",
            "1.0.0 ",
            "1.0.0 [6.0]",
            "1.0.0.0",
            "1..0",
            "01.0.0",
            "1.0.0-",
        ] {
            assert!(bad.parse::<VersionNumber>().is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_that_differ_only_in_build_metadata_or_missing_zeros_are_the_same() {
        assert_eq!(number("1.0.0+a"), number("1.0.0+b"));
        assert_eq!(number("1.0"), number("1.0.0"));
        assert_ne!(number("1.0.0-rc.1"), number("1.0.0"));
        assert_eq!(number("1.0+a").key(), "1.0.0");
    }

    #[test]
    fn the_text_is_kept_as_written() {
        assert_eq!(number("1.0+a").to_string(), "1.0+a");
    }

    fn any_number() -> impl Strategy<Value = VersionNumber> {
        (
            "[0-9]|1[0-9]{1,3}",
            "[0-9]|1[0-9]",
            "[0-9]|1[0-9]",
            "(-(0|[1-9][0-9]?|[a-z-][a-z0-9-]{0,3})(\\.(0|[1-9][0-9]?|[a-z-][a-z0-9]{0,3})){0,2})?",
        )
            .prop_map(|(major, minor, patch, pre)| number(&format!("{major}.{minor}.{patch}{pre}")))
    }

    proptest! {
        #[test]
        fn the_sort_key_orders_as_semver_does(a in any_number(), b in any_number()) {
            prop_assert_eq!(a.sort_key().cmp(&b.sort_key()), a.cmp(&b), "{} {}", a, b);
        }
    }
}
