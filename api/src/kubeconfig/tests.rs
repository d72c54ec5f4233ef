//! What a kubeconfig may hold, and what it may not.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::*;

const AUTHORITY: &str = include_str!("tests/authority.crt");
const CERTIFICATE: &str = include_str!("tests/client.crt");
const KEY: &str = include_str!("tests/client.key");
const OTHER_KEY: &str = include_str!("tests/other.key");

fn data(pem: &str) -> String {
    STANDARD.encode(pem)
}

fn with_token() -> Value {
    json!({
        "current-context": "ops",
        "contexts": [{ "name": "ops", "context": { "cluster": "production", "user": "charthouse", "namespace": "x" } }],
        "clusters": [{ "name": "production", "cluster": {
            "server": "https://kubernetes.example:6443/",
            "certificate-authority-data": data(AUTHORITY),
        } }],
        "users": [{ "name": "charthouse", "user": { "token": "secret" } }],
    })
}

fn with_certificate() -> Value {
    let mut kubeconfig = with_token();
    kubeconfig["users"][0]["user"] =
        json!({ "client-certificate-data": data(CERTIFICATE), "client-key-data": data(KEY) });
    kubeconfig
}

fn parse(kubeconfig: &Value) -> Result<Kubeconfig, InvalidKubeconfig> {
    Kubeconfig::parse(&kubeconfig.to_string())
}

fn refused(change: impl FnOnce(&mut Value)) -> InvalidKubeconfig {
    let mut kubeconfig = with_token();
    change(&mut kubeconfig);
    parse(&kubeconfig).unwrap_err()
}

fn of_cluster(field: &'static str, value: impl Into<Value>) -> impl FnOnce(&mut Value) {
    move |kubeconfig| kubeconfig["clusters"][0]["cluster"][field] = value.into()
}

fn of_user(field: &'static str, value: impl Into<Value>) -> impl FnOnce(&mut Value) {
    move |kubeconfig| kubeconfig["users"][0]["user"][field] = value.into()
}

#[test]
fn a_token_or_a_client_certificate_gets_in() {
    assert_eq!(parse(&with_token()).unwrap().token(), Some("secret"));
    assert_eq!(parse(&with_certificate()).unwrap().token(), None);
    let yaml = serde_yaml::to_string(&with_token()).unwrap();
    assert_eq!(Kubeconfig::parse(&yaml), parse(&with_token()));
}

#[test]
fn what_helm_is_given_reads_back_as_what_was_parsed_and_names_who_it_acts_as() {
    for kubeconfig in [with_token(), with_certificate()] {
        let parsed = parse(&kubeconfig).unwrap();
        assert_eq!(Kubeconfig::parse(&parsed.file(None)).as_ref(), Ok(&parsed));
        let file: Value = serde_json::from_str(&parsed.file(Some("system:serviceaccount:demo:charthouse"))).unwrap();
        assert_eq!(file["users"][0]["user"]["as"], "system:serviceaccount:demo:charthouse");
        assert_eq!(
            file["clusters"][0]["cluster"]["server"],
            "https://kubernetes.example:6443"
        );
    }
}

#[test]
fn nothing_secret_is_shown() {
    let shown = format!("{:?}", parse(&with_token()).unwrap());
    assert!(
        !shown.contains("secret") && shown.contains("kubernetes.example"),
        "{shown}"
    );
}

#[test]
fn what_would_run_a_program_read_a_file_or_trust_anybody_is_refused_by_name() {
    let codes = [
        refused(of_user("exec", json!({ "command": "sh" }))),
        refused(of_user("auth-provider", json!({ "name": "gcp" }))),
        refused(of_user("tokenFile", "/etc/passwd")),
        refused(of_user("client-key", "/etc/ssl/key.pem")),
        refused(of_user("client-certificate", "/etc/ssl/certificate.pem")),
        refused(of_cluster("certificate-authority", "/etc/ssl/ca.pem")),
        refused(of_cluster("insecure-skip-tls-verify", true)),
        refused(of_cluster("proxy-url", "http://proxy.example")),
    ]
    .map(|error| error.code());
    assert_eq!(
        codes,
        [
            "KUBECONFIG_EXEC",
            "KUBECONFIG_AUTH_PROVIDER",
            "KUBECONFIG_FILE",
            "KUBECONFIG_FILE",
            "KUBECONFIG_FILE",
            "KUBECONFIG_FILE",
            "KUBECONFIG_INSECURE",
            "KUBECONFIG_PROXY",
        ]
    );
}

#[test]
fn what_says_nothing_is_passed_over_and_what_is_not_known_is_refused() {
    let mut kubeconfig = with_token();
    of_cluster("insecure-skip-tls-verify", false)(&mut kubeconfig);
    of_cluster("extensions", json!([{ "name": "minikube" }]))(&mut kubeconfig);
    of_user("exec", Value::Null)(&mut kubeconfig);
    assert!(parse(&kubeconfig).is_ok());
    for (error, field) in [
        (refused(of_user("as", "system:admin")), "as of a user"),
        (refused(of_user("password", "secret")), "password of a user"),
        (
            refused(of_cluster("tls-server-name", "other.example")),
            "tls-server-name of a cluster",
        ),
    ] {
        assert_eq!(
            error,
            InvalidKubeconfig::Unsupported {
                field: field.to_owned()
            }
        );
    }
}

#[test]
fn a_server_is_reached_by_https_and_only_on_the_loopback_interface_by_http() {
    for server in [
        "http://127.0.0.1:8001",
        "http://[::1]:8001",
        "http://localhost:8001",
        "https://rancher.example/k8s/clusters/c-1",
    ] {
        let mut kubeconfig = with_token();
        of_cluster("server", server)(&mut kubeconfig);
        assert_eq!(parse(&kubeconfig).unwrap().server(), server);
    }
    for server in [
        "http://10.0.0.1",
        "http://localhost.example",
        "ftp://kubernetes.example",
        "kubernetes.example",
        "https://user:password@kubernetes.example",
        "https://kubernetes.example/?a=b",
        "file:///etc/passwd",
        "",
    ] {
        assert_eq!(
            refused(of_cluster("server", server)).code(),
            "KUBECONFIG_SERVER",
            "{server}"
        );
    }
    let without_authority = refused(|kubeconfig| {
        kubeconfig["clusters"][0]["cluster"] = json!({ "server": "https://kubernetes.example" });
    });
    assert_eq!(without_authority, InvalidKubeconfig::AuthorityMissing);
}

#[test]
fn the_current_context_names_one_cluster_and_one_user() {
    let absent = |change: fn(&mut Value)| refused(change).code();
    assert_eq!(
        absent(|it| it["current-context"] = "other".into()),
        "KUBECONFIG_CONTEXT"
    );
    assert_eq!(absent(|it| it["users"] = json!([])), "KUBECONFIG_CONTEXT");
    assert_eq!(absent(|it| it["contexts"] = json!([])), "KUBECONFIG_CONTEXT");
    let twice = |it: &mut Value| {
        let cluster = it["clusters"][0].clone();
        it["clusters"] = json!([cluster, cluster]);
    };
    assert_eq!(refused(twice).code(), "KUBECONFIG_CONTEXT");
}

#[test]
fn credentials_are_one_of_two_kinds_and_whole() {
    let credentials = |user: Value| refused(move |it| it["users"][0]["user"] = user).code();
    for user in [
        json!({}),
        json!({ "token": "" }),
        json!({ "token": "two\nlines" }),
        json!({ "client-certificate-data": data(CERTIFICATE) }),
        json!({ "token": "secret", "client-certificate-data": data(CERTIFICATE), "client-key-data": data(KEY) }),
    ] {
        assert_eq!(credentials(user.clone()), "KUBECONFIG_CREDENTIALS", "{user}");
    }
    for user in [
        json!({ "client-certificate-data": "?", "client-key-data": data(KEY) }),
        json!({ "client-certificate-data": data("no PEM"), "client-key-data": data(KEY) }),
        json!({ "client-certificate-data": data(CERTIFICATE), "client-key-data": data(OTHER_KEY) }),
    ] {
        assert_eq!(credentials(user.clone()), "KUBECONFIG_CERTIFICATE", "{user}");
    }
    let authority = refused(of_cluster("certificate-authority-data", data("no PEM")));
    assert_eq!(authority.code(), "KUBECONFIG_CERTIFICATE");
}

#[test]
fn what_is_no_kubeconfig_is_refused() {
    for text in ["", "- a\n", "a: [", "clusters: 1\n", "a: 1\n---\nb: 2\n"] {
        let code = Kubeconfig::parse(text).unwrap_err().code();
        assert!(
            ["KUBECONFIG_INVALID", "KUBECONFIG_CONTEXT"].contains(&code),
            "{text}: {code}"
        );
    }
    let large = " ".repeat(KUBECONFIG_MAX_BYTES + 1);
    assert_eq!(Kubeconfig::parse(&large).unwrap_err().code(), "KUBECONFIG_TOO_LARGE");
}
