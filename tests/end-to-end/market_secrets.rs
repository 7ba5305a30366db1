//! Keys that are wrong, and grants that are too small: nothing is billed or marked that should not be, the message says what to mend, and no
//! secret stands anywhere.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use metering_emulator::{Credentials, Fault, Settings};
use s3_proxy::{Moto, Store};
use serde_json::{Value, json};

use crate::market::{ACME, Market, OTHER, PRODUCT, SECOND};
use crate::support::{Backend, Ended};

const AT: i64 = 1_771_164_345_678; // 2026-02-15T14:05:45.678Z
/// With the letters that a secret key may have besides letters and digits.
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY/EXAMPLE=";
const TOKEN: &str = "FwoGZXIvYXdzEBYaDEXAMPLE+SESSION/TOKEN==";

/// All ways to say more.
const LOUD: [&[&str]; 3] = [&[], &["-vv"], &["-vv", "--log-format", "json"]];

/// Asserts that a secret stands neither in what was said nor in a file of the pipeline's folder.
#[track_caller]
fn is_kept(secret: &str, market: &Market, said: &[&Ended]) {
    let texts = said.iter().flat_map(|ended| [&ended.stdout, &ended.stderr]);
    assert!(texts.into_iter().all(|text| !text.contains(secret)), "the secret was said: {said:?}");
    let items = Value::from(market.items()).to_string();
    assert!(!items.contains(secret), "the secret is in the table");
    let mut folders = vec![market.folder().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => assert!(!holds(&path, secret), "the secret is in {}", path.display()),
            }
        }
    }
}

fn holds(path: &Path, secret: &str) -> bool {
    let bytes = std::fs::read(path).unwrap();
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

/// From here on moto serves so many requests whatever their signature, and then looks at it.
fn lets_pass(store: &Store, count: u32) {
    let url = store.url();
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let body = count.to_string();
    let request = format!(
        "POST /moto-api/reset-auth HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// The keys of a user who may do what a policy's actions say.
fn user(moto: &Moto, name: &str, actions: &str) -> Credentials {
    moto.form("iam", &format!("Action=CreateUser&Version=2010-05-08&UserName={name}"));
    let policy = json!({
        "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": actions, "Resource": "*" },
    });
    let policy = policy.to_string();
    let policy: String = policy.bytes().map(|byte| format!("%{byte:02X}")).collect();
    moto.form(
        "iam",
        &format!("Action=PutUserPolicy&Version=2010-05-08&UserName={name}&PolicyName=some&PolicyDocument={policy}"),
    );
    let answer = moto.form("iam", &format!("Action=CreateAccessKey&Version=2010-05-08&UserName={name}"));
    let element = |name: &str| {
        let (_, rest) = answer.split_once(&format!("<{name}>")).unwrap();
        rest.split_once('<').unwrap().0.replace("&amp;", "&")
    };
    let (access_key_id, secret_access_key) = (element("AccessKeyId"), element("SecretAccessKey"));
    Credentials { access_key_id, secret_access_key, session_token: None }
}

#[test]
fn where_dynamodb_does_not_take_the_key_nothing_is_touched_and_the_secret_is_said_nowhere() {
    let moto = Moto::start();
    let market = Market::beside(*moto, Backend::Sqlite, Settings::default());
    let (right, reader) = (user(&moto, "metering", "*"), user(&moto, "reader", "dynamodb:Query"));
    market.emulator.set_credentials(right.clone());
    market.emulator.set_credentials(reader.clone());
    market.item(ACME, AT, PRODUCT, "users", "5");
    let before = market.items();
    let stranger = Credentials { access_key_id: "AKIASTRANGER00000000".to_owned(), ..right.clone() };
    let wrong = Credentials { secret_access_key: SECRET.to_owned(), ..right.clone() };
    let cases = [
        (&stranger, "The security token included in the request is invalid"),
        (&wrong, "The request signature we calculated does not match the signature you provided"),
        (&reader, "is not authorized to perform: dynamodb:UpdateItem"),
    ];
    for (key, words) in cases {
        for arguments in LOUD {
            lets_pass(&market.store, 0);
            let variables = [
                ("AWS_ACCESS_KEY_ID", key.access_key_id.as_str()),
                ("AWS_SECRET_ACCESS_KEY", key.secret_access_key.as_str()),
            ];
            let ended = market.command("run", arguments, &variables);
            lets_pass(&market.store, 1_000_000);
            ended.expect(1).says(words);
            is_kept(&key.secret_access_key, &market, &[&ended]);
            assert_eq!((market.items(), market.calls()), (before.clone(), 0), "{words}");
        }
    }
    lets_pass(&market.store, 0);
    let variables =
        [("AWS_ACCESS_KEY_ID", &*right.access_key_id), ("AWS_SECRET_ACCESS_KEY", &*right.secret_access_key)];
    let ended = market.command("run", &["-vv"], &variables);
    lets_pass(&market.store, 1_000_000);
    ended.expect(0);
    is_kept(&right.secret_access_key, &market, &[&ended]);
    assert_eq!(market.billed().len(), 1);
    market.marked(&[(ACME, AT)], false, "\"Success\"");
}

#[test]
fn where_the_metering_service_does_not_take_the_key_records_are_claimed_and_not_marked() {
    let market = Market::new();
    market.item(ACME, AT, PRODUCT, "users", "5");
    for arguments in LOUD {
        let variables = [("AWS_SECRET_ACCESS_KEY", SECRET), ("AWS_SESSION_TOKEN", TOKEN)];
        for variables in [&variables[..1], &variables[..]] {
            let ended = market.command("run", arguments, variables);
            ended.expect(1).says("see to the credentials");
            let name = if variables.len() == 1 { "InvalidSignatureException" } else { "Exception" };
            ended.says(name);
            is_kept(SECRET, &market, &[&ended]);
            is_kept(TOKEN, &market, &[&ended]);
        }
    }
    let item = market.get(ACME, AT).unwrap();
    assert!(item["metering_claim"]["S"].is_string(), "{item:#}");
    assert_eq!(market.marks(ACME, AT), ("true".into(), None, String::new()));
    assert_eq!(
        (market.charge(ACME, "users")["standing"].clone(), market.emulator.books().len()),
        ("pending".into(), 0)
    );
    market.run().expect(0);
    assert_eq!(market.billed().len(), 1);
    market.marked(&[(ACME, AT)], false, "\"Success\"");
}

#[test]
fn a_secret_that_the_service_repeats_goes_neither_into_the_report_nor_the_ledger_nor_the_table() {
    for (status, of_the_record) in [(400, true), (500, false)] {
        let market = Market::new();
        market.replace("[sink.marketplace]\n", "[sink.marketplace]\nretry_budget = \"0s\"\n");
        market.item(ACME, AT, PRODUCT, "users", "5");
        let message = format!("the string to sign was made with {SECRET} and {TOKEN}, over there");
        let body = json!({ "__type": "ValidationException", "message": message });
        market.emulator.push_fault(Fault::Scripted { status, body, commit: false }.forever());
        for (number, arguments) in LOUD.into_iter().enumerate() {
            let variables = [("AWS_SECRET_ACCESS_KEY", SECRET), ("AWS_SESSION_TOKEN", TOKEN)];
            let keys = Credentials {
                access_key_id: "AKIATESTTESTTESTTEST".to_owned(),
                secret_access_key: SECRET.to_owned(),
                session_token: Some(TOKEN.to_owned()),
            };
            market.emulator.set_credentials(keys);
            let ended = market.command("run", arguments, &variables);
            ended.expect(1).says("the string to sign was made with");
            let shown = market.command("ledger show", &["--json"], &variables);
            // Into a file of the folder, as a cron job writes it.
            let mut step = market.step_saying("run", &market.path(&format!("said-{number}.txt")));
            assert!(!step.args(arguments).envs(variables).status().unwrap().success());
            for secret in [SECRET, TOKEN] {
                is_kept(secret, &market, &[&ended, &shown]);
            }
        }
        if of_the_record {
            market.marked(&[(ACME, AT)], true, "the string to sign was made with");
        }
    }
}

/// The grants of the example, and others in their place.
const QUERY: &str = "\"dynamodb:Query\"      = [\"${METERING_RECORDS_TABLE}/index/PendingMeteringRecordsIndex\"]\n";
const UPDATE: &str = "\"dynamodb:UpdateItem\" = [\"${METERING_RECORDS_TABLE}\", \"${SUBSCRIBERS_TABLE}\"]\n";
const SINK: &str = "grant  = { aws = { \"aws-marketplace:BatchMeterUsage\" = [\"*\"] }, region = \"${AWS_REGION}\" }\n";
const METER: &str = "\"aws-marketplace:BatchMeterUsage\" = [\"*\"]";

/// A stage with a record of each of two products, and grants that were changed.
fn granted(from: &str, to: &str) -> Market {
    let market = Market::new();
    market.item(ACME, AT, PRODUCT, "users", "5");
    market.item(OTHER, AT, SECOND, "users", "7");
    market.replace(from, to);
    market
}

#[test]
fn a_source_that_may_not_read_or_claim_touches_nothing_and_the_line_that_grants_it_is_shown() {
    // Another table, another index, and the other table of the two.
    let cases = [
        ("Query", QUERY, "\"dynamodb:Query\" = [\"Others/index/PendingMeteringRecordsIndex\"]\n".to_owned()),
        ("Query", QUERY, "\"dynamodb:Query\" = [\"${METERING_RECORDS_TABLE}/index/Another\"]\n".to_owned()),
        ("UpdateItem", UPDATE, "\"dynamodb:UpdateItem\" = [\"${SUBSCRIBERS_TABLE}\"]\n".to_owned()),
    ];
    for (action, line, other) in cases {
        let market = granted(line, &other);
        let before = market.items();
        let ended = market.run();
        let table = &market.records;
        ended.expect(3).says(&format!("\"dynamodb:{action}\"")).says(table);
        assert_eq!((market.items(), market.calls()), (before, 0), "{action} {other}");
        ended.says("below [source], this line would grant it: grant.aws = {");
        market.replace(&other, line);
        market.run().expect(0);
        assert_eq!(market.billed().len(), 2, "{action} {other}");
    }
}

#[test]
fn a_table_in_another_region_is_found_before_anything_is_touched() {
    for (action, line) in [("Query", QUERY), ("UpdateItem", UPDATE)] {
        let arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/${METERING_RECORDS_TABLE}";
        let market = granted(line, &format!("\"dynamodb:{action}\" = [\"{arn}\"]\n"));
        let before = market.items();
        market.run().expect(2).says("lies in eu-west-1").says("name a table in us-east-1");
        assert_eq!((market.items(), market.calls()), (before, 0), "{action}");
    }
}

#[test]
fn an_action_that_is_not_granted_at_all_is_found_before_anything_is_touched() {
    for (action, line, section) in [
        ("dynamodb:Query", QUERY, "[source]"),
        ("dynamodb:UpdateItem", UPDATE, "[source]"),
        ("aws-marketplace:BatchMeterUsage", SINK, "[sink.marketplace]"),
    ] {
        let market = granted(line, "");
        let before = market.items();
        market.run().expect(2).says(&format!("needs the AWS action {action}")).says(&format!("below {section}"));
        assert_eq!((market.items(), market.calls()), (before, 0), "{action}");
        assert!(!market.path("aws-marketplace.ledger.db").exists(), "{action}");
    }
}

#[test]
fn a_sink_that_may_not_meter_a_product_bills_the_others_and_the_line_that_grants_it_is_shown() {
    let market = granted(METER, &format!("\"aws-marketplace:BatchMeterUsage\" = [\"{PRODUCT}\"]"));
    market.run().expect(3).says("\"aws-marketplace:BatchMeterUsage\"").says(SECOND);
    assert_eq!(market.billed().into_values().collect::<Vec<_>>(), ["5"]);
    market.marked(&[(ACME, AT)], false, "\"Success\"");
    assert_eq!(market.marks(OTHER, AT), ("true".into(), None, String::new()));
    let calls = market.calls();
    market.run().expect(3);
    assert_eq!(market.calls(), calls);
    market.replace(&format!("[\"{PRODUCT}\"]"), "[\"*\"]");
    market.run().expect(0);
    assert_eq!(market.billed().into_values().collect::<Vec<_>>(), ["5", "7"]);
    market.marked(&[(ACME, AT), (OTHER, AT)], false, "\"Success\"");
    market.is_at_rest(0);
}

#[test]
fn a_table_of_totals_that_is_not_granted_stops_the_marking_alone_and_the_next_run_makes_up_for_it() {
    let market = granted(UPDATE, "\"dynamodb:UpdateItem\" = [\"${METERING_RECORDS_TABLE}\"]\n");
    let ended = market.run();
    ended.expect(3).says("\"dynamodb:UpdateItem\"").says(&market.subscribers).says("below [source]");
    assert_eq!(market.billed().len(), 2);
    for (customer, product) in [(ACME, PRODUCT), (OTHER, SECOND)] {
        assert_eq!(market.marks(customer, AT), ("true".into(), None, String::new()));
        assert_eq!(market.totals(product, customer).len(), 0);
    }
    let calls = market.calls();
    market.run().expect(3);
    market.replace("\"dynamodb:UpdateItem\" = [\"${METERING_RECORDS_TABLE}\"]\n", UPDATE);
    market.run().expect(0);
    assert_eq!(market.calls(), calls, "what was billed is billed");
    market.marked(&[(ACME, AT), (OTHER, AT)], false, "\"Success\"");
    assert_eq!((&*market.totals(PRODUCT, ACME)["users"], &*market.totals(SECOND, OTHER)["users"]), ("5", "7"));
    market.is_at_rest(0);
}
