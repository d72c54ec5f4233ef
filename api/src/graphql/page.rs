//! Lists that can grow are read page by page, as Relay connections.

use async_graphql::{
    ObjectType, OutputType,
    connection::{Connection, Edge, EmptyFields},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use projections::page::{Key, Page, PageRequest};

use super::error::{ApiError, Result};

pub const PAGE_DEFAULT: i32 = 20;
const PAGE_MAX: i32 = 100;

pub type Connected<T> = Connection<String, T, EmptyFields, EmptyFields>;

/// What `first` and `after` ask for.
pub fn request(first: Option<i32>, after: Option<String>) -> Result<PageRequest> {
    let first = first.unwrap_or(PAGE_DEFAULT);
    if !(1..=PAGE_MAX).contains(&first) {
        return Err(ApiError::new(
            "PAGE_SIZE",
            format!("first must be 1 to {PAGE_MAX}, not {first}"),
        ));
    }
    let key = after.map(|cursor| key(&cursor)).transpose()?;
    Ok(PageRequest::new(usize::try_from(first).unwrap_or_default(), key))
}

/// What a page costs: what one item costs, for as many items as it may have, and itself.
///
/// It is asked before anything is checked, so `first` may be anything, and pages may be in pages to any depth. The sum
/// over a whole document cannot overflow.
pub fn cost(first: Option<i32>, item: usize) -> usize {
    const COST_MAX: usize = 1 << 40;
    let items = usize::try_from(first.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX)).unwrap_or(1);
    item.saturating_mul(items).saturating_add(1).min(COST_MAX)
}

fn key(cursor: &str) -> Result<Key> {
    let text = URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(Key::from_text)
        .ok_or_else(|| ApiError::new("CURSOR_INVALID", "after is not a cursor of this list"))
}

pub fn connection<R, T: OutputType>(page: Page<R>, is_first_page: bool, show: impl Fn(R) -> T) -> Connected<T> {
    connection_with(page, is_first_page, EmptyFields, show)
}

/// A connection that tells more than its page.
pub fn connection_with<R, T: OutputType, F: ObjectType>(
    page: Page<R>,
    is_first_page: bool,
    fields: F,
    show: impl Fn(R) -> T,
) -> Connection<String, T, F, EmptyFields> {
    let mut connection = Connection::with_additional_fields(!is_first_page, page.has_next, fields);
    let edges = page
        .items
        .into_iter()
        .map(|item| Edge::new(URL_SAFE_NO_PAD.encode(item.key.as_str()), show(item.row)));
    connection.edges.extend(edges);
    connection
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_of_a_page_is_counted_by_its_items_and_never_overflows() {
        assert_eq!(cost(Some(3), 2), 7);
        assert_eq!(cost(None, 1), 21);
        for first in [-1, 0, i32::MAX] {
            let deep = (0..1_000).fold(1, |item, _| cost(Some(first), item));
            assert!(deep.checked_mul(1 << 16).is_some(), "{first}");
        }
    }
}
