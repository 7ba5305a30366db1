//! A month of sample usage, as Omnistrate writes it: an object a subscription and hour, with an array of records.
//!
//! The fields are those of a real record (Omnistrate's guides on metering). Nothing is random: the sample is the same each time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::steps::{Failed, on};

/// A customer, by its contract with the marketplace, and what it uses.
pub struct Customer {
    pub contract: &'static str,
    subscription: &'static str,
    host: &'static str,
    /// The day of June on which it signed up.
    since: u64,
    /// Cores at night, and from 6 to 18 o'clock.
    cores: [u64; 2],
    /// Storage, which grows by a 48th of this an hour. In bytes.
    storage: u64,
}

/// The customers of the sample.
pub const CUSTOMERS: [Customer; 3] = [
    Customer {
        contract: "ae641bd1-edf8-4038-bfed-d2ff556c729e",
        subscription: "sub-I8QCrIrOIE",
        host: "ip-172-0-63-226.us-east-2.compute.internal",
        since: 1,
        cores: [2, 2],
        storage: 10 * GIB,
    },
    Customer {
        contract: "bf752ce2-fee9-4149-8fae-e3aa667d83af",
        subscription: "sub-3YH5N1M4zz",
        host: "ip-172-0-17-80.us-east-2.compute.internal",
        since: 1,
        cores: [2, 8],
        storage: 48 * GIB,
    },
    Customer {
        contract: "c0863df3-0ffa-425a-9fbf-f4bb778e94b0",
        subscription: "sub-9KD2LwPq7T",
        host: "ip-172-0-41-9.us-east-2.compute.internal",
        since: 10,
        cores: [1, 1],
        storage: 5 * GIB,
    },
];

/// What is to be billed: by contract and dimension.
pub type Bill = BTreeMap<(String, String), u128>;

/// The folder of the sample's objects, below the bucket.
const PREFIX: &str = "omnistrate-metering/Postgres/PROD/pt-HJSv20iWX0";
const GIB: u64 = 1 << 30;

/// Writes June 2025 into a bucket: how many objects that were, and what has to be billed for them.
pub fn month(bucket: &Path) -> Result<(usize, Bill), Failed> {
    let (mut objects, mut bill) = (0, Bill::new());
    for hour in 0..30 * 24 {
        let (day, hour) = (hour / 24 + 1, hour % 24);
        for customer in CUSTOMERS.iter().filter(|customer| customer.since <= day) {
            let path = object(bucket, customer, day, hour);
            if let Some(folder) = path.parent() {
                on(folder, fs::create_dir_all(folder))?;
            }
            let measured = customer.measured(day, hour);
            on(&path, fs::write(&path, customer.records(day, hour, &measured)))?;
            objects += 1;
            for (dimension, value) in measured {
                *bill.entry((customer.contract.to_owned(), dimension.to_owned())).or_default() += u128::from(value);
            }
        }
    }
    Ok((objects, bill))
}

/// Writes the first customer's object for noon of 15 June again, with two cores more: the path, and what was done.
pub fn change(bucket: &Path) -> Result<(PathBuf, String), Failed> {
    let [customer, ..] = &CUSTOMERS;
    let (day, hour) = (15, 12);
    let mut measured = customer.measured(day, hour);
    let [(dimension, value), ..] = &mut measured;
    let was = *value;
    *value += 2;
    let said = format!("{dimension} is now {value} instead of {was}");
    let path = object(bucket, customer, day, hour);
    on(&path, fs::write(&path, customer.records(day, hour, &measured)))?;
    Ok((path, said))
}

fn object(bucket: &Path, customer: &Customer, day: u64, hour: u64) -> PathBuf {
    bucket.join(format!("{PREFIX}/2025/06/{day:02}/{hour:02}/{}.json", customer.subscription))
}

impl Customer {
    /// What it used in an hour, by dimension.
    fn measured(&self, day: u64, hour: u64) -> [(&'static str, u64); 4] {
        let [night, by_day] = self.cores;
        let cores = if (6..18).contains(&hour) { by_day } else { night };
        let age = (day - self.since) * 24 + hour;
        [
            ("cpu_core_hours", cores),
            ("memory_byte_hours", cores * 4 * GIB),
            ("storage_allocated_byte_hours", self.storage + self.storage / 48 * age),
            ("replica_hours", 1),
        ]
    }

    /// An object: an array of records, one a line.
    fn records(&self, day: u64, hour: u64, measured: &[(&str, u64)]) -> String {
        let records = measured.iter().map(|(dimension, value)| {
            let record = json!({
                "timestamp": format!("2025-06-{day:02}T{hour:02}:59:59Z"),
                "organizationId": "org-ng3178atx4",
                "organizationName": "Example",
                "customerId": self.subscription.replace("sub-", "user-"),
                "customerEmail": format!("{}@example.com", self.subscription),
                "subscriptionId": self.subscription,
                "externalPayerId": self.contract,
                "serviceId": "s-P6UJ5XUunY",
                "serviceName": "Postgres",
                "serviceEnvironmentId": "se-6dkTBqXrUu",
                "serviceEnvironmentType": "PROD",
                "productTierId": "pt-HJSv20iWX0",
                "productTierName": "Postgres",
                "hostClusterId": "hc-pelsk80ph",
                "instanceId": self.subscription.replace("sub-", "instance-"),
                "podName": "postgres-0",
                "instanceType": "t4g.small",
                "hostName": self.host,
                "dimension": dimension,
                "value": value,
                "pricePerUnit": 0.05,
            });
            record.to_string()
        });
        format!("[{}]\n", records.collect::<Vec<_>>().join(",\n"))
    }
}
