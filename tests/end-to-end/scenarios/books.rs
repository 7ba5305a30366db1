//! What the service's books hold.

use clazar_emulator::{Emulator, Record};

/// A line for each record that is billed, ascending: window, customer, dimension, quantity.
///
/// # Errors
/// Something is billed twice, was offered again though it was billed, or was never offered like that.
pub(super) fn charges(service: &Emulator) -> Result<String, String> {
    service.verify_books()?;
    if let Some(resent) = service.resent().first() {
        return Err(format!("offered again, though it was billed: {resent:?}"));
    }
    let billed = service.books().into_iter().filter(|record| record.status.name() == "success");
    let mut lines: Vec<String> = billed.map(|record| line(&record)).collect();
    lines.sort();
    Ok(lines.concat())
}

/// How many calls offered charges.
pub(super) fn offers(service: &Emulator) -> usize {
    let requests = service.requests();
    requests.iter().filter(|request| request.method == "POST" && request.path == "/metering/").count()
}

fn line(record: &Record) -> String {
    let Record { contract_id, dimension, quantity, .. } = record;
    format!("{} {contract_id} {dimension} {quantity}\n", window(&record.start_time, &record.end_time))
}

/// The label of the window that a record's times span.
fn window(start: &str, end: &str) -> String {
    let [start_at, end_at]: [jiff::Timestamp; 2] = [start, end].map(|text| text.parse().unwrap());
    let digits = match end_at.as_second() - start_at.as_second() {
        ..3_600 => "2025-06-01T05",
        3_600..86_400 => "2025-06-01",
        _ => "2025-06",
    };
    start.chars().take(digits.len()).collect()
}
