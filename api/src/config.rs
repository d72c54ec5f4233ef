//! Settings: read once, at the start, from the command line and the environment.

use std::{
    convert::Infallible,
    fmt,
    net::SocketAddr,
    num::NonZeroU32,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use chrono::TimeDelta;
use clap::{Args, ValueEnum};
use reqwest::Url;

use crate::{auth::oidc::ProviderError, chart_archive::ArchiveLimits};

/// Where everything is kept.
#[derive(Debug, Clone, Args)]
pub struct DataFolder {
    /// Folder of the log, the views, the blobs and the keys
    #[arg(
        long = "data",
        env = "CHARTHOUSE_DATA",
        default_value = "charthouse-data",
        value_name = "DIR"
    )]
    pub root: PathBuf,
    /// File of the master key, unless the environment holds the key itself; keys/master.key if not given
    #[arg(long = "master-key-file", env = "CHARTHOUSE_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key: Option<PathBuf>,
    #[command(flatten)]
    pub log: Log,
}

/// Which database holds the log.
#[derive(Debug, Clone, Default, Args)]
pub struct Log {
    /// Database of the log: sqlite:// and a path, or postgres://…; a file in the data folder if not given
    #[arg(long = "log", env = "CHARTHOUSE_LOG", hide_env_values = true, value_name = "URL")]
    pub url: Option<SecretUrl>,
}

/// A database's address. It may hold a password, so it is never shown.
#[derive(Clone)]
pub struct SecretUrl(String);

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretUrl(…)")
    }
}

impl FromStr for SecretUrl {
    type Err = Infallible;

    fn from_str(url: &str) -> Result<Self, Infallible> {
        Ok(Self(url.to_owned()))
    }
}

impl DataFolder {
    #[must_use]
    pub fn log_url(&self) -> String {
        match &self.log.url {
            Some(SecretUrl(url)) => url.clone(),
            None => format!("sqlite://{}", self.root.join("log.db").display()),
        }
    }

    /// Whether a single process can append to the log.
    #[must_use]
    pub fn is_for_one_process(&self) -> bool {
        self.log_url().starts_with("sqlite:")
    }

    /// How far the log was seen to reach, kept apart from it: an older copy of the log is told by it.
    #[must_use]
    pub fn high_water(&self) -> PathBuf {
        self.root.join("high-water")
    }

    /// The tiles and signed checkpoints of the log, in a folder for each of its epochs.
    #[must_use]
    pub fn published(&self) -> PathBuf {
        self.root.join("log")
    }

    /// The first file of the views; what is built anew stands beside it, as `views.1.db` and so on.
    #[must_use]
    pub fn views(&self) -> PathBuf {
        self.root.join("views.db")
    }

    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// There while a restore is under way, and after one that did not come to its end.
    #[must_use]
    pub fn restoring(&self) -> PathBuf {
        self.root.join("restoring")
    }

    /// The file of the master key, unless the environment has it.
    #[must_use]
    pub fn master_key(&self) -> PathBuf {
        self.master_key
            .clone()
            .unwrap_or_else(|| self.keys().join("master.key"))
    }

    /// What was erased or removed, beside the keys: it must not go back with the log.
    #[must_use]
    pub fn erasures(&self) -> PathBuf {
        self.keys().join("erasures")
    }

    /// Where releases on a cluster of kind `directory` are rendered to.
    #[must_use]
    pub fn clusters(&self) -> PathBuf {
        self.root.join("clusters")
    }

    /// Where Helm works; emptied when a server starts.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.root.join("scratch")
    }

    /// Who the worker on this folder is.
    #[must_use]
    pub fn worker(&self) -> PathBuf {
        self.root.join("worker")
    }

    /// The socket `charthouse admin` talks to while a server runs on this folder.
    #[must_use]
    pub fn admin_socket(&self) -> PathBuf {
        self.root.join("admin.sock")
    }

    #[must_use]
    pub fn exists(&self) -> bool {
        self.keys().exists()
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root
    }
}

/// What a server may be told.
#[derive(Debug, Clone, Args)]
pub struct ServerOptions {
    /// Address to listen on; port 0 takes any free one
    #[arg(
        long,
        env = "CHARTHOUSE_LISTEN",
        default_value = "127.0.0.1:7070",
        value_name = "ADDRESS"
    )]
    pub listen: SocketAddr,
    /// The helm program, version 3 or 4
    #[arg(long, env = "CHARTHOUSE_HELM", default_value = "helm", value_name = "PROGRAM")]
    pub helm: PathBuf,
    #[command(flatten)]
    pub doors: DoorOptions,
    #[command(flatten)]
    pub oidc: OidcOptions,
    #[command(flatten)]
    pub limits: Limits,
}

/// How clients reach the server.
#[derive(Debug, Clone, Default, Args)]
pub struct DoorOptions {
    /// How many proxies stand before the server and add to X-Forwarded-For; 0 if clients reach it by themselves
    #[arg(long, env = "CHARTHOUSE_PROXIES", default_value_t = 0, value_name = "COUNT")]
    pub proxies: usize,
    /// Origin by which browsers reach the server: scheme, host and port; what they ask for if not given
    #[arg(long, env = "CHARTHOUSE_PUBLIC_URL", value_parser = origin, value_name = "URL")]
    pub public_url: Option<String>,
}

/// The provider that people may sign in by.
#[derive(Debug, Clone, Default, Args)]
pub struct OidcOptions {
    /// OpenID provider that people may sign in by
    #[arg(
        long = "oidc-issuer",
        env = "CHARTHOUSE_OIDC_ISSUER",
        value_name = "URL",
        requires = "client_id"
    )]
    pub issuer: Option<String>,
    /// What the provider calls this server
    #[arg(
        id = "client_id",
        long = "oidc-client-id",
        env = "CHARTHOUSE_OIDC_CLIENT_ID",
        value_name = "ID",
        requires = "issuer"
    )]
    pub client_id: Option<String>,
    /// File of the secret that the provider knows this server by; the variable
    /// `CHARTHOUSE_OIDC_CLIENT_SECRET` may hold it instead
    #[arg(
        long = "oidc-client-secret-file",
        env = "CHARTHOUSE_OIDC_CLIENT_SECRET_FILE",
        value_name = "FILE"
    )]
    pub client_secret_file: Option<PathBuf>,
    /// What the provider says that names somebody's account here, when they come for the first time
    #[arg(
        long = "oidc-name-claim",
        env = "CHARTHOUSE_OIDC_NAME_CLAIM",
        value_enum,
        default_value_t = NameClaim::PreferredUsername,
        value_name = "CLAIM"
    )]
    pub name_claim: NameClaim,
    /// Make an account, as platform-regular, for whomever the provider vouches for; without it only for those who were
    /// invited
    #[arg(long = "oidc-creates-accounts", env = "CHARTHOUSE_OIDC_CREATES_ACCOUNTS")]
    pub creates_accounts: bool,
}

/// A claim of the provider's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum NameClaim {
    /// `preferred_username`
    #[default]
    #[value(name = "preferred_username")]
    PreferredUsername,
    /// `email`, if the provider has verified it
    Email,
}

impl OidcOptions {
    /// The client's secret; `None` for a public client, which has PKCE alone.
    ///
    /// # Errors
    ///
    /// [`ProviderError::Secret`] if its file cannot be read.
    pub fn secret(&self) -> Result<Option<String>, ProviderError> {
        match &self.client_secret_file {
            Some(path) => match std::fs::read_to_string(path) {
                Ok(secret) => Ok(Some(secret.trim().to_owned())),
                Err(source) => Err(ProviderError::Secret {
                    path: path.clone(),
                    source,
                }),
            },
            None => Ok(std::env::var("CHARTHOUSE_OIDC_CLIENT_SECRET").ok()),
        }
    }
}

/// Scheme, host and port, spelled as browsers spell them.
fn origin(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let origin = url.origin().ascii_serialization();
    match matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none() {
        true => Ok(origin),
        false => Err("name scheme, host and port only".to_owned()),
    }
}

/// Everything has a limit, and the limit has a unit in its name.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// Largest chart archive, in bytes
    #[arg(long, env = "CHARTHOUSE_ARCHIVE_MAX_BYTES", default_value_t = 20 << 20, value_name = "BYTES")]
    pub archive_max_bytes: u64,
    /// Largest sum of the files in a chart archive, in bytes
    #[arg(long, env = "CHARTHOUSE_ARCHIVE_UNPACKED_MAX_BYTES", default_value_t = 100 << 20, value_name = "BYTES")]
    pub archive_unpacked_max_bytes: u64,
    /// Most files and folders in a chart archive
    #[arg(
        long,
        env = "CHARTHOUSE_ARCHIVE_ENTRIES_MAX",
        default_value_t = 10_000,
        value_name = "COUNT"
    )]
    pub archive_entries_max: u64,
    /// Largest values of a release, in bytes
    #[arg(long, env = "CHARTHOUSE_VALUES_MAX_BYTES", default_value_t = 1 << 20, value_name = "BYTES")]
    pub values_max_bytes: usize,
    /// Longest reason or comment, in characters
    #[arg(
        long,
        env = "CHARTHOUSE_REASON_MAX_CHARACTERS",
        default_value_t = 4_000,
        value_name = "COUNT"
    )]
    pub reason_max_characters: usize,
    /// Longest GraphQL document, in bytes
    #[arg(long, env = "CHARTHOUSE_DOCUMENT_MAX_BYTES", default_value_t = 64 << 10, value_name = "BYTES")]
    pub document_max_bytes: usize,
    /// Largest body of a GraphQL request with its variables, in bytes
    #[arg(long, env = "CHARTHOUSE_REQUEST_MAX_BYTES", default_value_t = 2 << 20, value_name = "BYTES")]
    pub request_max_bytes: usize,
    /// Most bytes of documents in one GraphQL answer
    #[arg(long, env = "CHARTHOUSE_ANSWER_MAX_BYTES", default_value_t = 16 << 20, value_name = "BYTES")]
    pub answer_max_bytes: usize,
    /// How long one request may take
    #[arg(long, env = "CHARTHOUSE_REQUEST_TIMEOUT", default_value = "30s", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub request_timeout: Duration,
    /// How long one upload may take
    #[arg(
        long,
        env = "CHARTHOUSE_UPLOAD_TIMEOUT",
        default_value = "10m",
        value_parser = humantime::parse_duration,
        value_name = "TIME"
    )]
    pub upload_timeout: Duration,
    /// How long Helm may take over one operation of a release before it counts as failed
    #[arg(long, env = "CHARTHOUSE_HELM_TIMEOUT", default_value = "10m", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub helm_timeout: Duration,
    /// Largest manifest one run of Helm may render, in bytes; its messages may take a quarter of that
    #[arg(long, env = "CHARTHOUSE_HELM_OUTPUT_MAX_BYTES", default_value_t = 4 << 20, value_name = "BYTES")]
    pub helm_output_max_bytes: u64,
    /// Address space one run of Helm may use, in bytes
    #[arg(long, env = "CHARTHOUSE_HELM_MEMORY_MAX_BYTES", default_value_t = 4 << 30, value_name = "BYTES")]
    pub helm_memory_max_bytes: u64,
    /// How many runs of Helm may go on at once
    #[arg(long, env = "CHARTHOUSE_HELM_RUNS_MAX", default_value_t = 4, value_name = "COUNT")]
    pub helm_runs_max: usize,
    /// How much longer than Helm may take an operation may go on before another worker takes it up; it ends itself after
    /// half of that
    #[arg(long, env = "CHARTHOUSE_WORKER_MARGIN", default_value = "1m", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub worker_margin: Duration,
    /// How long one request to a Kubernetes cluster may take
    #[arg(long, env = "CHARTHOUSE_CLUSTER_TIMEOUT", default_value = "10s", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub cluster_timeout: Duration,
    /// How many upgrades may be rendered at once to be looked at, beside the runs of Helm that change something
    #[arg(long, env = "CHARTHOUSE_PREVIEWS_MAX", default_value_t = 2, value_name = "COUNT")]
    pub previews_max: usize,
    /// How long a mutation waits for the views to show what it recorded, and a query for what it asks to have seen
    #[arg(long, env = "CHARTHOUSE_READ_WAIT", default_value = "5s", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub read_wait: Duration,
    /// How long a server that lost sight of the end of the log goes on answering
    #[arg(long, env = "CHARTHOUSE_HEAD_AGE_MAX", default_value = "10s", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub head_age_max: Duration,
    /// How many exports may be made at once
    #[arg(long, env = "CHARTHOUSE_EXPORTS_MAX", default_value_t = 4, value_name = "COUNT")]
    pub exports_max: usize,
    /// How many event feeds may be read at once
    #[arg(long, env = "CHARTHOUSE_FEEDS_MAX", default_value_t = 64, value_name = "COUNT")]
    pub feeds_max: usize,
    /// How long an event feed is followed before its reader has to come back
    #[arg(long, env = "CHARTHOUSE_FEED_LIFETIME", default_value = "1h", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub feed_lifetime: Duration,
    /// How long an upload id can be used
    #[arg(long, env = "CHARTHOUSE_UPLOAD_LIFETIME", default_value = "1day", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub upload_lifetime: Duration,
    /// How long somebody who signed in stays so
    #[arg(long, env = "CHARTHOUSE_SESSION_LIFETIME", default_value = "12h", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub session_lifetime: Duration,
    /// How many attempts to sign in may be made on one account at once; one more is possible each minute
    #[arg(
        long,
        env = "CHARTHOUSE_SIGN_IN_ATTEMPTS_MAX",
        default_value = "10",
        value_name = "COUNT"
    )]
    pub sign_in_attempts_max: NonZeroU32,
    /// How many attempts to sign in may come from one address at once; one more is possible every 6 seconds
    #[arg(
        long,
        env = "CHARTHOUSE_SIGN_IN_PEER_ATTEMPTS_MAX",
        default_value = "50",
        value_name = "COUNT"
    )]
    pub sign_in_peer_attempts_max: NonZeroU32,
}

impl Limits {
    /// The defaults, or what the environment says instead: for commands that do not offer them as options.
    #[must_use]
    pub fn from_environment() -> Self {
        #[derive(clap::Parser)]
        struct Only {
            #[command(flatten)]
            limits: Limits,
        }
        <Only as clap::Parser>::parse_from(["charthouse"]).limits
    }

    /// How long an attempt may take with what is done beside Helm.
    #[must_use]
    pub fn attempt_max(&self) -> Duration {
        self.helm_timeout.saturating_add(self.worker_margin / 2)
    }

    /// How long a cluster may be asked what is left of a release, once an attempt to remove it has ended.
    #[must_use]
    pub fn look_max(&self) -> Duration {
        self.worker_margin / 4
    }

    /// How long the attempt of another worker counts as alive: it has ended by then, and the Helm that began with it too.
    #[must_use]
    pub fn worker_patience(&self) -> TimeDelta {
        let patience = self.helm_timeout.saturating_add(self.worker_margin);
        TimeDelta::from_std(patience).unwrap_or(TimeDelta::MAX)
    }

    #[must_use]
    pub fn archive(&self) -> ArchiveLimits {
        ArchiveLimits {
            packed_max_bytes: self.archive_max_bytes,
            unpacked_max_bytes: self.archive_unpacked_max_bytes,
            entries_max: self.archive_entries_max,
            ..ArchiveLimits::default()
        }
    }
}
