//! CSV against a reader that takes the whole body apart first, however the body is split.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Elements, as_told, cuts, fault, mutated, mutation, read_split, text, texts};
use crate::intake::{Format, ParseErrorKind::*, Separator};

/// A field and whether it is quoted.
type Field = (String, bool);

/// Takes a body apart into rows; `None` when a quote is out of place.
fn rows(text: &str) -> Option<Vec<Vec<Field>>> {
    let mut rows = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut row: Vec<Field> = Vec::new();
        loop {
            let (field, behind) =
                if let Some(inside) = rest.strip_prefix('"') { quoted(inside)? } else { plain(rest)? };
            row.push(field);
            match behind.strip_prefix(',') {
                Some(next) => rest = next,
                None => {
                    rest = behind.strip_prefix('\n').unwrap_or(behind);
                    break;
                }
            }
        }
        rows.push(row);
    }
    Some(rows)
}

fn plain(text: &str) -> Option<(Field, &str)> {
    let end = text.find([',', '\n', '"']).unwrap_or(text.len());
    let (field, behind) = text.split_at(end);
    let ends_row = !behind.starts_with(',');
    let field = if ends_row { field.strip_suffix('\r').unwrap_or(field) } else { field };
    if behind.starts_with('"') { None } else { Some(((field.to_owned(), false), behind)) }
}

fn quoted(inside: &str) -> Option<(Field, &str)> {
    let mut end = inside.find('"')?;
    while inside[end + 1..].starts_with('"') {
        end += 2 + inside[end + 2..].find('"')?;
    }
    let field = (inside[..end].replace("\"\"", "\""), true);
    let behind = &inside[end + 1..];
    match behind.strip_prefix('\r') {
        Some(next) if next.is_empty() || next.starts_with('\n') => Some((field, next)),
        _ if behind.is_empty() || behind.starts_with([',', '\n']) => Some((field, behind)),
        _ => None,
    }
}

fn model(body: &[u8]) -> Option<Elements> {
    let text = std::str::from_utf8(body).ok()?;
    let rows = rows(text.strip_prefix('\u{feff}').unwrap_or(text))?;
    let is_blank = |field: &Field| field.0.trim_ascii().is_empty();
    let mut rows = rows.iter().filter(|row| row.len() > 1 || row[0].1 || !is_blank(&row[0])).peekable();
    let Some(first) = rows.peek() else {
        return Some(Vec::new());
    };
    let columns = first.len();
    let is_email = |field: &Field| field.0.trim_ascii().eq_ignore_ascii_case("email");
    let named: Vec<usize> = (0..columns).filter(|at| is_email(&first[*at])).collect();
    let email = match (named.as_slice(), columns) {
        ([email], _) => {
            rows.next();
            *email
        }
        ([], 1) if !first[0].0.trim_ascii().contains([';', '\t']) => 0,
        _ => return None,
    };
    rows.map(|row| {
        let has_more = row.iter().skip(columns).any(|field| !is_blank(field));
        if has_more { None } else { row.get(email).map(|field| as_told(&field.0)) }
    })
    .collect()
}

fn written(text: &str, always: bool) -> String {
    if always || text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Tables of some columns, the one for addresses anywhere.
fn table() -> impl Strategy<Value = String> {
    (1..4_usize, 0..4_usize, "\r?\n", "\u{feff}?", any::<bool>()).prop_flat_map(
        |(columns, email, end, mark, always)| {
            let email = email % columns;
            vec(vec(text(), columns), 0..6).prop_map(move |rows| {
                let mut header: Vec<String> = (0..columns).map(|at| format!("column{at}")).collect();
                header[email] = " EMail".to_owned();
                let rows = [header].into_iter().chain(rows);
                let lines = rows
                    .map(|row| row.iter().map(|text| written(text, always)).collect::<Vec<_>>().join(","));
                mark.clone() + &lines.map(|line| line + &end).collect::<String>()
            })
        },
    )
}

fn soup() -> impl Strategy<Value = Vec<u8>> {
    let bits: Vec<&[u8]> = vec![
        b"email",
        b"Email ",
        b"a",
        b",",
        b",",
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        b"\"",
        b"\"\"",
        b"\"b\"",
        b" ",
        b";",
        b"\t",
        b"\xef\xbb\xbf",
        b"\xc3\xa9",
    ];
    vec(prop::sample::select(bits), 0..14).prop_map(|bits| bits.concat())
}

fn agrees(body: &[u8], cuts: &[prop::sample::Index]) {
    let (elements, result) = read_split(Format::Csv, body, cuts);
    let model = model(body);
    assert_eq!(result.is_ok(), model.is_some(), "{result:?} {}", String::from_utf8_lossy(body));
    if let Some(model) = model {
        assert_eq!(elements, model);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_table_reads_as_its_column(table in table(), mutations in vec(mutation(), 0..3), cuts in cuts()) {
        agrees(&mutated(table.into_bytes(), &mutations), &cuts);
    }

    #[test]
    fn bits_of_csv_in_any_order_read_as_the_model_reads_them(body in soup(), cuts in cuts()) {
        agrees(&body, &cuts);
        agrees(&[b"email,name\n".as_slice(), &body].concat(), &cuts);
        agrees(&[b"name,email\r\n".as_slice(), &body].concat(), &cuts);
    }
}

#[test]
fn the_column_is_found_by_name_in_any_case() {
    assert_eq!(texts(Format::Csv, "name,\"E-Mail\", eMail ,n\nJo,x,a@b.c,1\n"), ["a@b.c"]);
    assert_eq!(
        texts(Format::Csv, "\u{feff}EMAIL\r\na\r\n\r\n\"b,\"\"c\"\"\r\nd\"\r\n"),
        ["a", "b,\"c\"\r\nd"]
    );
}

#[test]
fn a_single_column_needs_no_header() {
    assert_eq!(texts(Format::Csv, "\n a \n\"\"\nemail\nb"), [" a ", "", "email", "b"]);
    assert!(texts(Format::Csv, "email").is_empty());
    assert!(texts(Format::Csv, "\r\n \n").is_empty());
}

#[test]
fn rows_may_lack_or_add_what_is_empty_but_not_the_address() {
    assert_eq!(texts(Format::Csv, "email,name\na\nb,\nc,x, ,\n,\n"), ["a", "b", "c", ""]);
}

#[test]
fn every_csv_fault_has_its_name_and_place() {
    let table = [
        ("name,mail\na,b", NoEmailColumn, 0, 0, 1),
        ("\n\nname,", NoEmailColumn, 2, 0, 3),
        ("email,name,Email\n", RepeatedEmailColumn, 11, 0, 1),
        ("email;name\na;b", WrongSeparator(Separator::Semicolon), 0, 0, 1),
        ("\nemail\tname\na\tb", WrongSeparator(Separator::Tab), 1, 0, 2),
        ("name,email\nJo,a\n\n\"J\no\"\nb", MissingEmail, 17, 1, 4),
        ("name,email\nJo,a\nx", MissingEmail, 16, 1, 3),
        ("email\na\nb,c\n", ExtraColumn, 10, 2, 3),
        ("email,name\na,b,\"c\"", ExtraColumn, 15, 1, 2),
        ("a\nb\"c", StrayQuote, 3, 1, 2),
        ("a, \"b\"\n", StrayQuote, 3, 0, 1),
        ("\"a\"b", TextAfterQuote, 3, 0, 1),
        ("\"a\n\"\r,", TextAfterQuote, 5, 0, 2),
        ("x\n\"a\n\nb", UnclosedQuote, 2, 1, 2),
        ("email,n\na,\"\"\"", UnclosedQuote, 10, 1, 2),
    ];
    for (body, kind, offset, index, line) in table {
        assert_eq!(fault(Format::Csv, body), (kind, offset, index, Some(line)), "{body}");
    }
    assert_eq!(fault(Format::Csv, b"\xef\xbb\xbfemail\n\"a\n\xff"), (NotUtf8, 12, 0, Some(3)));
    assert_eq!(fault(Format::Csv, "\u{feff}a\"").1, 4);
}

#[test]
fn a_name_with_something_behind_it_is_not_the_column() {
    let name = format!("email{}x", " ".repeat(3000));

    assert_eq!(fault(Format::Csv, format!("{name},name\na,b")).0, NoEmailColumn);
    assert_eq!(texts(Format::Csv, format!("email{}\na", " ".repeat(3000))), ["a"]);
}
