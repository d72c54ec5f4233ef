//! The real Helm, run as a process under limits of time, memory and output.

mod output;

use std::{
    ffi::OsString,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{process::Command, time::Instant};

use self::output::{Channel, Transcript, read};
use crate::config::Limits;

/// The file in a run's scratch folder by which Helm reaches a cluster.
pub const KUBECONFIG: &str = "kubeconfig";
/// How many revisions Helm remembers; Charthouse remembers them all.
const HISTORY_MAX: u32 = 10;
/// How much longer than Helm waits a run may take at most.
const MARGIN: Duration = Duration::from_secs(30);
const SIGKILL: i32 = 9;

#[derive(Debug, Clone)]
pub struct Helm {
    program: PathBuf,
    timeout: Duration,
    /// The attempt that this is for, if it is for one.
    attempt: Option<Attempt>,
    output_max_bytes: u64,
    memory_max_bytes: u64,
}

#[derive(Debug, Clone)]
struct Attempt {
    /// When it has to be over.
    deadline: Instant,
    transcript: Transcript,
}

/// What a run prints to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prints {
    /// What is asked for, such as a manifest.
    Document,
    /// Words for people.
    Words,
}

#[derive(Debug, thiserror::Error)]
pub enum HelmError {
    /// Helm ran and refused. The words are its own.
    #[error("helm failed: {output}")]
    Failed { output: String },
    #[error("helm did not end within {}", humantime::format_duration(*limit))]
    Timeout { limit: Duration },
    /// The limit of processor time ends a run so; the kernel does too, when memory is short.
    #[error("helm was killed: it used {} of processor time, or the machine ran out of memory", humantime::format_duration(*limit))]
    Killed { limit: Duration },
    #[error("helm wrote more than {limit_bytes} bytes")]
    OutputTooLarge { limit_bytes: u64 },
    /// Changing a byte of it would deploy something else.
    #[error("helm rendered something that is not UTF-8 text")]
    NotText,
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
    /// Names of files in `scratch`.
    pub chart: &'a str,
    pub values: Option<&'a str>,
    pub is_upgrade: bool,
    /// What a chart may find out about the cluster; `None` leaves that to Helm's own idea.
    pub cluster: Option<&'a Capabilities>,
    /// A folder of this run's own: Helm's caches and settings stay in it.
    pub scratch: &'a Path,
}

/// What a chart may find out about a cluster that it is rendered for.
pub struct Capabilities {
    /// Such as `v1.36.0`.
    pub version: String,
    /// Such as `apps/v1`.
    pub api_versions: Vec<String>,
}

/// What to bring a cluster to. The kubeconfig is in `scratch`, and says as whom Helm acts.
pub struct Upgrade<'a> {
    pub release: &'a str,
    pub namespace: &'a str,
    /// Names of files in `scratch`.
    pub chart: &'a str,
    pub values: Option<&'a str>,
    /// What Helm's record of it is labelled with, as `name=value`.
    pub labels: &'a [String],
    /// In whole seconds, as [`Helm::wait_max`].
    pub wait: Duration,
    pub scratch: &'a Path,
}

/// A release on a cluster. The kubeconfig is in `scratch`, and says as whom Helm acts.
pub struct Named<'a> {
    pub release: &'a str,
    pub namespace: &'a str,
    pub scratch: &'a Path,
}

/// What Helm rendered, and what it said beside it.
pub struct Rendered {
    pub manifest: String,
    pub output: String,
}

impl Rendered {
    /// Everything that was said, for people.
    fn words(self) -> String {
        self.output + &self.manifest
    }
}

impl Helm {
    #[must_use]
    pub fn new(program: PathBuf, limits: &Limits) -> Self {
        Self {
            program,
            timeout: limits.helm_timeout,
            attempt: None,
            output_max_bytes: limits.helm_output_max_bytes,
            memory_max_bytes: limits.helm_memory_max_bytes,
        }
    }

    /// The same Helm for one attempt, whose runs together may take as long as one may, and whose words are kept.
    #[must_use]
    pub fn for_attempt(&self) -> Self {
        let attempt = Attempt {
            deadline: Instant::now() + self.timeout,
            transcript: Transcript::default(),
        };
        Self {
            attempt: Some(attempt),
            ..self.clone()
        }
    }

    /// What the runs of the attempt have said so far, also those that were stopped; nothing if this is for none.
    #[must_use]
    pub fn said(&self) -> String {
        let attempt = self.attempt.as_ref();
        attempt.map_or_else(String::new, |attempt| attempt.transcript.words())
    }

    fn left(&self) -> Duration {
        self.attempt.as_ref().map_or(self.timeout, |attempt| {
            attempt.deadline.saturating_duration_since(Instant::now())
        })
    }

    /// Helm's own version, such as `v3.19.0`.
    ///
    /// # Errors
    ///
    /// [`HelmError::Missing`] if there is no Helm.
    pub async fn version(&self, scratch: &Path) -> Result<String, HelmError> {
        let rendered = self
            .run(
                &["version".into(), "--template".into(), "{{.Version}}".into()],
                scratch,
                Prints::Document,
            )
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
        if let Some(cluster) = template.cluster {
            arguments.extend(["--kube-version".into(), cluster.version.as_str().into()]);
            let versions = cluster.api_versions.iter();
            arguments.extend(versions.flat_map(|version| ["--api-versions".into(), version.into()]));
        }
        self.run(&arguments, template.scratch, Prints::Document).await
    }

    /// How long Helm waits for what it applied to become ready, in whole seconds. Shorter than a run may take, so that
    /// Helm itself tells.
    #[must_use]
    pub fn wait_max(&self) -> Duration {
        let left = self.left();
        let wait = left - (left / 4).min(MARGIN);
        Duration::from_secs(wait.as_secs().max(1))
    }

    /// Installs a chart, or upgrades what is there to it, and waits until it is ready. Returns what Helm said.
    ///
    /// # Errors
    ///
    /// [`HelmError`]; whatever Helm said is in [`HelmError::Failed`], complete.
    pub async fn upgrade(&self, upgrade: &Upgrade<'_>) -> Result<String, HelmError> {
        let mut arguments: Vec<OsString> = vec!["upgrade".into(), upgrade.release.into(), upgrade.chart.into()];
        arguments.extend(["--install".into(), "--namespace".into(), upgrade.namespace.into()]);
        arguments.extend(["--history-max".into(), HISTORY_MAX.to_string().into()]);
        arguments.extend(["--labels".into(), upgrade.labels.join(",").into()]);
        arguments.extend(waiting(upgrade.wait));
        if let Some(values) = upgrade.values {
            arguments.extend(["--values".into(), values.into()]);
        }
        let done = self.run(&arguments, upgrade.scratch, Prints::Words).await;
        done.map(Rendered::words)
    }

    /// Removes a release, and waits until its objects are gone. Returns what Helm said.
    ///
    /// # Errors
    ///
    /// As [`Helm::upgrade`].
    pub async fn uninstall(&self, named: &Named<'_>) -> Result<String, HelmError> {
        let mut arguments: Vec<OsString> = vec!["uninstall".into(), named.release.into()];
        arguments.extend(["--namespace".into(), named.namespace.into()]);
        arguments.extend(waiting(self.wait_max()));
        let done = self.run(&arguments, named.scratch, Prints::Words).await;
        done.map(Rendered::words)
    }

    /// The manifest of a release's newest revision, as it was applied.
    ///
    /// # Errors
    ///
    /// As [`Helm::upgrade`].
    pub async fn manifest(&self, named: &Named<'_>) -> Result<String, HelmError> {
        let mut arguments: Vec<OsString> = vec!["get".into(), "manifest".into(), named.release.into()];
        arguments.extend(["--namespace".into(), named.namespace.into()]);
        let rendered = self.run(&arguments, named.scratch, Prints::Document).await?;
        Ok(rendered.manifest)
    }

    async fn run(&self, arguments: &[OsString], scratch: &Path, prints: Prints) -> Result<Rendered, HelmError> {
        let mut command = self.limited_command();
        confine(&mut command, scratch);
        let mut child = command.args(arguments).spawn().map_err(|error| self.unusable(error))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let limit_bytes = self.output_max_bytes;
        let transcript = self.attempt.as_ref().map(|attempt| &attempt.transcript);
        let errors = transcript.map(|transcript| (transcript, Channel::Errors));
        let words = transcript.filter(|_| prints == Prints::Words);
        let words = words.map(|transcript| (transcript, Channel::Output));
        let finish = async {
            let out = read(stdout, limit_bytes, words);
            let (out, err) = tokio::try_join!(out, read(stderr, limit_bytes / 4, errors))?;
            Ok::<_, HelmError>((child.wait().await?, out, err))
        };
        let timeout = HelmError::Timeout { limit: self.timeout };
        let left = self.left();
        // Leaving early drops the child, and that kills it.
        let (status, manifest, said) = tokio::time::timeout(left, finish).await.map_err(|_| timeout)??;
        let output = String::from_utf8_lossy(&said).into_owned();
        match status.code() {
            Some(0) => Ok(Rendered {
                manifest: String::from_utf8(manifest).map_err(|_| HelmError::NotText)?,
                output,
            }),
            // The shell says 127 for a program it cannot find.
            Some(127) if manifest.is_empty() => Err(self.unusable(std::io::ErrorKind::NotFound.into())),
            None if status.signal() == Some(SIGKILL) => Err(HelmError::Killed { limit: self.timeout }),
            _ => Err(HelmError::Failed {
                output: output + &String::from_utf8_lossy(&manifest),
            }),
        }
    }

    /// Helm has no limit of its own on what a template may take. The shell sets limits of memory and of processor
    /// time and becomes Helm, so that killing the child kills Helm; and where the system can, Helm dies with the server.
    fn limited_command(&self) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", LIMITED, "sh"]);
        command.arg((self.memory_max_bytes / 1024).to_string());
        command.arg(self.left().as_secs().max(1).to_string());
        command.arg(&self.program);
        command
    }

    fn unusable(&self, source: std::io::Error) -> HelmError {
        HelmError::Missing {
            program: self.program.clone(),
            source,
        }
    }
}

/// Runs `$3 …` with at most `$1` KiB of address space and `$2` seconds of processor time.
const LIMITED: &str = r#"
command -v "$3" >/dev/null || exit 127
ulimit -v "$1" && ulimit -t "$2" && shift 2 || exit 126
command -v setpriv >/dev/null && exec setpriv --pdeathsig KILL "$@"
exec "$@"
"#;

/// Helm finds and leaves everything in its own folder, and ends with whoever waits for it.
fn confine(command: &mut Command, scratch: &Path) {
    command
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "LANG"))
        .env("HOME", scratch)
        .env("HELM_CACHE_HOME", scratch.join("cache"))
        .env("HELM_CONFIG_HOME", scratch.join("config"))
        .env("HELM_DATA_HOME", scratch.join("data"))
        .env("KUBECACHEDIR", scratch.join("kube-cache"))
        // Only there if Helm is to reach a cluster; never the one of whoever started the server.
        .env("KUBECONFIG", scratch.join(KUBECONFIG))
        .current_dir(scratch)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
}

fn waiting(wait: Duration) -> [OsString; 3] {
    [
        "--wait".into(),
        "--timeout".into(),
        format!("{}s", wait.as_secs()).into(),
    ]
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    /// Helm is this script.
    fn scripted(folder: &Path, script: &str) -> Helm {
        let program = folder.join("helm");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Helm::new(program, &Limits::from_environment())
    }

    fn named(scratch: &Path) -> Named<'_> {
        Named {
            release: "cache",
            namespace: "shop",
            scratch,
        }
    }

    async fn until(condition: impl Fn() -> bool) {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn what_a_run_says_is_known_before_its_end_and_after_it_was_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let helm = scripted(folder.path(), "echo going; echo careful >&2; exec sleep 1000").for_attempt();
        let named = named(folder.path());
        tokio::select! {
            ended = helm.uninstall(&named) => panic!("it ended: {ended:?}"),
            () = until(|| helm.said().len() == "careful\ngoing\n".len()) => {}
        }
        assert_eq!(helm.said(), "careful\ngoing\n");
    }

    #[tokio::test]
    async fn a_manifest_is_nothing_that_is_said_and_another_attempt_begins_with_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let helm = scripted(folder.path(), "echo 'kind: Secret'; echo careful >&2");
        let first = helm.for_attempt();
        assert_eq!(first.manifest(&named(folder.path())).await.unwrap(), "kind: Secret\n");
        assert_eq!(first.said(), "careful\n");
        assert_eq!(helm.for_attempt().said(), "");
    }
}
