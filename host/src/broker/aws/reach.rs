//! What a body reaches. Read from the text that is sent, which has no key twice.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::super::shortened;
use super::operation::{Action, Operation, Place};
use super::resource::{Resource, Table, is_name, is_product};

/// One thing that a call does, on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reach {
    pub(crate) action: Action,
    pub(crate) resource: Resource,
}

type Members<'a> = BTreeMap<String, &'a RawValue>;

/// All that a call does, each once, or why that cannot be told. The text follows "the body".
pub(super) fn of(operation: &Operation, body: &str) -> Result<Vec<Reach>, String> {
    let members: Members<'_> = object(body, "it")?;
    let mut all = match operation.place {
        Place::Table(action) => vec![Reach { action, resource: Resource::Table(table(&members, "")?) }],
        Place::TableOrIndex(action) => {
            let table = table(&members, "")?;
            let resource = match members.get("IndexName") {
                None => Resource::Table(table),
                Some(index) => {
                    let index: String = read(index, "`IndexName`", "a text")?;
                    if !is_name(&index) {
                        return Err(format!(
                            "names the index {:?}: a name has 3 to 255 letters, digits, `_`, `-` or `.`",
                            shortened(&index)
                        ));
                    }
                    Resource::Index(table, index)
                }
            };
            vec![Reach { action, resource }]
        }
        Place::Keys(action) => {
            let items: Members<'_> = object(needed(&members, "RequestItems", "")?.get(), "`RequestItems`")?;
            let named = items.keys().map(|name| {
                let table = named(name, "a key of `RequestItems`")?;
                Ok(Reach { action, resource: Resource::Table(table) })
            });
            named.collect::<Result<_, String>>()?
        }
        Place::Parts(parts) => {
            let items = list(needed(&members, "TransactItems", "")?, "`TransactItems`")?;
            let reached = items.iter().enumerate().map(|(index, item)| part(parts, index, item));
            reached.collect::<Result<_, String>>()?
        }
        Place::Products(action) => products(action, &members)?,
    };
    if all.is_empty() {
        return Err("names nothing that it would reach".to_owned());
    }
    all.sort();
    all.dedup();
    Ok(all)
}

/// The one part of a transaction that an entry holds.
fn part(parts: &[(&'static str, Action)], index: usize, item: &RawValue) -> Result<Reach, String> {
    let place = format!("`TransactItems[{index}]`");
    let entry: Members<'_> = object(item.get(), &place)?;
    let kinds = || parts.iter().map(|(kind, _)| format!("`{kind}`")).collect::<Vec<_>>().join(", ");
    let (kind, part) = match entry.iter().collect::<Vec<_>>().as_slice() {
        [(kind, part)] => (*kind, **part),
        others => {
            return Err(format!("has {} keys in {place}, which has to have exactly one of {}", others.len(), kinds()));
        }
    };
    let Some((kind, action)) = parts.iter().find(|(known, _)| known == kind) else {
        return Err(format!("has the key {:?} in {place}, and the host knows only {}", shortened(kind), kinds()));
    };
    let place = format!("TransactItems[{index}].{kind}");
    let members: Members<'_> = object(part.get(), &format!("`{place}`"))?;
    Ok(Reach { action: *action, resource: Resource::Table(table(&members, &format!("{place}."))?) })
}

/// The products that are metered: the one that stands above all records, and the licences of single ones.
fn products(action: Action, members: &Members<'_>) -> Result<Vec<Reach>, String> {
    let product = |value: &RawValue, place: &str| {
        let product: String = read(value, place, "a text")?;
        match is_product(&product) {
            true => Ok(Reach { action, resource: Resource::Product(product) }),
            false => {
                Err(format!("has {:?} in {place}, which is no product code or ARN of a licence", shortened(&product)))
            }
        }
    };
    let mut all = Vec::new();
    let above = members.get("ProductCode");
    if let Some(code) = above {
        all.push(product(code, "`ProductCode`")?);
    }
    for (index, record) in list(needed(members, "UsageRecords", "")?, "`UsageRecords`")?.into_iter().enumerate() {
        let record: Members<'_> = object(record.get(), &format!("`UsageRecords[{index}]`"))?;
        let place = format!("`UsageRecords[{index}].LicenseArn`");
        match record.get("LicenseArn") {
            Some(licence) => all.push(product(licence, &place)?),
            None if above.is_some() => {}
            None => {
                return Err(format!(
                    "names no product for `UsageRecords[{index}]`: neither `ProductCode` nor its `LicenseArn`"
                ));
            }
        }
    }
    Ok(all)
}

fn table(members: &Members<'_>, above: &str) -> Result<Table, String> {
    let name: String = read(needed(members, "TableName", above)?, &format!("`{above}TableName`"), "a text")?;
    named(&name, &format!("`{above}TableName`"))
}

fn named(name: &str, place: &str) -> Result<Table, String> {
    Table::read(name).map_err(|why| format!("has {:?} in {place}, which names no table: {why}", shortened(name)))
}

fn needed<'a>(members: &Members<'a>, key: &str, above: &str) -> Result<&'a RawValue, String> {
    members.get(key).copied().ok_or_else(|| format!("has no `{above}{key}`"))
}

fn object<'a>(text: &'a str, place: &str) -> Result<Members<'a>, String> {
    serde_json::from_str(text).map_err(|_| format!("has {place} as something else than an object"))
}

fn list<'a>(value: &'a RawValue, place: &str) -> Result<Vec<&'a RawValue>, String> {
    serde_json::from_str(value.get()).map_err(|_| format!("has {place} as something else than a list"))
}

fn read<T: DeserializeOwned>(value: &RawValue, place: &str, what: &str) -> Result<T, String> {
    serde_json::from_str(value.get()).map_err(|_| format!("has {place} as something else than {what}"))
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
mod tests {
    use super::*;

    fn reached(service: &str, name: &str, body: &str) -> Result<Vec<String>, String> {
        let operation = Operation::named(service, name).unwrap();
        let all = of(operation, body)?;
        Ok(all.iter().map(|reach| format!("{} on {}", reach.action.name(), reach.resource)).collect())
    }

    fn dynamodb(name: &str, body: &str) -> Result<Vec<String>, String> {
        reached("dynamodb", name, body)
    }

    #[test]
    fn every_operation_reaches_what_its_body_names() {
        for name in ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "DescribeTable", "Query", "Scan"] {
            let expected = format!("dynamodb:{name} on the table Records");
            assert_eq!(dynamodb(name, r#"{"TableName":"Records","x":1}"#).unwrap(), [expected]);
        }
        for (name, body, expected) in [
            (
                "Query",
                r#"{"TableName":"Records","IndexName":"Pending"}"#,
                &["dynamodb:Query on the index Pending of the table Records"][..],
            ),
            // Only these two have indexes; elsewhere the key means nothing.
            ("GetItem", r#"{"TableName":"Records","IndexName":"Pending"}"#, &["dynamodb:GetItem on the table Records"]),
            (
                "BatchWriteItem",
                r#"{"RequestItems":{"Records":[],"Others":[],"arn:aws:dynamodb:eu-west-1:123456789012:table/Far":[]}}"#,
                &[
                    "dynamodb:BatchWriteItem on the table Others",
                    "dynamodb:BatchWriteItem on the table Records",
                    "dynamodb:BatchWriteItem on the table arn:aws:dynamodb:eu-west-1:123456789012:table/Far",
                ],
            ),
            ("BatchGetItem", r#"{"RequestItems":{"Records":{}}}"#, &["dynamodb:BatchGetItem on the table Records"]),
            (
                "TransactWriteItems",
                r#"{"TransactItems":[{"Put":{"TableName":"Put"}},{"Update":{"TableName":"Upd"}},{"Delete":{"TableName":"Del"}},{"ConditionCheck":{"TableName":"Chk"}},{"Put":{"TableName":"Put"}}]}"#,
                &[
                    "dynamodb:ConditionCheckItem on the table Chk",
                    "dynamodb:DeleteItem on the table Del",
                    "dynamodb:PutItem on the table Put",
                    "dynamodb:UpdateItem on the table Upd",
                ],
            ),
            (
                "TransactGetItems",
                r#"{"TransactItems":[{"Get":{"TableName":"Records"}}]}"#,
                &["dynamodb:GetItem on the table Records"],
            ),
        ] {
            assert_eq!(dynamodb(name, body).unwrap(), expected);
        }
        let metering = |body| reached("aws-marketplace", "BatchMeterUsage", body);
        assert_eq!(
            metering(r#"{"ProductCode":"abc","UsageRecords":[{},{"LicenseArn":"arn:aws:license-manager::1:l"}]}"#)
                .unwrap(),
            [
                "aws-marketplace:BatchMeterUsage on the product abc",
                "aws-marketplace:BatchMeterUsage on the licence arn:aws:license-manager::1:l"
            ]
        );
        assert_eq!(metering(r#"{"UsageRecords":[{"LicenseArn":"arn:x"},{"LicenseArn":"arn:x"}]}"#).unwrap().len(), 1);
    }

    #[test]
    fn a_body_that_does_not_say_what_it_reaches_is_refused() {
        for (name, body, expected) in [
            ("Query", "{}", "has no `TableName`"),
            ("Query", r#"{"tablename":"Records","Tablename":"Records"}"#, "has no `TableName`"),
            ("Query", r#"{"TableName":null}"#, "has `TableName` as something else than a text"),
            ("Query", r#"{"TableName":["Records"]}"#, "has `TableName` as something else than a text"),
            (
                "Query",
                r#"{"TableName":"Records "}"#,
                "has \"Records \" in `TableName`, which names no table: a name has 3 to 255 letters, digits, `_`, `-` or `.`",
            ),
            (
                "Query",
                r#"{"TableName":"Records/index/Pending"}"#,
                "has \"Records/index/Pending\" in `TableName`, which names no table: a name has 3 to 255 letters, digits, `_`, `-` or `.`",
            ),
            (
                "Query",
                r#"{"TableName":"arn:aws:dynamodb:eu-west-1:123456789012:table/Records/index/Pending"}"#,
                "has \"arn:aws:dynamodb:eu-west-1:123456789012:table/Records/index/Pending\" in `TableName`, which names no table: an ARN is written as `arn:aws:dynamodb:eu-west-1:123456789012:table/NAME`",
            ),
            ("Query", r#"{"TableName":"Records","IndexName":null}"#, "has `IndexName` as something else than a text"),
            (
                "Query",
                r#"{"TableName":"Records","IndexName":"*"}"#,
                "names the index \"*\": a name has 3 to 255 letters, digits, `_`, `-` or `.`",
            ),
            ("BatchGetItem", r#"{"TableName":"Records"}"#, "has no `RequestItems`"),
            ("BatchGetItem", r#"{"RequestItems":[]}"#, "has `RequestItems` as something else than an object"),
            ("BatchGetItem", r#"{"RequestItems":{}}"#, "names nothing that it would reach"),
            ("TransactWriteItems", r#"{"TransactItems":{}}"#, "has `TransactItems` as something else than a list"),
            ("TransactWriteItems", r#"{"TransactItems":[]}"#, "names nothing that it would reach"),
            (
                "TransactWriteItems",
                r#"{"TransactItems":[1]}"#,
                "has `TransactItems[0]` as something else than an object",
            ),
            (
                "TransactWriteItems",
                r#"{"TransactItems":[{"Put":{"TableName":"Put"}},{"Upsert":{"TableName":"Put"}}]}"#,
                "has the key \"Upsert\" in `TransactItems[1]`, and the host knows only `Put`, `Update`, `Delete`, `ConditionCheck`",
            ),
            (
                "TransactWriteItems",
                r#"{"TransactItems":[{"Put":{"TableName":"Put"},"Delete":{"TableName":"Del"}}]}"#,
                "has 2 keys in `TransactItems[0]`, which has to have exactly one of `Put`, `Update`, `Delete`, `ConditionCheck`",
            ),
            ("TransactWriteItems", r#"{"TransactItems":[{"Put":{}}]}"#, "has no `TransactItems[0].Put.TableName`"),
            (
                "TransactGetItems",
                r#"{"TransactItems":[{"Put":{"TableName":"Put"}}]}"#,
                "has the key \"Put\" in `TransactItems[0]`, and the host knows only `Get`",
            ),
        ] {
            assert_eq!(dynamodb(name, body).unwrap_err(), expected);
        }
        for (body, expected) in [
            (r#"{"ProductCode":"abc"}"#, "has no `UsageRecords`"),
            (r#"{"UsageRecords":[]}"#, "names nothing that it would reach"),
            (r#"{"ProductCode":"abc","UsageRecords":{}}"#, "has `UsageRecords` as something else than a list"),
            (
                r#"{"ProductCode":"","UsageRecords":[]}"#,
                "has \"\" in `ProductCode`, which is no product code or ARN of a licence",
            ),
            (
                r#"{"ProductCode":"*","UsageRecords":[]}"#,
                "has \"*\" in `ProductCode`, which is no product code or ARN of a licence",
            ),
            (
                r#"{"UsageRecords":[{"LicenseArn":"arn:x"},{}]}"#,
                "names no product for `UsageRecords[1]`: neither `ProductCode` nor its `LicenseArn`",
            ),
        ] {
            assert_eq!(reached("aws-marketplace", "BatchMeterUsage", body).unwrap_err(), expected);
        }
    }
}
