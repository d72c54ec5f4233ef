//! Objects that have what is asked of them, shown without what the library does for those that have to fetch it.

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, Name, ObjectType, OutputType, Positioned, ServerResult, Value,
    indexmap::IndexMap,
    parser::types::{Field, Selection, SelectionSet},
    registry::Registry,
};

/// Shows the fields of an object one after the other, where they are. The library first puts each into a box of its own, so
/// that it can wait for all of them at once; fields that are there already need not pay for that.
pub struct InPlace<T>(pub T);

impl<T: ObjectType> OutputType for InPlace<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let mut fields = Vec::with_capacity(ctx.item.node.items.len());
        if !self.collect(ctx, ctx.item, &mut fields) {
            return self.0.resolve(ctx, field).await;
        }
        let mut shown = IndexMap::with_capacity(fields.len());
        for (name, field) in fields {
            if field.node.name.node == "__typename" {
                shown.insert(name.clone(), self.0.introspection_type_name().into());
                continue;
            }
            match self.0.resolve_field(&ctx.with_field(field)).await {
                Ok(value) => {
                    shown.insert(name.clone(), value.unwrap_or_default());
                }
                Err(error) => ctx.add_error(error),
            }
        }
        Ok(match shown.is_empty() {
            true => Value::Null,
            false => Value::Object(shown),
        })
    }
}

impl<T: ObjectType> InPlace<T> {
    /// The fields that are asked for, each under the name of its answer, those of fragments among them. Whether that is all:
    /// what is asked for twice, under a directive, or of an interface is left to the library.
    fn collect<'a>(
        &self,
        ctx: &ContextSelectionSet<'a>,
        set: &'a Positioned<SelectionSet>,
        fields: &mut Vec<(&'a Name, &'a Positioned<Field>)>,
    ) -> bool {
        set.node.items.iter().all(|selection| match &selection.node {
            Selection::Field(field) => {
                let name = &field.node.response_key().node;
                let is_plain = field.node.directives.is_empty() && fields.iter().all(|(other, _)| *other != name);
                fields.push((name, field));
                is_plain
            }
            Selection::FragmentSpread(spread) => {
                let fragment = ctx.query_env.fragments.get(&spread.node.fragment_name.node);
                fragment.is_some_and(|fragment| {
                    *fragment.node.type_condition.node.on.node == *T::type_name()
                        && self.collect(ctx, &fragment.node.selection_set, fields)
                })
            }
            Selection::InlineFragment(_) => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Error, Object, Schema};

    use super::*;

    struct Thing;

    #[Object]
    impl Thing {
        async fn number(&self) -> i32 {
            1
        }

        async fn repeated(&self, times: usize) -> String {
            "a".repeat(times)
        }

        async fn within(&self) -> Self {
            Self
        }

        async fn broken(&self) -> Result<Option<i32>, Error> {
            Err(Error::new("is broken"))
        }

        async fn missing(&self) -> Result<i32, Error> {
            Err(Error::new("is missing"))
        }
    }

    struct Query;

    #[Object]
    impl Query {
        async fn boxed(&self) -> Vec<Thing> {
            vec![Thing, Thing]
        }

        async fn place(&self) -> Vec<InPlace<Thing>> {
            vec![InPlace(Thing), InPlace(Thing)]
        }
    }

    #[tokio::test]
    async fn what_is_shown_in_place_is_what_the_library_would_show() {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        for selection in [
            "number",
            "one: number other: number",
            "number number",
            "within { number } within { repeated(times: 2) }",
            "repeated(times: 3)",
            "__typename number kind: __typename",
            "number ...More",
            "number ... on Thing { within { number } }",
            "...More number",
            "number @include(if: true) within @skip(if: true) { number }",
            "broken number",
            "number missing",
            "broken",
            "missing within { missing }",
        ] {
            let [boxed, place] = ["boxed", "place"].map(|field| {
                let fragment = match selection.contains("More") {
                    true => {
                        "fragment More on Thing { number repeated(times: 1) again: within { ...Less } } \
                             fragment Less on Thing { number }"
                    }
                    false => "",
                };
                format!("{{ it: {field} {{ {selection} }} }} {fragment}")
            });
            let (expected, shown) = (schema.execute(boxed).await, schema.execute(place).await);
            let [expected, shown] = [expected, shown].map(|answer| serde_json::to_value(answer).unwrap());
            assert_eq!(shown, expected, "{selection}");
        }
    }
}
