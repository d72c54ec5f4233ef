//! What Helm would render, for whoever wants to see it before anything comes of it: no cluster is spoken to.

use std::{path::PathBuf, sync::Arc};

use domain::digest::Digest;
use tokio::sync::Semaphore;

use super::helm::{Helm, HelmError, Template};
use crate::{
    config::Limits,
    content::{Content, ContentError},
    services::Services,
};

const CHART: &str = "chart.tgz";
const VALUES: &str = "values.yaml";

/// Places for previews that are rendered at once, beside the runs of the worker.
#[derive(Clone)]
pub struct Previews {
    helm: Helm,
    places: Arc<Semaphore>,
}

/// What to render.
pub struct Rendering<'a> {
    pub release: &'a str,
    pub namespace: &'a str,
    pub archive: Digest,
    pub values: &'a str,
}

#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    #[error("the chart's bytes were removed from this store")]
    Removed,
    #[error("as many previews are under way as there may be; try again")]
    Busy,
    #[error("helm does not render it")]
    Helm(#[from] HelmError),
    #[error("the chart could not be read")]
    Content(#[from] ContentError),
    #[error("the preview could not be prepared")]
    Io(#[from] std::io::Error),
}

impl Previews {
    #[must_use]
    pub fn new(helm: PathBuf, limits: &Limits) -> Self {
        Self {
            helm: Helm::new(helm, limits),
            places: Arc::new(Semaphore::new(limits.previews_max.max(1))),
        }
    }

    /// The manifest that an upgrade would bring. Whoever stops waiting for it stops Helm.
    ///
    /// # Errors
    ///
    /// [`PreviewError`]; what Helm said is in it.
    pub async fn render(&self, services: &Services, wanted: &Rendering<'_>) -> Result<String, PreviewError> {
        let _place = self.places.try_acquire().map_err(|_| PreviewError::Busy)?;
        let archive = archive(&services.content, wanted.archive).await?;
        // Values are secret: the folder is the server's own, and emptied when it starts.
        let scratch = tempfile::tempdir_in(services.data.scratch())?;
        tokio::fs::write(scratch.path().join(CHART), archive).await?;
        tokio::fs::write(scratch.path().join(VALUES), wanted.values).await?;
        let template = Template {
            release: wanted.release,
            namespace: wanted.namespace,
            chart: CHART,
            values: Some(VALUES),
            is_upgrade: true,
            cluster: None,
            scratch: scratch.path(),
        };
        Ok(self.helm.template(&template).await?.manifest)
    }
}

async fn archive(content: &Content, digest: Digest) -> Result<bytes::Bytes, PreviewError> {
    content.get(digest).await?.ok_or(PreviewError::Removed)
}
