//! The decisions of an export, a bounded batch at a time, with everything that belongs to them.
//!
//! While one batch is opened and written, the next one is read from the views.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use domain::{
    digest::{Digest, Sealed},
    ids::{AccountId, WorkspaceId},
    review_policy::ReviewPolicy,
};
use projections::{
    ViewError, accounts,
    decisions::{self, DecisionFilter, DecisionRecord},
    tenancy,
};
use serde_json::value::RawValue;
use tokio::task::JoinHandle;

use super::{
    ExportError, Source,
    evidence::{Evidence, Known, Person, Policy},
};
use crate::content::ContentError;

/// Decisions of one batch. With the longest reasons it takes a megabyte.
const BATCH: usize = 200;
/// Names and policies that are remembered from one batch to the next.
const REMEMBERED_MAX: usize = 10_000;

/// What one look at the views brings.
struct Read {
    records: Vec<DecisionRecord>,
    names: Vec<(AccountId, Sealed)>,
    workspaces: Vec<(WorkspaceId, String)>,
}

pub struct Batches {
    source: Source,
    filter: DecisionFilter,
    until: u64,
    /// The batch after the one that was given last; `None` behind the last one.
    next: Option<JoinHandle<Result<Read, ViewError>>>,
    names: HashMap<AccountId, Option<String>>,
    policies: HashMap<Digest, Policy>,
}

impl Batches {
    /// The decisions before position `until`, the oldest first.
    pub fn read(source: Source, filter: DecisionFilter, until: u64) -> Self {
        let mut batches = Self {
            source,
            filter,
            until,
            next: None,
            names: HashMap::new(),
            policies: HashMap::new(),
        };
        batches.next = Some(batches.read_from(0));
        batches
    }

    /// The next batch; `None` after the last one.
    ///
    /// # Errors
    ///
    /// [`ExportError`] if the views, the vault or a policy cannot be read.
    pub async fn next(&mut self) -> Result<Option<Vec<Evidence>>, ExportError> {
        let Some(next) = self.next.take() else {
            return Ok(None);
        };
        let read = next.await.map_err(|_| ViewError::Abandoned)??;
        if read.records.len() == BATCH
            && let Some(last) = read.records.last()
        {
            self.next = Some(self.read_from(last.position + 1));
        }
        if read.records.is_empty() {
            return Ok(None);
        }
        self.evidence(read).await.map(Some)
    }

    fn read_from(&self, from: u64) -> JoinHandle<Result<Read, ViewError>> {
        let (views, filter, until) = (self.source.views.clone(), self.filter, self.until);
        tokio::spawn(async move {
            let look = views.read(move |view| {
                let records = decisions::batch(view, &filter, (from, until), BATCH)?;
                let people: BTreeSet<_> = records.iter().flat_map(people).collect();
                let within: BTreeSet<_> = records.iter().map(|record| record.workspace).collect();
                let mut workspaces = vec![];
                for id in within {
                    let found = tenancy::workspace(view, id)?;
                    workspaces.extend(found.map(|found| (id, found.name.to_string())));
                }
                Ok(Read {
                    names: accounts::names(view, people)?,
                    workspaces,
                    records,
                })
            });
            look.await
        })
    }

    async fn evidence(&mut self, read: Read) -> Result<Vec<Evidence>, ExportError> {
        let Read {
            records,
            names,
            workspaces,
        } = read;
        self.policies_of(&records).await?;
        let mut reasons = self.open(&records, names).await?.into_iter();
        let workspaces: HashMap<_, _> = workspaces.into_iter().collect();
        let names = &self.names;
        let person = |id| Person {
            id,
            name: names.get(&id).cloned().flatten(),
        };
        let evidence = records.into_iter().map(|record| {
            let known = Known {
                workspace: workspaces.get(&record.workspace).cloned(),
                reason: record.reason.as_ref().and_then(|_| reasons.next().flatten()),
                policy: self.policies.get(&record.policy).cloned().unwrap_or(Policy {
                    digest: record.policy,
                    text: None,
                    author_is_not_reviewer: None,
                }),
            };
            Evidence::of(record, known, person)
        });
        Ok(evidence.collect())
    }

    /// The reasons of those that have one, in their order. Names that were not known yet are opened with them.
    async fn open(
        &mut self,
        records: &[DecisionRecord],
        names: Vec<(AccountId, Sealed)>,
    ) -> Result<Vec<Option<String>>, ExportError> {
        if self.names.len() > REMEMBERED_MAX {
            self.names.clear();
        }
        let unknown: Vec<_> = names
            .into_iter()
            .filter(|(id, _)| !self.names.contains_key(id))
            .collect();
        let reasons = records.iter().filter_map(|record| record.reason.clone());
        let sealed: Vec<_> = unknown.iter().map(|(_, name)| name.clone()).chain(reasons).collect();
        let mut opened = self.source.vault.unseal_all(&sealed).await?.into_iter();
        for ((id, _), name) in unknown.into_iter().zip(opened.by_ref()) {
            self.names.insert(id, name);
        }
        Ok(opened.collect())
    }

    async fn policies_of(&mut self, records: &[DecisionRecord]) -> Result<(), ExportError> {
        if self.policies.len() > REMEMBERED_MAX {
            self.policies.clear();
        }
        for record in records {
            if !self.policies.contains_key(&record.policy) {
                let policy = self.policy(record.policy).await?;
                self.policies.insert(record.policy, policy);
            }
        }
        Ok(())
    }

    async fn policy(&self, digest: Digest) -> Result<Policy, ContentError> {
        let malformed = |source| ContentError::Malformed { digest, source };
        let bytes = self.source.content.get(digest).await?;
        let text: Option<Box<RawValue>> = bytes
            .map(|bytes| serde_json::from_slice(&bytes).map_err(malformed))
            .transpose()?;
        let policy: Option<ReviewPolicy> = text
            .as_ref()
            .map(|text| serde_json::from_str(text.get()).map_err(malformed))
            .transpose()?;
        Ok(Policy {
            digest,
            author_is_not_reviewer: policy.map(|policy| policy.author_is_not_reviewer),
            text: text.map(Arc::from),
        })
    }
}

fn people(record: &DecisionRecord) -> impl Iterator<Item = AccountId> + use<'_> {
    let others = [record.reviewer, record.submitted.by];
    others.into_iter().flatten().chain(record.authors.iter().copied())
}
