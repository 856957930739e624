//! Lists as people and their programs really write them: read as they are, or refused in words with the place.

use awc::http::Method;
use serde_json::json;

use crate::{
    bodies::{gzipped, post_gzipped},
    compat::PATH,
    gateway::Gateway,
};

const CSV: &str = "text/csv";
const TEXT: &str = "text/plain";
const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";

/// Posts a body and proves that exactly these addresses were sent, and nothing else stood in it.
async fn assert_sent(gateway: &Gateway, format: &str, body: impl AsRef<[u8]>, emails: &[&str]) {
    gateway.sandbox.reset();
    let answer = gateway.post_body(&format!("{format}; charset=utf-8"), body.as_ref().to_vec()).await;

    let shown = String::from_utf8_lossy(body.as_ref()).into_owned();
    assert_eq!(answer.status, 200, "{shown:?}: {answer:?}");
    assert_eq!(answer.words(), vec!["sent"; emails.len()], "{shown:?}");
    assert_eq!(gateway.sandbox.ledger().keys().collect::<Vec<_>>(), emails, "{shown:?}");
}

/// Posts a body and proves that it is refused with these words in its detail, and on this line.
async fn assert_refused(gateway: &Gateway, format: &str, body: &[u8], line: Option<u64>, words: &[&str]) {
    let answer = gateway.post_body(format, body.to_vec()).await;

    let shown = String::from_utf8_lossy(body);
    assert_eq!(answer.status, 400, "{shown:?}: {answer:?}");
    let problem = answer.problem("malformed-body");
    assert_eq!(problem["line"].as_u64(), line, "{shown:?}: {problem}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(words.iter().all(|word| detail.contains(word)), "{shown:?}: {detail}");
    assert!(detail.ends_with("nothing was sent") && !detail.contains("@example"), "{detail}");
}

#[actix_web::test]
async fn a_line_ends_with_lf_crlf_cr_cr_lf_or_a_lone_cr() {
    let gateway = Gateway::start().await;
    let mixed = "email,name,note\nkim1@example.com,Kim\rlee1@example.com,Lee\nmax1@example.com,Max,x\n";
    let three = ["kim1@example.com", "lee1@example.com", "max1@example.com"];
    assert_sent(&gateway, CSV, mixed, &three).await;
    for (number, end) in ["\r", "\n", "\r\n", "\r\r\n"].into_iter().enumerate() {
        let (ann, bob) = (format!("ann{number}@example.com"), format!("bob{number}@example.com"));
        let rows = format!("email,name{end}{ann},Ann{end}\"{bob}\",\"B{end}ob\"{end}");
        assert_sent(&gateway, CSV, rows, &[&ann, &bob]).await;
        let lines: Vec<_> = ["c", "d", "e"].map(|name| format!("{name}{number}@example.com")).into();
        let lines_ref: Vec<_> = lines.iter().map(String::as_str).collect();
        assert_sent(&gateway, TEXT, lines.join(end), &lines_ref).await;
        let (fay, gus) = (format!("fay{number}@example.com"), format!("gus{number}@example.com"));
        assert_sent(&gateway, NDJSON, format!("\"{fay}\"{end}{{\"email\":\"{gus}\"}}{end}"), &[&fay, &gus])
            .await;
    }
    let header = "email,name\rann@example.com,Ann\nbob@example.com,Bob\n";
    assert_sent(&gateway, CSV, header, &["ann@example.com", "bob@example.com"]).await;
    gateway.stop().await;
}

#[actix_web::test]
async fn rows_that_lost_their_line_ends_are_refused() {
    let gateway = Gateway::start().await;
    for body in [
        "email,name,ann@example.com,Ann\nbob@example.com,Bob\n",
        "email,name\u{2028}ann@example.com,Ann\u{2028}bob@example.com,Bob\nkim@example.com,Kim\n",
        "email,ann@example.com\nemail,bob@example.com\n",
    ] {
        let words = ["holds an address beside", "line ends", "--data-binary"];
        assert_refused(&gateway, CSV, body.as_bytes(), Some(1), &words).await;
    }
    let comma = b"{\"email\":\"ann@example.com\"},\n{\"email\":\"bob@example.com\"}";
    assert_refused(&gateway, NDJSON, comma, Some(1), &["a comma follows", "between its lines"]).await;
    let title = b"Customers\nemail,name\nann@example.com,Ann\n";
    assert_refused(&gateway, CSV, title, Some(2), &["a title that stands above the names"]).await;
    let joined = "email,name,note\nkim1@example.com,Kim\u{c}lee1@example.com,Lee\nmax1@example.com,Max,x\n";
    assert_refused(&gateway, CSV, joined.as_bytes(), Some(2), &["form feed", "end rows with LF"]).await;
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn csv_rows_without_any_text_are_no_addresses() {
    let gateway = Gateway::start().await;
    let blank = [",\n", "\"\",\" \"\r\n", "\u{a0},\u{200b}\n"].concat().repeat(200);
    let body = format!("{blank}email,name\nann@example.com,Ann\n{blank}");
    assert_sent(&gateway, CSV, body, &["ann@example.com"]).await;

    let named = gateway.post_body(CSV, "email,name\nbob@example.com,Bob\n,Cleo\n").await;
    assert_eq!(named.words(), ["sent", "invalid/empty"]);
    let strings = gateway.post_body(JSON, r#"["dan@example.com", "", " "]"#).await;
    assert_eq!(strings.words(), ["sent", "invalid/empty", "invalid/empty"]);
    gateway.stop().await;
}

#[actix_web::test]
async fn invisible_characters_around_an_address_are_never_sent_and_inside_it_are_refused() {
    let gateway = Gateway::start().await;
    for (number, (before, behind)) in [
        ("", "\u{a0}"),
        ("\u{200b}", ""),
        ("\u{202a}", "\u{202c}"),
        ("\u{feff} ", "\u{2060}\u{ad}"),
        ("\u{3000}", "\u{2028}"),
    ]
    .into_iter()
    .enumerate()
    {
        let email = |name: &str| format!("{name}{number}@example.com");
        let dressed = |name: &str| format!("{before}{}{behind}", email(name));
        let blank = format!("{before}{behind}");
        let text = format!("{}\n{blank}\n", dressed("text"));
        assert_sent(&gateway, TEXT, text, &[&email("text")]).await;
        let csv = format!("{before}email{behind},name\n{},Ann\n\"{blank}\",\n", dressed("csv"));
        assert_sent(&gateway, CSV, csv, &[&email("csv")]).await;
        assert_sent(&gateway, JSON, json!([dressed("json")]).to_string(), &[&email("json")]).await;
        assert_sent(&gateway, NDJSON, json!({"email": dressed("line")}).to_string(), &[&email("line")]).await;

        let again = gateway.post("", &[dressed("text"), email("text")]).await;
        assert_eq!(again.words(), ["duplicate", "duplicate"]);
        assert_eq!(again.outcomes()[0].0, dressed("text"), "what the caller sent comes back as it was");
        let lookup = json!({"email": dressed("text")}).to_string();
        let found =
            gateway.request(Method::POST, "/v1/recent-sends/lookup", &[("content-type", JSON)], lookup).await;
        assert_eq!(found.json()["recent"], true, "{found:?}");
        gateway.sandbox.reset();
        gateway.patch(&[dressed("patch")]).await.assert_resent();
        assert_eq!(gateway.accepted(&email("patch")), 1);
    }
    let inside = gateway.post("", &["ann@exam\u{200b}ple.com", "an\u{feff}n@example.com", "\u{a0}"]).await;
    assert_eq!(inside.words(), ["invalid/bad_character", "invalid/bad_character", "invalid/empty"]);
    let detail = inside.json()["results"][0]["detail"].clone();
    assert!(detail.as_str().unwrap().contains("an invisible character"), "{detail}");
    gateway.stop().await;
}

#[actix_web::test]
async fn the_column_of_the_addresses_is_found_by_each_of_its_names() {
    let gateway = Gateway::start().await;
    for name in [
        "email",
        "Email Address",
        "E-mail",
        "e_mail",
        "EMAIL_ADDRESS",
        "e-mail address",
        "Mail",
        "\"E Mail\"",
    ] {
        let body = format!("Name,{name}\nAnn,ann@example.com\n");
        gateway.sandbox.reset();
        let answer = gateway.post_body(CSV, body).await;
        assert_eq!((answer.status.as_u16(), answer.words().len()), (200, 1), "{name}: {answer:?}");
        let alone = gateway.post_body(CSV, format!("{name}\nann@example.com\n")).await;
        assert_eq!(alone.words(), ["duplicate"], "{name}: {alone:?}");
    }
    let both = gateway.post_body(CSV, "mail,email\nnone,bob@example.com\n").await;
    assert_eq!(both.words(), ["sent"]);
    assert_refused(&gateway, CSV, b"mail,e-mail\na,b\n", Some(1), &["several columns", "just one"]).await;
    assert_refused(
        &gateway,
        CSV,
        b"Name,Phone\na,b\n",
        Some(1),
        &["the columns are: Name, Phone;", "\"email\""],
    )
    .await;
    assert_refused(&gateway, CSV, b"ann@example.com,Ann\n", Some(1), &["it is no header"]).await;
    gateway.stop().await;
}

#[actix_web::test]
async fn a_byte_order_mark_is_passed_over_in_every_form_gzipped_or_not() {
    let gateway = Gateway::start().await;
    for (number, (format, body)) in [
        (JSON, "[\"NAME@example.com\"]"),
        (JSON, "{\"emails\":[\"NAME@example.com\"]}"),
        (NDJSON, "\"NAME@example.com\"\n"),
        (TEXT, "NAME@example.com"),
        (CSV, "\"email\",n\nNAME@example.com,x"),
    ]
    .into_iter()
    .enumerate()
    {
        let (plain, packed) = (format!("plain{number}"), format!("packed{number}"));
        let marked = |name: &str| format!("\u{feff}{}", body.replace("NAME", name));
        assert_sent(&gateway, format, marked(&plain), &[&format!("{plain}@example.com")]).await;
        let answer = post_gzipped(&gateway, format, marked(&packed).as_bytes()).await;
        assert_eq!(answer.words(), ["sent"], "{body}: {answer:?}");
    }
    gateway.patch_body(PATH, &[], "\u{feff}[\"patch@example.com\"]").await.assert_resent();
    let dry = gateway.request(
        Method::POST,
        "/v1/resends?dry_run=true",
        &[("content-type", JSON)],
        "\u{feff}[\"dry@example.com\"]",
    );
    assert_eq!(dry.await.words(), ["would_send"]);
    let lookup = "\u{feff}{\"email\": \"patch@example.com\"}";
    let found =
        gateway.request(Method::POST, "/v1/recent-sends/lookup", &[("content-type", JSON)], lookup).await;
    assert_eq!(found.json()["recent"], true, "{found:?}");
    gateway.stop().await;
}

#[actix_web::test]
async fn what_cannot_be_taken_is_refused_with_its_name_and_place() {
    let gateway = Gateway::start().await;
    let wide = |body: &str| body.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    for body in [
        "email;name\r\nann@example.com;Ann\r\n",
        "\"email\";\"name\"\r\n\"ann@example.com\";\"Ann\"\r\n",
        "email;name, first\r\nann@example.com;Ann\r\n",
        "\u{feff} \"E-Mail\" ; \"name\"\r\n",
        "ann@example.com;Ann\r\n",
    ] {
        assert_refused(&gateway, CSV, body.as_bytes(), Some(1), &["semicolons", "commas"]).await;
    }
    assert_refused(&gateway, CSV, b"\"email\"\t\"name\"\n", Some(1), &["tabs"]).await;
    assert_refused(&gateway, CSV, b"\r\nsep=;\r\nemail;name\r\n", Some(2), &["`sep=` line"]).await;
    for format in [CSV, TEXT] {
        let marked = [b"\xff\xfe".to_vec(), wide("email,name\nann@example.com,Ann")].concat();
        assert_refused(&gateway, format, &marked, Some(1), &["UTF-16"]).await;
        assert_refused(&gateway, format, &wide("ann@example.com\n"), Some(1), &["UTF-16"]).await;
        let ansi = b"email,name\rann@example.com,J\xfcrgen\r";
        assert_refused(&gateway, format, ansi, Some(2), &["Windows-1252", "UTF-8"]).await;
    }
    assert_refused(&gateway, JSON, &wide("[\"ann@example.com\"]"), None, &["UTF-16"]).await;
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn semicolons_and_tabs_in_a_header_do_not_hide_its_column() {
    let gateway = Gateway::start().await;
    for (name, body) in [
        ("ann@example.com", "a;b,\"multi\nline\",email\nx,y,ann@example.com\n"),
        ("kim@example.com", "\"Last;\nname\",email\nLee,kim@example.com\n"),
        ("lee@example.com", "\"lee@example.com\t\"\n"),
    ] {
        assert_sent(&gateway, CSV, body, &[name]).await;
    }
    let title = gateway.post_body(CSV, "Recipients; all\nbob@example.com\n").await;
    assert_eq!(title.words(), ["invalid/no_at_sign", "sent"]);
    let names = b"Name (a; b; c),Recipient\nx,y\n";
    assert_refused(&gateway, CSV, names, Some(1), &["the columns are: Name (a; b; c), Recipient;"]).await;
    gateway.stop().await;
}

#[actix_web::test]
async fn a_list_under_another_media_type_is_refused_with_the_right_one() {
    let gateway = Gateway::start().await;
    let json = "[\"ann@example.com\", \"bob@example.com\"]";
    for format in [TEXT, CSV] {
        assert_refused(&gateway, format, json.as_bytes(), Some(1), &["looks like JSON", "application/json"])
            .await;
    }
    let lines = b"\"ann@example.com\"\n\"bob@example.com\"\n";
    assert_refused(&gateway, JSON, lines, None, &["application/x-ndjson"]).await;
    assert_refused(&gateway, JSON, b"{\"email\":\"ann@example.com\"}\n", None, &["application/x-ndjson"])
        .await;
    assert_refused(&gateway, JSON, b"ann@example.com\n", None, &["text/plain"]).await;
    assert_refused(&gateway, JSON, b"['ann@example.com']", None, &["double quotes"]).await;
    assert_refused(&gateway, NDJSON, json.as_bytes(), Some(1), &["application/json"]).await;
    assert_refused(&gateway, NDJSON, b"ann@example.com\n", Some(1), &["text/plain"]).await;
    for (format, body) in
        [(CSV, "email,nameann@example.com,Ann"), (NDJSON, "\"ann@example.com\"\"bob@example.com\"")]
    {
        assert_refused(&gateway, format, body.as_bytes(), Some(1), &["--data-binary"]).await;
    }
    let patched = gateway.patch_body(PATH, &[], "['ann@example.com']").await.fault(400, "malformed_body");
    assert!(patched["description"].as_str().unwrap().contains("double quotes"), "{patched}");
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn a_file_that_is_no_list_is_refused_with_what_it_looks_like() {
    let gateway = Gateway::start().await;
    let files: [(&[u8], &str); 9] = [
        (b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0\xb5", ".xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0", ".xls"),
        (b"%PDF-1.4\n%\xe2\xe3", "PDF"),
        (&gzipped(b"ann@example.com"), "Content-Encoding: gzip"),
        (b"PK\x05\x06\0\0", ".xlsx"),
        (b"BZh91AY&SY\x12", "compressed data"),
        (b"{\\rtf1 ann@example.com}", "RTF"),
        (b"SQLite format 3\0\x10", "SQLite"),
        (b"\x89PNG\r\n\x1a\n", "image"),
    ];
    for (body, word) in files {
        for (format, line) in [(JSON, None), (NDJSON, Some(1)), (TEXT, Some(1)), (CSV, Some(1))] {
            assert_refused(&gateway, format, body, line, &["looks like", word]).await;
        }
        let patched = gateway.patch_body(PATH, &[], body.to_vec()).await.fault(400, "malformed_body");
        let description = patched["description"].as_str().unwrap();
        assert!(description.contains(word) && !description.contains("CSV"), "{patched}");
    }
    for array in ["[[\"ann@example.com\"]]", "[1]", "[null]"] {
        assert_refused(&gateway, TEXT, array.as_bytes(), Some(1), &["looks like JSON"]).await;
    }
    let other = "имя,email\nИван,ivan@example.com\n";
    let other: Vec<_> = other.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_refused(&gateway, CSV, &other, Some(1), &["UTF-16"]).await;
    let twice = post_gzipped(&gateway, TEXT, &gzipped(b"ann@example.com")).await.problem("malformed-gzip");
    assert!(twice["detail"].as_str().unwrap().contains("twice"), "{twice}");
    let headers = [("content-type", TEXT), ("content-encoding", "gzip")];
    let plain = gateway.request(Method::POST, "/v1/resends", &headers, "ann@example.com").await;
    let plain = plain.problem("malformed-gzip");
    assert!(plain["detail"].as_str().unwrap().contains("not gzip, as Content-Encoding says"), "{plain}");
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn several_addresses_in_one_place_are_invalid_and_the_detail_says_so() {
    let gateway = Gateway::start().await;
    let pair = "a@example.com; b@example.com";
    for (format, body) in [
        (TEXT, pair.to_owned()),
        (CSV, format!("email\n{pair}\n")),
        (CSV, format!("{pair}\n")),
        (CSV, "email,name\n\"a@example.com, b@example.com\",x\n".to_owned()),
        (JSON, json!([pair]).to_string()),
        (NDJSON, json!({"email": "a@example.com b@example.com"}).to_string()),
    ] {
        for query in ["", "?dry_run=true"] {
            let path = format!("/v1/resends{query}");
            let answer =
                gateway.request(Method::POST, &path, &[("content-type", format)], body.clone()).await;
            assert_eq!(answer.words(), ["invalid/bad_character"], "{body}: {answer:?}");
            let detail = answer.json()["results"][0]["detail"].clone();
            assert_eq!(detail, "several addresses stand here; list each of them by itself", "{body}");
        }
    }
    let named = gateway.post("", &["Ann <a@example.com>", "nobody"]).await.json();
    assert_eq!(named["results"][0]["detail"], "a name and an address stand here; give the address alone");
    assert_eq!(named["results"][1].get("detail"), None);
    let patched = gateway.patch(&["c@example.com", pair]).await.fault(400, "invalid_addresses");
    assert!(patched["invalid"][0]["detail"].as_str().unwrap().starts_with("several addresses"), "{patched}");
    assert!(
        patched["description"].as_str().unwrap().contains("element 1 (bad_character: several"),
        "{patched}"
    );
    let lookup = json!({"email": pair}).to_string();
    let found =
        gateway.request(Method::POST, "/v1/recent-sends/lookup", &[("content-type", JSON)], lookup).await;
    assert!(found.problem("not-an-address")["detail"].as_str().unwrap().contains("several addresses"));
    assert_eq!(gateway.sandbox.stats().calls, 0);
    gateway.stop().await;
}
