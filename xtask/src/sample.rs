//! A month of sample usage, as Omnistrate writes it: an object a subscription and hour.

use std::fs;
use std::path::Path;

use crate::steps::{Failed, on};

/// The folder of the sample's objects, below the bucket.
pub const PREFIX: &str = "omnistrate-metering/Postgres/PROD/pt-HJSv20iWX0";

/// Customers: their contract with the marketplace, and their subscription.
pub const CUSTOMERS: [(&str, &str, u64); 3] = [
    ("ae641bd1-edf8-4038-bfed-d2ff556c729e", "sub-I8QCrIrOIE", 2),
    ("bf752ce2-fee9-4149-8fae-e3aa667d83af", "sub-3YH5N1M4zz", 4),
    ("c0863df3-0ffa-425a-9fbf-f4bb778e94b0", "sub-9KD2LwPq7T", 1),
];

/// Writes June 2025 into a bucket.
pub fn month(bucket: &Path) -> Result<usize, Failed> {
    let mut objects = 0;
    for hour in 0..30 * 24 {
        let (day, hour) = (hour / 24 + 1, hour % 24);
        for (contract, subscription, cores) in CUSTOMERS {
            let folder = bucket.join(format!("{PREFIX}/2025/06/{day:02}/{hour:02}"));
            on(&folder, fs::create_dir_all(&folder))?;
            let path = folder.join(format!("{subscription}.json"));
            let measured = [
                ("cpu_core_hours", cores),
                ("memory_byte_hours", cores * 4 * 1_073_741_824),
                ("storage_allocated_byte_hours", 10 * 1_073_741_824),
                ("replica_hours", 1),
            ];
            let records = measured.map(|(dimension, value)| {
                format!(
                    "{{\"timestamp\":\"2025-06-{day:02}T{hour:02}:59:59Z\",\"subscriptionId\":\"{subscription}\",\
                     \"externalPayerId\":\"{contract}\",\"serviceName\":\"Postgres\",\"instanceType\":\"t4g.small\",\
                     \"dimension\":\"{dimension}\",\"value\":{value},\"pricePerUnit\":0.05}}"
                )
            });
            on(&path, fs::write(&path, format!("[{}]\n", records.join(",\n"))))?;
            objects += 1;
        }
    }
    Ok(objects)
}
