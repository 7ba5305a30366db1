//! The least that IAM has to allow for what a pipeline grants: an identity-based policy, version 2012-10-17.
//!
//! | granted | allowed |
//! |---|---|
//! | `read` of a bucket | `s3:ListBucket` with that prefix, `s3:GetObject` |
//! | `write` of a bucket | `s3:PutObject`, `s3:DeleteObject`, `s3:AbortMultipartUpload` |
//! | an action on a table | the action on it; `Query` and `Scan` on its indexes too |
//! | an action on an index | the action on that index |
//! | `aws-marketplace:BatchMeterUsage` | the action on `*`: the service has no resources (service authorization reference) |
//! | nothing: what the host keeps for itself, such as a ledger | `s3:ListBucket`, `s3:GetObject`, `s3:PutObject`, `s3:AbortMultipartUpload`, and no deleting |

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::grant::Grants;
use super::super::identity::named_region;
use super::super::root::{BucketRoot, Root};
use super::endpoint::partition;
use super::operation::Action;
use super::resource::{Resource, Table};
use crate::broker::secrets::Environment;

const LIST: &[&str] = &["s3:ListBucket"];
const READ: &[&str] = &["s3:GetObject"];
const WRITE: &[&str] = &["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"];
/// For whoever adds objects and never deletes one.
const KEEP: &[&str] = &["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"];

/// What IAM has to allow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// What may be done on each resource, under which condition.
    allowed: BTreeMap<(String, Condition), BTreeSet<&'static str>>,
}

/// What holds of the prefix of a listing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Condition {
    /// Nothing.
    None,
    Like(String),
    /// Or there is none. S3 says that an object is missing only to those who may list the bucket, and that question has no prefix; to
    /// others it is refused.
    LikeIfAny(String),
}

impl Policy {
    /// Adds what a plugin is granted. Where the grant names no region, the environment may.
    pub(in super::super) fn add(&mut self, grants: &Grants, env: &Environment) {
        let place = Place::of(grants, env);
        if let Some(Root::Bucket(root)) = &grants.read {
            self.list(&place, root, Condition::Like);
            self.allow(objects(&place, root), READ);
        }
        if let Some(Root::Bucket(root)) = &grants.write {
            self.allow(objects(&place, root), WRITE);
        }
        for (action, resources) in grants.aws.iter() {
            for resource in resources {
                for arn in place.arns(action, resource) {
                    self.allow(arn, &[action.name()]);
                }
            }
        }
    }

    /// Adds what the host needs to keep something of its own, which it lists, reads and adds to, and never deletes.
    pub(in super::super) fn add_store(&mut self, grants: &Grants, env: &Environment) {
        let place = Place::of(grants, env);
        if let Some(Root::Bucket(root)) = &grants.write {
            self.list(&place, root, Condition::LikeIfAny);
            self.allow(objects(&place, root), KEEP);
        }
    }

    /// Whether nothing of AWS is needed.
    pub fn is_empty(&self) -> bool {
        self.allowed.is_empty()
    }

    /// The document: one statement for each set of actions that are allowed on the same resources.
    pub fn document(&self) -> Value {
        let mut statements: BTreeMap<(&BTreeSet<&'static str>, &Condition), Vec<&str>> = BTreeMap::new();
        for ((resource, condition), actions) in &self.allowed {
            statements.entry((actions, condition)).or_default().push(resource);
        }
        let statements = statements.into_iter().map(|((actions, condition), resources)| {
            let mut statement = json!({ "Effect": "Allow", "Action": actions, "Resource": resources });
            let condition = match condition {
                Condition::None => None,
                Condition::Like(prefix) => Some(json!({ "StringLike": { "s3:prefix": [prefix] } })),
                Condition::LikeIfAny(prefix) => Some(json!({ "StringLikeIfExists": { "s3:prefix": [prefix] } })),
            };
            if let (Some(condition), Some(members)) = (condition, statement.as_object_mut()) {
                members.insert("Condition".to_owned(), condition);
            }
            statement
        });
        json!({ "Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>() })
    }

    fn list(&mut self, place: &Place, root: &BucketRoot, condition: fn(String) -> Condition) {
        let condition = match root.prefix.as_str() {
            "" => Condition::None,
            prefix => condition(format!("{}*", literal(prefix))),
        };
        let bucket = format!("arn:{}:s3:::{}", place.partition, root.bucket);
        self.allowed.entry((bucket, condition)).or_default().extend(LIST);
    }

    fn allow(&mut self, resource: String, actions: &[&'static str]) {
        self.allowed.entry((resource, Condition::None)).or_default().extend(actions);
    }
}

/// The objects below a prefix.
fn objects(place: &Place, root: &BucketRoot) -> String {
    format!("arn:{}:s3:::{}/{}*", place.partition, root.bucket, literal(&root.prefix))
}

/// A text as itself, where `*`, `?` and `$` mean more ("Policy variables", IAM user guide).
fn literal(text: &str) -> String {
    let escaped = |c: char| match c {
        '*' | '?' | '$' => format!("${{{c}}}"),
        other => other.to_string(),
    };
    text.chars().map(escaped).collect()
}

/// What the ARNs of a plugin's resources begin with.
struct Place {
    partition: String,
    region: String,
    account: String,
}

impl Place {
    fn of(grants: &Grants, env: &Environment) -> Place {
        let region = named_region(&grants.account, env);
        let of_region = region.as_ref().map(|region| partition(region).name);
        let (of_role, account) = grants.account.of_role().unzip();
        Place {
            partition: of_role.or(of_region).unwrap_or("aws").to_owned(),
            region: region.unwrap_or_else(|| "*".to_owned()),
            account: account.unwrap_or("*").to_owned(),
        }
    }

    fn arns(&self, action: Action, resource: &Resource) -> Vec<String> {
        let arn = |table: &Table| match table {
            Table::Arn(arn) => arn.clone(),
            Table::Named(name) => {
                format!("arn:{}:dynamodb:{}:{}:table/{name}", self.partition, self.region, self.account)
            }
        };
        match resource {
            Resource::Table(table) if action.is_of_indexes() => vec![arn(table), format!("{}/index/*", arn(table))],
            Resource::Table(table) => vec![arn(table)],
            Resource::Index(table, index) => vec![format!("{}/index/{index}", arn(table))],
            Resource::Product(_) | Resource::Any => vec!["*".to_owned()],
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#[path = "policy_tests.rs"]
mod tests;
