//! What the rules make of usage.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{left_out, run, shown};
use meterhost_sdk::testing::batch;
use meterhost_sdk::{Batch, BatchBuilder, Decimal, Record};

/// 38 nines.
const LARGEST: &str = "99999999999999999999999999999999999999";

/// The lines of one batch.
fn lines(rules: &str, batch: Batch) -> Vec<String> {
    let (excluded, lines) = run(rules, &[batch]);
    assert_eq!(left_out(&excluded), [""; 0]);
    shown(&lines)
}

/// Records of customer `a` and dimension `x`, with these quantities, a millisecond apart.
fn quantities(quantities: &[&str]) -> Batch {
    let records: Vec<_> = (0..).zip(quantities).map(|(time, &quantity)| ("a", "x", quantity, time, &[][..])).collect();
    batch(&records)
}

/// A record with a product and an id.
fn with_id(builder: &mut BatchBuilder, product: &str, id: Option<&str>) {
    let quantity = Decimal::ONE;
    let record = Record { time: 0, customer: "a", product, dimension: "x", quantity, id, attributes: &[] };
    builder.push(&record).unwrap();
}

#[test]
fn every_operation_gives_what_it_is_called_after() {
    let usage = quantities(&["3", "-1.5", "10.25", "2", "2.00"]);
    for (operation, result) in [
        ("sum", "15.75"),
        ("count", "5"),
        ("min", "-1.5"),
        ("max", "10.25"),
        ("last", "2"),
        ("average", "3.15"),
        ("unique", "! "),
    ] {
        let lines = lines(&format!(r#"{{"x": "{operation}"}}"#), usage.clone());
        assert!(lines.concat().starts_with(&format!("a/x = {result}")), "{operation}: {lines:?}");
        assert!(lines.concat().ends_with(" <- x*5"), "{operation}: {lines:?}");
    }
}

#[test]
fn a_customer_has_a_line_for_each_dimension_in_order() {
    let usage = batch(&[
        ("b", "y", "1", 0, &[]),
        ("a", "y", "2", 0, &[]),
        ("b", "x", "4", 0, &[]),
        ("a", "y", "8", 0, &[]),
        ("ab", "x", "16", 0, &[]),
    ]);
    assert_eq!(
        lines(r#"{"*": "sum"}"#, usage),
        ["a/y = 10 <- y*2", "ab/x = 16 <- x*1", "b/x = 4 <- x*1", "b/y = 1 <- y*1"]
    );
}

#[test]
fn products_are_billed_apart_and_none_is_the_empty_one() {
    let mut builder = BatchBuilder::new([""; 0]);
    for product in ["q", "", "p", "q"] {
        with_id(&mut builder, product, None);
    }
    let mixed = builder.finish();
    with_id(&mut builder, "q", None);
    let one = builder.finish();
    let (_, lines) = run(r#"{"x": "sum"}"#, &[mixed, one]);
    assert_eq!(shown(&lines), ["a/x = 1 <- x*1", "p/a/x = 1 <- x*1", "q/a/x = 3 <- x*3"]);
}

#[test]
fn sums_are_exact_where_floats_are_not() {
    assert_eq!(lines(r#"{"x": "sum"}"#, quantities(&["0.1", "0.2"])), ["a/x = 0.3 <- x*2"]);
    let most = "18446744073709551615";
    assert_eq!(lines(r#"{"x": "sum"}"#, quantities(&[most; 3])), ["a/x = 55340232221128654845 <- x*3"]);
    let cancels = [LARGEST, LARGEST, "-99999999999999999999999999999999999999", "1e-20"];
    let batches = cancels.map(|quantity| quantities(&[quantity]));
    let (_, lines) = run(r#"{"x": "sum"}"#, &batches);
    assert_eq!(shown(&lines), ["a/x = ! the sum of 4 records has more than 38 digits <- x*4"]);
    let (_, lines) = run(r#"{"x": "sum"}"#, batches.get(..3).unwrap());
    assert_eq!(shown(&lines), [format!("a/x = {LARGEST} <- x*3")]);
}

#[test]
fn a_sum_beyond_38_digits_is_in_doubt_and_nobody_else_is_touched() {
    let usage = batch(&[("a", "x", LARGEST, 0, &[]), ("a", "x", "1", 0, &[]), ("b", "x", "1", 0, &[])]);
    assert_eq!(
        lines(r#"{"*": "sum"}"#, usage),
        ["a/x = ! the sum of 2 records has more than 38 digits <- x*2", "b/x = 1 <- x*1"]
    );
}

#[test]
fn units_are_applied_to_the_result_of_any_operation() {
    let gib = r#"{"x": {"use": "sum", "divide": "1073741824", "as": "gib"}}"#;
    assert_eq!(lines(gib, quantities(&["1073741824", "536870912"])), ["a/gib = 1.5 <- x*2"]);
    let kilo = r#"{"x": {"use": "count", "divide": 1000}}"#;
    assert_eq!(lines(kilo, quantities(&["7", "7"])), ["a/x = 0.002 <- x*2"]);
    let both = r#"{"x": {"use": "max", "multiply": "1.5", "divide": "4.5"}}"#;
    assert_eq!(lines(both, quantities(&["9", "1"])), ["a/x = 3 <- x*2"]);
}

#[test]
fn a_quotient_without_end_shows_all_the_digits_there_is_room_for() {
    let third = r#"{"x": {"use": "sum", "divide": "3"}}"#;
    for (quantity, quotient) in [
        ("1", "0.33333333333333333333333333333333333333"),
        ("-1", "-0.33333333333333333333333333333333333333"),
        ("2000", "666.66666666666666666666666666666666666"),
        ("1e-38", "0.00000000000000000000000000000000000001"),
        ("10000000000000000000000000000000000001", "3333333333333333333333333333333333333.6"),
    ] {
        assert_eq!(lines(third, quantities(&[quantity])), [format!("a/x = {quotient} <- x*1")]);
    }
    // A 5 where it is cut would look like the middle, for a rounding that comes later.
    let fourteenth = r#"{"x": {"use": "sum", "divide": "14"}}"#;
    assert_eq!(lines(fourteenth, quantities(&["0.1"])), ["a/x = 0.00714285714285714285714285714285714286 <- x*1"]);
}

#[test]
fn a_quotient_whose_fraction_does_not_show_is_in_doubt_and_never_passes_as_whole() {
    let third = r#"{"x": {"use": "sum", "divide": "3"}}"#;
    let large = "50000000000000000000000000000000000000";
    let doubt = format!("{large} divided by 3 is no whole number, and 38 digits do not show its fraction");
    assert_eq!(lines(third, quantities(&[large])), [format!("a/x = ! {doubt} <- x*1")]);
    assert_eq!(lines(third, quantities(&[LARGEST])), ["a/x = 33333333333333333333333333333333333333 <- x*1"]);
}

#[test]
fn a_unit_that_makes_the_result_too_large_puts_it_in_doubt() {
    let times = r#"{"x": {"use": "sum", "multiply": "10"}}"#;
    let doubt = format!("a/x = ! {LARGEST} multiplied by 10 has more than 38 digits <- x*1");
    assert_eq!(lines(times, quantities(&[LARGEST])), [doubt]);
    let by = r#"{"x": {"use": "sum", "divide": "0.1"}}"#;
    let doubt = format!("a/x = ! {LARGEST} divided by 0.1 has more than 38 digits <- x*1");
    assert_eq!(lines(by, quantities(&[LARGEST])), [doubt]);
}

#[test]
fn last_takes_the_latest_and_of_one_time_the_largest() {
    let rules = r#"{"x": "last"}"#;
    let usage =
        batch(&[("a", "x", "9", 5, &[]), ("a", "x", "2", 7, &[]), ("a", "x", "3", 7, &[]), ("a", "x", "1", 7, &[])]);
    assert_eq!(lines(rules, usage), ["a/x = 3 <- x*4"]);
}

#[test]
fn an_average_is_the_sum_divided_by_the_number_of_the_records_that_fit() {
    let usage = || {
        batch(&[
            ("a", "x", "1", 0, &[("ok", "1")]),
            ("a", "x", "1", 0, &[("ok", "1")]),
            ("a", "x", "2", 0, &[("ok", "1")]),
            ("a", "x", "100", 0, &[("ok", "0")]),
            ("b", "x", "-2", 0, &[("ok", "1")]),
            ("b", "x", "1", 0, &[("ok", "1")]),
        ])
    };
    let rules = r#"{"x": {"use": "average", "where": {"ok": "1"}}}"#;
    let (excluded, found) = run(rules, &[usage()]);
    assert_eq!(shown(&found), ["a/x = 1.3333333333333333333333333333333333333 <- x*3", "b/x = -0.5 <- x*2"]);
    assert_eq!(left_out(&excluded), ["a/x: where ok = 1, 1, 100"]);
    // The units come into the same division, so that it is cut once: a third, times 3, is 1.
    let rules = r#"{"x": {"use": "average", "multiply": "3", "divide": "0.5", "where": {"ok": "1"}}}"#;
    assert_eq!(shown(&run(rules, &[usage()]).1), ["a/x = 8 <- x*3", "b/x = -3 <- x*2"]);
    let several = r#"{"mean": {"use": "average", "from": ["x", "y"]}}"#;
    let usage = batch(&[("a", "x", "1", 0, &[]), ("a", "y", "2", 0, &[]), ("a", "y", "3", 0, &[])]);
    assert_eq!(lines(several, usage), ["a/mean = 2 <- x*1 y*2"]);
    let doubt = "the sum of 2 records has more than 38 digits";
    assert_eq!(lines(r#"{"x": "average"}"#, quantities(&[LARGEST, "1"])), [format!("a/x = ! {doubt} <- x*2")]);
}

/// Attributes of a sample, as Omnistrate names them.
fn pod(pod: &'static str, instance: &'static str) -> [(&'static str, &'static str); 2] {
    [("podName", pod), ("instanceId", instance)]
}

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

#[test]
fn of_several_samples_of_a_thing_in_an_hour_the_largest_counts() {
    let per_pod = r#"{"x": {"use": "sum_of_max", "per": ["podName", "instanceId"]}}"#;
    // Written again because the subscription was suspended: a sum bills 4.
    let twice = || batch(&[("a", "x", "2", 0, &pod("p-0", "i-1")), ("a", "x", "2", MINUTE, &pod("p-0", "i-1"))]);
    assert_eq!(lines(per_pod, twice()), ["a/x = 2 <- x*2"]);
    assert_eq!(lines(r#"{"x": "sum"}"#, twice()), ["a/x = 4 <- x*2"]);
    let usage = batch(&[
        ("a", "x", "1", 0, &pod("p-0", "i-1")),
        ("a", "x", "3", HOUR - 1, &pod("p-0", "i-1")),
        ("a", "x", "2", 30 * MINUTE, &pod("p-0", "i-1")),
        ("a", "x", "10", 0, &pod("p-1", "i-1")),
        ("a", "x", "20", 0, &pod("p-0", "i-2")),
        ("a", "x", "100", HOUR, &pod("p-0", "i-1")),
        ("a", "x", "1000", -1, &pod("p-0", "i-1")),
        ("b", "x", "1", 0, &pod("p-0", "i-1")),
    ]);
    assert_eq!(lines(per_pod, usage), ["a/x = 1133 <- x*7", "b/x = 1 <- x*1"]);
}

#[test]
fn groups_are_hours_unless_told_days_and_of_everything_unless_told_of_what() {
    let usage = || {
        batch(&[
            ("a", "x", "1", 0, &pod("p", "i")),
            ("a", "x", "2", HOUR, &pod("q", "i")),
            ("a", "x", "4", 23 * HOUR, &pod("p", "i")),
            ("a", "x", "8", 24 * HOUR, &pod("q", "i")),
            ("a", "x", "3", 24 * HOUR, &pod("p", "i")),
        ])
    };
    for (settings, result) in [
        (r#""per": "podName""#, "18"),
        (r#""per": "podName", "every": "hour""#, "18"),
        (r#""per": "podName", "every": "day""#, "17"),
        (r#""every": "day""#, "12"),
        (r#""per": "instanceId""#, "15"),
        (r#""every": "day", "multiply": "10""#, "120"),
    ] {
        let rules = format!(r#"{{"x": {{"use": "sum_of_max", {settings}}}}}"#);
        assert_eq!(lines(&rules, usage()), [format!("a/x = {result} <- x*5")], "{settings}");
    }
    assert_eq!(lines(r#"{"x": "sum_of_max"}"#, usage()), ["a/x = 15 <- x*5"]);
}

#[test]
fn an_absent_attribute_is_a_value_of_its_own_and_no_two_combinations_are_mixed_up() {
    let rules = r#"{"x": {"use": "sum_of_max", "per": ["podName", "instanceId"]}}"#;
    let usage = batch(&[
        ("a", "x", "1", 0, &[]),
        ("a", "x", "1", 0, &[]),
        ("a", "x", "10", 0, &[("podName", "")]),
        ("a", "x", "100", 0, &[("podName", "p")]),
        ("a", "x", "1000", 0, &[("instanceId", "p")]),
        ("a", "x", "10000", 0, &pod("p", "p")),
        ("a", "x", "100000", 0, &pod("pp", "")),
        ("a", "x", "1000000", 0, &pod("", "pp")),
    ]);
    assert_eq!(lines(rules, usage), ["a/x = 1111111 <- x*8"]);
    let none_at_all = batch(&[("a", "x", "5", 0, &[]), ("a", "x", "6", 0, &[])]);
    assert_eq!(lines(rules, none_at_all), ["a/x = 6 <- x*2"]);
}

#[test]
fn maxima_of_negative_quantities_are_the_nearest_to_zero_and_dimensions_are_told_apart() {
    let usage = batch(&[
        ("a", "x", "-3", 0, &[]),
        ("a", "x", "-1.5", 0, &[]),
        ("a", "y", "-1.50", HOUR, &[]),
        ("a", "y", "2", 0, &[]),
    ]);
    assert_eq!(
        lines(r#"{"x": "sum_of_max", "y": "sum_of_max"}"#, usage.clone()),
        ["a/x = -1.5 <- x*2", "a/y = 0.5 <- y*2"]
    );
    // As in Omnistrate's query, where the dimension is one of the columns to group by.
    assert_eq!(lines(r#"{"all": {"use": "sum_of_max", "from": ["x", "y"]}}"#, usage), ["a/all = -1 <- x*2 y*2"]);
    let usage = [quantities(&[LARGEST]), batch(&[("a", "x", "1", HOUR, &[])])];
    let (_, found) = run(r#"{"x": "sum_of_max"}"#, &usage);
    assert_eq!(shown(&found), ["a/x = ! the sum of the largest quantities has more than 38 digits <- x*2"]);
}

#[test]
fn records_that_do_not_fit_are_in_no_maximum() {
    let usage = batch(&[("a", "x", "9", 0, &[("ok", "0")]), ("a", "x", "2", 0, &[("ok", "1")])]);
    let (excluded, lines) = run(r#"{"x": {"use": "sum_of_max", "where": {"ok": "1"}}}"#, &[usage]);
    assert_eq!(shown(&lines), ["a/x = 2 <- x*1"]);
    assert_eq!(left_out(&excluded), ["a/x: where ok = 1, 1, 9"]);
}

#[test]
fn unique_counts_each_value_once_for_each_customer() {
    let usage = batch(&[
        ("a", "x", "1", 0, &[("user", "ann")]),
        ("a", "x", "1", 0, &[("user", "bob")]),
        ("a", "x", "1", 0, &[("user", "ann")]),
        ("b", "x", "1", 0, &[("user", "ann")]),
    ]);
    let (_, lines) = run(r#"{"x": {"use": "unique", "of": "user", "as": "users"}}"#, &[usage.clone(), usage]);
    assert_eq!(shown(&lines), ["a/users = 2 <- x*6", "b/users = 1 <- x*2"]);
}

#[test]
fn unique_counts_ids_unless_told_what() {
    let mut builder = BatchBuilder::new([""; 0]);
    for id in ["1", "2", "1"] {
        with_id(&mut builder, "", Some(id));
    }
    assert_eq!(lines(r#"{"x": "unique"}"#, builder.finish()), ["a/x = 2 <- x*3"]);
}

#[test]
fn a_record_without_what_unique_counts_puts_the_line_in_doubt() {
    let usage =
        batch(&[("a", "x", "1", 0, &[("user", "ann")]), ("a", "x", "1", 0, &[]), ("b", "x", "1", 0, &[("user", "")])]);
    assert_eq!(
        lines(r#"{"x": {"use": "unique", "of": "user"}}"#, usage.clone()),
        ["a/x = ! 1 of 2 records have no attribute \"user\", which the rule counts <- x*2", "b/x = 1 <- x*1"]
    );
    let no_ids = "a/x = ! 2 of 2 records have no id, which the rule counts <- x*2";
    assert_eq!(lines(r#"{"x": "unique"}"#, usage).first().unwrap(), no_ids);
}

#[test]
fn a_rule_reads_several_dimensions_into_one_line() {
    let usage = || {
        batch(&[
            ("a", "read", "2", 1, &[("user", "ann")]),
            ("a", "write", "3", 2, &[("user", "ann")]),
            ("a", "write", "1", 3, &[("user", "bob")]),
        ])
    };
    for (operation, result) in [("sum", "6"), ("count", "3"), ("min", "1"), ("max", "3"), ("last", "1")] {
        let rules = format!(r#"{{"all": {{"use": "{operation}", "from": ["write", "read"]}}}}"#);
        assert_eq!(lines(&rules, usage()), [format!("a/all = {result} <- read*1 write*2")], "{operation}");
    }
    let users = r#"{"all": {"use": "unique", "of": "user", "from": ["write", "read"]}}"#;
    assert_eq!(lines(users, usage()), ["a/all = 2 <- read*1 write*2"]);
}

#[test]
fn a_line_names_every_dimension_that_it_would_be_made_from_and_comes_only_of_records() {
    let usage = || {
        batch(&[
            ("a", "memory", "2", 0, &[]),
            ("b", "cpu", "3", 0, &[]),
            ("b", "disk", "4", 0, &[]),
            ("c", "other", "5", 0, &[]),
        ])
    };
    for operation in ["sum", "max"] {
        let rules =
            format!(r#"{{"all": {{"use": "{operation}", "from": ["memory", "disk", "cpu"]}}, "other": "sum"}}"#);
        let all_of_b = if operation == "sum" { 7 } else { 4 };
        assert_eq!(
            lines(&rules, usage()),
            [
                "a/all = 2 <- cpu*0 disk*0 memory*1",
                format!("b/all = {all_of_b} <- cpu*1 disk*1 memory*0").as_str(),
                "c/other = 5 <- other*1"
            ]
        );
    }
}

#[test]
fn a_dimension_of_which_no_record_fits_is_named_too() {
    let usage = batch(&[
        ("a", "cpu", "1", 0, &[("ok", "1")]),
        ("a", "memory", "2", 0, &[("ok", "0")]),
        ("b", "memory", "4", 0, &[("ok", "0")]),
    ]);
    let rules = r#"{"all": {"use": "sum", "from": ["memory", "cpu"], "where": {"ok": "1"}}}"#;
    let (excluded, lines) = run(rules, &[usage]);
    assert_eq!(shown(&lines), ["a/all = 1 <- cpu*1 memory*0"]);
    assert_eq!(left_out(&excluded), ["a/memory: where ok = 1, 1, 2", "b/memory: where ok = 1, 1, 4"]);
}

#[test]
fn several_rules_read_one_dimension() {
    let rules = r#"{"x": "sum", "calls": {"use": "count", "from": "x"}, "peak": {"use": "max", "from": "x"}}"#;
    assert_eq!(lines(rules, quantities(&["2", "3"])), ["a/calls = 2 <- x*2", "a/peak = 3 <- x*2", "a/x = 5 <- x*2"]);
}

#[test]
fn dimensions_that_are_not_named_are_refused_unless_the_file_says_otherwise() {
    let usage = || batch(&[("a", "x", "1", 0, &[]), ("a", "new", "7.50", 0, &[]), ("b", "x", "2", 0, &[])]);
    let held = "a/new = ! the dimension \"new\" is not named in the rules: add it to config.dimensions, or give \"*\" an \
                operation <- new*1";
    for rules in [r#"{"x": "sum"}"#, r#"{"x": "sum", "*": "refuse"}"#] {
        assert_eq!(lines(rules, usage()), [held, "a/x = 1 <- x*1", "b/x = 2 <- x*1"]);
    }
    let passed = lines(r#"{"x": "sum", "*": "count"}"#, usage());
    assert_eq!(passed, ["a/new = 1 <- new*1", "a/x = 1 <- x*1", "b/x = 2 <- x*1"]);
    let (excluded, dropped) = run(r#"{"x": "sum", "*": "drop"}"#, &[usage()]);
    assert_eq!(shown(&dropped), ["a/x = 1 <- x*1", "b/x = 2 <- x*1"]);
    assert_eq!(left_out(&excluded), ["a/new: dimension not billed, 1, 7.5"]);
}

#[test]
fn a_named_dimension_can_be_dropped_or_refused() {
    let usage = batch(&[("a", "x", "1", 0, &[]), ("a", "y", "2", 0, &[]), ("a", "z", "3", 0, &[])]);
    let (excluded, lines) = run(r#"{"x": "drop", "y": "refuse", "*": "sum"}"#, &[usage]);
    assert_eq!(shown(&lines), ["a/y = ! the rules refuse the dimension \"y\" <- y*1", "a/z = 3 <- z*1"]);
    assert_eq!(left_out(&excluded), ["a/x: dimension not billed, 1, 1"]);
}

#[test]
fn a_dimension_that_meets_another_ones_new_name_is_held_and_never_added_to_it() {
    let rules = r#"{"x": {"use": "sum", "as": "y"}, "*": "sum"}"#;
    let doubt = "the dimension \"y\" is not named in the rules, and config.dimensions.x makes one of the same name: name it too";
    let both =
        batch(&[("a", "x", "1", 0, &[]), ("a", "y", "2", 0, &[]), ("b", "y", "2", 0, &[]), ("c", "x", "2", 0, &[])]);
    assert_eq!(
        lines(rules, both),
        [format!("a/y = ! {doubt} <- x*1 y*1"), format!("b/y = ! {doubt} <- y*1"), "c/y = 2 <- x*1".to_owned()]
    );
}

#[test]
fn where_picks_records_and_the_rest_is_excluded_under_its_words() {
    let usage = batch(&[
        ("a", "x", "1", 0, &[("status", "200"), ("region", "eu")]),
        ("a", "x", "2", 0, &[("status", "500"), ("region", "eu")]),
        ("a", "x", "4", 0, &[("status", "200"), ("region", "us")]),
        ("a", "x", "8", 0, &[("region", "eu")]),
        ("b", "x", "16", 0, &[("status", "500")]),
    ]);
    let rules = r#"{"x": {"use": "sum", "where": {"status": {"less_than": "400"}, "region": "eu"}}}"#;
    let (excluded, lines) = run(rules, &[usage]);
    assert_eq!(shown(&lines), ["a/x = 1 <- x*1"]);
    let rule = "where region = \"eu\" and status < 400";
    assert_eq!(left_out(&excluded), [format!("a/x: {rule}, 3, 14"), format!("b/x: {rule}, 1, 16")]);
}

#[test]
fn a_record_is_excluded_only_if_no_rule_takes_it() {
    let usage = batch(&[
        ("a", "x", "1", 0, &[("status", "200")]),
        ("a", "x", "2", 0, &[("status", "404")]),
        ("a", "x", "4", 0, &[("status", "500")]),
    ]);
    let ok = r#""ok": {"use": "count", "from": "x", "where": {"status": {"less_than": "300"}}}"#;
    let failed = r#""failed": {"use": "sum", "from": "x", "where": {"status": {"at_least": "500"}}}"#;
    let (excluded, lines) = run(&format!("{{{ok}, {failed}}}"), std::slice::from_ref(&usage));
    assert_eq!(shown(&lines), ["a/failed = 4 <- x*1", "a/ok = 1 <- x*1"]);
    assert_eq!(left_out(&excluded), ["a/x: where status >= 500, or status < 300, 1, 2"]);
    let (excluded, lines) = run(&format!(r#"{{{ok}, {failed}, "x": "sum"}}"#), &[usage]);
    assert_eq!(shown(&lines), ["a/failed = 4 <- x*1", "a/ok = 1 <- x*1", "a/x = 7 <- x*3"]);
    assert_eq!(left_out(&excluded), [""; 0]);
}

#[test]
fn an_attribute_that_should_be_a_number_and_is_none_holds_the_line() {
    let usage = batch(&[("a", "x", "1", 0, &[("status", "200")]), ("a", "x", "2", 0, &[("status", "many")])]);
    let rules = r#"{"x": {"use": "sum", "where": {"status": {"less_than": "400"}}}}"#;
    assert_eq!(
        lines(rules, usage),
        ["a/x = ! 1 of 2 records have no number in \"status\", with which the rule compares <- x*2"]
    );
}

#[test]
fn what_is_left_out_and_cannot_be_added_up_is_held_instead() {
    let usage = batch(&[("a", "x", LARGEST, 0, &[]), ("a", "x", "1", 0, &[]), ("a", "x", "1", 0, &[("ok", "1")])]);
    let held = "the sum of the records that the rules leave out has more than 38 digits";
    let dropped = lines(r#"{"*": "drop"}"#, usage.clone());
    assert_eq!(dropped, [format!("a/x = ! {held} <- x*3")]);
    let unfit = lines(r#"{"x": {"use": "sum", "where": {"ok": "1"}}}"#, usage);
    assert_eq!(unfit, [format!("a/x = ! {held} <- x*3")]);
}

#[test]
fn lines_come_in_pages_and_the_end_stays_the_end() {
    let names: Vec<String> = (0..10_000).map(|number| format!("{number:05}")).collect();
    let records: Vec<_> = names.iter().rev().map(|name| (name.as_str(), "x", "1", 0, &[][..])).collect();
    let (_, by_customer) = run(r#"{"*": "sum"}"#, &[batch(&records)]);
    assert!(by_customer.iter().map(|line| &line.customer).eq(&names));
    let records: Vec<_> = names.iter().rev().map(|name| ("a", name.as_str(), "1", 0, &[][..])).collect();
    let (_, by_dimension) = run(r#"{"*": "sum"}"#, &[batch(&records)]);
    assert!(by_dimension.iter().map(|line| &line.dimension).eq(&names));
}

#[test]
fn a_window_without_usage_has_no_lines() {
    let (excluded, lines) = run(r#"{"*": "sum"}"#, &[batch(&[])]);
    assert_eq!((excluded, lines), (vec![], vec![]));
}
