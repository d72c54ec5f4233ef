//! Who worked on something.

use serde::{Deserialize, Serialize};

use crate::ids::AccountId;

/// Accounts, each once and in order. Most often it is one, of every version of every app: a list takes a tenth of the
/// memory of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Contributors(Vec<AccountId>);

impl Contributors {
    #[must_use]
    pub fn contains(&self, account: AccountId) -> bool {
        self.0.binary_search(&account).is_ok()
    }

    pub fn iter(&self) -> impl Iterator<Item = AccountId> {
        self.0.iter().copied()
    }
}

impl Extend<AccountId> for Contributors {
    fn extend<T: IntoIterator<Item = AccountId>>(&mut self, accounts: T) {
        for account in accounts {
            if let Err(place) = self.0.binary_search(&account) {
                self.0.reserve_exact(1);
                self.0.insert(place, account);
            }
        }
    }
}

impl FromIterator<AccountId> for Contributors {
    fn from_iter<T: IntoIterator<Item = AccountId>>(accounts: T) -> Self {
        let mut contributors = Self::default();
        contributors.extend(accounts);
        contributors
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    proptest! {
        #[test]
        fn contributors_are_a_set_and_written_like_one(numbers in proptest::collection::vec(0..6_u128, 0..12)) {
            let account = |n| AccountId::from_uuid(Uuid::from_u128(n));
            let accounts: Vec<_> = numbers.into_iter().map(account).collect();
            let set: BTreeSet<_> = accounts.iter().copied().collect();
            let contributors: Contributors = accounts.into_iter().collect();
            prop_assert!((0..6).map(account).all(|it| contributors.contains(it) == set.contains(&it)));
            prop_assert!(contributors.iter().eq(set.iter().copied()));
            let written = serde_json::to_string(&contributors).unwrap();
            prop_assert_eq!(&written, &serde_json::to_string(&set).unwrap());
            prop_assert_eq!(serde_json::from_str::<Contributors>(&written).unwrap(), contributors);
        }
    }
}
