//! What a pipeline says of its objects.

use std::collections::BTreeMap;

use meterhost_sdk::config;

config! {
    /// Where usage lies, and where in a record its parts are.
    pub struct Config {
        /// What the parts of a key mean: literal text, `{yyyy}` `{mm}` `{dd}` `{hh}` (the time, in UTC), `{name}` (a capture) and `*`;
        /// the last two match within one part of the key. Keys that do not match are not read.
        pub layout: String,
        /// How objects are written. Without it, the end of the key decides: `.json`, or `.ndjson`, `.jsonl` and `.log`.
        #[serde(default)]
        pub format: Option<Format>,
        /// Where the parts of a measurement are.
        pub fields: Fields,
        /// What else aggregators may want of a record, by the name that they know it by.
        #[serde(default)]
        pub attributes: BTreeMap<String, Pick>,
    }
}

config! {
    /// How objects are written.
    #[derive(Copy, PartialEq, Eq)]
    #[serde(rename_all = "lowercase")]
    pub enum Format {
        /// One JSON array of records, or one record.
        Json,
        /// One record a line.
        Ndjson,
    }
}

config! {
    /// Where the parts of a measurement are.
    pub struct Fields {
        /// When the usage happened: `"path"` for the time in the key, a JSON pointer to a text such as `2025-06-01T00:59:59Z`, or
        /// `{ field = "/pointer", unit = "ms" }` for a number counted since 1970.
        pub time: TimePick,
        /// Who used it.
        pub customer: Pick,
        /// What was used, where one pipeline meters several products.
        #[serde(default)]
        pub product: Option<Pick>,
        /// What was measured. Not together with `dimensions`.
        #[serde(default)]
        pub dimension: Option<Pick>,
        /// How much of it. Not together with `dimensions`.
        #[serde(default)]
        pub quantity: Option<Pick>,
        /// Several dimensions out of one record: the dimension's name, and where its quantity is.
        #[serde(default)]
        pub dimensions: BTreeMap<String, Pick>,
        /// The record's own id.
        #[serde(default)]
        pub id: Option<Pick>,
    }
}

config! {
    /// Where a part of a measurement is: a JSON pointer such as `"/customer/id"`, a capture of the layout such as `"{tenant}"`, or a table
    /// that says which.
    #[serde(untagged)]
    pub enum Pick {
        /// `"/pointer"` or `"{capture}"`.
        Short(String),
        /// A field of the record.
        Field(FieldPick),
        /// A capture of the layout.
        Capture(CapturePick),
        /// The same for each record.
        Constant(ConstantPick),
    }
}

config! {
    /// A field of the record.
    pub struct FieldPick {
        /// A JSON pointer.
        pub field: String,
    }
}

config! {
    /// A capture of the layout.
    pub struct CapturePick {
        /// Its name, without braces.
        pub capture: String,
    }
}

config! {
    /// The same for each record.
    pub struct ConstantPick {
        /// The text; a decimal where a quantity belongs.
        pub constant: String,
    }
}

config! {
    /// Where the time is.
    #[serde(untagged)]
    pub enum TimePick {
        /// `"path"`, or a JSON pointer to a text as in RFC 3339.
        Short(String),
        /// A number counted since 1970-01-01T00:00:00Z.
        Epoch(EpochPick),
    }
}

config! {
    /// A number counted since 1970-01-01T00:00:00Z.
    pub struct EpochPick {
        /// A JSON pointer.
        pub field: String,
        /// What it counts.
        pub unit: Unit,
    }
}

config! {
    /// What a time counts.
    #[derive(Copy, PartialEq, Eq)]
    #[serde(rename_all = "lowercase")]
    pub enum Unit {
        /// Seconds.
        S,
        /// Milliseconds.
        Ms,
        /// Microseconds.
        Us,
        /// Nanoseconds.
        Ns,
    }
}
