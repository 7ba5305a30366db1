//! What a pipeline says of its table.

use meterhost_sdk::config;

config! {
    /// Where pending records lie, how they are written, and how they are marked.
    pub struct Config {
        /// The table that holds the records.
        pub table: String,
        /// The index by which pending records are found: its hash key is `metering_pending`, and its range key the record's time, or it has
        /// none. It has to project what is read.
        #[serde(default = "pending_records")]
        pub index: String,
        /// How a record is written.
        #[serde(default)]
        pub format: Format,
        /// What the attributes are called, where that is another name than the format's.
        #[serde(default)]
        pub fields: Fields,
        /// What the record's time counts since 1970. What is finer than a millisecond is cut, towards the past. A time beyond the year 9999
        /// is quarantined: it counts another unit.
        #[serde(default)]
        pub timestamp: Unit,
        /// Further attributes that aggregators may want of a record, by their names: a text, or a number or a truth value as it is written.
        #[serde(default)]
        pub attributes: Vec<String>,
        /// The table's primary key: the hash key, a text (S), and the range key, a number (N). Without it, the attributes of the customer and
        /// of the time.
        #[serde(default)]
        pub key: Option<[String; 2]>,
        /// The attribute that holds the token of the ledger that has taken a record up.
        #[serde(default = "claim")]
        pub claim: String,
        /// How a record is marked that is not pending any more.
        #[serde(default)]
        pub mark: Mark,
        /// The table that holds how much was sent for a customer in all: its name, or a table of names. With each charge that is accepted,
        /// `totalMeteringSent.DIMENSION` of the customer's row goes up by the charge's quantity, once. Row and map are made where they are
        /// missing. Without it, no totals are kept.
        #[serde(default)]
        pub subscribers: Option<Subscribers>,
    }
}

config! {
    /// How a record is written.
    #[derive(Copy, PartialEq, Eq, Default)]
    #[serde(rename_all = "kebab-case")]
    pub enum Format {
        /// One dimension a record: `customerAWSAccountId`, `create_timestamp`, `productCode`, `dimension`, `quantity`, each of which a record
        /// has to have.
        #[default]
        Quantity,
        /// Several dimensions a record: `customerIdentifier`, `create_timestamp`, and in `dimension_usage` a list of maps of `dimension` and
        /// `value`. `productCode` may be missing: that is the empty product. A record is billed wholly or not at all.
        DimensionUsage,
    }
}

config! {
    /// What the attributes are called.
    #[derive(Default)]
    pub struct Fields {
        /// Who used it, a text (S). `customerAWSAccountId`; with "dimension-usage" `customerIdentifier`.
        #[serde(default)]
        pub customer: Option<String>,
        /// What was used, a text (S): `productCode`.
        #[serde(default)]
        pub product: Option<String>,
        /// What was measured, a text (S): `dimension`.
        #[serde(default)]
        pub dimension: Option<String>,
        /// How much, a number (N): `quantity`; with "dimension-usage" `value`.
        #[serde(default)]
        pub quantity: Option<String>,
        /// When, a number (N): `create_timestamp`.
        #[serde(default)]
        pub time: Option<String>,
        /// With "dimension-usage", the list of dimensions: `dimension_usage`.
        #[serde(default)]
        pub usage: Option<String>,
    }
}

config! {
    /// What a time counts.
    #[derive(Copy, PartialEq, Eq, Default)]
    #[serde(rename_all = "lowercase")]
    pub enum Unit {
        /// Seconds.
        S,
        /// Milliseconds.
        #[default]
        Ms,
        /// Microseconds.
        Us,
        /// Nanoseconds.
        Ns,
    }
}

config! {
    /// How a record is marked that is not pending any more.
    #[derive(Copy, PartialEq, Eq, Default)]
    #[serde(rename_all = "kebab-case")]
    pub enum Mark {
        /// `metering_pending` becomes "false". The index keeps the record.
        #[default]
        PendingFalse,
        /// `metering_pending` is removed, and the record leaves the index.
        Sparse,
    }
}

config! {
    /// The table of totals.
    #[serde(untagged)]
    pub enum Subscribers {
        /// Its name. Its hash key is `productCode`, its range key `customerAWSAccountId`.
        Table(String),
        /// The same with other names.
        Named(SubscribersTable),
    }
}

config! {
    /// The table of totals and its attributes.
    pub struct SubscribersTable {
        /// Its name.
        pub table: String,
        /// Its hash key, a text (S), which holds the product.
        #[serde(default = "product_code")]
        pub product: String,
        /// Its range key, a text (S), which holds the customer.
        #[serde(default = "customer_account")]
        pub customer: String,
        /// The map of dimensions and totals.
        #[serde(default = "totals")]
        pub totals: String,
        /// The product of charges that name none, where the sink knows it and the records do not.
        #[serde(default)]
        pub default_product: Option<String>,
    }
}

fn pending_records() -> String {
    "PendingMeteringRecordsIndex".into()
}

fn claim() -> String {
    "metering_claim".into()
}

pub(crate) fn product_code() -> String {
    "productCode".into()
}

pub(crate) fn customer_account() -> String {
    "customerAWSAccountId".into()
}

pub(crate) fn totals() -> String {
    "totalMeteringSent".into()
}
