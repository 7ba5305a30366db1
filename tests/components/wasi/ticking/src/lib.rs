//! An aggregator that wants to know what time it is.

use meterhost_sdk::{About, Aggregator, Batch, ChargeLine, Error, Excluded, Plugin, Window, config, export_aggregator};

config! {
    pub struct Config {}
}

struct Ticking;

impl Plugin for Ticking {
    type Config = Config;

    fn about() -> About {
        About { name: "ticking", version: "0.1.0", purpose: "looks at the clock", needs: vec![] }
    }
}

impl Aggregator for Ticking {
    fn open(_config: Config, _window: Window) -> Result<Self, Error> {
        Ok(Ticking)
    }

    fn push(&mut self, _batch: &Batch) -> Result<(), Error> {
        Err(Error::Other(format!("{:?}", std::time::SystemTime::now())))
    }

    fn finish(&mut self) -> Result<Vec<Excluded>, Error> {
        Ok(vec![])
    }

    fn next(&mut self) -> Result<Option<Vec<ChargeLine>>, Error> {
        Ok(None)
    }
}

export_aggregator!(Ticking);
