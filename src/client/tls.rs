//! The TLS of a client, which the features choose.

use crate::Error;
use reqwest::ClientBuilder;

/// Gives the HTTP client its TLS. `roots` are PEM texts of certificates to trust besides the platform's.
///
/// If `needed` is false (for a plain HTTP host), no certificate is loaded, so that a test or a demonstration need not
/// read the platform's store at its start.
#[cfg(feature = "native-tls")]
pub(crate) fn configure(builder: ClientBuilder, _needed: bool, roots: &[Vec<u8>]) -> Result<ClientBuilder, Error> {
    let mut certificates = Vec::new();
    for pem in roots {
        let parsed = reqwest::Certificate::from_pem_bundle(pem).map_err(|error| bad_root().caused_by(error))?;
        if parsed.is_empty() {
            return Err(bad_root());
        }
        certificates.extend(parsed);
    }
    Ok(builder.tls_backend_native().tls_certs_merge(certificates))
}

/// Does the same by rustls, with the chosen provider and the platform's certificate verifier.
#[cfg(all(feature = "__rustls", not(feature = "native-tls")))]
pub(crate) fn configure(builder: ClientBuilder, needed: bool, roots: &[Vec<u8>]) -> Result<ClientBuilder, Error> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    use rustls_platform_verifier::Verifier;
    use std::sync::Arc;

    #[cfg(feature = "rustls-aws-lc-rs")]
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    #[cfg(not(feature = "rustls-aws-lc-rs"))]
    let provider = Arc::new(rustls::crypto::ring::default_provider());

    let mut certificates = Vec::new();
    for pem in roots {
        let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        certificates.extend(parsed.ok().filter(|parsed| !parsed.is_empty()).ok_or_else(bad_root)?);
    }
    let unusable = |error: rustls::Error| {
        Error::configuration("TLS cannot be set up; check the platform's certificate store").caused_by(error)
    };
    let config = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    let mut config = if needed {
        let verifier = Verifier::new_with_extra_roots(certificates, provider).map_err(unusable)?;
        config.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
    } else {
        config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(builder.tls_backend_preconfigured(config))
}

/// Refuses what needs TLS: a build without it can speak to plain HTTP hosts only.
#[cfg(not(any(feature = "native-tls", feature = "__rustls")))]
pub(crate) fn configure(builder: ClientBuilder, needed: bool, roots: &[Vec<u8>]) -> Result<ClientBuilder, Error> {
    if needed || !roots.is_empty() {
        let features = "`rustls-ring`, `rustls-aws-lc-rs` or `native-tls`";
        return Err(Error::configuration(format!("this build has no TLS; enable one of the features {features}")));
    }
    Ok(builder)
}

#[cfg(any(feature = "native-tls", feature = "__rustls"))]
fn bad_root() -> Error {
    Error::configuration("a root certificate is not PEM, or holds no certificate; give the text of a .pem file")
}
