//! Bodies that are no list, or a list in another format, by their first bytes.

use super::{fault, read, texts};
use crate::intake::{FileKind, Format, IntakeError, ParseErrorKind::*};

const FORMATS: [Format; 5] = [Format::Json, Format::JsonArray, Format::Ndjson, Format::Text, Format::Csv];

#[test]
fn files_that_are_no_lists_are_recognised_in_every_format() {
    let table: [(&[u8], FileKind); 22] = [
        (b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0", FileKind::Zip),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", FileKind::OldOffice),
        (b"%PDF-1.7\n%\xe2\xe3", FileKind::Pdf),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", FileKind::Gzip),
        (b"<!DOCTYPE html>\n<html>", FileKind::Markup),
        (b"\xef\xbb\xbf\r\n<Table><tr>", FileKind::Markup),
        (b"\x28\xb5\x2f\xfd\x04", FileKind::Compressed),
        (b"PK\x05\x06\0\0", FileKind::Zip),
        (b"PK\x07\x08PK\x03\x04", FileKind::Zip),
        (b"\xfd7zXZ\0\0\x04", FileKind::Compressed),
        (b"BZh91AY&SY\x12", FileKind::Compressed),
        (b"BZh9\x17rE8P\x90\0", FileKind::Compressed),
        (b"Rar!\x1a\x07\x01\0", FileKind::Compressed),
        (b"x\x01\x4b", FileKind::Compressed),
        (b"x\x9cK\xcc", FileKind::Compressed),
        (b"x^K\xcc\xcb", FileKind::Compressed),
        (b"x\xdaK\xcc", FileKind::Compressed),
        (b"{\\rtf1\\ansi ann@example.com}", FileKind::RichText),
        (b"SQLite format 3\0\x10\0", FileKind::Database),
        (b"\x89PNG\r\n\x1a\n\0\0", FileKind::Image),
        (b"\xff\xd8\xff\xe0", FileKind::Image),
        (b"%PDF-2.0\n", FileKind::Pdf),
    ];
    for (body, kind) in table {
        for format in FORMATS {
            let (told, offset, index, _) = fault(format, body);
            assert_eq!((told, offset, index), (LooksLike(kind, format), 0, 0), "{format:?}");
        }
    }
}

#[test]
fn utf_16_is_named_with_and_without_its_mark_in_both_orders() {
    let body = "email,name\r\nann@example.com,Ann\r\n";
    let little: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = body.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let wide: Vec<u8> = body.chars().flat_map(|one| u32::from(one).to_le_bytes()).collect();
    for body in [
        [&b"\xff\xfe"[..], &little].concat(),
        [&b"\xfe\xff"[..], &big].concat(),
        little,
        big,
        [&b"\xff\xfe\0\0"[..], &wide].concat(),
        wide,
    ] {
        for format in FORMATS {
            assert_eq!(fault(format, &body).0, Utf16, "{format:?}");
        }
    }
}

#[test]
fn utf_16_without_a_mark_is_named_whatever_its_first_letters_are() {
    for body in [
        "имя,email\nИван,ivan@example.com\n",
        "имя@пример.рф\nдва@пример.рф\n",
        "姓名,email\r\n王,wang@example.com\r\n",
        "なまえ,mail\nあ,a@example.com\n",
        "ŁAŃCUCH,email\nx,a@example.com\n",
    ] {
        let little: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = body.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for format in FORMATS {
            assert_eq!(fault(format, &little).0, Utf16, "{format:?} {body}");
            assert_eq!(fault(format, &big).0, Utf16, "{format:?} {body}");
        }
    }
}

#[test]
fn windows_1252_is_named_with_its_place() {
    assert_eq!(fault(Format::Csv, b"email,name\na@b.c,J\xfcrgen\n"), (NotUtf8, 18, 1, Some(2)));
    assert!(NotUtf8.to_string().contains("Windows-1252"));
}

#[test]
fn json_where_lines_are_expected_is_named() {
    for body in [
        "[\"a@example.com\"]",
        "\u{feff}\r\n [\n  \"a@example.com\"\n]",
        "{\"emails\": [\"a@example.com\"]}",
        "{ \"email\": \"a@example.com\"}\n",
        "['a@example.com']",
        "[]",
        "[{\"email\": \"a@example.com\"}]",
        "[[\"a@example.com\"]]",
        "[1]",
        "[ 1, \"a@example.com\"]",
        "[null]\n",
        "[-1.5e3,2]",
        "[true, \"a@example.com\"]",
    ] {
        for format in [Format::Text, Format::Csv] {
            let offset = body.find(['[', '{']).unwrap() as u64;
            let (kind, told, index, _) = fault(format, body);
            assert_eq!((kind, told, index), (LooksLikeJson, offset, 0), "{body}");
        }
    }
}

#[test]
fn what_could_be_a_list_is_read_as_one() {
    for body in [
        "[my list]\na@example.com",
        "<a@example.com>\nb",
        "{a}@example.com\nb@example.com",
        "[1]\na@example.com",
        "[nullable]\na@example.com",
        "x^a@example.com\nü@example.com",
        "BZh9@example.com\nRar!@example.com",
        "a\0b@example.com\ncc\0c@example.com",
        "\u{feff}7z@example.com\nPK@x.com",
    ] {
        for format in [Format::Text, Format::Csv] {
            assert_eq!(texts(format, body).len(), 2, "{body}");
        }
    }
}

#[test]
fn what_the_first_bytes_are_does_not_depend_on_the_pieces() {
    let body = "[\n\n\n\n\"a@example.com\"]";
    for size in 1..body.len() {
        let (elements, result) = read(Format::Text, body.as_bytes().chunks(size));
        assert!(elements.is_empty() && matches!(result, Err(IntakeError::Malformed(_))), "{size}");
    }
}
