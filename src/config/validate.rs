//! The rules between sections: what is refused, and what is worth a warning.

use super::{Settings, auth::AuthMode, base_url::BaseUrl, read::Reader};

/// Refuses settings whose sections contradict each other.
pub(super) fn check(settings: &Settings, reader: &mut Reader) {
    let keys = ["server.listen", "auth.mode", "auth.allow_anonymous"];
    let is_open = settings.auth.mode == AuthMode::None && !settings.auth.allow_anonymous;
    if reader.all_well(&keys) && !settings.server.listen.ip().is_loopback() && is_open {
        let why = "is not a loopback address, and callers are not authenticated; \
                   set auth.mode = \"tokens\", or auth.allow_anonymous = true if everybody who reaches it may \
                   use it";
        reader.refuse("server.listen", why);
    }
}

impl Settings {
    /// What works but is probably not meant, in sentences for an operator. To be told at every start.
    pub fn warnings(&self) -> Vec<String> {
        [
            self.plain_http_warning(),
            self.base_url_warning(),
            self.plain_token_warning(),
            self.token_url_warning(),
            self.dedupe_warning(),
            self.auth_warning(),
        ]
        .into_iter()
        .flatten()
        .chain(self.near_misses.iter().cloned())
        .collect()
    }

    fn base_url_warning(&self) -> Option<String> {
        is_another_place_of_fax_plus(&self.upstream.base_url, "restapi.fax.plus", "/v3").then(|| {
            "upstream.base_url is not that of the API of fax.plus, which is https://restapi.fax.plus/v3: \
             calls will be held as misconfigured if nothing serves it there"
                .to_owned()
        })
    }

    fn token_url_warning(&self) -> Option<String> {
        is_another_place_of_fax_plus(self.credentials.token_url()?, "accounts.fax.plus", "/token").then(
            || {
                "credentials.token_url is not that of fax.plus, which is https://accounts.fax.plus/token: \
             calls will be held as misconfigured if no access token is given there"
                    .to_owned()
            },
        )
    }

    fn plain_http_warning(&self) -> Option<String> {
        crosses_in_plain_text(&self.upstream.base_url).then(|| {
            "upstream.base_url is plain http to another host: \
             the access token and the addresses cross the network readable for everybody on the way"
                .to_owned()
        })
    }

    fn plain_token_warning(&self) -> Option<String> {
        crosses_in_plain_text(self.credentials.token_url()?).then(|| {
            "credentials.token_url is plain http to another host: \
             the client's secret and its tokens cross the network readable for everybody on the way"
                .to_owned()
        })
    }

    fn auth_warning(&self) -> Option<String> {
        let warning = match (self.auth.mode, &self.auth.clients_file, self.auth.allow_anonymous) {
            (AuthMode::None, Some(_), _) => {
                "auth.clients_file is set and auth.mode is \"none\": nobody is asked for a token; \
                 set auth.mode = \"tokens\" to let only those clients call"
            }
            (AuthMode::Tokens, _, true) => {
                "auth.allow_anonymous = true does nothing with auth.mode = \"tokens\": nobody calls without a token"
            }
            (AuthMode::None, None, _) | (AuthMode::Tokens, _, false) => return None,
        };
        Some(warning.to_owned())
    }

    /// A memory that is too small forgets early, and then somebody is mailed twice.
    fn dedupe_warning(&self) -> Option<String> {
        let window = self.dedupe.window?.as_secs_f64();
        let entries = self.dedupe.max_entries;
        let Some(rate) = self.upstream.max_calls_per_second else {
            return Some(format!(
                "upstream.max_calls_per_second = 0 sets no ceiling, so more than \
                 dedupe.max_entries = {entries} addresses could be sent within dedupe.window_seconds; \
                 the oldest would be forgotten early and could be sent twice"
            ));
        };
        let possible = (rate * window * self.upstream.batch_size as f64).ceil();
        (possible > entries as f64).then(|| {
            format!(
                "up to {possible} addresses can be sent within dedupe.window_seconds, and only \
                 dedupe.max_entries = {entries} are remembered; \
                 the oldest would be forgotten early and could be sent twice"
            )
        })
    }
}

/// Whether a URL names a host of fax.plus, and not the one host and path that serve what is wanted.
fn is_another_place_of_fax_plus(url: &str, host: &str, path: &str) -> bool {
    BaseUrl::parse(url).is_ok_and(|url| {
        let named = url.host.trim_end_matches('.').to_ascii_lowercase();
        let is_fax_plus = named == "fax.plus" || named.ends_with(".fax.plus");
        is_fax_plus && (named != host || url.path != path)
    })
}

fn crosses_in_plain_text(url: &str) -> bool {
    BaseUrl::parse(url).is_ok_and(|url| !url.tls && !url.is_loopback())
}
