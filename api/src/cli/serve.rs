//! `charthouse serve`: everything in one process.

use std::{error::Error, net::SocketAddr, path::PathBuf};

use clap::Args;
use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};

use crate::{
    admin::AdminSocket,
    config::{DataFolder, ServerOptions},
    effects::{Helm, Worker, erasure, sweep},
    graphql, http,
    services::Services,
};

#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    data: DataFolder,
    #[command(flatten)]
    options: ServerOptions,
}

impl Serve {
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        let is_new = !self.data.exists();
        let folder = self.data.path().display().to_string();
        let server = Server::start(self.data, self.options).await?;
        println!(
            "Charthouse listens on http://{}/graphql and keeps its data in {folder}",
            server.address
        );
        if is_new {
            println!("The folder is new. Make an account and a token for it:");
            println!("  charthouse admin --data {folder} account create me --role platform-admin");
            println!("  charthouse admin --data {folder} token create me");
        }
        stop_asked_for().await?;
        println!("stopping");
        server.stop().await;
        Ok(())
    }
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
    /// Opens the data folder, takes up what was under way, and answers requests when this returns.
    pub async fn start(data: DataFolder, options: ServerOptions) -> Result<Self, Box<dyn Error>> {
        let ServerOptions { listen, helm, limits } = options;
        // A port that is taken is found out before the data folder is touched.
        let listener = TcpListener::bind(listen)
            .await
            .map_err(|error| format!("cannot listen on {listen}: {error}"))?;
        let address = listener.local_addr()?;
        let helm = Helm::new(helm, &limits);
        let services = Services::open(data, limits).await?;

        let mut background = JoinSet::new();
        let socket = AdminSocket::bind(&services.data.admin_socket())?;
        background.spawn(socket.serve(services.clone()));
        background.spawn(services.transparency.clone().run());
        background.spawn(erasure::keep_finishing(services.clone()));
        background.spawn(sweep::keep_sweeping(services.clone()));
        background.spawn(report_helm(helm.clone(), services.data.scratch()));
        background.spawn(work(Worker::new(services.clone(), helm)));

        let (stop, stopped) = oneshot::channel::<()>();
        let router = http::router(services.clone(), graphql::schema(services.clone()));
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
