//! A configuration that was checked: what each column says, what charges cost, where rows go.

use std::collections::{BTreeMap, BTreeSet};

use drops::{Compression, FileDrops, Spelling, Template, time};
use meterhost_sdk::Decimal;
use sheets::{Cost, setting};

use crate::columns::{
    self, AMORTIZED, AMOUNT, COST, DISCOUNTED, DISCOUNTED_AMORTIZED, END, ID, ON_DEMAND, ORDER, RESOURCE, START, TAG,
    TYPE, UNITS,
};
use crate::config::{Config, ResourceId, Totals};
use crate::keys::{self, Keys};
use crate::stream::Target;

/// What data files are called, before their number.
const STEM: &str = "data_export";

/// A configuration that was checked.
pub(crate) struct Plan {
    pub(crate) place: Place,
    /// What is configured or has a default, by name; neither costs nor `time/usage_start`.
    pub(crate) texts: BTreeMap<&'static str, Template>,
    /// Tags that are configured, by key.
    pub(crate) tags: BTreeMap<String, Template>,
    pub(crate) keys: Keys,
    pub(crate) spelling: Spelling,
    pub(crate) cost: Cost,
    /// The other costs, where they are configured, by name.
    pub(crate) other_costs: BTreeMap<&'static str, Template>,
    pub(crate) totals: Totals,
}

/// Where rows go.
pub(crate) enum Place {
    Drops(FileDrops),
    Stream(Target),
}

impl Plan {
    /// Checks a configuration.
    ///
    /// # Errors
    /// It cannot work. The text begins with the path of the setting at fault.
    pub(crate) fn of(config: &Config) -> Result<Plan, String> {
        let (mut given, tags) = templates(config)?;
        let place = place(config)?;
        if matches!(place, Place::Stream(_)) {
            of_stream(&given)?;
        }
        let cost = Cost::of(COST, given.remove(COST), config.prices.as_ref(), config.unit_price.as_deref())?;
        let other_costs = OTHER_COSTS.into_iter().filter_map(|name| Some((name, given.remove(name)?))).collect();
        let mut texts = given;
        for column in ORDER {
            if let (Some(default), None) = (columns::default(column), config.columns.get(column)) {
                texts.insert(column, Template::parse(column, default)?);
            }
        }
        if texts.contains_key(UNITS) && !texts.contains_key(AMOUNT) {
            return Err(format!("{}: units say something of {AMOUNT} only, and that is left out", setting(UNITS)));
        }
        let spelling = match config.resource_id {
            ResourceId::Refuse => Spelling::AsTheyAre,
            ResourceId::Encode => Spelling::WithoutSeparators,
        };
        let keys = Keys::of(&config.tags, config.tag_keys, tags.keys().cloned().collect::<BTreeSet<_>>())?;
        Ok(Plan { place, texts, tags, keys, spelling, cost, other_costs, totals: config.totals })
    }

    /// The columns of a set with these tags of CloudZero, in their order.
    pub(crate) fn header<'k>(&'k self, keys: impl Iterator<Item = &'k String>) -> Vec<String> {
        let is_written = |column: &&str| {
            let always = [START, COST, DISCOUNTED, AMORTIZED, DISCOUNTED_AMORTIZED];
            always.contains(column) || self.texts.contains_key(*column) || self.other_costs.contains_key(*column)
        };
        let tags: BTreeSet<&String> = keys.chain(self.tags.keys()).collect();
        let fixed = ORDER.into_iter().filter(is_written).map(str::to_owned);
        fixed.chain(tags.into_iter().map(|key| format!("{TAG}{key}"))).collect()
    }
}

/// The costs besides `cost/cost`.
const OTHER_COSTS: [&str; 4] = [DISCOUNTED, AMORTIZED, DISCOUNTED_AMORTIZED, ON_DEMAND];

type Templates = (BTreeMap<&'static str, Template>, BTreeMap<String, Template>);

/// The columns that are configured and not left out, and the tags.
fn templates(config: &Config) -> Result<Templates, String> {
    let (mut given, mut tags) = (BTreeMap::new(), BTreeMap::new());
    for (column, text) in &config.columns {
        let setting = setting(column);
        let wrong = |why: String| format!("{setting}: {why}");
        let template = Template::parse(&setting, text)?;
        if template.literals().any(|text| text.contains('\0')) {
            return Err(wrong("it has a NUL character".into()));
        }
        if let Some(key) = column.strip_prefix(TAG) {
            if let Some(why) = keys::odd(key) {
                return Err(wrong(why));
            }
            tags.insert(key.to_owned(), template);
            continue;
        }
        if let Some(why) = columns::objection(column) {
            return Err(wrong(why));
        }
        let Some(name) = ORDER.into_iter().find(|known| known == column) else { continue };
        if text.is_empty() {
            if OTHER_COSTS.contains(&name) && name != ON_DEMAND {
                return Err(wrong("it is always written; without this line it has its default".into()));
            }
            continue;
        }
        check(name, &template).map_err(wrong)?;
        given.insert(name, template);
    }
    Ok((given, tags))
}

/// What can be told of a column before there is a charge.
fn check(column: &str, template: &Template) -> Result<(), String> {
    match (column, template.constant()) {
        (ID, _) if !template.is_unique() => {
            Err("an id is of one charge alone, so that {id} stands in it, without alternatives".into())
        }
        (RESOURCE, _) => match template.literals().map(separators).sum::<usize>() {
            0 => Ok(()),
            1 if template.is_edged(is_separator) => Err(EMPTY_HALF.into()),
            1 => Ok(()),
            _ => Err("it has more than one : or /, and CloudZero drops what is behind the second".into()),
        },
        (TYPE, Some(text)) => columns::type_objection(text).map_or(Ok(()), Err),
        (END, Some(text)) if !time::is_datetime(text) => Err(format!("\"{}\" is no time", text.escape_debug())),
        (AMOUNT | COST | DISCOUNTED | AMORTIZED | DISCOUNTED_AMORTIZED | ON_DEMAND, Some(text)) => {
            Decimal::parse(text).map(drop).map_err(|why| format!("\"{}\": {why}", text.escape_debug()))
        }
        _ => Ok(()),
    }
}

/// How often a text has what CloudZero splits a `resource/id` by.
pub(crate) fn separators(text: &str) -> usize {
    text.chars().filter(|letter| is_separator(*letter)).count()
}

pub(crate) fn is_separator(letter: char) -> bool {
    matches!(letter, ':' | '/')
}

/// What is wrong with a `resource/id` that begins or ends with a separator.
pub(crate) const EMPTY_HALF: &str = "CloudZero takes what is before : or / for the type of a resource and what is behind it for its id, and one of them is empty";

/// That AnyCost Stream takes what is configured, as far as can be told before there is a charge.
fn of_stream(given: &BTreeMap<&'static str, Template>) -> Result<(), String> {
    let objection = given.iter().find_map(|(column, template)| {
        let of_type = template.constant().filter(|_| *column == TYPE).and_then(columns::stream_type_objection);
        Some((column, columns::stream_objection(column).or(of_type)?))
    });
    objection.map_or(Ok(()), |(column, why)| Err(format!("{}: {why}", setting(column))))
}

fn place(config: &Config) -> Result<Place, String> {
    match (&config.root, &config.stream) {
        (Some(root), None) => FileDrops::of(root, STEM, Compression::Gzip, config.rows_per_file).map(Place::Drops),
        (None, Some(stream)) => Target::of(stream).map(Place::Stream),
        (Some(_), Some(_)) => {
            Err("stream: `root` says file drops, and `stream` says AnyCost Stream: keep one of them".into())
        }
        (None, None) => {
            let example = "stream = { connection = \"...\" }";
            Err(format!(
                "neither `root` nor `stream` says where costs go: root = \"meterhost\" for file drops, {example} for AnyCost Stream"
            ))
        }
    }
}
