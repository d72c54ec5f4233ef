//! YAML from strangers: how much it may cost is checked before anything is built from it.
//!
//! The parser refuses deep nesting and alias bombs of many levels by itself. Left to be guarded are
//! its quadratic corners, and few aliases to something large, which multiply megabytes to gigabytes.

use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IgnoredAny, MapAccess, SeqAccess};
use serde::de::{VariantAccess, Visitor};

/// For open flow collections libyaml looks at every level again for each token.
const FLOW_COLLECTIONS_MAX: usize = 20_000;
/// Each directive is compared with all before it.
const DIRECTIVES_MAX: usize = 100;
/// What a document may grow to in memory when its aliases are followed, in bytes, roughly.
const EXPANDED_MAX_BYTES: u64 = 32 << 20;
const NODE_BYTES: u64 = 32;

/// What is at the top of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Nothing,
    Mapping,
    Other(&'static str),
}

/// The shape of each document in `text`, all of them well-formed and cheap to build.
///
/// # Errors
///
/// What is wrong with it, for people.
pub fn shapes(text: &str) -> Result<Vec<Shape>, String> {
    check_syntax_cost(text)?;
    let expanded_bytes = Cell::new(0);
    let weigh = |document| {
        Weigh(&expanded_bytes)
            .deserialize(document)
            .map_err(|error: serde_yaml::Error| error.to_string())
    };
    serde_yaml::Deserializer::from_str(text).map(weigh).collect()
}

/// Builds a `T` from the first document of a file; like Helm, it leaves others alone.
pub(crate) fn first_document<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    shapes(text)?;
    let document = serde_yaml::Deserializer::from_str(text).next().ok_or("it is empty")?;
    T::deserialize(document).map_err(|error| error.to_string())
}

fn check_syntax_cost(text: &str) -> Result<(), String> {
    let flow_collections = text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if flow_collections > FLOW_COLLECTIONS_MAX {
        return Err(format!(
            "it holds {flow_collections} '[' and '{{', the limit is {FLOW_COLLECTIONS_MAX}"
        ));
    }
    let directives = text.lines().filter(|line| line.starts_with('%')).count();
    if directives > DIRECTIVES_MAX {
        return Err(format!(
            "it holds {directives} lines that start with '%', the limit is {DIRECTIVES_MAX}"
        ));
    }
    Ok(())
}

/// Goes through a document with its aliases followed, building nothing, adding up what building would take.
#[derive(Clone, Copy)]
struct Weigh<'a>(&'a Cell<u64>);

impl Weigh<'_> {
    fn add<E: de::Error>(self, shape: Shape, text_bytes: usize) -> Result<Shape, E> {
        let expanded_bytes = self.0.get() + NODE_BYTES + text_bytes as u64;
        self.0.set(expanded_bytes);
        if expanded_bytes > EXPANDED_MAX_BYTES {
            return Err(E::custom(format_args!(
                "its aliases expand to more than {EXPANDED_MAX_BYTES} bytes"
            )));
        }
        Ok(shape)
    }
}

impl<'de> DeserializeSeed<'de> for Weigh<'_> {
    type Value = Shape;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Weigh<'_> {
    type Value = Shape;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("any YAML")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Shape, E> {
        self.add(Shape::Nothing, 0)
    }

    /// An empty document.
    fn visit_none<E: de::Error>(self) -> Result<Shape, E> {
        self.visit_unit()
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Shape, E> {
        self.add(Shape::Other("a boolean"), 0)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Shape, E> {
        self.add(Shape::Other("a number"), 0)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Shape, E> {
        self.add(Shape::Other("a number"), 0)
    }

    fn visit_i128<E: de::Error>(self, _: i128) -> Result<Shape, E> {
        self.add(Shape::Other("a number"), 0)
    }

    fn visit_u128<E: de::Error>(self, _: u128) -> Result<Shape, E> {
        self.add(Shape::Other("a number"), 0)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Shape, E> {
        self.add(Shape::Other("a number"), 0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Shape, E> {
        self.add(Shape::Other("a string"), text.len())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Shape, A::Error> {
        while items.next_element_seed(self)?.is_some() {}
        self.add(Shape::Other("a list"), 0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Shape, A::Error> {
        while fields.next_entry_seed(self, self)?.is_some() {}
        self.add(Shape::Mapping, 0)
    }

    /// A value with a tag of its own, which Helm ignores.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Shape, A::Error> {
        let (IgnoredAny, value) = tagged.variant()?;
        value.newtype_variant_seed(self)
    }
}
