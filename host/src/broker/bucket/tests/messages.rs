//! What goes wrong on the store's side, in words that say what to do; and never as a denial.

use super::*;

/// What is said of a listing, a read and a write that meet this.
async fn said(act: Act) -> [String; 3] {
    let open = open();
    open.put("a", b"x");
    for kind in [Kind::List, Kind::Get, Kind::Put] {
        open.fault(Fault::on(kind, act.clone()).always());
    }
    let texts = [
        unavailable(open.keys("", None).await),
        unavailable(open.read("a").await),
        unavailable(open.session.put("a", b"y", "", &Precondition::Absent).await),
    ];
    assert_eq!(open.session.denials(), [], "it was granted");
    texts.map(|text| text.replace(&open.bucket, "BUCKET"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_the_permission_that_is_missing() {
    assert_eq!(
        said(Act::access_denied()).await,
        [
            "AWS refused to list the bucket `BUCKET` (AccessDenied: Access Denied): the credentials lack s3:ListBucket on arn:aws:s3:::BUCKET",
            "AWS refused to read \"a\" in the bucket `BUCKET` (AccessDenied: Access Denied): the credentials lack s3:GetObject on arn:aws:s3:::BUCKET/a; an object that does not exist is refused too, where they lack s3:ListBucket",
            "AWS refused to write \"a\" in the bucket `BUCKET` (AccessDenied: Access Denied): the credentials lack s3:PutObject on arn:aws:s3:::BUCKET/a",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_bucket_or_the_credentials_is_told_apart() {
    for (act, expected) in [
        (
            Act::error(404, "NoSuchBucket", "The specified bucket does not exist"),
            "the bucket `BUCKET` does not exist: mend the grant, or the endpoint if one is set",
        ),
        (
            Act::error(400, "ExpiredToken", "The provided token has expired."),
            "the AWS credentials are no longer valid (ExpiredToken: The provided token has expired.): sign in again, or renew them",
        ),
        (
            Act::error(403, "InvalidAccessKeyId", "unknown"),
            "the store does not know the AWS credentials (InvalidAccessKeyId: unknown): check the access key and its secret",
        ),
        (
            Act::error(403, "SignatureDoesNotMatch", "differs"),
            "the store does not know the AWS credentials (SignatureDoesNotMatch: differs): check the access key and its secret",
        ),
        (
            Act::error_with(
                301,
                "PermanentRedirect",
                "elsewhere",
                &[("x-amz-bucket-region", "Endpoint", "eu-central-1")],
            ),
            "the bucket `BUCKET` lies in the region eu-central-1: write `region = \"eu-central-1\"` into the grant",
        ),
        (
            Act::error_with(400, "AuthorizationHeaderMalformed", "wrong", &[("x-other", "Region", "ap-south-1")]),
            "the bucket `BUCKET` lies in the region ap-south-1: write `region = \"ap-south-1\"` into the grant",
        ),
    ] {
        assert_eq!(said(act).await, [expected; 3]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let elsewhere = Proxy::start(Moto::shared());
    let location = format!("{}/secret", elsewhere.url());
    for status in [301, 302, 307, 308] {
        let headers = vec![("location".to_owned(), location.clone())];
        let texts = said(Act::Answer { status, headers, body: String::new() }).await;
        assert!(texts.iter().all(|text| text.starts_with("the bucket `BUCKET` lies in another region")), "{texts:?}");
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_or_broken_store_is_asked_again_and_then_given_up() {
    let open = open();
    open.put("a", b"x");
    for act in [Act::slow_down(), Act::internal_error(), Act::Drop, Act::DropAnswer] {
        for kind in [Kind::List, Kind::Get] {
            open.fault(Fault::on(kind, act.clone()).times(2));
        }
        assert_eq!(open.keys("", None).await.unwrap(), ["a"], "{act:?}");
        assert_eq!(open.read("a").await.unwrap(), b"x", "{act:?}");
    }
    for (act, expected) in [
        (
            Act::slow_down(),
            "the store was asked too often (SlowDown: Please reduce your request rate.) and did not let us read \"a\"",
        ),
        (
            Act::internal_error(),
            "the store failed to read \"a\" in the bucket `BUCKET` (500, InternalError: We encountered",
        ),
        (Act::Drop, "the store gave no whole answer when asked to read \"a\" in the bucket `BUCKET`: "),
    ] {
        open.proxy.clear_faults();
        open.proxy.reset();
        open.fault(Fault::on(Kind::Get, act).always());
        let text = unavailable(open.read("a").await).replace(&open.bucket, "BUCKET");
        assert!(text.starts_with(expected), "{text}");
        assert_eq!(open.proxy.count(Kind::Get), 6);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_not_there_is_said_to_be_out_of_reach() {
    let mut stage = Stage::new();
    // Nothing listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    stage.set("AWS_ENDPOINT_URL", format!("http://{free}"));
    let open = stage.open("");
    let text = unavailable(open.read("a").await);
    assert!(text.contains("no connection came about: ") && text.contains("Connection refused"), "{text}");
    // Nothing left, so that it is surely not written.
    unavailable(open.session.put("a", b"x", "", &Precondition::Absent).await);
}
