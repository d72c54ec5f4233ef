//! A name and raw JSON, read as the one value that both were written from.
//!
//! An event serialises as `{"type": …, "data": …}`; the log keeps the two apart. Here they are handed to the event's own
//! decoder one after the other, name first, so that nothing stands between the stored bytes and the typed event.

use serde::{
    de::{
        DeserializeSeed, Deserializer, MapAccess, Visitor,
        value::{BorrowedStrDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::Error;

pub(super) struct Tagged<'a> {
    name: &'a str,
    data: &'a [u8],
    next: Part,
}

enum Part {
    Name,
    Data,
    End,
}

impl<'a> Tagged<'a> {
    pub(super) const fn new(name: &'a str, data: &'a [u8]) -> Self {
        let next = Part::Name;
        Self { name, data, next }
    }
}

impl<'de> Deserializer<'de> for Tagged<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Tagged<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let key = match self.next {
            Part::Name => "type",
            Part::Data => "data",
            Part::End => return Ok(None),
        };
        seed.deserialize(StrDeserializer::<Error>::new(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.next {
            Part::Name => {
                self.next = Part::Data;
                seed.deserialize(BorrowedStrDeserializer::<Error>::new(self.name))
            }
            Part::Data | Part::End => {
                self.next = Part::End;
                let mut data = serde_json::Deserializer::from_slice(self.data);
                let value = seed.deserialize(&mut data)?;
                data.end()?;
                Ok(value)
            }
        }
    }
}
