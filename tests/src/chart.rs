//! Helm charts, built in memory.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{archive::Archive, snapshot::files_below};

const TEMPLATE: &str = r#"{{- if .Values.impossible }}
{{- fail (printf "this cannot be: %s" .Values.impossible) }}
{{- end }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
data:
  chart: {{ .Chart.Name }}-{{ .Chart.Version }}
  greeting: {{ .Values.greeting | quote }}
"#;

const VALUES: &str = "# what it says\ngreeting: hello\n";

/// A small chart that renders to one `ConfigMap`. Its value `greeting` is shown there; `impossible` makes it fail.
#[must_use]
pub fn chart(name: &str, version: &str) -> Chart {
    let about = format!(
        "apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: \"7.4\"\ndescription: Keeps {name} things\n"
    );
    Chart {
        name: name.to_owned(),
        files: vec![],
    }
    .file("Chart.yaml", &about)
    .file("values.yaml", VALUES)
    .file("README.md", format!("# {name}\n\nHow to use {name}.\n"))
    .file("templates/configmap.yaml", TEMPLATE)
}

const WORKLOAD: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas | default 1 }}
  selector:
    matchLabels:
      app: {{ .Release.Name }}
  template:
    metadata:
      labels:
        app: {{ .Release.Name }}
    spec:
      containers:
        - name: main
          image: {{ .Values.image | default (printf "example.org/%s:%s" .Chart.Name .Chart.Version) }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector:
    app: {{ .Release.Name }}
  ports:
    - port: 80
{{- with .Values.hook }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $.Release.Name }}-hook
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: hook
          image: example.org/hook:1
          command: {{ toJson . }}
{{- end }}
"#;

/// A [`chart`] with a Deployment and a Service of the release's name, too. Its values: `replicas`, 1 if not given; `image`,
/// by default one of the chart's name and version; and `hook`, the command of a Job before each change, if there is to
/// be one.
#[must_use]
pub fn workload(name: &str, version: &str) -> Chart {
    chart(name, version).file("templates/workload.yaml", WORKLOAD)
}

#[derive(Debug, Clone)]
pub struct Chart {
    name: String,
    files: Vec<(String, Vec<u8>)>,
}

impl Chart {
    /// Adds a file, or replaces it.
    #[must_use]
    pub fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.retain(|(known, _)| known != path);
        self.files.push((path.to_owned(), content.as_ref().to_vec()));
        self
    }

    /// Adds lines to the chart's own values.
    ///
    /// # Panics
    ///
    /// If it has none.
    #[must_use]
    pub fn default_values(mut self, lines: &str) -> Self {
        let values = self.files.iter_mut().find(|(path, _)| path == "values.yaml");
        let (_, values) = values.expect("the chart has values");
        values.extend_from_slice(lines.as_bytes());
        self
    }

    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        self.files.retain(|(known, _)| known != path);
        self
    }

    /// The files in the chart's folder; more may be put beside them.
    #[must_use]
    pub fn archive(&self) -> Archive {
        let add = |archive: Archive, (path, content): &(String, Vec<u8>)| {
            archive.file(&format!("{}/{path}", self.name), content)
        };
        self.files.iter().fold(Archive::new(), add)
    }

    /// What `helm package` would make of it. The same chart has the same bytes.
    #[must_use]
    pub fn packed(&self) -> Vec<u8> {
        self.archive().packed()
    }
}

/// A chart of the demo's: Redis 11.3.4 or 12.0.0.
///
/// # Panics
///
/// If there is no such chart.
#[must_use]
pub fn demo_redis(version: &str) -> Chart {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/demo/charts");
    let folder = demo.join(format!("redis-{version}/redis"));
    let files = files_below(&folder).expect("the demo's charts can be read");
    let read = |file: &PathBuf| {
        let bytes = fs::read(folder.join(file)).expect("the demo's charts can be read");
        (
            file.to_str().expect("a chart's files have plain names").to_owned(),
            bytes,
        )
    };
    Chart {
        name: "redis".to_owned(),
        files: files.iter().map(read).collect(),
    }
}
