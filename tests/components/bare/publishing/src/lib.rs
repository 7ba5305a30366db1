//! A sink of complete sets that writes lines of text into a folder, and fails in the way that its configuration names.

use meterhost_sdk::{
    About, Capability, ChargeBatch, ChargeRow, Error, FoundSet, Need, Objection, Outline, PlaceTraits, Plugin,
    Publication, PublishFailure, Shown, SnapshotSink, Window, WindowKind, Written, config, export_snapshot_sink,
    objects,
};

config! {
    /// Which way.
    pub struct Config {
        /// `begin`, `survey`, `write`, `finish`, `commit` or `current`: where it traps; `later`: it asks for a pause before it writes;
        /// `never`: it asks for pauses for ever; `loses`: it says that it wrote one charge less; `again`: it gives each set the same id;
        /// `cannot-tell`: it does not know what readers are shown; `proper`: it does not fail.
        pub way: String,
        /// Of which dimension it publishes nothing.
        #[serde(default)]
        pub objects_to: String,
        /// Whether a month that is over has a line more.
        #[serde(default)]
        pub closes: bool,
    }
}

struct Publishing;

struct Set {
    config: Config,
    outline: Outline,
    id: String,
    text: String,
    surveyed: u64,
    rows: u64,
    waited: bool,
}

fn folder(period: Window) -> String {
    period.start.to_string()
}

fn line(row: ChargeRow<'_>, tags: &[String]) -> String {
    let tags: Vec<String> = tags.iter().filter_map(|name| Some(format!(" {name}={}", row.tag(name)?))).collect();
    format!("{} {} {} {}{}\n", row.window.start, row.customer, row.dimension, row.quantity, tags.concat())
}

fn trap(config: &Config, way: &str) {
    assert!(config.way != way, "it was told to fail here");
}

fn read(key: &str) -> Result<Option<String>, Error> {
    let mut body = match objects::get(key, None) {
        Ok(body) => body,
        Err(objects::Error::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut bytes = Vec::new();
    loop {
        let piece = body.read(1 << 20)?;
        if piece.is_empty() {
            return Ok(Some(String::from_utf8_lossy(&bytes).into_owned()));
        }
        bytes.extend(piece);
    }
}

impl Plugin for Publishing {
    type Config = Config;

    fn about() -> About {
        let needs = vec![
            Need::required(Capability::Read, "see what was published"),
            Need::required(Capability::Write, "publish"),
        ];
        About { name: "publishing", version: "1.0.0", purpose: "publishes lines of text", needs }
    }
}

impl SnapshotSink for Publishing {
    type Publication = Set;

    fn traits(config: Config, _windows: WindowKind) -> Result<PlaceTraits, Error> {
        let surveys = config.way == "survey" || config.closes;
        Ok(PlaceTraits {
            place: String::new(),
            windows: vec![],
            rate: None,
            surveys,
            closes: config.closes,
            deadline: 1000,
        })
    }

    fn check(config: Config, charges: &ChargeBatch) -> Result<Vec<Objection>, Error> {
        let objects_to = |row: &ChargeRow<'_>| row.dimension == config.objects_to;
        let reason = |row: &ChargeRow<'_>| format!("{} is not for publishing", row.dimension);
        let objections = charges.rows().filter(objects_to);
        Ok(objections.map(|row| Objection { row: row.index() as u32, reason: reason(&row) }).collect())
    }

    fn begin(config: Config, outline: Outline) -> Result<Set, Error> {
        trap(&config, "begin");
        let mut id = format!("{:020}", outline.now);
        if config.way != "again" {
            let last = outline.last.clone().unwrap_or_default();
            let mut more = 0;
            while id <= last || read(&format!("{}/{id}", folder(outline.period)))?.is_some() {
                more += 1;
                id = format!("{:020}-{more:03}", outline.now);
            }
        }
        Ok(Set { config, outline, id, text: String::new(), surveyed: 0, rows: 0, waited: false })
    }

    fn current(config: Config, period: Window) -> Result<Shown, Error> {
        trap(&config, "current");
        if config.way == "cannot-tell" {
            return Ok(Shown::CannotTell);
        }
        match read(&format!("{}/current", folder(period)))? {
            Some(id) => Self::list(config, Some(period))?
                .into_iter()
                .find(|found| found.id == id)
                .map_or_else(|| Err(Error::Other(format!("{id} is gone"))), |found| Ok(Shown::Set(found))),
            None => Ok(Shown::Nothing),
        }
    }

    fn list(_config: Config, period: Option<Window>) -> Result<Vec<FoundSet>, Error> {
        let mut found = Vec::new();
        let mut listing = objects::list(&period.map(folder).unwrap_or_default(), None)?;
        while let Some(objects) = listing.next()? {
            for object in objects {
                let Some((month, id)) = object.key.split_once('/').filter(|(_, id)| *id != "current") else { continue };
                let start: i64 = month.parse().unwrap_or_default();
                // Of a month, the number of days is found where its next one begins; tests have June and July.
                let days = if start == 1_748_736_000_000 { 30 } else { 31 };
                let current = read(&format!("{month}/current"))?.as_deref() == Some(id);
                let period = Window { start, end: start + days * 86_400_000 };
                let (id, bytes) = (id.to_owned(), object.size);
                found.push(FoundSet { id, period, at: object.modified, files: 1, bytes, current });
            }
        }
        Ok(found)
    }

    fn revert(config: Config, period: Window, id: String) -> Result<FoundSet, Error> {
        objects::put(
            &format!("{}/current", folder(period)),
            id.as_bytes(),
            "text/plain",
            &objects::Precondition::None,
        )?;
        match Self::current(config, period)? {
            Shown::Set(found) => Ok(found),
            _ => Err(Error::Other("it is not shown".into())),
        }
    }

    fn remove(_config: Config, period: Window, id: String) -> Result<(), Error> {
        Ok(objects::delete(&format!("{}/{id}", folder(period)), &objects::Precondition::None)?)
    }
}

impl Publication for Set {
    fn id(&self) -> String {
        self.id.clone()
    }

    fn survey(&mut self, charges: &ChargeBatch) -> Result<(), PublishFailure> {
        trap(&self.config, "survey");
        self.surveyed += charges.len() as u64;
        Ok(())
    }

    fn write(&mut self, charges: &ChargeBatch) -> Result<(), PublishFailure> {
        trap(&self.config, "write");
        let tags = self.outline.tags.clone();
        charges.rows().for_each(|row| self.text += &line(row, &tags));
        self.rows += charges.len() as u64;
        let waits = self.config.way == "never" || self.config.way == "later" && !self.waited;
        match waits {
            true => Err(PublishFailure::Later(("the door is shut".into(), Some(10)))),
            false => Ok(()),
        }
    }

    fn resume(&mut self) -> Result<(), PublishFailure> {
        self.waited = true;
        match self.config.way.as_str() {
            "never" => Err(PublishFailure::Later(("the door stays shut".into(), None))),
            _ => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<Written, PublishFailure> {
        trap(&self.config, "finish");
        if self.config.closes {
            self.text += &format!("{} of {}, closed: {}\n", self.surveyed, self.outline.rows, self.outline.closed);
        }
        let key = format!("{}/{}", folder(self.outline.period), self.id);
        let mut upload = objects::upload(&key, "text/plain")?;
        upload.write(self.text.as_bytes())?;
        upload.commit(&objects::Precondition::Absent)?;
        let rows = self.rows - u64::from(self.config.way == "loses");
        Ok(Written { rows, files: 1, bytes: self.text.len() as u64, totals: vec![] })
    }

    fn commit(&mut self) -> Result<(), PublishFailure> {
        trap(&self.config, "commit");
        let key = format!("{}/current", folder(self.outline.period));
        objects::put(&key, self.id.as_bytes(), "text/plain", &objects::Precondition::None)?;
        Ok(())
    }
}

export_snapshot_sink!(Publishing);
