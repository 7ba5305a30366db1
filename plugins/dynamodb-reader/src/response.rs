//! What is written on a record of the answers to its charges: `metering_response`.
//!
//! Readers of the table know it from AWS's guides: the answer of BatchMeterUsage as JSON, `{"Results":[…],"UnprocessedRecords":[]}`, or the
//! message of an error as plain text.

use meterhost_sdk::{Settled, Settlement};
use serde::de::IgnoredAny;
use serde_json::Value;

/// The most bytes of it. An item has at most 400 KB, with all that was there before.
const LONGEST: usize = 64 << 10;

/// The text for a record that went into these charges.
pub(crate) fn text(settlements: &[&Settlement]) -> String {
    let answered = |settlement: &&&Settlement| match settlement.outcome {
        Settled::Accepted => true,
        // What a person decided stands in the place of what was answered before.
        Settled::Waived => false,
        _ => !settlement.answer.is_empty(),
    };
    if settlements.is_empty() {
        return "nothing is owed for this record: it comes to zero, or a rule leaves it out".to_owned();
    }
    if settlements.iter().any(|settlement| answered(&settlement)) {
        return results(settlements);
    }
    let mut said: Vec<String> = Vec::new();
    for settlement in settlements {
        let text = plain(settlement);
        if !said.contains(&text) {
            said.push(text);
        }
    }
    cut(said.join("; "))
}

/// The raw answers, each as it came; what is no JSON, or no answer, as a text.
fn results(settlements: &[&Settlement]) -> String {
    let mut text = String::from("{\"Results\":[");
    for (position, settlement) in settlements.iter().enumerate() {
        let answer = if settlement.outcome == Settled::Waived { "" } else { settlement.answer.trim() };
        let entry = match answer.is_empty() {
            false if serde_json::from_str::<IgnoredAny>(answer).is_ok() => answer.to_owned(),
            false => Value::from(answer).to_string(),
            true => Value::from(plain(settlement)).to_string(),
        };
        if position > 0 {
            text.push(',');
        }
        if text.len() + entry.len() > LONGEST {
            let left = settlements.len() - position;
            text.push_str(
                &Value::from(format!("answers left out here: {left}; metering_charge names all charges")).to_string(),
            );
            break;
        }
        text.push_str(&entry);
    }
    text.push_str("],\"UnprocessedRecords\":[]}");
    text
}

/// An outcome in a person's words.
fn plain(settlement: &Settlement) -> String {
    let message = settlement.message.as_deref().filter(|message| !message.is_empty());
    match (settlement.outcome, message) {
        // As it stands in tables that were marked before: the message alone.
        (Settled::Rejected, Some(message)) => message.to_owned(),
        (Settled::Rejected, None) => "the service refused it, and did not say why".to_owned(),
        (Settled::Waived, Some(message)) => format!("not billed, by decision: {message}"),
        (Settled::Waived, None) => "not billed, by decision".to_owned(),
        (Settled::Accepted | Settled::Other, message) => {
            let named = settlement.reference.as_ref().map(|reference| format!(" as {reference}")).unwrap_or_default();
            let said = message.map(|message| format!(": {message}")).unwrap_or_default();
            format!("accepted{named}{said}")
        }
    }
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(LONGEST));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::settlement;

    const SUCCESS: &str = r#"{"UsageRecord":{"Quantity":12},"MeteringRecordId":"mr-1","Status":"Success"}"#;

    #[test]
    fn readers_of_the_table_find_what_they_know() {
        let accepted = settlement("a", "users", Settled::Accepted, SUCCESS);
        let rejected = settlement("b", "calls", Settled::Rejected, "");
        let mut waived = settlement("c", "calls", Settled::Waived, "");
        waived.message = Some("a gift".to_owned());
        let mut refused_before = settlement("f", "calls", Settled::Waived, "{\"Status\":\"DuplicateRecord\"}");
        refused_before.message = Some("theirs is right".to_owned());
        let torn = settlement("d", "calls", Settled::Rejected, "{\"Status\":");
        let mut named = settlement("e", "users", Settled::Accepted, "");
        named.reference = Some("mr-7".to_owned());
        let refused = Settlement { message: Some("UsageDimension is wrong".to_owned()), ..rejected.clone() };
        for (settlements, expected) in [
            (vec![], "nothing is owed for this record: it comes to zero, or a rule leaves it out".to_owned()),
            (vec![&accepted], format!("{{\"Results\":[{SUCCESS}],\"UnprocessedRecords\":[]}}")),
            (vec![&refused], "UsageDimension is wrong".to_owned()),
            (vec![&rejected], "the service refused it, and did not say why".to_owned()),
            (vec![&refused, &refused], "UsageDimension is wrong".to_owned()),
            (vec![&waived], "not billed, by decision: a gift".to_owned()),
            (vec![&refused_before], "not billed, by decision: theirs is right".to_owned()),
            (
                vec![&accepted, &refused_before],
                format!(
                    "{{\"Results\":[{SUCCESS},\"not billed, by decision: theirs is right\"],\"UnprocessedRecords\":[]}}"
                ),
            ),
            (vec![&torn], r#"{"Results":["{\"Status\":"],"UnprocessedRecords":[]}"#.to_owned()),
            (vec![&named], r#"{"Results":["accepted as mr-7"],"UnprocessedRecords":[]}"#.to_owned()),
            (
                vec![&accepted, &refused, &waived],
                format!(
                    "{{\"Results\":[{SUCCESS},\"UsageDimension is wrong\",\"not billed, by decision: a gift\"],\"UnprocessedRecords\":[]}}"
                ),
            ),
        ] {
            assert_eq!(text(&settlements), expected);
        }
    }

    #[test]
    fn however_much_was_answered_the_response_is_bounded_and_json() {
        let long = format!("{{\"Status\":\"{}\"}}", "x".repeat(30_000));
        let settlement = settlement("a", "users", Settled::Accepted, &long);
        let text = text(&[&settlement; 9]);
        assert!(text.len() < LONGEST + 200);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["Results"].as_array().unwrap().len(), 3);
    }
}
