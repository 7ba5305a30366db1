//! Files to batches and files to charges, beside the same code natively and beside DuckDB on the same files.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use crate::data::{self, Shape, Written};
use crate::measure::{self, Cores, Plan};
use crate::{Best, decode, duck, native, records};

/// How often each is run.
const ROUNDS: usize = 5;

/// The quickest of each, in seconds.
struct Times {
    native_decoded: Best,
    decoded: Best,
    native: Best,
    one: Best,
    two: Best,
    twins: Best,
    duck_one: Best,
    duck_month: Best,
    duck_two: Best,
}

pub fn table(folder: &Path, shape: Shape) -> Result<(), Box<dyn Error>> {
    let written = data::records(folder, shape, records())?;
    let pipeline = data::pipeline(folder, "table")?;
    let best = Best::new;
    let mut times = Times {
        native_decoded: best(),
        decoded: best(),
        native: best(),
        one: best(),
        two: best(),
        twins: best(),
        duck_one: best(),
        duck_month: best(),
        duck_two: best(),
    };
    let mut charges = 0;
    // In turns, so that what else the machine does falls on all of them.
    for _ in 0..ROUNDS {
        charges = round(folder, shape, &pipeline, &written, &mut times)?;
    }
    print(shape, &written, &times, charges);
    data::clear(folder)
}

fn round(
    folder: &Path,
    shape: Shape,
    pipeline: &Path,
    written: &Written,
    times: &mut Times,
) -> Result<usize, Box<dyn Error>> {
    let begun = Instant::now();
    all_read(native::records(folder)?)?;
    times.native_decoded.take(begun.elapsed().as_secs_f64());
    let decoded = decode::alone(folder)?;
    all_read(decoded.records)?;
    times.decoded.take(decoded.seconds);

    let begun = Instant::now();
    let charges = native::charges(folder)?;
    times.native.take(begun.elapsed().as_secs_f64());
    let plan = Plan::of_june();
    for (cores, best) in [(Cores::One, &mut times.one), (Cores::Two, &mut times.two)] {
        best.take(plan.run(pipeline, cores)?.seconds);
        let planned = measure::charges(pipeline)?;
        same(planned.len(), planned.values().sum(), charges, written.total)?;
    }
    times.twins.take(measure::twins(pipeline)?);
    for (cores, by_time, best) in [
        (Cores::One, false, &mut times.duck_one),
        (Cores::One, true, &mut times.duck_month),
        (Cores::Two, false, &mut times.duck_two),
    ] {
        let answer = duck::sum(folder, shape, cores, by_time)?;
        same(answer.groups, answer.total, charges, written.total)?;
        best.take(answer.seconds);
    }
    Ok(charges)
}

fn all_read(read: u64) -> Result<(), Box<dyn Error>> {
    match read == records() {
        true => Ok(()),
        false => Err(format!("of {} records, {read} were read", records()).into()),
    }
}

fn same(charges: usize, total: u64, expected: usize, expected_total: u64) -> Result<(), Box<dyn Error>> {
    match charges == expected && total == expected_total {
        true => Ok(()),
        false => Err(format!("{charges} charges of {total} came out, not {expected} of {expected_total}").into()),
    }
}

fn print(shape: Shape, written: &Written, times: &Times, charges: usize) {
    let compressed = written.stored != written.bytes;
    let as_stored = if compressed { " MB/s as stored |" } else { "" };
    println!(
        "\n| {}, {} bytes a record | records/s | MB/s |{as_stored} of native | of DuckDB |\n|---|---|---|{}---|---|",
        shape.title(),
        shape.bytes(),
        if compressed { "---|" } else { "" }
    );
    let row = |what: &str, seconds: f64, native: Option<&Best>, duck: Option<&Best>| {
        let per_second = |amount: u64, unit: f64| format!("{:.0}", amount as f64 / seconds / unit);
        let ratio = |than: Option<&Best>| than.map_or_else(String::new, |than| format!("{:.2}", than.0 / seconds));
        let as_stored = if compressed { format!(" {} |", per_second(written.stored, 1e6)) } else { String::new() };
        println!(
            "| {what} | {} | {} |{as_stored} {} | {} |",
            per_second(records(), 1.0),
            per_second(written.bytes, 1e6),
            ratio(native),
            ratio(duck)
        );
    };
    row("decoded, native code, one thread", times.native_decoded.0, None, None);
    row("decoded, one core", times.decoded.0, Some(&times.native_decoded), None);
    row("to charges, native code, one thread", times.native.0, None, Some(&times.duck_one));
    row("to charges, one core", times.one.0, Some(&times.native), Some(&times.duck_one));
    row("DuckDB, one core", times.duck_one.0, None, None);
    row("DuckDB, one core, the month by each record's time", times.duck_month.0, None, Some(&times.duck_one));
    row("to charges, two cores", times.two.0, Some(&times.native), Some(&times.duck_two));
    row("DuckDB, two cores", times.duck_two.0, None, None);
    println!(
        "two cores over one: {:.2}; two runs at once, a core each, over one: {:.2}; {charges} charges",
        times.one.0 / times.two.0,
        2.0 * times.one.0 / times.twins.0
    );
    if shape == Shape::Small {
        println!("aims: 800 MB/s decoded on one core; to charges on one core at least 0.6 of DuckDB");
    }
}
