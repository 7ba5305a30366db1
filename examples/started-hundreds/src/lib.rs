//! Bills every started hundred of requests, whatever the requests were.

use std::collections::BTreeMap;

use meterhost_sdk::{
    About, Aggregator, Batch, ChargeLine, Decimal, Error, Excluded, Origin, Plugin, Window, config, export_aggregator,
};

config! {
    /// What is billed.
    pub struct Config {
        /// How many requests make one unit.
        #[serde(default = "hundred")]
        pub unit: u32,
    }
}

fn hundred() -> u32 {
    100
}

/// Requests of one window, by customer and by the dimension that they came in as.
pub struct StartedHundreds {
    unit: u64,
    requests: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Plugin for StartedHundreds {
    type Config = Config;

    fn about() -> About {
        About {
            name: "started-hundreds",
            version: env!("CARGO_PKG_VERSION"),
            purpose: "bills every started hundred of requests",
            needs: vec![],
        }
    }
}

impl Aggregator for StartedHundreds {
    fn open(config: Config, _window: Window) -> Result<Self, Error> {
        match config.unit {
            0 => Err(Error::Config("unit: it is at least 1".to_owned())),
            unit => Ok(StartedHundreds { unit: unit.into(), requests: BTreeMap::new() }),
        }
    }

    fn push(&mut self, batch: &Batch) -> Result<(), Error> {
        for row in batch.rows() {
            let dimensions = self.requests.entry(row.customer.to_owned()).or_default();
            *dimensions.entry(row.dimension.to_owned()).or_default() += 1;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<Excluded>, Error> {
        // Nothing is left out: every record counts.
        Ok(vec![])
    }

    fn next(&mut self) -> Result<Option<Vec<ChargeLine>>, Error> {
        let lines: Vec<ChargeLine> = std::mem::take(&mut self.requests)
            .into_iter()
            .map(|(customer, dimensions)| {
                let requests: u64 = dimensions.values().sum();
                let mut line = ChargeLine::new(customer, "hundreds", Decimal::from(requests.div_ceil(self.unit)));
                // The host checks that every record stands behind a charge.
                line.origins =
                    dimensions.into_iter().map(|(dimension, records)| Origin { dimension, records }).collect();
                line
            })
            .collect();
        Ok((!lines.is_empty()).then_some(lines))
    }
}

export_aggregator!(StartedHundreds);

#[cfg(test)]
mod tests {
    use super::*;
    use meterhost_sdk::testing;

    #[test]
    fn a_started_hundred_is_billed_whole() {
        let window = Window { start: 0, end: 3_600_000 };
        let mut aggregator = StartedHundreds::open(Config { unit: 100 }, window).unwrap();
        for _ in 0..101 {
            aggregator.push(&testing::batch(&[("acme", "request", "1", 0, &[])])).unwrap();
        }
        aggregator.finish().unwrap();
        let lines = aggregator.next().unwrap().unwrap();
        assert_eq!((lines[0].customer.as_str(), lines[0].quantity), ("acme", Decimal::from(2_u64)));
    }
}
