//! The OAuth2 keys of `[credentials]`.
//!
//! Refuses a token URL that is none, and a client id that no HTTP Basic header can carry.

use super::{
    base_url::BaseUrl, read::Reader, render::Rendering, secret::is_quoted, secret_source::SecretSource,
};

const CLIENT_ID: &str = "credentials.client_id";
const CLIENT_SECRET: &str = "credentials.client_secret";
const CLIENT_SECRET_FILE: &str = "credentials.client_secret_file";
const REFRESH_TOKEN: &str = "credentials.refresh_token";
const REFRESH_TOKEN_FILE: &str = "credentials.refresh_token_file";
const TOKEN_URL: &str = "credentials.token_url";
const REFRESH_IN: &str = "credentials.refresh_in";

const MAX_CLIENT_ID_BYTES: usize = 1024;

/// Where the refresh token stands in the request for an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshIn {
    /// In the query string, as fax.plus documents it.
    Query,
    /// In a form body, so that no log on the way has it.
    Body,
}

/// A client with its grant.
#[derive(Debug, Clone)]
pub struct OAuth2Settings {
    /// The client's id; also the value of `x-fax-clientid`.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: SecretSource,
    /// The refresh token to begin with.
    pub refresh_token: SecretSource,
    /// Where access tokens are had: `http` or `https`.
    pub token_url: String,
    /// Where the refresh token stands in the request.
    pub refresh_in: RefreshIn,
}

/// What the settings say, whole or not.
#[derive(Debug, Clone)]
pub(super) struct OAuth2Keys {
    client_id: String,
    client_secret: Option<SecretSource>,
    refresh_token: Option<SecretSource>,
    pub(super) token_url: String,
    refresh_in: RefreshIn,
    /// The keys without a default that have a value.
    pub(super) given: Vec<&'static str>,
}

impl OAuth2Keys {
    /// The settings of a client, when nothing is missing.
    pub(super) fn whole(&self) -> Option<OAuth2Settings> {
        Some(OAuth2Settings {
            client_id: Some(self.client_id.clone()).filter(|id| !id.is_empty())?,
            client_secret: self.client_secret.clone()?,
            refresh_token: self.refresh_token.clone()?,
            token_url: self.token_url.clone(),
            refresh_in: self.refresh_in,
        })
    }

    pub(super) fn read(reader: &mut Reader) -> Self {
        let client_id = client_id(reader);
        let client_secret = SecretSource::read(reader, CLIENT_SECRET, CLIENT_SECRET_FILE);
        let refresh_token = SecretSource::read(reader, REFRESH_TOKEN, REFRESH_TOKEN_FILE);
        let mut given: Vec<_> = (!client_id.is_empty()).then_some(CLIENT_ID).into_iter().collect();
        given.extend(client_secret.given);
        given.extend(refresh_token.given);
        Self {
            client_id,
            client_secret: client_secret.found,
            refresh_token: refresh_token.found,
            token_url: token_url(reader),
            refresh_in: reader.parsed(
                REFRESH_IN,
                "\"body\" or \"query\"",
                RefreshIn::Body,
                |text| match text {
                    "body" => Some(RefreshIn::Body),
                    "query" => Some(RefreshIn::Query),
                    _ => None,
                },
            ),
            given,
        }
    }

    /// Refuses what is missing.
    pub(super) fn demand(&self, reader: &mut Reader) {
        let missing = |keys: &[&str]| !keys.iter().any(|key| self.given.contains(key));
        if missing(&[CLIENT_ID]) && reader.all_well(&[CLIENT_ID]) {
            reader.refuse(CLIENT_ID, "is missing; OAuth2 needs it");
        }
        for (key, file_key) in [(CLIENT_SECRET, CLIENT_SECRET_FILE), (REFRESH_TOKEN, REFRESH_TOKEN_FILE)] {
            if missing(&[key, file_key]) && reader.all_well(&[key, file_key]) {
                reader.refuse(key, format!("is missing; set it or {file_key}"));
            }
        }
    }

    pub(super) fn render(&self, out: &mut Rendering) {
        out.text("client_id", &self.client_id);
        SecretSource::render(self.client_secret.as_ref(), out, "client_secret");
        SecretSource::render(self.refresh_token.as_ref(), out, "refresh_token");
        out.text("token_url", &self.token_url);
        out.text(
            "refresh_in",
            match self.refresh_in {
                RefreshIn::Query => "query",
                RefreshIn::Body => "body",
            },
        );
    }
}

fn client_id(reader: &mut Reader) -> String {
    let id = reader.text(CLIENT_ID);
    // RFC 7617 ends the id at the first colon; RFC 6749, appendix A.1, allows printable ASCII.
    if id.len() > MAX_CLIENT_ID_BYTES || !id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':') {
        reader
            .refuse(CLIENT_ID, "must be printable ASCII without spaces and colons, at most 1024 characters");
        return String::new();
    }
    if is_quoted(&id) {
        reader.refuse(CLIENT_ID, "begins or ends with a quotation mark; give the id without its quotes");
        return String::new();
    }
    id
}

fn token_url(reader: &mut Reader) -> String {
    let text = reader.text(TOKEN_URL);
    if !reader.all_well(&[TOKEN_URL]) {
        return String::new();
    }
    match BaseUrl::parse(&text) {
        Ok(_) => text,
        Err(why) => {
            reader.refuse(TOKEN_URL, why);
            String::new()
        }
    }
}
