//! A sink that fails in the way that its configuration names.

use meterhost_sdk::{
    About, Answer, Capability, Charge, Decimal, Error, Failure, Finding, Need, Opinion, Outcome, Plugin, Resolution,
    ServiceTraits, Session, Sink, Status, Together, Window, Zero, config, export_sink, http,
};

config! {
    /// Which way, and where a service is.
    pub struct Config {
        /// `check`, `silent`, `before`, `after`, `twice`, `others`, `loop`, `connect` or `lost`; with `tells` it objects to each charge with what it
        /// was handed of it, with `no-zero` its service refuses a zero, with `takes-twice` it takes a second record, and with `proper` it
        /// does not fail.
        pub way: String,
        /// How an unknown outcome is resolved: `look-up`, `ask` or `replay`.
        #[serde(default)]
        pub resolution: Option<String>,
        /// For how many hours after a window's end its service accepts what was used in it.
        #[serde(default)]
        pub accepts: Option<i64>,
        /// What a request goes to.
        pub url: String,
    }
}

struct Failing;

struct Broken(Config);

impl Plugin for Failing {
    type Config = Config;

    fn about() -> About {
        let service = Need::required(Capability::Http("the service".into()), "fail at it");
        About { name: "failing", version: "6.6.6", purpose: "fails", needs: vec![service] }
    }
}

impl Sink for Failing {
    type Session = Broken;

    fn traits(config: Config) -> Result<ServiceTraits, Error> {
        Ok(ServiceTraits {
            charges_per_call: 100,
            bytes_per_call: 1 << 20,
            bytes_per_charge: 100,
            together: Together::empty(),
            rate: None,
            scale: 0,
            minimum: Decimal::ZERO,
            maximum: Decimal::MAX,
            windows: vec![],
            zero: if config.way == "no-zero" { Zero::Refused } else { Zero::Charge },
            resolution: match config.resolution.as_deref() {
                Some("ask") => Resolution::Ask,
                Some("replay") => Resolution::Replay,
                _ => Resolution::LookUp,
            },
            refuses_second: config.way != "takes-twice",
            joins_tags: false,
            deadline: 1000,
        })
    }

    fn check(config: Config, charges: &[Charge], now: i64) -> Result<Vec<Opinion>, Error> {
        assert!(config.way != "check", "the table of contracts is empty");
        let told = |charge: &Charge| {
            let Charge { product, customer, quantity, attributes, .. } = charge;
            format!("{quantity} of {customer} for {product}, {attributes:?}")
        };
        let until = |window: &Window| config.accepts.map(|hours| window.end + hours * 3_600_000);
        let is_over = |window: &Window| until(window).is_some_and(|until| until < now);
        let objection = |charge: &Charge| match charge.carried.iter().any(|(window, _)| is_over(window)) {
            _ if config.way == "tells" => Some(told(charge)),
            true => Some("what it carries was used too long ago".into()),
            false => is_over(&charge.window).then(|| "it was used too long ago".into()),
        };
        let opinion = |charge: &Charge| Opinion {
            id: charge.id.clone(),
            objection: objection(charge),
            accepted_until: until(&charge.window),
        };
        Ok(charges.iter().map(opinion).collect())
    }

    fn connect(config: Config, _now: i64) -> Result<Broken, Failure> {
        assert!(config.way != "connect", "the door is gone");
        Ok(Broken(config))
    }
}

impl Session for Broken {
    fn submit(&mut self, charges: &[Charge], _now: i64) -> Result<Vec<Outcome>, Failure> {
        let accepted = |id: &str| Outcome {
            id: id.to_owned(),
            status: Status::Accepted,
            retryable: false,
            refusal_if_absent: None,
            reference: None,
            message: None,
            raw: String::new(),
        };
        let all = || charges.iter().map(|charge| accepted(&charge.id)).collect::<Vec<_>>();
        match self.0.way.as_str() {
            "silent" => return Ok(all()),
            "before" => panic!("it broke before anything left"),
            "loop" => loop {
                std::hint::black_box(());
            },
            _ => {}
        }
        let url = self.0.url.clone();
        let request = http::Request { method: "GET".into(), url, headers: vec![], body: vec![], timeout: None };
        http::send(&request).map_err(|error| Failure::Other(error.to_string()))?;
        match self.0.way.as_str() {
            "after" => panic!("it broke after something left"),
            "lost" => Err(Failure::Other("the answer was lost".into())),
            "twice" => Ok([all(), all()].concat()),
            "others" => Ok(vec![accepted("00000000000000000000000000000000"), accepted("no id at all")]),
            _ => Ok(all()),
        }
    }

    fn look_up(&mut self, charges: &[Charge]) -> Result<Vec<Answer>, Failure> {
        let nobody = |charge: &Charge| Answer {
            id: charge.id.clone(),
            finding: Finding::CannotTell("nobody keeps books here".into()),
        };
        Ok(charges.iter().map(nobody).collect())
    }
}

export_sink!(Failing);
