//! Numbers as decimal digits, for `#[serde(with = "decimal")]`: the log holds no JSON numbers.

use std::{fmt::Display, str::FromStr};

use serde::{Deserialize, Deserializer, Serializer, de::Error};

pub fn serialize<N: Display, S: Serializer>(number: &N, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

pub fn deserialize<'de, N: FromStr<Err: Display>, D: Deserializer<'de>>(deserializer: D) -> Result<N, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}
