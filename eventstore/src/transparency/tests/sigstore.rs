//! The verifier of Sigstore. It hashes with whatever it is given.

use sha2::{Digest, Sha256};
use sigstore_crypto::{CryptoProvider, Error, HashContext, SigningScheme};
use sigstore_types::HashAlgorithm;

use super::Hash;

#[derive(Debug)]
struct Hashes;

struct Context(Sha256);

impl HashContext for Context {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self: Box<Self>) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}

impl CryptoProvider for Hashes {
    fn hash(&self, algorithm: HashAlgorithm) -> Result<Box<dyn HashContext>, Error> {
        assert_eq!(algorithm, HashAlgorithm::Sha2256);
        Ok(Box::new(Context(Sha256::new())))
    }

    fn verify_raw(&self, _: SigningScheme, _: &[u8], _: &[u8], _: &[u8]) -> Result<(), Error> {
        Err(Error::UnsupportedAlgorithm(
            "there are no signatures in a tree".to_owned(),
        ))
    }

    fn verify_prehashed(&self, _: SigningScheme, _: &[u8], _: &[u8], _: &[u8]) -> Result<(), Error> {
        Err(Error::UnsupportedAlgorithm(
            "there are no signatures in a tree".to_owned(),
        ))
    }
}

pub(super) fn leaf_hash(leaf: &[u8]) -> Hash {
    install();
    *sigstore_merkle::hash_leaf(leaf).as_bytes()
}

pub(super) fn verify_inclusion(hash: Hash, index: u64, size: u64, proof: &[Hash], root: Hash) {
    install();
    let proof: Vec<_> = proof.iter().map(|hash| (*hash).into()).collect();
    sigstore_merkle::verify_inclusion_proof(&hash.into(), index, size, &proof, &root.into()).unwrap();
}

pub(super) fn verify_consistency((old, old_root): (u64, Hash), (size, root): (u64, Hash), proof: &[Hash]) {
    install();
    let proof: Vec<_> = proof.iter().map(|hash| (*hash).into()).collect();
    sigstore_merkle::verify_consistency_proof(old, size, &proof, &old_root.into(), &root.into()).unwrap();
}

fn install() {
    // Once is enough, and it is an error to do it twice.
    let _ = sigstore_crypto::install_default_provider(&Hashes);
}
