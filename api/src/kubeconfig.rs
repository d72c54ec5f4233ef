//! Kubeconfigs from administrators, read as a strict subset and kept as nothing else.
//!
//! A kubeconfig can run programs (`exec`, `auth-provider`), read files and send credentials through proxies. Here it is
//! the address of one API server, the authority its certificate is of, and a token or a client certificate. What it says
//! beyond that is refused by name, so that nobody believes it holds.

mod error;
mod reader;
#[cfg(test)]
mod tests;

use std::{fmt, net::IpAddr, sync::Arc};

use axum::http::Uri;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use self::error::InvalidKubeconfig;

/// Largest kubeconfig that is read, in bytes.
pub const KUBECONFIG_MAX_BYTES: usize = 64 << 10;

/// One way to one API server. It is serialised to be sealed, and for nothing else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kubeconfig {
    /// Without a slash at its end.
    server: String,
    /// PEM; absent only for plain HTTP on the loopback interface.
    authority: Option<String>,
    credentials: Credentials,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Credentials {
    Token(String),
    /// PEM, both of them.
    Certificate {
        certificate: String,
        key: String,
    },
}

impl fmt::Debug for Kubeconfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kubeconfig")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Kubeconfig {
    /// Reads a kubeconfig as `kubectl` has it: YAML or JSON with one current context.
    ///
    /// # Errors
    ///
    /// [`InvalidKubeconfig`] names what is not accepted. Nothing is run, read or asked to find that out.
    pub fn parse(text: &str) -> Result<Self, InvalidKubeconfig> {
        let kubeconfig = reader::read(text)?;
        kubeconfig.check_server()?;
        kubeconfig.tls()?;
        Ok(kubeconfig)
    }

    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The bearer token, if it is by one that the server knows who asks.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        match &self.credentials {
            Credentials::Token(token) => Some(token),
            Credentials::Certificate { .. } => None,
        }
    }

    /// How to speak to the server: it is trusted only with a certificate of the kubeconfig's own authority.
    ///
    /// # Errors
    ///
    /// [`InvalidKubeconfig::Certificate`] if a certificate or a key is damaged, or the two do not belong together.
    pub fn tls(&self) -> Result<ClientConfig, InvalidKubeconfig> {
        let mut roots = RootCertStore::empty();
        if let Some(authority) = &self.authority {
            for certificate in certificates("certificate-authority-data", authority)? {
                let added = roots.add(certificate);
                added.map_err(|error| damaged("certificate-authority-data", &error))?;
            }
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| damaged("certificate-authority-data", &error))?
            .with_root_certificates(roots);
        match &self.credentials {
            Credentials::Token(_) => Ok(config.with_no_client_auth()),
            Credentials::Certificate { certificate, key } => {
                let chain = certificates("client-certificate-data", certificate)?;
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes());
                let key = key.map_err(|error| damaged("client-key-data", &error))?;
                let config = config.with_client_auth_cert(chain, key);
                config.map_err(|error| damaged("client-key-data", &error))
            }
        }
    }

    /// The file by which Helm reaches the server; whoever uses it acts as the user `acting_as`, if one is named.
    #[must_use]
    pub fn file(&self, acting_as: Option<&str>) -> String {
        let mut cluster = json!({ "server": self.server });
        if let Some(authority) = &self.authority {
            cluster["certificate-authority-data"] = encoded(authority).into();
        }
        let mut user = match &self.credentials {
            Credentials::Token(token) => json!({ "token": token }),
            Credentials::Certificate { certificate, key } => json!({
                "client-certificate-data": encoded(certificate),
                "client-key-data": encoded(key),
            }),
        };
        if let Some(acting_as) = acting_as {
            user["as"] = acting_as.into();
        }
        // JSON is YAML.
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "cluster", "cluster": cluster }],
            "users": [{ "name": "user", "user": user }],
            "contexts": [{ "name": "context", "context": { "cluster": "cluster", "user": "user" } }],
            "current-context": "context",
        })
        .to_string()
    }

    fn check_server(&self) -> Result<(), InvalidKubeconfig> {
        let refused = |problem| InvalidKubeconfig::Server {
            server: self.server.chars().take(200).collect(),
            problem,
        };
        let server: Uri = self.server.parse().map_err(|_| refused("it is not a URL"))?;
        let authority = server.authority().ok_or_else(|| refused("it names no host"))?;
        if authority.as_str().contains('@') || server.query().is_some() || self.server.contains('#') {
            return Err(refused("it holds more than a host, a port and a path"));
        }
        match server.scheme_str() {
            Some("https") if self.authority.is_none() => Err(InvalidKubeconfig::AuthorityMissing),
            Some("https") => Ok(()),
            Some("http") if is_loopback(authority.host()) => Ok(()),
            Some("http") => Err(refused("plain http is for the loopback interface only")),
            Some(_) | None => Err(refused("it starts with neither https:// nor http://")),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn certificates(field: &'static str, pem: &str) -> Result<Vec<CertificateDer<'static>>, InvalidKubeconfig> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match read {
        Ok(certificates) if certificates.is_empty() => Err(InvalidKubeconfig::Certificate {
            field,
            problem: "it holds no certificate".to_owned(),
        }),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(damaged(field, &error)),
    }
}

fn damaged(field: &'static str, error: &dyn fmt::Display) -> InvalidKubeconfig {
    InvalidKubeconfig::Certificate {
        field,
        problem: error.to_string(),
    }
}

fn encoded(pem: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(pem)
}
