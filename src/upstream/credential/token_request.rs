//! What is asked of the token endpoint.
//!
//! RFC 6749, section 6, with HTTP Basic for the client, as fax.plus documents it.

use awc::http::header::HeaderValue;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{OAuth2Settings, RefreshIn};

/// A request for an access token. No `Debug`: all of it is secret.
pub(in crate::upstream) struct TokenRequest {
    pub(in crate::upstream) url: SecretString,
    pub(in crate::upstream) authorization: HeaderValue,
    pub(in crate::upstream) form: Bytes,
}

impl TokenRequest {
    pub(super) fn new(
        settings: &OAuth2Settings,
        secret: &SecretString,
        refresh_token: &SecretString,
    ) -> Self {
        let basic = STANDARD.encode(format!("{}:{}", settings.client_id, secret.expose_secret()));
        // Base64 is always fit for a header.
        let mut authorization = HeaderValue::from_str(&format!("Basic {basic}"))
            .unwrap_or_else(|_| HeaderValue::from_static("Basic"));
        authorization.set_sensitive(true);
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("refresh_token", refresh_token.expose_secret())
            .finish();
        let (url, form) = match settings.refresh_in {
            RefreshIn::Body => (settings.token_url.clone(), Bytes::from(form)),
            RefreshIn::Query => (format!("{}?{form}", settings.token_url), Bytes::new()),
        };
        Self { url: SecretString::from(url), authorization, form }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretSource;

    fn request(refresh_in: RefreshIn) -> TokenRequest {
        let inline = |text: &str| SecretSource::Inline(SecretString::from(text));
        let settings = OAuth2Settings {
            client_id: "id".to_owned(),
            client_secret: inline("s:ecret"),
            refresh_token: inline("r"),
            token_url: "https://accounts.example/token".to_owned(),
            refresh_in,
        };
        TokenRequest::new(&settings, &SecretString::from("s:ecret"), &SecretString::from("a+b c&d"))
    }

    #[test]
    fn the_refresh_token_stands_where_the_settings_say() {
        let body = request(RefreshIn::Body);
        let query = request(RefreshIn::Query);

        assert_eq!(body.authorization, "Basic aWQ6czplY3JldA==");
        assert_eq!(body.form, "grant_type=refresh_token&refresh_token=a%2Bb+c%26d");
        assert_eq!(body.url.expose_secret(), "https://accounts.example/token");
        assert!(query.form.is_empty());
        assert_eq!(
            query.url.expose_secret(),
            "https://accounts.example/token?grant_type=refresh_token&refresh_token=a%2Bb+c%26d"
        );
    }
}
