//! Whether an answer is the one that the README shows.
//!
//! `…` in what is shown stands for any text; ids and moments may differ, and so may the places where long lines
//! are broken. An id that the README shows stands for the one that was told in its place. Where work is told
//! that is not finished, or was cancelled, numbers depend on the moment and may differ as well.

/// What two answers are compared by.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Letter(char),
    /// An id; empty when the README cuts it.
    Id(String),
    Moment,
    /// Any number, where numbers depend on the moment.
    Number,
    Anything,
}

/// Whether numbers must be those shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Numbers {
    AsShown,
    Any,
}

/// An id that the README shows, and the one told in its place.
pub type SameId = (String, String);

/// Holds what was told against what is shown; gives the ids that stand in the same places.
pub fn agree(shown: &str, told: &str) -> Result<Vec<SameId>, String> {
    let told = told.replace('\r', "");
    let passing = ["HTTP/1.1 202 ", "\"running\"", "\"cancelled\""];
    let numbers =
        if passing.iter().any(|sign| shown.contains(sign)) { Numbers::Any } else { Numbers::AsShown };
    let is_head = |text: &str| text.starts_with("HTTP/");
    let mut same = Vec::new();
    let (shown, told) = match (is_head(shown), is_head(&told)) {
        (true, true) => {
            let (shown, told) = (halves(shown), halves(&told));
            same.extend(heads_agree(shown.0, told.0, numbers)?);
            (shown.1, told.1.to_owned())
        }
        (false, false) => (shown, told.clone()),
        _ => return Err("a head is shown or told, but not both".to_owned()),
    };
    same.extend(texts_agree(&joined(shown), &joined(&told), numbers)?);
    Ok(same)
}

fn halves(answer: &str) -> (&str, &str) {
    answer.split_once("\n\n").unwrap_or((answer, ""))
}

/// Each line of the head that is shown must have been told: the status to the letter, fields in any order.
fn heads_agree(shown: &str, told: &str, numbers: Numbers) -> Result<Vec<SameId>, String> {
    let (status, fields) = shown.split_once('\n').unwrap_or((shown, ""));
    if told.lines().next().map(str::trim_end) != Some(status) {
        return Err(format!("not {status}"));
    }
    let mut same = Vec::new();
    for field in fields.lines() {
        let agreed = told.lines().find_map(|line| texts_agree(field, line, numbers).ok());
        same.extend(agreed.ok_or(format!("no field {field}"))?);
    }
    Ok(same)
}

/// One line out of many: the README breaks long ones and indents the rest.
fn joined(text: &str) -> String {
    text.lines().map(str::trim).collect()
}

/// As globs: what stands between two `…` is looked for from left to right.
fn texts_agree(shown: &str, told: &str, numbers: Numbers) -> Result<Vec<SameId>, String> {
    let (shown, told) = (tokens(shown, numbers), tokens(told, numbers));
    let parts: Vec<_> = shown.split(|token| *token == Token::Anything).collect();
    let (mut same, mut from) = (Vec::new(), 0);
    for (number, part) in parts.iter().enumerate() {
        let is_last = number + 1 == parts.len();
        let latest = told.len().checked_sub(part.len()).filter(|latest| *latest >= from);
        let missing = || format!("nothing like {:?}", written(part));
        let latest = latest.ok_or_else(missing)?;
        let places = match (number == 0, is_last) {
            (true, true) if told.len() != part.len() => return Err(missing()),
            (true, _) => from..=from,
            (false, true) => latest..=latest,
            (false, false) => from..=latest,
        };
        let place = places.into_iter().find(|at| fits(part, &told[*at..])).ok_or_else(missing)?;
        same.extend(part.iter().zip(&told[place..]).filter_map(|pair| match pair {
            (Token::Id(shown), Token::Id(told)) if !shown.is_empty() => Some((shown.clone(), told.clone())),
            _ => None,
        }));
        from = place + part.len();
    }
    Ok(same)
}

fn fits(shown: &[Token], told: &[Token]) -> bool {
    shown.len() <= told.len()
        && shown.iter().zip(told).all(|pair| matches!(pair, (Token::Id(_), Token::Id(_))) || pair.0 == pair.1)
}

fn written(tokens: &[Token]) -> String {
    tokens
        .iter()
        .map(|token| match token {
            Token::Letter(letter) => letter.to_string(),
            Token::Id(id) => format!("<id {id}>"),
            Token::Moment => "<moment>".to_owned(),
            Token::Number => "<number>".to_owned(),
            Token::Anything => "…".to_owned(),
        })
        .collect()
}

fn tokens(text: &str, numbers: Numbers) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let (token, length) = if looks_like(rest, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh") {
            (Token::Id(rest[..36].to_owned()), 36)
        } else if looks_like(rest, "hhhhhhhh-hhhh-…") {
            (Token::Id(String::new()), "hhhhhhhh-hhhh-…".len())
        } else if looks_like(rest, "dddd-dd-ddTdd:dd:dd.dddZ") {
            (Token::Moment, 24)
        } else if looks_like(rest, "dddd-dd-dd dd:dd:dd UTC") {
            (Token::Moment, 23)
        } else if letter == '…' {
            (Token::Anything, letter.len_utf8())
        } else if letter.is_ascii_digit() && numbers == Numbers::Any {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            (Token::Number, digits)
        } else {
            (Token::Letter(letter), letter.len_utf8())
        };
        tokens.push(token);
        rest = &rest[length..];
    }
    tokens
}

/// Whether a text begins like a pattern of `h` for a digit in base 16, `d` for one in base 10, and itself.
fn looks_like(text: &str, pattern: &str) -> bool {
    let mut letters = text.chars();
    pattern.chars().all(|expected| {
        letters.next().is_some_and(|letter| match expected {
            'h' => letter.is_ascii_hexdigit(),
            'd' => letter.is_ascii_digit(),
            other => letter == other,
        })
    })
}

#[test]
fn what_is_shown_must_be_told() {
    const ID: &str = "01a2080c-1bde-7729-9bf7-d3526cb5556d";
    const OTHER: &str = "99a2080c-1bde-7729-9bf7-d3526cb5556d";
    let told = format!(
        "HTTP/1.1 207 Multi-Status\r\nx: 1\r\nlocation: /v1/{OTHER}\r\n\r\n{{\"id\":\"{OTHER}\",\n\"n\":12}}\n"
    );

    for shown in [
        format!(
            "HTTP/1.1 207 Multi-Status\nlocation: /v1/{ID}\n\n{{\"id\":\"01a2080c-1bde-…\",\n \"n\":12}}"
        ),
        format!("HTTP/1.1 207 Multi-Status\nlocation: /v1/{ID}\n\n…\"n\":…}}"),
    ] {
        assert_eq!(agree(&shown, &told), Ok(vec![(ID.to_owned(), OTHER.to_owned())]), "{shown}");
    }
    for shown in [
        "HTTP/1.1 200 OK\n\n…".to_owned(),
        "HTTP/1.1 207 Multi-Status\ny: 1\n\n…".to_owned(),
        "HTTP/1.1 207 Multi-Status\n\n…\"n\":13}".to_owned(),
        "HTTP/1.1 207 Multi-Status\n\n…\"n\":12".to_owned(),
        "HTTP/1.1 207 Multi-Status\n\n{\"n\":12}".to_owned(),
        "{\"id\":…".to_owned(),
    ] {
        assert!(agree(&shown, &told).is_err(), "{shown}");
    }
}

#[test]
fn numbers_may_differ_where_they_depend_on_the_moment() {
    let told = r#"{"status":"running","n":12,"m":3}"#;

    assert!(agree(r#"{"status":"running","n":7,"m":300}"#, told).is_ok());
    assert!(agree(r#"{"status":"running","n":x,"m":3}"#, told).is_err());
    assert!(agree(r#"{"status":…"n":7,"m":3}"#, told).is_err());
}
