//! What a scripted answer means for the books: which record each result answers, and what it says of it.

use serde_json::Value;

use crate::books::Books;
use crate::fault::Commit;
use crate::record::Status;
use crate::submission::Submission;

/// Books the records of a call as the scripted answer demands.
pub(crate) fn book(books: &mut Books, records: &[Submission], status: u16, body: &Value, commit: Commit) {
    match commit {
        Commit::None => {}
        Commit::All => {
            for record in records {
                books.add(record.record(None, Status::Success));
            }
        }
        Commit::Successes | Commit::BilledBefore if (200..300).contains(&status) => {
            for (record, result) in answered(records, body) {
                let id = result.get("id").and_then(Value::as_str);
                match verdict(result) {
                    Verdict::Booked(status) => {
                        books.add(record.record(id, status));
                    }
                    Verdict::Exists => {
                        let named = match result.get("quantity") {
                            Some(Value::String(text)) => Some(text.clone()),
                            Some(Value::Number(number)) => Some(number.to_string()),
                            _ => None,
                        };
                        let offered = (commit == Commit::BilledBefore).then(|| record.quantity.clone());
                        if let Some(quantity) = named.or(offered) {
                            books.seed(record.of_someone_else(id, quantity));
                        }
                    }
                    Verdict::NotBooked => {}
                }
            }
        }
        Commit::Successes | Commit::BilledBefore => {}
    }
}

/// Each result that answers a record, with that record: the next one not yet answered that has all the result names.
fn answered<'a>(records: &'a [Submission], body: &'a Value) -> Vec<(&'a Submission, &'a Value)> {
    let mut open: Vec<&Submission> = records.iter().collect();
    let results = body.get("results").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut pairs = Vec::new();
    for result in results {
        let speaks_for = |record: &&Submission| {
            result.get("contract_id").is_some_and(|it| it == &record.contract_id)
                && result.get("dimension").is_none_or(|it| it == &record.dimension)
                && result.get("start_time").is_none_or(|it| it == &record.start_time)
        };
        if let Some(position) = open.iter().position(speaks_for) {
            pairs.push((open.remove(position), result));
        }
    }
    pairs
}

/// What a result says became of its record.
enum Verdict {
    Booked(Status),
    /// There is one in its slot.
    Exists,
    NotBooked,
}

fn verdict(result: &Value) -> Verdict {
    if says_exists(result) {
        return Verdict::Exists;
    }
    if result.get("errors").is_some_and(|errors| !is_empty(errors)) {
        return Verdict::NotBooked;
    }
    match result.get("status").and_then(Value::as_str) {
        Some("success") => Verdict::Booked(Status::Success),
        Some(_) if result.get("id").is_some_and(Value::is_string) => Verdict::Booked(Status::Fail),
        _ => Verdict::NotBooked,
    }
}

fn is_empty(errors: &Value) -> bool {
    match errors {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// The two wordings of a duplicate that are known.
fn says_exists(result: &Value) -> bool {
    let contains = |holder: &Value, word: &str| {
        holder.get("message").and_then(Value::as_str).is_some_and(|message| message.contains(word))
    };
    let same_hour = |errors: &Vec<Value>| errors.iter().any(|error| contains(error, "same hour"));
    contains(result, "already exists") || result.get("errors").and_then(Value::as_array).is_some_and(same_hour)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn call(slots: &[(&str, &str)]) -> Vec<Submission> {
        let record = |(contract, dimension): &(&str, &str)| {
            json!({
                "cloud": "aws", "contract_id": contract, "dimension": dimension, "quantity": "3",
                "start_time": "2025-06-01T00:00:00Z", "end_time": "2025-06-30T23:59:59Z",
            })
        };
        let body = json!({ "request": slots.iter().map(record).collect::<Vec<_>>() }).to_string();
        Submission::parse(body.as_bytes(), Timestamp::MAX, 38).unwrap()
    }

    fn books(slots: &[(&str, &str)], results: Value, commit: Commit) -> Books {
        let mut books = Books::default();
        book(&mut books, &call(slots), 200, &json!({ "results": results }), commit);
        books
    }

    fn booked(slots: &[(&str, &str)], results: Value) -> Vec<(String, String, Status)> {
        let of = |it: &crate::Record| (it.contract_id.clone(), it.dimension.clone(), it.status);
        books(slots, results, Commit::Successes).records().iter().map(of).collect()
    }

    fn entry(contract: &str, dimension: &str, status: Status) -> (String, String, Status) {
        (contract.to_owned(), dimension.to_owned(), status)
    }

    #[test]
    fn a_result_with_a_contract_answers_the_next_record_of_that_contract() {
        let results = json!([
            { "contract_id": "a", "status": "success" },
            { "contract_id": "a", "errors": ["e"], "code": "c", "message": "dimension invalid" },
        ]);
        assert_eq!(booked(&[("a", "d1"), ("a", "d2")], results), [entry("a", "d1", Status::Success)]);
    }

    #[test]
    fn a_duplicate_bills_nothing_of_its_own() {
        let results = json!([
            { "contract_id": "a", "errors": ["e"], "code": "c", "message": "record already exists" },
            { "contract_id": "b", "status": "success" },
        ]);
        let slots = [("a", "cpu"), ("a", "memory"), ("a", "storage"), ("b", "cpu")];
        assert_eq!(booked(&slots, results.clone()), [entry("b", "cpu", Status::Success)]);
        let before = books(&slots, results, Commit::BilledBefore);
        let [cpu, other] = before.records() else { panic!("{before:?}") };
        assert_eq!((cpu.contract_id.as_str(), cpu.dimension.as_str(), cpu.quantity.as_str()), ("a", "cpu", "3"));
        assert!(before.is_seeded(&cpu.id) && !before.is_seeded(&other.id));
    }

    #[test]
    fn a_duplicate_that_names_a_quantity_shows_someone_elses_record() {
        let results = json!([{ "contract_id": "a", "id": "i9", "quantity": "9", "message": "record already exists" }]);
        for commit in [Commit::Successes, Commit::BilledBefore] {
            let books = books(&[("a", "cpu")], results.clone(), commit);
            let [record] = books.records() else { panic!("{books:?}") };
            assert_eq!((record.id.as_str(), record.quantity.as_str(), record.status), ("i9", "9", Status::Success));
            assert!(books.is_seeded("i9"));
        }
    }

    #[test]
    fn another_status_is_booked_as_failed_only_with_an_id() {
        let results = json!([
            { "contract_id": "a", "status": "failed" },
            { "contract_id": "b", "id": "i1", "dimension": "cpu", "status": "fail", "custom_properties": {} },
        ]);
        assert_eq!(booked(&[("a", "cpu"), ("b", "cpu")], results), [entry("b", "cpu", Status::Fail)]);
    }

    #[test]
    fn a_result_without_a_contract_answers_no_record() {
        assert_eq!(booked(&[("a", "cpu")], json!([{ "status": "success" }])), []);
        assert_eq!(booked(&[("a", "cpu")], json!([{ "errors": ["e"], "message": "record already exists" }])), []);
    }

    #[test]
    fn a_result_that_names_a_dimension_answers_that_one() {
        let results = json!([{ "contract_id": "a", "dimension": "memory", "status": "success" }]);
        assert_eq!(booked(&[("a", "cpu"), ("a", "memory")], results), [entry("a", "memory", Status::Success)]);
    }
}
