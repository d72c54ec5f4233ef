//! What an app remembers of its facts. Total: it judges nothing, and an event out of place changes nothing.

use std::sync::{Arc, LazyLock};

use super::{
    App, Claim, Contributors, Event, Listing, ListingDecision, ListingReview, ListingSubmission, Package, Review,
    Stage, Submission, Terms, Verdict, Version, Versions,
};
use crate::{
    decider::Stamp, digest::Digest, ids::SubmissionId, review_policy::ReviewPolicy, version_number::VersionNumber,
};

/// Shared by all submissions that were made under it.
static DEFAULT: LazyLock<Arc<ReviewPolicy>> = LazyLock::new(Arc::default);

/// The policy that a submission is decided by. What was submitted before policies could be set was submitted under the default.
fn frozen(carried: Option<&ReviewPolicy>) -> Arc<ReviewPolicy> {
    carried.map_or_else(|| Arc::clone(&DEFAULT), |policy| Arc::new(policy.clone()))
}

pub(super) fn evolve(state: Option<App>, event: &Event, stamp: Stamp) -> Option<App> {
    if let Event::AppUploaded {
        workspace,
        chart,
        listing,
    } = event
    {
        return Some(App {
            workspace: *workspace,
            chart: chart.clone(),
            versions: Versions::default(),
            listing: Listing {
                draft: *listing,
                published: None,
                contributors: stamp.by.account().into_iter().collect(),
                review: None,
                published_by: 0,
                decided: None,
            },
            category: None,
            suspended: None,
            deleted: false,
            submissions: 0,
        });
    }
    let mut app = state?;
    app.apply(event, stamp);
    Some(app)
}

impl App {
    fn apply(&mut self, event: &Event, stamp: Stamp) {
        if let Some(number) = event.version() {
            self.versions.change(number, |version| version.revision += 1);
        }
        match event {
            Event::AppUploaded { .. } => {}
            Event::VersionUploaded { version, package } => self.add_version(version, package, stamp),
            Event::PackageReplaced { version, package } => self.replace(version, package, stamp),
            Event::ListingEdited { listing } | Event::IconSet { listing, .. } => self.edit_listing(*listing, stamp),
            Event::CategoryAssigned { category } => self.category = *category,
            Event::VersionSubmitted {
                version,
                submission,
                digest,
                listing,
                policy,
                review,
            } => {
                self.submissions += 1;
                let submission = Submission {
                    id: *submission,
                    package: *digest,
                    listing: *listing,
                    decided_by: None,
                    ordinal: self.submissions,
                };
                self.contribute(version, stamp);
                self.versions.change(version, |version| {
                    version.review = Some(Review::begin(frozen(review.as_ref()), *policy));
                });
                // The listing is submitted with it, so whoever submits one version reviews none of this app.
                self.listing.contributors.extend(stamp.by.account());
                self.move_to(version, |_| Stage::Submitted { submission });
            }
            Event::VersionWithdrawn { version, .. } => self.move_to(version, |_| Stage::Draft {}),
            Event::ReviewStarted { version, .. } => {
                if let Some(claim) = claim(stamp) {
                    self.advance(version, |submission| Stage::InReview { submission, claim });
                }
            }
            Event::ReviewReleased { version, .. } => {
                self.advance(version, |submission| Stage::Submitted { submission });
            }
            Event::ApprovalGiven { version, terms, .. } => {
                self.record_approval(version, Some(terms), stamp);
                self.advance(version, |submission| Stage::Submitted { submission });
            }
            Event::VersionApproved { version, terms, .. } => {
                self.record_approval(version, terms.as_ref(), stamp);
                self.advance(version, |submission| Stage::Approved {
                    submission: decided(submission, stamp),
                });
            }
            Event::VersionRejected { version, .. } => {
                self.advance(version, |submission| Stage::Rejected {
                    submission: decided(submission, stamp),
                });
            }
            Event::PublishedToStore { version, listing, .. } => self.publish(version, *listing),
            Event::ListingSubmitted {
                submission,
                listing,
                policy,
                review,
            } => {
                let review = Review::begin(frozen(review.as_ref()), *policy);
                self.submit_listing(*submission, *listing, review, stamp);
            }
            Event::ListingReviewStarted { .. } => self.claim_listing(claim(stamp)),
            Event::ListingReviewReleased { .. } => self.claim_listing(None),
            Event::ListingApprovalGiven { terms, .. } => {
                if let Some(open) = &mut self.listing.review {
                    open.review.approve(Some(terms), stamp);
                }
                self.claim_listing(None);
            }
            Event::ListingApproved { .. } => self.decide_listing(Verdict::Approved, stamp),
            Event::ListingRejected { .. } => self.decide_listing(Verdict::Rejected, stamp),
            Event::ListingWithdrawn { .. } => self.listing.review = None,
            Event::Suspended {
                version: None,
                authority,
                ..
            } => self.suspended = Some(*authority),
            Event::Resumed { version: None } => self.suspended = None,
            Event::Suspended {
                version: Some(version),
                authority,
                ..
            } => {
                self.advance(version, |submission| Stage::Suspended {
                    submission,
                    authority: *authority,
                });
            }
            Event::Resumed { version: Some(version) } => {
                self.advance(version, |submission| Stage::Published { submission });
            }
            Event::AppMoved { workspace } => self.workspace = *workspace,
            Event::VersionDeleted { version } => self.move_to(version, |_| Stage::Deleted {}),
            Event::AppDeleted {} => {
                self.deleted = true;
                self.listing.review = None;
            }
        }
    }

    /// A number that is uploaded again after its deletion goes on counting revisions and keeps its authors.
    fn add_version(&mut self, number: &VersionNumber, package: &Package, stamp: Stamp) {
        let before = self.versions.remove(number);
        let (revision, mut contributors, ever_published) = before
            .map_or((1, Contributors::default(), false), |deleted| {
                (deleted.revision, deleted.contributors.clone(), deleted.ever_published)
            });
        contributors.extend(stamp.by.account());
        let version = Version {
            package: package.clone(),
            stage: Stage::Draft {},
            review: None,
            revision,
            contributors,
            ever_published,
        };
        self.versions.insert(number.clone(), version);
    }

    fn replace(&mut self, number: &VersionNumber, package: &Package, stamp: Stamp) {
        self.contribute(number, stamp);
        self.versions.change(number, |version| {
            version.package = package.clone();
            version.stage = Stage::Draft {};
        });
    }

    /// A submission is a package and a listing, so an edit of either brings what was rejected back to draft.
    fn edit_listing(&mut self, listing: Digest, stamp: Stamp) {
        self.listing.draft = listing;
        self.listing.contributors.extend(stamp.by.account());
        let is_rejected = |stage: &Stage| matches!(stage, Stage::Rejected { .. });
        self.versions.move_all(is_rejected, &Stage::Draft {});
    }

    fn publish(&mut self, number: &VersionNumber, listing: Digest) {
        let known = self.versions.get(number);
        let Some(submission) = known.and_then(|version| version.stage.submission().copied()) else {
            return;
        };
        self.versions.change(number, |version| {
            version.stage = Stage::Published { submission };
            version.ever_published = true;
        });
        self.listing.published = Some(listing);
        self.listing.published_by = self.listing.published_by.max(submission.ordinal);
    }

    fn submit_listing(&mut self, id: SubmissionId, listing: Digest, review: Review, stamp: Stamp) {
        self.submissions += 1;
        self.listing.contributors.extend(stamp.by.account());
        let submission = ListingSubmission {
            id,
            listing,
            ordinal: self.submissions,
        };
        self.listing.decided = None;
        self.listing.review = Some(ListingReview {
            submission,
            claim: None,
            review,
        });
    }

    fn claim_listing(&mut self, claim: Option<Claim>) {
        if let Some(review) = &mut self.listing.review {
            review.claim = claim;
        }
    }

    /// An approved listing is in the store at once: it has no version to wait for.
    fn decide_listing(&mut self, verdict: Verdict, stamp: Stamp) {
        let Some(ListingReview { submission, .. }) = self.listing.review.take() else {
            return;
        };
        if verdict == Verdict::Approved {
            self.listing.published = Some(submission.listing);
            self.listing.published_by = self.listing.published_by.max(submission.ordinal);
        }
        self.listing.decided = Some(ListingDecision {
            submission,
            verdict,
            reviewer: stamp.by.account(),
        });
    }

    fn record_approval(&mut self, number: &VersionNumber, terms: Option<&Terms>, stamp: Stamp) {
        self.versions.change(number, |version| {
            if let Some(review) = &mut version.review {
                review.approve(terms, stamp);
            }
        });
    }

    fn contribute(&mut self, number: &VersionNumber, stamp: Stamp) {
        self.versions
            .change(number, |version| version.contributors.extend(stamp.by.account()));
    }

    fn move_to(&mut self, number: &VersionNumber, stage: impl FnOnce(&Version) -> Stage) {
        self.versions.change(number, |version| version.stage = stage(version));
    }

    /// To a stage that keeps the submission of the one before.
    fn advance(&mut self, number: &VersionNumber, stage: impl FnOnce(Submission) -> Stage) {
        self.versions.change(number, |version| {
            if let Some(submission) = version.stage.submission().copied() {
                version.stage = stage(submission);
            }
        });
    }
}

fn decided(submission: Submission, stamp: Stamp) -> Submission {
    Submission {
        decided_by: stamp.by.account(),
        ..submission
    }
}

fn claim(stamp: Stamp) -> Option<Claim> {
    stamp.by.account().map(|reviewer| Claim {
        reviewer,
        since: stamp.at,
    })
}
