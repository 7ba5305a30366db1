//! `prices`: what charges cost, for plugins that publish cost.
//!
//! ```toml
//! [sink.costs.config.prices]
//! cpu_hours = "0.05"
//! requests  = { price = "0.002", included = "1000", minimum = "5" }
//! storage   = { tiers = [{ up_to = "100", price = "0" }, { up_to = "1000", price = "0.10", fee = "5" }, { price = "0.08" }] }
//! traffic   = { tiers = [{ up_to = "1000", price = "0.09" }, { price = "0.05" }], mode = "volume" }
//! messages  = { package = "1000", price = "2" }
//! "*"       = "1"
//! ```
//!
//! A price applies to an account: all charges of one product, customer and dimension in one calendar month, in the order of time. The costs
//! of an account's charges add up exactly to what its whole quantity costs, whatever the charges are that make it up. Nothing is
//! rounded; what 38 digits do not hold is a [`Fault`].
//!
//! | price | what an account's charges cost together | what of it falls on a charge |
//! |---|---|---|
//! | a unit price | quantity × price | its own quantity × price |
//! | `tiers`, graduated | each part of the quantity by the price of its tier, and the fees of the tiers that are reached | what it adds |
//! | `package` | the packages that are begun | what it adds |
//! | `tiers`, volume | all of the quantity by the price of the tier that it ends in, and that tier's fee | its own quantity × price, and its share of the fee |
//! | `included` | nothing, for so much of the quantity | it is used up by the first charges |
//! | `minimum` | at least this, once the period is over | its share of what is missing |
//!
//! "What it adds" is the cost of the quantity up to and with the charge, less the cost of the quantity before it. So what was published of
//! earlier hours stays as it is while the month goes on. Volume prices and minimums change what earlier charges cost: they need to know
//! the account's total first, by a survey ([`Prices::surveys`]). A share is in proportion to the charge's quantity, cut to 12 digits
//! behind the point; the account's last charge takes what remains.
//!
//! ```
//! use meterhost_sdk::Decimal;
//! use prices::{PriceTable, Prices, Pricing};
//!
//! let table: PriceTable = toml::from_str(
//!     r#"
//!     cpu_hours = { tiers = [{ up_to = "100", price = "0.10" }, { price = "0.05" }] }
//!     support   = { price = "1", minimum = "10" }
//!     "#,
//! )?;
//! let prices = Prices::new(&table)?;
//! assert!(prices.has("cpu_hours") && !prices.has("memory"));
//!
//! let charges = [("cpu_hours", 90_u32), ("support", 1), ("cpu_hours", 30), ("support", 3)];
//! let surveys = prices.surveys();
//! let mut pricing = Pricing::of(prices, true);
//! if surveys {
//!     for (dimension, quantity) in charges {
//!         let account = pricing.account("", "acme", dimension);
//!         pricing.survey(account, quantity.into(), None)?;
//!     }
//! }
//! let mut costs = Vec::new();
//! for (dimension, quantity) in charges {
//!     let account = pricing.account("", "acme", dimension);
//!     costs.push(pricing.price(account, quantity.into(), None)?.to_string());
//! }
//! pricing.finish()?;
//! // 90 × 0.10; 1 and a quarter of the missing 6; 10 × 0.10 + 20 × 0.05; 3 and the rest.
//! assert_eq!(costs, ["9", "2.5", "2", "7.5"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | subject |
//! |---|---|
//! | `table` | what is written in the pipeline file |
//! | `check` | what can be wrong with it, and what it means |
//! | `prices` | which price a dimension has |
//! | `plan` | what a price needs to know of an account |
//! | `tariff` | from a running quantity to a cost |
//! | `pricing` | a run over the charges of one period |
//! | `accounts` | accounts by number |
//! | `shares` | what is shared out over the charges of an account |
//! | `fault` | why a charge has no cost |

mod accounts;
mod check;
mod fault;
mod plan;
mod prices;
mod pricing;
mod shares;
mod table;
mod tariff;

pub use accounts::Account;
pub use fault::Fault;
pub use prices::Prices;
pub use pricing::Pricing;
pub use table::{Mode, Price, PriceTable, Terms, Tier};
