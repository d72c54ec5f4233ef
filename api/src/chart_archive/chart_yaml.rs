//! The YAML of `Chart.yaml` and `requirements.yaml`, read with the leniency of Helm's loader.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use serde_yaml::Value;

use super::metadata::{ApiVersion, ChartDependency, ChartKind, ChartMaintainer, ChartMetadata, ImportValue};
use super::yaml::first_document;

const CHART_FIELDS: [&str; 18] = [
    "apiVersion",
    "name",
    "version",
    "kubeVersion",
    "description",
    "type",
    "keywords",
    "home",
    "sources",
    "dependencies",
    "maintainers",
    "icon",
    "appVersion",
    "deprecated",
    "annotations",
    "condition",
    "tags",
    "engine",
];

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ChartYaml {
    api_version: Text,
    name: Text,
    version: Text,
    kube_version: Text,
    description: Text,
    r#type: Text,
    keywords: Option<Vec<Text>>,
    home: Text,
    sources: Option<Vec<Text>>,
    dependencies: Option<Vec<DependencyYaml>>,
    maintainers: Option<Vec<MaintainerYaml>>,
    icon: Text,
    app_version: Text,
    deprecated: Option<bool>,
    annotations: Option<BTreeMap<String, Text>>,
}

impl ChartYaml {
    pub(super) fn parse(yaml: &str) -> Result<Self, String> {
        for key in top_level_keys(yaml)? {
            // Go matches field names in any letter case, so `Name` would overrule `name` in Helm.
            let meant = CHART_FIELDS.iter().find(|field| folded(field) == folded(&key));
            match meant {
                Some(field) if *field != key => return Err(format!("field {key:?} must be written {field:?}")),
                _ => {}
            }
        }
        first_document(yaml)
    }

    pub(super) fn into_metadata(self) -> Result<ChartMetadata, String> {
        let api_version = match self.api_version.0.as_str() {
            "" | "v1" => ApiVersion::V1,
            "v2" => ApiVersion::V2,
            other => return Err(format!("apiVersion must be v1 or v2, found {other:?}")),
        };
        let kind = match self.r#type.0.as_str() {
            "" | "application" => ChartKind::Application,
            "library" => ChartKind::Library,
            other => return Err(format!("type must be application or library, found {other:?}")),
        };
        Ok(ChartMetadata {
            api_version,
            name: self.name.required("name")?,
            version: self.version.required("version")?,
            kind,
            kube_version: self.kube_version.line(),
            description: self.description.line(),
            keywords: lines(self.keywords),
            home: self.home.line(),
            sources: lines(self.sources),
            dependencies: all(self.dependencies, DependencyYaml::into_dependency),
            maintainers: all(self.maintainers, MaintainerYaml::into_maintainer),
            icon: self.icon.line(),
            app_version: self.app_version.line(),
            deprecated: self.deprecated.unwrap_or_default(),
            annotations: self
                .annotations
                .unwrap_or_default()
                .into_iter()
                .map(|(key, value)| (key, value.0))
                .collect(),
        })
    }
}

/// Helm lays `requirements.yaml` over `Chart.yaml`, so a `name` in it would rename the chart:
/// nothing but dependencies may be there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequirementsYaml {
    dependencies: Option<Vec<DependencyYaml>>,
}

impl RequirementsYaml {
    pub(super) fn parse(yaml: &str) -> Result<Vec<ChartDependency>, String> {
        let requirements: Option<Self> = first_document(yaml)?;
        let dependencies = requirements.and_then(|requirements| requirements.dependencies);
        Ok(all(dependencies, DependencyYaml::into_dependency))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DependencyYaml {
    name: Text,
    version: Text,
    repository: Text,
    condition: Text,
    tags: Option<Vec<Text>>,
    #[serde(rename = "import-values")]
    import_values: Option<Vec<ImportValue>>,
    alias: Text,
}

impl DependencyYaml {
    fn into_dependency(self) -> ChartDependency {
        ChartDependency {
            name: cleaned(&self.name.0),
            version: self.version.line(),
            repository: self.repository.line(),
            condition: self.condition.line(),
            tags: lines(self.tags),
            import_values: self.import_values.unwrap_or_default(),
            alias: self.alias.line(),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MaintainerYaml {
    name: Text,
    email: Text,
    url: Text,
}

impl MaintainerYaml {
    fn into_maintainer(self) -> ChartMaintainer {
        ChartMaintainer {
            name: cleaned(&self.name.0),
            email: self.email.line(),
            url: self.url.line(),
        }
    }
}

/// A string, or a scalar that Helm turns into one.
#[derive(Default)]
struct Text(String);

impl Text {
    fn line(self) -> Option<String> {
        Some(cleaned(&self.0)).filter(|line| !line.is_empty())
    }

    fn required(self, field: &str) -> Result<String, String> {
        self.line().ok_or_else(|| format!("{field} is missing or empty"))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor).map(Text)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = String;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_unit<E: de::Error>(self) -> Result<String, E> {
        Ok(String::new())
    }
}

fn top_level_keys(yaml: &str) -> Result<Vec<String>, String> {
    let Value::Mapping(fields) = first_document(yaml)? else {
        return Err("it must hold a mapping".to_owned());
    };
    fields
        .into_iter()
        .map(|(key, _)| match key {
            Value::String(merge) if merge == "<<" => Err("merge keys ('<<') are not supported".to_owned()),
            Value::String(key) => Ok(key),
            other => Err(format!("field names must be strings, found {other:?}")),
        })
        .collect()
}

/// A field name in the form in which Go compares them: small letters, also for `ſ` and the Kelvin sign.
fn folded(field: &str) -> String {
    field
        .chars()
        .flat_map(char::to_lowercase)
        .map(|c| if c == 'ſ' { 's' } else { c })
        .collect()
}

fn lines(texts: Option<Vec<Text>>) -> Vec<String> {
    texts.unwrap_or_default().into_iter().filter_map(Text::line).collect()
}

fn all<Yaml, T>(items: Option<Vec<Yaml>>, convert: fn(Yaml) -> T) -> Vec<T> {
    items.unwrap_or_default().into_iter().map(convert).collect()
}

/// One line of visible text: every white space is a space, and no character is there that could
/// hide or turn around what a reader sees.
fn cleaned(text: &str) -> String {
    let visible = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let spaced = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    spaced.filter(visible).collect::<String>().trim().to_owned()
}
