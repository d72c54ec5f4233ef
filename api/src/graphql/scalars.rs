//! Values with a form of their own.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};

macro_rules! text_scalar {
    ($(#[$doc:meta])* $name:ident($inner:ty) as $graphql:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(pub $inner);

        $(#[$doc])*
        #[Scalar(name = $graphql)]
        impl ScalarType for $name {
            fn parse(value: Value) -> InputValueResult<Self> {
                match value {
                    Value::String(text) => text.parse().map(Self).map_err(|error| {
                        InputValueError::custom(error).with_extension("code", "BAD_INPUT")
                    }),
                    other => Err(InputValueError::expected_type(other).with_extension("code", "BAD_INPUT")),
                }
            }

            fn to_value(&self) -> Value {
                Value::String(self.0.to_string())
            }
        }
    };
}

text_scalar!(
    /// A place in the log: 0, 1, 2 … as decimal digits, since it may outgrow 32 bits.
    LogPosition(u64) as "LogPosition"
);
text_scalar!(
    /// The SHA-256 of some bytes: `sha256:` and 64 lower-case hexadecimal digits.
    Sha256(domain::digest::Digest) as "Sha256"
);
text_scalar!(
    /// A SemVer number that starts with a digit and contains a dot, such as `12.0.0`.
    SemVer(domain::version_number::VersionNumber) as "SemVer"
);
