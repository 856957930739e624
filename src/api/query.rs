//! Query strings, strictly: a parameter that does nothing is refused, because a caller who wrote
//! `?dryrun=true` must not find out by mail that it did nothing.

use super::problem::Problem;
use crate::domain::{OutcomeKind, ResendId, Status};

/// What callers name a parameter in which they put addresses.
const ADDRESS_WORDS: [&str; 8] =
    ["email", "emails", "e-mail", "e-mails", "mail", "address", "addresses", "recipients"];
/// Addresses in a URL would end up in the access logs of everything on the way.
const WHERE_ADDRESSES_GO: &str = "addresses do not belong in the query; to send, POST a list as the body of /v1/resends, for example \
     [\"ann@example.com\"] with Content-Type: application/json";

/// The parameters of one request, by name.
#[derive(Debug)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
}

/// Which results an answer carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Results {
    All,
    Problems,
    None,
}

/// What happens when the wait is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnTimeout {
    Continue,
    Cancel,
}

/// The outcomes that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) kinds: Vec<OutcomeKind>,
    pub(super) pending: bool,
}

impl Query {
    /// Reads a query string that may hold each of the `known` parameters once.
    pub(super) fn parse(text: &str, known: &[&str]) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if !known.contains(&name.as_str()) {
                if ADDRESS_WORDS.iter().any(|word| name.eq_ignore_ascii_case(word)) {
                    return Err(Problem::query(&printable(&name), WHERE_ADDRESSES_GO));
                }
                let list = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(Problem::query(
                    &printable(&name),
                    format!("this parameter is unknown here; known: {list}"),
                ));
            }
            if pairs.iter().any(|(other, _)| *other == name) {
                return Err(Problem::query(&name, "the parameter is given twice"));
            }
            pairs.push((name, value));
        }
        Ok(Self { pairs })
    }

    pub(super) fn flag(&self, name: &'static str) -> Result<bool, Problem> {
        self.word(name, &[("true", true), ("false", false)]).map(|flag| flag.unwrap_or(false))
    }

    pub(super) fn results(&self) -> Result<Results, Problem> {
        let words = [("all", Results::All), ("problems", Results::Problems), ("none", Results::None)];
        Ok(self.word("results", &words)?.unwrap_or(Results::All))
    }

    pub(super) fn on_timeout(&self) -> Result<OnTimeout, Problem> {
        let words = [("continue", OnTimeout::Continue), ("cancel", OnTimeout::Cancel)];
        Ok(self.word("on_timeout", &words)?.unwrap_or(OnTimeout::Continue))
    }

    pub(super) fn status(&self) -> Result<Option<Status>, Problem> {
        self.word("status", &Status::ALL.map(|status| (status.as_str(), status)))
    }

    pub(super) fn number(&self, name: &'static str, max: u64) -> Result<Option<u64>, Problem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.parse() {
            Ok(number) if number <= max => Ok(Some(number)),
            Ok(_) | Err(_) => Err(Problem::query(name, format!("expected a whole number from 0 to {max}"))),
        }
    }

    pub(super) fn cursor(&self) -> Result<Option<ResendId>, Problem> {
        let Some(value) = self.get("cursor") else { return Ok(None) };
        let id = value
            .parse()
            .map_err(|()| Problem::query("cursor", "expected next_cursor of the page before"))?;
        Ok(Some(id))
    }

    /// The outcomes asked for; without the parameter all but `pending`.
    pub(super) fn wanted(&self) -> Result<Wanted, Problem> {
        let Some(value) = self.get("outcome") else {
            return Ok(Wanted { kinds: OutcomeKind::ALL.to_vec(), pending: false });
        };
        let mut wanted = Wanted { kinds: Vec::new(), pending: false };
        for word in value.split(',') {
            match OutcomeKind::parse(word) {
                Some(kind) => wanted.kinds.push(kind),
                None if word == "pending" => wanted.pending = true,
                None => {
                    let words = OutcomeKind::ALL.map(OutcomeKind::as_str).join(", ");
                    return Err(Problem::query("outcome", format!("expected some of {words}, pending")));
                }
            }
        }
        Ok(wanted)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    fn word<T: Copy>(&self, name: &'static str, words: &[(&str, T)]) -> Result<Option<T>, Problem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match words.iter().find(|(word, _)| *word == value) {
            Some((_, meaning)) => Ok(Some(*meaning)),
            None => {
                let list: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                Err(Problem::query(name, format!("expected one of {}", list.join(", "))))
            }
        }
    }
}

/// Undoes percent-encoding; names and values here are words, so nothing else needs to come through.
fn decode(text: &str) -> Result<String, Problem> {
    let broken = || Problem::query("", "the query holds percent-encoding that is no UTF-8 text");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                let (high, low) = (digit().ok_or_else(broken)?, digit().ok_or_else(broken)?);
                (high * 16 + low) as u8
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| broken())
}

/// A parameter's name as the answer may repeat it.
fn printable(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control()).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["force", "results", "outcome", "limit"];

    fn query(text: &str) -> Query {
        Query::parse(text, KNOWN).unwrap()
    }

    #[test]
    fn parameters_are_read() {
        let query = query("force=true&results=problems&outcome=unknown%2Cnot_sent&limit=7");

        assert!(query.flag("force").unwrap());
        assert_eq!(query.results().unwrap(), Results::Problems);
        assert_eq!(query.number("limit", 100).unwrap(), Some(7));
        assert_eq!(
            query.wanted().unwrap(),
            Wanted { kinds: vec![OutcomeKind::Unknown, OutcomeKind::NotSent], pending: false }
        );
    }

    #[test]
    fn without_parameters_the_defaults_hold() {
        let query = query("");

        assert!(!query.flag("force").unwrap());
        assert_eq!(query.results().unwrap(), Results::All);
        assert_eq!(query.wanted().unwrap().kinds, OutcomeKind::ALL);
        assert!(!query.wanted().unwrap().pending);
    }

    #[test]
    fn addresses_in_a_query_are_shown_the_way_into_a_body() {
        for text in ["emails=ann%40x.example", "email=ann%40x.example", "E-Mail=", "force=true&addresses=a"] {
            let problem = format!("{:?}", Query::parse(text, KNOWN).unwrap_err());
            assert!(problem.contains("POST a list") && !problem.contains("ann%"), "{text}: {problem}");
        }
    }

    #[test]
    fn whatever_is_not_known_is_refused() {
        for text in ["dryrun=true", "Force=true", "force=true&force=true", "%ff=1", "force%"] {
            assert_eq!(Query::parse(text, KNOWN).unwrap_err().status(), 400, "{text}");
        }
        assert!(query("force=yes").flag("force").is_err());
        assert!(query("limit=-1").number("limit", 9).is_err());
        assert!(query("limit=10").number("limit", 9).is_err());
        assert!(query("outcome=gone").wanted().is_err());
    }
}
