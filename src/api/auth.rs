//! Who calls: looked at before anything else of a request is read, and known to its handler from then on.

use actix_web::{
    HttpRequest,
    http::header::{AUTHORIZATION, HeaderMap, HeaderValue},
    web::Data,
};

use super::{problem::Problem, routes::ApiState};
use crate::{
    clients::{Caller, Client, Directory},
    domain::AuthFailure,
    telemetry::Metrics,
};

/// The scheme of tokens, in any spelling.
const SCHEME: &str = "bearer";
/// Longer than any token; what is longer is not hashed.
const LONGEST: usize = 4096;

/// The door of the main listener.
#[derive(Clone)]
pub enum Door {
    /// Whoever reaches it may come in.
    Open(Caller),
    /// Who has a token of the clients file.
    Tokens(Directory),
}

impl Door {
    /// Who calls with these headers.
    ///
    /// # Errors
    /// When nobody who may.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<Caller, AuthFailure> {
        match self {
            Self::Open(anybody) => Ok(anybody.clone()),
            Self::Tokens(directory) => directory.authenticate(token(headers)?),
        }
    }
}

/// Who calls. Asked again when a body was read that may have taken long: what nobody may send any more is not
/// sent, and rights and limits are those of now.
pub(super) fn admit(request: &HttpRequest, state: &ApiState) -> Result<Caller, Problem> {
    state.door.admit(request.headers()).map_err(|failure| {
        tracing::warn!(reason = failure.as_str(), "Let nobody in.");
        if let Some(metrics) = request.app_data::<Data<Metrics>>() {
            metrics.auth_failed(failure);
        }
        Problem::not_admitted(failure)
    })
}

impl Problem {
    /// 401: no client.
    pub(super) fn not_admitted(failure: AuthFailure) -> Self {
        Self::unauthorized(match failure {
            AuthFailure::Missing => {
                "this gateway asks for the token of a client: Authorization: Bearer TOKEN"
            }
            AuthFailure::Malformed => "Send `Authorization: Bearer TOKEN`.",
            AuthFailure::Unknown => "no client has this token; it may have been replaced",
        })
    }
}

/// Refuses `force` to who may not.
pub(super) fn check_force(client: &Client, force: bool) -> Result<(), Problem> {
    if force && !client.rights.force {
        return Err(Problem::lacks_right(
            "force",
            "this client may not send again within the window; leave force out, or have force = true in the \
             clients file",
        ));
    }
    Ok(())
}

fn token(headers: &HeaderMap) -> Result<&str, AuthFailure> {
    let mut values = headers.get_all(AUTHORIZATION);
    let value: &HeaderValue = values.next().ok_or(AuthFailure::Missing)?;
    if values.next().is_some() {
        return Err(AuthFailure::Malformed);
    }
    let text = value.to_str().map_err(|_| AuthFailure::Malformed)?.trim();
    let (scheme, token) = text.split_once(' ').ok_or(AuthFailure::Malformed)?;
    let token = token.trim_start();
    if !scheme.eq_ignore_ascii_case(SCHEME) || token.is_empty() || token.len() > LONGEST {
        return Err(AuthFailure::Malformed);
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_token_stands_behind_the_word_bearer_once() {
        for value in ["Bearer fxg_a", "bearer fxg_a", "BEARER   fxg_a "] {
            assert_eq!(token(&headers(&[value])), Ok("fxg_a"), "{value}");
        }
        assert_eq!(token(&headers(&[])), Err(AuthFailure::Missing));
        for values in [&["fxg_a"][..], &["Basic YTpi"], &["Bearer"], &["Bearer "], &["Bearer a", "Bearer a"]]
        {
            assert_eq!(token(&headers(values)), Err(AuthFailure::Malformed), "{values:?}");
        }
    }
}
