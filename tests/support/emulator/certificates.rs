//! Certificates made on the spot for whatever host is asked for.

use super::conduct::{Certificate, Conduct};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs as provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::sync::{Arc, Mutex, PoisonError};

/// An authority of certificates, and the server's side of TLS.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// The authority's own certificate.
    pub(super) pem: String,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let name = &mut params.distinguished_name;
        name.push(DnType::CommonName, "An authority of tests");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("signed by itself");
        Self {
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        }
    }

    fn certified(&self, host: &str, kind: Certificate) -> CertifiedKey {
        let host = match kind {
            Certificate::OtherHost => "somewhere-else.example.com",
            _ => host,
        };
        let names = vec![host.to_owned(), "localhost".to_owned()];
        let mut params = CertificateParams::new(names).expect("names");
        if kind == Certificate::Expired {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = match kind {
            Certificate::SelfSigned => params.self_signed(&key),
            _ => params.signed_by(&key, &self.issuer),
        };
        let chain = vec![certificate.expect("signed").der().clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = provider::sign::any_supported_type(&key).expect("a usable key");
        CertifiedKey::new(chain, key)
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Authority")
    }
}

/// Shows the certificate that the conduct asks for.
#[derive(Debug)]
struct Shown {
    authority: Arc<Authority>,
    conduct: Arc<Mutex<Conduct>>,
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let conduct = self.conduct.lock().unwrap_or_else(PoisonError::into_inner);
        // A bare address is not named in a greeting.
        let host = hello.server_name().unwrap_or("127.0.0.1");
        let certified = self.authority.certified(host, conduct.certificate);
        Some(Arc::new(certified))
    }
}

/// The server's side of TLS.
pub(super) fn tls(authority: &Arc<Authority>, conduct: &Arc<Mutex<Conduct>>) -> Arc<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(Arc::new(provider::default_provider()));
    let builder = builder
        .with_safe_default_protocol_versions()
        .expect("versions of TLS");
    let shown = Shown {
        authority: Arc::clone(authority),
        conduct: Arc::clone(conduct),
    };
    let config = builder
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(shown));
    Arc::new(config)
}
