//! The same files in [DuckDB](https://duckdb.org): a sum by customer and dimension, without windows, ledger or sandbox.

use std::error::Error;
use std::path::Path;

use serde::Deserialize;

use crate::data::{COLUMNS, Shape};
use crate::measure::{self, Cores};

/// What a query came to.
#[derive(Deserialize)]
pub struct Answer {
    /// Of the query alone: starting Python and loading DuckDB is not counted.
    pub seconds: f64,
    pub groups: usize,
    pub total: u64,
}

/// Sums up the files below a folder. DuckDB is told of the columns, so that it need not find out. With `by_time` it also reads each
/// record's time, and takes those of the month, as a pipeline does.
pub fn sum(folder: &Path, shape: Shape, cores: Cores, by_time: bool) -> Result<Answer, Box<dyn Error>> {
    let files = folder.join("bucket/usage/2025/06/*/*");
    let files = files.display();
    let table = match shape {
        Shape::Csv => {
            let columns: Vec<_> = COLUMNS.iter().map(|name| format!("'{name}': '{}'", kind(name))).collect();
            let columns = columns.join(", ");
            format!("read_csv('{files}', header = true, delim = ',', auto_detect = false, columns = {{{columns}}})")
        }
        _ => {
            let wanted = ["timestamp", "externalPayerId", "dimension", "value"];
            let columns: Vec<_> = wanted.iter().map(|name| format!("'{name}': '{}'", kind(name))).collect();
            let columns = columns.join(", ");
            format!("read_json('{files}', format = 'newline_delimited', columns = {{{columns}}})")
        }
    };
    let month = match by_time {
        true => r#" WHERE "timestamp" >= '2025-06-01' AND "timestamp" < '2025-07-01'"#,
        false => "",
    };
    let query = format!("SELECT externalPayerId, dimension, sum(value) FROM {table}{month} GROUP BY ALL");
    let threads = match cores {
        Cores::One => "1",
        Cores::Two => "2",
    };
    let mut command = measure::python_on("duck.py", cores)?;
    Ok(serde_json::from_slice(&measure::output(command.args([threads, &query]))?)?)
}

fn kind(column: &str) -> &'static str {
    match column {
        "timestamp" => "TIMESTAMP",
        "value" => "BIGINT",
        _ => "VARCHAR",
    }
}
