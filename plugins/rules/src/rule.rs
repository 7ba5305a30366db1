//! One rule: which records it takes, and what it makes of them.

use meterhost_sdk::Decimal;

use crate::condition::Condition;
use crate::config::{Operation, Period, Settings};
use crate::fault::{Fault, key};

/// A rule that makes charges, or a variable of formulas.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    pub(crate) makes: Makes,
    /// The dimensions of the input that it reads together, ascending; none for `"*"`, which makes a line of each.
    inputs: Vec<String>,
    pub(crate) measure: Measured,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) multiply: Option<Decimal>,
    pub(crate) divide: Option<Decimal>,
}

/// What comes of a rule's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Makes {
    /// A line of this dimension.
    Line(String),
    /// A line of the dimension that the usage has.
    Same,
    /// A number that formulas work with.
    Variable,
}

/// What is made of the records. See [`Operation`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Measured {
    Sum,
    Count,
    Min,
    Max,
    Last,
    Average,
    SumOfMax {
        /// The attributes whose combinations are told apart.
        per: Vec<String>,
        /// In milliseconds.
        period: i64,
    },
    /// Of an attribute, or of the ids.
    Unique(Option<String>),
    /// The sum of the records' quantities, each times the price that it has in this attribute.
    Price(String),
}

impl Rule {
    /// From settings that were checked. `inputs` are ascending.
    pub(crate) fn new(makes: Makes, inputs: Vec<String>, settings: Settings) -> Result<Self, Fault> {
        let measure = match settings.operation {
            Operation::Sum | Operation::Drop | Operation::Refuse => Measured::Sum,
            Operation::Count => Measured::Count,
            Operation::Min => Measured::Min,
            Operation::Max => Measured::Max,
            Operation::Last => Measured::Last,
            Operation::Average => Measured::Average,
            Operation::SumOfMax => {
                let hours = if settings.every == Some(Period::Day) { 24 } else { 1 };
                Measured::SumOfMax { per: settings.per.0, period: hours * 3_600_000 }
            }
            Operation::Unique => Measured::Unique(settings.of),
        };
        let mut conditions = Vec::new();
        for (attribute, written) in settings.conditions {
            let condition = Condition::new(&attribute, written);
            let fault = |reason| Fault::setting(&format!("where.{}", key(&attribute)), format!("it {reason}"));
            conditions.push(condition.map_err(fault)?);
        }
        let Settings { multiply, divide, .. } = settings;
        Ok(Rule { makes, inputs, measure, conditions, multiply, divide })
    }

    /// The variable that adds up all quantities of a dimension.
    pub(crate) fn sum_of(dimension: &str) -> Self {
        let (inputs, conditions) = (vec![dimension.to_owned()], Vec::new());
        Rule { makes: Makes::Variable, inputs, measure: Measured::Sum, conditions, multiply: None, divide: None }
    }

    /// The variable that adds up what the records of this one cost, by the price that they have in an attribute.
    pub(crate) fn priced_by(&self, attribute: &str) -> Self {
        let (inputs, conditions) = (self.inputs.clone(), self.conditions.clone());
        let measure = Measured::Price(attribute.to_owned());
        Rule { makes: Makes::Variable, inputs, measure, conditions, multiply: None, divide: None }
    }

    /// The dimensions of the input that stand behind each of its lines, ascending; for `"*"` nobody knows them beforehand.
    pub(crate) fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// Whether it reads more than one dimension into one result.
    pub(crate) fn joins(&self) -> bool {
        self.inputs.len() > 1
    }

    /// Whether it needs nothing but the number of all records and the sum of all their quantities.
    pub(crate) fn is_plain(&self) -> bool {
        self.conditions.is_empty() && matches!(self.measure, Measured::Sum | Measured::Count | Measured::Average)
    }

    /// Its conditions as a report shows them: nothing if it has none.
    pub(crate) fn where_words(&self) -> String {
        self.conditions.iter().map(Condition::to_string).collect::<Vec<_>>().join(" and ")
    }
}
