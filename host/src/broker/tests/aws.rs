//! Calls of AWS services: what is granted leaves, signed, and nothing else.

use super::*;
use crate::broker::{AwsError, Denial, ServiceError};
use crate::config::AwsGrantSpec;

const KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "FwoGZXIvYXdzEBYaDHh/c2Vzc2lvbg==";

pub(super) fn calling(actions: &[(&str, &[&str])]) -> GrantSpec {
    let text = |text: &str| at(text.to_owned());
    let aws = actions.iter().map(|(action, resources)| AwsGrantSpec {
        action: text(action),
        resources: resources.iter().map(|resource| text(resource)).collect(),
    });
    GrantSpec { aws: aws.collect(), region: Some(text("eu-west-1")), ..GrantSpec::default() }
}

/// Settings whose environment has these variables and no others.
pub(super) fn in_environment(variables: &[(&str, &str)]) -> BrokerSettings {
    let variables: HashMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    BrokerSettings { env: Arc::new(move |name| variables.get(name).cloned()), ..settings() }
}

fn towards(url: &str) -> BrokerSettings {
    in_environment(&[
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", KEY),
        ("AWS_SESSION_TOKEN", TOKEN),
    ])
}

fn granted() -> GrantSpec {
    calling(&[
        ("dynamodb:Query", &["Records/index/Pending"]),
        ("dynamodb:PutItem", &["Records"]),
        ("aws-marketplace:BatchMeterUsage", &["*"]),
    ])
}

fn to(server: &TestServer) -> Session {
    open(towards(&server.url()), &granted())
}

const QUERY: &str = r#"{"TableName":"Records","IndexName":"Pending"}"#;
const PUT: &str = r#"{"TableName":"Records","Item":{}}"#;
const METER: &str = r#"{"ProductCode":"abc","UsageRecords":[]}"#;
const OK: &str = "HTTP/1.1 200 OK";
const BAD: &str = "HTTP/1.1 400 Bad Request";

fn error_of(status: u16, code: &str, message: &str, body: &str) -> AwsError {
    let (code, message, body) = (code.to_owned(), message.to_owned(), body.to_owned());
    AwsError::Service(Box::new(ServiceError { status, code, message, body, retry_after: None }))
}

#[tokio::test]
async fn a_granted_call_leaves_as_it_was_judged_and_signed() {
    let server = TestServer::start(Act::Answer(OK, b"{\"Count\":0}".to_vec()));
    let session = to(&server);
    let answer =
        session.call("dynamodb", "Query", "{ \"TableName\" : \"Records\", \"IndexName\":\"P\\u0065nding\" }").await;
    assert_eq!(answer.unwrap(), "{\"Count\":0}");
    session.call("aws-marketplace", "BatchMeterUsage", METER).await.unwrap();
    assert_eq!(session.call_record(), record(2, 2, 0));
    let [query, meter] = server.seen().try_into().unwrap();
    assert_eq!(String::from_utf8(query.body).unwrap(), QUERY);
    let has = |head: &str, line: &str| assert!(head.lines().any(|found| found.starts_with(line)), "{line} in {head}");
    has(&query.head, "POST / HTTP/1.1");
    has(&query.head, "content-type: application/x-amz-json-1.0");
    has(&query.head, "x-amz-target: DynamoDB_20120810.Query");
    has(&query.head, &format!("x-amz-security-token: {TOKEN}"));
    has(&query.head, "authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/");
    assert!(query.head.contains("/eu-west-1/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target,"));
    has(&meter.head, "content-type: application/x-amz-json-1.1");
    has(&meter.head, "x-amz-target: AWSMPMeteringService.BatchMeterUsage");
    assert!(meter.head.contains("/eu-west-1/aws-marketplace/aws4_request, "));
}

#[tokio::test]
async fn what_is_not_granted_does_not_leave_and_says_the_line_that_grants_it() {
    let server = TestServer::start(Act::Answer(OK, b"{}".to_vec()));
    let session = to(&server);
    let far = "arn:aws:dynamodb:us-east-1:123456789012:table/Records";
    let hidden = r#"{"TransactItems":[{"Put":{"TableName":"Records"}},{"Update":{"TableName":"Secrets"}},{"Put":{"TableName":"Others"}}]}"#;
    for (operation, body, reached) in [
        ("Query", r#"{"TableName":"Records"}"#.to_owned(), "dynamodb:Query on the table Records".to_owned()),
        ("UpdateItem", PUT.to_owned(), "dynamodb:UpdateItem on the table Records".to_owned()),
        ("PutItem", format!(r#"{{"TableName":"{far}"}}"#), format!("dynamodb:PutItem on the table {far}")),
        (
            "TransactWriteItems",
            hidden.to_owned(),
            "dynamodb:PutItem on the table Others and dynamodb:UpdateItem on the table Secrets".to_owned(),
        ),
    ] {
        let error = session.call("dynamodb", operation, &body).await;
        assert_eq!(error, Err(AwsError::Denied(format!("the pipeline does not grant {reached}"))));
    }
    let error = session.call("dynamodb", "ExecuteStatement", r#"{"Statement":"SELECT * FROM Records"}"#).await;
    assert!(matches!(error, Err(AwsError::Denied(_))));
    assert_eq!((server.seen().len(), session.call_record()), (0, record(0, 0, 0)));
    let meter = r#""aws-marketplace:BatchMeterUsage" = ["*"]"#;
    let query = r#""dynamodb:Query" = ["Records/index/Pending"]"#;
    let denials: Vec<_> = session.denials().into_iter().map(|Denial { asked, grant, .. }| (asked, grant)).collect();
    let expected = [
        (
            "for dynamodb:Query on the table Records",
            format!(
                r#"grant.aws = {{ "dynamodb:PutItem" = ["Records"], "dynamodb:Query" = ["Records", "Records/index/Pending"], {meter} }}"#
            ),
        ),
        (
            "for dynamodb:UpdateItem on the table Records",
            format!(
                r#"grant.aws = {{ "dynamodb:PutItem" = ["Records"], {query}, "dynamodb:UpdateItem" = ["Records"], {meter} }}"#
            ),
        ),
        (
            "for dynamodb:PutItem on the table arn:aws:dynamodb:us-east-1:123456789012:table/Records",
            format!(r#"grant.aws = {{ "dynamodb:PutItem" = ["Records", "{far}"], {query}, {meter} }}"#),
        ),
        (
            "for dynamodb:PutItem on the table Others and dynamodb:UpdateItem on the table Secrets",
            format!(
                r#"grant.aws = {{ "dynamodb:PutItem" = ["Others", "Records"], {query}, "dynamodb:UpdateItem" = ["Secrets"], {meter} }}"#
            ),
        ),
    ];
    let mut expected: Vec<_> = expected.map(|(asked, line)| (asked.to_owned(), Some(line))).into();
    expected.push(("to call \"dynamodb:ExecuteStatement\"".to_owned(), None));
    assert_eq!(denials, expected);
}

#[tokio::test]
async fn a_body_that_could_mean_two_things_does_not_leave() {
    let server = TestServer::start(Act::Answer(OK, b"{}".to_vec()));
    let session = to(&server);
    for body in [
        r#"{"TableName":"Records","TableName":"Secrets"}"#,
        r#"{"TableName":"Records","Item":{"a":{"S":"x","S":"y"}}}"#,
        r#"{"TableName":"Records"}{"TableName":"Secrets"}"#,
        r#"["TableName"]"#,
        r#"{"tableName":"Records"}"#,
    ] {
        assert!(matches!(session.call("dynamodb", "PutItem", body).await, Err(AwsError::Other(_))), "{body}");
    }
    assert_eq!((server.seen().len(), session.denials()), (0, Vec::new()));
}

#[tokio::test]
async fn a_dry_run_reads_and_writes_nothing() {
    let server = TestServer::start(Act::Answer(OK, b"{}".to_vec()));
    let grants = Grants::parse(&granted(), Path::new("/")).unwrap();
    let session = Broker::new(towards(&server.url())).unwrap().session("source", Arc::new(grants), true);
    session.call("dynamodb", "Query", QUERY).await.unwrap();
    for (service, operation, body) in [
        ("dynamodb", "PutItem", PUT),
        ("dynamodb", "TransactWriteItems", r#"{"TransactItems":[{"Put":{"TableName":"Records"}}]}"#),
        ("aws-marketplace", "BatchMeterUsage", METER),
    ] {
        let text = format!("a dry run writes nothing: {service}:{operation} was not called");
        assert_eq!(session.call(service, operation, body).await, Err(AwsError::Other(text)));
    }
    assert_eq!((server.seen().len(), session.denials()), (1, Vec::new()));
}

#[tokio::test]
async fn an_error_of_the_service_is_handed_on_with_its_name() {
    let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"no"}"#;
    let server = TestServer::start(Act::Answer(BAD, body.as_bytes().to_vec()));
    let session = to(&server);
    let error = session.call("dynamodb", "PutItem", PUT).await;
    assert_eq!(error, Err(error_of(400, "ConditionalCheckFailedException", "no", body)));
    assert_eq!(session.call_record(), record(1, 1, 0));

    let server = TestServer::start(Act::Answer("HTTP/1.1 500 Oh", br#"{"__type":"x#InternalServerError"}"#.to_vec()));
    let session = to(&server);
    let error = session.call("dynamodb", "PutItem", PUT).await;
    assert_eq!(error, Err(error_of(500, "InternalServerError", "", r#"{"__type":"x#InternalServerError"}"#)));
    // Whether it took effect is not known, and it is not repeated.
    assert_eq!((session.call_record(), server.seen().len()), (record(1, 0, 0), 1));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = TestServer::start(Act::Echo);
    let head: &'static str = format!("HTTP/1.1 307 Go\r\nlocation: {}", elsewhere.url()).leak();
    let session = to(&TestServer::start(Act::Answer(head, Vec::new())));
    let error = session.call("dynamodb", "Query", QUERY).await;
    assert_eq!(error, Err(error_of(307, "UnknownError", "", "")));
    assert_eq!(elsewhere.connections(), 0);
}

fn throttled(code: &str) -> Vec<u8> {
    format!("{{\"__type\":\"com.amazonaws.dynamodb.v20120810#{code}\"}}").into_bytes()
}

#[tokio::test]
async fn a_throttled_call_is_repeated_and_its_waiting_counts_against_no_time_limit() {
    let server = TestServer::start(Act::Answers(vec![
        (BAD, throttled("ProvisionedThroughputExceededException")),
        (BAD, throttled("ThrottlingException")),
        ("HTTP/1.1 503 Busy", throttled("RequestLimitExceeded")),
        (OK, b"{}".to_vec()),
    ]));
    let session = to(&server);
    assert_eq!(session.call("dynamodb", "PutItem", PUT).await.unwrap(), "{}");
    assert!(session.waited() > Duration::ZERO && !session.is_waiting());
    // None of them is in doubt: what is throttled was not done.
    assert_eq!(session.call_record(), record(4, 4, 0));
    let bodies: Vec<_> = server.seen().into_iter().map(|seen| seen.body).collect();
    assert!(bodies.iter().all(|body| body == PUT.as_bytes()));
}

#[tokio::test]
async fn patience_with_throttling_ends_and_metering_is_never_repeated() {
    let server = TestServer::start(Act::Answer(BAD, throttled("ThrottlingException")));
    let session = open(BrokerSettings { patience: Duration::from_millis(300), ..towards(&server.url()) }, &granted());
    let error = session.call("dynamodb", "PutItem", PUT).await.unwrap_err();
    assert!(matches!(error, AwsError::Service(error) if error.code == "ThrottlingException"));
    let tries = server.seen().len();
    assert!((3..100).contains(&tries), "{tries}");
    let error = session.call("aws-marketplace", "BatchMeterUsage", METER).await.unwrap_err();
    assert!(matches!(error, AwsError::Service(error) if error.code == "ThrottlingException"));
    assert_eq!(server.seen().len(), tries + 1);
}

#[tokio::test]
async fn a_refused_gate_sends_nothing_and_is_asked_before_each_repetition() {
    let server = TestServer::start(Act::Answer(OK, b"{}".to_vec()));
    let session = to(&server);
    session.set_gate(Some(Arc::new(|_| Err("the lease is over".to_owned()))));
    let error = session.call("dynamodb", "PutItem", PUT).await;
    assert_eq!(error, Err(AwsError::NotSent("dynamodb:PutItem was not called: the lease is over".to_owned())));
    assert_eq!(session.call_record(), CallRecord { tried: 1, ..record(0, 0, 0) });
    assert_eq!((server.seen().len(), server.connections()), (0, 0));

    let server = TestServer::start(Act::Answer(BAD, throttled("ThrottlingException")));
    let session = to(&server);
    let left = server.seen.clone();
    session.set_gate(Some(Arc::new(move |_| match held(&left).is_empty() {
        true => Ok(()),
        false => Err("the lease is over".to_owned()),
    })));
    let error = session.call("dynamodb", "PutItem", PUT).await;
    assert_eq!(error, Err(AwsError::NotSent("dynamodb:PutItem was not called: the lease is over".to_owned())));
    assert_eq!((server.seen().len(), session.call_record()), (1, CallRecord { tried: 2, ..record(1, 1, 0) }));
}

#[tokio::test]
async fn calls_are_held_to_the_rate() {
    let server = TestServer::start(Act::Answer(OK, b"{}".to_vec()));
    let session = to(&server);
    session.set_rate(Some(Rate { requests: 1, per: Duration::from_millis(400), burst: 1 }));
    session.call("dynamodb", "Query", QUERY).await.unwrap();
    session.call("dynamodb", "Query", QUERY).await.unwrap();
    assert!(session.waited() > Duration::from_millis(300));
}

#[tokio::test]
async fn what_breaks_off_or_comes_damaged_is_unanswered() {
    let wrong_sum = "HTTP/1.1 200 OK\r\nx-amz-crc32: 1";
    for act in [
        Act::Hangup,
        Act::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}".to_vec()),
        Act::Answer(wrong_sum, b"{}".to_vec()),
        Act::Answer("HTTP/1.1 200 OK\r\ncontent-encoding: gzip", b"{}".to_vec()),
    ] {
        let session = to(&TestServer::start(act));
        let error = session.call("dynamodb", "PutItem", PUT).await;
        assert!(matches!(error, Err(AwsError::Unanswered(_))), "{error:?}");
        assert_eq!(session.call_record(), record(1, 0, 0));
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let session = open(towards(&format!("http://{nobody}")), &granted());
    let error = session.call("dynamodb", "PutItem", PUT).await;
    assert!(matches!(error, Err(AwsError::NotSent(_))), "{error:?}");
    assert_eq!(session.call_record().requests, 0);
}

#[tokio::test]
async fn a_call_that_is_given_up_stays_in_the_record() {
    let server = TestServer::start(Act::Stall(Vec::new()));
    let session = to(&server);
    let call = session.call("dynamodb", "PutItem", PUT);
    assert!(tokio::time::timeout(Duration::from_millis(500), call).await.is_err());
    assert_eq!((server.seen().len(), session.call_record()), (1, record(1, 0, 0)));
}

#[tokio::test]
async fn secrets_of_the_account_are_blotted_out_of_everything() {
    let body = format!(r#"{{"__type":"x#InvalidSignatureException","message":"x-amz-security-token:{TOKEN} {KEY}"}}"#);
    let server = TestServer::start(Act::Answer(BAD, body.into_bytes()));
    let session = to(&server);
    let error = session.call("dynamodb", "Query", QUERY).await.unwrap_err();
    let text = format!("{error:?} {error}");
    assert!(text.contains("[redacted]") && !text.contains(KEY) && !text.contains(TOKEN), "{text}");
    let log = session.redactor().redact(&format!("{KEY} {TOKEN}")).into_owned();
    assert_eq!(log, "[redacted] [redacted]");
}

/// Settings with a program that hands out another key each time it is asked, good for so long.
fn handing_out_keys(url: &str, good_for: &str) -> (BrokerSettings, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (program, config) = (folder.path().join("program.sh"), folder.path().join("config"));
    let script = format!(
        r#"echo x >> {asked}
n=$(wc -l < {asked})
printf '{{"Version":1,"AccessKeyId":"KEY%d","SecretAccessKey":"{KEY}","Expiration":"%s"}}' $n $(date -u -d '+{good_for}' +%Y-%m-%dT%H:%M:%SZ)
"#,
        asked = folder.path().join("asked").display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::write(&config, format!("[default]\ncredential_process = sh {}\n", program.display())).unwrap();
    let settings = in_environment(&[
        ("AWS_ENDPOINT_URL", url),
        ("AWS_CONFIG_FILE", config.to_str().unwrap()),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ]);
    (settings, folder)
}

/// The access keys that requests were signed with.
fn keys(server: &TestServer) -> Vec<String> {
    let key = |head: &str| head.split_once("Credential=").unwrap().1.split_once('/').unwrap().0.to_owned();
    server.seen().iter().map(|seen| key(&seen.head)).collect()
}

#[tokio::test]
async fn credentials_are_kept_until_they_are_refused_or_soon_to_expire() {
    let refused = br#"{"__type":"x#ExpiredTokenException"}"#.to_vec();
    let answers = vec![(OK, b"{}".to_vec()), (OK, b"{}".to_vec()), (BAD, refused), (OK, b"{}".to_vec())];
    let server = TestServer::start(Act::Answers(answers));
    let (settings, _folder) = handing_out_keys(&server.url(), "1 hour");
    let session = open(settings, &granted());
    for is_granted in [true, true, false, true] {
        assert_eq!(session.call("dynamodb", "Query", QUERY).await.is_ok(), is_granted);
    }
    assert_eq!(keys(&server), ["KEY1", "KEY1", "KEY1", "KEY2"]);

    let server = TestServer::start(Act::Answer(OK, b"{}".to_vec()));
    let (settings, _folder) = handing_out_keys(&server.url(), "30 seconds");
    let session = open(settings, &granted());
    for _ in 0..2 {
        session.call("dynamodb", "Query", QUERY).await.unwrap();
    }
    assert_eq!(keys(&server), ["KEY1", "KEY2"]);
}

#[tokio::test]
async fn without_credentials_or_a_region_nothing_leaves_and_it_is_said_what_to_do() {
    let off = ("AWS_EC2_METADATA_DISABLED", "true");
    let session = open(in_environment(&[off]), &granted());
    let error = session.call("dynamodb", "Query", QUERY).await.unwrap_err();
    let text = "no AWS credentials were found to call dynamodb:Query: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or \
                AWS_PROFILE, or name a `profile` in the grant";
    assert_eq!(error, AwsError::NotSent(text.to_owned()));
    let spec = GrantSpec { region: None, ..granted() };
    let error = open(in_environment(&[off]), &spec).call("dynamodb", "Query", QUERY).await.unwrap_err();
    let text = "it is not known in which AWS region `dynamodb` is to be called: write `region = \"eu-west-1\"` into the grant, \
                or set AWS_REGION";
    assert_eq!(error, AwsError::NotSent(text.to_owned()));
}

#[tokio::test]
async fn the_endpoint_for_the_service_goes_before_the_one_for_all_and_the_regions() {
    let server = TestServer::start(Act::Answer(OK, b"{}".to_vec()));
    let url = server.url();
    for (own, service, operation, body) in [
        ("AWS_ENDPOINT_URL_DYNAMODB", "dynamodb", "Query", QUERY),
        ("AWS_ENDPOINT_URL_MARKETPLACE_METERING", "aws-marketplace", "BatchMeterUsage", METER),
    ] {
        let keys = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", KEY)];
        let both = [("AWS_ENDPOINT_URL", "http://127.0.0.1:9"), (own, url.as_str())];
        let session = open(in_environment(&[keys, both].concat()), &granted());
        session.call(service, operation, body).await.unwrap();
        let fips = [("AWS_USE_FIPS_ENDPOINT", "true"), (own, url.as_str())];
        let error = open(in_environment(&[keys, fips].concat()), &granted()).call(service, operation, body).await;
        let text = format!(
            "an endpoint is set for `{service}`, and FIPS or dual-stack endpoints are asked for as well: unset one of them"
        );
        assert_eq!(error, Err(AwsError::NotSent(text)));
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let text = format!("[default]\nservices = mine\n[services mine]\ndynamodb =\n  endpoint_url = {url}\n");
    std::fs::write(&config, text).unwrap();
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", KEY)];
    let of_profile = [("AWS_CONFIG_FILE", config.to_str().unwrap())];
    let session = open(in_environment(&[&keys[..], &of_profile].concat()), &granted());
    session.call("dynamodb", "Query", QUERY).await.unwrap();
    assert_eq!(server.seen().len(), 3);
}

/// Finds no name, and keeps those that it was asked for.
#[derive(Default)]
struct Names(Mutex<Vec<String>>);

impl Resolver for Names {
    fn lookup(&self, name: &str) -> Lookup {
        held(&self.0).push(name.to_owned());
        Box::pin(async { Err(std::io::Error::other("nowhere")) })
    }
}

#[tokio::test]
async fn without_an_endpoint_the_regions_own_is_called() {
    let names = Arc::new(Names::default());
    for (variables, service, operation, body, expected) in [
        (&[][..], "dynamodb", "Query", QUERY, "dynamodb.eu-west-1.amazonaws.com"),
        (&[("AWS_REGION", "us-east-1")], "dynamodb", "Query", QUERY, "dynamodb.eu-west-1.amazonaws.com"),
        (&[("AWS_USE_FIPS_ENDPOINT", "TRUE")], "dynamodb", "Query", QUERY, "dynamodb-fips.eu-west-1.amazonaws.com"),
        (&[("AWS_USE_DUALSTACK_ENDPOINT", "true")], "dynamodb", "Query", QUERY, "dynamodb.eu-west-1.api.aws"),
        (&[], "aws-marketplace", "BatchMeterUsage", METER, "metering.marketplace.eu-west-1.amazonaws.com"),
    ] {
        let keys = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", KEY)];
        let resolver = Arc::clone(&names) as Arc<dyn Resolver>;
        let settings = BrokerSettings { resolver, ..in_environment(&[&keys[..], variables].concat()) };
        let error = open(settings, &granted()).call(service, operation, body).await;
        assert!(matches!(error, Err(AwsError::NotSent(_))), "{error:?}");
        assert_eq!(held(&names.0).pop().unwrap(), expected);
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    std::fs::write(&config, "[profile far]\nregion = cn-north-1\nuse_fips_endpoint = true\n").unwrap();
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", KEY)];
    let of_profile = [("AWS_CONFIG_FILE", config.to_str().unwrap()), ("AWS_PROFILE", "far")];
    let resolver = Arc::clone(&names) as Arc<dyn Resolver>;
    let settings = BrokerSettings { resolver, ..in_environment(&[&keys[..], &of_profile].concat()) };
    let session = open(settings, &GrantSpec { region: None, ..granted() });
    session.call("dynamodb", "Query", QUERY).await.unwrap_err();
    assert_eq!(held(&names.0).pop().unwrap(), "dynamodb-fips.cn-north-1.amazonaws.com.cn");
}
