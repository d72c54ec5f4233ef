//! Why a kubeconfig is not accepted. Nothing it holds is repeated, except for its server and names of fields.

use super::KUBECONFIG_MAX_BYTES;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKubeconfig {
    #[error("the kubeconfig has {bytes} bytes, and {KUBECONFIG_MAX_BYTES} are allowed")]
    TooLarge { bytes: usize },
    #[error("the kubeconfig is not one YAML document of a kubeconfig's form: {problem}")]
    Malformed { problem: String },
    #[error("the kubeconfig needs one current context that names one cluster and one user in it: {problem}")]
    Context { problem: String },
    #[error("the server {server:?} cannot be used: {problem}")]
    Server { server: String, problem: &'static str },
    #[error("the certificate of an https server is checked: give certificate-authority-data")]
    AuthorityMissing,
    #[error("insecure-skip-tls-verify would talk to whoever answers: give certificate-authority-data instead")]
    Insecure,
    #[error("{field} names a file of somebody's machine: put what is in it into {field}-data or token")]
    File { field: &'static str },
    #[error("proxy-url is not supported: the server must be reached directly")]
    Proxy,
    #[error("exec would run a program here: give a token or a client certificate")]
    Exec,
    #[error("auth-provider is not supported: give a token or a client certificate")]
    AuthProvider,
    #[error("{field} is not supported")]
    Unsupported { field: String },
    #[error("the user needs a token, or a client certificate with its key, and not both")]
    Credentials,
    #[error("{field} cannot be used: {problem}")]
    Certificate { field: &'static str, problem: String },
}

impl InvalidKubeconfig {
    /// Stable over versions; `docs/errors.md` lists them all.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "KUBECONFIG_TOO_LARGE",
            Self::Malformed { .. } => "KUBECONFIG_INVALID",
            Self::Context { .. } => "KUBECONFIG_CONTEXT",
            Self::Server { .. } => "KUBECONFIG_SERVER",
            Self::AuthorityMissing => "KUBECONFIG_AUTHORITY",
            Self::Insecure => "KUBECONFIG_INSECURE",
            Self::File { .. } => "KUBECONFIG_FILE",
            Self::Proxy => "KUBECONFIG_PROXY",
            Self::Exec => "KUBECONFIG_EXEC",
            Self::AuthProvider => "KUBECONFIG_AUTH_PROVIDER",
            Self::Unsupported { .. } => "KUBECONFIG_UNSUPPORTED",
            Self::Credentials => "KUBECONFIG_CREDENTIALS",
            Self::Certificate { .. } => "KUBECONFIG_CERTIFICATE",
        }
    }
}
