//! Documents that were parsed before: programs send the same few again and again, with other variables.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_graphql::parser::{Error, parse_query, types::ExecutableDocument};

const DOCUMENTS_MAX: usize = 256;
/// Longer ones are parsed whenever they come, so that what is kept stays small.
const KEPT_MAX_BYTES: usize = 8 * 1024;

/// Parsed documents by their text.
#[derive(Default)]
pub struct Documents(Mutex<HashMap<String, Arc<ExecutableDocument>>>);

impl Documents {
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn parse(&self, text: &str) -> Result<ExecutableDocument, Error> {
        if text.len() > KEPT_MAX_BYTES {
            return parse_query(text);
        }
        if let Some(known) = self.known(text) {
            return Ok(ExecutableDocument::clone(&known));
        }
        let document = parse_query(text)?;
        self.keep(text, &document);
        Ok(document)
    }

    fn known(&self, text: &str) -> Option<Arc<ExecutableDocument>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(text).cloned()
    }

    fn keep(&self, text: &str, document: &ExecutableDocument) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever sends many different ones makes it forget; those that are of use come again.
        if kept.len() >= DOCUMENTS_MAX {
            kept.clear();
        }
        kept.insert(text.to_owned(), Arc::new(document.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(documents: &Documents) -> usize {
        documents.0.lock().unwrap().len()
    }

    #[test]
    fn a_document_that_comes_again_is_the_same_and_not_parsed_again() {
        let documents = Documents::default();
        let first = documents.parse("{ a }").unwrap();
        let known = documents.known("{ a }").unwrap();
        assert_eq!(format!("{first:?}"), format!("{known:?}"));
        assert_eq!(format!("{:?}", documents.parse("{ a }").unwrap()), format!("{first:?}"));
        assert_eq!(kept(&documents), 1);
    }

    #[test]
    fn what_is_kept_is_bounded_and_holds_no_document_that_is_wrong() {
        let documents = Documents::default();
        assert!(documents.parse("{").is_err());
        documents
            .parse(&format!("{{ a }}{}", " ".repeat(KEPT_MAX_BYTES)))
            .unwrap();
        assert_eq!(kept(&documents), 0);
        for n in 0..=DOCUMENTS_MAX {
            documents.parse(&format!("{{ a{n} }}")).unwrap();
        }
        assert_eq!(kept(&documents), 1);
    }
}
