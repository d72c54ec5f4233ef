//! What `Chart.yaml` says.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::chart_yaml::{ChartYaml, RequirementsYaml};
use super::error::ArchiveError;

/// The fields of `Chart.yaml`, for apiVersion v1 and v2, named in JSON as Helm names them.
///
/// Read as Helm's loader reads them: numbers and booleans stand for their text (`appVersion: 1.10`
/// is `"1.1"`), `null` for absence, line breaks and unprintable characters in one-line fields are
/// cleaned away. Fields that Helm does not know are ignored, as Helm ignores them.
/// `name` and `version` are not empty; what else they have to be is the domain's to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChartMetadata {
    pub api_version: ApiVersion,
    pub name: String,
    pub version: String,
    #[serde(default, rename = "type")]
    pub kind: ChartKind,
    /// The constraint on the version of Kubernetes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kube_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// From `Chart.yaml`, or from `requirements.yaml` where older charts keep them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<ChartDependency>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maintainers: Vec<ChartMaintainer>,
    /// The address of an image; never fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_version: Option<String>,
    #[serde(default)]
    pub deprecated: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A chart without one is a Helm 2 chart: v1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApiVersion {
    V1,
    V2,
}

/// Only an application can be installed; a library is there for other charts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChartKind {
    #[default]
    Application,
    Library,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChartMaintainer {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChartDependency {
    pub name: String,
    /// A version or a range of versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Values that switch the dependency on or off, comma-separated; the first that exists decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(default, rename = "import-values", skip_serializing_if = "Vec::is_empty")]
    pub import_values: Vec<ImportValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
}

/// Values that a chart takes over from a dependency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ImportValue {
    /// What the dependency exports under this key.
    Exported(String),
    Mapped {
        child: String,
        parent: String,
    },
}

/// Reads `Chart.yaml`, and `requirements.yaml` if there is one.
pub(super) fn parse(chart_yaml: &str, requirements_yaml: Option<&str>) -> Result<ChartMetadata, ArchiveError> {
    let invalid = |problem| ArchiveError::ChartYamlInvalid { problem };
    let mut metadata = ChartYaml::parse(chart_yaml)
        .and_then(ChartYaml::into_metadata)
        .map_err(invalid)?;
    if let Some(requirements) = requirements_yaml {
        let invalid = |problem| ArchiveError::RequirementsInvalid { problem };
        let dependencies = RequirementsYaml::parse(requirements).map_err(invalid)?;
        if !dependencies.is_empty() && !metadata.dependencies.is_empty() {
            return Err(invalid("dependencies are listed in Chart.yaml already".to_owned()));
        }
        metadata.dependencies.extend(dependencies);
    }
    dependency_problem(&metadata.dependencies).map_or(Ok(metadata), |problem| Err(invalid(problem)))
}

fn dependency_problem(dependencies: &[ChartDependency]) -> Option<String> {
    let mut names = BTreeSet::new();
    dependencies.iter().find_map(|dependency| {
        let name = dependency.alias.as_ref().unwrap_or(&dependency.name);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if dependency.name.is_empty() {
            Some("dependencies: one of them has no name".to_owned())
        } else if dependency
            .alias
            .as_ref()
            .is_some_and(|alias| !alias.chars().all(is_plain))
        {
            Some(format!(
                "dependencies: alias {name:?} must be of letters, digits, '-' and '_'"
            ))
        } else if !names.insert(name) {
            Some(format!("dependencies: name or alias {name:?} is there more than once"))
        } else {
            None
        }
    })
}
