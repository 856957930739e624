//! `[credentials]`: what the gateway shows fax.plus.
//!
//! Reads secret files once to see that they can be used. Refuses a secret given twice, a credential
//! that is not whole where one is needed, keys of the kind that is not chosen, and any credential
//! where none is accepted.

use secrecy::{ExposeSecret as _, SecretString};

use super::{
    CredentialRule,
    oauth2::{OAuth2Keys, OAuth2Settings},
    read::Reader,
    render::Rendering,
    secret::{Flaw, SecretError},
    secret_source::SecretSource,
};

const KIND: &str = "credentials.kind";
const TOKEN: &str = "credentials.token";
const TOKEN_FILE: &str = "credentials.token_file";

/// Which kind of credential is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    PersonalAccessToken,
    OAuth2,
}

/// A whole credential.
#[derive(Debug, Clone)]
pub enum CredentialChoice {
    /// A personal access token, opaque.
    PersonalAccessToken(SecretSource),
    /// Access tokens that are had for a refresh token.
    OAuth2(OAuth2Settings),
}

/// The credential for fax.plus.
#[derive(Debug, Clone)]
pub struct CredentialSettings {
    kind: Kind,
    token: Option<SecretSource>,
    oauth2: OAuth2Keys,
}

impl CredentialSettings {
    /// The credential of the kind that is chosen; `None` only where [`CredentialRule`] allows it.
    pub fn choice(&self) -> Option<CredentialChoice> {
        match self.kind {
            Kind::PersonalAccessToken => self.token.clone().map(CredentialChoice::PersonalAccessToken),
            Kind::OAuth2 => self.oauth2.whole().map(CredentialChoice::OAuth2),
        }
    }

    /// Takes a personal access token instead of whatever was set.
    pub fn use_token(&mut self, token: SecretString) {
        self.kind = Kind::PersonalAccessToken;
        self.token = Some(SecretSource::Inline(token));
    }

    /// Where access tokens are had, when they are.
    pub(super) fn token_url(&self) -> Option<&str> {
        (self.kind == Kind::OAuth2).then_some(self.oauth2.token_url.as_str())
    }

    pub(super) fn read(reader: &mut Reader, rule: CredentialRule) -> Self {
        let expected = "\"personal_access_token\" or \"oauth2\"";
        let kind = reader.parsed(KIND, expected, Kind::PersonalAccessToken, |text| match text {
            "personal_access_token" => Some(Kind::PersonalAccessToken),
            "oauth2" => Some(Kind::OAuth2),
            _ => None,
        });
        let mut token = SecretSource::read(reader, TOKEN, TOKEN_FILE);
        token.found = token.found.filter(|source| is_one_word(source, reader));
        let oauth2 = OAuth2Keys::read(reader);
        let mut given = token.given;
        given.extend(&oauth2.given);
        let settings = Self { kind, token: token.found, oauth2 };
        match rule {
            CredentialRule::Forbidden => {
                for key in given {
                    reader.refuse(key, "no credentials are accepted here: a simulated fax.plus needs none");
                }
            }
            CredentialRule::Required if reader.all_well(&[KIND]) => settings.demand(reader, &given),
            CredentialRule::Required | CredentialRule::Optional => {}
        }
        settings
    }

    /// Refuses what is missing, and what would do nothing.
    fn demand(&self, reader: &mut Reader, given: &[&'static str]) {
        let (of_kind, other): (Vec<_>, Vec<_>) = given.iter().partition(|key| {
            let personal = [TOKEN, TOKEN_FILE].contains(*key);
            personal == (self.kind == Kind::PersonalAccessToken)
        });
        match self.kind {
            Kind::PersonalAccessToken if of_kind.is_empty() => {
                reader.refuse(TOKEN, "is missing; set it or credentials.token_file");
            }
            Kind::PersonalAccessToken => {}
            Kind::OAuth2 => self.oauth2.demand(reader),
        }
        for key in other {
            let kind = self.kind.as_str();
            reader.refuse(
                key,
                format!("does nothing while credentials.kind is \"{kind}\"; remove one of them"),
            );
        }
    }

    pub(super) fn render(&self, out: &mut Rendering) {
        out.section("credentials");
        out.text("kind", self.kind.as_str());
        SecretSource::render(self.token.as_ref(), out, "token");
        self.oauth2.render(out);
    }
}

/// Refuses a token with a space inside: no Bearer header can carry it (RFC 6750, 2.1).
fn is_one_word(source: &SecretSource, reader: &mut Reader) -> bool {
    let has_space = source.load().is_ok_and(|token| token.expose_secret().trim().contains(' '));
    if has_space {
        let (key, error) = match source.file() {
            Some(path) => (TOKEN_FILE, SecretError::Flawed { path: path.to_owned(), flaw: Flaw::Space }),
            None => (TOKEN, SecretError::Inline(Flaw::Space)),
        };
        reader.refuse_secret(key, error);
    }
    !has_space
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::PersonalAccessToken => "personal_access_token",
            Self::OAuth2 => "oauth2",
        }
    }
}
