//! The records: of each customer, five dimensions in each hour.

use std::collections::BTreeMap;

use serde_json::{Value, json};

const PRODUCT: &str = "abc123xyz456";
const DIMENSIONS: [&str; 5] = ["users", "api_calls", "storage_gb", "compute_hours", "data_transfer"];
/// 2026-02-14T20:00:00Z, twenty hours before the end of the last hour that is due.
const FIRST: u64 = 1_771_099_200_000;
const HOUR: u64 = 3_600_000;

/// Quantities by customer, dimension and hour.
pub type Sums = BTreeMap<(String, String, i64), String>;
/// Quantities by customer and dimension.
pub type Totals = BTreeMap<(String, String), String>;

/// So many customers, hours, and records a group.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    customers: u64,
    hours: u64,
    each: u64,
}

impl Usage {
    /// About so many records; each group has as many as the next.
    pub fn new(customers: u64, hours: u64, records: u64) -> Self {
        let groups = customers * hours * DIMENSIONS.len() as u64;
        Usage { customers, hours, each: (records / groups).max(1) }
    }

    /// The same of fewer customers.
    pub fn of(&self, customers: u64) -> Self {
        Usage { customers: customers.min(self.customers), ..*self }
    }

    pub fn groups(&self) -> u64 {
        self.customers * self.hours * DIMENSIONS.len() as u64
    }

    pub fn records(&self) -> u64 {
        self.groups() * self.each
    }

    /// Each record's customer, dimension, time and quantity.
    fn all(&self) -> impl Iterator<Item = (String, &'static str, u64, u64)> {
        let Usage { hours, each, .. } = *self;
        // A record's key is its customer and its millisecond.
        let step = HOUR / (each * DIMENSIONS.len() as u64);
        (0..self.customers).flat_map(move |customer| {
            (0..hours).flat_map(move |hour| {
                (0..each).flat_map(move |number| {
                    (0..).zip(DIMENSIONS).map(move |(place, dimension)| {
                        let time = FIRST + hour * HOUR + (number * DIMENSIONS.len() as u64 + place) * step;
                        let customer = format!("{:012}", 100_000_000_000 + customer * 7919);
                        (customer, dimension, time, 1 + (number + place + hour) % 7)
                    })
                })
            })
        })
    }

    /// The records as the guide's seller writes them.
    pub fn items(&self) -> impl Iterator<Item = Value> {
        self.all().map(|(customer, dimension, time, quantity)| {
            json!({
                "customerAWSAccountId": { "S": customer },
                "create_timestamp": { "N": time.to_string() },
                "productCode": { "S": PRODUCT },
                "dimension": { "S": dimension },
                "quantity": { "N": quantity.to_string() },
                "metering_pending": { "S": "true" },
            })
        })
    }

    /// Rows of subscribers that nothing was sent of yet.
    pub fn subscribers(&self) -> impl Iterator<Item = Value> {
        let customers: std::collections::BTreeSet<String> = self.all().map(|(customer, ..)| customer).collect();
        customers.into_iter().map(|customer| {
            json!({
                "productCode": { "S": PRODUCT }, "customerAWSAccountId": { "S": customer },
                "totalMeteringSent": { "M": {} },
            })
        })
    }

    pub fn sums(&self) -> Sums {
        let mut sums: BTreeMap<_, u64> = BTreeMap::new();
        for (customer, dimension, time, quantity) in self.all() {
            let hour = (time / HOUR * HOUR).cast_signed();
            *sums.entry((customer, dimension.to_owned(), hour)).or_default() += quantity;
        }
        sums.into_iter().map(|(group, sum)| (group, sum.to_string())).collect()
    }

    pub fn totals(&self) -> Totals {
        let mut totals: BTreeMap<_, u64> = BTreeMap::new();
        for (customer, dimension, _, quantity) in self.all() {
            *totals.entry((customer, dimension.to_owned())).or_default() += quantity;
        }
        totals.into_iter().map(|(whose, total)| (whose, total.to_string())).collect()
    }
}
