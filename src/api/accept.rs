//! Which form of results a caller wants.

use actix_web::http::header::{ACCEPT, HeaderMap};

use super::{
    header_list::{parameter, split},
    media::SERVED,
    problem::Problem,
};

/// A form of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResultForm {
    Json,
    Ndjson,
    Csv,
    /// The addresses alone.
    Text,
}

impl ResultForm {
    /// Every form; of those that a caller likes alike the first is served.
    pub(super) const ALL: [Self; 4] = [Self::Json, Self::Ndjson, Self::Csv, Self::Text];

    /// JSON is UTF-8 by its definition; text is only when that is said.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Text => "text/plain; charset=utf-8",
        }
    }

    fn media_type(self) -> &'static str {
        let whole = self.content_type();
        whole.split_once(';').map_or(whole, |(essence, _)| essence)
    }
}

/// The form of results that the caller likes best; JSON when it does not say, or likes them alike.
pub(super) fn result_form(headers: &HeaderMap) -> Result<ResultForm, Problem> {
    // Several headers are one list, and what can't be read of it asks for nothing.
    let accept: Vec<_> = headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok()).collect();
    let accept = accept.join(",");
    if split(&accept, ',').next().is_none() {
        return Ok(ResultForm::Json);
    }
    let mut best = None;
    for form in ResultForm::ALL {
        let Some((precision, quality)) = liking(&accept, form) else { continue };
        let liking = (quality, precision);
        if quality > 0.0 && best.is_none_or(|(_, other)| liking > other) {
            best = Some((form, liking));
        }
    }
    best.map(|(form, _)| form).ok_or_else(|| Problem::not_acceptable(SERVED))
}

/// What the range that fits a form most closely says of it: how closely, and the quality.
fn liking(accept: &str, form: ResultForm) -> Option<(u8, f32)> {
    let mut closest: Option<(u8, f32)> = None;
    for range in split(accept, ',') {
        let (essence, parameters) = range.split_once(';').unwrap_or((range, ""));
        let precision = match essence.trim().to_ascii_lowercase().as_str() {
            "*/*" => 0,
            exact if exact == form.media_type() => 2,
            group
                if group
                    .strip_suffix('*')
                    .is_some_and(|group| group.ends_with('/') && form.media_type().starts_with(group)) =>
            {
                1
            }
            _ => continue,
        };
        if closest.is_none_or(|(other, _)| precision > other) {
            closest = Some((precision, quality(parameters)));
        }
    }
    closest
}

fn quality(parameters: &str) -> f32 {
    split(parameters, ';')
        .map(parameter)
        .find(|(name, _)| name.eq_ignore_ascii_case("q"))
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn headers(value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn the_form_liked_best_wins() {
        for (value, expected) in [
            ("*/*", ResultForm::Json),
            ("application/x-ndjson", ResultForm::Ndjson),
            ("application/json;q=0.5, application/x-ndjson", ResultForm::Ndjson),
            ("text/html, application/x-ndjson;q=0.2, */*;q=0.1", ResultForm::Ndjson),
            ("*/*, application/x-ndjson", ResultForm::Ndjson),
            ("application/json;q=0, */*;q=0.1", ResultForm::Ndjson),
            ("application/x-ndjson, application/json", ResultForm::Json),
            ("text/csv", ResultForm::Csv),
            ("Text/Plain; charset=utf-8", ResultForm::Text),
            ("text/*", ResultForm::Csv),
            ("text/*, text/csv;q=0.5", ResultForm::Text),
            ("text/*;q=0.4, application/*;q=0.3", ResultForm::Csv),
            ("text/html, application/xhtml+xml, */*;q=0.8", ResultForm::Json),
            ("application/*;q=0, */*", ResultForm::Csv),
            (" , text/csv,", ResultForm::Csv),
            ("", ResultForm::Json),
            ("text/plain;note=\"a, application/json;q=0\", application/json;q=0.5", ResultForm::Text),
            ("text/csv;note=\"; q=0\"", ResultForm::Csv),
        ] {
            assert_eq!(result_form(&headers(value)).unwrap(), expected, "{value}");
        }
        for value in ["text/html", "text/html,", "text/", "text", "*", "image/*", "text/*;q=0"] {
            assert!(result_form(&headers(value)).is_err(), "{value}");
        }
        assert!(result_form(&headers("application/json;q=0")).is_err());
    }

    #[test]
    fn several_accept_headers_are_one_list() {
        let mut two = headers("text/html");
        two.append(ACCEPT, HeaderValue::from_static("text/csv"));

        assert_eq!(result_form(&two).unwrap(), ResultForm::Csv);
    }
}
