//! What a pipeline says of its costs.

use std::collections::BTreeMap;

use meterhost_sdk::config;
use prices::PriceTable;
use sheets::Tags;

config! {
    /// How charges become rows of CloudZero's Common Bill Format, and where these go: `root` or `stream`, one of them.
    ///
    /// A row says in text what a charge is, and placeholders stand for what differs: `{product}`, `{customer}`, `{dimension}`,
    /// `{quantity}`, `{start}`, `{end}`, `{id}`, `{tag.NAME}`, `{attribute.NAME}`. What a record of usage says is a tag, where `tags` of the
    /// aggregator `rules` lists it; attributes are what the table of customers says besides, or an aggregator of your own.
    /// `{tag.instance|customer}` is the first of these that is there and not empty. `{{` and `}}` are braces. A cell of which a placeholder
    /// has nothing is empty as a whole.
    pub struct Config {
        /// File drops: the folder that months lie in, below the URL that `read` and `write` are granted on; CloudZero's "root path". Never
        /// empty, without a slash at either end: `"meterhost"`, `"billing/cloudzero"`. Each publication is a new folder,
        /// `ROOT/20250601-20250701/20250617T171218Z/`, with gzipped CSV files, and shows itself when `ROOT/20250601-20250701/manifest.json`
        /// names it.
        #[serde(default)]
        pub root: Option<String>,
        /// AnyCost Stream: each month is sent to CloudZero's API instead. The secret `api_key` is granted to its origin. By CloudZero's
        /// published OpenAPI file, the API has neither the column `lineitem/cloud_provider` nor the types `CommittedUseVacancy` and
        /// `CommittedUseRecurringFee`, so that they are refused here: one such row could mean that the whole month is.
        #[serde(default)]
        pub stream: Option<Stream>,
        /// What the columns say, by their names in the Common Bill Format: `"resource/service" = "{product}"`,
        /// `"resource/id" = "instance:{tag.instance|customer}"`. They are `lineitem/id`, `lineitem/type`, `lineitem/description`,
        /// `lineitem/cloud_provider`, `time/usage_end`, `resource/id`, `resource/service`, `resource/account`, `resource/region`,
        /// `resource/usage_family`, `action/operation`, `action/usage_type`, `usage/amount`, `usage/units`, `cost/cost`,
        /// `cost/discounted_cost`, `cost/amortized_cost`, `cost/discounted_amortized_cost`, `cost/on_demand_cost`, `bill/invoice_id`,
        /// `k8s/cluster`, `k8s/namespace`, `k8s/deployment`, `k8s/labels`, and `resource/tag:KEY` for each tag. Written in any case are
        /// `lineitem/id` (`"{id}"`; another text holds `{id}` too), `lineitem/type` (`"Usage"`), `time/usage_start` (the hour in which the
        /// charge's window begins; not configured), `usage/amount` (`"{quantity}"`) and four costs. `""` leaves out one of `lineitem/id`,
        /// `lineitem/type` and `usage/amount`.
        ///
        /// `cost/cost` is either given here (`"{tag.cost}"`), or follows from `prices` and `unit_price`. What is not given of the others is what
        /// CloudZero would fall back to: `cost/discounted_cost` and `cost/amortized_cost` equal `cost/cost`, and
        /// `cost/discounted_amortized_cost` is the amortized cost that is given, else the discounted cost that is given, else `cost/cost`.
        /// Of a `CommittedUsePurchase` both amortized costs are 0 unless they are given, and one that is given as `cost/amortized_cost` has
        /// to be 0. One that is given and empty stays blank, and `0` stays 0: CloudZero takes other columns for what is blank.
        /// `cost/on_demand_cost` is written only if it is given.
        #[serde(default)]
        pub columns: BTreeMap<String, String>,
        /// Which of the charges' tags become tags of CloudZero, `resource/tag:NAME`: `"all"`, or a list of names; `[]` for none. A charge
        /// with such a tag needs a `resource/id`, since CloudZero keeps tags with resources: for each resource and tag one value, the one
        /// of the latest hour, for all its history. Where two values of one hour come together, the log warns of it.
        #[serde(default)]
        pub tags: Tags,
        /// What becomes of a tag whose name has other characters than letters and digits of ASCII and `_.:/=+-@`, which CloudZero does not
        /// take.
        #[serde(default)]
        pub tag_keys: TagKeys,
        /// What becomes of a `resource/id` with more than one `:` or `/`: CloudZero takes what is before the first for the type, what is
        /// before the second for the id, and drops the rest. One of which either half is empty is refused in any case.
        #[serde(default)]
        pub resource_id: ResourceId,
        /// What charges cost, by dimension: `cpu_hours = "0.05"`. Not with `columns."cost/cost"`.
        #[serde(default)]
        pub prices: Option<PriceTable>,
        /// What a unit costs, where the charge says it itself: `"{tag.pricePerUnit}"`. A charge of which it is empty costs what `prices`
        /// says; what is no number, or below 0, is refused. Not with `columns."cost/cost"`.
        #[serde(default)]
        pub unit_price: Option<String>,
        /// What happens where the four costs of a month do not add up to the same total, which CloudZero asks for and does not enforce.
        #[serde(default)]
        pub totals: Totals,
        /// How many rows a file has at most, its header not counted; CloudZero takes 1000000.
        #[serde(default = "most_rows")]
        #[schemars(range(min = 1, max = 1_000_000))]
        pub rows_per_file: u32,
    }
}

config! {
    /// An AnyCost Stream connection. A month has at most 1000000 rows and 70 MB there; larger ones need file drops. Earlier sets are not
    /// kept, so that there is no going back to one. A month that does not fit one request is sent hour by hour, and has a row that costs 0 in
    /// each hour that has come and has no charges, so that nothing older stays there.
    pub struct Stream {
        /// The connection's id, as CloudZero shows it.
        pub connection: String,
        /// Where CloudZero's API is.
        #[serde(default = "production")]
        pub url: String,
    }
}

config! {
    /// What becomes of a tag's name that CloudZero does not take.
    #[derive(Default, Copy, PartialEq, Eq)]
    #[serde(rename_all = "lowercase")]
    pub enum TagKeys {
        /// The charge is held, and the tag named.
        #[default]
        Refuse,
        /// Each character that CloudZero does not take becomes `-`. Charges that are checked together, and have names that are the same then,
        /// are held; a month in which others have is not published, and the error names two of them.
        Clean,
    }
}

config! {
    /// What becomes of a `resource/id` that CloudZero would cut off.
    #[derive(Default, Copy, PartialEq, Eq)]
    #[serde(rename_all = "lowercase")]
    pub enum ResourceId {
        /// The charge is held.
        #[default]
        Refuse,
        /// `:` and `/` in what placeholders stand for become `%3A` and `%2F`, and `%` becomes `%25`, so that different ids stay different.
        /// Those of the configured text stay.
        Encode,
    }
}

config! {
    /// What happens where the four costs of a month do not add up to the same total.
    #[derive(Default, Copy, PartialEq, Eq)]
    #[serde(rename_all = "lowercase")]
    pub enum Totals {
        /// A line in the log.
        #[default]
        Warn,
        /// The month is not published.
        Fail,
    }
}

fn most_rows() -> u32 {
    drops::MOST_ROWS
}

fn production() -> String {
    "https://api.cloudzero.com".into()
}
