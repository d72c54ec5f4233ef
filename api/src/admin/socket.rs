//! The socket between `charthouse admin` and the server that runs on the same data folder.

use std::{
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
};

use super::{AdminAnswer, AdminError, AdminRequest};
use crate::services::Services;

const LINE_MAX_BYTES: u64 = 64 << 10;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECTIONS_MAX: usize = 16;
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    #[error("the socket {} could not be used", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the server did not answer within {} s", ANSWER_TIMEOUT.as_secs())]
    Timeout,
    #[error("the server gave an answer that this program does not understand")]
    Malformed(#[from] serde_json::Error),
}

/// The server's end. Gone with the server, and its file with it.
pub struct AdminSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl AdminSocket {
    /// Listens at `path`, for the owner of the folder alone. A file left by a server that was killed is replaced: the
    /// caller holds the log, so no other server is running.
    ///
    /// # Errors
    ///
    /// [`SocketError::Io`], also if the path is too long for a socket (about 100 bytes).
    pub fn bind(path: &Path) -> Result<Self, SocketError> {
        let io = |source| SocketError::Io {
            path: path.to_owned(),
            source,
        };
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
        let listener = UnixListener::bind(path).map_err(io)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(io)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
        })
    }

    /// Answers requests until it is dropped.
    pub async fn serve(self, services: Services) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let services = services.clone();
                    tokio::spawn(async move {
                        let _place = place;
                        if let Err(error) = answer(stream, &services).await {
                            tracing::warn!(error = &error as &dyn std::error::Error, "an admin request broke off");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the admin socket failed to accept"
                    );
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        // If it cannot be removed, the next server does.
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn answer(stream: UnixStream, services: &Services) -> Result<(), io::Error> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(reader.take(LINE_MAX_BYTES));
    tokio::time::timeout(REQUEST_TIMEOUT, reader.read_line(&mut line)).await??;
    if !line.ends_with('\n') {
        return Err(io::ErrorKind::UnexpectedEof.into()); // half a request is none
    }
    let outcome = match serde_json::from_str::<AdminRequest>(&line) {
        Ok(request) => request.carry_out(services).await,
        Err(error) => Err(AdminError {
            code: "BAD_REQUEST".to_owned(),
            message: error.to_string(),
        }),
    };
    let mut answer = serde_json::to_vec(&outcome)?;
    answer.push(b'\n');
    writer.write_all(&answer).await
}

/// Hands `request` to the server behind `path`; `None` if there is none.
///
/// # Errors
///
/// [`SocketError`] if the talk breaks off: then it is not known whether the request was carried out.
pub async fn ask(path: &Path, request: &AdminRequest) -> Result<Option<Result<AdminAnswer, AdminError>>, SocketError> {
    let io = |source| SocketError::Io {
        path: path.to_owned(),
        source,
    };
    let stream = match UnixStream::connect(path).await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(io(error)),
    };
    let (reader, mut writer) = stream.into_split();
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    writer.write_all(&line).await.map_err(io)?;
    let mut answer = String::new();
    let mut reader = BufReader::new(reader);
    let read = tokio::time::timeout(ANSWER_TIMEOUT, reader.read_line(&mut answer)).await;
    read.map_err(|_| SocketError::Timeout)?.map_err(io)?;
    Ok(Some(serde_json::from_str(&answer)?))
}
