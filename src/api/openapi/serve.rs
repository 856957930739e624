//! `GET /openapi.json` and `GET /docs/`: the document, and a page that shows it without any other server's help.
//!
//! The page is Swagger UI as it is compiled in. Its policy lets it load itself and call this gateway, and nothing
//! else; what it styles inline is styles, never scripts.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::header::CONTENT_SECURITY_POLICY,
    web::{Data, Path},
};
use serde_json::{Value, json};
use utoipa_swagger_ui::Config;

use super::{
    DOCUMENT, FILE, PAGE,
    operation::{Entry, Operation},
    refusals,
};
use crate::api::{problem::Problem, routes::ApiState};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TAG: &str = "documentation";

/// `GET /openapi.json`
pub(in crate::api) async fn document(state: Data<ApiState>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(state.document.clone())
}

/// `GET /docs/`
pub(in crate::api) async fn page() -> Result<HttpResponse, Problem> {
    part("index.html")
}

/// `GET /docs/{file}`
pub(in crate::api) async fn file(name: Path<String>) -> Result<HttpResponse, Problem> {
    part(&name)
}

fn part(name: &str) -> Result<HttpResponse, Problem> {
    // By default the page asks a server on the internet whether the document is good.
    let config = Config::from("../openapi.json").validator_url("none");
    let found = utoipa_swagger_ui::serve(name, Arc::new(config)).map_err(|_| Problem::internal())?;
    let file = found.ok_or_else(Problem::no_such_path)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .content_type(file.content_type)
        .body(file.bytes.into_owned()))
}

/// These paths as operations of the document.
pub(super) fn operations() -> Vec<Entry> {
    let open = |id, summary, description| Operation::new(id, TAG, summary, description).open();
    let start = json!({"openapi": "3.1.0", "info": {"title": "faxplus-gateway", "version": env!("CARGO_PKG_VERSION")},
        "paths": {}});
    let object = json!({"application/json": {"schema": {"type": "object"}, "example": start}});
    let page = "<!DOCTYPE html>\n<html lang=\"en\">\n…";
    let text = |kind: &str, example: &str| {
        (kind.to_owned(), json!({"schema": {"type": "string"}, "example": example}))
    };
    let html = Value::from_iter([text("text/html", page)]);
    let picture = json!({"schema": {"type": "string"}, "examples": {"icon": {"externalValue": "/docs/favicon-32x32.png"}}});
    let any = [
        text("text/html", page),
        text("text/css", ".swagger-ui { color: #3b4151 }"),
        text("text/javascript", "window.onload = function () { … }"),
        ("image/png".to_owned(), picture),
    ];
    let policy = &["Content-Security-Policy"];
    let refused = [refusals::cross_site()];
    let name = json!({"name": "file", "in": "path", "required": true, "description": "The name of a file",
        "schema": {"type": "string", "pattern": "^[a-z0-9.-]+$"}, "example": "swagger-ui.css"});
    vec![
        (DOCUMENT, "get", {
            open("getOpenapi", "This document", "The same for every gateway of this version.")
                .answer(200, "The document", &[], object)
                .problems(&refused)
        }),
        (PAGE, "get", {
            open("getDocsPage", "A page that shows this document", "Needs no other server.")
                .answer(200, "The page", policy, html)
                .problems(&refused)
        }),
        (FILE, "get", {
            open("getDocsFile", "A part of the page", "A script, a style or a picture of it.")
                .parameter(name)
                .answer(200, "The file", policy, any.into_iter().collect())
                .problems(&[refusals::cross_site(), refusals::no_such_path()])
        }),
    ]
}
