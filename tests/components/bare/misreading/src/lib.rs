//! A source that breaks the contract in the way that its configuration names. It makes its usage up: one record of a customer.

use meterhost_sdk::{
    About, BatchBuilder, Cursor, Decimal, Error, Input, Listing, Page, Plugin, Quarantined, ReadInput, Record, Request,
    Source, SourceKind, Window, WindowKind, config, export_source,
};

config! {
    /// Which way.
    pub struct Config {
        /// `proper`, `empty`, `twice`, `more`, `fewer`, `nowhere`, `panic`, `loop`, `memory`, `check`, `listing` or `poison`.
        pub way: String,
    }
}

struct Misreading;

struct Reading {
    way: String,
    windows: Vec<Window>,
    first: bool,
    done: bool,
}

impl Plugin for Misreading {
    type Config = Config;

    fn about() -> About {
        About { name: "misreading", version: "6.6.6", purpose: "misreads", needs: vec![] }
    }
}

impl Source for Misreading {
    const KIND: SourceKind = SourceKind::Complete;
    type Cursor = Reading;
    type Listing = Listed;

    fn check(config: Config, _windows: WindowKind) -> Result<(), Error> {
        match config.way.as_str() {
            "check" => Err(Error::Config("way: it cannot be done in this way".into())),
            _ => Ok(()),
        }
    }

    fn open(config: Config, request: Request) -> Result<Reading, Error> {
        let first = request.shard.index == 0;
        Ok(Reading { way: config.way, windows: request.windows, first, done: false })
    }

    fn inputs(config: Config, request: Request) -> Result<Listed, Error> {
        let input = input(request.windows[0]);
        Ok(Listed(if config.way == "listing" { None } else { Some(vec![input]) }, config.way))
    }
}

fn input(window: Window) -> Input {
    Input { key: "made-up".into(), etag: "1".into(), size: 1, span: Some(window) }
}

impl Cursor for Reading {
    fn next(&mut self) -> Result<Option<Page>, Error> {
        let way = self.way.as_str();
        match way {
            "empty" => return Ok(Some(Page::default())),
            "panic" => panic!("the table of meters is empty"),
            // The first day of this month is more than it can bear, and only that.
            "poison" => {
                assert!(!self.windows.iter().any(|window| window.start == 1_746_057_600_000), "May is beyond me")
            }
            "loop" => loop {
                std::hint::black_box(());
            },
            "memory" => {
                let mut all = Vec::new();
                loop {
                    all.push(std::hint::black_box(vec![1_u8; 1 << 20]));
                }
            }
            _ => {}
        }
        let reads = self.first || way == "twice";
        if !reads || std::mem::replace(&mut self.done, true) {
            return Ok(None);
        }
        let window = self.windows[0];
        let mut builder = BatchBuilder::new(Vec::<String>::new());
        let record = Record {
            time: window.start,
            customer: "A",
            product: "",
            dimension: "cpu",
            quantity: Decimal::ONE,
            id: None,
            attributes: &[],
        };
        builder.push(&record).map_err(|_| Error::Other("it is full".into()))?;
        let items = match way {
            "more" => 2,
            "fewer" => 0,
            _ => 1,
        };
        let quarantined = Quarantined {
            input: "made-up".into(),
            place: "nowhere".into(),
            reason: "it is odd".into(),
            customer: Some("A".into()),
            product: None,
            dimension: None,
            span: Some(Window { start: window.start, end: window.start }),
        };
        Ok(Some(Page {
            batch: builder.finish(),
            inputs: vec![ReadInput { input: input(window), items }],
            quarantined: if way == "nowhere" { vec![quarantined] } else { vec![] },
            ..Page::default()
        }))
    }
}

struct Listed(Option<Vec<Input>>, String);

impl Listing for Listed {
    fn next(&mut self) -> Result<Option<Vec<Input>>, Error> {
        match self.1.as_str() {
            "listing" => Ok(Some(vec![])),
            _ => Ok(self.0.take()),
        }
    }
}

export_source!(Misreading);
