//! Keeps the credential fresh: reads its files again, and has new access tokens.
//!
//! Does it when told; when that is, is decided in `dispatch`, which asks for one renewal at a time.

use awc::http::{
    Method, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT},
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::{
    client::{AGENT, MAX_ANSWER_BYTES, Upstream},
    credential::{CredentialError, RenewalError, TokenRequest, judge},
};
use crate::{
    domain::Timestamp,
    outbound::{Answer, Failure, FailureKind, Request, Written},
};

impl Upstream {
    /// Reads the secrets' files again and adopts what stands there. Says whether anything is new.
    ///
    /// # Errors
    /// When a file can't be read or holds no secret; what is in use stays.
    pub async fn reread_credential(&self) -> Result<bool, CredentialError> {
        let Some(sources) = self.shared.credential.borrow().sources() else { return Ok(false) };
        let Ok(found) = tokio::task::spawn_blocking(move || sources.read()).await else {
            return Ok(false);
        };
        self.shared.credential.borrow_mut().adopt(found?, Instant::now())
    }

    /// Has a new access token, and says so; a personal one can't be had anew and stays as it is.
    ///
    /// # Errors
    /// When there is no new one; the old one stays in use.
    pub async fn refresh(&self) -> Result<bool, RenewalError> {
        loop {
            let request = self.shared.credential.borrow().token_request(Instant::now());
            let Some((request, asked)) = request else { return Ok(false) };
            let found = judge(self.ask_for_token(request).await);
            let mut credential = self.shared.credential.borrow_mut();
            match found {
                Ok(granted) => return Ok(credential.granted(granted, &asked).map(|()| true)?),
                // Says nothing about the secrets that have come from the files meanwhile.
                Err(_) if credential.has_changed_since(&asked) => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn ask_for_token(&self, request: TokenRequest) -> Result<Answer, Failure> {
        let uri: Uri = request
            .url
            .expose_secret()
            .parse()
            .map_err(|_| Failure { written: false, kind: FailureKind::Unsendable })?;
        let mut headers = vec![
            (AUTHORIZATION, request.authorization),
            (ACCEPT, HeaderValue::from_static("application/json")),
            (USER_AGENT, HeaderValue::from_static(AGENT)),
        ];
        if !request.form.is_empty() {
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            headers.push((CONTENT_TYPE, form));
        }
        let request = Request {
            method: Method::POST,
            uri,
            headers,
            body: request.form,
            // No less than a call may take: an answer that is given up on may hold the only token
            // that is still good.
            timeout: self.shared.timeout,
            max_answer_bytes: MAX_ANSWER_BYTES,
            written: Written::default(),
        };
        self.send(request).await
    }

    /// Whether there is a token to call with: with OAuth2 not before the first refresh.
    pub fn has_token(&self) -> bool {
        self.shared.credential.borrow().is_there()
    }

    /// Which token is in use; grows with each one adopted.
    pub fn generation(&self) -> u64 {
        self.shared.credential.borrow().generation()
    }

    /// When the token in use ends, as far as it is known.
    pub fn token_expires_at(&self) -> Option<Timestamp> {
        self.shared.credential.borrow().expires_at()
    }

    /// When the token in use is to be replaced; `None` when it can't be.
    pub fn refresh_at(&self) -> Option<Instant> {
        self.shared.credential.borrow().refresh_at()
    }

    /// Puts the next refresh off after one that failed.
    pub fn refresh_later(&self, at: Instant) {
        self.shared.credential.borrow_mut().refresh_later(at);
    }

    /// The same with what it replaced, as text to be kept for [`super::Credential::restore_rotation`].
    pub fn rotation(&self) -> Option<SecretString> {
        self.shared.credential.borrow().rotation()
    }

    /// The refresh token in use, when fax.plus replaced the one of the settings.
    pub fn rotated_refresh_token(&self) -> Option<SecretString> {
        self.shared.credential.borrow().rotated()
    }
}
