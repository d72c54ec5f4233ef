//! What is kept in memory, event by event, is what the view file says.

use domain::{
    account::{Event, Scope},
    ids::{SessionId, TokenId},
    permission::Permission,
    project, role,
    session::{self, Method},
    workspace as ws,
};
use proptest::{prelude::*, sample};
use uuid::Uuid;

use super::world::*;
use crate::access::Access;

const ACCOUNTS: u128 = 3;

/// Something that changes who may do what.
#[derive(Debug, Clone, Copy)]
enum Step {
    Granted(&'static str, Scope),
    Revoked(&'static str, Scope),
    TokenIssued(Option<Permission>),
    /// Of those that were issued, the one at this place.
    TokenRevoked(sample::Index),
    PasswordSet,
    Blocked,
    Unblocked,
    Erased,
    SessionOpened,
    SessionClosed(sample::Index),
    RoleDefined(Permission),
    RoleRetired,
    ProjectCreated,
    WorkspaceClosed,
}

fn scopes() -> impl Strategy<Value = Scope> {
    let (workspace, project) = (workspace(1), project(7));
    sample::select(vec![
        Scope::Platform {},
        Scope::Workspace { workspace },
        Scope::Project { project },
    ])
}

fn roles() -> impl Strategy<Value = &'static str> {
    sample::select(vec!["app-review", "workspace-admin", "platform-regular"])
}

fn steps() -> impl Strategy<Value = Vec<(u128, Step)>> {
    let index = any::<sample::Index>;
    let permission = || sample::select(vec![Permission::ReviewView, Permission::StoreView]);
    let step = prop_oneof![
        3 => (roles(), scopes()).prop_map(|(role, scope)| Step::Granted(role, scope)),
        1 => (roles(), scopes()).prop_map(|(role, scope)| Step::Revoked(role, scope)),
        3 => proptest::option::of(permission()).prop_map(Step::TokenIssued),
        1 => index().prop_map(Step::TokenRevoked),
        1 => Just(Step::PasswordSet),
        1 => Just(Step::Blocked),
        1 => Just(Step::Unblocked),
        1 => Just(Step::Erased),
        3 => Just(Step::SessionOpened),
        1 => index().prop_map(Step::SessionClosed),
        1 => permission().prop_map(Step::RoleDefined),
        1 => Just(Step::RoleRetired),
        1 => Just(Step::ProjectCreated),
        1 => Just(Step::WorkspaceClosed),
    ];
    proptest::collection::vec((1..=ACCOUNTS, step), 1..40)
}

/// What was given out so far, with whom it was given to.
#[derive(Default)]
struct Given {
    tokens: Vec<(u128, u8)>,
    sessions: Vec<(u128, u8)>,
}

impl Given {
    /// A secret that nobody else has.
    fn next(&self) -> u8 {
        u8::try_from(self.tokens.len() + self.sessions.len() + 1).unwrap()
    }
}

fn token(n: u8) -> TokenId {
    TokenId::from_uuid(Uuid::from_u128(n.into()))
}

fn chosen(given: &[(u128, u8)], index: sample::Index) -> Option<(u128, u8)> {
    (!given.is_empty()).then(|| *index.get(given))
}

async fn happens(world: &mut World, given: &mut Given, of: u128, step: Step) {
    let (name, workspace) = ("app-review".parse().unwrap(), None);
    match step {
        Step::Granted(role, scope) => {
            let role = role.parse().unwrap();
            world.account(of, Event::RoleGranted { role, scope }).await;
        }
        Step::Revoked(role, scope) => {
            let role = role.parse().unwrap();
            world.account(of, Event::RoleRevoked { role, scope }).await;
        }
        Step::TokenIssued(only) => {
            let n = given.next();
            let issued = Event::TokenIssued {
                token: token(n),
                secret: digest(n),
                name: None,
                permissions: only.map(|permission| [permission].into()),
                expires: None,
            };
            given.tokens.push((of, n));
            world.account(of, issued).await;
        }
        Step::TokenRevoked(index) => {
            if let Some((of, n)) = chosen(&given.tokens, index) {
                world.account(of, Event::TokenRevoked { token: token(n) }).await;
            }
        }
        Step::PasswordSet => {
            let set = Event::PasswordSet {
                password: sealed(1),
                keeps: None,
            };
            world.account(of, set).await;
        }
        Step::Blocked => {
            world.account(of, Event::AccountBlocked {}).await;
        }
        Step::Unblocked => {
            world.account(of, Event::AccountUnblocked {}).await;
        }
        Step::Erased => {
            let subject = format!("account-{}", account(of));
            world.account(of, Event::SubjectErased { subject }).await;
        }
        Step::SessionOpened => {
            let n = given.next();
            let opened = session::Event::SessionOpened {
                account: account(of),
                secret: digest(n),
                method: Method::Password,
                // Some are over when their account signs in again.
                expires: at(i64::try_from(world.size).unwrap() + 5),
            };
            given.sessions.push((of, n));
            world.record(of, &session_stream(n), &opened).await;
        }
        Step::SessionClosed(index) => {
            if let Some((of, n)) = chosen(&given.sessions, index) {
                let closed = session::Event::SessionClosed {};
                world.record(of, &session_stream(n), &closed).await;
            }
        }
        Step::RoleDefined(permission) => {
            let defined = role::Event::RoleDefined {
                role: name,
                workspace,
                permissions: [permission].into(),
            };
            world.record(AUTHOR, "role-app-review", &defined).await;
        }
        Step::RoleRetired => {
            let retired = role::Event::RoleRetired { role: name, workspace };
            world.record(AUTHOR, "role-app-review", &retired).await;
        }
        Step::ProjectCreated => {
            let created = project::Event::ProjectCreated {
                workspace: super::world::workspace(1),
                name: "web".parse().unwrap(),
                cluster: cluster(5),
                namespace: "shop-web".parse().unwrap(),
            };
            let stream = format!("project-{}", project(7));
            world.record(AUTHOR, &stream, &created).await;
        }
        Step::WorkspaceClosed => {
            let stream = format!("workspace-{}", super::world::workspace(1));
            world.record(AUTHOR, &stream, &ws::Event::WorkspaceClosed {}).await;
        }
    }
}

fn session_stream(n: u8) -> String {
    format!("session-{}", SessionId::from_uuid(Uuid::from_u128(n.into())))
}

async fn check(steps: Vec<(u128, Step)>) {
    let mut world = World::new().await;
    world.one_by_one = true;
    for n in 1..=ACCOUNTS {
        world.account(n, Event::AccountCreated { name: sealed(1) }).await;
    }
    let created = ws::Event::WorkspaceCreated {
        name: "shop".parse().unwrap(),
    };
    let stream = format!("workspace-{}", workspace(1));
    world.record(AUTHOR, &stream, &created).await;
    let mut given = Given::default();
    for (of, step) in steps {
        let said = format!("{step:?} of {of}");
        happens(&mut world, &mut given, of, step).await;
        let loaded = world.ask(Access::load).await;
        assert_eq!(*world.views.access(), loaded, "after {said}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_kept_of_rights_event_by_event_is_what_the_view_file_says(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(check(steps));
    }
}
