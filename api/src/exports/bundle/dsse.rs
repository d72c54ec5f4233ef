//! DSSE: an envelope around a statement, signed with the key that signs the log's checkpoints.
//!
//! <https://github.com/secure-systems-lab/dsse>

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use eventstore::transparency::{Signer, VerifierKey};
use serde::{Deserialize, Serialize};

/// What is in an envelope: an in-toto statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// What comes before an Ed25519 key in DER (RFC 8410).
const SPKI_ED25519: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// In base64.
    pub payload: String,
    pub payload_type: String,
    pub signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    pub keyid: String,
    /// In base64.
    pub sig: String,
}

/// Why an envelope is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEnvelope {
    #[error("it holds no in-toto statement")]
    Payload,
    /// It may be genuine, and somebody else's.
    #[error("none of its signatures is by a key that is trusted")]
    UnknownKey,
    #[error("it was altered after it was signed")]
    Altered,
}

#[must_use]
pub fn sign(statement: &[u8], signer: &Signer) -> Envelope {
    let signature = signer.sign_bytes(&pre_authentication_encoding(PAYLOAD_TYPE, statement));
    Envelope {
        payload: STANDARD.encode(statement),
        payload_type: PAYLOAD_TYPE.to_owned(),
        signatures: vec![Signature {
            keyid: signer.verifier_key().id(),
            sig: STANDARD.encode(signature),
        }],
    }
}

/// The key as OpenSSL and others read it.
#[must_use]
pub fn pem(key: &VerifierKey) -> String {
    let der = [SPKI_ED25519.as_slice(), &key.public_key()].concat();
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(der)
    )
}

impl Envelope {
    /// The statement, if one of the keys signed it.
    ///
    /// # Errors
    ///
    /// [`InvalidEnvelope`] says why it is not believed.
    pub fn verify(&self, trusted: &[VerifierKey]) -> Result<Vec<u8>, InvalidEnvelope> {
        if self.payload_type != PAYLOAD_TYPE {
            return Err(InvalidEnvelope::Payload);
        }
        let payload = STANDARD.decode(&self.payload).map_err(|_| InvalidEnvelope::Altered)?;
        let message = pre_authentication_encoding(&self.payload_type, &payload);
        let mut is_known = false;
        for Signature { keyid, sig } in &self.signatures {
            for key in trusted.iter().filter(|key| key.id() == *keyid) {
                is_known = true;
                let signature = STANDARD.decode(sig).unwrap_or_default();
                if key.verifies(&message, &signature) {
                    return Ok(payload);
                }
            }
        }
        Err(match is_known {
            true => InvalidEnvelope::Altered,
            false => InvalidEnvelope::UnknownKey,
        })
    }
}

impl fmt::Display for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

fn pre_authentication_encoding(kind: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(secret: u8) -> Signer {
        Signer::new("log.example", &[secret; 32]).unwrap()
    }

    #[test]
    fn what_is_signed_is_what_the_specification_says() {
        let encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn an_envelope_is_believed_if_a_trusted_key_signed_exactly_this() {
        let (ours, other) = (signer(1), signer(2));
        let trusted = [ours.verifier_key().clone()];
        let envelope = sign(b"{}", &ours);
        assert_eq!(envelope.verify(&trusted).unwrap(), b"{}");
        assert_eq!(sign(b"{}", &other).verify(&trusted), Err(InvalidEnvelope::UnknownKey));
        let altered = Envelope {
            payload: STANDARD.encode("{ }"),
            ..envelope.clone()
        };
        assert_eq!(altered.verify(&trusted), Err(InvalidEnvelope::Altered));
        let renamed = Envelope {
            payload_type: "text/plain".to_owned(),
            ..envelope
        };
        assert_eq!(renamed.verify(&trusted), Err(InvalidEnvelope::Payload));
    }
}
