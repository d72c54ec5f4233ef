//! `charthouse serve`: everything in one process, or one part of it beside others.

use std::{
    error::Error,
    io::{self, Write as _},
    net::SocketAddr,
    path::PathBuf,
};

use clap::{Args, ValueEnum};
use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};

use crate::{
    admin::AdminSocket,
    auth::{Refusals, oidc::Provider},
    config::{DataFolder, ServerOptions},
    effects::{Helm, Identity, Preparations, Previews, Worker, erasure, sweep, view_files},
    graphql, http,
    services::Services,
};

/// What a process does of all that is to be done. Several share a log on PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Answer requests and run Helm
    All,
    /// Answer requests; releases wait for a worker
    Api,
    /// Run Helm; answer only /livez and /readyz
    Worker,
}

impl Role {
    const fn answers(self) -> bool {
        matches!(self, Self::All | Self::Api)
    }

    const fn works(self) -> bool {
        matches!(self, Self::All | Self::Worker)
    }
}

#[derive(Debug, Args)]
pub struct Serve {
    /// What this process does
    #[arg(long, env = "CHARTHOUSE_ROLE", value_enum, default_value_t = Role::All)]
    role: Role,
    #[command(flatten)]
    data: DataFolder,
    #[command(flatten)]
    options: ServerOptions,
}

impl Serve {
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        let is_new = !self.data.exists();
        let folder = self.data.path().display().to_string();
        if self.role != Role::All && self.data.is_for_one_process() {
            return Err(
                "one process works on a log in SQLite: share one by --log postgres://…, or leave --role out".into(),
            );
        }
        let server = Server::start(self.data, self.options, self.role).await?;
        let address = server.address;
        if self.role.answers() {
            say(&format!(
                "Charthouse listens on http://{address}/graphql and keeps its data in {folder}"
            ));
        } else {
            say(&format!(
                "Charthouse works, says how it is at http://{address}/readyz, and keeps its data in {folder}"
            ));
        }
        if is_new && self.role.answers() {
            say("The folder is new. Make an account, and a password or a token for it:");
            say(&format!(
                "  charthouse admin --data {folder} account create me --role platform-admin"
            ));
            say(&format!("  charthouse admin --data {folder} account password me"));
            say(&format!("  charthouse admin --data {folder} token create me"));
        }
        stop_asked_for().await?;
        say("stopping");
        server.stop().await;
        Ok(())
    }
}

/// Whoever started the server may have stopped listening to it.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// A running server, in this process.
pub struct Server {
    pub address: SocketAddr,
    pub services: Services,
    stop: oneshot::Sender<()>,
    http: JoinHandle<()>,
    background: JoinSet<()>,
}

impl Server {
    /// Opens the data folder, takes up what was under way, and answers requests when this returns; of that what is the
    /// role's.
    pub async fn start(data: DataFolder, options: ServerOptions, role: Role) -> Result<Self, Box<dyn Error>> {
        let ServerOptions {
            listen,
            helm,
            doors,
            oidc,
            limits,
        } = options;
        // A port that is taken is found out before the data folder is touched.
        let listener = TcpListener::bind(listen)
            .await
            .map_err(|error| format!("cannot listen on {listen}: {error}"))?;
        let address = listener.local_addr()?;
        let oidc = Provider::new(&oidc)?;
        let previews = Previews::new(helm.clone(), &limits);
        let helm = Helm::new(helm, &limits);
        let services = Services::open(data, limits).await?;

        let mut background = JoinSet::new();
        let socket = AdminSocket::bind(&services.data.admin_socket())?;
        background.spawn(socket.serve(services.clone()));
        background.spawn(services.transparency.clone().run());
        background.spawn(erasure::keep_finishing(services.clone()));
        background.spawn(sweep::keep_sweeping(services.clone()));
        background.spawn(view_files::keep_publishing(services.clone()));
        background.spawn(report_helm(helm.clone(), services.data.scratch()));
        background.spawn(Refusals::keep_recording(services.clone()));
        background.spawn(services.auth.last_use.clone().keep_keeping(services.log.clone()));
        if role.works() {
            let identity = Identity::at(&services.data.worker())?;
            background.spawn(work(Worker::new(services.clone(), helm, identity)));
            background.spawn(prepare(Preparations::new(services.clone())));
        }

        let (stop, stopped) = oneshot::channel::<()>();
        let router = if role.answers() {
            http::router(
                services.clone(),
                graphql::schema(services.clone(), previews),
                doors,
                oidc,
            )
        } else {
            http::probes(services.clone())
        };
        let http = tokio::spawn(http::serve(listener, router, async {
            // A sender that is gone asks for the same.
            let _ = stopped.await;
        }));
        Ok(Self {
            address,
            services,
            stop,
            http,
            background,
        })
    }

    /// Answers what was asked, then gives the data folder up. Operations under way go on at the next start.
    pub async fn stop(mut self) {
        let _ = self.stop.send(());
        // Subscriptions have no end of their own; nobody waits for them.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(5), self.http).await;
        self.background.shutdown().await;
        if let Err(error) = self.services.auth.refusals.record_rest(&self.services).await {
            tracing::warn!(
                error = &error as &dyn Error,
                "the last failed attempts to sign in are not recorded"
            );
        }
        if let Err(error) = self.services.auth.last_use.keep(&self.services.log).await {
            tracing::warn!(
                error = &error as &dyn Error,
                "the last uses of tokens could not be kept"
            );
        }
        self.services.close().await;
    }
}

async fn work(worker: Worker) {
    if let Err(error) = worker.run().await {
        tracing::error!(
            error = &error as &dyn Error,
            "the worker stopped; restart the server to go on with releases"
        );
    }
}

async fn prepare(preparations: Preparations) {
    if let Err(error) = preparations.run().await {
        tracing::error!(
            error = &error as &dyn Error,
            "projects are not prepared any more; restart the server to go on with them"
        );
    }
}

/// A store can be browsed without Helm, so a missing one is said and not fatal.
async fn report_helm(helm: Helm, scratch: PathBuf) {
    match helm.version(&scratch).await {
        Ok(version) => tracing::info!(%version, "found helm"),
        Err(error) => tracing::warn!(error = &error as &dyn Error, "releases will fail until there is a helm"),
    }
}

/// Waits for Ctrl-C or SIGTERM.
pub async fn stop_asked_for() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
