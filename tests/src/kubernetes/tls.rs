//! A certificate authority of a cluster's own.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
        server::WebPkiClientVerifier,
    },
};

pub(super) struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key.
pub(super) struct Identity {
    pub(super) certificate: Certificate,
    pub(super) key: KeyPair,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut about = CertificateParams::default();
        about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        about.distinguished_name.push(DnType::CommonName, "kubernetes");
        about.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = new_key();
        let certificate = about.self_signed(&key).expect("it signs itself");
        Self {
            certificate,
            issuer: Issuer::new(about, key),
        }
    }

    /// The certificate that clients trust.
    pub(super) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// An identity for a client.
    pub(super) fn client(&self, name: &str) -> Identity {
        self.identify(vec![], name, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn identify(&self, addresses: Vec<String>, name: &str, usage: ExtendedKeyUsagePurpose) -> Identity {
        let mut about = CertificateParams::new(addresses).expect("the addresses are valid");
        about.distinguished_name.push(DnType::CommonName, name);
        about.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        about.extended_key_usages = vec![usage];
        let key = new_key();
        let certificate = about.signed_by(&key, &self.issuer).expect("the authority signs");
        Identity { certificate, key }
    }

    /// Takes connections at 127.0.0.1, from clients with a certificate of this authority or with none.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots
            .add(self.certificate.der().clone())
            .expect("an authority's certificate is a root");
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let verifier = verifier.allow_unauthenticated().build().expect("there is a root");
        let own = self.identify(
            vec!["127.0.0.1".to_owned()],
            "kube-apiserver",
            ExtendedKeyUsagePurpose::ServerAuth,
        );
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.key.serialize_der()));
        let configuration = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let configuration = configuration
            .expect("the provider has all versions")
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![own.certificate.der().clone()], key);
        TlsAcceptor::from(Arc::new(configuration.expect("the key is the certificate's")))
    }
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("there is randomness")
}
