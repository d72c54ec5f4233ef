//! An error in words.

use std::error::Error;

/// An error and its causes in one line, for places that keep or show text.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |words, cause| format!("{words}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("it is down")]
    struct Down;

    #[derive(Debug, thiserror::Error)]
    enum Trouble {
        #[error("nobody answers")]
        Nobody(#[source] Down),
        #[error(transparent)]
        Down(Down),
    }

    #[test]
    fn every_cause_is_told_once_the_nearest_first() {
        assert_eq!(with_causes(&Trouble::Nobody(Down)), "nobody answers: it is down");
        assert_eq!(with_causes(&Trouble::Down(Down)), "it is down");
    }
}
