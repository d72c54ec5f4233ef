//! Signed texts: C2SP `signed-note` with Ed25519 keys.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

/// The signature type that the key id and the key's text begin with.
const ED25519: u8 = 0x01;
/// More than any note with a sensible number of signatures.
const NOTE_BYTES_MAX: usize = 1 << 20;
const SIGNATURES_MAX: usize = 64;
const DASH: &str = "— ";

/// A public key and the name it signs under. Its text, `name+id+base64`, is what a verifier is given to trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

/// A private key and the name it signs under.
#[derive(Clone)]
pub struct Signer {
    public: VerifierKey,
    key: SigningKey,
}

/// A text and the signatures under it, which nobody has checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct NoteSignature {
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

/// A text that is not a verifier key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a key in the form name+id+base64 of an Ed25519 public key")]
pub struct InvalidVerifierKey(String);

/// A text that is not a signed note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a signed note: {0}")]
pub struct MalformedNote(pub(super) &'static str);

/// Why a note is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UntrustedNote {
    #[error("none of the trusted keys signed it")]
    UnknownKey,
    #[error("the signature of a trusted key is wrong")]
    BadSignature,
}

impl VerifierKey {
    fn new(name: &str, key: VerifyingKey) -> Self {
        let hash = Sha256::new()
            .chain_update(name)
            .chain_update([b'\n', ED25519])
            .chain_update(key.as_bytes())
            .finalize();
        Self {
            name: name.to_owned(),
            id: [hash[0], hash[1], hash[2], hash[3]],
            key,
        }
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The 32 bytes of the Ed25519 key.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// The key id, as in signatures, in hexadecimal.
    #[must_use]
    pub fn id(&self) -> String {
        hex::encode(self.id)
    }

    /// Whether `signature` is the key's Ed25519 signature of `message`, for formats other than notes.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let signature = Signature::from_slice(signature);
        signature.is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[ED25519], self.key.as_bytes().as_slice()].concat());
        write!(f, "{}+{}+{key}", self.name, self.id())
    }
}

impl FromStr for VerifierKey {
    type Err = InvalidVerifierKey;

    fn from_str(text: &str) -> Result<Self, InvalidVerifierKey> {
        let invalid = || InvalidVerifierKey(text.to_owned());
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(invalid());
        };
        let bytes = STANDARD.decode(key).map_err(|_| invalid())?;
        let (&[ED25519], Ok(key)) = (
            bytes.first_chunk::<1>().unwrap_or(&[0]),
            bytes[1.min(bytes.len())..].try_into(),
        ) else {
            return Err(invalid());
        };
        let key = Self::new(name, VerifyingKey::from_bytes(key).map_err(|_| invalid())?);
        // This holds the id against the key, too.
        if is_name(name) && key.to_string() == text {
            Ok(key)
        } else {
            Err(invalid())
        }
    }
}

impl Signer {
    /// The key with this secret, to sign under `name`: not empty, without white space and without `+`.
    ///
    /// # Errors
    ///
    /// [`MalformedNote`] if the name is another one.
    pub fn new(name: &str, secret: &[u8; 32]) -> Result<Self, MalformedNote> {
        if !is_name(name) {
            return Err(MalformedNote("a key's name is empty, or has white space or a plus"));
        }
        let key = SigningKey::from_bytes(secret);
        let public = VerifierKey::new(name, key.verifying_key());
        Ok(Self { public, key })
    }

    /// What others check the signatures with.
    #[must_use]
    pub fn verifier_key(&self) -> &VerifierKey {
        &self.public
    }

    /// The Ed25519 signature of some bytes, for formats other than notes. They must not be those of a note's text.
    #[must_use]
    pub fn sign_bytes(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.public)
    }
}

impl Note {
    /// Signs `text`, which ends with its last line's end.
    #[must_use]
    pub fn sign(text: String, signer: &Signer) -> Self {
        let bytes = signer.sign_bytes(text.as_bytes()).to_vec();
        let VerifierKey { name, id, .. } = signer.public.clone();
        Self {
            text,
            signatures: vec![NoteSignature { name, id, bytes }],
        }
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Makes sure that one of the `trusted` keys signed the text. Signatures of others are ignored.
    ///
    /// # Errors
    ///
    /// [`UntrustedNote`] if none of them did, or a signature that claims to be of one of them is not.
    pub fn verify<'k>(&self, trusted: &'k [VerifierKey]) -> Result<&'k VerifierKey, UntrustedNote> {
        let mut signed_by = None;
        for signature in &self.signatures {
            let is_of = |key: &&VerifierKey| key.name == signature.name && key.id == signature.id;
            for key in trusted.iter().filter(is_of) {
                let bytes = Signature::from_slice(&signature.bytes).map_err(|_| UntrustedNote::BadSignature)?;
                let verified = key.key.verify_strict(self.text.as_bytes(), &bytes);
                verified.map_err(|_| UntrustedNote::BadSignature)?;
                signed_by = Some(key);
            }
        }
        signed_by.ok_or(UntrustedNote::UnknownKey)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for NoteSignature { name, id, bytes } in &self.signatures {
            writeln!(f, "{DASH}{name} {}", STANDARD.encode([id, bytes.as_slice()].concat()))?;
        }
        Ok(())
    }
}

impl FromStr for Note {
    type Err = MalformedNote;

    fn from_str(note: &str) -> Result<Self, MalformedNote> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(MalformedNote("it is longer than 1 MiB"));
        }
        if note.chars().any(|letter| letter < ' ' && letter != '\n') {
            return Err(MalformedNote("it has control characters"));
        }
        let end = note
            .rfind("\n\n")
            .ok_or(MalformedNote("no empty line divides text and signatures"))?;
        let (text, signatures) = (&note[..=end], &note[end + 2..]);
        let lines = signatures
            .strip_suffix('\n')
            .ok_or(MalformedNote("it has no signature, or its last line does not end"))?;
        let signatures = lines.split('\n').map(signature).collect::<Option<Vec<_>>>();
        let signatures = signatures.ok_or(MalformedNote("a line of a signature is malformed"))?;
        if signatures.len() > SIGNATURES_MAX {
            return Err(MalformedNote("it has more than 64 signatures"));
        }
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }
}

fn signature(line: &str) -> Option<NoteSignature> {
    let (name, base64) = line.strip_prefix(DASH)?.split_once(' ')?;
    let bytes = STANDARD.decode(base64).ok()?;
    let (id, bytes) = bytes.split_first_chunk::<4>()?;
    (is_name(name) && !bytes.is_empty()).then(|| NoteSignature {
        name: name.to_owned(),
        id: *id,
        bytes: bytes.to_vec(),
    })
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|letter: char| letter.is_whitespace() || letter.is_control() || letter == '+')
}
