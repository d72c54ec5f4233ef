//! Names people give. A value that exists is valid, also when it comes from JSON.

use std::{fmt, str::FromStr};

use crate::text::as_text;

/// A name that breaks its rule; the message says the rule and shows the name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a {what} is {rule}; {found:?} is not")]
pub struct InvalidName {
    what: &'static str,
    rule: &'static str,
    found: String,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        as_text!($name);

        impl $name {
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    return Ok(Self(text.to_owned()));
                }
                Err(InvalidName { what: $what, rule: $rule, found: text.chars().take(100).collect() })
            }
        }
    };
}

name!(
    /// The name in `Chart.yaml`; an app is called as its chart is.
    ChartName, "chart name", "1 to 63 characters of a-z, 0-9 and '-', starting with a letter or digit",
    |text| label(text, 63) && !text.ends_with('-'));
name!(
    /// A workspace's name, unique on the platform.
    WorkspaceName, "workspace name", "1 to 63 characters of a-z, 0-9 and '-', starting and ending with a letter or digit",
    |text| label(text, 63) && !text.ends_with('-'));
name!(
    /// A project's name, unique in its workspace.
    ProjectName, "project name", "1 to 63 characters of a-z, 0-9 and '-', starting and ending with a letter or digit",
    |text| label(text, 63) && !text.ends_with('-'));
name!(
    /// A cluster's name, unique on the platform.
    ClusterName, "cluster name", "1 to 63 characters of a-z, 0-9 and '-', starting and ending with a letter or digit",
    |text| label(text, 63) && !text.ends_with('-'));
name!(
    /// A Kubernetes namespace: an RFC 1123 label.
    Namespace, "namespace", "1 to 63 characters of a-z, 0-9 and '-', starting and ending with a letter or digit",
    |text| label(text, 63) && !text.ends_with('-'));
name!(
    /// A Helm release name; Helm allows 53 characters so that its own suffixes still fit a Kubernetes label.
    ReleaseName, "release name", "1 to 53 characters of a-z, 0-9 and '-', starting and ending with a letter or digit",
    |text| label(text, 53) && !text.ends_with('-'));
name!(
    /// A role's name, unique on the platform.
    RoleName, "role name", "1 to 63 characters of a-z, 0-9 and '-', starting and ending with a letter or digit",
    |text| label(text, 63) && !text.ends_with('-'));
name!(
    /// A stage of a review policy, unique in the policy.
    StageName, "stage name", "1 to 40 characters of a-z, 0-9 and '-', starting and ending with a letter or digit",
    |text| label(text, 40) && !text.ends_with('-'));

impl Namespace {
    /// Whether it is the cluster's own: `default`, and every name that starts with `kube-`.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0 == "default" || self.0.starts_with("kube-")
    }
}

impl Default for StageName {
    /// The one stage of the policy that is in force until another is set.
    fn default() -> Self {
        Self("review".to_owned())
    }
}

name!(
    /// A category's name as people read it.
    CategoryName, "category name", "1 to 40 characters (at most 100 bytes) without line breaks, not starting or ending with a space",
    |text| (1..=40).contains(&text.chars().count()) && text.to_lowercase().len() <= 100 && text.trim() == text && !text.chars().any(char::is_control));
name!(
    /// The name of an icon from the console's set, such as `database`.
    IconName, "icon name", "1 to 40 characters of a-z, 0-9 and '-', starting with a letter or digit",
    |text| label(text, 40));
name!(
    /// An account's name, unique on the platform. Personal data: the log holds it only sealed or as a keyed hash.
    AccountName, "account name", "1 to 63 characters of a-z, 0-9, '-', '.', '_' and '@', starting with a letter or digit",
    |text| text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._@".contains(&b)));

fn label(text: &str, characters_max: usize) -> bool {
    text.len() <= characters_max
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_name_is_lower_case_and_at_most_63_characters() {
        for good in ["redis", "a", "0redis", "redis-ha", &"a".repeat(63)] {
            assert!(good.parse::<ChartName>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "Redis",
            "-redis",
            "redis-",
            "re dis",
            "../redis",
            "rédis",
            &"a".repeat(64),
        ] {
            assert!(bad.parse::<ChartName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_release_name_leaves_room_for_helms_suffixes() {
        assert!("a".repeat(53).parse::<ReleaseName>().is_ok());
        assert!("a".repeat(54).parse::<ReleaseName>().is_err());
    }

    #[test]
    fn a_name_from_json_is_checked_too() {
        assert!(serde_json::from_str::<WorkspaceName>("\"demo\"").is_ok());
        let refused = serde_json::from_str::<WorkspaceName>("\"Demo Workspace\"").unwrap_err();
        assert!(
            refused
                .to_string()
                .starts_with("a workspace name is 1 to 63 characters"),
            "{refused}"
        );
    }
}
