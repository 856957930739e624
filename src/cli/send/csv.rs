//! Results as CSV (RFC 4180).

use crate::cli::client::Row;

/// The first line.
pub(super) const HEADER: &str = "index,email,outcome,reason,detail,sent_at\r\n";

/// One result as a line.
pub(super) fn line(row: &Row) -> String {
    let mut line = row.index.to_string();
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    for field in [
        row.email.clone(),
        row.outcome.clone(),
        optional(&row.reason),
        optional(&row.detail),
        optional(&row.sent_at),
    ] {
        line.push(',');
        line.push_str(&quoted(field));
    }
    line.push_str("\r\n");
    line
}

fn quoted(field: String) -> String {
    let needs_quotes = field.contains(['"', ',', '\r', '\n']) || field.trim() != field;
    if needs_quotes { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(email: &str, detail: Option<&str>) -> Row {
        Row {
            index: 7,
            email: email.to_owned(),
            outcome: "rejected".to_owned(),
            reason: Some("not_found".to_owned()),
            detail: detail.map(str::to_owned),
            sent_at: None,
        }
    }

    #[test]
    fn fields_are_quoted_only_where_they_have_to_be() {
        assert_eq!(line(&row("a@example.com", None)), "7,a@example.com,rejected,not_found,,\r\n");
        assert_eq!(
            line(&row("\"a, b\"@example.com", Some("two\nlines"))),
            "7,\"\"\"a, b\"\"@example.com\",rejected,not_found,\"two\nlines\",\r\n"
        );
        assert_eq!(line(&row(" a", None)), "7,\" a\",rejected,not_found,,\r\n");
    }
}
