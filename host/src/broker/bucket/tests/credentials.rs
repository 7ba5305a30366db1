//! Who asks, where, and by which way.

use super::*;
use crate::broker::{Lookup, Resolver};

/// Which access key the last request was signed with, and for which region.
fn signed(open: &Open) -> (String, String) {
    let seen = open.proxy.requests().into_iter().rev().find(|seen| seen.kind != Kind::Form).unwrap();
    let authorization = seen.header("authorization").unwrap().to_owned();
    let scope: Vec<_> = authorization.split_once("Credential=").unwrap().1.split(['/', ',']).collect();
    (scope[0].to_owned(), scope[2].to_owned())
}

/// An AWS configuration with these files.
fn home(stage: &mut Stage, config: &str, credentials: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    std::fs::write(home.path().join(".aws/config"), config).unwrap();
    std::fs::write(home.path().join(".aws/credentials"), credentials).unwrap();
    stage.set("HOME", home.path().to_str().unwrap());
    home
}

const CONFIG: &str = "[default]\nregion = eu-north-1\n[profile other]\nregion = eu-south-1\n";
const CREDENTIALS: &str = "[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = x\n\
                           [other]\naws_access_key_id = OTHER\naws_secret_access_key = x\n";

#[tokio::test(flavor = "multi_thread")]
async fn credentials_and_region_come_from_where_every_aws_program_takes_them() {
    let from = |own_keys: bool, variables: &[(&str, &str)], account: Account| {
        let mut stage = Stage::new();
        let home = home(&mut stage, CONFIG, CREDENTIALS);
        if !own_keys {
            stage.env.remove("AWS_ACCESS_KEY_ID");
        }
        for (name, value) in variables {
            stage.set(name, *value);
        }
        stage.account = account;
        (stage.open(""), home)
    };
    let profile = |name: &str| Account { profile: Some(name.to_owned()), ..Account::default() };
    let region = |name: &str| Account { region: Some(name.to_owned()), ..Account::default() };
    let key = "AKIATESTTESTTESTTEST";
    for (own_keys, variables, account, expected) in [
        (true, &[][..], Account::default(), (key, "eu-north-1")),
        (true, &[("AWS_REGION", "eu-west-2")][..], Account::default(), (key, "eu-west-2")),
        (true, &[("AWS_DEFAULT_REGION", "eu-west-3")][..], Account::default(), (key, "eu-west-3")),
        (true, &[("AWS_REGION", "eu-west-2")][..], region("eu-west-1"), (key, "eu-west-1")),
        (false, &[][..], Account::default(), ("DEFAULT", "eu-north-1")),
        (false, &[("AWS_PROFILE", "other")][..], Account::default(), ("OTHER", "eu-south-1")),
        (true, &[("AWS_PROFILE", "default")][..], profile("other"), ("OTHER", "eu-south-1")),
    ] {
        let (open, _home) = from(own_keys, variables, account);
        open.keys("", None).await.unwrap();
        assert_eq!(signed(&open), (expected.0.to_owned(), expected.1.to_owned()), "{variables:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_assumed_over_the_credentials_and_is_who_asks() {
    let mut stage = Stage::new();
    stage.account.role = Some("arn:aws:iam::123456789012:role/metering".to_owned());
    stage.account.region = Some("eu-west-1".to_owned());
    let open = stage.open("");
    open.put("a", b"x");
    assert_eq!(open.read("a").await.unwrap(), b"x");
    open.keys("", None).await.unwrap();
    let forms: Vec<_> = open.proxy.requests().into_iter().filter(|seen| seen.kind == Kind::Form).collect();
    assert_eq!(forms.len(), 1, "once a run, not once a request");
    let form = String::from_utf8(forms[0].body.clone()).unwrap();
    assert!(form.contains("Action=AssumeRole") && form.contains("role%2Fmetering"), "{form}");
    assert!(forms[0].header("authorization").unwrap().contains("Credential=AKIATESTTESTTESTTEST/"));
    let (key, region) = signed(&open);
    assert!(key.starts_with("ASIA") && region == "eu-west-1", "{key} {region}");

    let mut stage = Stage::new();
    stage.account.role = Some("arn:aws:iam::123456789012:role/metering".to_owned());
    let open = stage.open("");
    let body = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>";
    let refused = Act::Answer { status: 403, headers: Vec::new(), body: body.to_owned() };
    open.fault(Fault::on(Kind::Form, refused).always());
    let text = unavailable(open.read("a").await);
    assert!(
        text.starts_with("the role arn:aws:iam::123456789012:role/metering cannot be assumed to read \"a\""),
        "{text}"
    );
    assert!(text.contains("sts:AssumeRole"), "{text}");
}

/// Finds no name, and keeps those that it was asked for.
#[derive(Default)]
struct Names(std::sync::Mutex<Vec<String>>);

impl Resolver for Names {
    fn lookup(&self, name: &str) -> Lookup {
        self.0.lock().unwrap().push(name.to_owned());
        let text = format!("{name} is not to be found");
        Box::pin(async move { Err(std::io::Error::other(text)) })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_identity_is_exchanged_for_credentials() {
    let mut stage = Stage::new();
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "a-token").unwrap();
    stage.env.remove("AWS_ACCESS_KEY_ID");
    stage.set("AWS_WEB_IDENTITY_TOKEN_FILE", token.path().to_str().unwrap());
    stage.set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod");
    stage.set("AWS_REGION", "eu-west-1");
    let asked = Arc::new(Names::default());
    stage.settings.resolver = Arc::clone(&asked) as Arc<dyn Resolver>;
    let text = unavailable(stage.open("").keys("", None).await);
    // This SDK asks AWS itself, wherever the endpoint for other services is.
    assert!(text.contains("sts.eu-west-1.amazonaws.com is not to be found"), "{text}");
    assert!(asked.0.lock().unwrap().iter().all(|name| name == "sts.eu-west-1.amazonaws.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_it_is_said_what_to_do_and_nothing_is_asked() {
    let mut stage = Stage::new();
    stage.env.remove("AWS_SECRET_ACCESS_KEY");
    let open = stage.open("");
    for text in [
        unavailable(open.keys("", None).await),
        unavailable(open.read("a").await),
        unavailable(open.session.put("a", b"x", "", &Precondition::Absent).await),
    ] {
        assert!(text.starts_with("no AWS credentials were found to "), "{text}");
        let to_do =
            ": set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, or name a `profile` in the grant";
        assert!(text.ends_with(to_do), "{text}");
    }
    assert_eq!(open.proxy.requests().len(), 0);
    assert_eq!(open.session.denials(), []);

    let mut stage = Stage::new();
    stage.env.remove("AWS_SECRET_ACCESS_KEY");
    stage.account.role = Some("arn:aws:iam::123456789012:role/metering".to_owned());
    let text = unavailable(stage.open("").read("a").await);
    assert!(text.starts_with("no AWS credentials were found to read \"a\""), "{text}");

    let mut stage = Stage::new();
    stage.account.profile = Some("nowhere".to_owned());
    let _home = home(&mut stage, CONFIG, CREDENTIALS);
    let text = unavailable(stage.open("").read("a").await);
    assert!(text.starts_with("the profile `nowhere` gives no AWS credentials"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metadata_service_that_is_not_there_is_soon_given_up() {
    let mut stage = Stage::new();
    for name in ["AWS_ACCESS_KEY_ID", "AWS_EC2_METADATA_DISABLED"] {
        stage.env.remove(name);
    }
    // Takes connections, and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    stage.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("http://{}", silent.local_addr().unwrap()));
    let begun = std::time::Instant::now();
    let text = unavailable(stage.open("").read("a").await);
    assert!(text.contains("AWS credentials"), "{text}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_region_or_an_endpoint_it_is_said_what_to_write() {
    let mut stage = Stage::new();
    stage.env.remove("AWS_ENDPOINT_URL");
    let text = unavailable(stage.open("").read("a").await);
    assert_eq!(
        text,
        "it is not known in which AWS region the bucket lies: write `region = \"eu-west-1\"` into the grant, or set AWS_REGION"
    );
    let mut stage = Stage::new();
    stage.set("AWS_REGION", "evil.example/");
    assert!(unavailable(stage.open("").read("a").await).starts_with("`evil.example/` is not an AWS region"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoint_for_s3_goes_before_the_one_for_all_and_the_profiles() {
    let mut stage = Stage::new();
    let url = stage.proxy.url();
    stage.set("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    stage.set("AWS_ENDPOINT_URL_S3", url.clone());
    stage.open("").keys("", None).await.unwrap();

    let mut stage = Stage::new();
    stage.env.remove("AWS_ENDPOINT_URL");
    let config = format!("[default]\nendpoint_url = {}\n", stage.proxy.url());
    let _home = home(&mut stage, &config, CREDENTIALS);
    let open = stage.open("");
    open.keys("", None).await.unwrap();
    assert_eq!(open.proxy.count(Kind::List), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_go_through_the_proxy_that_is_set() {
    let mut stage = Stage::new();
    // To a proxy, a plain request names the whole URL, which the stage's own server does not answer, but sees.
    let between = Proxy::start(Moto::shared());
    stage.settings.proxy = Some(between.url().parse().unwrap());
    stage.set("AWS_ENDPOINT_URL", "http://s3.nowhere.invalid");
    let open = stage.open("");
    let _ = open.keys("", None).await;
    assert!(between.requests().iter().all(|seen| seen.path.starts_with("http://s3.nowhere.invalid/")));
    assert!(!between.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_are_right_for_every_key() {
    let moto = Moto::strict(4);
    let bucket = moto.bucket();
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
    let open = |secret: String| {
        let mut stage = Stage::new();
        (stage.proxy, stage.bucket) = (Proxy::start(&moto), bucket.clone());
        let url = stage.proxy.url();
        stage.set("AWS_ENDPOINT_URL", url);
        stage.set("AWS_ACCESS_KEY_ID", element("AccessKeyId"));
        stage.set("AWS_SECRET_ACCESS_KEY", secret);
        stage.open("p r/ü")
    };
    let right = open(element("SecretAccessKey"));
    let mut keys = vec!["a b.json", "ü/ß", "c+d", "100%", "e%20f", "g=h&i", "j//k", "~'()*!,;:@$"];
    keys.sort_unstable();
    for key in &keys {
        right.session.put(key, key.as_bytes(), "text/plain", &Precondition::Absent).await.unwrap();
        assert_eq!(right.read(key).await.unwrap(), key.as_bytes(), "{key}");
    }
    assert_eq!(right.keys("", None).await.unwrap(), keys);
    assert_eq!(
        right.keys("", Some("e%20f")).await.unwrap(),
        keys[keys.iter().position(|key| *key == "e%20f").unwrap() + 1..]
    );
    for key in &keys {
        right.session.delete(key, &Precondition::None).await.unwrap();
    }
    let text = unavailable(open("wrong".to_owned()).keys("", None).await);
    assert!(text.starts_with("the store does not know the AWS credentials (SignatureDoesNotMatch"), "{text}");
}
