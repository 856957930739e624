//! Rows as a stream: a page at a time, so that a slow reader of a huge list costs nothing.

use std::convert::Infallible;

use actix_web::{HttpResponse, HttpResponseBuilder, http::header::CONTENT_TYPE, web::Bytes};
use futures_util::stream;
use serde::Serialize;

use super::{
    forms::{CSV_HEADER, write_row},
    media::ResultForm,
    problem::Problem,
    render::RowBody,
};

/// Rows looked at at once.
const PAGE: u32 = 1000;

/// Where rows come from, in the order of a caller's list.
pub(super) trait Rows {
    /// How many there are, wanted or not.
    fn len(&self) -> u32;

    /// Hands over the wanted ones from `from` on; looks at no more than `limit`.
    fn read(&self, from: u32, limit: u32, take: &mut dyn FnMut(&RowBody<'_>));
}

/// The wanted rows, written page by page between an opening and a closing.
pub(super) struct Pages<R> {
    rows: R,
    form: ResultForm,
    opening: Option<String>,
    closing: Option<&'static str>,
    next: u32,
    first: bool,
}

impl<R: Rows + 'static> Pages<R> {
    pub(super) fn new(rows: R, form: ResultForm) -> Self {
        let (opening, closing) = match form {
            ResultForm::Json => ("[", "]\n"),
            ResultForm::Ndjson | ResultForm::Text => ("", ""),
            ResultForm::Csv => (CSV_HEADER, ""),
        };
        Self { rows, form, opening: Some(opening.to_owned()), closing: Some(closing), next: 0, first: true }
    }

    /// Answers with `body`, a JSON object, of which the rows become the last member.
    pub(super) fn answer_in(
        rows: R,
        body: &impl Serialize,
        mut response: HttpResponseBuilder,
    ) -> HttpResponse {
        let Ok(mut opening) = serde_json::to_string(body) else { return Problem::internal().render("") };
        opening.pop();
        opening.push_str(",\"results\":[");
        let mut pages =
            Self { opening: Some(opening), closing: Some("]}\n"), ..Self::new(rows, ResultForm::Json) };
        response.insert_header((CONTENT_TYPE, ResultForm::Json.content_type()));
        match pages.whole() {
            Some(whole) => response.body(whole),
            None => response.streaming(pages.into_stream()),
        }
    }

    /// All pages in one piece, when the list is that short.
    fn whole(&mut self) -> Option<Bytes> {
        if self.rows.len() > PAGE {
            return None;
        }
        let mut whole = Vec::new();
        while let Some(page) = self.page() {
            whole.extend_from_slice(&page);
        }
        Some(Bytes::from(whole))
    }

    pub(super) fn into_stream(self) -> impl stream::Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, |mut pages| async move { pages.page().map(|page| (Ok(page), pages)) })
    }

    fn page(&mut self) -> Option<Bytes> {
        let mut page = Vec::new();
        page.extend(self.opening.take().into_iter().flat_map(String::into_bytes));
        // A page of which nothing is wanted must not end the stream as an empty piece.
        while page.is_empty() && self.next < self.rows.len() {
            self.write_rows(&mut page);
        }
        if self.next >= self.rows.len() {
            page.extend(self.closing.take().into_iter().flat_map(str::bytes));
        }
        (!page.is_empty()).then(|| Bytes::from(page))
    }

    fn write_rows(&mut self, page: &mut Vec<u8>) {
        let (form, first) = (self.form, &mut self.first);
        self.rows.read(self.next, PAGE, &mut |row| {
            if form == ResultForm::Json && !std::mem::replace(first, false) {
                page.extend_from_slice(b",\n");
            }
            write_row(form, row, page);
        });
        self.next = self.next.saturating_add(PAGE).min(self.rows.len());
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc};

    use futures_util::{FutureExt as _, StreamExt as _};

    use super::*;
    use crate::api::render::row;
    use crate::store::Row;

    /// Ten million rows; counts how many were looked at.
    struct Endless(Rc<Cell<u32>>);

    impl Rows for Endless {
        fn len(&self) -> u32 {
            10_000_000
        }

        fn read(&self, from: u32, limit: u32, take: &mut dyn FnMut(&RowBody<'_>)) {
            self.0.set(from + limit);
            for index in from..from + limit {
                take(&row(&Row { index, email: "a@example.com", outcome: None }));
            }
        }
    }

    #[test]
    fn no_more_is_read_than_the_reader_has_taken() {
        for form in ResultForm::ALL {
            let looked_at = Rc::new(Cell::new(0));
            let mut stream = Box::pin(Pages::new(Endless(Rc::clone(&looked_at)), form).into_stream());

            for page in 1..=3 {
                let bytes = stream.next().now_or_never().unwrap().unwrap().unwrap();

                assert!(looked_at.get() <= page * PAGE, "{form:?}: {} for {page} pages", looked_at.get());
                assert!(bytes.len() < 100 * PAGE as usize, "{} bytes", bytes.len());
            }
        }
    }
}
