//! What a pipeline says of its costs.

use std::collections::BTreeMap;

use meterhost_sdk::config;
use prices::PriceTable;
use sheets::Tags;

config! {
    /// How charges become rows of FOCUS 1.2 (FinOps Open Cost and Usage Specification, dataset Cost and Usage), and where they go.
    ///
    /// A row says in text what a charge is, and placeholders stand for what differs: `{product}`, `{customer}`, `{dimension}`,
    /// `{quantity}`, `{start}`, `{end}`, `{id}`, `{tag.NAME}`, `{attribute.NAME}`. What a record of usage says is a tag, where `tags` of the
    /// aggregator `rules` lists it; attributes are what the table of customers says besides, or an aggregator of your own.
    /// `{tag.instance|customer}` is the first of these that is there and not empty. `{{` and `}}` are braces. A cell of which a placeholder
    /// has nothing is empty as a whole: null.
    pub struct Config {
        /// The folder that months lie in, below the URL that `read` and `write` are granted on. Never empty, without a slash at either end:
        /// `"focus"`, `"billing/focus"`. Each publication is a new folder, `ROOT/20250601-20250701/20250617T171218Z/`, with
        /// `focus-0001.csv` and more of them, and shows itself when `ROOT/20250601-20250701/manifest.json` names it.
        pub root: String,
        /// Whether files are gzipped: `focus-0001.csv.gz`.
        #[serde(default)]
        pub compress: bool,
        /// How many rows a file has at most, its header not counted.
        #[serde(default = "most_rows")]
        #[schemars(range(min = 1, max = 1_000_000))]
        pub rows_per_file: u32,
        /// Who provides what is charged for: `ProviderName`, `PublisherName` and `InvoiceIssuerName`, unless `columns` gives them.
        pub provider: String,
        /// What costs are in: `BillingCurrency`, unless `columns` gives it. Three capital letters of ISO 4217.
        #[serde(default = "dollars")]
        pub currency: String,
        /// What kind of service it is: `ServiceCategory`, one of "AI and Machine Learning", "Analytics", "Business Applications", "Compute",
        /// "Databases", "Developer Tools", "Multicloud", "Identity", "Integration", "Internet of Things", "Management and Governance", "Media",
        /// "Migration", "Mobile", "Networking", "Security", "Storage", "Web" and "Other". Where services differ in it,
        /// `columns.ServiceCategory` says it instead; one of the two is given. A `ServiceName` has one category alone
        /// throughout a month: charges that are checked together and say two are held, and a month in which others do is not published.
        #[serde(default)]
        pub service_category: Option<String>,
        /// What the columns say, by their names in FOCUS 1.2, or of columns of your own, which begin with `x_`:
        /// `"ResourceId" = "{tag.instance}"`, `"x_Plan" = "{tag.plan}"`.
        ///
        /// Written in any case are `BillingAccountId` and `BillingAccountName` (`"{customer}"`), `BillingCurrency` (`currency`),
        /// `BillingPeriodStart` and `BillingPeriodEnd` (the month), `ChargeCategory` (`"Usage"`), `ChargeClass` (empty),
        /// `ChargeDescription` (`"{dimension}"`), `ChargePeriodStart` (`"{start}"`), `ChargePeriodEnd` (`"{end}"`), `PricingQuantity`
        /// (`"{quantity}"`), `PricingUnit` (`"{attribute.unit|dimension}"`, as `units` calls it), `ProviderName`, `PublisherName` and
        /// `InvoiceIssuerName` (`provider`), `ServiceCategory` (`service_category`), `ServiceName` (`"{product|dimension}"`) and four
        /// costs; and, unless they are left out with `""`, `ChargeFrequency` (`"Usage-Based"`), `ConsumedQuantity` (`"{quantity}"`),
        /// `ConsumedUnit` (`"{attribute.unit|dimension}"`), `InvoiceId` (empty: it is known once the invoice is issued),
        /// `ServiceSubcategory` (the one of its category for the rest: `"Other (Databases)"`), `Tags` (`tags`) and `x_ChargeId` (`"{id}"`).
        /// All others are written if they are given here. The periods follow from the charge and cannot be given.
        ///
        /// `BilledCost` is either given here (`"{tag.cost}"`), or follows from `prices` and `unit_price`. `EffectiveCost`,
        /// `ContractedCost` and `ListCost` equal it unless they are given here; the `EffectiveCost` of a `Purchase` with a
        /// `CommitmentDiscountId` is 0, since what a commitment costs is in the usage that it covers. FOCUS has 0 too as the `EffectiveCost`
        /// of any other `Purchase` that later charges draw on, and as the `BilledCost` of what is paid to somebody other than the provider:
        /// then they are given here, as nobody else knows.
        ///
        /// `ListUnitPrice` by `PricingQuantity` is `ListCost`, and `ContractedUnitPrice` by it is `ContractedCost`, corrections aside. Beside
        /// graduated and volume prices, packages, `included` and `minimum`, a unit price is given together with its cost:
        /// `ListUnitPrice = "0.10"` with `ListCost = "{tag.list_cost}"`.
        ///
        /// An id of digits alone is valid. But CSV has no types, and who guesses them takes a column of such ids for numbers:
        /// `"BillingAccountId" = "account-{customer}"` is a text to everybody.
        ///
        /// A quantity that is not given here is left empty where FOCUS has none: `PricingQuantity` of a `Tax`, `ConsumedQuantity` of
        /// whatever is not `Usage`; and so is its unit.
        #[serde(default)]
        pub columns: BTreeMap<String, String>,
        /// What quantities are counted in, where neither `columns.PricingUnit` nor `columns.ConsumedUnit` says it: by the charge's attribute
        /// `unit`, or else its dimension: `units = { cpu_core_hours = "Core-Hours", "*" = "Units" }`. As FOCUS writes units: `Hours`,
        /// `GB-Hours`, `Request/Day`, `1000 Requests`. What is named here is called so in any case; `"*"` is for all others that FOCUS writes
        /// in another way. The rest stays as it is.
        #[serde(default)]
        pub units: BTreeMap<String, String>,
        /// Which of the charges' tags stand in `Tags`, a JSON object: `"all"`, which they are unless told otherwise, or a list of names. `[]`
        /// leaves the column out. Not with `columns.Tags`.
        #[serde(default)]
        pub tags: Option<Tags>,
        /// What charges cost, by dimension: `cpu_hours = "0.05"`. Not with `columns.BilledCost`.
        #[serde(default)]
        pub prices: Option<PriceTable>,
        /// What a unit costs, where the charge says it itself: `"{tag.pricePerUnit}"`. A charge of which it is empty costs what `prices`
        /// says; what is no number, or below 0, is refused. Not with `columns.BilledCost`.
        #[serde(default)]
        pub unit_price: Option<String>,
    }
}

fn most_rows() -> u32 {
    drops::MOST_ROWS
}

fn dollars() -> String {
    "USD".into()
}
