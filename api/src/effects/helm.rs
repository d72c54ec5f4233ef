//! The real Helm, run as a process under limits of time, memory and output.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::Command,
};

use crate::config::Limits;

#[derive(Debug, Clone)]
pub struct Helm {
    program: PathBuf,
    timeout: Duration,
    output_max_bytes: u64,
    memory_max_bytes: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum HelmError {
    /// Helm ran and refused. The words are its own.
    #[error("helm failed: {output}")]
    Failed { output: String },
    #[error("helm did not end within {}", humantime::format_duration(*limit))]
    Timeout { limit: Duration },
    #[error("helm wrote more than {limit_bytes} bytes")]
    OutputTooLarge { limit_bytes: u64 },
    #[error("there is no usable helm at {}", program.display())]
    Missing {
        program: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("helm could not be run")]
    Io(#[from] std::io::Error),
}

/// What to render.
pub struct Template<'a> {
    pub release: &'a str,
    pub namespace: &'a str,
    pub chart: &'a Path,
    pub values: Option<&'a Path>,
    pub is_upgrade: bool,
    /// A folder of this run's own: Helm's caches and settings stay in it.
    pub scratch: &'a Path,
}

/// What Helm rendered, and what it said beside it.
pub struct Rendered {
    pub manifest: String,
    pub output: String,
}

impl Helm {
    #[must_use]
    pub fn new(program: PathBuf, limits: &Limits) -> Self {
        Self {
            program,
            timeout: limits.helm_timeout,
            output_max_bytes: limits.helm_output_max_bytes,
            memory_max_bytes: limits.helm_memory_max_bytes,
        }
    }

    /// Helm's own version, such as `v3.19.0`.
    ///
    /// # Errors
    ///
    /// [`HelmError::Missing`] if there is no Helm.
    pub async fn version(&self, scratch: &Path) -> Result<String, HelmError> {
        let rendered = self
            .run(&["version".into(), "--template".into(), "{{.Version}}".into()], scratch)
            .await?;
        Ok(rendered.manifest.trim().to_owned())
    }

    /// Renders a chart without speaking to any cluster.
    ///
    /// # Errors
    ///
    /// [`HelmError`]; whatever Helm said is in [`HelmError::Failed`], complete.
    pub async fn template(&self, template: &Template<'_>) -> Result<Rendered, HelmError> {
        let mut arguments: Vec<OsString> = vec!["template".into(), template.release.into(), template.chart.into()];
        arguments.extend(["--namespace".into(), template.namespace.into()]);
        arguments.extend(["--include-crds".into(), "--skip-tests".into()]);
        if template.is_upgrade {
            arguments.push("--is-upgrade".into());
        }
        if let Some(values) = template.values {
            arguments.extend(["--values".into(), values.into()]);
        }
        self.run(&arguments, template.scratch).await
    }

    async fn run(&self, arguments: &[OsString], scratch: &Path) -> Result<Rendered, HelmError> {
        let mut command = self.limited_command();
        command
            .args(arguments)
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "LANG"))
            .env("HOME", scratch)
            .env("HELM_CACHE_HOME", scratch.join("cache"))
            .env("HELM_CONFIG_HOME", scratch.join("config"))
            .env("HELM_DATA_HOME", scratch.join("data"))
            .env("KUBECONFIG", scratch.join("no-kubeconfig"))
            .current_dir(scratch)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| self.unusable(error))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let finish = async {
            let (out, err) = tokio::try_join!(self.read(stdout), self.read(stderr))?;
            Ok::<_, HelmError>((child.wait().await?, out, err))
        };
        let timeout = HelmError::Timeout { limit: self.timeout };
        // Leaving early drops the child, and that kills it.
        let (status, manifest, output) = tokio::time::timeout(self.timeout, finish)
            .await
            .map_err(|_| timeout)??;
        match status.code() {
            Some(0) => Ok(Rendered { manifest, output }),
            // The shell says 127 for a program it cannot find.
            Some(127) if manifest.is_empty() => Err(self.unusable(std::io::ErrorKind::NotFound.into())),
            _ => Err(HelmError::Failed {
                output: [output, manifest].concat(),
            }),
        }
    }

    /// Helm has no limit of its own on what a template may take. The shell sets one and becomes Helm, so that killing
    /// the child kills Helm. (512-byte blocks are the unit only of `-f`; `-v` counts KiB.)
    fn limited_command(&self) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "ulimit -v \"$1\" 2>/dev/null; shift; exec \"$@\"", "sh"]);
        command
            .arg((self.memory_max_bytes / 1024).to_string())
            .arg(&self.program);
        command
    }

    async fn read(&self, stream: Option<impl AsyncRead + Unpin>) -> Result<String, HelmError> {
        let Some(stream) = stream else { return Ok(String::new()) };
        let mut bytes = Vec::new();
        stream.take(self.output_max_bytes + 1).read_to_end(&mut bytes).await?;
        if bytes.len() as u64 > self.output_max_bytes {
            return Err(HelmError::OutputTooLarge {
                limit_bytes: self.output_max_bytes,
            });
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn unusable(&self, source: std::io::Error) -> HelmError {
        HelmError::Missing {
            program: self.program.clone(),
            source,
        }
    }
}
