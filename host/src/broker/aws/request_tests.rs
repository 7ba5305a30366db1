//! Which calls are judged at all, and what becomes of their bodies.

use super::*;

fn judge(service: &str, name: &str, body: &str) -> Result<AwsRequest, Unfit> {
    AwsRequest::new(service, name, body, 100)
}

#[test]
fn what_is_judged_is_what_is_sent() {
    let request = judge("dynamodb", "Query", "{ \"TableN\\u0061me\" : \"Records\", \"Limit\": 1.0 }").unwrap();
    assert_eq!(request.body, r#"{"TableName":"Records","Limit":1.0}"#);
    assert_eq!((request.name(), request.reaches.len()), ("dynamodb:Query".to_owned(), 1));
}

#[test]
fn operations_that_the_host_does_not_know_are_denied() {
    let partiql = "the host does not read which tables a PartiQL statement reaches";
    let known = "the host knows what these reach, and no others: GetItem, PutItem, UpdateItem, DeleteItem, Query, Scan, \
                 DescribeTable, BatchGetItem, BatchWriteItem, TransactWriteItems, TransactGetItems";
    for (service, name, why) in [
        ("dynamodb", "ExecuteStatement", partiql),
        ("dynamodb", "BatchExecuteStatement", partiql),
        ("dynamodb", "ExecuteTransaction", partiql),
        ("dynamodb", "DeleteTable", known),
        ("dynamodb", "query", known),
        // An action of IAM, and no operation.
        ("dynamodb", "ConditionCheckItem", known),
        ("aws-marketplace", "MeterUsage", "the host knows what these reach, and no others: BatchMeterUsage"),
        ("sqs", "SendMessage", "the host calls only `dynamodb` and `aws-marketplace`"),
        ("DynamoDB", "Query", "the host calls only `dynamodb` and `aws-marketplace`"),
        ("", "", "the host calls only `dynamodb` and `aws-marketplace`"),
    ] {
        let asked = format!("to call \"{service}:{name}\"");
        let text = format!("`{service}:{name}` cannot be called: {why}");
        assert_eq!(judge(service, name, "{}").unwrap_err(), Unfit::Forbidden { asked, text });
    }
}

#[test]
fn a_body_that_is_not_what_it_has_to_be_is_refused() {
    let long = format!("{{\"TableName\":\"Records\",\"x\":\"{}\"}}", "x".repeat(100));
    for (body, why) in [
        ("[]", "dynamodb:Query was not called: the body is not an object of JSON"),
        (
            r#"{"TableName":"Records","TableName":"Others"}"#,
            "dynamodb:Query was not called: the body has the key \"TableName\" twice in one object, at byte 23",
        ),
        ("{}{}", "dynamodb:Query was not called: the body is not JSON: something follows its end at byte 2"),
        ("{}", "dynamodb:Query was not called: the body has no `TableName`"),
        (&long, "the request's body has 130 bytes, and at most 100 are sent; send less at once"),
    ] {
        assert_eq!(judge("dynamodb", "Query", body).unwrap_err(), Unfit::Malformed(why.to_owned()));
    }
}
