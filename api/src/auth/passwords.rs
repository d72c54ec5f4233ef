//! Passwords: which are good enough, how they are hashed, and whether one is right.
//!
//! The rules are those of NIST SP 800-63B: long enough, not what anybody would try first, no rules about signs, no end by
//! time. The hash is argon2id with the parameters that OWASP recommends, and lies in the vault, never in the log.

use std::{fmt, sync::Arc};

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version, password_hash};
use domain::names::AccountName;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;
use zxcvbn::{Score, zxcvbn};

use super::new_secret;

const CHARACTERS_MIN: usize = 12;
const CHARACTERS_MAX: usize = 128;
/// Shorter names are in many good passwords by chance.
const NAME_CHARACTERS_MIN: usize = 4;
/// The least that counts as safe from somebody who has the hash: more than 10^8 guesses.
const SCORE_MIN: Score = Score::Three;
/// Hashes under way at once; each takes 19 MiB and a processor.
const HASHES_MAX: usize = 4;
/// Argon2id: 19 MiB, twice over, in one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Why a password is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    #[error("the password has {found} characters; {CHARACTERS_MIN} to {CHARACTERS_MAX} are allowed")]
    Length { found: usize },
    #[error("the password holds the account's name")]
    HoldsName,
    #[error("the password is found in about 10^{} guesses, and 10^8 are asked for{hint}", .guesses.ilog10())]
    Common { guesses: u64, hint: String },
}

impl WeakPassword {
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Length { .. } => "PASSWORD_LENGTH",
            Self::HoldsName => "PASSWORD_HOLDS_NAME",
            Self::Common { .. } => "PASSWORD_COMMON",
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum HashFailed {
    #[error("the password could not be hashed")]
    Hash(#[from] password_hash::Error),
    #[error("argon2 does not take its parameters")]
    Parameters(#[source] argon2::Error),
    #[error("the system has no random numbers")]
    Random(#[from] getrandom::Error),
    #[error("the server is stopping")]
    Stopping,
}

/// Why there is no new password.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("{0}")]
    Weak(WeakPassword),
    #[error("the password could not be hashed")]
    Failed(#[from] HashFailed),
}

/// A password that is good enough, as far as can be said without knowing whose it is, with its hash.
pub struct NewPassword {
    text: Zeroizing<String>,
    hash: Zeroizing<String>,
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

impl NewPassword {
    /// # Errors
    ///
    /// [`WeakPassword::HoldsName`] if it is not good enough for whoever is called `name`.
    pub fn suits(&self, name: &AccountName) -> Result<(), WeakPassword> {
        let name = name.as_str().to_lowercase();
        match name.chars().count() >= NAME_CHARACTERS_MIN && self.text.to_lowercase().contains(&name) {
            true => Err(WeakPassword::HoldsName),
            false => Ok(()),
        }
    }

    /// What the vault keeps of it.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

/// Hashes a few passwords at once, and lets the others wait.
pub struct Passwords {
    places: Arc<Semaphore>,
    /// The hash of a password that nobody has: whoever has none is looked at as long as anybody.
    nobodys: Zeroizing<String>,
}

impl Passwords {
    /// # Errors
    ///
    /// [`HashFailed`] if passwords cannot be hashed here.
    pub fn new() -> Result<Self, HashFailed> {
        Ok(Self {
            places: Arc::new(Semaphore::new(HASHES_MAX)),
            nobodys: hash(&new_secret()?)?,
        })
    }

    /// Checks and hashes what is to be a password.
    ///
    /// # Errors
    ///
    /// [`PasswordError::Weak`] names the rule that it breaks.
    pub async fn prepare(&self, text: Zeroizing<String>) -> Result<NewPassword, PasswordError> {
        length(&text).map_err(PasswordError::Weak)?;
        let prepared = self.run(move || {
            uncommon(&text).map_err(PasswordError::Weak)?;
            let hash = hash(&text)?;
            Ok(NewPassword { text, hash })
        });
        prepared.await?
    }

    /// Whether `text` is the password whose hash this is. It takes as long if there is none.
    ///
    /// # Errors
    ///
    /// [`HashFailed`] if it cannot be said.
    pub async fn is_right(&self, text: Zeroizing<String>, hash: Option<Zeroizing<String>>) -> Result<bool, HashFailed> {
        let is_somebodys = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobodys.clone());
        let is_right =
            self.run(move || argon2().map(|argon2| argon2.verify_password(text.as_bytes(), &**hash).is_ok()));
        Ok(is_right.await?? && is_somebodys)
    }

    /// Runs `work` where it may take a processor for long. Whoever stops waiting does not make room by that.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, HashFailed> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| HashFailed::Stopping)?;
        let done = tokio::task::spawn_blocking(move || {
            let _until_it_is_done = place;
            work()
        });
        done.await.map_err(|_| HashFailed::Stopping)
    }
}

fn length(text: &str) -> Result<(), WeakPassword> {
    let found = text.chars().count();
    match (CHARACTERS_MIN..=CHARACTERS_MAX).contains(&found) {
        true => Ok(()),
        false => Err(WeakPassword::Length { found }),
    }
}

/// Refuses what somebody would try first: words, names, dates, rows of keys, and what is much used.
fn uncommon(text: &str) -> Result<(), WeakPassword> {
    let estimate = zxcvbn(text, &["charthouse", "helm", "kubernetes"]);
    if estimate.score() >= SCORE_MIN {
        return Ok(());
    }
    let warning = estimate.feedback().and_then(zxcvbn::feedback::Feedback::warning);
    let hint = warning.map_or_else(String::new, |warning| format!(": {warning}"));
    Err(WeakPassword::Common {
        guesses: estimate.guesses().max(1),
        hint: hint.trim_end_matches('.').to_owned(),
    })
}

fn argon2() -> Result<Argon2<'static>, HashFailed> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(HashFailed::Parameters)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(text: &str) -> Result<Zeroizing<String>, HashFailed> {
    let hash = argon2()?.hash_password(text.as_bytes())?;
    Ok(Zeroizing::new(hash.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "seven herons over grey water";

    fn text(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    async fn weakness(password: &str) -> Option<WeakPassword> {
        match Passwords::new().unwrap().prepare(text(password)).await {
            Ok(_) => None,
            Err(PasswordError::Weak(weak)) => Some(weak),
            Err(PasswordError::Failed(failed)) => panic!("{failed}"),
        }
    }

    #[tokio::test]
    async fn a_password_has_12_to_128_characters() {
        let of = |count| "x7Q".repeat(43).chars().take(count).collect::<String>();
        assert_eq!(weakness(&of(11)).await, Some(WeakPassword::Length { found: 11 }));
        assert_eq!(weakness(&of(129)).await, Some(WeakPassword::Length { found: 129 }));
        assert_eq!(weakness(GOOD).await, None);
        // Characters are counted, not bytes.
        assert_eq!(
            weakness(&"é".repeat(11)).await,
            Some(WeakPassword::Length { found: 11 })
        );
    }

    #[tokio::test]
    async fn what_anybody_would_try_first_is_refused() {
        for common in [
            "password1234",
            "qwertyuiop12",
            "charthouse123",
            "aaaaaaaaaaaaaaaa",
            "123456789012",
        ] {
            let weak = weakness(common).await;
            assert!(matches!(weak, Some(WeakPassword::Common { .. })), "{common}: {weak:?}");
        }
    }

    #[tokio::test]
    async fn a_password_that_holds_its_owners_name_is_refused() {
        let passwords = Passwords::new().unwrap();
        let password = passwords.prepare(text("grey Heron-Admin over water")).await.unwrap();
        assert_eq!(
            password.suits(&"heron-admin".parse().unwrap()),
            Err(WeakPassword::HoldsName)
        );
        assert_eq!(password.suits(&"ada".parse().unwrap()), Ok(()));
        assert_eq!(password.suits(&"grace".parse().unwrap()), Ok(()));
    }

    #[tokio::test]
    async fn the_hash_is_argon2id_with_the_recommended_parameters_and_its_own_salt() {
        let passwords = Passwords::new().unwrap();
        let one = passwords.prepare(text(GOOD)).await.unwrap();
        let other = passwords.prepare(text(GOOD)).await.unwrap();
        assert!(
            one.hash().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            one.hash()
        );
        assert_ne!(one.hash(), other.hash());
    }

    #[tokio::test]
    async fn only_the_password_itself_is_right_and_nothing_is_for_whoever_has_none() {
        let passwords = Passwords::new().unwrap();
        let hash = || Some(text(hash(GOOD).unwrap().as_str()));
        assert!(passwords.is_right(text(GOOD), hash()).await.unwrap());
        assert!(
            !passwords
                .is_right(text("seven herons over gray water"), hash())
                .await
                .unwrap()
        );
        assert!(!passwords.is_right(text(GOOD), None).await.unwrap());
        assert!(!passwords.is_right(text(""), None).await.unwrap());
    }
}
