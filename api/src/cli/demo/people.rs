//! The four people of the story, and what they are given before it begins.

use std::error::Error;

use super::person::Person;
use crate::{
    admin::{AdminAnswer, AdminPlace, AdminRequest, NewToken, ask},
    config::DataFolder,
};

const WORKSPACE: &str = "demo-workspace";
const PROJECT: &str = "demo-project";

pub struct People {
    pub admin: Person,
    pub isv: Person,
    pub reviewer: Person,
    pub user: Person,
    /// The global ids of where they work.
    pub workspace: String,
    pub project: String,
}

impl People {
    /// Does what an administrator does with `charthouse admin`, by the same way.
    pub async fn sign_up(data: &DataFolder, url: &str) -> Result<Self, Box<dyn Error>> {
        let admin = Administrator { data };
        let workspace = admin
            .created(AdminRequest::CreateWorkspace {
                name: WORKSPACE.parse()?,
            })
            .await?;
        let project = admin
            .created(AdminRequest::CreateProject {
                workspace: WORKSPACE.parse()?,
                name: PROJECT.parse()?,
                cluster: None,
                namespace: None,
            })
            .await?;
        let permissions = ["app-store-management", "app-store-view"].map(str::to_owned).to_vec();
        admin
            .carry_out(AdminRequest::DefineRole {
                role: "app-review".parse()?,
                permissions,
            })
            .await?;

        let in_workspace = || Ok::<_, Box<dyn Error>>(AdminPlace::Workspace(WORKSPACE.parse()?));
        let in_project = || Ok::<_, Box<dyn Error>>(AdminPlace::Project(WORKSPACE.parse()?, PROJECT.parse()?));
        let platform = || AdminPlace::Platform;
        Ok(Self {
            admin: admin.person(url, "admin", &[("platform-admin", platform())]).await?,
            isv: admin
                .person(
                    url,
                    "isv",
                    &[("platform-regular", platform()), ("workspace-admin", in_workspace()?)],
                )
                .await?,
            reviewer: admin.person(url, "reviewer", &[("app-review", platform())]).await?,
            user: admin
                .person(
                    url,
                    "project-regular",
                    &[("platform-regular", platform()), ("project-regular", in_project()?)],
                )
                .await?,
            workspace,
            project,
        })
    }
}

struct Administrator<'a> {
    data: &'a DataFolder,
}

impl Administrator<'_> {
    async fn person(
        &self,
        url: &str,
        name: &'static str,
        roles: &[(&str, AdminPlace)],
    ) -> Result<Person, Box<dyn Error>> {
        self.carry_out(AdminRequest::CreateAccount {
            name: name.parse()?,
            role: None,
        })
        .await?;
        for (role, place) in roles {
            let grant = AdminRequest::GrantRole {
                account: name.parse()?,
                role: role.parse()?,
                place: place.clone(),
            };
            self.carry_out(grant).await?;
        }
        let answer = self
            .carry_out(AdminRequest::CreateToken(NewToken {
                account: name.parse()?,
                name: None,
                permissions: None,
                lifetime: None,
            }))
            .await?;
        Ok(Person::new(name, answer.token.ok_or("the answer has no token")?, url))
    }

    async fn created(&self, request: AdminRequest) -> Result<String, Box<dyn Error>> {
        Ok(self.carry_out(request).await?.id.ok_or("the answer has no id")?)
    }

    async fn carry_out(&self, request: AdminRequest) -> Result<AdminAnswer, Box<dyn Error>> {
        let answer = ask(&self.data.admin_socket(), &request)
            .await?
            .ok_or("the server has no admin socket")?;
        Ok(answer?)
    }
}
