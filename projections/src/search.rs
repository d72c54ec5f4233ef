//! What people type, as a query of the store's text index.

use domain::ids::CategoryId;

use crate::storefront::Shelf;

/// Words beyond these narrow a search no further.
const WORDS_MAX: usize = 16;
const WORD_MAX_CHARACTERS: usize = 64;

/// Words that must all occur, in the index's own syntax. Quoted, so that nothing in them is an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SearchQuery(String);

impl SearchQuery {
    /// `None` if there is no word in `text`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let words = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty());
        let quoted: Vec<_> = words.take(WORDS_MAX).map(quoted).collect();
        // Somebody may still be typing the last word.
        (!quoted.is_empty()).then(|| {
            Self(format!(
                "{{name chart summary keywords readme}} : ({} *)",
                quoted.join(" AND ")
            ))
        })
    }

    pub(crate) fn on(self, shelf: Shelf) -> String {
        let token = match shelf {
            Shelf::Any => return self.0,
            Shelf::Category(category) => shelf_token(Some(category)),
            Shelf::Uncategorised => shelf_token(None),
        };
        format!("{} AND category : \"{token}\"", self.0)
    }
}

fn quoted(word: &str) -> String {
    let word: String = word.chars().take(WORD_MAX_CHARACTERS).collect();
    format!("\"{word}\"")
}

/// The one word in the index's column of shelves.
pub(crate) fn shelf_token(category: Option<CategoryId>) -> String {
    category.map_or_else(
        || "uncategorised".to_owned(),
        |id| format!("category{}", id.as_uuid().simple()),
    )
}
