//! Accounts: what has to be there before the store can be used.

use domain::{
    access::Place,
    account::{Account, Command as DoAccount, Scope},
    ids::AccountId,
    name::Claim,
    names::{AccountName, RoleName},
    permission::Permission,
};
use serde::Serialize;

use super::{
    Command, CommandError, Target, Work,
    credentials::set_password,
    roles::{authorize_gift, give},
    work::holder,
};
use crate::{auth::passwords::NewPassword, ids};

#[derive(Debug, Serialize)]
pub struct CreateAccount {
    pub name: AccountName,
    /// Granted at once, on the platform.
    pub role: Option<RoleName>,
    /// Its first password. What a repeated command says of it does not matter.
    #[serde(skip)]
    pub password: Option<NewPassword>,
}

impl Command for CreateAccount {
    const NAME: &'static str = "CreateAccount";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::AccountManage, Place::Platform)?;
        let id = AccountId::from_uuid(ids::fresh());
        let name = work.seal(&holder::<Account>(id), self.name.as_str()).await?;
        work.decide::<Account>(id, DoAccount::Create { name }).await?;
        if let Some(role) = &self.role {
            authorize_gift(work, role, Scope::Platform {}, Some(id)).await?;
            give(work, id, role, Scope::Platform {}).await?;
        }
        if let Some(password) = &self.password {
            password.suits(&self.name)?;
            set_password(work, id, password, None, None).await?;
        }
        let claim = Claim::Account(work.commands.key.of_account_name(&self.name));
        work.take_name(&claim, &holder::<Account>(id)).await?;
        Ok(Target::Account(id))
    }
}
