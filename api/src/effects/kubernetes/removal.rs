//! Taking a release off its cluster, by Helm.

use std::{path::Path, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::{Client, Site, inventory::Kinds, records, site::failed};
use crate::{
    commands::last_applied,
    effects::{
        helm::Named,
        manifest::Object,
        operation::{Report, Task, scratch},
        remains::{Presence, applied_objects, line, unseen},
    },
};

/// Removes what Helm knows of the release. What is gone already is removed.
///
/// A forced removal ends without Helm, if Helm fails: its records are deleted, and what they named and is still there is
/// reported as left behind.
pub(in crate::effects) async fn remove(task: &Task<'_>, site: &Site) -> Result<Report, Report> {
    if !site.is_there().await? {
        return Ok(Report::gone(vec![], "the project's namespace is gone".to_owned()));
    }
    let (namespace, release) = (site.namespace.as_str(), task.release.name.as_str());
    let records = records::of(&site.client, namespace, release).await;
    let records = records.map_err(|error| failed(&error))?;
    if !records.last().is_some_and(|record| record.is_of(&task.id.to_string())) {
        return Ok(Report::gone(
            vec![],
            "nothing of this release is on the cluster".to_owned(),
        ));
    }
    let scratch = scratch(task)?;
    site.write_kubeconfig(scratch.path()).await?;
    let named = named(task, site, scratch.path());
    // What is to go must be known before Helm forgets it.
    let applied = match task.forced {
        true => applied(task, &named).await?,
        false => vec![],
    };
    match task.helm.uninstall(&named).await {
        Ok(words) => Ok(Report::gone(vec![], words)),
        Err(error) if task.forced => {
            let remains = still_there(site, &applied, task.services.limits.look_max()).await;
            let forgotten = records::forget(&site.client, namespace, &records).await;
            forgotten.map_err(|error| failed(&error))?;
            Ok(Report::gone(remains, Report::of_helm(&error).output))
        }
        Err(error) => Err(Report::of_helm(&error)),
    }
}

/// What Helm applied last, also if that failed, and what was seen to run last: together, all that may be there.
async fn applied(task: &Task<'_>, named: &Named<'_>) -> Result<Vec<Object>, Report> {
    let by_helm = task.helm.manifest(named).await.unwrap_or_default();
    let services = task.services;
    let last = last_applied(&services.views, &services.vault, task.id).await;
    let last = last.map_err(|error| Report::cluster_failed(&error))?;
    Ok(applied_objects(&[&by_helm, last.as_deref().unwrap_or_default()]))
}

/// Those of `objects` that the cluster still has, and those of which it does not say.
pub(in crate::effects) async fn still_there(site: &Site, objects: &[Object], look_max: Duration) -> Vec<String> {
    let deadline = Instant::now() + look_max;
    let Ok(Ok(kinds)) = timeout_at(deadline, Kinds::of(&site.client, objects)).await else {
        return unseen(objects);
    };
    let mut remains = vec![];
    for object in objects {
        let looked = timeout_at(
            deadline,
            presence(&site.client, &kinds, site.namespace.as_str(), object),
        )
        .await;
        let presence = looked.unwrap_or(Some(Presence::Unknown));
        remains.extend(presence.map(|presence| line(object, presence)));
    }
    remains
}

/// `None` if it is gone.
async fn presence(client: &Client, kinds: &Kinds, namespace: &str, object: &Object) -> Option<Presence> {
    let Some(path) = kinds.path(object, namespace) else {
        // What the cluster named cannot be found by the manifest; of a kind that it does not know it has nothing.
        return object.name.is_empty().then_some(Presence::Unknown);
    };
    match client.get::<serde_json::Value>(&path).await {
        Ok(found) => found.map(|_| Presence::There),
        Err(_) => Some(Presence::Unknown),
    }
}

fn named<'a>(task: &'a Task<'_>, site: &'a Site, scratch: &'a Path) -> Named<'a> {
    Named {
        release: task.release.name.as_str(),
        namespace: site.namespace.as_str(),
        scratch,
    }
}
