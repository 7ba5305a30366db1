//! Bills every started hundred of requests, whatever the requests were.

use std::collections::BTreeMap;

use meterhost_sdk::{
    About, Aggregator, Batch, ChargeLine, Decimal, Error, Excluded, Origin, Plugin, Window, WindowKind, config,
    export_aggregator,
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

/// Requests of one window: by product and customer, who each get a charge, and by the dimension that they came in as.
pub struct StartedHundreds {
    unit: u64,
    requests: BTreeMap<(String, String), BTreeMap<String, u64>>,
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
    fn check(config: Config, _windows: WindowKind) -> Result<(), Error> {
        match config.unit {
            0 => Err(Error::Config("unit: it is at least 1".to_owned())),
            _ => Ok(()),
        }
    }

    fn open(config: Config, _window: Window) -> Result<Self, Error> {
        Ok(StartedHundreds { unit: config.unit.max(1).into(), requests: BTreeMap::new() })
    }

    fn push(&mut self, batch: &Batch) -> Result<(), Error> {
        for row in batch.rows() {
            let dimensions = self.requests.entry((row.product.to_owned(), row.customer.to_owned())).or_default();
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
            .map(|((product, customer), dimensions)| {
                let requests: u64 = dimensions.values().sum();
                let mut line = ChargeLine::new(customer, "hundreds", Decimal::from(requests.div_ceil(self.unit)));
                line.product = product;
                // The host checks that every record stands behind a charge. `*`: a record of any other dimension would count too, so
                // that one which cannot be used holds this charge.
                let every = Origin { dimension: "*".to_owned(), records: 0 };
                let origins = dimensions.into_iter().map(|(dimension, records)| Origin { dimension, records });
                line.origins = std::iter::once(every).chain(origins).collect();
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
    use meterhost_sdk::{BatchBuilder, Record, testing};

    /// The charges of these batches: product, customer and quantity.
    fn charges(batches: &[Batch]) -> Vec<(String, String, Decimal)> {
        let window = Window { start: 0, end: 3_600_000 };
        let mut aggregator = StartedHundreds::open(Config { unit: 100 }, window).unwrap();
        for batch in batches {
            aggregator.push(batch).unwrap();
        }
        aggregator.finish().unwrap();
        let lines = aggregator.next().unwrap().unwrap();
        lines.into_iter().map(|line| (line.product, line.customer, line.quantity)).collect()
    }

    #[test]
    fn a_started_hundred_is_billed_whole() {
        let one = testing::batch(&[("acme", "request", "1", 0, &[])]);
        assert_eq!(charges(&vec![one; 101]), [(String::new(), "acme".to_owned(), Decimal::from(2_u64))]);
    }

    #[test]
    fn each_product_of_a_customer_is_billed_on_its_own() {
        let mut builder = BatchBuilder::new([""; 0]);
        for product in ["redis", "postgres", "redis"] {
            let (time, quantity) = (0, Decimal::ONE);
            let record =
                Record { time, customer: "acme", product, dimension: "request", quantity, id: None, attributes: &[] };
            builder.push(&record).unwrap();
        }
        let charge = |product: &str| (product.to_owned(), "acme".to_owned(), Decimal::ONE);
        assert_eq!(charges(&[builder.finish()]), [charge("postgres"), charge("redis")]);
    }
}
