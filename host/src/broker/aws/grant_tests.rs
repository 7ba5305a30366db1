//! What `grant.aws` means, and what is said about one that means nothing.

use super::*;
use crate::config::Located;

fn at(text: &str) -> Located<String> {
    Located { value: text.to_owned(), span: 3..9 }
}

fn spec(action: &str, resources: &[&str]) -> AwsGrantSpec {
    AwsGrantSpec { action: at(action), resources: resources.iter().map(|text| at(text)).collect() }
}

fn in_region(region: Option<&str>) -> Account {
    Account { region: region.map(str::to_owned), ..Account::default() }
}

fn grants(specs: &[(&str, &[&str])]) -> AwsGrants {
    let specs: Vec<_> = specs.iter().map(|(action, resources)| spec(action, resources)).collect();
    let (grants, errors) = AwsGrants::read(&specs, &in_region(Some("eu-west-1")));
    assert_eq!(errors, []);
    grants
}

fn reach(action: &str, resource: Resource) -> Reach {
    Reach { action: Action::named(action).unwrap(), resource }
}

/// As a request names them.
fn table(name: &str) -> Resource {
    Resource::Table(Table::read(name).unwrap())
}

fn index(table: &str, index: &str) -> Resource {
    Resource::Index(Table::read(table).unwrap(), index.to_owned())
}

const FAR: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/Records";

#[test]
fn an_action_is_granted_on_the_resources_that_are_named_and_no_others() {
    let grants = grants(&[
        ("dynamodb:Query", &["Records/index/Pending", "Others"]),
        ("dynamodb:UpdateItem", &["Records"]),
        ("dynamodb:Scan", &[&format!("{FAR}/index/Pending")]),
        ("dynamodb:PutItem", &[FAR]),
        ("aws-marketplace:BatchMeterUsage", &["abc123", "arn:aws:license-manager::1:license:l"]),
    ]);
    let product = |code: &str| Resource::Product(code.to_owned());
    for (action, resource, granted) in [
        ("dynamodb:Query", index("Records", "Pending"), true),
        ("dynamodb:Query", index("Records", "Others"), false),
        ("dynamodb:Query", table("Records"), false),
        ("dynamodb:Query", table("Others"), true),
        ("dynamodb:Query", index("Others", "Any"), true),
        ("dynamodb:Query", table("others"), false),
        ("dynamodb:Query", index(FAR, "Pending"), false),
        ("dynamodb:Scan", index(FAR, "Pending"), true),
        ("dynamodb:Scan", index("Records", "Pending"), false),
        ("dynamodb:Scan", table(FAR), false),
        ("dynamodb:UpdateItem", table("Records"), true),
        ("dynamodb:UpdateItem", table(FAR), false),
        ("dynamodb:UpdateItem", table("Others"), false),
        ("dynamodb:PutItem", table(FAR), true),
        ("dynamodb:PutItem", table("Records"), false),
        ("dynamodb:PutItem", table("arn:aws:dynamodb:eu-west-2:123456789012:table/Records"), false),
        ("dynamodb:PutItem", table("arn:aws:dynamodb:eu-west-1:210987654321:table/Records"), false),
        ("dynamodb:DeleteItem", table("Records"), false),
        ("aws-marketplace:BatchMeterUsage", product("abc123"), true),
        ("aws-marketplace:BatchMeterUsage", product("abc124"), false),
        ("aws-marketplace:BatchMeterUsage", product("arn:aws:license-manager::1:license:l"), true),
    ] {
        let asked = [reach(action, resource)];
        assert_eq!(grants.missing(&asked).is_empty(), granted, "{asked:?}");
    }
    assert!(grants.holds("dynamodb:Query") && !grants.holds("dynamodb:DeleteItem") && !grants.holds("dynamodb:query"));
}

#[test]
fn every_product_can_be_granted_at_once() {
    let grants = grants(&[("aws-marketplace:BatchMeterUsage", &["*"])]);
    let any = reach("aws-marketplace:BatchMeterUsage", Resource::Product("x".to_owned()));
    assert_eq!(grants.missing(&[any]), []);
}

#[test]
fn the_line_keeps_what_is_granted_already() {
    let grants = grants(&[("dynamodb:Query", &["Records/index/Pending"]), ("dynamodb:UpdateItem", &["Records"])]);
    let missing = [reach("dynamodb:UpdateItem", table("Others")), reach("dynamodb:PutItem", table("Records"))];
    assert_eq!(
        grants.line(&missing),
        r#"grant.aws = { "dynamodb:PutItem" = ["Records"], "dynamodb:Query" = ["Records/index/Pending"], "dynamodb:UpdateItem" = ["Others", "Records"] }"#
    );
    assert_eq!(
        grants.action_line("dynamodb:DeleteItem"),
        r#"grant.aws = { "dynamodb:DeleteItem" = ["TABLE"], "dynamodb:Query" = ["Records/index/Pending"], "dynamodb:UpdateItem" = ["Records"] }"#
    );
    let nothing = AwsGrants::default();
    assert_eq!(
        nothing.action_line("aws-marketplace:BatchMeterUsage"),
        r#"grant.aws = { "aws-marketplace:BatchMeterUsage" = ["*"] }"#
    );
}

#[test]
fn explain_says_in_plain_words_what_is_called() {
    let grants = grants(&[
        ("dynamodb:Query", &["Records", "Records/index/Pending", FAR]),
        ("aws-marketplace:BatchMeterUsage", &["abc123", "arn:x"]),
    ]);
    let role = Some("arn:aws:iam::123456789012:role/metering".to_owned());
    let account = Account { role, region: Some("eu-west-1".to_owned()), ..Account::default() };
    assert_eq!(
        grants.describe(&account),
        [
            format!(
                "calls dynamodb:Query on the table Records, the table {FAR}, the index Pending of the table Records in eu-west-1, as arn:aws:iam::123456789012:role/metering"
            ),
            "calls aws-marketplace:BatchMeterUsage for the product abc123, the licence arn:x in eu-west-1, as arn:aws:iam::123456789012:role/metering".to_owned(),
        ]
    );
    let any = self::grants(&[("aws-marketplace:BatchMeterUsage", &["*"])]);
    assert_eq!(any.describe(&Account::default()), ["calls aws-marketplace:BatchMeterUsage for every product"]);
}

#[test]
fn an_action_that_cannot_be_granted_says_what_to_write() {
    let dynamodb = "`dynamodb:BatchGetItem`, `dynamodb:BatchWriteItem`, `dynamodb:ConditionCheckItem`, `dynamodb:DeleteItem`, \
                    `dynamodb:DescribeTable`, `dynamodb:GetItem`, `dynamodb:PutItem`, `dynamodb:Query`, `dynamodb:Scan`, \
                    `dynamodb:UpdateItem`";
    let transaction = "grant what its parts do, on their tables: `dynamodb:PutItem`, `dynamodb:UpdateItem`, \
                       `dynamodb:DeleteItem`, `dynamodb:ConditionCheckItem`";
    let partiql = "cannot be granted: the host does not read which tables a PartiQL statement reaches";
    let services = "the services are `dynamodb` and `aws-marketplace`";
    for (action, message, help) in [
        (
            "dynamodb:Qury",
            "`dynamodb:Qury` is no action that plugins can call".to_owned(),
            "did you mean `dynamodb:Query`?".to_owned(),
        ),
        (
            "dynamodb:query",
            "`dynamodb:query` is no action that plugins can call".to_owned(),
            "did you mean `dynamodb:Query`?".to_owned(),
        ),
        ("dynamodb:*", "`dynamodb:*` is no action that plugins can call".to_owned(), format!("known are {dynamodb}")),
        (
            "dynamodb:CreateBackup",
            "`dynamodb:CreateBackup` is no action that plugins can call".to_owned(),
            format!("known are {dynamodb}"),
        ),
        (
            "aws-marketplace:ResolveCustomer",
            "`aws-marketplace:ResolveCustomer` is no action that plugins can call".to_owned(),
            "known are `aws-marketplace:BatchMeterUsage`".to_owned(),
        ),
        (
            "sqs:SendMessage",
            "`sqs:SendMessage` is an action of `sqs`, which plugins cannot call".to_owned(),
            services.to_owned(),
        ),
        (
            "Query",
            "`Query` names no service".to_owned(),
            format!("write service and action, as IAM does, such as `dynamodb:Query`; {services}"),
        ),
        (
            "dynamodb:TransactWriteItems",
            "`dynamodb:TransactWriteItems` is no action of IAM: a transaction is granted by what it does".to_owned(),
            transaction.to_owned(),
        ),
        (
            "dynamodb:TransactGetItems",
            "`dynamodb:TransactGetItems` is no action of IAM: a transaction is granted by what it does".to_owned(),
            "grant what its parts do, on their tables: `dynamodb:GetItem`".to_owned(),
        ),
        (
            "dynamodb:PartiQLSelect",
            format!("`dynamodb:PartiQLSelect` {partiql}"),
            format!("grant what it does: {dynamodb}"),
        ),
        (
            "dynamodb:ExecuteStatement",
            format!("`dynamodb:ExecuteStatement` {partiql}"),
            format!("grant what it does: {dynamodb}"),
        ),
        (
            "dynamodb:BatchExecuteStatement",
            format!("`dynamodb:BatchExecuteStatement` {partiql}"),
            format!("grant what it does: {dynamodb}"),
        ),
        (
            "dynamodb:ExecuteTransaction",
            format!("`dynamodb:ExecuteTransaction` {partiql}"),
            format!("grant what it does: {dynamodb}"),
        ),
    ] {
        let (found, errors) = AwsGrants::read(&[spec(action, &["Records"])], &Account::default());
        assert_eq!(found, AwsGrants::default());
        let span = 3..9;
        assert_eq!(errors, [GrantError { field: format!("aws.\"{action}\""), span, message, help }]);
    }
}

#[test]
fn a_resource_that_cannot_be_granted_says_what_to_write() {
    let tables = HOW_TABLES;
    let name = "a name has 3 to 255 letters, digits, `_`, `-` or `.`";
    let arn = "an ARN is written as `arn:aws:dynamodb:eu-west-1:123456789012:table/NAME`";
    let stars = format!("{HOW_TABLES}; a table is granted with all its indexes");
    let no_arn = |text: &str| format!("`{text}` is not the ARN of a table or index");
    let indexes = "leave the index out; an index can be granted for `dynamodb:Query` and `dynamodb:Scan`";
    let products = "write the product's code, the ARN of a licence, or `*` alone for every product";
    let far = |region: &str| format!("arn:aws:dynamodb:{region}:123456789012:table/Records");
    for (action, resource, message, help) in [
        ("dynamodb:Query", "*", "a `*` stands in `*`, and tables are granted one by one".to_owned(), stars.as_str()),
        (
            "dynamodb:Query",
            "Records/index/*",
            "a `*` stands in `Records/index/*`, and tables are granted one by one".to_owned(),
            &stars,
        ),
        ("dynamodb:Query", "ab", format!("`ab` names no table: {name}"), tables),
        ("dynamodb:Query", "Rec ords", format!("`Rec ords` names no table: {name}"), tables),
        ("dynamodb:Query", "table/Records", format!("`table/Records` names no table: {name}"), tables),
        ("dynamodb:Query", "Records/index/", format!("`Records/index/` names no table: {name}"), tables),
        (
            "dynamodb:Query",
            "Records/index/ab/index/cd",
            format!("`Records/index/ab/index/cd` names no table: {name}"),
            tables,
        ),
        (
            "dynamodb:GetItem",
            "Records/index/Pending",
            "`dynamodb:GetItem` is done on a table, and `Records/index/Pending` is an index".to_owned(),
            indexes,
        ),
        ("dynamodb:Query", "arn:aws:s3:::bucket", no_arn("arn:aws:s3:::bucket"), arn),
        (
            "dynamodb:Query",
            "arn:aws:dynamodb:eu-west-1:1234:table/Records",
            no_arn("arn:aws:dynamodb:eu-west-1:1234:table/Records"),
            arn,
        ),
        (
            "dynamodb:Query",
            "arn:aws:dynamodb::123456789012:table/Records",
            no_arn("arn:aws:dynamodb::123456789012:table/Records"),
            arn,
        ),
        (
            "dynamodb:Query",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/Records/stream/x",
            no_arn("arn:aws:dynamodb:eu-west-1:123456789012:table/Records/stream/x"),
            arn,
        ),
        (
            "dynamodb:Query",
            &far("cn-north-1"),
            format!("`{}` cannot be: the region cn-north-1 is in the partition `aws-cn`", far("cn-north-1")),
            "write `arn:aws-cn:dynamodb:...`",
        ),
        (
            "dynamodb:Query",
            &far("us-east-1"),
            format!("`{}` lies in us-east-1, and the grant's region is eu-west-1", far("us-east-1")),
            "name a table in eu-west-1, or write `region = \"us-east-1\"`",
        ),
        (
            "aws-marketplace:BatchMeterUsage",
            "abc*",
            "`abc*` is no product code and no ARN of a licence".to_owned(),
            products,
        ),
        (
            "aws-marketplace:BatchMeterUsage",
            "a b",
            "`a b` is no product code and no ARN of a licence".to_owned(),
            products,
        ),
    ] {
        let (_, errors) = AwsGrants::read(&[spec(action, &["Records", resource][1..])], &in_region(Some("eu-west-1")));
        let field = format!("aws.\"{action}\"[0]");
        assert_eq!(errors, [GrantError { field, span: 3..9, message, help: help.to_owned() }]);
    }
    // Where the region comes from is not known yet.
    let (_, errors) = AwsGrants::read(&[spec("dynamodb:Query", &[&far("us-east-1")])], &in_region(None));
    assert_eq!(errors, []);
}

#[test]
fn everything_wrong_is_said_at_once() {
    let specs = [spec("dynamodb:Qury", &["Records"]), spec("dynamodb:Query", &["ab", "Records", "cd"])];
    let (_, errors) = AwsGrants::read(&specs, &Account::default());
    let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["aws.\"dynamodb:Qury\"", "aws.\"dynamodb:Query\"[0]", "aws.\"dynamodb:Query\"[2]"]);
}
