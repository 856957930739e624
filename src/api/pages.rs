//! Rows as a stream: a page at a time, so that a slow reader of a huge list costs nothing.

use actix_web::{HttpResponse, HttpResponseBuilder, http::header::CONTENT_TYPE, web::Bytes};
use futures_util::stream;
use serde::Serialize;

use super::{
    accept::ResultForm,
    forms::{CSV_HEADER, write_row},
    problem::Problem,
    render::RowBody,
};
use crate::resends::ReadError;

/// Longer lists are not told in one piece.
const SHORT: u32 = 1000;

/// Where rows come from, in the order of a caller's list.
pub(super) trait Rows {
    /// How many there are, wanted or not.
    fn len(&self) -> u32;

    /// Hands over the wanted ones of the next few. Says whether more follow.
    async fn read(&mut self, take: &mut dyn FnMut(&RowBody<'_>)) -> Result<bool, ReadError>;
}

/// The wanted rows, written page by page between an opening and a closing.
pub(super) struct Pages<R> {
    rows: R,
    form: ResultForm,
    opening: Option<String>,
    closing: Option<&'static str>,
    /// Whether no row was written yet.
    first: bool,
    /// Whether there is nothing left to read.
    is_over: bool,
}

impl<R: Rows + 'static> Pages<R> {
    pub(super) fn new(rows: R, form: ResultForm) -> Self {
        let (opening, closing) = match form {
            ResultForm::Json => ("[", "]\n"),
            ResultForm::Ndjson | ResultForm::Text => ("", ""),
            ResultForm::Csv => (CSV_HEADER, ""),
        };
        let is_over = rows.len() == 0;
        Self { rows, form, opening: Some(opening.to_owned()), closing: Some(closing), first: true, is_over }
    }

    /// Answers with `body`, a JSON object, of which the rows become the last member.
    pub(super) async fn answer_in(
        rows: R,
        body: &impl Serialize,
        mut response: HttpResponseBuilder,
    ) -> Result<HttpResponse, Problem> {
        let mut opening = serde_json::to_string(body).map_err(|_| Problem::internal())?;
        opening.pop();
        opening.push_str(",\"results\":[");
        let mut pages =
            Self { opening: Some(opening), closing: Some("]}\n"), ..Self::new(rows, ResultForm::Json) };
        response.insert_header((CONTENT_TYPE, ResultForm::Json.content_type()));
        if pages.rows.len() > SHORT {
            return pages.stream_in(response).await;
        }
        let mut whole = Vec::new();
        while let Some(page) = pages.page().await.map_err(Problem::read)? {
            whole.extend_from_slice(&page);
        }
        Ok(response.body(whole))
    }

    /// Answers with the rows alone.
    pub(super) async fn answer(self) -> Result<HttpResponse, Problem> {
        let mut response = HttpResponse::Ok();
        response.insert_header((CONTENT_TYPE, self.form.content_type()));
        self.stream_in(response).await
    }

    /// A store that can't be read at all is told by the status code; later faults cut the answer off.
    async fn stream_in(mut self, mut response: HttpResponseBuilder) -> Result<HttpResponse, Problem> {
        let first = self.page().await.map_err(Problem::read)?;
        let pages = stream::unfold((first, Some(self)), |(ready, pages)| async move {
            let mut pages = pages?;
            if let Some(page) = ready {
                return Some((Ok(page), (None, Some(pages))));
            }
            match pages.page().await {
                Ok(page) => page.map(|page| (Ok(page), (None, Some(pages)))),
                Err(error) => {
                    tracing::error!(%error, "Results can't be read to their end; the answer is cut off.");
                    Some((Err(error), (None, None)))
                }
            }
        });
        Ok(response.streaming(pages))
    }

    async fn page(&mut self) -> Result<Option<Bytes>, ReadError> {
        let mut page = Vec::new();
        page.extend(self.opening.take().into_iter().flat_map(String::into_bytes));
        // A page of which nothing is wanted must not end the stream as an empty piece.
        while page.is_empty() && !self.is_over {
            self.write_rows(&mut page).await?;
        }
        if self.is_over {
            page.extend(self.closing.take().into_iter().flat_map(str::bytes));
        }
        Ok((!page.is_empty()).then(|| Bytes::from(page)))
    }

    async fn write_rows(&mut self, page: &mut Vec<u8>) -> Result<(), ReadError> {
        let (form, first) = (self.form, &mut self.first);
        let mut write = |row: &RowBody<'_>| {
            if form == ResultForm::Json && !std::mem::replace(first, false) {
                page.extend_from_slice(b",\n");
            }
            write_row(form, row, page);
        };
        self.is_over = !self.rows.read(&mut write).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc};

    use actix_web::body::MessageBody as _;
    use futures_util::FutureExt as _;

    use super::*;
    use crate::api::render::row;
    use crate::store::Row;

    const PAGE: u32 = 1000;

    /// Ten million rows; counts how many were looked at.
    struct Endless(Rc<Cell<u32>>);

    impl Rows for Endless {
        fn len(&self) -> u32 {
            10_000_000
        }

        async fn read(&mut self, take: &mut dyn FnMut(&RowBody<'_>)) -> Result<bool, ReadError> {
            let from = self.0.get();
            self.0.set(from + PAGE);
            for index in from..from + PAGE {
                take(&row(&Row { index, email: "a@example.com", outcome: None }));
            }
            Ok(true)
        }
    }

    /// Fails after the first page.
    struct Failing(u32);

    impl Rows for Failing {
        fn len(&self) -> u32 {
            5000
        }

        async fn read(&mut self, take: &mut dyn FnMut(&RowBody<'_>)) -> Result<bool, ReadError> {
            self.0 += 1;
            if self.0 > 1 {
                return Err(ReadError::Gone);
            }
            take(&row(&Row { index: 0, email: "a@example.com", outcome: None }));
            Ok(true)
        }
    }

    type Piece = Option<Result<Bytes, Box<dyn std::error::Error>>>;

    fn pieces<R: Rows + 'static>(rows: R, form: ResultForm) -> impl FnMut() -> Piece {
        let answer = Pages::new(rows, form).answer().now_or_never().unwrap().unwrap();
        let mut body = Box::pin(answer.into_body());
        move || {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            match body.as_mut().poll_next(&mut context) {
                std::task::Poll::Ready(piece) => piece,
                std::task::Poll::Pending => panic!("nothing here has to wait"),
            }
        }
    }

    #[test]
    fn no_more_is_read_than_the_reader_has_taken() {
        for form in ResultForm::ALL {
            let looked_at = Rc::new(Cell::new(0));
            let mut next = pieces(Endless(Rc::clone(&looked_at)), form);

            for page in 1..=3 {
                let bytes = next().unwrap().unwrap();

                assert!(looked_at.get() <= page * PAGE, "{form:?}: {} for {page} pages", looked_at.get());
                assert!(bytes.len() < 100 * PAGE as usize, "{} bytes", bytes.len());
            }
        }
    }

    #[test]
    fn a_fault_in_the_middle_cuts_the_answer_off() {
        let mut next = pieces(Failing(0), ResultForm::Ndjson);

        assert!(next().unwrap().is_ok());
        assert!(next().unwrap().is_err());
        assert!(next().is_none());
    }
}
