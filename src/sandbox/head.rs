//! Reads the head of one HTTP/1.1 request out of bytes.
//!
//! Pure. Refuses heads over 16 KiB, more than 64 fields, and every framing that two servers could read
//! differently: both lengths at once, a length twice, transfer codings other than `chunked`.

use super::wire::WireError;

/// Longest head, in bytes.
pub(super) const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Most header fields in a head or a trailer.
pub(super) const MAX_FIELDS: usize = 64;

/// What the head of a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) length: Length,
    pub(super) keep_alive: bool,
    /// Whether its caller knows chunks: HTTP/1.0 does not.
    pub(super) takes_chunks: bool,
    fields: Vec<(String, String)>,
}

/// How the body is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// So many bytes.
    Fixed(u64),
    /// Chunks.
    Chunked,
}

impl Head {
    /// Reads a head from the front of `bytes`: it and its length, or `None` if more bytes are needed.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, WireError> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut request = httparse::Request::new(&mut fields);
        let used = match request.parse(bytes) {
            Ok(httparse::Status::Complete(used)) if used <= MAX_HEAD_BYTES => used,
            Ok(httparse::Status::Partial) if bytes.len() < MAX_HEAD_BYTES => return Ok(None),
            Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(WireError::HeadTooLong),
            Err(_) => return Err(WireError::Malformed("this is not an HTTP/1.1 request")),
        };
        let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version)
        else {
            return Err(WireError::Malformed("the request line is not complete"));
        };
        let fields: Vec<(String, String)> = request
            .headers
            .iter()
            .map(|field| (field.name.to_owned(), String::from_utf8_lossy(field.value).trim().to_owned()))
            .collect();
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let mut head = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query,
            length: Length::Fixed(0),
            keep_alive: version == 1,
            takes_chunks: version == 1,
            fields,
        };
        head.length = head.framing(version)?;
        let closes = head.all("connection").any(|value| has_token(value, "close"));
        head.keep_alive &= !closes;
        Ok(Some((head, used)))
    }

    /// The first field of this name, without surrounding white space.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.0.eq_ignore_ascii_case(name)).map(|field| field.1.as_str())
    }

    /// Whether `Accept-Encoding` names gzip, and not to refuse it.
    pub(super) fn accepts_gzip(&self) -> bool {
        self.all("accept-encoding").flat_map(|list| list.split(',')).any(|item| {
            let (coding, weight) = item.split_once(';').unwrap_or((item, "q=1"));
            let weight = weight.trim().to_ascii_lowercase();
            let refused = weight.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
            ["gzip", "x-gzip", "*"].iter().any(|named| coding.trim().eq_ignore_ascii_case(named)) && !refused
        })
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let same = move |field: &&(String, String)| field.0.eq_ignore_ascii_case(name);
        self.fields.iter().filter(same).map(|field| field.1.as_str())
    }

    fn framing(&self, version: u8) -> Result<Length, WireError> {
        let lengths = self.all("content-length").count();
        let codings = self.all("transfer-encoding").count();
        match (self.field("content-length"), self.field("transfer-encoding")) {
            (None, None) => Ok(Length::Fixed(0)),
            (Some(length), None) if lengths == 1 && length.bytes().all(|byte| byte.is_ascii_digit()) => {
                length.parse().map(Length::Fixed).map_err(|_| WireError::Malformed("bad content-length"))
            }
            (None, Some(coding))
                if codings == 1 && version == 1 && coding.eq_ignore_ascii_case("chunked") =>
            {
                Ok(Length::Chunked)
            }
            (Some(_), None) => Err(WireError::Malformed("bad content-length")),
            (None, Some(_)) => Err(WireError::Malformed("bad transfer-encoding")),
            (Some(_), Some(_)) => Err(WireError::Malformed("two lengths for one body")),
        }
    }
}

fn has_token(list: &str, token: &str) -> bool {
    list.split(',').any(|item| item.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str) -> Result<Option<(Head, usize)>, WireError> {
        Head::read(head.as_bytes())
    }

    fn complete(head: &str) -> Head {
        read(head).unwrap().unwrap().0
    }

    #[test]
    fn a_head_is_read_up_to_its_empty_line() {
        let (head, used) =
            read("PATCH /a?b=c HTTP/1.1\r\nX-Y:  z \r\nContent-Length: 2\r\n\r\n[]").unwrap().unwrap();

        assert_eq!(used, 54);
        assert_eq!(
            (head.method.as_str(), head.path.as_str(), head.query.as_deref()),
            ("PATCH", "/a", Some("b=c"))
        );
        assert_eq!(head.field("x-y"), Some("z"));
        assert_eq!(head.length, Length::Fixed(2));
        assert!(head.keep_alive);
    }

    #[test]
    fn a_part_of_a_head_asks_for_more() {
        assert!(read("PATCH /a HTTP/1.1\r\nHost: x\r\n").unwrap().is_none());
    }

    #[test]
    fn closing_is_said_by_a_token_or_an_old_version() {
        assert!(!complete("GET / HTTP/1.1\r\nConnection: foo, Close\r\n\r\n").keep_alive);
        assert!(!complete("GET / HTTP/1.0\r\n\r\n").keep_alive);
    }

    #[test]
    fn gzip_is_accepted_where_it_is_named_and_not_refused() {
        let accepts =
            |value| complete(&format!("GET / HTTP/1.1\r\nAccept-Encoding: {value}\r\n\r\n")).accepts_gzip();

        for value in ["gzip", "br, GZIP;q=0.5", "*", "identity\r\nAccept-Encoding: x-gzip"] {
            assert!(accepts(value), "{value}");
        }
        for value in ["identity", "", "br", "gzip;q=0", "gzip; Q=0.000", "*;q=0"] {
            assert!(!accepts(value), "{value}");
        }
        assert!(!complete("GET / HTTP/1.1\r\n\r\n").accepts_gzip());
    }

    #[test]
    fn framing_that_could_be_read_in_two_ways_is_refused() {
        for fields in [
            "Content-Length: 2\r\nContent-Length: 2",
            "Content-Length: +2",
            "Content-Length: 2, 2",
            "Content-Length:",
            "Content-Length: 99999999999999999999",
            "Content-Length: 2\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        ] {
            let refused = read(&format!("PATCH / HTTP/1.1\r\n{fields}\r\n\r\n"));

            assert!(matches!(refused, Err(WireError::Malformed(_))), "{fields}: {refused:?}");
        }
        assert!(read("PATCH / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert_eq!(
            complete("PATCH / HTTP/1.1\r\ntransfer-encoding: CHUNKED\r\n\r\n").length,
            Length::Chunked
        );
    }

    #[test]
    fn a_head_has_a_greatest_length_and_number_of_fields() {
        let long = format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(MAX_HEAD_BYTES));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(MAX_FIELDS + 1));

        assert!(matches!(read(&long), Err(WireError::HeadTooLong)));
        assert!(matches!(read(&format!("{long}\r\n\r\n")), Err(WireError::HeadTooLong)));
        assert!(matches!(read(&many), Err(WireError::HeadTooLong)));
    }
}
