//! Lists that can grow are read page by page, as Relay connections.

use async_graphql::{
    Context, ObjectType, OutputType,
    connection::{Connection, Edge, EmptyFields},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use projections::page::{Key, Page, PageRequest};
use uuid::Uuid;

use super::{
    error::{ApiError, Result},
    viewer::services,
};

pub const PAGE_DEFAULT: i32 = 20;
const PAGE_MAX: i32 = 100;

pub type Connected<T> = Connection<String, T, EmptyFields, EmptyFields>;

/// What `first` and `after` ask for.
///
/// # Errors
///
/// `PAGE_SIZE`; `CURSOR_INVALID` if `after` is no cursor; `EPOCH_CHANGED` if it is one from before the log was restored.
pub fn request(ctx: &Context<'_>, first: Option<i32>, after: Option<String>) -> Result<PageRequest> {
    let first = first.unwrap_or(PAGE_DEFAULT);
    if !(1..=PAGE_MAX).contains(&first) {
        return Err(ApiError::new(
            "PAGE_SIZE",
            format!("first must be 1 to {PAGE_MAX}, not {first}"),
        ));
    }
    let key = after.map(|cursor| key(epoch(ctx), &cursor)).transpose()?;
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

/// Cursors mean something only within the epoch they are of: each begins with what tells it from others.
fn epoch(ctx: &Context<'_>) -> u32 {
    tag(services(ctx).log.identity().epoch)
}

fn tag(epoch: Uuid) -> u32 {
    epoch.as_fields().0
}

fn cursor(epoch: u32, key: &Key) -> String {
    URL_SAFE_NO_PAD.encode(format!("{epoch:08x}.{}", key.as_str()))
}

fn key(epoch: u32, cursor: &str) -> Result<Key> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let parts = text.as_deref().and_then(|text| text.split_once('.'));
    let parts = parts.and_then(|(of, key)| Some((u32::from_str_radix(of, 16).ok()?, key)));
    match parts {
        Some((of, key)) if of == epoch => Ok(Key::from_text(key.to_owned())),
        Some((of, _)) => Err(ApiError::new(
            "EPOCH_CHANGED",
            format!("the log was restored: after is a cursor of epoch {of:08x}, and this is {epoch:08x}"),
        )),
        None => Err(ApiError::new("CURSOR_INVALID", "after is not a cursor of this list")),
    }
}

pub fn connection<R, T: OutputType>(
    ctx: &Context<'_>,
    page: Page<R>,
    is_first_page: bool,
    show: impl Fn(R) -> T,
) -> Connected<T> {
    connection_with(ctx, page, is_first_page, EmptyFields, show)
}

/// A connection that tells more than its page.
pub fn connection_with<R, T: OutputType, F: ObjectType>(
    ctx: &Context<'_>,
    page: Page<R>,
    is_first_page: bool,
    fields: F,
    show: impl Fn(R) -> T,
) -> Connection<String, T, F, EmptyFields> {
    let epoch = epoch(ctx);
    let mut connection = Connection::with_additional_fields(!is_first_page, page.has_next, fields);
    let edges = page
        .items
        .into_iter()
        .map(|item| Edge::new(cursor(epoch, &item.key), show(item.row)));
    connection.edges.extend(edges);
    connection
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(refused: ApiError) -> String {
        let refused: async_graphql::Error = refused.into();
        refused.extensions.unwrap().get("code").unwrap().to_string()
    }

    #[test]
    fn a_cursor_leads_back_to_its_key_in_its_own_epoch_only() {
        let (here, key_there) = (tag(Uuid::from_u128(7 << 96)), Key::from_text("41.redis".to_owned()));
        let cursor = cursor(here, &key_there);
        assert_eq!(key(here, &cursor).ok(), Some(key_there));
        assert_eq!(code(key(8, &cursor).unwrap_err()), "\"EPOCH_CHANGED\"");
        for garbage in ["", "x", "NDE", "Lg", "eC40MQ", "////", &"A".repeat(100_000)] {
            assert_eq!(
                code(key(here, garbage).unwrap_err()),
                "\"CURSOR_INVALID\"",
                "{garbage:.20}"
            );
        }
    }

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
