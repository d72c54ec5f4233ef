//! What the store says about an app: words, links and pictures.
//!
//! A listing is a document, known by the hash of its canonical JSON; events name it by that hash. A changed listing is
//! a new document, so an approval of one can never become an approval of another.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

pub const DISPLAY_NAME_MAX_CHARACTERS: usize = 80;
pub const SUMMARY_MAX_CHARACTERS: usize = 200;
pub const DESCRIPTION_MAX_CHARACTERS: usize = 20_000;
pub const URL_MAX_CHARACTERS: usize = 2_000;
pub const TEXT_MAX_CHARACTERS: usize = 200;
pub const KEYWORDS_MAX: usize = 30;
pub const MAINTAINERS_MAX: usize = 30;
pub const SOURCES_MAX: usize = 30;
pub const SCREENSHOTS_MAX: usize = 6;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listing {
    pub display_name: String,
    pub summary: String,
    /// Markdown; shown only after sanitising.
    pub description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    #[serde(default)]
    pub keywords: Vec<String>,
    #[serde(default)]
    pub maintainers: Vec<Maintainer>,
    #[serde(default)]
    pub sources: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// A PNG or JPEG blob.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<Digest>,
    /// PNG or JPEG blobs, in the order they are shown.
    #[serde(default)]
    pub screenshots: Vec<Digest>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Maintainer {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidListing {
    #[error("the display name is empty")]
    NoDisplayName,
    #[error("{field} has {found} characters, and {limit} are allowed")]
    TooLong {
        field: &'static str,
        limit: usize,
        found: usize,
    },
    #[error("{field} has {found} entries, and {limit} are allowed")]
    TooMany {
        field: &'static str,
        limit: usize,
        found: usize,
    },
    #[error("{field} must start with https:// or http://; {found:?} does not")]
    NotALink { field: &'static str, found: String },
}

impl InvalidListing {
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoDisplayName => "LISTING_NAME_EMPTY",
            Self::TooLong { .. } => "LISTING_TOO_LONG",
            Self::TooMany { .. } => "LISTING_TOO_MANY",
            Self::NotALink { .. } => "LISTING_NOT_A_LINK",
        }
    }
}

impl Listing {
    /// # Errors
    ///
    /// The first field that breaks a limit, with the limit and what was met.
    pub fn check(&self) -> Result<(), InvalidListing> {
        if self.display_name.trim().is_empty() {
            return Err(InvalidListing::NoDisplayName);
        }
        at_most("displayName", &self.display_name, DISPLAY_NAME_MAX_CHARACTERS)?;
        at_most("summary", &self.summary, SUMMARY_MAX_CHARACTERS)?;
        at_most("description", &self.description, DESCRIPTION_MAX_CHARACTERS)?;
        few("keywords", self.keywords.len(), KEYWORDS_MAX)?;
        few("maintainers", self.maintainers.len(), MAINTAINERS_MAX)?;
        few("sources", self.sources.len(), SOURCES_MAX)?;
        few("screenshots", self.screenshots.len(), SCREENSHOTS_MAX)?;
        self.keywords
            .iter()
            .try_for_each(|keyword| at_most("keywords", keyword, TEXT_MAX_CHARACTERS))?;
        self.licence
            .iter()
            .try_for_each(|licence| at_most("licence", licence, TEXT_MAX_CHARACTERS))?;
        self.home.iter().try_for_each(|url| link("home", url))?;
        self.sources.iter().try_for_each(|url| link("sources", url))?;
        self.maintainers.iter().try_for_each(Maintainer::check)
    }
}

impl Listing {
    /// What fits of it: for a first draft made by a program, which a person then edits. Texts are cut, and links that
    /// are too long or not links at all are left out. Only a name it does not invent.
    #[must_use]
    pub fn cut_to_limits(mut self) -> Self {
        let cut = |text: &mut String, limit: usize| *text = text.chars().take(limit).collect();
        cut(&mut self.display_name, DISPLAY_NAME_MAX_CHARACTERS);
        cut(&mut self.summary, SUMMARY_MAX_CHARACTERS);
        cut(&mut self.description, DESCRIPTION_MAX_CHARACTERS);
        self.keywords.truncate(KEYWORDS_MAX);
        self.maintainers.truncate(MAINTAINERS_MAX);
        self.sources.truncate(SOURCES_MAX);
        self.screenshots.truncate(SCREENSHOTS_MAX);
        self.keywords
            .iter_mut()
            .chain(&mut self.licence)
            .for_each(|text| cut(text, TEXT_MAX_CHARACTERS));
        let fits = |url: &String| is_link(url) && url.chars().count() <= URL_MAX_CHARACTERS;
        self.home = self.home.filter(fits);
        self.sources.retain(fits);
        for maintainer in &mut self.maintainers {
            cut(&mut maintainer.name, TEXT_MAX_CHARACTERS);
            maintainer
                .email
                .iter_mut()
                .for_each(|email| cut(email, TEXT_MAX_CHARACTERS));
            maintainer.url = maintainer.url.take().filter(fits);
        }
        self
    }
}

impl Maintainer {
    fn check(&self) -> Result<(), InvalidListing> {
        at_most("maintainers.name", &self.name, TEXT_MAX_CHARACTERS)?;
        self.email
            .iter()
            .try_for_each(|email| at_most("maintainers.email", email, TEXT_MAX_CHARACTERS))?;
        self.url.iter().try_for_each(|url| link("maintainers.url", url))
    }
}

fn at_most(field: &'static str, text: &str, limit: usize) -> Result<(), InvalidListing> {
    let found = text.chars().count();
    if found > limit {
        Err(InvalidListing::TooLong { field, limit, found })
    } else {
        Ok(())
    }
}

fn few(field: &'static str, found: usize, limit: usize) -> Result<(), InvalidListing> {
    if found > limit {
        Err(InvalidListing::TooMany { field, limit, found })
    } else {
        Ok(())
    }
}

/// Links end up in pages: anything but the web's own schemes (`javascript:` above all) is refused.
#[must_use]
pub fn is_link(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

fn link(field: &'static str, url: &str) -> Result<(), InvalidListing> {
    at_most(field, url, URL_MAX_CHARACTERS)?;
    if is_link(url) {
        return Ok(());
    }
    Err(InvalidListing::NotALink {
        field,
        found: url.chars().take(100).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing {
        Listing {
            display_name: "Redis".to_owned(),
            ..Listing::default()
        }
    }

    #[test]
    fn a_listing_needs_a_display_name() {
        assert_eq!(listing().check(), Ok(()));
        let unnamed = Listing {
            display_name: "  ".to_owned(),
            ..listing()
        };
        assert_eq!(unnamed.check(), Err(InvalidListing::NoDisplayName));
    }

    #[test]
    fn a_summary_has_at_most_200_characters_however_many_bytes() {
        let fits = Listing {
            summary: "é".repeat(200),
            ..listing()
        };
        assert_eq!(fits.check(), Ok(()));
        let long = Listing {
            summary: "é".repeat(201),
            ..listing()
        };
        assert_eq!(
            long.check(),
            Err(InvalidListing::TooLong {
                field: "summary",
                limit: 200,
                found: 201
            })
        );
    }

    #[test]
    fn a_draft_cut_to_the_limits_keeps_them() {
        let long = "é".repeat(30_000);
        let maintainer = Maintainer {
            name: long.clone(),
            email: Some(long.clone()),
            url: Some(format!("https://{long}")),
        };
        let drafted = Listing {
            display_name: long.clone(),
            summary: long.clone(),
            description: long.clone(),
            home: Some(format!("https://{long}")),
            keywords: vec![long.clone(); 100],
            maintainers: vec![maintainer; 100],
            sources: vec![format!("https://{long}"); 100],
            licence: Some(long),
            icon: None,
            screenshots: vec![Digest::from_bytes([0; 32]); 9],
        };
        assert_eq!(drafted.cut_to_limits().check(), Ok(()));
    }

    #[test]
    fn a_draft_cut_to_the_limits_leaves_out_what_is_no_link() {
        let odd = || "git@example.com:redis.git".to_owned();
        let drafted = Listing {
            home: Some(odd()),
            sources: vec![odd(), "https://example.com/redis".to_owned()],
            ..listing()
        };
        let cut = drafted.cut_to_limits();
        assert_eq!(cut.check(), Ok(()));
        assert_eq!(cut.home, None);
        assert_eq!(cut.sources, ["https://example.com/redis"]);
    }

    #[test]
    fn a_text_that_is_too_long_is_named() {
        let long = "x".repeat(201);
        let too_long = |field| {
            Err(InvalidListing::TooLong {
                field,
                limit: 200,
                found: 201,
            })
        };
        let keyword = Listing {
            keywords: vec![long.clone()],
            ..listing()
        };
        assert_eq!(keyword.check(), too_long("keywords"));
        let licence = Listing {
            licence: Some(long),
            ..listing()
        };
        assert_eq!(licence.check(), too_long("licence"));
    }

    #[test]
    fn there_are_at_most_six_screenshots() {
        let seven = Listing {
            screenshots: vec![Digest::from_bytes([0; 32]); 7],
            ..listing()
        };
        assert_eq!(
            seven.check(),
            Err(InvalidListing::TooMany {
                field: "screenshots",
                limit: 6,
                found: 7
            })
        );
    }

    #[test]
    fn a_link_that_is_a_script_is_refused() {
        let found = "javascript:alert(1)".to_owned();
        let script = Listing {
            home: Some(found.clone()),
            ..listing()
        };
        assert_eq!(script.check(), Err(InvalidListing::NotALink { field: "home", found }));
    }
}
