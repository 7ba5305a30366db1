//! The double-entry check: the books against the log of requests, by code that shares nothing with the code that keeps them.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::books::{self, Books};
use crate::record::{Record, Status};
use crate::request::Request;

/// Every record was submitted just once, just like this; what a request is said to have stored is in the books; and no
/// time is billed twice, be it in two slots. Those of someone else were submitted by nobody that is in the log; so were those of an earlier life.
pub(crate) fn verify(books: &Books, log: &[Request]) -> Result<(), String> {
    books::verify(books.records())?;
    let own = |record: &&Record| !books.is_seeded(&record.id);
    verify_times(books.records().iter().filter(own))?;
    let of_this_life = |record: &&Record| own(record) && !books.is_inherited(&record.id);
    verify_origins(books.records().iter().filter(of_this_life), log)
}

fn verify_origins<'a>(records: impl Iterator<Item = &'a Record>, log: &'a [Request]) -> Result<(), String> {
    let mut stored: HashMap<&str, usize> = HashMap::new();
    // What is left of each request once its records are found in the books.
    let mut offered: Vec<Vec<&Value>> = log.iter().map(|request| request.records().iter().collect()).collect();
    for (place, request) in log.iter().enumerate() {
        for id in &request.stored {
            if stored.insert(id, place).is_some() {
                return Err(format!("two requests stored the record {id}"));
            }
        }
    }
    for record in records {
        let Record { id, contract_id, dimension, quantity, .. } = record;
        let what = format!("{quantity} {dimension} of {contract_id} (record {id})");
        let Some(place) = stored.remove(id.as_str()) else {
            return Err(format!("no request stored {what}"));
        };
        let left = offered.get_mut(place).map_or(&mut [][..], Vec::as_mut_slice);
        match left.iter_mut().find(|offer| is_of(offer, record)) {
            Some(offer) => *offer = &Value::Null,
            None => return Err(format!("the request that stored {what} did not offer it, or not so often")),
        }
    }
    match stored.keys().next() {
        Some(id) => Err(format!("a request stored the record {id}, and it is not in the books")),
        None => Ok(()),
    }
}

/// Whether a record as it was sent is this one in the books.
fn is_of(offer: &Value, record: &Record) -> bool {
    let texts = [
        ("cloud", record.cloud.name()),
        ("contract_id", &record.contract_id),
        ("dimension", &record.dimension),
        ("quantity", &record.quantity),
        ("start_time", &record.start_time),
        ("end_time", &record.end_time),
    ];
    let none = Map::new();
    let properties = offer.get("custom_properties").and_then(Value::as_object).unwrap_or(&none);
    texts.iter().all(|(name, text)| offer.get(name).and_then(Value::as_str) == Some(*text))
        && *properties == record.custom_properties
}

/// The service bills what starts in another hour, though it overlaps with what was billed: the client has to know better.
fn verify_times<'a>(records: impl Iterator<Item = &'a Record>) -> Result<(), String> {
    let mut billed: Vec<&Record> = records.filter(|record| record.status == Status::Success).collect();
    // The canonical form of times sorts as the times do.
    billed.sort_unstable_by_key(|record| (&record.contract_id, &record.dimension, &record.start_time));
    for pair in billed.windows(2) {
        if let [first, second] = pair
            && (&first.contract_id, &first.dimension) == (&second.contract_id, &second.dimension)
            && second.start_time <= first.end_time
        {
            let Record { contract_id, dimension, start_time, end_time, .. } = second;
            return Err(format!("billed twice: {dimension} of {contract_id} from {start_time} to {end_time}"));
        }
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::record::Cloud;

    const JUNE: [&str; 2] = ["2025-06-01T00:00:00Z", "2025-06-30T23:59:59Z"];

    fn record(dimension: &str, quantity: &str) -> Record {
        Record::billed(Cloud::Aws, "a", dimension, quantity, JUNE)
    }

    /// A request that offered these records, and is said to have stored those.
    fn request(offered: &[&Record], stored: &[&Record]) -> Request {
        let offer = |record: &&Record| {
            json!({
                "cloud": record.cloud, "contract_id": record.contract_id, "dimension": record.dimension,
                "quantity": record.quantity, "start_time": record.start_time, "end_time": record.end_time,
            })
        };
        Request {
            at: Timestamp::UNIX_EPOCH,
            method: "POST".into(),
            path: "/metering/".into(),
            query: String::new(),
            headers: Vec::new(),
            raw_body: Bytes::new(),
            body: Some(json!({ "request": offered.iter().map(offer).collect::<Vec<_>>() })),
            status: Some(200),
            stored: stored.iter().map(|record| record.id.clone()).collect(),
            resent: 0,
        }
    }

    fn verdict(records: &[&Record], log: &[Request]) -> Result<(), String> {
        let mut books = Books::default();
        for record in records {
            assert!(books.add((*record).clone()));
        }
        verify(&books, log)
    }

    #[test]
    fn books_that_hold_what_was_submitted_are_right() {
        let [cpu, memory] = [record("cpu", "4"), record("memory", "5")];
        let log = [request(&[&memory, &cpu], &[&cpu]), request(&[&memory], &[&memory]), request(&[&cpu], &[])];
        assert_eq!(verdict(&[&cpu, &memory], &log), Ok(()));
        assert_eq!(verdict(&[], &[]), Ok(()));
    }

    #[test]
    fn a_record_that_was_not_submitted_like_this_is_found() {
        let (cpu, other) = (record("cpu", "4"), record("cpu", "5"));
        let said = |text: &str| Err(format!("{text} (record {})", cpu.id));
        assert_eq!(verdict(&[&cpu], &[]), said("no request stored 4 cpu of a"));
        assert_eq!(verdict(&[&cpu], &[request(&[&cpu], &[])]), said("no request stored 4 cpu of a"));
        let wrong = verdict(&[&cpu], &[request(&[&other], &[&cpu])]).unwrap_err();
        assert!(wrong.ends_with("did not offer it, or not so often"), "{wrong}");
    }

    #[test]
    fn a_submission_that_was_stored_twice_or_not_at_all_is_found() {
        let cpu = record("cpu", "4");
        let one = || request(&[&cpu], &[&cpu]);
        assert_eq!(verdict(&[&cpu], &[one(), one()]), Err(format!("two requests stored the record {}", cpu.id)));
        let missing = format!("a request stored the record {}, and it is not in the books", cpu.id);
        assert_eq!(verdict(&[], &[one()]), Err(missing));
        // The failed one leaves its slot free, so that the books take both; only one was offered.
        let failed = Record { status: Status::Fail, ..record("cpu", "4") };
        let wrong = verdict(&[&failed, &cpu], &[request(&[&cpu], &[&failed, &cpu])]).unwrap_err();
        assert!(wrong.ends_with("did not offer it, or not so often"), "{wrong}");
    }
}
