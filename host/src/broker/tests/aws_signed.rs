//! Calls before a server that checks each signature.

use s3_proxy::Moto;

use super::aws::{calling, in_environment};
use super::*;
use crate::broker::AwsError;

#[tokio::test(flavor = "multi_thread")]
async fn the_right_secret_is_taken_and_a_wrong_one_is_the_services_error() {
    let moto = Moto::strict(4);
    moto.dynamodb(
        "CreateTable",
        r#"{"TableName":"Records","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}]}"#,
    );
    moto.form("iam", "Action=CreateUser&Version=2010-05-08&UserName=metering");
    moto.form(
        "iam",
        "Action=PutUserPolicy&Version=2010-05-08&UserName=metering&PolicyName=all&PolicyDocument=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D",
    );
    let answer = moto.form("iam", "Action=CreateAccessKey&Version=2010-05-08&UserName=metering");
    let element = |name: &str| {
        let (_, rest) = answer.split_once(&format!("<{name}>")).unwrap();
        rest.split_once('<').unwrap().0.replace("&amp;", "&")
    };
    let (key, right, url) = (element("AccessKeyId"), element("SecretAccessKey"), moto.url());
    let open = |secret: &str| {
        let settings = in_environment(&[
            ("AWS_ENDPOINT_URL", &url),
            ("AWS_ACCESS_KEY_ID", &key),
            ("AWS_SECRET_ACCESS_KEY", secret),
        ]);
        let spec = calling(&[
            ("dynamodb:PutItem", &["Records"]),
            ("dynamodb:GetItem", &["Records"]),
            ("aws-marketplace:BatchMeterUsage", &["abc"]),
        ]);
        // Where the stage's table lies.
        open(settings, &GrantSpec { region: Some(at("us-east-1".to_owned())), ..spec })
    };
    let session = open(&right);
    let item = r#"{"id":{"S":"ü \" / \\ a"},"n":{"N":"12345678901234567890123456789012345678"}}"#;
    let put = format!(r#"{{"TableName":"Records","Item":{item}}}"#);
    session.call("dynamodb", "PutItem", &put).await.unwrap();
    let get = r#"{"TransactItems":[{"Get":{"TableName":"Records","Key":{"id":{"S":"ü \" / \\ a"}}}}]}"#;
    let got = session.call("dynamodb", "TransactGetItems", get).await.unwrap();
    let got: serde_json::Value = serde_json::from_str(&got).unwrap();
    assert_eq!(got["Responses"][0]["Item"], serde_json::from_str::<serde_json::Value>(item).unwrap());
    let conditional = put.replacen('{', r#"{"ConditionExpression":"attribute_not_exists(id)","#, 1);
    let error = session.call("dynamodb", "PutItem", &conditional).await.unwrap_err();
    assert!(
        matches!(&error, AwsError::Service(error) if error.code == "ConditionalCheckFailedException" && error.status == 400),
        "{error:?}"
    );
    let usage = r#"{"ProductCode":"abc","UsageRecords":[{"Timestamp":1795198715,"CustomerIdentifier":"c","Dimension":"users","Quantity":1}]}"#;
    let metered = session.call("aws-marketplace", "BatchMeterUsage", usage).await.unwrap();
    assert!(metered.contains("CustomerNotSubscribed"), "{metered}");

    let wrong = "a-secret-that-is-not-the-right-one";
    let session = open(wrong);
    for (service, operation, body) in
        [("dynamodb", "PutItem", put.as_str()), ("aws-marketplace", "BatchMeterUsage", usage)]
    {
        let error = session.call(service, operation, body).await.unwrap_err();
        let text = format!("{error:?} {error}");
        let AwsError::Service(error) = error else { panic!("another error: {text}") };
        // This server says so in XML, as no service that is called here does.
        assert!(error.status == 403 && error.body.contains("<Code>SignatureDoesNotMatch</Code>"), "{text}");
        assert!(!text.contains(wrong) && !text.contains(&right), "{text}");
    }
}
