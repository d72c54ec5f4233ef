//! OpenID providers on this machine: a certified one, and one that lies as it is told.

use std::{
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStdout, Command},
    task::JoinHandle,
};

use crate::server::PATIENCE;

/// What both providers know the server under test by.
pub const CLIENT: &str = "charthouse";
pub const SECRET: &str = "a secret of both";

/// The certified provider. `make test` installs it.
pub struct Certified {
    pub issuer: String,
    _process: Child,
    /// Kept open: a program that cannot print ends.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Certified {
    /// # Panics
    ///
    /// If it is not installed, or does not start in time.
    pub async fn start() -> Self {
        let mut process = Command::new("oidc-provider-run")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("oidc-provider-run is on the PATH: run `make test`, which installs it");
        let output = process.stdout.take().expect("its output is piped");
        let mut lines = BufReader::new(output).lines();
        let first = tokio::time::timeout(PATIENCE, lines.next_line()).await;
        let issuer = first.expect("it starts in time").expect("it can be read");
        Self {
            issuer: issuer.expect("it prints its issuer"),
            _process: process,
            _output: lines,
        }
    }
}

/// What is wrong with the answers of the other provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    None,
    /// The browser comes back with another state.
    State,
    Nonce,
    Audience,
    Issuer,
    /// The token says that it is not signed.
    UnsignedToken,
    /// The token is signed by the secret that the client knows as well.
    SharedSecret,
    Expired,
    /// The token is signed by a key of somebody else.
    Key,
    /// Signed, and then altered.
    Altered,
    /// The token is no token.
    Malformed,
    /// The provider lets nobody in.
    Refusal,
}

/// A provider that vouches for `ada`, truthfully or not.
pub struct Hostile {
    pub issuer: String,
    lie: Arc<Mutex<Lie>>,
    server: JoinHandle<()>,
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Hostile {
    /// # Panics
    ///
    /// If it cannot listen.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let issuer = format!("http://{address}");
        let lie = Arc::new(Mutex::new(Lie::None));
        let provider = Answering {
            issuer: issuer.clone(),
            lie: Arc::clone(&lie),
        };
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(provider.clone().answer(stream));
            }
        });
        Self { issuer, lie, server }
    }

    /// Lies so from now on.
    pub fn tells(&self, lie: Lie) {
        *self.lie.lock().unwrap_or_else(PoisonError::into_inner) = lie;
    }
}

#[derive(Clone)]
struct Answering {
    issuer: String,
    lie: Arc<Mutex<Lie>>,
}

impl Answering {
    fn lies(&self, lie: Lie) -> bool {
        *self.lie.lock().unwrap_or_else(PoisonError::into_inner) == lie
    }

    async fn answer(self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let Some((target, body)) = request(&mut stream).await else {
            return;
        };
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let (status, extra, body) = match path {
            "/.well-known/openid-configuration" => ("200 OK", String::new(), self.metadata()),
            "/jwks" => ("200 OK", String::new(), json!({ "keys": [public_key()] })),
            "/authorize" => ("302 Found", format!("Location: {}\r\n", self.back(query)), json!({})),
            "/token" => match self.tokens(&body) {
                Some(tokens) => ("200 OK", String::new(), tokens),
                None => ("400 Bad Request", String::new(), json!({ "error": "invalid_grant" })),
            },
            _ => ("404 Not Found", String::new(), json!({})),
        };
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n{extra}\r\n",
            body.len()
        );
        let _ = stream
            .write_all([head.as_bytes(), body.as_bytes()].concat().as_slice())
            .await;
    }

    fn metadata(&self) -> Value {
        let issuer = &self.issuer;
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
        })
    }

    /// Where the browser is sent. The code carries what the token must hold: the nonce, and the challenge.
    fn back(&self, query: &str) -> String {
        let asked = |name: &str| parameter(query, name);
        let state = if self.lies(Lie::State) {
            "another".to_owned()
        } else {
            asked("state")
        };
        let code = format!("{}.{}", asked("nonce"), asked("code_challenge"));
        let redirect = percent_decoded(&asked("redirect_uri"));
        match self.lies(Lie::Refusal) {
            true => format!("{redirect}?error=access_denied&state={state}"),
            false => format!("{redirect}?code={code}&state={state}"),
        }
    }

    fn tokens(&self, body: &str) -> Option<Value> {
        let code = parameter(body, "code");
        let (nonce, challenge) = code.split_once('.')?;
        let verified = URL_SAFE_NO_PAD.encode(Sha256::digest(parameter(body, "code_verifier")));
        if verified != challenge {
            return None;
        }
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let pick = |lie, wrong: &str, right: &str| {
            if self.lies(lie) {
                wrong.to_owned()
            } else {
                right.to_owned()
            }
        };
        let hour = Duration::from_secs(3600).as_secs();
        let claims = json!({
            "iss": pick(Lie::Issuer, "https://login.example", &self.issuer),
            "aud": pick(Lie::Audience, "another client", CLIENT),
            "nonce": pick(Lie::Nonce, "another", nonce),
            "sub": "subject-of-ada",
            "preferred_username": "ada",
            "iat": now - 2 * hour,
            "exp": if self.lies(Lie::Expired) { now - hour } else { now + hour },
        });
        Some(json!({ "access_token": "opens nothing", "token_type": "Bearer", "id_token": self.signed(&claims) }))
    }

    fn signed(&self, claims: &Value) -> String {
        let lie = *self.lie.lock().unwrap_or_else(PoisonError::into_inner);
        let header = match lie {
            Lie::Malformed => return "no token".to_owned(),
            Lie::UnsignedToken => json!({ "alg": "none" }),
            Lie::SharedSecret => json!({ "alg": "HS256" }),
            _ => json!({ "alg": "EdDSA", "kid": "one" }),
        };
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&header), part(claims));
        let signature = match lie {
            Lie::UnsignedToken => vec![],
            Lie::SharedSecret => shared_signature(&text),
            Lie::Key => SigningKey::from_bytes(&[8; 32])
                .sign(text.as_bytes())
                .to_bytes()
                .to_vec(),
            _ => key().sign(text.as_bytes()).to_bytes().to_vec(),
        };
        let text = match lie {
            Lie::Altered => {
                let mut altered = claims.clone();
                altered["preferred_username"] = json!("admin");
                format!("{}.{}", part(&header), part(&altered))
            }
            _ => text,
        };
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn public_key() -> Value {
    let public = URL_SAFE_NO_PAD.encode(key().verifying_key().as_bytes());
    json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "one", "x": public })
}

fn shared_signature(text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key of any length will do");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The target and the body of a request; `None` if it breaks off.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let target = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).await.ok()?;
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((target, String::from_utf8(body).ok()?))
}

/// A parameter as it stands there: what is read here has no letters that are escaped, but the address to go back to.
fn parameter(query: &str, name: &str) -> String {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .find_map(|(found, value)| (found == name).then(|| value.to_owned()))
        .unwrap_or_default()
}

fn percent_decoded(text: &str) -> String {
    text.replace("%3A", ":").replace("%2F", "/")
}
