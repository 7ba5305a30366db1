//! An aggregator that misbehaves in the way that its configuration names.

use meterhost_sdk::{
    About, Aggregator, Batch, ChargeLine, Decimal, Error, Excluded, Origin, Plugin, Window, config, export_aggregator,
};

config! {
    /// Which way.
    pub struct Config {
        /// `loop`, `memory`, `panic`, `unreachable`, `string`, `lose`, `invent`, `empty`, `bare` or `error`.
        pub way: String,
    }
}

struct Misbehaving {
    way: String,
    customers: Vec<String>,
}

impl Plugin for Misbehaving {
    type Config = Config;

    fn about() -> About {
        About { name: "misbehaving", version: "6.6.6", purpose: "misbehaves", needs: vec![] }
    }
}

impl Aggregator for Misbehaving {
    fn open(config: Config, _window: Window) -> Result<Self, Error> {
        Ok(Misbehaving { way: config.way, customers: Vec::new() })
    }

    fn push(&mut self, batch: &Batch) -> Result<(), Error> {
        self.customers.extend(batch.customers().values().iter().cloned());
        match self.way.as_str() {
            "loop" => {
                let mut number = 0_u64;
                while std::hint::black_box(number) != u64::MAX {
                    number = number.wrapping_mul(3) & 0xff;
                }
            }
            "memory" => {
                let mut all = Vec::new();
                loop {
                    all.push(std::hint::black_box(vec![1_u8; 1 << 20]));
                }
            }
            "panic" => panic!("the rate table has no row for {}", self.customers[0]),
            #[cfg(target_arch = "wasm32")]
            "unreachable" => core::arch::wasm32::unreachable(),
            "error" => return Err(Error::Other("this batch is beyond me".into())),
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<Excluded>, Error> {
        Ok(vec![])
    }

    fn next(&mut self) -> Result<Option<Vec<ChargeLine>>, Error> {
        let Some(customer) = self.customers.pop() else { return Ok(None) };
        self.customers.clear();
        let mut line = ChargeLine::new(customer, "cpu", Decimal::ONE);
        match self.way.as_str() {
            "string" => line.dimension = "x".repeat(300 << 20),
            "lose" => return Ok(None),
            "empty" => {
                self.customers.push("A".into());
                return Ok(Some(vec![]));
            }
            "invent" => line.origins.push(Origin { dimension: "cpu".into(), records: 1000 }),
            "bare" => {}
            _ => line.origins.push(Origin { dimension: "cpu".into(), records: 1 }),
        }
        Ok(Some(vec![line]))
    }
}

export_aggregator!(Misbehaving);
