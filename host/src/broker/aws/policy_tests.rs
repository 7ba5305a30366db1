//! What IAM has to allow.

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::config::{AwsGrantSpec, GrantSpec, Located};

fn at(text: &str) -> Located<String> {
    Located { value: text.to_owned(), span: 0..0 }
}

fn parse(spec: &GrantSpec) -> Grants {
    Grants::parse(spec, Path::new("/")).unwrap()
}

fn calling(actions: &[(&str, &[&str])], role: Option<&str>, region: Option<&str>) -> Grants {
    let aws = actions.iter().map(|(action, resources)| AwsGrantSpec {
        action: at(action),
        resources: resources.iter().map(|text| at(text)).collect(),
    });
    parse(&GrantSpec { aws: aws.collect(), role: role.map(at), region: region.map(at), ..GrantSpec::default() })
}

fn statements(grants: &[&Grants], stores: &[&Grants], region: Option<&'static str>) -> Value {
    let env: Environment = Arc::new(move |name| region.filter(|_| name == "AWS_REGION").map(str::to_owned));
    let mut policy = Policy::default();
    grants.iter().for_each(|grants| policy.add(grants, &env));
    stores.iter().for_each(|grants| policy.add_store(grants, &env));
    let mut document = policy.document();
    assert_eq!(document["Version"], "2012-10-17");
    document["Statement"].take()
}

const ROLE: Option<&str> = Some("arn:aws:iam::123456789012:role/metering");

#[test]
fn actions_on_the_same_resources_share_a_statement() {
    let source = calling(
        &[
            ("dynamodb:Query", &["Records/index/Pending"]),
            ("dynamodb:UpdateItem", &["Records", "Subscribers"]),
            ("dynamodb:GetItem", &["Records"]),
            ("dynamodb:Scan", &["Plans"]),
        ],
        ROLE,
        Some("eu-west-1"),
    );
    let sink = calling(&[("aws-marketplace:BatchMeterUsage", &["abc", "def"])], None, None);
    let arn = "arn:aws:dynamodb:eu-west-1:123456789012:table";
    assert_eq!(
        statements(&[&source, &sink], &[], None),
        json!([
            { "Effect": "Allow", "Action": ["aws-marketplace:BatchMeterUsage"], "Resource": ["*"] },
            { "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:UpdateItem"], "Resource": [format!("{arn}/Records")] },
            { "Effect": "Allow", "Action": ["dynamodb:Query"], "Resource": [format!("{arn}/Records/index/Pending")] },
            { "Effect": "Allow", "Action": ["dynamodb:Scan"], "Resource": [format!("{arn}/Plans"), format!("{arn}/Plans/index/*")] },
            { "Effect": "Allow", "Action": ["dynamodb:UpdateItem"], "Resource": [format!("{arn}/Subscribers")] },
        ])
    );
}

#[test]
fn partition_region_and_account_come_from_what_is_known() {
    let resource = |grants: Grants, region| statements(&[&grants], &[], region)[0]["Resource"][0].take();
    let get = |role, region| calling(&[("dynamodb:GetItem", &["Records"])], role, region);
    assert_eq!(resource(get(None, None), None), "arn:aws:dynamodb:*:*:table/Records");
    assert_eq!(resource(get(None, None), Some("cn-north-1")), "arn:aws-cn:dynamodb:cn-north-1:*:table/Records");
    assert_eq!(
        resource(get(ROLE, Some("eu-west-1")), Some("us-east-1")),
        "arn:aws:dynamodb:eu-west-1:123456789012:table/Records"
    );
    let role = Some("arn:aws-us-gov:iam::123456789012:role/metering");
    assert_eq!(resource(get(role, None), None), "arn:aws-us-gov:dynamodb:*:123456789012:table/Records");
    let far = "arn:aws:dynamodb:eu-west-2:210987654321:table/Records";
    assert_eq!(resource(calling(&[("dynamodb:GetItem", &[far])], ROLE, None), None), far);
}

#[test]
fn buckets_are_allowed_below_their_prefix() {
    let spec = GrantSpec { read: Some(at("s3://usage/a?b")), write: Some(at("s3://out")), ..GrantSpec::default() };
    let store = Grants::of_store("s3://state/ledger", Path::new("/"), &crate::broker::Account::default()).unwrap();
    assert_eq!(
        statements(&[&parse(&spec)], &[&store], None),
        json!([
            {
                "Effect": "Allow",
                "Action": ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"],
                "Resource": ["arn:aws:s3:::out/*"],
            },
            {
                "Effect": "Allow",
                "Action": ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
                "Resource": ["arn:aws:s3:::state/ledger/*"],
            },
            { "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::usage/a${?}b/*"] },
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket"],
                "Resource": ["arn:aws:s3:::usage"],
                "Condition": { "StringLike": { "s3:prefix": ["a${?}b/*"] } },
            },
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket"],
                "Resource": ["arn:aws:s3:::state"],
                "Condition": { "StringLikeIfExists": { "s3:prefix": ["ledger/*"] } },
            },
        ])
    );
    let whole = parse(&GrantSpec { read: Some(at("s3://usage")), ..GrantSpec::default() });
    let listing = json!({ "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": ["arn:aws:s3:::usage"] });
    assert_eq!(statements(&[&whole], &[], None)[1], listing);
}

#[test]
fn folders_and_other_origins_need_nothing_of_aws() {
    let spec = GrantSpec { read: Some(at("file://./usage")), ..GrantSpec::default() };
    assert_eq!(statements(&[&parse(&spec)], &[], None), json!([]));
}
