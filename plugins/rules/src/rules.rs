//! What the configuration means: which rules read a dimension, and what each makes of it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use meterhost_sdk::{Decimal, Error};

use crate::condition::Condition;
use crate::config::{Config, OneOrMore, Operation, Rule as Written, Settings};

/// The rule for dimensions that no other names.
const OTHERS: &str = "*";

/// All rules of a configuration.
#[derive(Debug)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
    /// By dimension of the input.
    named: BTreeMap<String, Reading>,
    /// Which rule makes a dimension of the output; without those that `"*"` passes on.
    outputs: BTreeMap<String, usize>,
    others: Reading,
}

/// A rule that makes charges.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Its key in the configuration.
    name: String,
    /// What it makes; nothing for `"*"`, which keeps the input's name.
    output: Option<String>,
    /// The dimensions of the input that it reads into one line, ascending; none for `"*"`, which makes a line of each.
    inputs: Vec<String>,
    pub(crate) measure: Measured,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) multiply: Option<Decimal>,
    pub(crate) divide: Option<Decimal>,
}

/// What is made of the records. See [`Operation`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Measured {
    Sum,
    Count,
    Min,
    Max,
    Last,
    /// Of an attribute, or of the ids.
    Unique(Option<String>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Reading {
    /// By these rules, at least one.
    Billed(Vec<usize>),
    Dropped,
    Refused,
}

/// What happens to the usage of one dimension of the input.
#[derive(Debug)]
pub(crate) enum Plan {
    Billed {
        /// The rules that read it.
        steps: Vec<Step>,
        /// How many cells the steps and `left_out` need.
        cells: usize,
        /// Where every step has conditions: what fits none of them.
        left_out: Option<LeftOut>,
    },
    Dropped,
    /// With the reason for which it is held.
    Refused(String),
}

/// One rule that reads a dimension.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) rule: usize,
    /// The name that goes out.
    pub(crate) output: String,
    /// Which of the dimension's cells holds the result. None is needed for sums and counts of everything.
    pub(crate) cell: Option<usize>,
}

/// Where the records that no rule's conditions fit are counted, and under which name.
#[derive(Debug)]
pub(crate) struct LeftOut {
    pub(crate) cell: usize,
    pub(crate) name: String,
}

impl Rules {
    /// Checks a configuration. The errors begin with the path of the key at fault, by which the host finds its line.
    pub(crate) fn new(config: Config) -> Result<Self, Error> {
        if config.dimensions.is_empty() {
            return Err(Error::Config(
                "dimensions: it is empty: name the dimensions to bill, or write \"*\" = \"sum\" to bill all".into(),
            ));
        }
        let mut rules =
            Rules { rules: Vec::new(), named: BTreeMap::new(), outputs: BTreeMap::new(), others: Reading::Refused };
        for (name, written) in config.dimensions {
            rules.add(&name, written).map_err(|fault| Error::Config(fault.at(&name)))?;
        }
        Ok(rules)
    }

    fn add(&mut self, name: &str, written: Written) -> Result<(), Fault> {
        if name.is_empty() {
            return Err(Fault::rule("a dimension has a name"));
        }
        let settings = match written {
            Written::Short(operation) => Settings::plain(operation),
            Written::Long(settings) => *settings,
        };
        settings.check(name)?;
        // Which settings say what the rule makes and reads, where it is not its name that does.
        let (makes, reads) = (settings.output.as_ref().map(|_| "as"), (!settings.from.0.is_empty()).then_some("from"));
        let (mut inputs, output) = match (settings.from.0.as_slice(), &settings.output) {
            ([], None) => (vec![name.to_owned()], name.to_owned()),
            ([], Some(output)) => (vec![name.to_owned()], output.clone()),
            (inputs, _) => (inputs.to_vec(), name.to_owned()),
        };
        inputs.sort_unstable();
        let reading = match settings.operation {
            Operation::Drop => Reading::Dropped,
            Operation::Refuse => Reading::Refused,
            _ => Reading::Billed(vec![self.rules.len()]),
        };
        let billed = matches!(reading, Reading::Billed(_));
        if name == OTHERS {
            self.others = reading;
            inputs.clear();
        } else {
            if billed && let Some(other) = self.outputs.insert(output.clone(), self.rules.len()) {
                let other = self.rules.get(other).map(|rule| path(&rule.name)).unwrap_or_default();
                let reason = format!("{other} makes the dimension {output:?} already; give one of them another name");
                return Err(Fault { setting: makes.map(str::to_owned), reason });
            }
            for input in inputs.iter().cloned() {
                self.read(input, &reading).map_err(|reason| Fault { setting: reads.map(str::to_owned), reason })?;
            }
        }
        if billed {
            let output = (name != OTHERS).then_some(output);
            self.rules.push(Rule::new(name, output, inputs, settings)?);
        }
        Ok(())
    }

    /// Notes that the dimension is read, besides by the rules before.
    fn read(&mut self, input: String, reading: &Reading) -> Result<(), String> {
        match self.named.entry(input) {
            Entry::Vacant(place) => {
                place.insert(reading.clone());
            }
            Entry::Occupied(mut place) => {
                let input = place.key().clone();
                match (place.get_mut(), reading) {
                    (Reading::Billed(before), Reading::Billed(this)) => before.extend(this),
                    (Reading::Billed(_), _) => {
                        return Err(format!(
                            "another rule reads the dimension {input:?}, so it can be neither dropped nor refused"
                        ));
                    }
                    _ => {
                        return Err(format!(
                            "another rule drops or refuses the dimension {input:?}, so it cannot be read as well"
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// A rule by its number.
    pub(crate) fn get(&self, rule: usize) -> Option<&Rule> {
        self.rules.get(rule)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// What happens to usage of this dimension.
    pub(crate) fn plan(&self, dimension: &str) -> Plan {
        let named = self.named.get(dimension);
        match named.unwrap_or(&self.others) {
            Reading::Billed(_) if named.is_none() && self.outputs.contains_key(dimension) => {
                let maker = self.outputs.get(dimension).and_then(|&rule| self.rules.get(rule));
                let maker = maker.map(|rule| path(&rule.name)).unwrap_or_default();
                Plan::Refused(format!(
                    "the dimension {dimension:?} is not named in the rules, and config.{maker} makes one of the same name: name it too"
                ))
            }
            Reading::Billed(rules) => self.billed(dimension, rules),
            Reading::Dropped => Plan::Dropped,
            Reading::Refused if named.is_none() => Plan::Refused(format!(
                "the dimension {dimension:?} is not named in the rules: add it to config.dimensions, or give \"*\" an operation"
            )),
            Reading::Refused => Plan::Refused(format!("the rules refuse the dimension {dimension:?}")),
        }
    }

    fn billed(&self, dimension: &str, rules: &[usize]) -> Plan {
        let mut cells = 0;
        let mut steps = Vec::new();
        let mut conditions = Vec::new();
        for &number in rules {
            let Some(rule) = self.rules.get(number) else { continue };
            let plain = rule.conditions.is_empty() && matches!(rule.measure, Measured::Sum | Measured::Count);
            let cell = (!plain).then_some(cells);
            cells += usize::from(!plain);
            let output = rule.output.as_deref().unwrap_or(dimension).to_owned();
            conditions.push(rule.conditions.iter().map(Condition::to_string).collect::<Vec<_>>().join(" and "));
            steps.push(Step { rule: number, output, cell });
        }
        let selective = conditions.iter().all(|conditions| !conditions.is_empty());
        let left_out = selective.then(|| {
            let cell = cells;
            cells += 1;
            LeftOut { cell, name: format!("where {}", conditions.join(", or ")) }
        });
        Plan::Billed { steps, cells, left_out }
    }
}

impl Rule {
    fn new(name: &str, output: Option<String>, inputs: Vec<String>, settings: Settings) -> Result<Self, Fault> {
        let measure = match settings.operation {
            Operation::Sum | Operation::Drop | Operation::Refuse => Measured::Sum,
            Operation::Count => Measured::Count,
            Operation::Min => Measured::Min,
            Operation::Max => Measured::Max,
            Operation::Last => Measured::Last,
            Operation::Unique => Measured::Unique(settings.of),
        };
        let mut conditions = Vec::new();
        for (attribute, written) in settings.conditions {
            let condition = Condition::new(&attribute, written);
            let fault = |reason| Fault::setting(&format!("where.{}", key(&attribute)), format!("it {reason}"));
            conditions.push(condition.map_err(fault)?);
        }
        let Settings { multiply, divide, .. } = settings;
        Ok(Rule { name: name.to_owned(), output, inputs, measure, conditions, multiply, divide })
    }

    /// The dimensions of the input that stand behind each of its lines, ascending; for `"*"` nobody knows them beforehand.
    pub(crate) fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// Whether it reads more than one dimension into one line.
    pub(crate) fn joins(&self) -> bool {
        self.inputs.len() > 1
    }
}

impl Settings {
    fn plain(operation: Operation) -> Self {
        Settings {
            operation,
            of: None,
            conditions: BTreeMap::new(),
            from: OneOrMore::default(),
            output: None,
            multiply: None,
            divide: None,
        }
    }

    /// What can be known to be wrong from the rule alone.
    fn check(&self, name: &str) -> Result<(), Fault> {
        let Settings { operation, of, conditions, from, output, multiply, divide } = self;
        let idle = matches!(operation, Operation::Drop | Operation::Refuse);
        let others = [
            ("of", of.is_some()),
            ("where", !conditions.is_empty()),
            ("as", output.is_some()),
            ("multiply", multiply.is_some()),
            ("divide", divide.is_some()),
        ];
        if idle && let Some((setting, _)) = others.into_iter().find(|(_, given)| *given) {
            let reason = "a dimension that is dropped or refused takes no other setting but `from`";
            return Err(Fault::setting(setting, reason));
        }
        let names = [("as", output.is_some()), ("from", !from.0.is_empty())];
        if name == OTHERS
            && let Some((setting, _)) = names.into_iter().find(|(_, given)| *given)
        {
            let reason = "the rule for all other dimensions takes neither `as` nor `from`: they keep their names";
            return Err(Fault::setting(setting, reason));
        }
        if output.is_some() && !from.0.is_empty() {
            let reason = "with `from`, the rule's own name is the one that goes out: leave `as` away";
            return Err(Fault::setting("as", reason));
        }
        for (setting, dimension) in from.0.iter().map(|from| ("from", from)).chain(output.iter().map(|to| ("as", to))) {
            if dimension.is_empty() || dimension == OTHERS {
                return Err(Fault::setting(setting, format!("it is the name of a dimension, not {dimension:?}")));
            }
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = from.0.iter().find(|dimension| !seen.insert(*dimension)) {
            return Err(Fault::setting("from", format!("it names {twice:?} twice")));
        }
        if of.is_some() && *operation != Operation::Unique {
            let reason = "it belongs to use = \"unique\": it names the attribute whose values are counted";
            return Err(Fault::setting("of", reason));
        }
        if of.as_deref() == Some("") {
            return Err(Fault::setting("of", "it is the name of an attribute, not \"\""));
        }
        for (setting, factor) in [("multiply", multiply), ("divide", divide)] {
            if let Some(factor) = factor
                && (factor.is_zero() || factor.is_negative())
            {
                return Err(Fault::setting(setting, format!("it must be more than 0, not {factor}")));
            }
        }
        Ok(())
    }
}

/// What is wrong with a rule, or with one of its settings.
#[derive(Debug)]
struct Fault {
    /// As it is written below the rule.
    setting: Option<String>,
    reason: String,
}

impl Fault {
    fn rule(reason: &str) -> Self {
        Fault { setting: None, reason: reason.to_owned() }
    }

    fn setting(setting: &str, reason: impl Into<String>) -> Self {
        Fault { setting: Some(setting.to_owned()), reason: reason.into() }
    }

    /// For a person, with the place below `config` in front.
    fn at(&self, rule: &str) -> String {
        let Fault { setting, reason } = self;
        let rule = path(rule);
        match setting {
            Some(setting) => format!("{rule}.{setting}: {reason}"),
            None => format!("{rule}: {reason}"),
        }
    }
}

/// The rule's place below `config`.
fn path(name: &str) -> String {
    format!("dimensions.{}", key(name))
}

/// A key as the pipeline file writes it: in quotes where it has to be.
fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if bare { name.to_owned() } else { format!("{name:?}") }
}
