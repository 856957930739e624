//! The document against the routes, and against the file that keeps it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::document;
use crate::api::ROUTES;

/// What the admin listener serves, to operators: no part of what callers are told.
const ADMIN: [&str; 6] = ["/livez", "/readyz", "/metrics", "/", "/status", "/status/events"];
const FROZEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openapi.json");

fn operations(document: &Value) -> BTreeMap<(String, String), &Value> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(|(method, operation)| ((path.clone(), method.to_uppercase()), operation))
        })
        .collect()
}

/// Calls `look` with every object in `value`.
fn walk<'a>(value: &'a Value, look: &mut impl FnMut(&'a serde_json::Map<String, Value>)) {
    match value {
        Value::Object(members) => {
            look(members);
            members.values().for_each(|member| walk(member, look));
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, look)),
        _ => {}
    }
}

#[test]
fn every_route_and_status_stands_in_the_document_and_no_other() {
    let document = document();
    let told: BTreeMap<_, BTreeSet<u16>> = operations(&document)
        .into_iter()
        .map(|(name, operation)| {
            let statuses = operation["responses"].as_object().unwrap().keys();
            (name, statuses.map(|status| status.parse().unwrap()).collect())
        })
        .collect();

    let served: BTreeMap<_, BTreeSet<u16>> = ROUTES
        .iter()
        .filter(|route| !ADMIN.contains(&route.pattern))
        .map(|route| {
            let name = (route.pattern.to_owned(), route.method.to_owned());
            (name, route.statuses.iter().copied().collect())
        })
        .collect();

    assert_eq!(told, served);
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let document = document();
    let mut used = BTreeSet::new();

    walk(&document, &mut |members| {
        if let Some(Value::String(target)) = members.get("$ref") {
            used.insert(target.as_str());
        }
    });

    for target in &used {
        assert!(document.pointer(target.strip_prefix('#').unwrap()).is_some(), "{target}");
    }
    for kind in ["schemas", "parameters", "headers"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            let target = format!("#/components/{kind}/{name}");
            assert!(used.contains(target.as_str()), "nothing needs {target}");
        }
    }
}

#[test]
fn each_operation_has_a_name_of_its_own_and_each_body_an_example() {
    let document = document();
    let operations = operations(&document);

    let names: BTreeSet<_> =
        operations.values().map(|operation| operation["operationId"].as_str().unwrap()).collect();

    assert_eq!(names.len(), operations.len());
    for (name, operation) in &operations {
        let bodies = operation["responses"].as_object().unwrap().values().chain(operation.get("requestBody"));
        for (kind, content) in bodies.filter_map(|body| body["content"].as_object()).flatten() {
            let is_shown = content.get("example").is_some() || content.get("examples").is_some();
            assert!(is_shown, "{name:?} {kind}");
        }
    }
}

/// Swagger UI sends an example that stands beside the schema unless it is taken out.
#[test]
fn each_parameter_has_an_example_and_none_that_may_be_left_out_is_sent_by_itself() {
    let document = document();
    let mut seen = 0;

    let shared = document["components"]["parameters"].as_object().unwrap().values();
    let own =
        operations(&document).into_values().flat_map(|operation| operation["parameters"].as_array().unwrap());
    for parameter in shared.chain(own).filter(|parameter| parameter.get("$ref").is_none()) {
        let beside = parameter.get("example").is_some() || parameter.get("examples").is_some();
        let within = parameter["schema"].get("examples").is_some();
        assert_eq!(
            (beside, within),
            if parameter["required"] == true { (true, false) } else { (false, true) },
            "{parameter}"
        );
        seen += 1;
    }

    assert!(seen > 10, "{seen}");
}

#[test]
fn what_belongs_to_no_operation_stands_in_the_document_all_the_same() {
    let document = document();

    let words = document["info"]["description"].as_str().unwrap();
    for (name, status, word) in
        [("NoSuchPath", 404, "no-such-path"), ("Method", 405, "method"), ("Internal", 500, "internal")]
    {
        let responses = &document["components"]["responses"];
        let native = &responses[name]["content"]["application/problem+json"]["examples"][word]["value"];
        assert_eq!(
            (&native["status"], &native["type"]),
            (&status.into(), &format!("urn:faxplus-gateway:problem:{word}").into())
        );
        let word = word.replace('-', "_");
        let compat =
            &responses[format!("Compat{name}")]["content"]["application/json"]["examples"][&word]["value"];
        assert_eq!(compat["error"], word.as_str());
        assert!(words.contains(&format!("`{word}`")) && words.contains(name), "{name}");
    }
    assert_eq!(
        document["components"]["responses"]["Method"]["headers"]["Allow"]["$ref"],
        "#/components/headers/Allow"
    );
    for problem in super::refusals::every() {
        assert!(words.contains(&format!("`urn:faxplus-gateway:problem:{}`", problem.parts().0)), "{problem}");
    }
    assert!(words.contains("431") && document.to_string().contains(crate::api::compat::PATHS[1]));
}

/// After a change that is meant: `UPDATE_OPENAPI=1 cargo test --lib openapi`, then look at the difference.
#[test]
fn the_document_is_the_one_that_is_kept() {
    let made = format!("{:#}\n", document());
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(FROZEN, &made).unwrap();
    }

    let kept = std::fs::read_to_string(FROZEN).unwrap_or_default();

    let differs = made.lines().zip(kept.lines()).position(|(made, kept)| made != kept);
    assert!(
        made == kept,
        "what callers are told has changed, from line {} of tests/openapi.json on. If that is meant: \
         UPDATE_OPENAPI=1 cargo test --lib openapi, and commit the file",
        differs.unwrap_or_else(|| made.lines().count().min(kept.lines().count())) + 1
    );
}
