//! Events in plain words, as they concern one version.

use domain::{app::Event, version_number::VersionNumber};

use super::standing::{Reason, Standing, whom};

/// What happened, to a reader who looks at the version `number`.
pub(super) fn of(event: &Event, number: &VersionNumber, before: Option<&Standing>, after: &Standing) -> String {
    let what = event_words(event, number);
    match (before, after.reasons.as_slice()) {
        // What happened elsewhere says what it means here.
        (Some(before), [reason]) if event.version() != Some(number) && before.stage == after.stage => {
            format!("{what}{}", meaning(reason))
        }
        _ => what,
    }
}

fn meaning(reason: &Reason) -> String {
    match reason {
        Reason::OfferedFirst => "; the store offers this one first now".to_owned(),
        Reason::BelowHigher(higher) => format!("; the store offers {higher} before this one now"),
        Reason::NotPublished(_)
        | Reason::VersionSuspended(_)
        | Reason::AppSuspended(_)
        | Reason::VersionDeleted
        | Reason::AppDeleted
        | Reason::ContentRemoved => String::new(),
    }
}

fn event_words(event: &Event, number: &VersionNumber) -> String {
    let own = event.version() == Some(number);
    let of_version = |words: &str| match event.version() {
        Some(other) if !own => format!("version {other} was {words}"),
        Some(_) | None => words.to_owned(),
    };
    match event {
        Event::AppUploaded { .. } => "the app was uploaded".to_owned(),
        Event::VersionUploaded { .. } => of_version("uploaded, as a draft"),
        Event::PackageReplaced { .. } => of_version("given another archive"),
        Event::ListingEdited { .. } => "the listing was edited".to_owned(),
        Event::IconSet { .. } => "the listing got another icon".to_owned(),
        Event::CategoryAssigned { .. } => "the app was put on a shelf".to_owned(),
        Event::VersionSubmitted { .. } => of_version("submitted for review, its archive and its listing frozen"),
        Event::VersionWithdrawn { .. } => of_version("withdrawn from review"),
        Event::ReviewStarted { .. } => of_version("taken up for review"),
        Event::ReviewReleased { .. } => of_version("given back by its reviewer"),
        Event::ApprovalGiven { terms, .. } => of_version(&format!(
            "given one of the approvals it needs, at stage {}",
            terms.stage
        )),
        Event::VersionApproved { .. } => of_version("approved: exactly this archive with this listing"),
        Event::VersionRejected { .. } => of_version("rejected: exactly this archive with this listing"),
        Event::PublishedToStore { .. } => of_version("published to the store"),
        Event::ListingSubmitted { .. } => "the listing was submitted for review".to_owned(),
        Event::ListingWithdrawn { .. } => "the listing was withdrawn from review".to_owned(),
        Event::ListingReviewStarted { .. } => "the listing was taken up for review".to_owned(),
        Event::ListingReviewReleased { .. } => "the listing was given back by its reviewer".to_owned(),
        Event::ListingApprovalGiven { terms, .. } => {
            format!(
                "the listing was given one of the approvals it needs, at stage {}",
                terms.stage
            )
        }
        Event::ListingApproved { .. } => "the listing was approved".to_owned(),
        Event::ListingRejected { .. } => "the listing was rejected".to_owned(),
        Event::Suspended {
            version: Some(_),
            authority,
            ..
        } => of_version(&format!("suspended by {}", whom(*authority))),
        Event::Suspended {
            version: None,
            authority,
            ..
        } => format!("the app was suspended as a whole by {}", whom(*authority)),
        Event::Resumed { version: Some(_) } => of_version("resumed"),
        Event::Resumed { version: None } => "the app was resumed".to_owned(),
        Event::AppMoved { .. } => "the app was moved to another workspace".to_owned(),
        Event::VersionDeleted { .. } => of_version("deleted"),
        Event::AppDeleted {} => "the app was deleted".to_owned(),
    }
}
