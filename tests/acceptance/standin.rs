//! The stand-in for Kubernetes is taken for a cluster by the real Helm 3 and the real Helm 4, and can fail like one.

mod access;
mod failures;
mod objects;
mod releases;

use harness::{
    chart::{Chart, workload},
    helm::Helm,
    kubernetes::Kubernetes,
};

/// A chart with a workload, and a Job before each change.
fn web() -> Chart {
    workload("web", "1.0.0").default_values("hook: [\"true\"]\n")
}

/// A cluster, and both Helms as its owner would use them, each with the chart at hand as `web.tgz`.
async fn cluster() -> (Kubernetes, [Helm; 2]) {
    let kubernetes = Kubernetes::start().await;
    let helms = Helm::both().await;
    for helm in &helms {
        helm.use_cluster(&kubernetes.kubeconfig());
        std::fs::write(helm.file("web.tgz"), web().packed()).unwrap();
    }
    (kubernetes, helms)
}
