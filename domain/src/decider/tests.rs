//! `docs/errors.md` has one row for each code that the domain can answer with.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use chrono::DateTime;
use uuid::Uuid;

use super::{Reject, RejectionKind};
use crate::{
    access, account, app, category, cluster, content,
    digest::Digest,
    granting,
    ids::{AccountId, AttemptId, SubmissionId},
    invitation,
    listing::InvalidListing,
    name,
    names::{ChartName, StageName},
    permission::Permission,
    project, release,
    review_policy::{self, Deciders},
    role, session,
    version_number::VersionNumber,
    workspace,
};

/// One example of each variant. A new variant fails to compile until it has one too.
macro_rules! rejections {
    ($($aggregate:ident { $($variant:ident $fields:tt)+ })+) => {
        fn every_rejection() -> Vec<Box<dyn Reject>> {
            vec![$($(Box::new(example!($aggregate $variant $fields)),)+)+]
        }

        $(const _: fn(&$aggregate::Rejection) = |rejection| match rejection {
            $($aggregate::Rejection::$variant { .. } => {})+
        };)+
    };
}

macro_rules! example {
    ($aggregate:ident $variant:ident ()) => { $aggregate::Rejection::$variant };
    ($aggregate:ident $variant:ident ($($value:expr),+)) => { $aggregate::Rejection::$variant($($value),+) };
    ($aggregate:ident $variant:ident { $($field:ident: $value:expr),+ }) => {
        $aggregate::Rejection::$variant { $($field: $value),+ }
    };
}

rejections! {
    app {
        NotFound ()
        VersionNotFound (version())
        Exists ()
        VersionExists (version())
        VersionRetired (version())
        ChartNameDiffers { expected: chart(), found: chart() }
        VersionDiffers { expected: version(), found: version() }
        WrongState { version: version(), stage: "draft", allowed: &[] }
        StaleRevision { version: version(), expected: 1, actual: 2 }
        StaleSubmission { submission: submission(), package: digest(), listing: digest() }
        OwnWork ()
        NotOfStage { stage: StageName::default(), deciders: Deciders::Permission(Permission::ReviewApprove) }
        AlreadyApproved ()
        ClaimedByAnother { reviewer: AccountId::from_uuid(Uuid::nil()), until: DateTime::UNIX_EPOCH }
        AppSuspended ()
        AppNotPublished ()
        SuspendedByStore ()
        VersionsRemain (vec![version()])
        ListingNotInStore ()
        ListingUnchanged ()
        ListingUnderReview (submission())
        ListingNotUnderReview ()
        ListingReviewNotStarted ()
        StaleListingSubmission { submission: submission(), listing: digest() }
    }
    release {
        NotFound ()
        Exists ()
        OperationInFlight (release::OperationKind::Install)
        StaleAttempt { attempt: AttemptId::from_uuid(Uuid::nil()) }
        NothingToDo ()
        NothingFailed ()
        RevisionNotFound { revision: 3, last: 2 }
        TakenUp { until: DateTime::UNIX_EPOCH }
        CancellationNotRequested ()
        ManifestMissing (release::OperationKind::Install)
    }
    account {
        Erased ()
        Blocked ()
        LastAdministrator ()
        NotFound ()
        Exists ()
        Misplaced (role::Misplaced::Permission { role: "x".parse().unwrap(), permission: Permission::AppUpload })
        Expired { expires: DateTime::UNIX_EPOCH, now: DateTime::UNIX_EPOCH }
        AllowsNothing ()
        TooManyTokens ()
        TooManyRoles ()
        PasswordMoved ()
        NotProven ()
    }
    session {
        NotFound ()
        Exists ()
    }
    category {
        NotFound ()
        Exists ()
        NotEmpty { apps: 1 }
    }
    role {
        BuiltIn ("auditor".parse().unwrap())
        NotFound ()
        Retired ("auditor".parse().unwrap())
        NotForPlatform (Permission::AppUpload)
        NotForWorkspace (Permission::AuditView)
        Empty ()
    }
    review_policy {
        Stages (0)
        StageTwice (StageName::default())
        Approvals { stage: StageName::default(), found: 0 }
        PermissionLevel (Permission::AppUpload)
    }
    invitation {
        NotFound ()
        Misplaced (role::Misplaced::Permission { role: "x".parse().unwrap(), permission: Permission::AppUpload })
    }
    cluster {
        NotFound ()
        Exists ()
        NotKubernetes ()
        AnotherCluster { registered: Uuid::nil(), found: Uuid::max() }
    }
    project {
        NotFound ()
        Exists ()
        NamespaceReserved { namespace: "default".parse().unwrap() }
    }
    workspace {
        NotFound ()
        Exists ()
        NotEmpty { apps: vec![chart()], releases: vec![] }
    }
}

/// The rejections of aggregates that have a single one.
fn every_single_rejection() -> Vec<Box<dyn Reject>> {
    vec![
        Box::new(content::Removed { digest: digest() }),
        Box::new(name::Taken),
        Box::new(granting::Refusal::Exceeds(Permission::AppUpload)),
        Box::new(granting::Refusal::OwnAppointment),
        Box::new(access::Narrowed),
    ]
}

fn all() -> impl Iterator<Item = Box<dyn Reject>> {
    every_rejection().into_iter().chain(every_single_rejection())
}

/// A listing that breaks a limit is refused before it is a command; its codes are the domain's all the same.
fn every_invalid_listing() -> [InvalidListing; 4] {
    const _: fn(&InvalidListing) = |invalid| match invalid {
        InvalidListing::NoDisplayName
        | InvalidListing::TooLong { .. }
        | InvalidListing::TooMany { .. }
        | InvalidListing::NotALink { .. } => {}
    };
    let (field, limit, found) = ("summary", 1, 2);
    [
        InvalidListing::NoDisplayName,
        InvalidListing::TooLong { field, limit, found },
        InvalidListing::TooMany { field, limit, found },
        InvalidListing::NotALink {
            field,
            found: String::new(),
        },
    ]
}

fn version() -> VersionNumber {
    "12.0.0".parse().unwrap()
}

fn chart() -> ChartName {
    "redis".parse().unwrap()
}

fn submission() -> SubmissionId {
    SubmissionId::from_uuid(Uuid::nil())
}

fn digest() -> Digest {
    Digest::from_bytes([0; 32])
}

const fn in_words(kind: RejectionKind) -> &'static str {
    match kind {
        RejectionKind::NotFound => "not found",
        RejectionKind::Forbidden => "forbidden",
        RejectionKind::Invalid => "invalid",
        RejectionKind::Conflict => "conflict",
    }
}

/// Code and kind of each row in the domain's part of the document.
fn documented() -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, part) = text.split_once("\n## Rules of the domain\n").unwrap();
    let part = part.split("\n## ").next().unwrap();
    part.lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|row| {
            let mut cells = row.split('|').map(str::trim);
            let code = cells.next().unwrap().trim_matches('`').to_owned();
            (code, cells.next().unwrap().to_owned())
        })
        .collect()
}

#[test]
fn every_code_is_documented_with_its_kind_and_every_documented_code_exists() {
    let listings = every_invalid_listing();
    let invalid = listings.iter().map(|listing| (listing.code(), RejectionKind::Invalid));
    let rejections: BTreeMap<_, _> = all()
        .map(|rejection| (rejection.code(), rejection.kind()))
        .chain(invalid)
        .map(|(code, kind)| (code.to_owned(), in_words(kind).to_owned()))
        .collect();
    assert_eq!(documented(), rejections);
}

#[test]
fn a_code_has_one_kind_wherever_it_is_used() {
    let pairs: BTreeSet<_> = all()
        .map(|rejection| (rejection.code(), in_words(rejection.kind())))
        .collect();
    let codes: BTreeSet<_> = all().map(|rejection| rejection.code()).collect();
    assert_eq!(pairs.len(), codes.len());
}

#[test]
fn a_message_is_a_lower_case_fragment() {
    for rejection in all() {
        let message = rejection.to_string();
        let code = rejection.code();
        assert!(message.starts_with(char::is_lowercase), "{code}: {message}");
        assert!(!message.ends_with('.'), "{code}: {message}");
    }
}
