use eventstore::{Digest, Keyring, MasterKey, Sealed, Vault, VaultError};
use futures_util::future::join_all;

use crate::fixture::{Log, note};

pub(crate) async fn vault(log: &Log) -> Vault {
    Vault::open(&log.store, key("0f")).await.unwrap()
}

fn key(digits: &str) -> MasterKey {
    MasterKey::from_hex(&digits.repeat(32)).unwrap()
}

pub(crate) async fn what_is_sealed_can_be_unsealed(log: &Log) {
    let vault = vault(log).await;
    let sealed = vault.seal("account-1", b"the icon is blurred").await.unwrap();
    assert_eq!(&**vault.unseal(&sealed).await.unwrap().unwrap(), b"the icon is blurred");
    let again = vault.seal("account-1", b"the icon is blurred").await.unwrap();
    assert_ne!(again.digest, sealed.digest, "equal texts must not be seen to be equal");
}

pub(crate) async fn a_sealed_text_opens_for_its_subject_only(log: &Log) {
    let vault = vault(log).await;
    let sealed = vault.seal("account-1", b"secret").await.unwrap();
    vault.seal("account-2", b"other").await.unwrap();
    let stolen = Sealed {
        subject: "account-2".to_owned(),
        ..sealed
    };
    assert!(matches!(vault.unseal(&stolen).await, Err(VaultError::Corrupt(subject)) if subject == "account-2"));
}

pub(crate) async fn an_entry_that_was_never_made_is_missing(log: &Log) {
    let vault = vault(log).await;
    vault.seal("account-1", b"secret").await.unwrap();
    for subject in ["account-1", "account-2"] {
        let unknown = Sealed {
            subject: subject.to_owned(),
            digest: Digest::of(b"never"),
        };
        assert!(matches!(vault.unseal(&unknown).await, Err(VaultError::Missing(digest)) if digest == unknown.digest));
    }
}

pub(crate) async fn many_are_unsealed_in_the_order_they_are_asked_for(log: &Log) {
    let vault = vault(log).await;
    let mut sealed = vec![];
    for n in 0..30_u8 {
        let subject = format!("account-{}", n % 3);
        sealed.push(vault.seal(&subject, &[n]).await.unwrap());
    }
    sealed.reverse();
    sealed.push(sealed[0].clone());
    let opened = vault.unseal_all(&sealed).await.unwrap();
    let opened: Vec<_> = opened.iter().map(|opened| opened.as_ref().unwrap()[0]).collect();
    let expected: Vec<_> = (0..30).rev().chain([29]).collect();
    assert_eq!(opened, expected);
    assert!(vault.unseal_all(&[]).await.unwrap().is_empty());

    sealed[7].digest = Digest::of(b"never");
    assert!(matches!(vault.unseal_all(&sealed).await, Err(VaultError::Missing(digest)) if digest == sealed[7].digest));
}

pub(crate) async fn first_seals_at_once_share_one_key(log: &Log) {
    let vault = vault(log).await;
    let sealed = join_all((0..20_u8).map(|text| {
        let vault = vault.clone();
        async move { vault.seal("account-1", &[text]).await.unwrap() }
    }));
    for (text, sealed) in (0..20_u8).zip(sealed.await) {
        assert_eq!(&**vault.unseal(&sealed).await.unwrap().unwrap(), [text]);
    }
}

pub(crate) async fn another_master_key_is_refused(log: &Log) {
    let vault = vault(log).await;
    assert!(
        Vault::open(&log.store, key("aa")).await.is_ok(),
        "an empty vault has no master key yet"
    );
    vault.seal("account-1", b"secret").await.unwrap();
    assert!(matches!(
        Vault::open(&log.store, key("aa")).await,
        Err(VaultError::OtherMasterKey)
    ));
}

pub(crate) async fn sealing_and_appending_go_on_beside_each_other(log: &Log) {
    let vault = vault(log).await;
    let names: Vec<_> = (0..50).map(|i| format!("app-{i}")).collect();
    let appends = join_all(names.iter().map(|name| log.store.append(note(name, 0))));
    let seals = join_all(names.iter().map(|name| vault.seal(name, b"secret")));
    let (appends, seals) = tokio::join!(appends, seals);
    assert!(appends.iter().all(Result::is_ok));
    assert!(seals.iter().all(Result::is_ok));
    assert_eq!(log.store.head().await.unwrap().size, 50);
}

pub(crate) async fn a_destroyed_key_leaves_nothing_to_read_and_makes_no_new_one(log: &Log) {
    let vault = vault(log).await;
    let sealed = vault.seal("account-1", b"secret").await.unwrap();
    let kept = vault.seal("account-2", b"kept").await.unwrap();
    assert!(vault.has_key("account-1").await.unwrap());
    for _ in 0..2 {
        vault.destroy("account-1").await.unwrap();
    }
    assert!(!vault.has_key("account-1").await.unwrap());
    assert!(vault.unseal(&sealed).await.unwrap().is_none());
    assert!(vault.unseal(&kept).await.unwrap().is_some());
    assert!(
        matches!(vault.seal("account-1", b"more").await, Err(VaultError::Erased(subject)) if subject == "account-1")
    );
}

pub(crate) async fn an_altered_entry_is_not_unsealed(log: &Log) {
    let vault = vault(log).await;
    let sealed = vault.seal("account-1", b"secret").await.unwrap();
    let sqlite = "UPDATE vault_entry SET ciphertext = zeroblob(60)";
    let postgres = "UPDATE vault_entry SET ciphertext = decode(repeat('00', 60), 'hex')";
    log.place.run(sqlite, postgres).await.unwrap();
    assert!(matches!(vault.unseal(&sealed).await, Err(VaultError::Corrupt(_))));
}

pub(crate) async fn a_subject_that_was_erased_before_it_had_a_key_never_gets_one(log: &Log) {
    let vault = vault(log).await;
    vault.destroy("account-1").await.unwrap();
    assert!(matches!(
        vault.seal("account-1", b"late").await,
        Err(VaultError::Erased(_))
    ));
}

fn ring(current: &str, retired: &[&str]) -> Keyring {
    Keyring {
        current: key(current),
        retired: retired.iter().map(|digits| key(digits)).collect(),
    }
}

pub(crate) async fn keys_are_brought_under_a_new_master_key(log: &Log) {
    let old = vault(log).await;
    // More than are wrapped anew in one transaction.
    let sealed = join_all((0..600).map(|i| {
        let old = old.clone();
        async move { old.seal(&format!("account-{i}"), b"secret").await.unwrap() }
    }))
    .await;
    let rotating = Vault::open(&log.store, ring("aa", &["0f"])).await.unwrap();
    assert_eq!(rotating.rewrap().await.unwrap(), 600);
    assert_eq!(rotating.rewrap().await.unwrap(), 0);
    assert!(matches!(
        Vault::open(&log.store, key("0f")).await,
        Err(VaultError::OtherMasterKey)
    ));
    let rotated = Vault::open(&log.store, key("aa")).await.unwrap();
    for sealed in &sealed {
        assert_eq!(&**rotated.unseal(sealed).await.unwrap().unwrap(), b"secret");
    }
}

pub(crate) async fn wrapping_anew_goes_on_where_it_was_broken_off(log: &Log) {
    let old = vault(log).await;
    let before = old.seal("account-1", b"old").await.unwrap();
    // As it is after a crash in the middle: some keys are under one master key, and some under the other.
    let rotating = Vault::open(&log.store, ring("aa", &["0f"])).await.unwrap();
    let after = rotating.seal("account-2", b"new").await.unwrap();
    for (sealed, text) in [(&before, b"old"), (&after, b"new")] {
        assert_eq!(&**rotating.unseal(sealed).await.unwrap().unwrap(), text);
    }
    let again = Vault::open(&log.store, ring("aa", &["0f"])).await.unwrap();
    assert_eq!(again.rewrap().await.unwrap(), 1);
    old.accept(ring("aa", &[]));
    assert_eq!(&**old.unseal(&before).await.unwrap().unwrap(), b"old");
}

pub(crate) async fn a_key_that_is_destroyed_while_it_is_wrapped_anew_stays_destroyed(log: &Log) {
    let old = vault(log).await;
    for subject in ["account-1", "account-2"] {
        old.seal(subject, b"secret").await.unwrap();
    }
    let rotating = Vault::open(&log.store, ring("aa", &["0f"])).await.unwrap();
    let (rewrapped, destroyed) = tokio::join!(rotating.rewrap(), old.destroy("account-1"));
    rewrapped.unwrap();
    destroyed.unwrap();
    assert!(!rotating.has_key("account-1").await.unwrap());
    assert!(rotating.has_key("account-2").await.unwrap());
    Vault::open(&log.store, key("aa")).await.unwrap();
}
