//! What people look for, as a query of the store's index of words.
//!
//! Shelf, workspace and maintainers of an app are words too, in a column of their own: so however things are filtered, the
//! index alone tells what is found, in the order of publication. A shelf that is looked at as a whole needs no words.

use domain::ids::{CategoryId, WorkspaceId};

use crate::storefront::{Filter, Shelf};

/// Words beyond these narrow a search no further.
const WORDS_MAX: usize = 16;
const WORD_MAX_CHARACTERS: usize = 64;

/// What a filter leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    Everything,
    Nothing,
    /// All that stands on this shelf, or on none.
    Shelf(Option<CategoryId>),
    /// What matches this, in the index's own syntax.
    Matching(String),
}

impl Wanted {
    pub(crate) fn by(filter: &Filter) -> Self {
        let text = filter.text.as_deref().filter(|text| !text.trim().is_empty());
        if (text, filter.workspace, &filter.maintainer) == (None, None, &None) {
            return match filter.shelf {
                Shelf::Any => Self::Everything,
                Shelf::Category(category) => Self::Shelf(Some(category)),
                Shelf::Uncategorised => Self::Shelf(None),
            };
        }
        let mut terms = Vec::new();
        if let Some(text) = text {
            let Some(words) = words(text) else {
                return Self::Nothing;
            };
            terms.push(format!("{{name chart summary keywords readme}} : ({words})"));
        }
        terms.extend(tokens(filter).iter().map(|token| format!("filters : \"{token}\"")));
        Self::Matching(terms.join(" AND "))
    }
}

/// Words that must all occur. Quoted, so that nothing in them is an operator. `None` if there is none in `text`.
fn words(text: &str) -> Option<String> {
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let quoted: Vec<_> = words.take(WORDS_MAX).map(quoted).collect();
    // Somebody may still be typing the last word.
    (!quoted.is_empty()).then(|| format!("{} *", quoted.join(" AND ")))
}

fn quoted(word: &str) -> String {
    let word: String = word.chars().take(WORD_MAX_CHARACTERS).collect();
    format!("\"{word}\"")
}

fn tokens(filter: &Filter) -> Vec<String> {
    let shelf = match filter.shelf {
        Shelf::Any => None,
        Shelf::Category(category) => Some(shelf_token(Some(category))),
        Shelf::Uncategorised => Some(shelf_token(None)),
    };
    let workspace = filter.workspace.map(workspace_token);
    let maintainer = filter.maintainer.as_deref().map(maintainer_token);
    shelf.into_iter().chain(workspace).chain(maintainer).collect()
}

pub(crate) fn shelf_token(category: Option<CategoryId>) -> String {
    category.map_or_else(
        || "uncategorised".to_owned(),
        |id| format!("category{}", id.as_uuid().simple()),
    )
}

pub(crate) fn workspace_token(workspace: WorkspaceId) -> String {
    format!("workspace{}", workspace.as_uuid().simple())
}

/// One word for a whole name, whatever its letters' case and the spaces around it.
pub(crate) fn maintainer_token(name: &str) -> String {
    let name = name.trim().to_lowercase();
    let digits: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("maintainer{digits}")
}
