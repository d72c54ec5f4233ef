//! The stand-in for Kubernetes is taken for a cluster by the real Helm 3 and the real Helm 4, and can fail like one.

mod access;
mod failures;
mod objects;
mod releases;

use harness::{chart, helm::Helm, kubernetes::Kubernetes};

/// A chart with a Deployment, a Service, and a Job before installing and after upgrading. Its value `image` may be one
/// that cannot be had, and `hook` the command of the Job.
fn workload(version: &str) -> chart::Chart {
    chart("web", version)
        .file(
            "values.yaml",
            "replicas: 1\nimage: example.org/web:1\nhook: [\"true\"]\ngreeting: hello\n",
        )
        .file("templates/workload.yaml", WORKLOAD)
}

const WORKLOAD: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels:
      app: {{ .Release.Name }}
  template:
    metadata:
      labels:
        app: {{ .Release.Name }}
    spec:
      containers:
        - name: web
          image: {{ .Values.image }}
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
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-hook
  annotations:
    helm.sh/hook: pre-install,post-upgrade
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: hook
          image: example.org/hook:1
          command: {{ .Values.hook | toJson }}
"#;

/// A cluster, and both Helms as its owner would use them, each with the chart at hand as `web.tgz`.
async fn cluster() -> (Kubernetes, [Helm; 2]) {
    let kubernetes = Kubernetes::start().await;
    let helms = Helm::both().await;
    for helm in &helms {
        helm.use_cluster(&kubernetes.kubeconfig());
        std::fs::write(helm.file("web.tgz"), workload("1.0.0").packed()).unwrap();
    }
    (kubernetes, helms)
}
