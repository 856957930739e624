//! The body of a PATCH: which addresses it holds, and what the documented schema says against it.
//!
//! Refuses what is no array of 1 to 10 strings that could be addresses. What *is* an address is not the
//! sandbox's business: it asks for an `@` and at most 1,024 bytes.

use serde_json::Value;

use super::answer::Answer;

const MAX_EMAILS: usize = 10;
const MAX_EMAIL_BYTES: usize = 1_024;

/// What a PATCH asks for.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Its strings as sent.
    pub(super) emails: Vec<String>,
    /// The same, lower-cased: the words of the ledger and of patterns.
    pub(super) addresses: Vec<String>,
    /// How many items the array held, strings or not.
    pub(super) size: usize,
    fault: Option<(&'static str, &'static str)>,
}

impl Batch {
    /// Reads a body; what is wrong with it is told by [`Batch::refusal`].
    pub(super) fn read(body: &[u8]) -> Self {
        let Ok(items) = serde_json::from_slice::<Vec<Value>>(body) else {
            let fault = Some(("invalid_body", "The body must be a JSON array of email addresses."));
            return Self { fault, ..Self::default() };
        };
        let size = items.len();
        let emails: Vec<String> = items.into_iter().filter_map(text).collect();
        let addresses: Vec<String> = emails.iter().map(|email| email.to_lowercase()).collect();
        let fault = if size == 0 {
            Some(("invalid_emails", "At least one email address is required."))
        } else if size > MAX_EMAILS {
            Some(("too_many_emails", "At most 10 email addresses are allowed in one request."))
        } else if emails.len() < size {
            Some(("invalid_email", "An email address must be a string."))
        } else if emails.iter().any(|email| !email.contains('@') || email.len() > MAX_EMAIL_BYTES) {
            Some(("invalid_email", "Invalid email address given."))
        } else {
            None
        };
        Self { emails, addresses, size, fault }
    }

    /// The 400 for a body against the schema.
    pub(super) fn refusal(&self) -> Option<Answer> {
        self.fault.map(|(error, description)| Answer::error(400, error, description))
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_ten_addresses_are_a_batch() {
        let ten = serde_json::to_vec(&["A@b.example"; 10]).unwrap();

        for body in [b"[\"A@b.example\"]".as_slice(), &ten] {
            let batch = Batch::read(body);

            assert_eq!(batch.refusal(), None);
            assert_eq!(
                (batch.emails[0].as_str(), batch.addresses[0].as_str()),
                ("A@b.example", "a@b.example")
            );
        }
    }

    #[test]
    fn everything_else_is_a_400() {
        let eleven = serde_json::to_string(&["a@b.example"; 11]).unwrap();
        let long = format!("[\"{}@b.example\"]", "x".repeat(MAX_EMAIL_BYTES));
        for (body, error) in [
            ("", "invalid_body"),
            ("{\"emails\":[\"a@b.example\"]}", "invalid_body"),
            ("\"a@b.example\"", "invalid_body"),
            ("[\"a@b.example\"", "invalid_body"),
            ("[]", "invalid_emails"),
            ("[\"a@b.example\", 7]", "invalid_email"),
            ("[null]", "invalid_email"),
            ("[\"\"]", "invalid_email"),
            ("[\"nobody\"]", "invalid_email"),
            (&eleven, "too_many_emails"),
            (&long, "invalid_email"),
        ] {
            let refusal = Batch::read(body.as_bytes()).refusal().unwrap();

            assert_eq!(refusal.status, 400, "{body}");
            let answered: Value = serde_json::from_slice(&refusal.body).unwrap();
            assert_eq!(answered["error"], error, "{body}");
        }
    }

    #[test]
    fn the_size_counts_what_is_no_string_too() {
        assert_eq!(Batch::read(b"[1, \"a@b.example\", null]").size, 3);
    }
}
