//! Values as they are written in statements.

use uuid::Uuid;

/// Between quotes if no quoting could go wrong, as for all names of the log's own; anything else in hexadecimal digits.
pub(super) fn text(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b' ');
    match text.bytes().all(is_plain) {
        true => format!("'{text}'"),
        false => format!("convert_from({}, 'UTF8')", bytes(text)),
    }
}

pub(super) fn bytes(bytes: impl AsRef<[u8]>) -> String {
    // The backslash is escaped as in every server, whatever it is set to make of one elsewhere.
    format!("E'\\\\x{}'", hex::encode(bytes))
}

pub(super) fn id(id: Uuid) -> String {
    format!("'{id}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_text_of_letters_digits_and_dashes_is_spelt_as_it_is() {
        assert_eq!(text("app-0198c0de"), "'app-0198c0de'");
        for dangerous in ["'", "\\", "a'; DROP TABLE event; --", "ä", "\0", "\n", "$$"] {
            let spelt = format!("convert_from(E'\\\\x{}', 'UTF8')", hex::encode(dangerous));
            assert_eq!(text(dangerous), spelt);
        }
    }
}
