//! What somebody may do now, and why not the rest: the policy and the deciders are asked, and nothing else.

use crate::{
    access::{Denied, Place, Principal},
    decider::{Reject, RejectionKind},
    permission::Permission,
};

/// One action, and what would come of it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The name of the mutation, as clients know it.
    pub action: &'static str,
    pub verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It would be done.
    Allowed,
    /// It is so already: it would be accepted, and record nothing.
    Done,
    /// It would be refused, with this code and message.
    Refused {
        code: &'static str,
        reason: Reason,
        message: String,
    },
}

/// What kind of thing stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Where the thing stands.
    State,
    /// What the account may do.
    Permission,
    /// Authors do not review their own work.
    SeparationOfDuties,
    /// Another reviewer holds the review.
    Claim,
}

impl Verdict {
    /// What comes of asking for `permission` in `place` and deciding then, as on the command path.
    pub(crate) fn of<E, R: Reject>(
        principal: &Principal,
        permission: Permission,
        place: Place,
        decide: impl FnOnce() -> Result<Vec<E>, R>,
    ) -> Self {
        if let Err(denied) = principal.authorize(permission, place) {
            return Self::denied(&denied);
        }
        match decide() {
            Ok(events) if events.is_empty() => Self::Done,
            Ok(_) => Self::Allowed,
            Err(rejection) => Self::rejected(&rejection),
        }
    }

    fn denied(denied: &Denied) -> Self {
        Self::Refused {
            code: "FORBIDDEN",
            reason: Reason::Permission,
            message: denied.to_string(),
        }
    }

    /// What a rule refuses.
    pub fn rejected(rejection: &impl Reject) -> Self {
        let code = rejection.code();
        let reason = match (code, rejection.kind()) {
            ("SEPARATION_OF_DUTIES", _) => Reason::SeparationOfDuties,
            ("REVIEW_CLAIMED", _) => Reason::Claim,
            (_, RejectionKind::Forbidden) => Reason::Permission,
            (_, RejectionKind::NotFound | RejectionKind::Invalid | RejectionKind::Conflict) => Reason::State,
        };
        Self::Refused {
            code,
            reason,
            message: rejection.to_string(),
        }
    }
}
