//! Results as a stream: a page of rows at a time, so that a slow reader of a huge list costs nothing.

use std::{convert::Infallible, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::CONTENT_TYPE,
    web::{Bytes, Data, Path},
};
use futures_util::stream;

use super::{
    media::{ResultForm, result_form},
    problem::Problem,
    query::{Query, Results, Wanted},
    render,
    resends::find,
    routes::ApiState,
};
use crate::{domain::OutcomeKind, store::Record};

/// Rows read at once.
const PAGE: u32 = 1000;

/// `GET /v1/resends/{id}/results`
pub(super) async fn get(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let wanted = Query::parse(request.query_string(), &["outcome"])?.wanted()?;
    let form = result_form(request.headers())?;
    let record = find(&state, &id)?;
    let (opening, closing) = match form {
        ResultForm::Json => ("[", "]\n"),
        ResultForm::Ndjson => ("", ""),
    };
    let pages = Pages::new(record, wanted, form, opening.to_owned(), closing);
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, form.content_type())).streaming(pages.into_stream()))
}

/// The results that belong into the answer of a finished resend.
pub(super) fn wanted(results: Results) -> Option<Wanted> {
    match results {
        Results::None => None,
        Results::All => Some(Wanted { kinds: OutcomeKind::ALL.to_vec(), pending: false }),
        Results::Problems => {
            let kinds = OutcomeKind::ALL.into_iter();
            let kinds = kinds.filter(|kind| !matches!(kind, OutcomeKind::Sent | OutcomeKind::Duplicate));
            Some(Wanted { kinds: kinds.collect(), pending: false })
        }
    }
}

/// The rows of a record that are wanted, written page by page between an opening and a closing.
pub(super) struct Pages {
    record: Arc<Record>,
    wanted: Wanted,
    form: ResultForm,
    opening: Option<String>,
    closing: Option<&'static str>,
    next: u32,
    first: bool,
}

impl Pages {
    pub(super) fn new(
        record: Arc<Record>,
        wanted: Wanted,
        form: ResultForm,
        opening: String,
        closing: &'static str,
    ) -> Self {
        Self { record, wanted, form, opening: Some(opening), closing: Some(closing), next: 0, first: true }
    }

    /// All pages in one piece, when the list is that short.
    pub(super) fn whole(&mut self) -> Option<Bytes> {
        if self.record.list.len() > PAGE {
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
        while page.is_empty() && self.next < self.record.list.len() {
            self.write_rows(&mut page);
        }
        if self.next >= self.record.list.len() {
            page.extend(self.closing.take().into_iter().flat_map(str::bytes));
        }
        (!page.is_empty()).then(|| Bytes::from(page))
    }

    fn write_rows(&mut self, page: &mut Vec<u8>) {
        for row in self.record.rows(self.next, PAGE) {
            let is_wanted = match &row.outcome {
                None => self.wanted.pending,
                Some(outcome) => self.wanted.kinds.contains(&outcome.kind()),
            };
            if !is_wanted {
                continue;
            }
            if self.form == ResultForm::Json && !std::mem::replace(&mut self.first, false) {
                page.extend_from_slice(b",\n");
            }
            // Writing strings and numbers into memory has no way to fail.
            if serde_json::to_writer(&mut *page, &render::row(&row)).is_err() {
                tracing::error!("A result could not be written as JSON.");
            }
            if self.form == ResultForm::Ndjson {
                page.push(b'\n');
            }
        }
        self.next = self.next.saturating_add(PAGE).min(self.record.list.len());
    }
}
