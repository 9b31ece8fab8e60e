//! Calling others by HTTP: one TLS stack, rustls on ring.

use std::sync::Arc;
use std::time::Duration;

use reqwest::ClientBuilder;
use rustls::{ClientConfig, RootCertStore};

/// A client whose connecting and answering take at most so long.
pub fn client(connect: Duration, answer: Duration) -> crate::Result<ClientBuilder> {
    Ok(reqwest::Client::builder().tls_backend_preconfigured(tls()?).connect_timeout(connect).timeout(answer))
}

/// Mozilla's root certificates are built in: the machine may have none.
pub(crate) fn tls() -> crate::Result<ClientConfig> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(crate::Error::internal)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
