//! What the configuration means: which rules and formulas read a dimension.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use meterhost_sdk::Error;

use crate::config::{Config, Operation, Settings};
use crate::fault::{Fault, path};
use crate::inputs::{BilledFormula, Source, Variables, formulas};
use crate::plan::Plan;
use crate::rule::{Makes, Rule};
use crate::settings::OTHERS;
use crate::tags;

/// All rules of a configuration.
#[derive(Debug)]
pub(crate) struct Rules {
    /// The attributes that become tags, ascending.
    pub(crate) tags: Vec<String>,
    rules: Vec<Rule>,
    formulas: Vec<BilledFormula>,
    /// By dimension of the input.
    named: BTreeMap<String, Reading>,
    /// The place of what makes a dimension of the output; without those that `"*"` passes on.
    outputs: BTreeMap<String, String>,
    others: Reading,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Reading {
    /// By these rules, at least one.
    Billed(Vec<usize>),
    /// By variables that no formula uses.
    Unused,
    Dropped,
    Refused,
}

impl Rules {
    /// Checks a configuration. The errors begin with the path of the key at fault, by which the host finds its line.
    pub(crate) fn new(config: Config) -> Result<Self, Error> {
        let Config { dimensions, formulas: written, variables, prices, tags } = config;
        if dimensions.is_empty() && written.is_empty() {
            let reason = "it is empty: name the dimensions to bill, or write \"*\" = \"sum\" to bill all";
            return Err(Fault::rule(reason).at("dimensions"));
        }
        let (no_formula, count) = (written.is_empty(), written.len());
        let written = formulas(written)?;
        if written.is_empty() && count > 0 {
            let reason =
                "every one is empty, so that nothing would be billed by them: write one, or leave the list away";
            return Err(Fault::rule(reason).at("formulas"));
        }
        let idle = [("variables", !variables.is_empty()), ("prices", prices.is_some())];
        if no_formula && let Some((key, _)) = idle.into_iter().find(|(_, given)| *given) {
            return Err(Fault::rule("it is for formulas, and there are none").at(key));
        }
        let variables = Variables::new(variables, prices)?;
        let mut rules = Rules {
            tags: tags::names(tags)?,
            rules: Vec::new(),
            formulas: Vec::new(),
            named: BTreeMap::new(),
            outputs: BTreeMap::new(),
            others: Reading::Refused,
        };
        for (name, written) in dimensions {
            let place = path("dimensions", &name);
            rules.add(&place, &name, written.into()).map_err(|fault| fault.at(&place))?;
        }
        rules.add_formulas(written, &variables)?;
        Ok(rules)
    }

    fn add(&mut self, place: &str, name: &str, settings: Settings) -> Result<(), Fault> {
        if name.is_empty() {
            return Err(Fault::rule("a dimension has a name"));
        }
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
            if billed {
                self.make(&output, place).map_err(|reason| Fault::maybe(makes, reason))?;
            }
            for input in &inputs {
                self.read(input, &reading).map_err(|reason| Fault::maybe(reads, reason))?;
            }
        }
        if billed {
            let makes = if name == OTHERS { Makes::Same } else { Makes::Line(output) };
            self.rules.push(Rule::new(makes, inputs, settings)?);
        }
        Ok(())
    }

    fn add_formulas(
        &mut self,
        written: Vec<(String, String, crate::formula::Formula)>,
        variables: &Variables,
    ) -> Result<(), Error> {
        if !written.is_empty() && !variables.are_named() && self.others == Reading::Dropped {
            let reason = "with formulas and \"*\" = \"drop\", `variables` has to list the names that formulas use: else a name with a \
                          mistake in it would be a dimension without usage, and the right one would be dropped";
            return Err(Fault::rule(reason).at(&path("dimensions", OTHERS)));
        }
        let mut read = Vec::new();
        for (place, output, formula) in written {
            self.make(&output, &place).map_err(|reason| Fault::setting("as", reason).at(&place))?;
            let mut inputs = Vec::new();
            for variable in formula.variables() {
                let (rule, source) = variables.resolve(&formula, variable).map_err(|fault| fault.at(&place))?;
                inputs.push(self.input(rule).map_err(|reason| match source {
                    Some(Source { path, setting }) => Fault::maybe(setting, reason).at(&path),
                    None => Fault::setting("formula", reason).at(&place),
                })?);
            }
            read.push((place, output, formula, inputs));
        }
        let mut all: Vec<usize> = read.iter().flat_map(|(.., inputs)| inputs).copied().collect();
        if read.iter().any(|(_, _, formula, _)| formula.bills_idle()) {
            for (path, rule) in variables.sources() {
                all.push(self.input(rule.clone()).map_err(|reason| Fault::rule(reason).at(&path))?);
            }
        }
        all.sort_unstable();
        all.dedup();
        for (place, output, formula, inputs) in read {
            let present = if formula.bills_idle() { all.clone() } else { inputs.clone() };
            if present.is_empty() {
                let reason = "it names no dimension, so that nothing would ever be billed by it";
                return Err(Fault::setting("formula", reason).at(&place));
            }
            let rules = present.iter().filter_map(|&rule| self.rules.get(rule));
            let mut dimensions: Vec<String> = rules.flat_map(|rule| rule.inputs().iter().cloned()).collect();
            dimensions.sort_unstable();
            dimensions.dedup();
            self.formulas.push(BilledFormula { output, formula, inputs, present, dimensions });
        }
        for dimension in variables.rules().flat_map(Rule::inputs) {
            self.named.entry(dimension.clone()).or_insert(Reading::Unused);
        }
        Ok(())
    }

    /// The number of a rule that makes a variable; formulas share it.
    fn input(&mut self, rule: Rule) -> Result<usize, String> {
        if let Some(number) = self.rules.iter().position(|known| *known == rule) {
            return Ok(number);
        }
        let number = self.rules.len();
        for dimension in rule.inputs() {
            self.read(dimension, &Reading::Billed(vec![number]))?;
        }
        self.rules.push(rule);
        Ok(number)
    }

    /// Notes that a dimension of the output is made at this place.
    fn make(&mut self, output: &str, place: &str) -> Result<(), String> {
        match self.outputs.insert(output.to_owned(), place.to_owned()) {
            Some(other) => {
                Err(format!("{other} makes the dimension {output:?} already; give one of them another name"))
            }
            None => Ok(()),
        }
    }

    /// Notes that the dimension is read, besides by the rules before.
    fn read(&mut self, input: &str, reading: &Reading) -> Result<(), String> {
        match self.named.entry(input.to_owned()) {
            Entry::Vacant(place) => {
                place.insert(reading.clone());
            }
            Entry::Occupied(mut place) => match (place.get_mut(), reading) {
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
            },
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

    /// A formula by its number.
    pub(crate) fn formula(&self, formula: usize) -> Option<&BilledFormula> {
        self.formulas.get(formula)
    }

    /// What happens to usage of this dimension.
    pub(crate) fn plan(&self, dimension: &str) -> Plan {
        let named = self.named.get(dimension);
        match named.unwrap_or(&self.others) {
            Reading::Billed(_)
                if named.is_none()
                    && let Some(maker) = self.outputs.get(dimension) =>
            {
                Plan::Refused(format!(
                    "the dimension {dimension:?} is not named in the rules, and config.{maker} makes one of the same name: name it too"
                ))
            }
            Reading::Billed(numbers) => Plan::billed(dimension, numbers, &self.rules, &self.formulas),
            Reading::Unused => Plan::Dropped("used by no formula"),
            Reading::Dropped => Plan::Dropped("dimension not billed"),
            Reading::Refused if named.is_none() => Plan::Refused(format!(
                "the dimension {dimension:?} is not named in the rules: add it to config.dimensions, or give \"*\" an operation"
            )),
            Reading::Refused => Plan::Refused(format!("the rules refuse the dimension {dimension:?}")),
        }
    }
}
