//! Lists that can grow are read page by page, as Relay connections.

use std::borrow::Cow;

use async_graphql::{
    Context, Object, ObjectType, OutputType, TypeName,
    connection::{EmptyFields, PageInfo},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use projections::page::{Key, Page, PageRequest};
use uuid::Uuid;

use super::{
    error::{ApiError, Result},
    in_place::InPlace,
    viewer::services,
};

pub const PAGE_DEFAULT: i32 = 20;
const PAGE_MAX: i32 = 100;

/// A page of items, which tells more than they do if it has `fields`.
///
/// The library's own resolves the fields of each edge at once, which for fields that are there already is most of what it
/// costs to show them.
pub struct Connected<T, F = EmptyFields> {
    page_info: PageInfo,
    edges: Vec<Edge<T>>,
    fields: F,
}

pub struct Edge<T> {
    cursor: String,
    node: T,
}

impl<T> Connected<T> {
    /// The only page of a list with nothing in it.
    pub fn empty() -> Self {
        Self::of(vec![], (false, false), EmptyFields)
    }
}

impl<T, F> Connected<T, F> {
    pub fn empty_with(fields: F) -> Self {
        Self::of(vec![], (false, false), fields)
    }

    fn of(edges: Vec<Edge<T>>, (has_previous_page, has_next_page): (bool, bool), fields: F) -> Self {
        let cursor = |edge: &Edge<T>| edge.cursor.clone();
        Self {
            page_info: PageInfo {
                has_previous_page,
                has_next_page,
                start_cursor: edges.first().map(cursor),
                end_cursor: edges.last().map(cursor),
            },
            edges,
            fields,
        }
    }
}

/// A page of a list, and where the next one begins.
#[Object(name_type, serial)]
impl<T: OutputType, F: ObjectType> Connected<T, F> {
    /// Information to aid in pagination.
    async fn page_info(&self) -> &PageInfo {
        &self.page_info
    }

    /// A list of edges.
    async fn edges(&self) -> Vec<InPlace<&Edge<T>>> {
        self.edges.iter().map(InPlace).collect()
    }

    /// A list of nodes.
    async fn nodes(&self) -> Vec<&T> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    #[graphql(flatten)]
    async fn fields(&self) -> &F {
        &self.fields
    }
}

impl<T: OutputType, F: ObjectType> TypeName for Connected<T, F> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", T::type_name()).into()
    }
}

/// An edge in a connection.
#[Object(name_type, serial)]
impl<T: OutputType> Edge<T> {
    /// The item at the end of the edge
    async fn node(&self) -> &T {
        &self.node
    }

    /// A cursor for use in pagination
    async fn cursor(&self) -> &str {
        &self.cursor
    }
}

impl<T: OutputType> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", T::type_name()).into()
    }
}

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
) -> Connected<T, F> {
    let epoch = epoch(ctx);
    let edges = page.items.into_iter().map(|item| Edge {
        cursor: cursor(epoch, &item.key),
        node: show(item.row),
    });
    Connected::of(edges.collect(), (!is_first_page, page.has_next), fields)
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
