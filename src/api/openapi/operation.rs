//! One operation of the document while it is put together: its parameters, its body, its answers.
//!
//! Adds to each answer what the middleware adds to each answer. Refuses nothing: tests look over the whole.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::api::{
    compat,
    problem::{PROBLEM_JSON, Problem},
};

/// The request of every example.
const REQUEST_ID: &str = "01a2080c-2030-717a-b423-a5724c5f3583";

/// A path, a method in lower case, and what they do.
pub(super) type Entry = (&'static str, &'static str, Operation);

/// One operation.
pub(super) struct Operation {
    told: Map<String, Value>,
    parameters: Vec<Value>,
    answers: BTreeMap<u16, Answer>,
}

#[derive(Default)]
struct Answer {
    description: String,
    headers: Map<String, Value>,
    content: Map<String, Value>,
}

impl Operation {
    /// An operation with its name in the document, its group, and what it does in a line and in full.
    pub(super) fn new(id: &str, tag: &str, summary: &str, description: &str) -> Self {
        let told = json!({"operationId": id, "tags": [tag], "summary": summary, "description": description});
        let told = told.as_object().cloned().unwrap_or_default();
        let parameters = ["request_id", "traceparent"].map(shared);
        Self { told, parameters: parameters.to_vec(), answers: BTreeMap::new() }
    }

    /// Open to everybody, and indifferent to tokens.
    pub(super) fn open(mut self) -> Self {
        self.told.insert("security".to_owned(), json!([]));
        self
    }

    pub(super) fn parameter(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self
    }

    pub(super) fn body(mut self, body: Value) -> Self {
        self.told.insert("requestBody".to_owned(), body);
        self
    }

    /// What is answered when all goes well: the names of its headers, and its content.
    pub(super) fn answer(mut self, status: u16, description: &str, headers: &[&str], content: Value) -> Self {
        let answer = self.answers.entry(status).or_default();
        answer.describe(description);
        answer.headers.extend(headers.iter().map(|name| header(name)));
        answer.content.extend(content.as_object().cloned().unwrap_or_default());
        self
    }

    /// The refusals, each by one that was made.
    pub(super) fn problems(mut self, problems: &[Problem]) -> Self {
        for (status, told) in by_status(problems, |problem| problem.status().as_u16()) {
            let titles = titles(&told, |problem| problem.parts().0.to_owned());
            let examples = titles.iter().map(|(word, problem)| {
                let value = json!(problem.document(REQUEST_ID));
                (word.clone(), json!({"summary": value["title"], "value": value}))
            });
            let kinds = titles.keys().map(|word| format!("urn:faxplus-gateway:problem:{word}"));
            let schema = json!({"allOf": [{"$ref": "#/components/schemas/Problem"}, {"type": "object",
                "properties": {"type": {"enum": kinds.collect::<Vec<_>>()}, "status": {"const": status}}}]});
            let content = json!({"schema": schema, "examples": examples.collect::<Map<_, _>>()});
            self.refuse(status, &told, (PROBLEM_JSON, content), None);
        }
        self
    }

    /// The refusals in the shape of fax.plus. A status may tell of lists that were taken, too, in `other`.
    pub(super) fn compat_problems(mut self, problems: &[Problem], other: &[(u16, Value, Value)]) -> Self {
        for (status, told) in by_status(problems, |problem| compat::told(problem).0.as_u16()) {
            let titles = titles(&told, |problem| problem.parts().0.replace('-', "_"));
            let mut examples: Map<_, _> = titles
                .iter()
                .map(|(word, problem)| (word.clone(), json!({"value": json!(compat::told(problem).1)})))
                .collect();
            let words: Vec<_> = titles.keys().collect();
            let refusal = json!({"allOf": [{"$ref": "#/components/schemas/CompatRefusal"},
                {"type": "object", "properties": {"error": {"enum": words}}}]});
            let more = other.iter().find(|(other, _, _)| *other == status);
            let schema = match more {
                None => refusal,
                Some((_, schema, example)) => {
                    examples.insert("taken".to_owned(), json!({"value": example}));
                    json!({"oneOf": [refusal, schema]})
                }
            };
            let also = more.map(|_| "or what became of a list that was taken");
            let content = json!({"schema": schema, "examples": examples});
            self.refuse(status, &told, ("application/json", content), also);
        }
        self
    }

    fn refuse(&mut self, status: u16, told: &[&Problem], content: (&str, Value), also: Option<&str>) {
        let answer = self.answers.entry(status).or_default();
        let mut words: Vec<_> = told.iter().map(|problem| problem.parts().0).collect();
        words.dedup();
        let words = [format!("Refused: {}", words.join(", "))].into_iter().chain(also.map(str::to_owned));
        answer.describe(&words.collect::<Vec<_>>().join("; "));
        answer.content.insert(content.0.to_owned(), content.1);
        if told.iter().any(|problem| problem.says_when()) {
            answer.headers.extend([header("Retry-After")]);
        }
        match status {
            401 => answer.headers.extend([header("WWW-Authenticate")]),
            405 => answer.headers.extend([header("Allow")]),
            _ => {}
        }
    }

    /// The answers alone, as components.
    pub(super) fn into_answers(self) -> Vec<Value> {
        self.answers.into_values().map(Answer::into_value).collect()
    }

    /// The operation as it stands in the document.
    pub(super) fn into_value(self) -> Value {
        let mut told = self.told;
        let answers =
            self.answers.into_iter().map(|(status, answer)| (status.to_string(), answer.into_value()));
        told.insert("responses".to_owned(), Value::Object(answers.collect()));
        told.insert("parameters".to_owned(), self.parameters.into());
        told.into()
    }
}

impl Answer {
    fn describe(&mut self, words: &str) {
        if !self.description.is_empty() {
            self.description.push_str(". ");
        }
        self.description.push_str(words);
    }

    fn into_value(mut self) -> Value {
        self.headers.extend(["X-Request-Id", "Cache-Control", "X-Content-Type-Options"].map(header));
        let mut told = json!({"description": self.description, "headers": self.headers});
        if !self.content.is_empty() {
            told["content"] = self.content.into();
        }
        told
    }
}

/// A parameter that several operations have.
pub(super) fn shared(name: &str) -> Value {
    json!({"$ref": format!("#/components/parameters/{name}")})
}

fn header(name: &str) -> (String, Value) {
    (name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")}))
}

fn by_status(problems: &[Problem], status: impl Fn(&Problem) -> u16) -> BTreeMap<u16, Vec<&Problem>> {
    let mut all: BTreeMap<u16, Vec<_>> = BTreeMap::new();
    for problem in problems {
        all.entry(status(problem)).or_default().push(problem);
    }
    all
}

/// One of each word: the first.
fn titles<'a>(problems: &[&'a Problem], word: impl Fn(&Problem) -> String) -> BTreeMap<String, &'a Problem> {
    let mut titles = BTreeMap::new();
    for problem in problems {
        titles.entry(word(problem)).or_insert(*problem);
    }
    titles
}
