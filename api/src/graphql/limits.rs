//! What a request may cost, decided before anything is executed, and how large its answer may become.
//!
//! The library's own passes follow every spread of every fragment, so a document of 27 short fragments can take them
//! years. Here each fragment is weighed once.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_graphql::{
    Context, Data, Name, Positioned, Request, Response, ServerResult,
    async_trait::async_trait,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextPrepareRequest},
    parser::types::{ExecutableDocument, FragmentDefinition, Selection, SelectionSet},
};

use super::error::{ApiError, Result, parse_problem, request_error};
use crate::config;

/// Fields, fragments and spreads of all operations, those of a fragment counted wherever it is spread.
const SELECTIONS_MAX: usize = 20_000;
/// Fields inside each other. The full introspection query of common tools is 13 levels deep.
const DEPTH_MAX: usize = 15;
/// Selections inside each other, fields or fragments. It bounds the stack.
const NESTING_MAX: usize = 32;
const ALIASES_MAX: usize = 100;
const DIRECTIVES_MAX: usize = 30;
/// Variables of all operations.
const VARIABLES_MAX: usize = 200;
/// Errors about what is in an operation repeat its name.
const OPERATION_NAME_MAX_BYTES: usize = 200;

/// Refuses documents beyond the limits, whichever way they come in, and gives every answer its budget.
pub struct Limits {
    pub document_max_bytes: usize,
    pub answer_max_bytes: usize,
}

impl Limits {
    pub const fn new(limits: &config::Limits) -> Self {
        Self {
            document_max_bytes: limits.document_max_bytes,
            answer_max_bytes: limits.answer_max_bytes,
        }
    }
}

impl Limits {
    /// Parses the document, if it was not, and weighs it.
    ///
    /// # Errors
    ///
    /// That it is too long or too heavy, or no document.
    pub fn admit(&self, request: &mut Request) -> ServerResult<()> {
        let (found, limit) = (request.query.len(), self.document_max_bytes);
        if found > limit {
            let message = format!("the document has {found} bytes, and {limit} are allowed");
            return Err(request_error("DOCUMENT_TOO_LARGE", message));
        }
        match request.parsed_query() {
            Ok(document) => check(document),
            Err(error) => {
                let problem = parse_problem(&error.message, error.locations.first().copied());
                Err(request_error("GRAPHQL_PARSE_FAILED", problem))
            }
        }
    }

    /// Gives an execution its budget.
    pub fn begin(&self, data: &mut Data) {
        data.insert(AnswerBudget::new(self.answer_max_bytes));
    }
}

impl ExtensionFactory for Limits {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self { ..*self })
    }
}

#[async_trait]
impl Extension for Limits {
    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        mut request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        self.admit(&mut request)?;
        next.run(ctx, request).await
    }

    async fn execute(&self, ctx: &ExtensionContext<'_>, operation: Option<&str>, next: NextExecute<'_>) -> Response {
        let mut data = Data::default();
        self.begin(&mut data);
        next.run_with_data(ctx, operation, data).await
    }
}

/// How many bytes of documents one answer may still take up. Each answer of a subscription has its own.
struct AnswerBudget {
    limit: usize,
    left: AtomicUsize,
}

impl AnswerBudget {
    const fn new(limit: usize) -> Self {
        Self {
            limit,
            left: AtomicUsize::new(limit),
        }
    }

    fn take(&self, bytes: usize) -> Result<()> {
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        taken.map(drop).map_err(|_| {
            let message = format!(
                "the answer has more than {} bytes of documents; ask for fewer at once",
                self.limit
            );
            ApiError::new("ANSWER_TOO_LARGE", message)
        })
    }
}

/// Makes sure that there is room for `bytes` more in the answer.
///
/// # Errors
///
/// `ANSWER_TOO_LARGE` if there is not.
pub fn make_room(ctx: &Context<'_>, bytes: usize) -> Result<()> {
    ctx.data_opt::<AnswerBudget>()
        .map_or(Ok(()), |budget| budget.take(bytes))
}

/// A text of the answer, if there is room for it.
///
/// # Errors
///
/// `ANSWER_TOO_LARGE` if there is not.
pub fn text<'a>(ctx: &Context<'_>, text: Option<&'a str>) -> Result<Option<&'a str>> {
    make_room(ctx, text.map_or(0, str::len))?;
    Ok(text)
}

/// Whether the document keeps the limits. Takes time in proportion to its length.
fn check(document: &ExecutableDocument) -> ServerResult<()> {
    let mut scale = Scale {
        fragments: &document.fragments,
        weighed: HashMap::new(),
    };
    let mut whole = Weight::default();
    for (name, operation) in document.operations.iter() {
        within(
            "bytes in an operation's name",
            name.map_or(0, |name| name.len()),
            OPERATION_NAME_MAX_BYTES,
        )?;
        let operation = &operation.node;
        let mut weight = scale.weigh(&operation.selection_set, 1)?;
        let variables = operation.variable_definitions.iter();
        weight.variables = variables.len();
        let directives: usize = variables.map(|variable| variable.node.directives.len()).sum();
        weight.directives = weight
            .directives
            .saturating_add(directives + operation.directives.len());
        whole = whole.beside(weight);
    }
    // Some rules of the library look at fragments that nothing spreads.
    for name in document.fragments.keys() {
        scale.fragment(name, 1)?;
    }
    whole.check()
}

#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    selections: usize,
    aliases: usize,
    directives: usize,
    variables: usize,
    depth: usize,
    nesting: usize,
}

impl Weight {
    fn beside(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
            directives: self.directives.saturating_add(other.directives),
            variables: self.variables.saturating_add(other.variables),
            depth: self.depth.max(other.depth),
            nesting: self.nesting.max(other.nesting),
        }
    }

    fn check(self) -> ServerResult<()> {
        within("fields", self.selections, SELECTIONS_MAX)?;
        within("levels", self.depth, DEPTH_MAX)?;
        within("aliases", self.aliases, ALIASES_MAX)?;
        within("variables", self.variables, VARIABLES_MAX)?;
        within("directives", self.directives, DIRECTIVES_MAX)
    }
}

fn within(what: &str, found: usize, limit: usize) -> ServerResult<()> {
    if found <= limit {
        return Ok(());
    }
    let message =
        format!("the document has {found} {what}, and {limit} are allowed, fragments counted wherever they are spread");
    Err(request_error("GRAPHQL_VALIDATION_FAILED", message))
}

struct Scale<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// `None` while the fragment is being weighed.
    weighed: HashMap<&'a str, Option<Weight>>,
}

impl<'a> Scale<'a> {
    /// What the selections at this level weigh together.
    fn weigh(&mut self, set: &'a Positioned<SelectionSet>, level: usize) -> ServerResult<Weight> {
        let mut whole = Weight::default();
        for selection in &set.node.items {
            within("levels of selections", level, NESTING_MAX)?;
            let weight = match &selection.node {
                Selection::Field(field) => {
                    let inside = self.weigh(&field.node.selection_set, level + 1)?;
                    Weight {
                        aliases: inside.aliases.saturating_add(usize::from(field.node.alias.is_some())),
                        depth: inside.depth + 1,
                        ..inside
                    }
                }
                Selection::InlineFragment(fragment) => self.weigh(&fragment.node.selection_set, level + 1)?,
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, level + 1)?,
            };
            whole = whole.beside(Weight {
                selections: weight.selections.saturating_add(1),
                directives: weight.directives.saturating_add(selection.node.directives().len()),
                nesting: weight.nesting + 1,
                ..weight
            });
        }
        Ok(whole)
    }

    fn fragment(&mut self, name: &str, level: usize) -> ServerResult<Weight> {
        let Some((name, fragment)) = self.fragments.get_key_value(name) else {
            // Validation says so, with its place.
            return Ok(Weight::default());
        };
        let weight = match self.weighed.get(name.as_str()) {
            Some(Some(weight)) => *weight,
            Some(None) => {
                let message = format!("the fragment {name} spreads itself");
                return Err(request_error("GRAPHQL_VALIDATION_FAILED", message));
            }
            None => {
                self.weighed.insert(name, None);
                let mut weight = self.weigh(&fragment.node.selection_set, level)?;
                weight.directives = weight.directives.saturating_add(fragment.node.directives.len());
                self.weighed.insert(name, Some(weight));
                weight
            }
        };
        within("levels of selections", level - 1 + weight.nesting, NESTING_MAX)?;
        Ok(weight)
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn refusal(query: &str) -> Option<String> {
        check(&parse_query(query).unwrap()).err().map(|error| {
            let extensions = error.extensions.unwrap();
            assert_eq!(
                extensions.get("code").unwrap().to_string(),
                "\"GRAPHQL_VALIDATION_FAILED\""
            );
            error.message
        })
    }

    /// Every fragment spreads the next one twice.
    fn doubling(levels: usize) -> String {
        let fragments = (0..levels).map(|n| format!("fragment f{n} on Query {{ ...f{0} ...f{0} }} ", n + 1));
        let fragments: String = fragments.collect();
        format!("{{ ...f0 }} {fragments} fragment f{levels} on Query {{ __typename }}")
    }

    #[test]
    fn fragments_that_grow_exponentially_are_refused_by_their_expanded_size() {
        assert_eq!(refusal(&doubling(8)), None);
        let message = refusal(&doubling(26)).unwrap();
        assert!(
            message.contains("201326592 fields") || message.contains("fields, and 20000"),
            "{message}"
        );
        // Beyond what a number holds, were the nesting not refused first.
        assert!(refusal(&doubling(200)).unwrap().contains("32 are allowed"));
    }

    #[test]
    fn a_fragment_that_spreads_itself_is_refused() {
        for query in [
            "{ ...a } fragment a on Query { ...a }",
            "{ ...a } fragment a on Query { ...b } fragment b on Query { x { ...a } }",
            "{ x } fragment a on Query { ...b } fragment b on Query { ...a }",
        ] {
            assert!(refusal(query).unwrap().contains("spreads itself"), "{query}");
        }
    }

    #[test]
    fn each_limit_is_named_with_what_was_met() {
        let nested = |levels: usize| "{ a ".repeat(levels) + &"}".repeat(levels);
        let aliases = |count: usize| format!("{{ {} }}", (0..count).map(|n| format!("a{n}: a ")).collect::<String>());
        let directives = |count: usize| format!("{{ a {} }}", "@skip(if: false) ".repeat(count));
        let variables = |count: usize| format!("query ({}) {{ a }}", "$a: Int ".repeat(count));
        let named = |length: usize| format!("query {} {{ a }}", "a".repeat(length));
        let fields = |count: usize| format!("{{ {} }}", "a ".repeat(count));
        let cases = [
            (nested(DEPTH_MAX), nested(DEPTH_MAX + 1), "16 levels, and 15"),
            (aliases(100), aliases(101), "101 aliases, and 100"),
            (directives(30), directives(31), "31 directives, and 30"),
            (fields(20_000), fields(20_001), "20001 fields, and 20000"),
            (variables(200), variables(201), "201 variables, and 200"),
            (named(200), named(201), "201 bytes in an operation's name, and 200"),
        ];
        for (allowed, refused, words) in cases {
            assert_eq!(refusal(&allowed), None, "{words}");
            let message = refusal(&refused).unwrap();
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn a_long_chain_of_fragments_is_refused_before_it_fills_the_stack() {
        let chain: String = (0..2_000)
            .map(|n| format!("fragment f{n} on Query {{ ...f{} }} ", n + 1))
            .collect();
        let query = format!("{{ __typename }} {chain} fragment f2000 on Query {{ __typename }}");
        assert!(refusal(&query).unwrap().contains("32 are allowed"));
    }

    #[test]
    fn what_one_answer_may_hold_is_used_up() {
        let budget = AnswerBudget::new(10);
        assert!(budget.take(6).is_ok() && budget.take(4).is_ok() && budget.take(0).is_ok());
        assert!(budget.take(1).is_err());
    }
}
