//! The rules once more, read off the history without the help of the app's state. Each gives the first offence.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    app::{Event, Status},
    decider::Stamp,
    digest::Digest,
    ids::{AccountId, SubmissionId},
    version_number::VersionNumber,
};

type History = [(Event, Stamp)];

/// What is published is the package that was uploaded last, submitted with that digest, and approved as the last thing
/// that happened to it; its listing was approved too, with it or later.
pub(super) fn published_without_approval(history: &History) -> Option<Event> {
    let mut last: BTreeMap<VersionNumber, Event> = BTreeMap::new();
    let mut packages: BTreeMap<VersionNumber, Digest> = BTreeMap::new();
    let mut submitted: BTreeMap<SubmissionId, (Digest, Digest)> = BTreeMap::new();
    let mut approved_listings: BTreeSet<Digest> = BTreeSet::new();
    for (event, _) in history {
        match event {
            Event::VersionUploaded { version, package } | Event::PackageReplaced { version, package } => {
                packages.insert(version.clone(), package.digest);
            }
            Event::VersionSubmitted {
                submission,
                digest,
                listing,
                ..
            } => {
                submitted.insert(*submission, (*digest, *listing));
            }
            Event::VersionApproved {
                version,
                submission,
                digest,
                listing,
                ..
            } => {
                approved_listings.insert(*listing);
                if submitted.get(submission) != Some(&(*digest, *listing)) || packages.get(version) != Some(digest) {
                    return Some(event.clone());
                }
            }
            Event::ListingApproved { listing, .. } => {
                approved_listings.insert(*listing);
            }
            Event::PublishedToStore {
                version,
                submission,
                digest,
                listing,
            } => {
                let is_approval = |last: &Event| matches!(last, Event::VersionApproved { submission: s, digest: d, .. } if (s, d) == (submission, digest));
                let approved = last.get(version).is_some_and(is_approval);
                let same_package = packages.get(version) == Some(digest);
                if !approved || !same_package || !approved_listings.contains(listing) {
                    return Some(event.clone());
                }
            }
            _ => {}
        }
        if let Some(version) = event.version() {
            last.insert(version.clone(), event.clone());
        }
    }
    None
}

/// The store shows the listing of the latest submission that came through, by the order of submissions.
pub(super) fn listing_turned_back(history: &History) -> Option<Event> {
    let mut submissions: Vec<(SubmissionId, Digest)> = Vec::new();
    let mut shown: Option<(usize, Digest)> = None;
    for (event, _) in history {
        match event {
            Event::VersionSubmitted {
                submission, listing, ..
            }
            | Event::ListingSubmitted {
                submission, listing, ..
            } => submissions.push((*submission, *listing)),
            Event::PublishedToStore {
                submission, listing, ..
            }
            | Event::ListingApproved {
                submission, listing, ..
            } => {
                let own = submissions.iter().position(|(id, _)| id == submission)?;
                let newest = shown.filter(|(ordinal, _)| *ordinal > own);
                let (ordinal, expected) = newest.unwrap_or((own, submissions[own].1));
                let alone = matches!(event, Event::ListingApproved { .. });
                if *listing != expected || (alone && ordinal != own) {
                    return Some(event.clone());
                }
                shown = Some((ordinal, expected));
            }
            _ => {}
        }
    }
    None
}

/// An approval that came before enough different people had approved the submission, counted by its policy as it was
/// submitted; or an approval beyond them.
pub(super) fn approved_by_too_few(history: &History) -> Option<Event> {
    let mut needed: BTreeMap<SubmissionId, u64> = BTreeMap::new();
    let mut given: BTreeMap<SubmissionId, BTreeSet<AccountId>> = BTreeMap::new();
    for (event, stamp) in history {
        let by = stamp.by.account()?;
        match event {
            Event::VersionSubmitted {
                submission,
                review: Some(review),
                ..
            }
            | Event::ListingSubmitted {
                submission,
                review: Some(review),
                ..
            } => {
                let approvals = review.stages.iter().map(|stage| u64::from(stage.approvals));
                needed.insert(*submission, approvals.sum());
            }
            Event::ApprovalGiven { submission, .. }
            | Event::VersionApproved { submission, .. }
            | Event::ListingApprovalGiven { submission, .. }
            | Event::ListingApproved { submission, .. } => {
                let people = given.entry(*submission).or_default();
                let is_new = people.insert(by);
                let is_last = people.len() as u64 == needed[submission];
                let says_last = matches!(event, Event::VersionApproved { .. } | Event::ListingApproved { .. });
                if !is_new || is_last != says_last {
                    return Some(event.clone());
                }
            }
            _ => {}
        }
    }
    None
}

/// Whoever uploaded, replaced or submitted a version, or edited or submitted any listing, up to then.
pub(super) fn decided_by_a_contributor(history: &History) -> Option<(Event, AccountId)> {
    let mut of_the_listing: BTreeSet<AccountId> = BTreeSet::new();
    let mut of_versions: BTreeSet<(VersionNumber, AccountId)> = BTreeSet::new();
    for (event, stamp) in history {
        let by = stamp.by.account()?;
        match event {
            Event::AppUploaded { .. }
            | Event::ListingEdited { .. }
            | Event::IconSet { .. }
            | Event::ListingSubmitted { .. } => {
                of_the_listing.insert(by);
            }
            Event::VersionUploaded { version, .. } | Event::PackageReplaced { version, .. } => {
                of_versions.insert((version.clone(), by));
            }
            Event::VersionSubmitted { version, .. } => {
                of_versions.insert((version.clone(), by));
                of_the_listing.insert(by);
            }
            Event::ReviewStarted { version, .. }
            | Event::ApprovalGiven { version, .. }
            | Event::VersionApproved { version, .. }
            | Event::VersionRejected { version, .. }
                if of_the_listing.contains(&by) || of_versions.contains(&(version.clone(), by)) =>
            {
                return Some((event.clone(), by));
            }
            Event::ListingReviewStarted { .. }
            | Event::ListingApprovalGiven { .. }
            | Event::ListingApproved { .. }
            | Event::ListingRejected { .. }
                if of_the_listing.contains(&by) =>
            {
                return Some((event.clone(), by));
            }
            _ => {}
        }
    }
    None
}

pub(super) fn status(history: &History) -> Status {
    let mut in_store: BTreeMap<VersionNumber, Status> = BTreeMap::new();
    let (mut suspended, mut deleted) = (false, false);
    for (event, _) in history {
        match event {
            Event::PublishedToStore { version, .. } | Event::Resumed { version: Some(version) } => {
                in_store.insert(version.clone(), Status::Published);
            }
            Event::Suspended {
                version: Some(version), ..
            } => {
                in_store.insert(version.clone(), Status::Suspended);
            }
            Event::VersionDeleted { version } => {
                in_store.remove(version);
            }
            Event::Suspended { version: None, .. } => suspended = true,
            Event::Resumed { version: None } => suspended = false,
            Event::AppDeleted {} => deleted = true,
            _ => {}
        }
    }
    let any = |status| in_store.values().any(|found| *found == status);
    if deleted {
        Status::Deleted
    } else if suspended {
        Status::Suspended
    } else if any(Status::Published) {
        Status::Published
    } else if any(Status::Suspended) {
        Status::Suspended
    } else {
        Status::InDevelopment
    }
}

pub(super) fn package_after_publication(history: &History) -> Option<Event> {
    let mut published: BTreeSet<&VersionNumber> = BTreeSet::new();
    for (event, _) in history {
        match event {
            Event::PublishedToStore { version, .. } => {
                published.insert(version);
            }
            Event::VersionUploaded { version, .. } | Event::PackageReplaced { version, .. }
                if published.contains(version) =>
            {
                return Some(event.clone());
            }
            _ => {}
        }
    }
    None
}

/// Who holds which review since when; the listing's own review is that of no version.
type Claims = BTreeMap<Option<VersionNumber>, (AccountId, DateTime<Utc>)>;

/// A review that is started, given back or decided by another than who holds it, or approved without ever being held.
pub(super) fn decided_over_a_claim(history: &History) -> Option<(Event, AccountId)> {
    let mut claims = Claims::new();
    for (event, stamp) in history {
        let by = stamp.by.account()?;
        let Some((review, deed)) = review_of(event) else {
            continue;
        };
        let held = claims.get(&review);
        let by_another = held.is_some_and(|(holder, since)| *holder != by && stamp.at - *since < TimeDelta::hours(24));
        let offence = match deed {
            Deed::Start | Deed::End => by_another,
            Deed::Approve => by_another || held.is_none(),
            Deed::TakeBack => false,
        };
        if offence {
            return Some((event.clone(), by));
        }
        if deed == Deed::Start {
            claims.insert(review, (by, stamp.at));
        } else {
            claims.remove(&review);
        }
    }
    None
}

#[derive(PartialEq)]
enum Deed {
    Start,
    Approve,
    /// By the reviewer.
    End,
    /// By the owner.
    TakeBack,
}

/// Which review an event is about, and what it does to it.
fn review_of(event: &Event) -> Option<(Option<VersionNumber>, Deed)> {
    match event {
        Event::ReviewStarted { version, .. } => Some((Some(version.clone()), Deed::Start)),
        Event::ApprovalGiven { version, .. } | Event::VersionApproved { version, .. } => {
            Some((Some(version.clone()), Deed::Approve))
        }
        Event::VersionRejected { version, .. } | Event::ReviewReleased { version, .. } => {
            Some((Some(version.clone()), Deed::End))
        }
        Event::VersionSubmitted { version, .. } | Event::VersionWithdrawn { version, .. } => {
            Some((Some(version.clone()), Deed::TakeBack))
        }
        Event::ListingReviewStarted { .. } => Some((None, Deed::Start)),
        Event::ListingApprovalGiven { .. } | Event::ListingApproved { .. } => Some((None, Deed::Approve)),
        Event::ListingRejected { .. } | Event::ListingReviewReleased { .. } => Some((None, Deed::End)),
        Event::ListingSubmitted { .. } | Event::ListingWithdrawn { .. } => Some((None, Deed::TakeBack)),
        _ => None,
    }
}
