//! Names of bytes: published content by its own hash, sealed content by the hash of its ciphertext.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text;

/// A SHA-256, written `sha256:` and 64 lower-case hexadecimal digits. Computed at the edge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Written::of(self).as_str())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a digest is `sha256:` and 64 lower-case hexadecimal digits, not {0:?}")]
pub struct InvalidDigest(String);

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidDigest(text.chars().take(80).collect());
        let hex = text
            .strip_prefix(PREFIX)
            .filter(|hex| hex.len() == 64)
            .ok_or_else(invalid)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            for digit in pair {
                *byte = *byte << 4 | value(*digit).ok_or_else(invalid)?;
            }
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Written::of(self).as_str())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize(deserializer)
    }
}

const PREFIX: &str = "sha256:";
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// A digest as it is written. Rows of the views hold digests by the million, so they are not left to general formatting.
struct Written([u8; PREFIX.len() + 64]);

impl Written {
    fn of(digest: &Digest) -> Self {
        let mut text = [0; PREFIX.len() + 64];
        let (prefix, hex) = text.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX.as_bytes());
        let (pairs, _) = hex.as_chunks_mut();
        for (pair, byte) in pairs.iter_mut().zip(digest.0) {
            *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
        }
        Self(text)
    }

    fn as_str(&self) -> &str {
        // The prefix and digits, which are all of it, are text.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

const fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// Text that the log must be able to forget: it stays in the vault, under the key of `subject`.
///
/// The log holds the hash of the ciphertext, so erasing the key leaves every proof intact.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sealed {
    /// Whose key opens it, such as `account-<id>` or `release-<id>`.
    pub subject: String,
    pub digest: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_back_what_it_writes() {
        let digest = Digest::from_bytes([0xab; 32]);
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!(digest.to_string(), format!("sha256:{}", "ab".repeat(32)));
    }

    #[test]
    fn a_digest_in_another_alphabet_length_or_case_is_refused() {
        for text in [
            "",
            "sha256:",
            &format!("sha256:{}", "AB".repeat(32)),
            &"ab".repeat(32),
            "sha256:+1",
        ] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
        assert!(format!("sha256:{}", "é".repeat(32)).parse::<Digest>().is_err());
    }
}
