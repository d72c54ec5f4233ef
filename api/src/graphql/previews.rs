//! What an upgrade would change, before it is asked for.

use std::time::Duration;

use async_graphql::{Context, ID, Object, SimpleObject};
use domain::{access::Place, ids::ReleaseId, permission::Permission, project::Project};
use projections::releases;
use serde_json::Value;
use similar::TextDiff;

use super::{
    accounts::unseal_long,
    error::{ApiError, Result},
    limits::make_room,
    mutations::{UserError, giver, release_id, version_id},
    releases::sees,
    scalars::{SemVer, Sha256},
    viewer::{read, services, viewer},
};
use crate::{
    chart_archive::Chart,
    commands::{CommandError, Plan, UpgradeRelease, load},
    effects::{PreviewError, Previews, Rendering},
    values::{self, Values, preview},
};

/// After this long a difference is told less exactly.
const DIFF_TIME_MAX: Duration = Duration::from_secs(2);

#[derive(Default)]
pub struct PreviewQuery;

#[Object]
impl PreviewQuery {
    /// What `upgradeRelease` would do with the same input; nothing is changed. For whoever may upgrade the release and read
    /// its values.
    #[graphql(complexity = "100 + child_complexity")]
    async fn upgrade_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The release.")] release: ID,
        #[graphql(desc = "The version; none stays at the one that is wanted now.")] version: Option<ID>,
        #[graphql(desc = "YAML, at most 1 MiB; none keeps the values, the empty text goes back to the defaults.")]
        values: Option<String>,
    ) -> Result<Option<UpgradePreview>> {
        let viewer = viewer(ctx)?;
        let version = version.as_ref().map(version_id).transpose();
        let input = release_id(&release).and_then(|release| Ok((release, version?)));
        let (release, version) = match input {
            Ok(input) => input,
            Err(error) => return Ok(Some(UpgradePreview::refused(vec![error]))),
        };
        let Some(known) = visible(ctx, release).await? else {
            return Ok(None);
        };
        let project = known.project;
        if let Some(workspace) = known.workspace {
            viewer.authorize(Permission::ReleaseValues, Place::Project { project, workspace })?;
        }
        let upgrade = UpgradeRelease {
            release,
            version,
            values,
        };
        match services(ctx).commands.plan(giver(ctx, None)?, &upgrade).await {
            Ok(plan) => Ok(Some(UpgradePreview::of(release, plan))),
            Err(error) if error.is_expected() => Ok(Some(UpgradePreview::refused(UserError::of(&error)))),
            Err(error) => Err(error.into()),
        }
    }
}

async fn visible(ctx: &Context<'_>, id: ReleaseId) -> Result<Option<releases::Release>> {
    let viewer = viewer(ctx)?;
    let found = read(ctx, move |view| releases::release(view, id)).await?;
    Ok(found.filter(|release| sees(viewer, release)))
}

pub struct UpgradePreview {
    planned: Option<(ReleaseId, Plan)>,
    user_errors: Vec<UserError>,
}

impl UpgradePreview {
    const fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            planned: None,
            user_errors,
        }
    }

    fn of(release: ReleaseId, mut plan: Plan) -> Self {
        let violations = std::mem::take(&mut plan.violations);
        let user_errors = if violations.is_empty() {
            vec![]
        } else {
            UserError::of(&CommandError::ValuesRefused(violations))
        };
        Self {
            planned: Some((release, plan)),
            user_errors,
        }
    }

    /// What was read from the archives: of what runs, and of what would run.
    async fn charts(&self, ctx: &Context<'_>) -> Result<Option<[Option<Chart>; 2]>> {
        let Some((_, plan)) = &self.planned else {
            return Ok(None);
        };
        let runs = plan.release.observed.as_ref().unwrap_or(&plan.release.wanted).digest;
        let app = load::<domain::app::App>(&services(ctx).log, plan.release.app).await?;
        let packages = app
            .iter()
            .flat_map(|app| app.versions.values().map(|version| &version.package));
        let old = packages.into_iter().find(|package| package.digest == runs);
        let content = &services(ctx).content;
        let mut charts = [None, None];
        for (chart, digest) in charts.iter_mut().zip([old.map(|package| package.chart), plan.chart]) {
            if let Some(digest) = digest {
                *chart = content.chart(digest).await?;
            }
        }
        Ok(Some(charts))
    }
}

/// What an upgrade would change: old defaults, new defaults, and the user's own values.
#[Object]
impl UpgradePreview {
    /// The number of the version it would run.
    async fn version_number(&self) -> Option<SemVer> {
        self.planned.as_ref().map(|(_, plan)| SemVer(plan.version.clone()))
    }

    /// The SHA-256 of the chart archive it would run.
    async fn package_digest(&self) -> Option<Sha256> {
        self.planned.as_ref().map(|(_, plan)| Sha256(plan.digest))
    }

    /// values.yaml of what runs, with its comments.
    #[graphql(complexity = 100)]
    async fn old_defaults(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let charts = self.charts(ctx).await?;
        shown(ctx, charts.and_then(|[old, _]| old?.values))
    }

    /// values.yaml of what would run, with its comments.
    #[graphql(complexity = 100)]
    async fn new_defaults(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let charts = self.charts(ctx).await?;
        shown(ctx, charts.and_then(|[_, new]| new?.values))
    }

    /// The user's own values, as they would be; absent for the chart's defaults.
    async fn values(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let values = self.planned.as_ref().map(|(_, plan)| plan.values.clone());
        shown(ctx, values.filter(|values| !values.is_empty()))
    }

    /// Every place where the defaults differ, with what the user set there, in the order of their names.
    #[graphql(complexity = "100 + child_complexity")]
    async fn changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only where the user's own value hides a default that changed.", default)]
        conflicts_only: bool,
    ) -> Result<Vec<DefaultChange>> {
        let (Some([old, new]), Some((_, plan))) = (self.charts(ctx).await?, &self.planned) else {
            return Ok(vec![]);
        };
        let given = values::read(&plan.values).unwrap_or_default();
        let compared = move || {
            let [old, new] = [old, new].map(defaults);
            preview::changes(&old, &new, &given)
        };
        let changes = tokio::task::spawn_blocking(compared).await;
        let changes = changes.map_err(|error| ApiError::internal(&error))?;
        let changes = changes
            .into_iter()
            .filter(|change| !conflicts_only || change.is_conflict());
        let changes: Vec<_> = changes.map(DefaultChange::from).collect();
        make_room(ctx, changes.iter().map(DefaultChange::size_bytes).sum())?;
        Ok(changes)
    }

    /// What would change on the cluster: a unified diff from the manifest that runs to the one that Helm renders now. It
    /// takes a run of Helm, which cannot look into the cluster: a chart that does may render something else in the end.
    #[graphql(complexity = 2_000)]
    async fn manifest_diff(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let Some((id, plan)) = &self.planned else {
            return Ok(None);
        };
        if !self.user_errors.is_empty() {
            return Ok(None);
        }
        let (id, last) = (*id, plan.release.revision());
        let revision = read(ctx, move |view| releases::revision(view, id, last)).await?;
        let old = match revision {
            Some(revision) => unseal_long(ctx, &revision.manifest).await?.unwrap_or_default(),
            None => String::new(),
        };
        let new = rendered(ctx, plan).await?;
        let diff = tokio::task::spawn_blocking(move || difference(&old, &new)).await;
        shown(ctx, Some(diff.map_err(|error| ApiError::internal(&error))?))
    }

    /// Why the upgrade would be refused: every violation of the chart's schema, with its place in the values.
    async fn user_errors(&self) -> &[UserError] {
        &self.user_errors
    }
}

/// A place where the two charts have different defaults. Values are JSON.
#[derive(SimpleObject)]
pub struct DefaultChange {
    /// Where, as a JSON pointer.
    pointer: String,
    /// The default of what runs; absent if it has none there.
    old_default: Option<String>,
    /// The default of what would run; absent if it has none there.
    new_default: Option<String>,
    /// What the user set there, or further up where it covers the place.
    own_value: Option<String>,
    /// Whether the user's own value hides the new default: it was set against another one.
    is_conflict: bool,
}

impl DefaultChange {
    fn size_bytes(&self) -> usize {
        let values = [&self.old_default, &self.new_default, &self.own_value];
        self.pointer.len() + values.into_iter().flatten().map(String::len).sum::<usize>()
    }
}

impl From<preview::Change> for DefaultChange {
    fn from(change: preview::Change) -> Self {
        let json = |value: &Option<Value>| value.as_ref().map(Value::to_string);
        Self {
            is_conflict: change.is_conflict(),
            old_default: json(&change.old_default),
            new_default: json(&change.new_default),
            own_value: json(&change.given),
            pointer: change.pointer,
        }
    }
}

fn defaults(chart: Option<Chart>) -> Values {
    let text = chart.and_then(|chart| chart.values).unwrap_or_default();
    values::read_leniently(&text).unwrap_or_default()
}

fn difference(old: &str, new: &str) -> String {
    let diff = TextDiff::configure().timeout(DIFF_TIME_MAX).diff_lines(old, new);
    diff.unified_diff().header("runs", "would run").to_string()
}

async fn rendered(ctx: &Context<'_>, plan: &Plan) -> Result<String> {
    let project = load::<Project>(&services(ctx).log, plan.release.project).await?;
    let namespace = project.map_or_else(String::new, |project| project.namespace.to_string());
    let rendering = Rendering {
        release: plan.release.name.as_str(),
        namespace: &namespace,
        archive: plan.digest,
        values: &plan.values,
    };
    let previews = ctx.data_unchecked::<Previews>();
    Ok(previews.render(services(ctx), &rendering).await?)
}

fn shown(ctx: &Context<'_>, text: Option<String>) -> Result<Option<String>> {
    make_room(ctx, text.as_ref().map_or(0, String::len))?;
    Ok(text)
}

impl From<PreviewError> for ApiError {
    fn from(error: PreviewError) -> Self {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let message = cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
        match &error {
            PreviewError::Removed => Self::new("CONTENT_REMOVED", message),
            PreviewError::Busy => Self::new("PREVIEWS_BUSY", message),
            PreviewError::Helm(_) => Self::new("PREVIEW_FAILED", message),
            PreviewError::Content(_) | PreviewError::Io(_) => Self::internal(&error),
        }
    }
}
