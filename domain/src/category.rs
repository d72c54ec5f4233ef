//! Categories: the shelves of the store.
//!
//! A category knows the apps on it, so that "a category with apps is not deleted" is one aggregate's own rule. An app
//! without a category is uncategorised; that shelf always exists, has no stream and cannot be deleted.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    decider::{Decider, Reject, RejectionKind, Stamp},
    ids::AppId,
    names::{CategoryName, IconName},
};

/// The facts of a category's life. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    CategoryCreated { name: CategoryName, icon: IconName },
    CategoryEdited { name: CategoryName, icon: IconName },
    AppShelved { app: AppId },
    AppUnshelved { app: AppId },
    CategoryDeleted {},
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    pub name: CategoryName,
    pub icon: IconName,
    pub apps: BTreeSet<AppId>,
    pub deleted: bool,
}

#[derive(Debug, Clone)]
pub enum Command {
    Create { name: CategoryName, icon: IconName },
    Edit { name: CategoryName, icon: IconName },
    Shelve { app: AppId },
    Unshelve { app: AppId },
    Delete,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("this category does not exist")]
    NotFound,
    #[error("this category exists already")]
    Exists,
    #[error("the category is not empty (apps in it: {apps}); move them to another one first")]
    NotEmpty { apps: usize },
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Exists => "CATEGORY_EXISTS",
            Self::NotEmpty { .. } => "CATEGORY_NOT_EMPTY",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound => RejectionKind::NotFound,
            Self::Exists | Self::NotEmpty { .. } => RejectionKind::Conflict,
        }
    }
}

impl Decider for Category {
    const CATEGORY: &'static str = "category";
    type Command = Command;
    type Event = Event;
    type State = Option<Self>;
    type Rejection = Rejection;

    fn decide(state: &Self::State, command: Command, _: Stamp) -> Result<Vec<Event>, Rejection> {
        let Some(category) = state else {
            let Command::Create { name, icon } = command else {
                return Err(Rejection::NotFound);
            };
            return Ok(vec![Event::CategoryCreated { name, icon }]);
        };
        match command {
            Command::Create { .. } => Err(Rejection::Exists),
            Command::Delete if category.deleted => Ok(vec![]),
            // An app may always leave, so that moving it can never fail on the shelf it comes from.
            Command::Unshelve { app } if category.apps.contains(&app) => Ok(vec![Event::AppUnshelved { app }]),
            Command::Unshelve { .. } => Ok(vec![]),
            Command::Edit { .. } | Command::Shelve { .. } if category.deleted => Err(Rejection::NotFound),
            Command::Edit { name, icon } if category.name == name && category.icon == icon => Ok(vec![]),
            Command::Edit { name, icon } => Ok(vec![Event::CategoryEdited { name, icon }]),
            Command::Shelve { app } if category.apps.contains(&app) => Ok(vec![]),
            Command::Shelve { app } => Ok(vec![Event::AppShelved { app }]),
            Command::Delete if category.apps.is_empty() => Ok(vec![Event::CategoryDeleted {}]),
            Command::Delete => Err(Rejection::NotEmpty {
                apps: category.apps.len(),
            }),
        }
    }

    fn evolve(state: Self::State, event: &Event, _: Stamp) -> Self::State {
        if let Event::CategoryCreated { name, icon } = event {
            return Some(Self {
                name: name.clone(),
                icon: icon.clone(),
                apps: BTreeSet::new(),
                deleted: false,
            });
        }
        let mut category = state?;
        match event {
            Event::CategoryCreated { .. } => {}
            Event::CategoryEdited { name, icon } => {
                category.name = name.clone();
                category.icon = icon.clone();
            }
            Event::AppShelved { app } => {
                category.apps.insert(*app);
            }
            Event::AppUnshelved { app } => {
                category.apps.remove(app);
            }
            Event::CategoryDeleted {} => category.deleted = true,
        }
        Some(category)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::spec::given;

    fn name(text: &str) -> CategoryName {
        text.parse().unwrap()
    }

    fn icon() -> IconName {
        "database".parse().unwrap()
    }

    fn created() -> Event {
        Event::CategoryCreated {
            name: name("Databases"),
            icon: icon(),
        }
    }

    fn app() -> AppId {
        AppId::from_uuid(Uuid::from_u128(3))
    }

    #[test]
    fn a_category_is_created_once() {
        let create = || Command::Create {
            name: name("Databases"),
            icon: icon(),
        };
        given::<Category>([]).when(create()).then([created()]);
        given::<Category>([created()])
            .when(create())
            .then_rejected(&Rejection::Exists);
    }

    #[test]
    fn a_category_with_apps_is_not_deleted() {
        given::<Category>([created(), Event::AppShelved { app: app() }])
            .when(Command::Delete)
            .then_rejected(&Rejection::NotEmpty { apps: 1 });
        given::<Category>([
            created(),
            Event::AppShelved { app: app() },
            Event::AppUnshelved { app: app() },
        ])
        .when(Command::Delete)
        .then([Event::CategoryDeleted {}]);
    }

    #[test]
    fn a_deleted_category_takes_no_app_and_no_edit() {
        let deleted = || given::<Category>([created(), Event::CategoryDeleted {}]);
        deleted()
            .when(Command::Shelve { app: app() })
            .then_rejected(&Rejection::NotFound);
        deleted()
            .when(Command::Edit {
                name: name("Caches"),
                icon: icon(),
            })
            .then_rejected(&Rejection::NotFound);
        deleted().when(Command::Delete).then([]);
    }

    #[test]
    fn doing_what_is_already_so_records_nothing() {
        let shelved = || given::<Category>([created(), Event::AppShelved { app: app() }]);
        shelved().when(Command::Shelve { app: app() }).then([]);
        shelved()
            .when(Command::Edit {
                name: name("Databases"),
                icon: icon(),
            })
            .then([]);
        given::<Category>([created()])
            .when(Command::Unshelve { app: app() })
            .then([]);
    }

    #[test]
    fn a_category_that_never_was_is_not_found() {
        given::<Category>([])
            .when(Command::Delete)
            .then_rejected(&Rejection::NotFound);
    }
}
