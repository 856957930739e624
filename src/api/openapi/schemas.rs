//! The schemas of the document: those of the bodies by derivation, and the few that no type stands for.

use serde_json::{Map, Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::refusals;
use crate::api::{compat, dry_run, operator, problem, recent_sends, render};

/// Every schema, by name.
pub(super) fn all() -> Value {
    let mut found = Vec::new();
    add::<render::ResendBody<'_>>(&mut found);
    add::<render::ListBody<'_>>(&mut found);
    add::<render::RowBody<'_>>(&mut found);
    add::<dry_run::PlanBody<'_>>(&mut found);
    add::<recent_sends::Question>(&mut found);
    add::<recent_sends::Answer>(&mut found);
    add::<operator::Pausing>(&mut found);
    add::<operator::Resuming>(&mut found);
    add::<operator::OperatorBody<'_>>(&mut found);
    add::<compat::EndBody>(&mut found);
    add::<problem::Document<'_>>(&mut found);
    let mut schemas: Map<String, Value> =
        found.into_iter().map(|(name, schema)| (name, json!(schema))).collect();
    schemas.extend(written());
    with_members(&mut schemas["Problem"]);
    schemas.into()
}

fn add<T: ToSchema>(found: &mut Vec<(String, RefOr<Schema>)>) {
    found.push((T::name().into_owned(), <T as PartialSchema>::schema()));
    T::schemas(found);
}

/// What is streamed, or read piece by piece, and so is no type anywhere.
fn written() -> [(String, Value); 7] {
    let with_results = |of: &str| {
        json!({"allOf": [{"$ref": format!("#/components/schemas/{of}")}, {"type": "object", "properties": {
            "results": {"type": "array", "items": {"$ref": "#/components/schemas/Row"},
                "description": "In the order of the list; which of them, and whether at all, `results` in the query says"}}}]})
    };
    let addresses =
        json!({"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Address"}});
    let mut compat_refusal = json!({
        "type": "object",
        "description": "Why a list was refused, as fax.plus writes its errors. Nothing was sent.",
        "required": ["error", "description"],
        "properties": {"error": {"type": "string"}, "description": {"type": "string"}},
    });
    with_members(&mut compat_refusal);
    [
        (
            "Address".to_owned(),
            json!({"type": "string", "examples": ["ann@example.com"],
            "description": "An e-mail address. Any string is taken; what is no address comes to the end `invalid`."}),
        ),
        ("Addresses".to_owned(), addresses.clone()),
        (
            "List".to_owned(),
            json!({"oneOf": [{"$ref": "#/components/schemas/Addresses"}, {"type": "object",
            "required": ["emails"], "properties": {"emails": {"$ref": "#/components/schemas/Addresses"}},
            "additionalProperties": false}]}),
        ),
        ("ResendWithResults".to_owned(), with_results("Resend")),
        ("PlanWithResults".to_owned(), with_results("Plan")),
        (
            "CompatDone".to_owned(),
            json!({"type": "object", "required": ["message"], "properties": {
            "message": {"const": "Invitations resent successfully"}}}),
        ),
        ("CompatRefusal".to_owned(), compat_refusal),
    ]
}

/// Adds what some refusals say beside the members that all of them have.
fn with_members(schema: &mut Value) {
    for problem in refusals::every() {
        for (name, value) in problem.parts().2 {
            schema["properties"][name] = json!({"type": kind(value)});
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
