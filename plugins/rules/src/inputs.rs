//! What formulas read: a variable is a rule whose result does not go out by itself.

use std::collections::BTreeMap;

use meterhost_sdk::Error;

use crate::config::{self, Operation, Settings};
use crate::fault::{Fault, path};
use crate::formula::{Formula, Variable, is_name};
use crate::rule::{Makes, Rule};
use crate::settings::OTHERS;

/// What makes the price of a variable's records out of the variable's name.
const TOTAL_PRICE: &str = "_total_price";

/// A formula that makes charges.
#[derive(Debug)]
pub(crate) struct BilledFormula {
    /// The dimension that goes out.
    pub(crate) output: String,
    pub(crate) formula: Formula,
    /// The rules that make its variables, in the order of the variables.
    pub(crate) inputs: Vec<usize>,
    /// The rules whose records give a customer a charge: those of its variables; those of all variables, if it is not 0 where all
    /// of them are.
    pub(crate) present: Vec<usize>,
    /// The dimensions of the input that these read, ascending.
    pub(crate) dimensions: Vec<String>,
}

/// The names that formulas may use, as rules.
#[derive(Debug)]
pub(crate) struct Variables {
    named: BTreeMap<String, Rule>,
    prices: Option<String>,
}

/// Where a rule comes from, for what is said about it.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    /// The setting that says what it reads.
    pub(crate) setting: Option<&'static str>,
}

impl Variables {
    /// Checks what is written under `variables` and `prices`.
    pub(crate) fn new(written: BTreeMap<String, config::Rule>, prices: Option<String>) -> Result<Self, Error> {
        if prices.as_deref() == Some("") {
            return Err(Fault::rule("it is the name of an attribute, not \"\"").at("prices"));
        }
        let mut named = BTreeMap::new();
        for (name, rule) in written {
            let rule = variable(&name, rule.into()).map_err(|fault| fault.at(&path("variables", &name)))?;
            named.insert(name, rule);
        }
        Ok(Variables { named, prices })
    }

    /// Whether formulas know these names only; else each name is that of a dimension.
    pub(crate) fn are_named(&self) -> bool {
        !self.named.is_empty()
    }

    /// All that are named.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.named.values()
    }

    /// The same, with their places below `config`.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (String, &Rule)> {
        self.named.iter().map(|(name, rule)| (path("variables", name), rule))
    }

    /// The rule that a formula's variable stands for, and where that rule stands; nothing where it stands in the formula alone.
    pub(crate) fn resolve(&self, formula: &Formula, variable: &Variable) -> Result<(Rule, Option<Source>), Fault> {
        let name = variable.name.as_str();
        if let Some(rule) = self.named.get(name) {
            return Ok((rule.clone(), Some(source(name, rule))));
        }
        if let Some(base) = name.strip_suffix(TOTAL_PRICE).filter(|base| !base.is_empty()) {
            let priced = match self.named.get(base) {
                Some(rule) => Some((rule.clone(), Some(source(base, rule)))),
                None => (!self.are_named()).then(|| (Rule::sum_of(base), None)),
            };
            if let Some((rule, source)) = priced {
                let Some(prices) = &self.prices else {
                    let reason = format!(
                        "{name:?} is the price of the records {}, and `prices`, which names the attribute with the price of a unit, is not given",
                        formula.shown(variable)
                    );
                    return Err(Fault::setting("formula", reason));
                };
                return Ok((rule.priced_by(prices), source));
            }
        }
        if self.are_named() {
            let names: Vec<&str> = self.named.keys().map(String::as_str).collect();
            let prices =
                if self.prices.is_some() { format!(", and each of them with {TOTAL_PRICE:?}") } else { String::new() };
            let (names, shown) = (names.join(", "), formula.shown(variable));
            return Err(Fault::setting(
                "formula",
                format!("{name:?} is no variable {shown}: there are {names}{prices}"),
            ));
        }
        Ok((Rule::sum_of(name), None))
    }
}

fn source(name: &str, rule: &Rule) -> Source {
    let setting = if rule.inputs() == [name] { None } else { Some("from") };
    Source { path: path("variables", name), setting }
}

/// A rule as a variable.
fn variable(name: &str, settings: Settings) -> Result<Rule, Fault> {
    if !is_name(name) {
        let reason = format!(
            "a formula cannot name it so: call it by letters, digits and _, and write from = {name:?} if that is the dimension"
        );
        return Err(Fault::rule(reason));
    }
    if matches!(settings.operation, Operation::Drop | Operation::Refuse) {
        return Err(Fault::rule("a variable is a number: it can be neither dropped nor refused"));
    }
    let elsewhere = [
        ("as", settings.output.is_some()),
        ("multiply", settings.multiply.is_some()),
        ("divide", settings.divide.is_some()),
    ];
    if let Some((setting, _)) = elsewhere.into_iter().find(|(_, given)| *given) {
        return Err(Fault::setting(setting, "a variable does not take it: write it in the formula"));
    }
    settings.check(name)?;
    let mut inputs = settings.from.0.clone();
    if inputs.is_empty() {
        inputs.push(name.to_owned());
    }
    inputs.sort_unstable();
    Rule::new(Makes::Variable, inputs, settings)
}

/// The formulas that are not left empty, each with its place below `config`.
pub(crate) fn formulas(written: Vec<config::Formula>) -> Result<Vec<(String, String, Formula)>, Error> {
    let mut formulas = Vec::new();
    for (number, config::Formula { output, formula }) in written.into_iter().enumerate() {
        let place = format!("formulas[{number}]");
        let fault = match (output.trim(), formula.trim()) {
            ("", "") => continue,
            ("", _) => Fault::setting("as", "it is empty, and `formula` is not: name the dimension that goes out"),
            (_, "") => Fault::setting("formula", "it is empty, and `as` is not: write the formula, or empty both"),
            (OTHERS, _) => Fault::setting("as", "it is the name of a dimension, not \"*\""),
            _ => match Formula::new(&formula) {
                Ok(formula) => {
                    formulas.push((place, output, formula));
                    continue;
                }
                Err(reason) => Fault::setting("formula", reason),
            },
        };
        return Err(fault.at(&place));
    }
    Ok(formulas)
}
