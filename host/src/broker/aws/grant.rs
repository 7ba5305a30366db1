//! Which actions a pipeline grants, and on what.
//!
//! | `grant.aws` | holds |
//! |---|---|
//! | `"dynamodb:Query" = ["Table"]` | the table and all its indexes |
//! | `"dynamodb:Query" = ["Table/index/Name"]` | that index, and not the table; for `Query` and `Scan` |
//! | `"dynamodb:PutItem" = ["arn:aws:dynamodb:eu-west-1:123456789012:table/Table"]` | the table, where the plugin names it so too |
//! | `"aws-marketplace:BatchMeterUsage" = ["abc123"]` | the product of this code, or the licence of this ARN |
//! | `"aws-marketplace:BatchMeterUsage" = ["*"]` | every product |

use std::collections::{BTreeMap, BTreeSet};

use super::super::account::Account;
use super::super::denial::quoted;
use super::super::grant::{GrantError, Problem};
use super::operation::{self, Action, Service};
use super::reach::Reach;
use super::resource::{NoTable, Resource, Table, is_product};
use crate::config::{AwsGrantSpec, nearest};

/// The actions of one plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AwsGrants(BTreeMap<Action, BTreeSet<Resource>>);

const HOW_TABLES: &str = "write `Table`, `Table/index/Name`, or the whole ARN of either";

impl AwsGrants {
    /// Whether no action is granted.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads what a grant says. All that is wrong is reported at once.
    pub(crate) fn read(specs: &[AwsGrantSpec], account: &Account) -> (AwsGrants, Vec<GrantError>) {
        let mut grants = AwsGrants::default();
        let mut errors = Vec::new();
        for AwsGrantSpec { action: name, resources } in specs {
            let field = format!("aws.{}", quoted(&name.value));
            let action = match action(&name.value) {
                Ok(action) => action,
                Err(problem) => {
                    errors.push(problem.at(field, &name.span));
                    continue;
                }
            };
            for (index, text) in resources.iter().enumerate() {
                match resource(action, &text.value, account) {
                    Ok(resource) => {
                        grants.0.entry(action).or_default().insert(resource);
                    }
                    Err(problem) => errors.push(problem.at(format!("{field}[{index}]"), &text.span)),
                }
            }
        }
        (grants, errors)
    }

    /// Whether an action is granted on anything.
    pub(crate) fn holds(&self, action: &str) -> bool {
        Action::named(action).is_some_and(|action| self.0.contains_key(&action))
    }

    /// What of this is not granted.
    pub(crate) fn missing(&self, asked: &[Reach]) -> Vec<Reach> {
        let is_granted = |reach: &Reach| {
            let granted = self.0.get(&reach.action).into_iter().flatten();
            granted.into_iter().any(|granted| granted.holds(&reach.resource))
        };
        asked.iter().filter(|reach| !is_granted(reach)).cloned().collect()
    }

    /// Each action with its resources.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Action, &BTreeSet<Resource>)> {
        self.0.iter().map(|(action, resources)| (*action, resources))
    }

    /// The line that grants this as well as what is granted already.
    pub(crate) fn line(&self, missing: &[Reach]) -> String {
        let mut whole = self.clone();
        for Reach { action, resource } in missing {
            whole.0.entry(*action).or_default().insert(resource.clone());
        }
        let entries = whole.0.iter().map(|(action, resources)| {
            let resources: Vec<String> = resources.iter().map(|resource| quoted(&resource.written())).collect();
            (action.name().to_owned(), resources.join(", "))
        });
        line(entries)
    }

    /// The line that grants an action as well as what is granted already, on something that is still to be named.
    pub(crate) fn action_line(&self, name: &str) -> String {
        let sample = match Action::named(name) {
            Some(Action::BatchMeterUsage) => Resource::Any,
            _ => Resource::Table(Table::Named("TABLE".to_owned())),
        };
        match Action::named(name) {
            Some(action) => self.line(&[Reach { action, resource: sample }]),
            None => line([(name.to_owned(), quoted(&sample.written()))]),
        }
    }

    /// In plain words, one line an action.
    pub(crate) fn describe(&self, account: &Account) -> Vec<String> {
        let region = account.region.as_ref().map(|region| format!(" in {region}")).unwrap_or_default();
        let lines = self.0.iter().map(|(action, resources)| {
            let on = if action.service() == Service::Marketplace { "for" } else { "on" };
            let resources: Vec<String> = resources.iter().map(Resource::to_string).collect();
            format!("calls {} {on} {}{region}{}", action.name(), resources.join(", "), account.described())
        });
        lines.collect()
    }
}

fn line(entries: impl IntoIterator<Item = (String, String)>) -> String {
    let entries: Vec<String> =
        entries.into_iter().map(|(action, resources)| format!("{} = [{resources}]", quoted(&action))).collect();
    format!("grant.aws = {{ {} }}", entries.join(", "))
}

fn action(name: &str) -> Result<Action, Problem> {
    if let Some(action) = Action::named(name) {
        return Ok(action);
    }
    let services = Service::ALL.map(|service| format!("`{}`", service.name())).join(" and ");
    let Some((of, action)) = name.split_once(':') else {
        return Err(Problem::new(
            format!("`{name}` names no service"),
            format!("write service and action, as IAM does, such as `dynamodb:Query`; the services are {services}"),
        ));
    };
    let Some(service) = Service::ALL.into_iter().find(|service| service.name() == of) else {
        return Err(Problem::new(
            format!("`{name}` is an action of `{of}`, which plugins cannot call"),
            format!("the services are {services}"),
        ));
    };
    if let Some(parts) = operation::parts_of(action).filter(|_| service == Service::DynamoDb) {
        return Err(Problem::new(
            format!("`{name}` is no action of IAM: a transaction is granted by what it does"),
            format!("grant what its parts do, on their tables: {}", listed(parts.into_iter())),
        ));
    }
    if service == Service::DynamoDb && operation::is_partiql(action) {
        return Err(Problem::new(
            format!("`{name}` cannot be granted: the host does not read which tables a PartiQL statement reaches"),
            format!("grant what it does: {}", listed(names(service))),
        ));
    }
    // Without the service, which is as long as some names are.
    let own = names(service).filter_map(|name| name.split_once(':').map(|(_, action)| action));
    let help = match nearest(action, own) {
        Some(near) => format!("did you mean `{of}:{near}`?"),
        None => format!("known are {}", listed(names(service))),
    };
    Err(Problem::new(format!("`{name}` is no action that plugins can call"), help))
}

fn names(service: Service) -> impl Iterator<Item = &'static str> {
    Action::ALL.into_iter().filter(move |action| action.service() == service).map(Action::name)
}

fn listed(names: impl Iterator<Item = &'static str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn resource(action: Action, text: &str, account: &Account) -> Result<Resource, Problem> {
    match action.service() {
        Service::Marketplace => product(text),
        Service::DynamoDb => table(action, text, account),
    }
}

fn product(text: &str) -> Result<Resource, Problem> {
    if text == "*" {
        return Ok(Resource::Any);
    }
    let help = "write the product's code, the ARN of a licence, or `*` alone for every product";
    match is_product(text) {
        true => Ok(Resource::Product(text.to_owned())),
        false => Err(Problem::new(format!("`{text}` is no product code and no ARN of a licence"), help)),
    }
}

fn table(action: Action, text: &str, account: &Account) -> Result<Resource, Problem> {
    if text.contains('*') {
        return Err(Problem::new(
            format!("a `*` stands in `{text}`, and tables are granted one by one"),
            format!("{HOW_TABLES}; a table is granted with all its indexes"),
        ));
    }
    let resource = Resource::of_dynamodb(text).map_err(|why| match &why {
        NoTable::Name => Problem::new(format!("`{text}` names no table: {why}"), HOW_TABLES),
        NoTable::Arn => Problem::new(format!("`{text}` is not the ARN of a table or index"), why.to_string()),
        NoTable::Partition { partition, .. } => {
            Problem::new(format!("`{text}` cannot be: {why}"), format!("write `arn:{partition}:dynamodb:...`"))
        }
    })?;
    let (Resource::Table(table) | Resource::Index(table, _)) = &resource else { return Ok(resource) };
    if let (Some(of), Some(region)) = (table.region(), &account.region)
        && of != region
    {
        return Err(Problem::new(
            format!("`{text}` lies in {of}, and the grant's region is {region}"),
            format!("name a table in {region}, or write `region = \"{of}\"`"),
        ));
    }
    if matches!(resource, Resource::Index(..)) && !action.is_of_indexes() {
        return Err(Problem::new(
            format!("`{}` is done on a table, and `{text}` is an index", action.name()),
            "leave the index out; an index can be granted for `dynamodb:Query` and `dynamodb:Scan`",
        ));
    }
    Ok(resource)
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#[path = "grant_tests.rs"]
mod tests;
