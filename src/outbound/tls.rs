//! Trust: the machine's certificate authorities, and one file more.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use thiserror::Error;

/// Why no TLS client could be set up.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The extra file of authorities can't be used.
    #[error("upstream.ca_file: {path}: {cause}")]
    CaFile {
        /// The file.
        path: String,
        /// What is wrong with it.
        cause: String,
    },
}

/// Makes ring the process's cryptography. Call it first; calling it again changes nothing.
pub fn install_crypto_provider() {
    // An error means that a provider is installed already, which is what we want.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// A client configuration for HTTP/1.1 that trusts the machine's roots and those in `ca_file`.
///
/// A machine without roots is no error here: a plain `http` upstream needs none, and an `https` one
/// says so at its first handshake.
pub(super) fn client_config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    let (_, unusable) = roots.add_parsable_certificates(native.certs);
    if unusable > 0 {
        tracing::warn!(unusable, "Some certificate authorities of this machine can't be used.");
    }
    if let Some(path) = ca_file {
        add_file(&mut roots, path)?;
    }
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), TlsError> {
    let wrong = |cause: String| TlsError::CaFile { path: path.display().to_string(), cause };
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(error.to_string()))?;
    if certificates.is_empty() {
        return Err(wrong("holds no PEM certificate".to_owned()));
    }
    for certificate in certificates {
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    Ok(())
}
