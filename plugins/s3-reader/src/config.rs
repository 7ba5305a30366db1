//! What a pipeline says of its objects.

use std::collections::BTreeMap;

use meterhost_sdk::config;

config! {
    /// Where usage lies, and where in a record its parts are.
    pub struct Config {
        /// What the parts of an object's key mean: literal text, `{yyyy}` `{mm}` `{dd}` `{hh}` (the time, in UTC),
        /// `{name}` (a capture, which `fields` can name) and `*` (anything). A capture or `*` never reaches beyond a
        /// `/`. A key that does not match is not read; one that matches in two ways that mean different things makes
        /// its object unreadable.
        ///
        /// Read are the objects whose time touches a window, or all of them if the layout has no time. So a record
        /// whose own time lies outside of the time in its key would be missed by its window: it is quarantined, and
        /// holds its customer's dimension in every window from the one time to the other until it is stored under a key
        /// of its own time, or the layout names less of the time. A key that names a time which does not exist, such as
        /// the 30th of February, makes its object unreadable.
        pub layout: String,
        /// How objects are written. Without it the end of the key decides: `.json` is "json"; `.ndjson`, `.jsonl` and
        /// `.log` are "ndjson".
        #[serde(default)]
        pub format: Option<Format>,
        /// Where the parts of a measurement are.
        pub fields: Fields,
        /// What else aggregators may want of a record, by the name that they know it by: `status = "/response/status"`.
        /// A number, a truth value, a list or an object is passed on as it is written; what is missing or null is no
        /// attribute.
        #[serde(default)]
        pub attributes: BTreeMap<String, Pick>,
    }
}

config! {
    /// How objects are written.
    #[derive(Copy, PartialEq, Eq)]
    #[serde(rename_all = "lowercase")]
    pub enum Format {
        /// One JSON document: a list of records, or one record. At most 64 MiB.
        Json,
        /// One record a line, of at most 16 MiB. A line that is no record is quarantined, empty lines are none; a NUL
        /// byte makes the object unreadable as a whole. Neither form may be compressed yet.
        Ndjson,
    }
}

config! {
    /// Where the parts of a measurement are.
    pub struct Fields {
        /// When the usage happened: `"path"` for the beginning of the time in the key, a JSON pointer to a text as in
        /// RFC 3339, such as `2025-06-01T00:59:59Z` or `2025-06-01T02:59:59.5+02:00`, or
        /// `{ field = "/pointer", unit = "ms" }` for a number counted since 1970. What is finer than a millisecond is
        /// cut.
        pub time: TimePick,
        /// Who used it: a text or a whole number, of at most 16 KiB as every name. A record without it is quarantined.
        pub customer: Pick,
        /// What was used, where one pipeline meters several products. Every record has to have it then.
        #[serde(default)]
        pub product: Option<Pick>,
        /// What was measured. Not together with `dimensions`.
        #[serde(default)]
        pub dimension: Option<Pick>,
        /// How much of it: a number, or a text that holds one, of at most 38 digits. Not together with `dimensions`.
        /// Where each record counts as one: `{ constant = "1" }`.
        #[serde(default)]
        pub quantity: Option<Pick>,
        /// Several dimensions out of one record: the dimension's name, and where its quantity is, as in
        /// `{ requests = { constant = "1" }, bytes_out = "/responseLength" }`.
        #[serde(default)]
        pub dimensions: BTreeMap<String, Pick>,
        /// The record's own id, which a record may lack. It is passed on with the record; the host does not yet drop
        /// duplicates by it, so a record that is stored twice is billed twice.
        #[serde(default)]
        pub id: Option<Pick>,
    }
}

config! {
    /// Where a part of a measurement is: a JSON pointer such as `"/customer/id"`, a capture of the layout such as
    /// `"{tenant}"`, or a table that says which.
    #[serde(untagged)]
    pub enum Pick {
        /// `"/pointer"` (RFC 6901: `/` in a key is written `~1`, `~` is `~0`) or `"{capture}"`.
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
