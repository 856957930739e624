//! CSV against a reader that takes the whole body apart first, however the body is split.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Elements, as_told, cuts, fault, mutated, mutation, read_split, text, texts};
use crate::intake::{
    Address, ELEMENT_BYTES, Format,
    ParseErrorKind::*,
    Separator,
    column_name::{is_email_column, is_exact},
    csv_first_line::{LINE_BYTES, Suspicion, has_no_text, is_sep_line},
    csv_header::holds_address,
    is_blank,
    recognise::{HEAD_BYTES, check},
    sink::prefix,
};

/// Takes a body apart into rows; `None` when a quote is out of place. CRLF is a row and an empty one.
fn rows(text: &str) -> Option<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut row = Vec::new();
        loop {
            let (field, behind) =
                if let Some(inside) = rest.strip_prefix('"') { quoted(inside)? } else { plain(rest)? };
            row.push(field);
            match behind.strip_prefix(',') {
                Some(next) => rest = next,
                None => {
                    rest = behind.strip_prefix(['\r', '\n']).unwrap_or(behind);
                    break;
                }
            }
        }
        rows.push(row);
    }
    Some(rows)
}

fn plain(text: &str) -> Option<(String, &str)> {
    let end = text.find([',', '\r', '\n', '"']).unwrap_or(text.len());
    let (field, behind) = text.split_at(end);
    if behind.starts_with('"') { None } else { Some((field.to_owned(), behind)) }
}

fn quoted(inside: &str) -> Option<(String, &str)> {
    let mut end = inside.find('"')?;
    while inside[end + 1..].starts_with('"') {
        end += 2 + inside[end + 2..].find('"')?;
    }
    let behind = &inside[end + 1..];
    let is_over = behind.is_empty() || behind.starts_with([',', '\r', '\n']);
    is_over.then(|| (inside[..end].replace("\"\"", "\""), behind))
}

/// The column with the addresses, and whether the first row is no header.
fn layout(first: &[String]) -> Option<(usize, bool)> {
    let places = |is_one: fn(&str) -> bool| (0..first.len()).filter(move |at| is_one(&first[*at]));
    let (exact, known): (Vec<_>, Vec<_>) = (places(is_exact).collect(), places(is_email_column).collect());
    match (exact.as_slice(), known.as_slice()) {
        ([email], _) | ([], [email]) => Some((*email, false)),
        ([], []) if first.len() == 1 => Some((0, true)),
        _ => None,
    }
}

fn model(body: &[u8]) -> Option<Elements> {
    check(Format::Csv, &body[..body.len().min(HEAD_BYTES)]).ok()?;
    let text = std::str::from_utf8(body).ok()?.trim_start_matches('\u{feff}');
    let first_line = text.split_inclusive(['\r', '\n']).find(|line| !has_no_text(line)).unwrap_or_default();
    let first_line = prefix(first_line, LINE_BYTES);
    if is_sep_line(first_line) {
        return None;
    }
    let rows = rows(text)?;
    let has_text = |row: &&Vec<String>| row.iter().any(|field| !is_blank(field));
    let mut rows = rows.iter().filter(has_text).peekable();
    let Some(first) = rows.peek().copied() else {
        return Some(Vec::new());
    };
    let columns = first.len();
    let (email, is_data) = layout(first)?;
    if !is_data {
        rows.next();
    }
    if is_data
        && let Some(suspicion) = Suspicion::of(first_line)
        && Address::parse(&first[0]).is_err()
    {
        let second = rows.clone().nth(1);
        if suspicion.is_named || second.is_none_or(|row| suspicion.holds_in(&row[0])) {
            return None;
        }
    }
    if !is_data && first.iter().any(|field| holds_address(prefix(field, ELEMENT_BYTES + 4))) {
        return None;
    }
    rows.map(|row| {
        let has_more = row.iter().skip(columns).any(|field| !is_blank(field));
        if has_more { None } else { row.get(email).map(|field| as_told(field)) }
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
    (1..4_usize, 0..4_usize, "\r{0,2}\n|\r", "\u{feff}?", any::<bool>()).prop_flat_map(
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
        b"e_mail",
        b"\xc2\xa0",
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
    // What ends a line elsewhere has tests of its own.
    if body.iter().any(|byte| matches!(byte, 0x0b | 0x0c | 0x85)) {
        return;
    }
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
    assert_eq!(texts(Format::Csv, "Name,Email Address\nJo,a@b.c\n"), ["a@b.c"]);
    assert_eq!(texts(Format::Csv, "e_mail\u{a0},Name\na@b.c,Jo\n"), ["a@b.c"]);
    assert_eq!(texts(Format::Csv, "E-Mail\na@b.c\n"), ["a@b.c"]);
    assert_eq!(
        texts(Format::Csv, "\u{feff}EMAIL\r\na\r\n\r\n\"b,\"\"c\"\"\r\nd\"\r\n"),
        ["a", "b,\"c\"\r\nd"]
    );
}

#[test]
fn a_single_column_needs_no_header() {
    assert_eq!(texts(Format::Csv, "\n a \n\"\"\nemail\nb"), [" a ", "email", "b"]);
    assert!(texts(Format::Csv, "email").is_empty());
    assert!(texts(Format::Csv, "\r\n \n").is_empty());
}

#[test]
fn a_row_ends_with_any_end_of_a_line_outside_quotes() {
    let mixed = "email,name,note\nkim1@example.com,Kim\rlee1@example.com,Lee\nmax1@example.com,Max,x\n";
    assert_eq!(texts(Format::Csv, mixed), ["kim1@example.com", "lee1@example.com", "max1@example.com"]);
    for end in ["\r", "\n", "\r\n", "\r\r\n"] {
        let rows = ["email,name", "\"a\",Ann", "b,\"B\r\nob\"", "\"c\",\"C\"", "d"];
        assert_eq!(texts(Format::Csv, rows.join(end)), ["a", "b", "c", "d"], "{end:?}");
        assert_eq!(texts(Format::Csv, rows.join(end) + end), ["a", "b", "c", "d"], "{end:?}");
    }
    assert_eq!(texts(Format::Csv, "email,name\rann@example.com,Ann\nbob@example.com,Bob\n").len(), 2);
}

#[test]
fn a_row_without_any_text_is_no_address_and_one_without_an_address_is_empty() {
    assert_eq!(texts(Format::Csv, "email,name\na\nb,\nc,x, ,\n,\n"), ["a", "b", "c"]);
    let blank = ",\n\"\",\" \"\n\u{a0},\u{200b}\n \n\"\"\n,,,\n";
    assert_eq!(texts(Format::Csv, format!("email,name\na,A\n{}b,B", blank.repeat(50))), ["a", "b"]);
    assert_eq!(texts(Format::Csv, format!("{blank}name,email\n{blank}A,a\n{blank}")), ["a"]);
    assert_eq!(texts(Format::Csv, "email,name\n,Ann\n \u{a0},Bob\n\"\",\"C\"\n"), ["", " \u{a0}", ""]);
    assert_eq!(texts(Format::Csv, "name,email\nAnn,\nBob, \n"), ["", " "]);
}

#[test]
fn a_blank_address_is_held_no_longer_than_an_element_may_be() {
    let (long, short) = (" ".repeat(5000), " ".repeat(1024));

    let (elements, result) =
        read_split(Format::Csv, format!("email,n\n{long},x\n{short},y\n{long},").as_bytes(), &[]);

    assert_eq!((elements, result), (vec![(short.clone(), true), (short, false)], Ok(())));
}

#[test]
fn a_column_called_email_wins_over_one_with_another_known_name() {
    assert_eq!(texts(Format::Csv, "mail,email,e-mail\nx,a,y\n"), ["a"]);
    assert_eq!(fault(Format::Csv, "mail,name,e-mail\nx,a,y\n"), (RepeatedEmailColumn, 10, 0, Some(1)));
}

#[test]
fn the_fault_names_the_columns_there_are_but_no_address() {
    let found = |body: &str| fault(Format::Csv, body).0.to_string();

    let told = found("Name,\"Phone, work\", ,Ort\u{7}\n1,2,3,4\n");
    assert!(told.contains("mail); the columns are: Name, Phone, work, Ort; name the column"), "{told}");
    let long = found(&format!("{}\n", vec!["n".repeat(100); 100].join(",")));
    assert!(long.len() < 600, "{long}");
    let data = found("ann@example.com,Ann\n");
    assert!(data.contains("it is no header") && !data.contains("ann"), "{data}");
}

#[test]
fn every_csv_fault_has_its_name_and_place() {
    let no_email = |body: &str| {
        let (kind, offset, index, line) = fault(Format::Csv, body);
        assert!(matches!(kind, NoEmailColumn(_)), "{kind:?}");
        (offset, index, line)
    };
    assert_eq!(no_email("name,phone\na,b"), (0, 0, Some(1)));
    assert_eq!(no_email("\n\nname,"), (2, 0, Some(3)));
    let table = [
        ("email,name,Email\n", RepeatedEmailColumn, 11, 0, 1),
        ("a@b.c,Ann\n", NoHeader, 0, 0, 1),
        ("\nemail,namea@b.c,Annd@e.f,Dan", AddressInHeader, 1, 0, 2),
        ("email,name\nk@e.f,Kim\u{c}l@e.f,Lee\n", JoinedRows, 17, 1, 2),
        ("email;name\na;b", WrongSeparator(Separator::Semicolon), 0, 0, 1),
        ("\"email\";\"name\"\r\n\"a\";\"A\"\r\n", WrongSeparator(Separator::Semicolon), 0, 0, 1),
        ("email;name, first\r\na;b", WrongSeparator(Separator::Semicolon), 0, 0, 1),
        ("\nemail\tname\na\tb", WrongSeparator(Separator::Tab), 1, 0, 2),
        ("\r\r\n,,\r\nsep=;\r\nemail;name", SepLine, 7, 0, 3),
        ("name,email\nJo,a\n\n\"J\no\"\nb", MissingEmail, 17, 1, 4),
        ("name,email\rJo,a\r\r\"J\ro\"\rb", MissingEmail, 17, 1, 4),
        ("name,email\nJo,a\nx", MissingEmail, 16, 1, 3),
        ("email\rab\n\"c\"x", TextAfterQuote, 12, 1, 3),
        ("email,n\ra,\"\r\"\nb\"", StrayQuote, 15, 1, 4),
        ("email\na\nb,c\n", ExtraColumn, 10, 2, 3),
        ("Kontakte\nemail,name\na,b\n", BelowTitle, 15, 2, 2),
        ("a@b.c\nb@b.c,x\n", ExtraColumn, 12, 2, 2),
        ("email,name\na,b,\"c\"", ExtraColumn, 15, 1, 2),
        ("a\nb\"c", StrayQuote, 3, 1, 2),
        ("a, \"b\"\n", StrayQuote, 3, 0, 1),
        ("\"a\"b", TextAfterQuote, 3, 0, 1),
        ("\"a\n\"\r\"b\"x", TextAfterQuote, 8, 1, 3),
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

    assert!(matches!(fault(Format::Csv, format!("{name},name\na,b")).0, NoEmailColumn(_)));
    assert_eq!(texts(Format::Csv, format!("email{}\na", " ".repeat(3000))), ["a"]);
}

#[test]
fn a_first_row_that_holds_an_address_is_no_header() {
    for body in [
        "email,name,ann@example.com,Ann\nbob@example.com,Bob\n",
        "email,name\u{2028}ann@example.com,Ann\u{2028}bob@example.com,Bob\nkim@example.com,Kim\n",
        "email,ann@example.com\nemail,bob@example.com\n",
        "ann@example.com,\"E-Mail\"\nbob@example.com,x\n",
        "mail,e-mail,ann@example.com\n",
        "email,name\u{c}ann@example.com,Ann\n",
    ] {
        assert_eq!(fault(Format::Csv, body), (AddressInHeader, 0, 0, Some(1)), "{body:?}");
    }
    assert_eq!(texts(Format::Csv, "email,Name @ work,@handle,at@\na@b.c,x,y,z\n"), ["a@b.c"]);
}

#[test]
fn a_field_that_seems_to_hold_the_next_row_is_refused() {
    for separator in ['\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'] {
        let rows = |quote: &str| {
            format!("email,name,note\nkim@example.com,{quote}Kim{separator}lee@example.com{quote},Lee\n")
        };
        assert_eq!(fault(Format::Csv, rows("")).0, JoinedRows, "{separator:?}");
        assert_eq!(texts(Format::Csv, rows("\"")), ["kim@example.com"], "{separator:?}");
        let harmless = format!("email,a,b\nkim@example.com,Kim{separator}Lee,@home{separator}x\n");
        assert_eq!(texts(Format::Csv, harmless), ["kim@example.com"], "{separator:?}");
    }
    assert_eq!(texts(Format::Csv, "email,alias\nkim@example.com,lee@example.com\n"), ["kim@example.com"]);
}

#[test]
fn another_separator_is_told_only_where_no_column_is_found() {
    for body in [
        "a;b,\"multi\nline\",email\nx,y,ann@example.com\n",
        "\"Last;\nname\",email\nLee,ann@example.com\n",
        "\"ann@example.com\t\"\n",
        "\"ann@example.com\t\"\n\"ann@example.com;\"\n",
        &format!("{},email\nx,ann@example.com\n", "a;b".repeat(500)),
    ] {
        let found = texts(Format::Csv, body);
        assert!(found[0].starts_with("ann@example.com"), "{body}: {found:?}");
    }
    assert_eq!(
        texts(Format::Csv, "Recipients; all\nann@example.com\n"),
        ["Recipients; all", "ann@example.com"]
    );
    for body in ["Name (a; b; c),Recipient\nx,y\n", "\"Last;\nname\",Recipient\n"] {
        assert!(matches!(fault(Format::Csv, body).0, NoEmailColumn(_)), "{body}");
    }
    for body in [
        "Adresse;Name\n\nann@example.com;Ann\n",
        "Adresse;Name\n\"ann@example.com\";Ann\n",
        "Adresse;Name\nann@example.com;\"Ann\"\n",
        "Adresse;Name\n",
        "Adresse;Name",
        "Adresse;Name, Vorname\nann@example.com;Ann\n",
        "ann@example.com;Ann\nbob@example.com;Bob\n",
        "email;name\nann@example.com\n",
    ] {
        let expected = (WrongSeparator(Separator::Semicolon), 0, Some(1));
        let (kind, offset, _, line) = fault(Format::Csv, body);
        assert_eq!((kind, offset, line), expected, "{body}");
    }
}
