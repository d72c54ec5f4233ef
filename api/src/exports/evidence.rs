//! What is known of one review decision, and can be shown of it today: the one shape behind every format.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{
    app::Exception,
    digest::Digest,
    ids::{AccountId, AppId, DecisionId, SubmissionId, WorkspaceId},
    names::{ChartName, RoleName, StageName},
    permission::Permission,
    version_number::VersionNumber,
};
use projections::decisions::{Decision, DecisionRecord, Subject};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// What stands for text that was erased, where nothing else can say so.
pub const ERASED: &str = "[erased]";

/// One decision. `docs/compliance.md` says what each field is evidence of.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    pub id: DecisionId,
    /// In decimal digits, as the log has it.
    #[serde(serialize_with = "decimal")]
    pub position: u64,
    pub decided_at: DateTime<Utc>,
    pub decision: Decision,
    pub meaning: Meaning,
    /// Of the review policy; absent of decisions older than policies.
    pub stage: Option<StageName>,
    /// Whether it ended the review, and was not one approval of several.
    pub is_last: bool,
    /// Why it was rejected; absent for an approval, and once it was erased.
    pub reason: Option<String>,
    pub subject: SubjectOf,
    pub submission: Submission,
    pub reviewer: Reviewer,
    /// Whoever had uploaded, edited or submitted the subject before.
    pub authors: Vec<Person>,
    pub policy: Policy,
    pub separation_of_duties: SeparationOfDuties,
    pub earlier: Earlier,
    /// The fields that cannot be shown any more.
    pub erased: Vec<&'static str>,
}

/// What the reviewer's name under the decision stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Meaning {
    /// This package with this listing may be published, once all approvals are given.
    Approval,
    /// This package with this listing was reviewed and refused.
    Review,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubjectOf {
    pub kind: SubjectKind,
    pub workspace: Workspace,
    pub app: AppId,
    pub chart: ChartName,
    /// Absent if the listing alone was decided about.
    pub version: Option<VersionNumber>,
    /// Of the archive; absent if the listing alone was decided about.
    pub package: Option<Digest>,
    pub listing: Digest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SubjectKind {
    Version,
    Listing,
}

#[derive(Debug, Serialize)]
pub struct Workspace {
    pub id: WorkspaceId,
    pub name: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Submission {
    pub id: SubmissionId,
    pub submitted_at: DateTime<Utc>,
    pub submitted_by: Option<Person>,
}

/// Somebody, by the id that the log knows and the name that the vault may have forgotten.
#[derive(Debug, Clone, Serialize)]
pub struct Person {
    pub id: AccountId,
    /// Absent once the person was erased.
    pub name: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Reviewer {
    #[serde(flatten)]
    pub person: Option<Person>,
    /// The role that the decision was made in; of a decision older than policies, all that allowed it when it was made.
    pub roles: Vec<RoleName>,
    /// What they allowed.
    pub permission: Permission,
}

#[derive(Debug, Clone, Serialize)]
pub struct Policy {
    pub digest: Digest,
    /// What the digest names; absent once it was removed. Many decisions share it.
    #[serde(serialize_with = "shared")]
    pub text: Option<Arc<RawValue>>,
    #[serde(skip)]
    pub author_is_not_reviewer: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeparationOfDuties {
    /// Whether the policy in force demanded it; absent if the policy was removed.
    pub required: Option<bool>,
    /// Whether the reviewer was none of the authors.
    pub held: bool,
    /// What the policy allowed the reviewer although it is not the rule.
    pub exception: Option<Exception>,
}

/// The decisions before this one on the same subject: each names the one before it.
#[derive(Debug, Serialize)]
pub struct Earlier {
    #[serde(serialize_with = "decimal")]
    pub count: u64,
    pub last: Option<DecisionId>,
}

/// What has to be looked up beside a record.
pub struct Known {
    pub workspace: Option<String>,
    /// `None` if there is no reason, or it was erased.
    pub reason: Option<String>,
    pub policy: Policy,
}

impl Evidence {
    /// `person` tells the name of an account.
    pub fn of(record: DecisionRecord, known: Known, person: impl Fn(AccountId) -> Person) -> Self {
        let reviewer = record.reviewer.map(&person);
        let submitted_by = record.submitted.by.map(&person);
        let held = record.reviewer.is_none_or(|id| !record.authors.contains(&id));
        let authors: Vec<_> = record.authors.iter().copied().map(person).collect();
        let gone = |of: Option<&Person>| of.is_some_and(|person| person.name.is_none());
        let erased = [
            (record.reason.is_some() && known.reason.is_none(), "reason"),
            (gone(reviewer.as_ref()), "reviewer.name"),
            (gone(submitted_by.as_ref()), "submission.submittedBy.name"),
            (authors.iter().any(|author| author.name.is_none()), "authors.name"),
        ];
        let (version, package) = match record.subject {
            Subject::Version { number, package } => (Some(number), Some(package)),
            Subject::Listing => (None, None),
        };
        Self {
            id: record.id,
            position: record.position,
            decided_at: record.at,
            decision: record.decision,
            meaning: Meaning::of(record.decision),
            stage: record.terms.as_ref().map(|terms| terms.stage.clone()),
            is_last: record.last,
            reason: known.reason,
            subject: SubjectOf {
                kind: version.as_ref().map_or(SubjectKind::Listing, |_| SubjectKind::Version),
                workspace: Workspace {
                    id: record.workspace,
                    name: known.workspace,
                },
                app: record.app,
                chart: record.chart,
                version,
                package,
                listing: record.listing,
            },
            submission: Submission {
                id: record.submission,
                submitted_at: record.submitted.at,
                submitted_by,
            },
            reviewer: Reviewer {
                person: reviewer,
                roles: record.roles,
                permission: record.decision.permission(),
            },
            authors,
            separation_of_duties: SeparationOfDuties {
                required: known.policy.author_is_not_reviewer,
                held,
                exception: record.terms.as_ref().and_then(|terms| terms.exception),
            },
            policy: known.policy,
            earlier: Earlier {
                count: record.earlier,
                last: record.previous,
            },
            erased: erased
                .into_iter()
                .filter_map(|(is, field)| is.then_some(field))
                .collect(),
        }
    }
}

impl Meaning {
    pub const fn of(decision: Decision) -> Self {
        match decision {
            Decision::Approved => Self::Approval,
            Decision::Rejected => Self::Review,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approval => "approval",
            Self::Review => "review",
        }
    }
}

impl SubjectKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Listing => "listing",
        }
    }
}

fn shared<S: Serializer>(text: &Option<Arc<RawValue>>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_deref().serialize(serializer)
}

/// 64-bit numbers are text in the log's JSON, and here too.
pub fn decimal<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}
