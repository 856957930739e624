//! JSON to rules: `POST /sandbox/faults`, `--faults FILE`.
//!
//! Refuses unknown fields, fields that do not belong to the fate, and values out of range, by rule and field.

use std::ops::RangeInclusive;

use serde::Deserialize;
use serde_json::Value;

use super::fields::{FaultError, Fields};
use super::{Calls, Fate, Rule, StatusAnswer};

/// Most rules in force at once.
pub const MAX_RULES: usize = 1_000;

/// Every fate, as JSON names it.
const FATES: [&str; 17] = [
    "delay",
    "status",
    "accept_then_500",
    "accept_then_hang_up",
    "hang_up_before_reading",
    "hang_up_after_reading",
    "hang_up_inside_answer",
    "half_a_head",
    "garbage",
    "stray_1xx",
    "never_answer",
    "redirect",
    "token_expired",
    "html_200",
    "wrong_json_200",
    "slow_body",
    "close_after_answer",
];
const MAX_MS: u64 = 3_600_000;
const MAX_PATTERN_BYTES: usize = 1_024;

/// Reads a JSON list of rules.
///
/// # Errors
/// The first thing that is wrong, by rule and field.
pub fn parse(json: &[u8]) -> Result<Vec<Rule>, FaultError> {
    let values: Vec<Value> =
        serde_json::from_slice(json).map_err(|error| FaultError::NotAList(error.to_string()))?;
    if values.len() > MAX_RULES {
        return Err(FaultError::TooMany { count: values.len(), most: MAX_RULES });
    }
    values.into_iter().enumerate().map(|(place, value)| rule(Fields::new(place + 1, value)?)).collect()
}

fn rule(mut fields: Fields) -> Result<Rule, FaultError> {
    let name: String = fields.required("fate")?;
    let rule = Rule {
        target: fields.optional("target")?.unwrap_or_default(),
        calls: calls(&mut fields)?,
        every: counted(&mut fields, "every")?,
        share: share(&mut fields)?,
        address: address(&mut fields)?,
        lone: fields.optional("lone")?,
        times: counted(&mut fields, "times")?,
        fate: fate(&name, &mut fields)?,
    };
    if rule.fate == Fate::HangUpBeforeReading {
        for (field, given) in [("address", rule.address.is_some()), ("lone", rule.lone.is_some())] {
            if given {
                return Err(fields.wrong(field, "nothing is known of the addresses before reading"));
            }
        }
    }
    fields.finish()?;
    Ok(rule)
}

fn fate(name: &str, fields: &mut Fields) -> Result<Fate, FaultError> {
    Ok(match name {
        "delay" => Fate::Delay { ms: milliseconds(fields, "ms")? },
        "status" => Fate::Status(status_answer(fields)?),
        "accept_then_500" => Fate::AcceptThen500,
        "accept_then_hang_up" => Fate::AcceptThenHangUp,
        "hang_up_before_reading" => Fate::HangUpBeforeReading,
        "hang_up_after_reading" => Fate::HangUpAfterReading,
        "hang_up_inside_answer" => Fate::HangUpInsideAnswer { accept: accept(fields, true)? },
        "half_a_head" => Fate::HalfAHead { accept: accept(fields, false)? },
        "garbage" => Fate::Garbage { accept: accept(fields, false)? },
        "stray_1xx" => {
            let status = fields.optional("status")?.unwrap_or(103);
            if ![100, 102, 103].contains(&status) {
                return Err(fields.wrong("status", "must be 100, 102 or 103"));
            }
            Fate::Stray1xx { status, gap_ms: optional_milliseconds(fields, "gap_ms")?.unwrap_or(0) }
        }
        "never_answer" => Fate::NeverAnswer { accept: accept(fields, false)? },
        "redirect" => Fate::Redirect {
            status: status(fields, Some(307), 300..=399)?,
            location: header(fields, "location")?.ok_or_else(|| fields.wrong("location", "is missing"))?,
        },
        "token_expired" => Fate::TokenExpired,
        "html_200" => Fate::Html200 { accept: accept(fields, false)? },
        "wrong_json_200" => Fate::WrongJson200 {
            body: fields.optional("body")?.unwrap_or_else(|| "[]".to_owned()),
            accept: accept(fields, false)?,
        },
        "slow_body" => Fate::SlowBody { ms: milliseconds(fields, "ms")? },
        "close_after_answer" => Fate::CloseAfterAnswer,
        unknown => {
            let why = format!("there is no fate `{unknown}`; there are {}", FATES.join(", "));
            return Err(fields.wrong("fate", &why));
        }
    })
}

fn status_answer(fields: &mut Fields) -> Result<StatusAnswer, FaultError> {
    Ok(StatusAnswer {
        status: status(fields, None, 200..=599)?,
        retry_after: header(fields, "retry_after")?,
        error: fields.optional("error")?,
        description: fields.optional("description")?,
        body: fields.optional("body")?,
        content_type: header(fields, "content_type")?,
        accept: accept(fields, false)?,
    })
}

fn status(
    fields: &mut Fields,
    default: Option<u16>,
    allowed: RangeInclusive<u16>,
) -> Result<u16, FaultError> {
    let status = match default {
        Some(default) => fields.optional("status")?.unwrap_or(default),
        None => fields.required("status")?,
    };
    if allowed.contains(&status) {
        return Ok(status);
    }
    Err(fields.wrong("status", &format!("must be {} to {}", allowed.start(), allowed.end())))
}

fn accept(fields: &mut Fields, default: bool) -> Result<bool, FaultError> {
    Ok(fields.optional("accept")?.unwrap_or(default))
}

fn milliseconds(fields: &mut Fields, field: &str) -> Result<u64, FaultError> {
    optional_milliseconds(fields, field)?.ok_or_else(|| fields.wrong(field, "is missing"))
}

fn optional_milliseconds(fields: &mut Fields, field: &str) -> Result<Option<u64>, FaultError> {
    let ms: Option<u64> = fields.optional(field)?;
    if ms.is_some_and(|ms| ms > MAX_MS) {
        return Err(fields.wrong(field, "must be at most one hour"));
    }
    Ok(ms)
}

fn header(fields: &mut Fields, field: &str) -> Result<Option<String>, FaultError> {
    let text: Option<String> = fields.optional(field)?;
    if text.as_deref().is_some_and(|text| text.contains(|c: char| c.is_control() && c != '\t')) {
        return Err(fields.wrong(field, "cannot hold a line break or control character"));
    }
    Ok(text)
}

fn counted(fields: &mut Fields, field: &str) -> Result<Option<u64>, FaultError> {
    let number: Option<u64> = fields.optional(field)?;
    if number == Some(0) {
        return Err(fields.wrong(field, "must be at least 1"));
    }
    Ok(number)
}

fn calls(fields: &mut Fields) -> Result<Option<Calls>, FaultError> {
    let calls: Option<Calls> = fields.optional("calls")?;
    if calls.is_some_and(|calls| calls.from == 0 || calls.to.is_some_and(|to| to < calls.from)) {
        return Err(fields.wrong("calls", "`from` must be at least 1 and not above `to`"));
    }
    Ok(calls)
}

fn share(fields: &mut Fields) -> Result<Option<f64>, FaultError> {
    let share: Option<f64> = fields.optional("share")?;
    if share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
        return Err(fields.wrong("share", "must be 0.0 to 1.0"));
    }
    Ok(share)
}

fn address(fields: &mut Fields) -> Result<Option<String>, FaultError> {
    let pattern: Option<String> = fields.optional("address")?;
    if pattern.as_deref().is_some_and(|pattern| pattern.is_empty() || pattern.len() > MAX_PATTERN_BYTES) {
        return Err(fields.wrong("address", &format!("must be 1 to {MAX_PATTERN_BYTES} bytes long")));
    }
    Ok(pattern)
}

impl<'de> Deserialize<'de> for Rule {
    /// Reads one rule; its errors call it rule 1.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Fields::new(1, value).and_then(rule).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Target;
    use super::*;

    fn refusal(json: &str) -> String {
        parse(json.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_rule_is_read_with_all_its_conditions() {
        let json = r#"[{"target": "probe", "calls": {"from": 2, "to": 9}, "every": 2, "share": 0.5, "lone": false,
            "address": "*@x.example", "times": 3, "fate": "status", "status": 503, "retry_after": "soon"}]"#;

        let rules = parse(json.as_bytes()).unwrap();

        let expected = Rule::new(Fate::status_with_retry_after(503, "soon"))
            .target(Target::Probe)
            .calls(2..=9)
            .every(2)
            .share(0.5)
            .shared()
            .address("*@x.example")
            .times(3);
        assert_eq!(rules, [expected]);
    }

    #[test]
    fn every_fate_survives_being_written_and_read_again() {
        let json = r#"[{"fate":"delay","ms":5},{"fate":"status","status":429},{"fate":"accept_then_500"},
            {"fate":"accept_then_hang_up"},{"fate":"hang_up_before_reading"},{"fate":"hang_up_after_reading"},
            {"fate":"hang_up_inside_answer"},{"fate":"half_a_head"},{"fate":"garbage"},{"fate":"stray_1xx"},
            {"fate":"never_answer"},{"fate":"redirect","location":"/"},{"fate":"token_expired"},
            {"fate":"html_200"},{"fate":"wrong_json_200"},{"fate":"slow_body","ms":5},
            {"fate":"close_after_answer"}]"#;
        let names: Vec<Value> = serde_json::from_str(json).unwrap();

        let rules = parse(json.as_bytes()).unwrap();

        let named: Vec<_> = rules.iter().map(|rule| rule.fate.name()).collect();
        assert_eq!(named, FATES);
        let message = refusal(r#"[{"fate":"explode"}]"#);
        assert!(FATES.iter().all(|fate| message.contains(fate)), "{message}");
        for (rule, given) in rules.iter().zip(&names) {
            assert_eq!(given["fate"], rule.fate.name());
        }
        assert_eq!(parse(&serde_json::to_vec(&rules).unwrap()).unwrap(), rules);
    }

    #[test]
    fn what_is_wrong_is_named_by_rule_and_field() {
        let fine = r#"{"fate":"garbage"}"#;
        for (rule, field) in [
            (r#"{}"#, "fate"),
            (r#"{"fate":"explode"}"#, "fate"),
            (r#"{"fate":"garbage","ms":1}"#, "ms"),
            (r#"{"fate":"garbage","evry":1}"#, "evry"),
            (r#"{"fate":"garbage","every":0}"#, "every"),
            (r#"{"fate":"garbage","every":"2"}"#, "every"),
            (r#"{"fate":"garbage","times":0}"#, "times"),
            (r#"{"fate":"garbage","share":1.5}"#, "share"),
            (r#"{"fate":"garbage","address":""}"#, "address"),
            (r#"{"fate":"garbage","target":"post"}"#, "target"),
            (r#"{"fate":"garbage","calls":{"from":0}}"#, "calls"),
            (r#"{"fate":"garbage","calls":{"from":3,"to":2}}"#, "calls"),
            (r#"{"fate":"garbage","calls":{"first":3}}"#, "calls"),
            (r#"{"fate":"delay"}"#, "ms"),
            (r#"{"fate":"delay","ms":3600001}"#, "ms"),
            (r#"{"fate":"status"}"#, "status"),
            (r#"{"fate":"status","status":102}"#, "status"),
            (r#"{"fate":"status","status":429,"retry_after":"1\r\nx: y"}"#, "retry_after"),
            (r#"{"fate":"status","status":429,"retry_after":1}"#, "retry_after"),
            (r#"{"fate":"redirect"}"#, "location"),
            (r#"{"fate":"redirect","location":"/","status":200}"#, "status"),
            (r#"{"fate":"stray_1xx","status":101}"#, "status"),
            (r#"{"fate":"hang_up_before_reading","address":"*"}"#, "address"),
            (r#"{"fate":"hang_up_before_reading","lone":true}"#, "lone"),
        ] {
            let message = refusal(&format!("[{fine},{rule}]"));

            assert!(message.starts_with(&format!("rule 2: field `{field}`: ")), "{rule}: {message}");
        }
    }

    #[test]
    fn what_is_no_list_of_objects_is_refused() {
        assert!(refusal("{").starts_with("the faults are a JSON list of rules: "));
        assert!(refusal(r#"{"fate":"garbage"}"#).starts_with("the faults are a JSON list of rules: "));
        assert_eq!(refusal("[1]"), "rule 1: not a JSON object");
        let many = format!("[{}1]", "1,".repeat(MAX_RULES));
        assert_eq!(refusal(&many), "1001 rules are too many: at most 1000");
    }
}
