//! Every rule of what the service would surely refuse, at its boundary.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod common;

use aws_marketplace::AwsMarketplace;
use common::{A, B, LICENSE, NOW, PRODUCT, WINDOW, at, charge, config, in_hour, tagged};
use meterhost_sdk::{Charge, Decimal, Opinion, Sink, Window};

const BY_LICENSE: &str = r#"{"identity": "account-and-license"}"#;
const BY_IDENTIFIER: &str = r#"{"identity": "customer-identifier"}"#;
const DECIMAL: &str = r#"{"quantity": "decimal"}"#;

fn opinions(text: &str, charges: &[Charge], now: i64) -> Vec<Opinion> {
    let opinions = AwsMarketplace::check(config(text), charges, now).unwrap();
    assert_eq!(opinions.len(), charges.len());
    opinions
}

fn objection(text: &str, charge: Charge) -> Option<String> {
    objection_at(text, charge, NOW)
}

fn objection_at(text: &str, charge: Charge, now: i64) -> Option<String> {
    let id = charge.id.clone();
    let mut opinions = opinions(text, &[charge], now);
    assert_eq!(opinions[0].id, id);
    opinions.remove(0).objection
}

/// A charge is fine, or the objection to it holds these words.
fn holds(text: &str, charge: Charge, words: &str) {
    let said = objection(text, charge.clone());
    match words {
        "" => assert_eq!(said, None, "{charge:?}"),
        words => assert!(said.as_deref().is_some_and(|said| said.contains(words)), "{words}: {said:?}"),
    }
}

#[test]
fn product_codes() {
    let with = |product: &str| Charge { product: product.into(), ..charge(A, "d", "1") };
    let (longest, too_long) = ("a".repeat(255), "a".repeat(256));
    for (product, words) in [
        (PRODUCT, ""),
        ("-aZ9/=:_.@", ""),
        (longest.as_str(), ""),
        (too_long.as_str(), "has 256 characters, and AWS Marketplace takes 255"),
        ("a b", "the product code \"a b\" holds ' '"),
        ("a+b", "holds '+'"),
        ("é", "holds 'é'"),
        ("", "it names no product code: give the usage a product, or the sink's config a `product`"),
        (LICENSE, "is a licence, and identity = \"account-and-product\" bills by product code"),
    ] {
        holds("{}", with(product), words);
    }
    holds(BY_IDENTIFIER, Charge { customer: "ifAPi5AcF3".into(), ..with(LICENSE) }, "is a licence, and identity");
    holds(r#"{"product": "def"}"#, with(""), "");
}

#[test]
fn licenses() {
    let with = |product: &str| Charge { product: product.into(), ..charge(A, "d", "1") };
    let arn = |service: usize, region: usize, account: usize, resource: usize| {
        let part = |length| "a".repeat(length);
        format!("arn:aws:{}:{}:{}:{}", part(service), part(region), part(account), part(resource))
    };
    for product in [
        LICENSE.to_owned(),
        "arn:aws-us-gov:license-manager:us-gov-west-1:1:license:l-1/+=,@._-".to_owned(),
        arn(63, 63, 63, 1024),
        arn(1, 0, 0, 1),
    ] {
        holds(BY_LICENSE, with(&product), "");
    }
    for product in [
        arn(64, 1, 1, 1),
        arn(1, 64, 1, 1),
        arn(1, 1, 64, 1),
        arn(1, 1, 1, 1025),
        arn(0, 1, 1, 1),
        arn(1, 1, 1, 0),
        "arn:aws:-s:::r".to_owned(),
        "arn:aws:s:::/r".to_owned(),
        "arn:aws:s:::r r".to_owned(),
        "arn:aws9:s:::r".to_owned(),
        "arn:azure:s:::r".to_owned(),
        "arn:aws:s::r".to_owned(),
        format!("{LICENSE}\n"),
    ] {
        holds(BY_LICENSE, with(&product), &format!("{product:?} is not the ARN of a licence"));
    }
    holds(BY_LICENSE, with(PRODUCT), "the product \"abc123xyz456\" is no licence");
    holds(BY_LICENSE, with(""), "it names no licence");
    holds(&format!(r#"{{"identity": "account-and-license", "product": "{LICENSE}"}}"#), with(""), "");
}

#[test]
fn customers() {
    let by_license = |customer: &str| Charge { product: LICENSE.into(), ..charge(customer, "d", "1") };
    let (longest, too_long) = ("1".repeat(255), "1".repeat(256));
    for (customer, words) in [
        (A, ""),
        (longest.as_str(), ""),
        (too_long.as_str(), "has 256 characters, and AWS Marketplace takes 255"),
        ("", "it names no customer"),
        ("ifAPi5AcF3", "the customer \"ifAPi5AcF3\" is no AWS account id"),
        ("1234 ", "is no AWS account id"),
        ("١٢٣", "is no AWS account id"),
    ] {
        holds("{}", charge(customer, "d", "1"), words);
        holds(BY_LICENSE, by_license(customer), words);
    }
    let (longest, too_long) = ("x".repeat(255), "x".repeat(256));
    for (customer, words) in [
        ("ifAPi5AcF3", ""),
        ("12345678901", ""),
        (longest.as_str(), ""),
        (too_long.as_str(), "has 256 characters"),
        ("", "it names no customer"),
        (A, "the customer \"123456789012\" is an AWS account id"),
    ] {
        holds(BY_IDENTIFIER, charge(customer, "d", "1"), words);
    }
}

#[test]
fn dimensions() {
    holds("{}", charge(A, &"é".repeat(255), "1"), "");
    holds("{}", charge(A, &"é".repeat(256), "1"), "has 256 characters, and AWS Marketplace takes 255");
    holds("{}", charge(A, "", "1"), "it names no dimension");
    holds("{}", charge(A, " a\nb\" ", "1"), "");
}

#[test]
fn quantities() {
    for (text, quantity, words) in [
        ("{}", "0", ""),
        ("{}", "2147483647", ""),
        ("{}", "7.000", ""),
        ("{}", "2147483648", "its quantity is 2147483648, and AWS Marketplace takes 0 to 2147483647"),
        ("{}", "-1", "its quantity is -1, and AWS Marketplace takes 0 to"),
        ("{}", "0.5", "its quantity is 0.5, and AWS Marketplace takes whole ones only"),
        (DECIMAL, "0", ""),
        (DECIMAL, "0.000001", ""),
        (DECIMAL, "9999999999.999999", ""),
        (DECIMAL, "10000000000", "takes 0 to 9999999999.999999"),
        (DECIMAL, "0.0000001", "its quantity is 0.0000001, and AWS Marketplace takes 6 digits behind the point"),
        (DECIMAL, "-0.5", "takes 0 to"),
    ] {
        holds(text, charge(A, "d", quantity), words);
    }
}

#[test]
fn tags() {
    let with = |key: &str, value: &str| tagged(A, "d", "1", &[(key, value)]);
    let text = |length| "t".repeat(length);
    for (key, value, words) in [
        ("tier", "gold", ""),
        (&text(100), &text(256), ""),
        (&text(101), "v", "has 101 characters, and AWS Marketplace takes 100"),
        ("k", &text(257), "the value of the tag \"k\""),
        ("", "gold", "a tag of it has no name, and the value \"gold\""),
        ("tier", "", "the tag \"tier\" is empty"),
        ("tier", "gold\n", "the value of the tag \"tier\" \"gold\\n\" holds '\\n'"),
    ] {
        holds("{}", with(key, value), words);
    }
    // The pattern `[a-zA-Z0-9+ -=._:\/@]`, character by character.
    for c in (0..0x300).filter_map(char::from_u32) {
        let allowed = c.is_ascii_alphanumeric() || (' '..='=').contains(&c) || "._:/@+".contains(c);
        for (key, value) in [(c.to_string(), "v".into()), ("k".into(), c.to_string())] {
            assert_eq!(objection("{}", with(&key, &value)).is_none(), allowed, "{c:?}");
        }
    }
    let five = [("a", "1"), ("b", "1"), ("c", "1"), ("d", "1"), ("e", "1")];
    holds("{}", tagged(A, "d", "1", &five), "");
    let six: Vec<(&str, &str)> = five.into_iter().chain([("f", "1")]).collect();
    holds("{}", tagged(A, "d", "1", &six), "it has 6 tags (a, b, c, d, e, f), and AWS Marketplace takes 5");
    holds("{}", tagged(A, "d", "1", &[("a", "1"), ("a", "2")]), "the tag \"a\" stands twice");
    holds("{}", tagged(A, "d", "1", &[("a", "1"), ("A", "2")]), "");
}

#[test]
fn charges_that_make_one_record_are_looked_at_together() {
    let of = |quantities: [&str; 2], text: &str| -> Vec<Option<String>> {
        let charges =
            [charge(A, "d", quantities[0]), tagged(A, "d", quantities[1], &[("k", "v")]), charge(B, "d", "1")];
        opinions(text, &charges, NOW).into_iter().map(|opinion| opinion.objection).collect()
    };
    assert_eq!(of(["2147483646", "1"], "{}"), [None, None, None]);
    let told = of(["2147483647", "1"], "{}");
    let why = "the quantity of the 2 charges that make one record is 2147483648, and AWS Marketplace takes 0 to 2147483647 (quantity = \
               \"integer\")";
    assert_eq!(told, [Some(why.to_owned()), Some(why.to_owned()), None]);
    assert_eq!(of(["9999999999.999998", "0.000001"], DECIMAL), [None, None, None]);
    assert!(of(["9999999999.999999", "0.000001"], DECIMAL)[1].is_some());

    let allocations = |count: usize| -> Vec<Charge> {
        (0..count).map(|number| tagged(A, "d", "1", &[("k", &number.to_string())])).collect()
    };
    assert!(opinions("{}", &allocations(2500), NOW).iter().all(|opinion| opinion.objection.is_none()));
    let told = opinions("{}", &allocations(2501), NOW);
    let why = "2501 charges make one record, one for each set of tags, and AWS Marketplace takes 2500";
    assert!(told.iter().all(|opinion| opinion.objection.as_deref() == Some(why)));

    // More than a megabyte.
    let wide = "v".repeat(256);
    let keys = ["a", "b", "c", "d", "e"].map(|key| key.repeat(100));
    let long = |number: usize| {
        let number = format!("{number:v>256}");
        let tags: Vec<(&str, &str)> =
            keys.iter().enumerate().map(|(at, key)| (key.as_str(), if at == 0 { &*number } else { &*wide })).collect();
        tagged(A, "d", "1", &tags)
    };
    let charges: Vec<Charge> = (0..520).map(long).collect();
    let told = opinions("{}", &charges, NOW);
    assert!(
        told[0].objection.as_deref().is_some_and(|said| said.ends_with("takes less than 1000000")),
        "{:?}",
        told[0]
    );
    assert!(opinions("{}", &charges[..500], NOW)[0].objection.is_none());
}

#[test]
fn a_product_that_is_named_in_two_ways_would_ask_for_one_record_twice() {
    let bare = Charge { product: String::new(), id: "bare".into(), ..charge(A, "d", "1") };
    let text = format!(r#"{{"product": "{PRODUCT}"}}"#);
    let told = opinions(&text, &[charge(A, "d", "1"), bare.clone(), charge(B, "d", "1")], NOW);
    let refused: Vec<bool> = told.iter().map(|opinion| opinion.objection.is_some()).collect();
    assert_eq!(refused, [true, true, false]);
    assert!(told[0].objection.as_deref().unwrap().contains("both are of the product \"abc123xyz456\""));
    assert_eq!(objection(&text, bare), None);
}

#[test]
fn what_is_tried_with_one_hour_in_two_ways_is_no_second_record() {
    // The host asks of late usage one by one, whether an hour to come would take it.
    let one = in_hour(charge(A, "d", "1"), WINDOW.start);
    let other = Charge { id: "other".into(), ..one.clone() };
    assert!(opinions("{}", &[one, other], NOW).iter().all(|opinion| opinion.objection.is_none()));
}

#[test]
fn windows() {
    let with = |start: &str, end: &str, time: &str| {
        let window = Window { start: at(start), end: at(end) };
        Charge { window, time: at(time), ..charge(A, "d", "1") }
    };
    for (start, end, time, words) in [
        ("2026-11-20T18:00:00Z", "2026-11-20T19:00:00Z", "2026-11-20T18:00:00Z", ""),
        ("2026-11-20T18:00:00Z", "2026-11-20T19:00:00Z", "2026-11-20T18:59:59.999Z", ""),
        ("2026-11-20T18:00:00Z", "2026-11-20T18:20:00Z", "2026-11-20T18:00:00Z", ""),
        (
            "2026-11-20T18:00:00Z",
            "2026-11-20T19:00:00Z",
            "2026-11-20T19:00:00Z",
            "its time is 2026-11-20T19:00:00Z, outside",
        ),
        ("2026-11-20T18:00:00Z", "2026-11-20T19:00:00Z", "2026-11-20T17:59:59.999Z", "outside of its window"),
        ("2026-11-20T18:00:00Z", "2026-11-20T19:00:00.001Z", "2026-11-20T18:00:00Z", "one record for each hour of UTC"),
        ("2026-11-20T17:30:00Z", "2026-11-20T18:30:00Z", "2026-11-20T18:00:00Z", "one record for each hour of UTC"),
        ("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z", "2026-11-20T00:00:00Z", "one record for each hour of UTC"),
        ("2026-11-20T18:00:00Z", "2026-11-20T18:00:00Z", "2026-11-20T18:00:00Z", "one record for each hour of UTC"),
    ] {
        holds("{}", with(start, end, time), words);
    }
    let now = at("2026-11-20T19:10:00Z");
    assert_eq!(NOW, now);
}

#[test]
fn an_hour_is_billed_when_it_is_over_and_a_last_bill_when_its_own_window_is() {
    let hour = charge(A, "d", "1");
    let still = "the hour is still running: its window ends at 2026-11-20T19:00:00Z, and the first record of an hour is its last";
    assert_eq!(objection_at("{}", hour.clone(), WINDOW.end - 1).as_deref(), Some(still));
    assert_eq!(objection_at("{}", hour.clone(), WINDOW.end), None);
    let cut = Charge { window: Window { end: WINDOW.start + 1_200_000, ..WINDOW }, ..hour };
    assert!(objection_at("{}", cut.clone(), WINDOW.start + 1_199_999).is_some());
    assert_eq!(objection_at("{}", cut, WINDOW.start + 1_200_000), None);
}

/// A charge of the hour that begins then, which carries a part of each of these.
fn carrying(start: &str, parts: &[&str]) -> Charge {
    let part = |part: &&str| (Window { start: at(part), end: at(part) + 3_600_000 }, Decimal::ONE);
    Charge { carried: parts.iter().map(part).collect(), ..in_hour(charge(A, "d", "9"), at(start)) }
}

/// What is said of a charge, with its limit.
fn told(charge: &Charge, now: &str) -> (Option<String>, Option<i64>) {
    let mut opinions = opinions("{}", std::slice::from_ref(charge), at(now));
    let Opinion { objection, accepted_until, .. } = opinions.remove(0);
    (objection, accepted_until)
}

#[test]
fn usage_is_accepted_for_24_hours_and_until_six_on_the_first_of_the_next_month() {
    for (start, last, until) in [
        ("2026-11-20T18:00:00Z", "2026-11-21T17:59:59.999Z", "2026-11-21T18:00:00Z"),
        ("2026-03-31T23:00:00Z", "2026-04-01T05:00:00Z", "2026-04-01T06:00:00Z"),
        ("2026-03-31T23:00:00Z", "2026-04-01T05:59:59.999Z", "2026-04-01T06:00:00Z"),
        ("2026-03-31T06:00:00Z", "2026-04-01T05:59:59.999Z", "2026-04-01T06:00:00Z"),
        ("2026-03-31T05:00:00Z", "2026-04-01T04:59:59.999Z", "2026-04-01T05:00:00Z"),
        ("2024-02-28T23:00:00Z", "2024-02-29T22:59:59.999Z", "2024-02-29T23:00:00Z"),
        ("2024-02-29T23:00:00Z", "2024-03-01T05:59:59.999Z", "2024-03-01T06:00:00Z"),
        ("2025-02-28T23:00:00Z", "2025-03-01T05:59:59.999Z", "2025-03-01T06:00:00Z"),
        ("2026-12-31T23:00:00Z", "2027-01-01T05:59:59.999Z", "2027-01-01T06:00:00Z"),
    ] {
        let charge = carrying(start, &[]);
        assert_eq!(told(&charge, last), (None, Some(at(until))), "{start}");
        let gone = format!("expired: since {until}, AWS Marketplace takes no more usage of {start}");
        assert_eq!(told(&charge, until), (Some(gone), Some(at(until))));
    }
    // 23:30 on the last of March, whatever the hour that it stands for.
    let half = Charge { time: at("2026-03-31T23:30:00Z"), ..carrying("2026-03-31T23:00:00Z", &[]) };
    assert_eq!(told(&half, "2026-04-01T05:00:00Z").0, None);
    assert!(told(&half, "2026-04-01T06:00:00Z").0.unwrap().starts_with("expired: since 2026-04-01T06:00:00Z"));
}

#[test]
fn an_expired_charge_says_so_before_anything_else() {
    let odd = Charge { product: String::new(), ..carrying("2026-11-20T18:00:00Z", &[]) };
    assert!(told(&odd, "2026-11-30T00:00:00Z").0.unwrap().starts_with("expired: "));
}

#[test]
fn what_a_charge_carries_is_of_its_month_and_accepted_itself() {
    for (start, parts, now, until, words) in [
        ("2026-11-20T18:00:00Z", &["2026-11-20T10:00:00Z"][..], "2026-11-20T19:10:00Z", "2026-11-21T10:00:00Z", ""),
        (
            "2026-11-20T18:00:00Z",
            &["2026-11-19T20:00:00Z", "2026-11-20T10:00:00Z"],
            "2026-11-20T19:10:00Z",
            "2026-11-20T20:00:00Z",
            "",
        ),
        (
            "2026-11-20T18:00:00Z",
            &["2026-11-19T20:00:00Z", "2026-11-20T10:00:00Z"],
            "2026-11-20T20:00:00Z",
            "2026-11-20T20:00:00Z",
            "expired: it carries 1 of 2026-11-19T20:00:00Z, and since 2026-11-20T20:00:00Z AWS Marketplace takes no more usage",
        ),
        (
            "2026-04-01T00:00:00Z",
            &["2026-03-31T23:00:00Z"],
            "2026-04-01T01:10:00Z",
            "2026-04-01T06:00:00Z",
            "it carries usage of 2026-03-31T23:00:00Z, which belongs to another month's bill than 2026-04-01T00:00:00Z",
        ),
        (
            "2026-04-01T00:00:00Z",
            &["2026-03-31T23:00:00Z"],
            "2026-04-01T06:00:00Z",
            "2026-04-01T06:00:00Z",
            "expired: it carries",
        ),
        ("2026-03-31T23:00:00Z", &["2026-03-31T22:00:00Z"], "2026-04-01T05:59:00Z", "2026-04-01T06:00:00Z", ""),
        ("2026-03-01T02:00:00Z", &["2026-03-01T00:00:00Z"], "2026-03-01T03:10:00Z", "2026-03-02T00:00:00Z", ""),
    ] {
        let (objection, accepted_until) = told(&carrying(start, parts), now);
        assert_eq!(accepted_until, Some(at(until)), "{start} {parts:?}");
        match words {
            "" => assert_eq!(objection, None),
            words => assert!(objection.as_deref().is_some_and(|said| said.starts_with(words)), "{objection:?}"),
        }
    }
}

#[test]
fn times_that_no_calendar_holds_are_no_times() {
    for start in [9_000_000_000_000_000, -9_000_000_000_000_000, i64::MIN] {
        let odd = Charge { window: Window { start, end: start + 1 }, time: start, ..charge(A, "d", "1") };
        let told = opinions("{}", &[odd], NOW).remove(0);
        assert!(told.objection.is_some() && told.accepted_until.is_none());
    }
    let empty = Charge { window: Window { start: 0, end: i64::MIN }, ..charge(A, "d", "1") };
    assert!(opinions("{}", &[empty], NOW)[0].objection.is_some());
}
