//! What can be known to be wrong with the settings of one rule.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{OneOrMore, Operation, Rule, Settings};
use crate::fault::Fault;

/// The rule for dimensions that no other names.
pub(crate) const OTHERS: &str = "*";

impl From<Rule> for Settings {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::Short(operation) => Settings::plain(operation),
            Rule::Long(settings) => *settings,
        }
    }
}

impl Settings {
    fn plain(operation: Operation) -> Self {
        Settings {
            operation,
            of: None,
            per: OneOrMore::default(),
            every: None,
            conditions: BTreeMap::new(),
            from: OneOrMore::default(),
            output: None,
            multiply: None,
            divide: None,
        }
    }

    /// What can be known to be wrong from the rule alone.
    pub(crate) fn check(&self, name: &str) -> Result<(), Fault> {
        let Settings { operation, of, per, every, conditions, from, output, multiply, divide } = self;
        let idle = matches!(operation, Operation::Drop | Operation::Refuse);
        let others = [
            ("of", of.is_some()),
            ("per", !per.0.is_empty()),
            ("every", every.is_some()),
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
        for (setting, names) in [("from", from), ("per", per)] {
            let mut seen = BTreeSet::new();
            if let Some(twice) = names.0.iter().find(|name| !seen.insert(*name)) {
                return Err(Fault::setting(setting, format!("it names {twice:?} twice")));
            }
        }
        if of.is_some() && *operation != Operation::Unique {
            let reason = "it belongs to use = \"unique\": it names the attribute whose values are counted";
            return Err(Fault::setting("of", reason));
        }
        let groups = [("per", !per.0.is_empty()), ("every", every.is_some())];
        if *operation != Operation::SumOfMax
            && let Some((setting, _)) = groups.into_iter().find(|(_, given)| *given)
        {
            let reason = "it belongs to use = \"sum_of_max\": it says of what the largest quantities are taken";
            return Err(Fault::setting(setting, reason));
        }
        for (setting, attribute) in of.iter().map(|of| ("of", of)).chain(per.0.iter().map(|per| ("per", per))) {
            if attribute.is_empty() {
                return Err(Fault::setting(setting, "it is the name of an attribute, not \"\""));
            }
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
