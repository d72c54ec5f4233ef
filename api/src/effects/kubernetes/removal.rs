//! Taking a release off its cluster, by Helm.

use std::path::Path;

use super::{
    Site,
    inventory::{Kinds, objects},
    records::{self, Record},
    site::failed,
};
use crate::effects::{
    helm::Named,
    operation::{Report, Task, scratch},
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
    let manifest = match task.forced {
        true => task.helm.manifest(&named).await.unwrap_or_default(),
        false => String::new(),
    };
    match task.helm.uninstall(&named).await {
        Ok(words) => Ok(Report::gone(vec![], words)),
        Err(error) => {
            let report = Report::of_helm(&error);
            if !task.forced {
                return Err(report);
            }
            leave(site, &manifest, &records, report.output).await
        }
    }
}

/// Ends the release on the cluster without Helm, and says what is still there.
async fn leave(site: &Site, manifest: &str, records: &[Record], words: String) -> Result<Report, Report> {
    let remains = remains(site, manifest).await?;
    let forgotten = records::forget(&site.client, site.namespace.as_str(), records).await;
    forgotten.map_err(|error| failed(&error))?;
    Ok(Report::gone(remains, words))
}

/// The objects of a manifest that are on the cluster, and those of which that cannot be said.
async fn remains(site: &Site, manifest: &str) -> Result<Vec<String>, Report> {
    let Ok(objects) = objects(manifest) else {
        return Ok(vec!["a manifest that cannot be read".to_owned()]);
    };
    let kinds = Kinds::of(&site.client, &objects)
        .await
        .map_err(|error| failed(&error))?;
    let mut remains = vec![];
    for object in &objects {
        let found = match kinds.path(object, site.namespace.as_str()) {
            Some(path) => site.client.get::<serde_json::Value>(&path).await,
            None => Ok(None),
        };
        if !matches!(found, Ok(None)) {
            remains.push(object.to_string());
        }
    }
    Ok(remains)
}

fn named<'a>(task: &'a Task<'_>, site: &'a Site, scratch: &'a Path) -> Named<'a> {
    Named {
        release: task.release.name.as_str(),
        namespace: site.namespace.as_str(),
        scratch,
    }
}
