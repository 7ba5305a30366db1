//! What a pipeline says of its objects.

use std::collections::BTreeMap;

use meterhost_sdk::config;

config! {
    /// Where usage lies, and where in a record its parts are.
    pub struct Config {
        /// What the parts of an object's key mean: literal text, `{yyyy}` `{mm}` `{dd}` `{hh}` (the time, in UTC),
        /// `{name}` (a capture, which `fields` can name), `*` (anything) and `**` (anything, slashes too). A capture or `*`
        /// never reaches beyond a `/`. A key that does not match is not read; one that matches in two ways that mean different things makes
        /// its object unreadable.
        ///
        /// Read are the objects whose time touches a window, or all of them if the layout has no time. So a record
        /// whose own time lies outside of the time in its key, by more than `slack`, would be missed by its window: it
        /// is quarantined, and holds its customer's dimension in every window from the one time to the other until it is
        /// stored under a key of its own time, or `slack` covers it. A key that names a time which does not exist, such
        /// as the 30th of February, makes its object unreadable.
        pub layout: String,
        /// How far a record's own time may lie before the beginning or after the end of the time in its key: `30m`,
        /// `1h`, `2d`, at most `31d`. Each window then also reads the objects that lie so far around it, and takes from
        /// them what belongs to it by its own time; so `fields.time` names a field. Amazon Data Firehose names an
        /// object by the hour in which its oldest record arrived, so that `1h` covers it; what reports at the end of an
        /// hour writes 00:02 of the next day under hour 23. The pipeline's `grace` should be at least as long, so that
        /// these objects are there when a window is read; what comes later is late. With `complete_until`, a window
        /// waits until the marker has passed its end by as much. Without `slack`, no time at all.
        #[serde(default)]
        pub slack: Option<String>,
        /// How objects are written. Without it the end of the key decides: `.json` is "json"; `.ndjson`, `.jsonl` and
        /// `.log` are "ndjson"; `.csv` is "csv"; a compression's end is left out, so that `.csv.gz` is "csv" too.
        ///
        /// Whether an object is compressed is seen from its first bytes, whatever its key: gzip (RFC 1952), several
        /// members in a row too, and zstd (RFC 8878), several frames in a row too, with windows of up to 128 MiB and
        /// without a dictionary. Checksums are verified. An object that breaks off, is damaged, or goes on with
        /// something else is unreadable.
        #[serde(default)]
        pub format: Option<Format>,
        /// What stands between the fields of a CSV: `,` unless this says `;`, `|` or a tab.
        #[serde(default)]
        pub delimiter: Option<Delimiter>,
        /// Where the parts of a measurement are.
        pub fields: Fields,
        /// What else aggregators may want of a record, by the name that they know it by: `status = "/response/status"`.
        /// A number, a truth value, a list or an object is passed on as it is written; what is missing or null is no
        /// attribute.
        #[serde(default)]
        pub attributes: BTreeMap<String, Pick>,
        /// A marker that says how far the data is complete, which whoever writes the data rewrites after each step. A
        /// window is billed only once the marker has reached its end. Without it, a window is complete when it is due.
        #[serde(default)]
        pub complete_until: Option<Marker>,
    }
}

config! {
    /// An object that says how far the data is complete: one JSON document of at most 1 MiB.
    pub struct Marker {
        /// The object's key, relative to the granted URL as `layout` is; no captures.
        pub object: String,
        /// A JSON pointer to the time in it: a text as in RFC 3339, such as `2025-06-30T23:59:59Z`.
        #[serde(default)]
        pub pointer: Option<String>,
        /// In place of `pointer`, the keys that lead to the time, from the outermost on, as they are: for keys that come
        /// from elsewhere and may hold a `/` or `~`.
        #[serde(default)]
        pub keys: Vec<String>,
        /// What the time counts since 1970, where it is a number.
        #[serde(default)]
        pub unit: Option<Unit>,
        /// How much the time stands for. A writer that is done with a day says `23:59:59`: the last second that is
        /// complete, which ends at 24:00. So the data is complete to the end of the second that the marker names,
        /// whatever its fraction: that is `1s`, the default. `1m` and `1h` are for writers of whole minutes and hours
        /// (`23:59Z` as `23:59:00Z`). `0s` is for a marker that names the instant up to which, and not including which,
        /// the data is complete. It divides an hour.
        #[serde(default)]
        pub resolution: Option<String>,
    }
}

config! {
    /// How objects are written.
    #[derive(Copy, PartialEq, Eq)]
    #[serde(rename_all = "lowercase")]
    pub enum Format {
        /// One JSON document (RFC 8259): a list of records, or one record, or records one after the other with nothing
        /// or space between them. At most 64 MiB. What is no JSON makes the object unreadable as a whole; an element
        /// of the list that is no record is quarantined (`record 3`).
        Json,
        /// A record a line, or several in a line with nothing or space between them. A record is of at most 16 MiB and
        /// never reaches into the next line. From what is no record on, the rest of its line is quarantined as one
        /// (`line 7`, or behind others `line 7, record 3`), and reading goes on with the next line; empty lines are
        /// none. A NUL byte in what is no record makes the object unreadable as a whole: it is no text.
        Ndjson,
        /// A row a record below a header that names the columns (RFC 4180), in UTF-8, of at most 16 MiB a row. A
        /// pointer of one part is a column, so that one `fields` serves JSON and CSV: `"/user_id"` is the column
        /// `user_id`, and `/` in a name is written `~1`. All fields are texts; an empty one is missing. A row with more
        /// or fewer fields than the header is quarantined, an empty line is none. A header that lacks a column which
        /// each record has to have, or has a wanted one twice, a quote that is never closed, and a text behind one that
        /// closes a field make the object unreadable. The last row may lack its line end.
        Csv,
    }
}

config! {
    /// What stands between the fields of a CSV.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Delimiter {
        /// A comma.
        #[serde(rename = ",")]
        Comma,
        /// A semicolon.
        #[serde(rename = ";")]
        Semicolon,
        /// A vertical bar.
        #[serde(rename = "|")]
        Bar,
        /// A tab.
        #[serde(rename = "\t")]
        Tab,
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
        /// The record's own id, which a record may lack: a text or a whole number, passed on exactly as it is written.
        /// With `dedupe = "id"` under `[source]`, the host drops a record whose id it has seen; without, a record that
        /// is stored twice is billed twice.
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
