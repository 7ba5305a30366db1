//! Formulas: they mean what they mean in Python, exactly; they read what they name; and nothing else parses.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{configured, left_out, run_configured, shown};
use meterhost_sdk::testing::batch;
use meterhost_sdk::{Batch, Error};
use serde_json::{Value, json};

/// Usage of customer `a`: the variables of `formulas/expected.py`, without `z`, of which there is none.
fn variables() -> Batch {
    batch(&[
        ("a", "a", "3", 0, &[]),
        ("a", "a", "4", 0, &[]),
        ("a", "b", "-2.5", 0, &[]),
        ("a", "c", "0.01", 0, &[]),
        ("a", "d", "9007199254740993", 0, &[]),
        ("a", "e", "1073741824", 0, &[]),
    ])
}

/// A configuration with one formula, which makes `out`.
fn one(formula: &str) -> Value {
    json!({ "formulas": [{ "as": "out", "formula": formula }] })
}

/// Lines of one formula over usage; nothing may be left out.
fn lines(formula: &str, usage: Batch) -> Vec<String> {
    let (excluded, lines) = run_configured(&one(formula), &[usage]);
    assert_eq!(left_out(&excluded), [""; 0]);
    shown(&lines)
}

/// What is wrong with a configuration.
fn wrong(config: &Value) -> String {
    match configured(config).err() {
        Some(Error::Config(message)) => message,
        other => panic!("{config} is taken: {other:?}"),
    }
}

#[test]
fn a_formula_gives_what_python_gives_with_fractions_instead_of_floats() {
    let table = include_str!("formulas/exact.txt");
    let cases: Vec<(String, &str)> = table
        .lines()
        .map(|line| line.rsplit_once(" => ").unwrap())
        .map(|(formula, result)| (formula.replace("\\n", "\n"), result))
        .collect();
    assert!(cases.len() >= 400);
    // All of them read all variables, so that each is billed for its customer.
    let names: Vec<String> = (1000..).take(cases.len()).map(|number| number.to_string()).collect();
    let formulas: Vec<Value> = names
        .iter()
        .zip(&cases)
        .map(|(name, (formula, _))| json!({ "as": name, "formula": format!("({formula}\n) + 0 * (a + b + c + d + e + z)") }))
        .collect();
    let (excluded, lines) = run_configured(&json!({ "formulas": formulas }), &[variables()]);
    assert_eq!(excluded, []);
    assert_eq!(lines.len(), cases.len());
    for (line, (formula, result)) in lines.iter().zip(&cases) {
        let found = line.doubt.as_ref().map_or(line.quantity.to_string(), |_| "!".to_owned());
        assert_eq!(&found, result, "{formula}: {line:?}");
    }
}

#[test]
fn what_a_person_wrote_for_the_exporter_is_exact_here() {
    let usage = || {
        batch(&[
            ("a", "cpu_core_hours", "0.29", 0, &[]),
            ("a", "memory_byte_hours", "9007199254740993", 0, &[]),
            ("b", "replica_hours", "3", 0, &[]),
        ])
    };
    let formula = "cpu_core_hours / 0.01 + memory_byte_hours - 9007199254740993 + replica_hours * 2";
    assert_eq!(
        lines(formula, usage()),
        [
            "a/out = 29 <- cpu_core_hours*1 memory_byte_hours*1 replica_hours*0",
            "b/out = -9007199254740987 <- cpu_core_hours*0 memory_byte_hours*0 replica_hours*1"
        ]
    );
}

#[test]
fn a_customer_with_nothing_that_the_formula_names_has_no_charge_and_what_nobody_names_is_held() {
    let usage = batch(&[("a", "gpu_hours", "5", 0, &[]), ("b", "cpu", "4", 0, &[])]);
    let held = "a/gpu_hours = ! the dimension \"gpu_hours\" is not named in the rules: add it to config.dimensions, or give \"*\" \
                an operation <- gpu_hours*1";
    assert_eq!(lines("cpu / 2 + memory", usage), [held, "b/out = 2 <- cpu*1 memory*0"]);
}

#[test]
fn a_formula_that_fails_holds_that_customers_charge_and_no_other() {
    let usage = || {
        batch(&[
            ("a", "cpu", "4", 0, &[]),
            ("a", "pods", "2", 0, &[]),
            ("b", "cpu", "4", 0, &[]),
            ("c", "cpu", "4", 0, &[]),
            ("c", "pods", "0", 0, &[]),
        ])
    };
    let doubt = "the formula fails: it divides by 0 (\"pods\" at character 7)";
    assert_eq!(
        lines("cpu / pods", usage()),
        [
            "a/out = 2 <- cpu*1 pods*1".to_owned(),
            format!("b/out = ! {doubt} <- cpu*1 pods*0"),
            format!("c/out = ! {doubt} <- cpu*1 pods*1")
        ]
    );
    let large = "a number on the way has more than 1,200 digits";
    for (formula, doubt) in [
        ("9 ** (9 ** cpu ** cpu)", format!("{large} (\"9 ** cpu ** cpu\" at character 7)")),
        ("10 ** (cpu * 10 ** 9)", format!("{large} (\"cpu * 10 ** 9\" at character 8)")),
        ("9**9**9 + cpu", format!("{large} (\"9**9\" at character 4)")),
        ("cpu ** (1 / cpu)", "an exponent is no whole number (\"1 / cpu\" at character 9)".to_owned()),
        (
            "1 + round(cpu, 1 / cpu)",
            "the number of digits to round to is no whole number (\"round(cpu, 1 / cpu)\" at character 5)".to_owned(),
        ),
        ("round(cpu, 10 ** cpu)", format!("{large} (\"round(cpu, 10 ** cpu)\" at character 1)")),
        ("cpu * 10 ** 38", "the result has more than 38 digits".to_owned()),
        ("cpu * 10 ** 37 / 1.5", "the result is no whole number, and 38 digits do not show its fraction".to_owned()),
    ] {
        let usage = batch(&[("a", "cpu", "4", 0, &[])]);
        assert_eq!(lines(formula, usage), [format!("a/out = ! the formula fails: {doubt} <- cpu*1")], "{formula}");
    }
}

#[test]
fn a_sum_that_does_not_fit_holds_the_formulas_that_read_it() {
    let largest = "99999999999999999999999999999999999999";
    let usage = batch(&[
        ("a", "cpu", largest, 0, &[]),
        ("a", "cpu", "1", 0, &[]),
        ("a", "pods", "1", 0, &[]),
        ("b", "cpu", "1", 0, &[]),
    ]);
    let config = json!({ "formulas": [
        { "as": "one", "formula": "pods if pods else cpu" },
        { "as": "two", "formula": "pods * 2" },
    ] });
    let (_, lines) = run_configured(&config, &[usage]);
    let expected = [
        "a/one = ! \"cpu\": the sum of 2 records has more than 38 digits <- cpu*2 pods*1",
        "a/two = 2 <- pods*1",
        "b/one = 1 <- cpu*1 pods*0",
    ];
    assert_eq!(shown(&lines), expected);
}

#[test]
fn what_is_more_than_arithmetic_does_not_parse() {
    let allowed = "a formula is made of numbers, names, parentheses, + - * / // % **, comparisons, `and`, `or`, `not`, `x if y else \
                   z`, and the functions abs, float, int, max, min, round";
    for (formula, part, at) in [
        (
            "cpu + ().__class__.__base__.__subclasses__().__len__()",
            "().__class__.__base__.__subclasses__().__len__()",
            7,
        ),
        ("abs.__self__", "abs.__self__", 1),
        ("cpu.__class__", "cpu.__class__", 1),
        ("(lambda: 1)()", "(lambda: 1)()", 1),
        ("lambda: cpu", "lambda: cpu", 1),
        ("[x for x in (1,)]", "[x for x in (1,)]", 1),
        ("(x for x in cpu)", "(x for x in cpu)", 1),
        ("{cpu}", "{cpu}", 1),
        ("{cpu: 1}", "{cpu: 1}", 1),
        ("cpu + [1]", "[1]", 7),
        ("cpu[0]", "cpu[0]", 1),
        ("(cpu, 1)", "(cpu, 1)", 1),
        ("cpu, 1", "cpu, 1", 1),
        ("min(*cpu)", "*cpu", 5),
        ("max(1, cpu, key=abs)", "key=abs", 13),
        ("min(1, cpu, **cpu)", "**cpu", 13),
        ("round(cpu, digits=2)", "digits=2", 12),
        ("(cpu := 5)", "cpu := 5", 2),
        ("f'{cpu}'", "f'{cpu}'", 1),
        ("t'{cpu}'", "t'{cpu}'", 1),
        ("'cpu'", "'cpu'", 1),
        ("cpu + b'x'", "b'x'", 7),
        ("cpu * 'x'", "'x'", 7),
        ("True", "True", 1),
        ("cpu or None", "None", 8),
        ("cpu + ...", "...", 7),
        ("1j * cpu", "1j", 1),
        ("~cpu", "~cpu", 1),
        ("cpu & 1", "cpu & 1", 1),
        ("cpu << 1", "cpu << 1", 1),
        ("cpu @ cpu", "cpu @ cpu", 1),
        ("cpu is 1", "cpu is 1", 1),
        ("cpu in cpu", "cpu in cpu", 1),
        ("await cpu", "await cpu", 1),
        ("(yield cpu)", "yield cpu", 2),
    ] {
        let message = format!("formulas[0].formula: this cannot be part of it ({part:?} at character {at}): {allowed}");
        assert_eq!(wrong(&one(formula)), message, "{formula}");
    }
    for (formula, message) in [
        ("__import__('os')", format!("there is no function \"__import__\"; {allowed} (\"__import__('os')\" at character 1)")),
        ("cpu + sum(cpu)", format!("there is no function \"sum\"; {allowed} (\"sum(cpu)\" at character 7)")),
        ("eval(cpu)", format!("there is no function \"eval\"; {allowed} (\"eval(cpu)\" at character 1)")),
        ("abs + cpu", "a function is called with parentheses, as in abs(x) (\"abs\" at character 1)".into()),
        ("abs(cpu, 1)", "abs takes one value (\"abs(cpu, 1)\" at character 1)".into()),
        ("int()", "int takes one value (\"int()\" at character 1)".into()),
        ("1 + max(cpu)", "max takes two values or more (\"max(cpu)\" at character 5)".into()),
        ("round(cpu, 1, 2)", "round takes one value, and perhaps a number of digits (\"round(cpu, 1, 2)\" at character 1)".into()),
        ("cpu / 0", "it divides by 0 (\"0\" at character 7)".into()),
        ("cpu % 0.00", "it divides by 0 (\"0.00\" at character 7)".into()),
        ("cpu ** 0.5", "an exponent has to be a whole number (\"0.5\" at character 8)".into()),
        ("cpu * 1e5000", "a number has too many digits (\"1e5000\" at character 7)".into()),
        ("1 + 2", "it names no dimension, so that nothing would ever be billed by it".into()),
        ("cpu +", "it is no expression in Python's syntax, at character 6: expected an expression".into()),
        ("cpu cpu", "it is no expression in Python's syntax, at character 5: unexpected token at the end of an expression".into()),
        ("cpu = 1", "it is no expression in Python's syntax, at character 5: unexpected token at the end of an expression".into()),
        ("cpu; cpu", "it is no expression in Python's syntax, at character 4: unexpected token at the end of an expression".into()),
        ("import os", "it is no expression in Python's syntax, at character 1: expected an identifier, but found a keyword `import` that cannot be used here".into()),
        ("ä + 'ö", "it is no expression in Python's syntax, at character 5: missing closing quote in string literal".into()),
    ] {
        assert_eq!(wrong(&one(formula)), format!("formulas[0].formula: {message}"), "{formula}");
    }
}

#[test]
fn no_formula_is_so_long_or_deep_that_it_exhausts_the_stack() {
    let deep = |open: &str, close: &str, times: usize| format!("{}cpu{}", open.repeat(times), close.repeat(times));
    for formula in [
        deep("(", ")", 900),
        deep("[", "]", 900),
        deep("-", "", 1900),
        deep("not ", "", 400),
        deep("2**", "", 600),
        deep("abs(", ")", 300),
        deep("1 if 1 else ", "", 150),
        deep("lambda: ", "", 200),
        deep("f'{", "}'", 300),
        deep("await ", "", 300),
        deep("*", "", 1900),
    ] {
        assert_eq!(wrong(&one(&formula)), "formulas[0].formula: it is nested more than 50 levels deep", "{formula}");
    }
    assert_eq!(wrong(&one(&"(".repeat(2001))), "formulas[0].formula: it has 2001 bytes, and 2000 are the most");
    let usage = || batch(&[("a", "cpu", "2", 0, &[])]);
    assert_eq!(lines(&deep("(", ")", 50), usage()), ["a/out = 2 <- cpu*1"]);
    assert_eq!(lines(&deep("-", "", 49), usage()), ["a/out = -2 <- cpu*1"]);
    assert_eq!(lines(&format!("cpu{}", "+1".repeat(998)), usage()), ["a/out = 1000 <- cpu*1"]);
    assert_eq!(lines(&format!("cpu{}", "<9".repeat(998)), usage()), ["a/out = 0 <- cpu*1"]);
}

#[test]
fn an_entry_may_be_empty_and_a_half_of_one_may_not() {
    let usage = || batch(&[("a", "cpu", "2", 0, &[])]);
    let empty = json!({ "as": "", "formula": " " });
    let config =
        json!({ "formulas": [{ "as": "x", "formula": "cpu" }, empty, { "as": "y", "formula": " cpu * 2\n" }] });
    let (_, lines) = run_configured(&config, &[usage()]);
    assert_eq!(shown(&lines), ["a/x = 2 <- cpu*1", "a/y = 4 <- cpu*1"]);
    for (formulas, message) in [
        (
            json!([{ "as": "x", "formula": "" }]),
            "formulas[0].formula: it is empty, and `as` is not: write the formula, or empty both",
        ),
        (
            json!([empty, { "as": "", "formula": "cpu" }]),
            "formulas[1].as: it is empty, and `formula` is not: name the dimension that goes out",
        ),
        (
            json!([empty, empty]),
            "formulas: every one is empty, so that nothing would be billed by them: write one, or leave the list away",
        ),
        (json!([{ "as": "*", "formula": "cpu" }]), "formulas[0].as: it is the name of a dimension, not \"*\""),
        (
            json!([{ "as": "x", "formula": "cpu" }, { "as": "x", "formula": "cpu" }]),
            "formulas[1].as: formulas[0] makes the dimension \"x\" already; give one of them another name",
        ),
    ] {
        assert_eq!(wrong(&json!({ "formulas": formulas })), message);
    }
}

#[test]
fn formulas_and_rules_stand_side_by_side() {
    let config = json!({
        "dimensions": { "cpu": "sum", "memory": { "use": "max", "as": "peak" } },
        "formulas": [{ "as": "both", "formula": "cpu + memory" }],
    });
    let usage = batch(&[("a", "cpu", "2", 0, &[]), ("a", "memory", "3", 0, &[]), ("a", "memory", "4", 0, &[])]);
    let (excluded, lines) = run_configured(&config, &[usage]);
    assert_eq!(excluded, []);
    assert_eq!(shown(&lines), ["a/both = 9 <- cpu*1 memory*2", "a/cpu = 2 <- cpu*1", "a/peak = 4 <- memory*2"]);
    // A formula may make a dimension of the name that it reads, unless a rule makes one already.
    assert_eq!(lines_of(&json!({ "formulas": [{ "as": "cpu", "formula": "cpu / 2" }] })), ["a/cpu = 1 <- cpu*1"]);
    for (config, message) in [
        (
            json!({ "dimensions": { "cpu": "sum" }, "formulas": [{ "as": "cpu", "formula": "cpu / 2" }] }),
            "formulas[0].as: dimensions.cpu makes the dimension \"cpu\" already; give one of them another name",
        ),
        (
            json!({ "dimensions": { "cpu": "drop" }, "formulas": [{ "as": "x", "formula": "cpu / 2" }] }),
            "formulas[0].formula: another rule drops or refuses the dimension \"cpu\", so it cannot be read as well",
        ),
        (
            json!({
                "dimensions": { "cpu": "refuse" },
                "formulas": [{ "as": "x", "formula": "c / 2" }],
                "variables": { "c": { "use": "sum", "from": "cpu" } },
            }),
            "variables.c.from: another rule drops or refuses the dimension \"cpu\", so it cannot be read as well",
        ),
        (
            json!({ "dimensions": { "*": "drop" }, "formulas": [{ "as": "x", "formula": "cpu / 2" }] }),
            "dimensions.\"*\": with formulas and \"*\" = \"drop\", `variables` has to list the names that formulas use: else a name \
             with a mistake in it would be a dimension without usage, and the right one would be dropped",
        ),
    ] {
        assert_eq!(wrong(&config), message);
    }
}

/// Lines of a configuration over two units of `cpu`.
fn lines_of(config: &Value) -> Vec<String> {
    shown(&run_configured(config, &[batch(&[("a", "cpu", "2", 0, &[])])]).1)
}

#[test]
fn variables_say_what_a_name_stands_for_and_others_are_none() {
    let config = json!({
        "formulas": [{ "as": "out", "formula": "gpu * 10 + tokens + mean / 2 * 2" }],
        "variables": {
            "gpu": { "use": "max", "from": "gpu-hours" },
            "tokens": { "use": "sum", "from": ["tokens.in", "tokens.out"], "where": { "tier": "paid" } },
            "mean": { "use": "average", "from": "gpu-hours" },
            "spare": "sum",
        },
    });
    let usage = batch(&[
        ("a", "gpu-hours", "2", 0, &[]),
        ("a", "gpu-hours", "1", 0, &[]),
        ("a", "gpu-hours", "1", 0, &[]),
        ("a", "tokens.in", "100", 0, &[("tier", "paid")]),
        ("a", "tokens.in", "7", 0, &[("tier", "free")]),
        ("b", "tokens.out", "5", 0, &[("tier", "paid")]),
        ("c", "tokens.out", "5", 0, &[]),
        ("c", "spare", "6", 0, &[]),
    ]);
    let (excluded, lines) = run_configured(&config, &[usage]);
    assert_eq!(
        shown(&lines),
        [
            "a/out = 121.33333333333333333333333333333333333 <- gpu-hours*3 tokens.in*1 tokens.out*0",
            "b/out = 5 <- gpu-hours*0 tokens.in*0 tokens.out*1"
        ]
    );
    assert_eq!(
        left_out(&excluded),
        [
            "a/tokens.in: where tier = \"paid\", 1, 7",
            "c/spare: used by no formula, 1, 6",
            "c/tokens.out: where tier = \"paid\", 1, 5"
        ]
    );
    let formulas = json!([{ "as": "x", "formula": "cpu + 1" }]);
    for (variables, message) in [
        (
            json!({ "cpus": "sum", "mem": "sum" }),
            "formulas[0].formula: \"cpu\" is no variable (\"cpu\" at character 1): there are cpus, mem",
        ),
        (
            json!({ "gpu-hours": "sum" }),
            "variables.gpu-hours: a formula cannot name it so: call it by letters, digits and _, and write from = \"gpu-hours\" if \
             that is the dimension",
        ),
        (
            json!({ "max": "sum" }),
            "variables.max: a formula cannot name it so: call it by letters, digits and _, and write from = \"max\" if that is the \
             dimension",
        ),
        (json!({ "cpu": "drop" }), "variables.cpu: a variable is a number: it can be neither dropped nor refused"),
        (
            json!({ "cpu": { "use": "sum", "divide": "2" } }),
            "variables.cpu.divide: a variable does not take it: write it in the formula",
        ),
        (
            json!({ "cpu": { "use": "sum", "as": "x" } }),
            "variables.cpu.as: a variable does not take it: write it in the formula",
        ),
        (json!({ "cpu": { "use": "sum", "from": ["a", "a"] } }), "variables.cpu.from: it names \"a\" twice"),
        (json!({ "cpu": { "use": "sum", "where": { "a": [] } } }), "variables.cpu.where.a: it lists no value"),
    ] {
        assert_eq!(wrong(&json!({ "formulas": formulas, "variables": variables })), message);
    }
    let idle = json!({ "dimensions": { "cpu": "sum" }, "variables": { "cpu": "sum" } });
    assert_eq!(wrong(&idle), "variables: it is for formulas, and there are none");
    let idle = json!({ "dimensions": { "cpu": "sum" }, "prices": "p" });
    assert_eq!(wrong(&idle), "prices: it is for formulas, and there are none");
}

#[test]
fn everything_that_no_formula_names_is_dropped_only_with_a_list_of_names() {
    let config = json!({
        "dimensions": { "*": "drop" },
        "formulas": [{ "as": "out", "formula": "cpu" }],
        "variables": { "cpu": "sum" },
    });
    let usage = batch(&[("a", "cpu", "1", 0, &[]), ("a", "other", "2", 0, &[])]);
    let (excluded, lines) = run_configured(&config, &[usage]);
    assert_eq!(shown(&lines), ["a/out = 1 <- cpu*1"]);
    assert_eq!(left_out(&excluded), ["a/other: dimension not billed, 1, 2"]);
}

#[test]
fn a_record_that_several_variables_take_is_counted_once_and_one_that_none_takes_is_excluded_once() {
    let config = json!({
        "formulas": [{ "as": "net", "formula": "ok - failed + slow * 0" }, { "as": "slow", "formula": "slow" }],
        "variables": {
            "ok": { "use": "count", "from": "request", "where": { "status": { "less_than": "400" } } },
            "failed": { "use": "count", "from": "request", "where": { "status": { "at_least": "500" } } },
            "slow": { "use": "count", "from": "request", "where": { "slow": "1" } },
        },
    });
    let usage = batch(&[
        ("a", "request", "1", 0, &[("status", "200"), ("slow", "1")]),
        ("a", "request", "2", 0, &[("status", "200"), ("slow", "0")]),
        ("a", "request", "4", 0, &[("status", "500"), ("slow", "1")]),
        ("a", "request", "8", 0, &[("status", "404"), ("slow", "0")]),
        ("a", "request", "16", 0, &[("status", "404"), ("slow", "1")]),
        ("b", "request", "32", 0, &[("status", "404"), ("slow", "0")]),
    ]);
    let (excluded, lines) = run_configured(&config, &[usage]);
    assert_eq!(shown(&lines), ["a/net = 1 <- request*4", "a/slow = 3 <- request*3"]);
    let rule = "where status < 400, or status >= 500, or slow = 1";
    assert_eq!(left_out(&excluded), [format!("a/request: {rule}, 1, 8"), format!("b/request: {rule}, 1, 32")]);
}

#[test]
fn a_total_price_is_the_sum_of_price_times_quantity() {
    let config = json!({
        "formulas": [{ "as": "out", "formula": "cpu_total_price * 100 + 0 * cpu" }],
        "prices": "pricePerUnit",
    });
    let usage = batch(&[
        ("a", "cpu", "3", 0, &[("pricePerUnit", "0.05")]),
        ("a", "cpu", "1.5", 0, &[("pricePerUnit", "5e-2")]),
        ("a", "cpu", "1000", 0, &[]),
        ("b", "cpu", "2", 0, &[("pricePerUnit", "free")]),
        ("b", "cpu", "2", 0, &[("pricePerUnit", "1")]),
        ("c", "cpu", "7", 0, &[("pricePerUnit", "0.1")]),
        ("e", "cpu", "1", 0, &[("pricePerUnit", "")]),
    ]);
    let large = batch(&[("d", "cpu", "99999999999999999999999999999999999999", 0, &[("pricePerUnit", "10")])]);
    let (excluded, lines) = run_configured(&config, &[usage, large]);
    assert_eq!(excluded, []);
    let no_number =
        |of: u8| format!("\"cpu_total_price\": 1 of {of} records have a price in \"pricePerUnit\" that is no number");
    assert_eq!(
        shown(&lines),
        [
            "a/out = 22.5 <- cpu*3".to_owned(),
            format!("b/out = ! {} <- cpu*2", no_number(2)),
            "c/out = 70 <- cpu*1".to_owned(),
            "d/out = ! \"cpu_total_price\": what 1 of 1 records cost has more than 38 digits <- cpu*1".to_owned(),
            format!("e/out = ! {} <- cpu*1", no_number(1)),
        ]
    );
    // A price of a variable is that of its records.
    let config = json!({
        "formulas": [{ "as": "out", "formula": "dear_total_price" }],
        "variables": { "dear": { "use": "count", "from": "cpu", "where": { "pricePerUnit": { "at_least": "0.1" } } } },
        "prices": "pricePerUnit",
    });
    let usage =
        batch(&[("a", "cpu", "7", 0, &[("pricePerUnit", "0.1")]), ("a", "cpu", "7", 0, &[("pricePerUnit", "0.01")])]);
    let (excluded, lines) = run_configured(&config, &[usage]);
    assert_eq!(shown(&lines), ["a/out = 0.7 <- cpu*1"]);
    assert_eq!(left_out(&excluded), ["a/cpu: where pricePerUnit >= 0.1, 1, 7"]);
}

#[test]
fn a_total_price_needs_the_attribute_that_holds_the_price() {
    assert_eq!(
        wrong(&one("cpu_total_price")),
        "formulas[0].formula: \"cpu_total_price\" is the price of the records (\"cpu_total_price\" at character 1), and `prices`, which \
         names the attribute with the price of a unit, is not given"
    );
    let formulas = json!([{ "as": "x", "formula": "gpu_total_price" }]);
    assert_eq!(
        wrong(&json!({ "formulas": formulas, "variables": { "cpu": "sum" }, "prices": "p" })),
        "formulas[0].formula: \"gpu_total_price\" is no variable (\"gpu_total_price\" at character 1): there are cpu, and each of them \
         with \"_total_price\""
    );
    assert_eq!(
        wrong(&json!({ "formulas": formulas, "prices": "" })),
        "prices: it is the name of an attribute, not \"\""
    );
}

#[test]
fn products_have_formulas_of_their_own() {
    let usage = |product, quantity| meterhost_sdk::testing::Usage {
        customer: "a",
        product,
        dimension: "cpu",
        quantity,
        ..Default::default()
    };
    let usage = meterhost_sdk::testing::usage(&[usage("p", "1"), usage("q", "2"), usage("p", "4")]);
    assert_eq!(lines("cpu * 2", usage), ["p/a/out = 10 <- cpu*2", "q/a/out = 4 <- cpu*1"]);
}

#[test]
fn what_is_owed_without_usage_is_owed_by_each_customer_with_a_record_of_any_variable() {
    let usage = || {
        batch(&[
            ("a", "cpu", "7", 0, &[]),
            ("b", "memory", "5", 0, &[("tier", "paid")]),
            ("b", "memory", "1", 0, &[("tier", "free")]),
            ("c", "disk", "1", 0, &[]),
        ])
    };
    let run = |formulas: Value| {
        let where_paid = json!({ "use": "sum", "where": { "tier": { "not": "free" } } });
        let variables = json!({ "cpu": "sum", "memory": where_paid, "disk": "sum" });
        run_configured(&json!({ "formulas": formulas, "variables": variables }), &[usage()])
    };
    let (excluded, lines) = run(json!([{ "as": "least", "formula": "max(cpu, 1)" }]));
    assert_eq!(
        shown(&lines),
        [
            "a/least = 7 <- cpu*1 disk*0 memory*0",
            "b/least = 1 <- cpu*0 disk*0 memory*1",
            "c/least = 1 <- cpu*0 disk*1 memory*0"
        ]
    );
    assert_eq!(left_out(&excluded), ["b/memory: where tier != \"free\", 1, 1"]);
    // A formula beside it that is 0 without usage goes on to be for those who have usage of it.
    let (_, lines) = run(json!([{ "as": "fee", "formula": "0.29 / 0.01" }, { "as": "twice", "formula": "cpu * 2" }]));
    assert_eq!(
        shown(&lines),
        [
            "a/fee = 29 <- cpu*1 disk*0 memory*0",
            "a/twice = 14 <- cpu*1",
            "b/fee = 29 <- cpu*0 disk*0 memory*1",
            "c/fee = 29 <- cpu*0 disk*1 memory*0"
        ]
    );
    // Without a list, the variables are those of all formulas.
    let formulas = json!([{ "as": "fee", "formula": "29" }, { "as": "sum", "formula": "cpu + memory" }]);
    let usage = batch(&[("a", "cpu", "7", 0, &[]), ("b", "memory", "5", 0, &[])]);
    let (_, lines) = run_configured(&json!({ "formulas": formulas }), &[usage]);
    assert_eq!(
        shown(&lines),
        [
            "a/fee = 29 <- cpu*1 memory*0",
            "a/sum = 7 <- cpu*1 memory*0",
            "b/fee = 29 <- cpu*0 memory*1",
            "b/sum = 5 <- cpu*0 memory*1"
        ]
    );
}
