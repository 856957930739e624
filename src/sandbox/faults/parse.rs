//! JSON to rules: `POST /sandbox/faults`, `--faults FILE`.
//!
//! Refuses unknown fields, fields that do not belong to the fate, and values out of range, by rule and field.

use serde::Deserialize;
use serde_json::Value;

use super::fields::{FaultError, Fields};
use super::parse_fate::fate;
use super::{Calls, Fate, Rule, Seconds, Target};

/// Most rules in force at once.
pub const MAX_RULES: usize = 1_000;

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
        seconds: seconds(&mut fields)?,
        every: counted(&mut fields, "every")?,
        share: share(&mut fields)?,
        address: address(&mut fields)?,
        lone: fields.optional("lone")?,
        times: counted(&mut fields, "times")?,
        fate: fate(&name, &mut fields)?,
    };
    if rule.fate == Fate::HangUpBeforeReading {
        without_addresses(&rule, &fields, "nothing is known of the addresses before reading")?;
    }
    if rule.target != Target::Patch {
        without_addresses(&rule, &fields, "only requests of the target `patch` hold addresses")?;
    }
    fields.finish()?;
    Ok(rule)
}

/// Refuses conditions on addresses where none can be known: such a rule would never pick anything.
fn without_addresses(rule: &Rule, fields: &Fields, why: &str) -> Result<(), FaultError> {
    for (field, given) in [("address", rule.address.is_some()), ("lone", rule.lone.is_some())] {
        if given {
            return Err(fields.wrong(field, why));
        }
    }
    Ok(())
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

fn seconds(fields: &mut Fields) -> Result<Option<Seconds>, FaultError> {
    let seconds: Option<Seconds> = fields.optional("seconds")?;
    if seconds.is_some_and(|Seconds { from, to }| from < 0.0 || to.is_some_and(|to| to <= from)) {
        return Err(fields.wrong("seconds", "`from` must be at least 0 and below `to`"));
    }
    Ok(seconds)
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
    use super::super::parse_fate::FATES;
    use super::super::{Delivery, Encoding, Framing};
    use super::*;

    fn refusal(json: &str) -> String {
        parse(json.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_rule_is_read_with_all_its_conditions() {
        let json = r#"[{"calls": {"from": 2, "to": 9}, "seconds": {"from": 0.5, "to": 2}, "every": 2, "share": 0.5, "lone": false,
            "address": "*@x.example", "times": 3, "fate": "status", "status": 503, "retry_after": "soon"}]"#;

        let rules = parse(json.as_bytes()).unwrap();

        let expected = Rule::new(Fate::status_with_retry_after(503, "soon"))
            .calls(2..=9)
            .seconds(0.5..2.0)
            .every(2)
            .share(0.5)
            .shared()
            .address("*@x.example")
            .times(3);
        assert_eq!(rules, [expected]);
    }

    #[test]
    fn every_fate_survives_being_written_and_read_again() {
        let json = r#"[{"fate":"as_usual","headers":{"X-One":"1","x-two":["1","2"],"date":null},"framing":"http_1_0",
              "encoding":"gzip_if_accepted","clock_offset_seconds":-300},
            {"fate":"delay","ms":5},{"fate":"status","status":429,"retry_after_date_seconds":20,"framing":"close"},
            {"fate":"foreign","page":"cloudflare","retry_after":"1","encoding":"gzip"},{"fate":"accept_then_500"},
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
    fn a_delivery_is_read_with_all_its_fields() {
        let json = r#"[{"fate":"as_usual","headers":{"Server":"x","a":["1","2"],"date":null},"framing":"http_1_0",
            "encoding":"gzip_if_accepted","clock_offset_seconds":-300,"retry_after_date_seconds":20}]"#;

        let rules = parse(json.as_bytes()).unwrap();

        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let headers = [("Server", texts(&["x"])), ("a", texts(&["1", "2"])), ("date", texts(&[]))];
        let expected = Delivery {
            headers: headers.into_iter().map(|(name, values)| (name.to_owned(), values)).collect(),
            clock_offset_seconds: -300,
            retry_after_date_seconds: Some(20),
            framing: Framing::Http10,
            encoding: Encoding::GzipIfAccepted,
        };
        assert_eq!(rules, [Rule::new(Fate::AsUsual(expected))]);
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
            (
                r#"{"fate":"status","status":429,"retry_after":"1","retry_after_date_seconds":1}"#,
                "retry_after_date_seconds",
            ),
            (r#"{"fate":"as_usual","retry_after":"1"}"#, "retry_after"),
            (r#"{"fate":"as_usual","accept":true}"#, "accept"),
            (r#"{"fate":"as_usual","framing":"lines"}"#, "framing"),
            (r#"{"fate":"as_usual","encoding":"br"}"#, "encoding"),
            (r#"{"fate":"as_usual","clock_offset_seconds":315360001}"#, "clock_offset_seconds"),
            (r#"{"fate":"as_usual","clock_offset_seconds":0.5}"#, "clock_offset_seconds"),
            (r#"{"fate":"as_usual","headers":["a"]}"#, "headers"),
            (r#"{"fate":"as_usual","headers":{"a b":"c"}}"#, "headers"),
            (r#"{"fate":"as_usual","headers":{"":"c"}}"#, "headers"),
            (r#"{"fate":"as_usual","headers":{"a":"b\r\nc: d"}}"#, "headers"),
            (r#"{"fate":"as_usual","headers":{"a":1}}"#, "headers"),
            (r#"{"fate":"as_usual","headers":{"Content-Length":"1"}}"#, "headers"),
            (r#"{"fate":"as_usual","headers":{"transfer-encoding":null}}"#, "headers"),
            (r#"{"fate":"foreign"}"#, "page"),
            (r#"{"fate":"foreign","page":"apache"}"#, "page"),
            (r#"{"fate":"foreign","page":"html","status":103}"#, "status"),
            (r#"{"fate":"foreign","page":"html","body":"x"}"#, "body"),
            (r#"{"fate":"delay","ms":1,"framing":"close"}"#, "framing"),
            (r#"{"fate":"garbage","seconds":{"from":2,"to":2}}"#, "seconds"),
            (r#"{"fate":"garbage","seconds":{"from":-1}}"#, "seconds"),
            (r#"{"fate":"garbage","seconds":2}"#, "seconds"),
            (r#"{"fate":"garbage","target":"probe","address":"*"}"#, "address"),
            (r#"{"fate":"garbage","target":"elsewhere","lone":true}"#, "lone"),
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
