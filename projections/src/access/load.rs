//! How what is in memory comes from the view file: all of it, or what a batch touched.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    sync::Arc,
};

use domain::{
    access::{Principal, Roles},
    account::{Account, Scope},
    decider::Decider,
    event::DomainEvent,
    ids::AccountId,
    names::RoleName,
    project,
    role::{BuiltInRole, Role, RoleKey},
    session, workspace,
};
use rusqlite::Connection;

use super::{Access, Defined, Holder, Key, Opening};
use crate::{accounts, error::ViewError, fact::Fact, sessions, tenancy, tokens};

/// A batch that touches more accounts than this reads all of them at once.
const READ_ONE_BY_ONE_MAX: usize = 64;

/// What the view file says of some accounts.
struct Rows {
    accounts: Vec<accounts::Standing>,
    grants: Vec<accounts::Granted>,
    tokens: Vec<tokens::Token>,
    sessions: Vec<sessions::Session>,
}

/// What has to be read again after a batch.
enum Touched {
    /// What a role means changed, and with it what anybody may.
    All,
    Accounts(BTreeSet<AccountId>),
}

impl Access {
    pub(crate) fn load(conn: &Connection) -> Result<Self, ViewError> {
        let mut access = Self {
            defined: Arc::new(Defined::load(conn)?),
            ..Self::default()
        };
        access.take(Rows {
            accounts: accounts::standings(conn)?,
            grants: accounts::all_grants(conn)?,
            tokens: tokens::unrevoked(conn)?,
            sessions: sessions::all(conn)?,
        });
        Ok(access)
    }

    /// The moment after a batch, which the view file shows already; `None` if it changed nothing here.
    pub(crate) fn after(&self, facts: &[Fact], conn: &Connection) -> Result<Option<Self>, ViewError> {
        let touched = match self.touched(facts)? {
            Touched::Accounts(touched) if touched.is_empty() => return Ok(None),
            Touched::Accounts(touched) if touched.len() <= READ_ONE_BY_ONE_MAX => touched,
            Touched::Accounts(_) | Touched::All => return Self::load(conn).map(Some),
        };
        let mut access = self.clone();
        for account in touched {
            access.forget(account);
            access.take(Rows {
                accounts: accounts::standing(conn, account)?.into_iter().collect(),
                grants: accounts::grants(conn, account)?,
                tokens: tokens::unrevoked_of(conn, account)?,
                sessions: sessions::of(conn, account)?,
            });
        }
        Ok(Some(access))
    }

    fn touched(&self, facts: &[Fact]) -> Result<Touched, ViewError> {
        let mut accounts = BTreeSet::new();
        for fact in facts {
            match &fact.event {
                DomainEvent::Account(_) => {
                    accounts.insert(fact.subject()?);
                }
                DomainEvent::Session(session::Event::SessionOpened { account, .. }) => {
                    accounts.insert(*account);
                }
                DomainEvent::Session(session::Event::SessionClosed {}) => {
                    let key = Key::Session(fact.subject()?);
                    accounts.extend(self.keys.get(&key).copied());
                }
                DomainEvent::Role(_)
                | DomainEvent::Project(project::Event::ProjectCreated { .. })
                | DomainEvent::Workspace(workspace::Event::WorkspaceClosed {}) => return Ok(Touched::All),
                DomainEvent::App(_)
                | DomainEvent::Category(_)
                | DomainEvent::Cluster(_)
                | DomainEvent::Export(_)
                | DomainEvent::Content(_)
                | DomainEvent::Health(_)
                | DomainEvent::Invitation(_)
                | DomainEvent::Log(_)
                | DomainEvent::Name(_)
                | DomainEvent::Policy(_)
                | DomainEvent::Project(_)
                | DomainEvent::Refusal(_)
                | DomainEvent::Release(_)
                | DomainEvent::Workspace(_) => {}
            }
        }
        Ok(Touched::Accounts(accounts))
    }

    fn forget(&mut self, account: AccountId) {
        let Some(holder) = self.holders.get(&account).map(Arc::clone) else {
            return;
        };
        for opening in &holder.openings {
            self.secrets.remove_mut(&opening.secret);
            self.keys.remove_mut(&opening.key);
        }
        self.holders.remove_mut(&account);
    }

    fn take(&mut self, rows: Rows) {
        let mut grants = grouped(rows.grants.into_iter().map(|it| (it.account, (it.role, it.scope))));
        let tokens = rows.tokens.into_iter().map(|token| (token.account, token.into()));
        let sessions = rows
            .sessions
            .into_iter()
            .map(|session| (session.account, session.into()));
        let mut openings: HashMap<_, Vec<Opening>> = grouped(tokens.chain(sessions));
        for accounts::Standing { id, revision, is_shut } in rows.accounts {
            let openings = openings.remove(&id).unwrap_or_default();
            for opening in &openings {
                self.secrets.insert_mut(opening.secret, opening.key);
                self.keys.insert_mut(opening.key, id);
            }
            let mut granted = grants.remove(&id).unwrap_or_default();
            granted.sort_unstable();
            let holder = Holder {
                relied_on: self.defined.relied_on(id, revision, &granted),
                principal: (!is_shut).then(|| Arc::new(Principal::resolve(id, granted, &self.defined.roles))),
                openings,
            };
            self.holders.insert_mut(id, Arc::new(holder));
        }
    }
}

impl From<tokens::Token> for Opening {
    fn from(token: tokens::Token) -> Self {
        Self {
            key: Key::Token(token.id),
            secret: token.secret,
            expires: token.expires,
            permissions: token.permissions,
        }
    }
}

impl From<sessions::Session> for Opening {
    fn from(session: sessions::Session) -> Self {
        Self {
            key: Key::Session(session.id),
            secret: session.secret,
            expires: Some(session.expires),
            permissions: None,
        }
    }
}

impl Defined {
    fn load(conn: &Connection) -> rusqlite::Result<Self> {
        let defined = accounts::all_roles(conn)?;
        Ok(Self {
            revisions: defined.iter().map(|role| (role.key.clone(), role.revision)).collect(),
            roles: Roles {
                custom: defined.into_iter().map(|role| (role.key, role.permissions)).collect(),
                workspaces: tenancy::project_workspaces(conn)?.into_iter().collect(),
                closed: tenancy::closed_workspaces(conn)?.into_iter().collect(),
            },
        })
    }

    /// A custom role that nobody defined yet is relied on too: it is at revision 0 until somebody does.
    fn relied_on(&self, account: AccountId, revision: u64, granted: &[(RoleName, Scope)]) -> Vec<(String, u64)> {
        let custom = granted.iter().filter(|(role, _)| BuiltInRole::named(role).is_none());
        let custom: BTreeSet<RoleKey> = custom
            .filter_map(|(role, scope)| self.roles.key(role, *scope))
            .collect();
        let roles = custom.into_iter().map(|role| {
            let revision = self.revisions.get(&role).copied().unwrap_or_default();
            (format!("{}-{}", Role::CATEGORY, role.stream_key()), revision)
        });
        let own = (format!("{}-{account}", Account::CATEGORY), revision);
        std::iter::once(own).chain(roles).collect()
    }
}

fn grouped<K: Eq + Hash, V>(rows: impl Iterator<Item = (K, V)>) -> HashMap<K, Vec<V>> {
    let mut groups: HashMap<K, Vec<V>> = HashMap::new();
    for (key, row) in rows {
        groups.entry(key).or_default().push(row);
    }
    groups
}
