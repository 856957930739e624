//! Between a new access token and its use: a refresh token that fax.plus replaced is written first.
//!
//! The one before is of no use any more, so losing it would need a person. The books say which one is in use,
//! and forget it when a file brings another seed. Without a file nothing is kept, and nothing waits.

use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::{books::After, credential::Proof, dispatcher::Dispatcher, ledger::REFRESH_TOKEN, message::Event};
use crate::{store::file::Write, upstream::RenewalError};

/// A renewal that is over, and what it was for.
pub(super) enum Renewed {
    /// To replace a token ahead of its end.
    Ahead(Result<bool, RenewalError>),
    /// To prove what is in use then. `reread`: a file brought new secrets.
    ForProof { reread: bool, found: Result<bool, RenewalError> },
}

impl Dispatcher {
    /// A renewal is over: goes on, once a replaced refresh token is written.
    pub(super) fn credential_renewed(&mut self, renewed: Renewed, now: Instant) {
        self.tending.asking = false;
        self.keep_rotation();
        match self.ledger.books() {
            Some(books) if self.tending.keeping => books.then(After::Renewed(renewed)),
            Some(_) | None => self.go_on_renewed(renewed, now),
        }
    }

    /// Goes on with what a renewal has brought.
    pub(super) fn go_on_renewed(&mut self, renewed: Renewed, now: Instant) {
        self.tending.keeping = false;
        match renewed {
            Renewed::Ahead(found) => self.credential_refreshed(found, now),
            Renewed::ForProof { reread, found: Err(error) } => {
                let generation = self.tending.refused;
                let proof = Proof { generation, reread, refreshed: false, found: Err(error) };
                self.credential_proved(proof, now);
            }
            Renewed::ForProof { reread, found: Ok(refreshed) } => {
                let upstream = self.upstream.clone();
                self.spawn(async move {
                    let generation = upstream.generation();
                    let found = Ok(upstream.probe().await);
                    Event::CredentialProved(Proof { generation, reread, refreshed, found })
                });
            }
        }
    }

    /// Takes over the replaced refresh token that an earlier process kept, as far as it is in use.
    pub(super) fn start_with_rotation(&mut self, kept: Option<SecretString>) {
        self.tending.kept = kept;
        self.keep_rotation();
        // Nothing waits for it.
        self.tending.keeping = false;
    }

    /// Writes which replaced refresh token is in use, or that there is none any more, if that is news.
    fn keep_rotation(&mut self) {
        let Some(books) = self.ledger.books() else { return };
        let rotation = self.upstream.rotation();
        let text =
            |secret: &Option<SecretString>| secret.as_ref().map(|secret| secret.expose_secret().to_owned());
        if text(&rotation) == text(&self.tending.kept) {
            return;
        }
        books.make_hard();
        books.write(match &rotation {
            Some(rotation) => Write::Secret(REFRESH_TOKEN, rotation.clone()),
            None => Write::Fact(REFRESH_TOKEN, None),
        });
        self.tending.kept = rotation;
        self.tending.keeping = true;
    }

    /// A file has brought another seed, or another client's secret: nothing waits for that to be written.
    pub(super) fn forget_rotation(&mut self) {
        let was_keeping = self.tending.keeping;
        self.keep_rotation();
        self.tending.keeping = was_keeping;
    }
}
