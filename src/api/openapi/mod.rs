//! The OpenAPI 3.1 document of the main listener, and the pages that show it.
//!
//! Put together from the code: schemas are derived where the bodies are declared, words come from the closed
//! sets of the domain, and each refusal is shown by a [`Problem`](super::problem::Problem) that was made like a
//! real one. What can't be derived (parameters, headers, which refusals a path knows) is written here, and tests
//! hold it against `ROUTES`. Owns no state; the same for every gateway, so it says nothing of settings.

mod bodies;
mod compat;
mod everywhere;
mod operation;
mod operator;
mod parameters;
mod refusals;
mod resends;
mod schemas;
pub(super) mod serve;
#[cfg(test)]
mod tests;
pub(super) mod words;

use serde_json::{Map, Value, json};

use self::operation::Operation;

/// Where the document is.
pub(super) const DOCUMENT: &str = "/openapi.json";
/// Where people look for the page; they are told where it is, because nothing here redirects.
const DOCS: &str = "/docs";
/// The page that shows the document.
pub(super) const PAGE: &str = "/docs/";
/// What the page is made of.
pub(super) const FILE: &str = "/docs/{file}";

/// What the document says of all of it; what is behind it is [`everywhere`].
const DESCRIPTION: &str = "Takes lists of e-mail addresses of any size and resends fax.plus member invitations to \
    them, ten per upstream call, never twice inside a window, with one true outcome per address.\n\n\
    Every refusal is a problem document (RFC 9457), and nothing was sent then. A path or a query parameter that is \
    not known here is refused, too. Requests that a browser makes for a page of another site are refused with 403.\n\n\
    HEAD is answered wherever GET is: the same status and headers, without the body.";

/// Whether a path is for everybody, token or not; `pattern` is that of its route, if it has one.
pub(super) fn is_open(path: &str, pattern: Option<&str>) -> bool {
    path == DOCS || pattern.is_some_and(|pattern| [DOCUMENT, PAGE, FILE].contains(&pattern))
}

/// The whole document.
pub fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "faxplus-gateway",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Resends fax.plus member invitations",
            "description": format!("{DESCRIPTION}\n\n{}", everywhere::description()),
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "resends", "description": "Post lists, follow them, read what became of each address"},
            {"name": "recent sends", "description": "Whether an address was sent lately"},
            {"name": "operator", "description": "Pause and resume for everybody"},
            {"name": "fax.plus", "description": "The endpoint of fax.plus, without its limit of ten"},
            {"name": "documentation", "description": "This document; open to everybody"},
        ],
        "paths": paths(),
        "components": {
            "schemas": schemas::all(),
            "parameters": parameters::shared(),
            "headers": parameters::headers(),
            "responses": everywhere::responses(),
            "securitySchemes": {"token": {
                "type": "http",
                "scheme": "bearer",
                "description": "The token of a client, where `auth.mode` is `tokens`. Without authentication \
                    nothing is looked for.",
            }},
        },
        "security": [{"token": []}, {}],
    })
}

fn paths() -> Value {
    let mut paths = Map::new();
    let all = resends::operations()
        .into_iter()
        .chain(operator::operations())
        .chain(compat::operations())
        .chain(serve::operations());
    for (path, method, operation) in all {
        let item = paths.entry(path.to_owned()).or_insert_with(|| json!({}));
        item[method] = Operation::into_value(operation);
    }
    paths.into()
}
