//! A month of usage as Omnistrate exports it: an object an hour and subscription, each a list of records.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::store::Stored;

/// Of the month, July 2025.
const DAYS: u64 = 31;
const HOURS: u64 = 24;
const SUBSCRIPTIONS: u64 = 10;

/// What is above the days in a key.
pub const PREFIX: &str = "omnistrate-metering/Postgres/PROD/pt-HJSv20iWX0/2025/07/";

/// All that are emitted ("Billing metering reference", github.com/omnistrate-oss/agent-instructions).
const DIMENSIONS: [&str; 4] = ["cpu_core_hours", "memory_byte_hours", "storage_allocated_byte_hours", "replica_hours"];

/// What each customer used, by customer and dimension.
pub type Sums = BTreeMap<(String, String), u64>;

/// The objects, by their keys, and what they add up to.
pub fn objects() -> Result<(Vec<Stored>, Sums), std::fmt::Error> {
    let (mut objects, mut sums) = (Vec::new(), Sums::new());
    for day in 1..=DAYS {
        for hour in 0..HOURS {
            for subscription in 0..SUBSCRIPTIONS {
                let key = format!("{PREFIX}{day:02}/{hour:02}/sub-{subscription:02}3YH5N1M4.json");
                let mut body = "[".to_owned();
                for (number, dimension) in (1..).zip(DIMENSIONS) {
                    let value = (day * hour + subscription + 1) * number;
                    // Some customers have several subscriptions.
                    let payer = format!("ae641bd1-edf8-4038-bfed-{:012x}", subscription / 2);
                    if number > 1 {
                        body.push(',');
                    }
                    write!(
                        body,
                        r#"{{"timestamp":"2025-07-{day:02}T{hour:02}:59:59Z","organizationId":"org-ng3178atx4","organizationName":"Omnistrate","#
                    )?;
                    write!(
                        body,
                        r#""customerId":"user-wqo8MXGOWw","customerEmail":"someone@example.com","subscriptionId":"sub-{subscription:02}3YH5N1M4","externalPayerId":"{payer}","#
                    )?;
                    write!(
                        body,
                        r#""serviceId":"s-P6UJ5XUunY","serviceName":"pg","serviceEnvironmentId":"se-6dkTBqXrUu","serviceEnvironmentType":"PROD","#
                    )?;
                    write!(
                        body,
                        r#""productTierId":"pt-HJSv20iWX0","productTierName":"pg","hostClusterId":"hc-pelsk80ph","instanceId":"instance-8qtgw2dx7","podName":"postgres-0","#
                    )?;
                    write!(
                        body,
                        r#""instanceType":"t4g.small","dimension":"{dimension}","value":{value},"pricePerUnit":0.05}}"#
                    )?;
                    *sums.entry((payer, dimension.to_owned())).or_default() += value;
                }
                body.push(']');
                objects.push(Stored::new(key, body));
            }
        }
    }
    Ok((objects, sums))
}
