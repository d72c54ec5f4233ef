//! Proof that the log was never altered: RFC 6962 hashing over its leaves.

pub mod merkle;
