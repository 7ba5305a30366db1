//! Formulas and sums of maxima, from a folder of usage to the books: the exporter's environment goes on working, exactly.

use serde_json::json;

use crate::support::{Ended, Stage, bill};

/// The variables in which the exporter had its formulas.
type Environment<'a> = [(&'a str, &'a str)];

/// A pipeline whose formulas come from the environment, as the exporter's did; the second and third are optional.
fn stage() -> Stage {
    let stage = Stage::new();
    stage.replace(
        "start  = \"2025-06\"",
        "start  = \"2025-06\"\nenv    = { DIMENSION2_NAME = \"\", DIMENSION2_FORMULA = \"\", DIMENSION3_NAME = \"\", DIMENSION3_FORMULA = \"\" }",
    );
    stage.replace(
        "config.layout",
        "config.attributes = { price = \"/pricePerUnit\", pod = \"/podName\" }\nconfig.layout",
    );
    stage.replace(
        "config.dimensions = { \"*\" = \"sum\" }",
        r#"
config.prices = "price"
config.formulas = [
    { as = "${DIMENSION1_NAME}", formula = "${DIMENSION1_FORMULA}" },
    { as = "${DIMENSION2_NAME}", formula = "${DIMENSION2_FORMULA}" },
    { as = "${DIMENSION3_NAME}", formula = "${DIMENSION3_FORMULA}" },
]

[aggregate.rules.config.variables]
memory_byte_hours = "sum"
storage_allocated_byte_hours = "sum"
cpu_core_hours = "sum"
replica_hours = "sum"
"#,
    );
    stage
}

/// One object of usage: customer, dimension, value and price as JSON text.
fn usage(stage: &Stage, hour: &str, records: &[(&str, &str, &str, &str)]) {
    let records: Vec<String> = records
        .iter()
        .map(|(customer, dimension, value, price)| {
            format!(
                r#"{{"externalPayerId":"{customer}","dimension":"{dimension}","value":{value},"pricePerUnit":{price}}}"#
            )
        })
        .collect();
    stage.object(
        &format!("omnistrate-metering/Postgres/PROD/pt-1/2025/06/{hour}/sub.json"),
        &format!("[{}]", records.join(",")),
    );
}

fn run(stage: &Stage, environment: &Environment<'_>) -> Ended {
    stage.command("run", &["--json"], environment)
}

#[test]
fn formulas_are_billed_exactly() {
    let stage = stage();
    usage(
        &stage,
        "01/00",
        &[
            ("A", "cpu_core_hours", "0.29", "0.05"),
            ("A", "memory_byte_hours", "9007199254740993", "null"),
            ("B", "replica_hours", "4", "5e-2"),
        ],
    );
    usage(&stage, "30/23", &[("B", "replica_hours", "7", "0.01"), ("B", "cpu_core_hours", "2", "1")]);
    let environment = [
        ("DIMENSION1_NAME", "pods"),
        ("DIMENSION1_FORMULA", "cpu_core_hours / 0.01 + memory_byte_hours"),
        ("DIMENSION3_NAME", "cents"),
        ("DIMENSION3_FORMULA", "int(round(replica_hours_total_price * 100, 1) // 1)"),
    ];
    run(&stage, &environment).expect(0);
    let billed = [("A", "pods", "9007199254741022"), ("B", "cents", "27"), ("B", "pods", "200")];
    assert_eq!(stage.billed(), bill(&billed));
    let sent = stage.submissions();
    run(&stage, &environment).expect(0);
    assert_eq!(stage.submissions(), sent, "what is billed is not offered again");
}

#[test]
fn a_division_by_zero_holds_one_customers_charge_and_everyone_else_is_billed() {
    let stage = stage();
    usage(
        &stage,
        "01/00",
        &[
            ("A", "cpu_core_hours", "8", "0"),
            ("A", "replica_hours", "2", "0"),
            ("B", "cpu_core_hours", "8", "0"),
            ("C", "gpu_hours", "5", "0"),
        ],
    );
    let environment = [
        ("DIMENSION1_NAME", "cores"),
        ("DIMENSION1_FORMULA", "cpu_core_hours / replica_hours"),
        ("DIMENSION2_NAME", "double"),
        ("DIMENSION2_FORMULA", "cpu_core_hours * 2"),
    ];
    let ended = run(&stage, &environment);
    let held = |message: &str| {
        json!({
            "code": "aggregate",
            "plugin": "sink.clazar (clazar 0.1.0)",
            "step": "freezing",
            "input": "2025-06",
            "message": message,
        })
    };
    let mut problems = stage.problems(ended.expect(1));
    for problem in problems.as_array_mut().unwrap() {
        problem.as_object_mut().unwrap().remove("action");
    }
    assert_eq!(
        problems,
        json!([
            held("cores of B is held: the formula fails: it divides by 0 (\"replica_hours\" at character 18)"),
            held(
                "gpu_hours of C is held: the dimension \"gpu_hours\" is not named in the rules: add it to config.dimensions, or give \
                 \"*\" an operation"
            ),
        ])
    );
    assert_eq!(stage.billed(), bill(&[("A", "cores", "4"), ("A", "double", "16"), ("B", "double", "16")]));
    // What was missing comes late.
    usage(&stage, "01/01", &[("B", "replica_hours", "4", "0")]);
    run(&stage, &environment).expect(1);
    let mut billed = bill(&[("A", "cores", "4"), ("A", "double", "16"), ("B", "double", "16"), ("B", "cores", "2")]);
    assert_eq!(stage.billed(), billed);
    // As are the dimensions of a customer that the formulas do not know.
    stage.replace(
        "replica_hours = \"sum\"",
        "replica_hours = \"sum\"\n\n[aggregate.rules.config.dimensions]\ngpu_hours = \"sum\"",
    );
    run(&stage, &environment).expect(0);
    billed.extend(bill(&[("C", "gpu_hours", "5")]));
    assert_eq!(stage.billed(), billed);
}

#[test]
fn a_bad_formula_is_shown_where_it_stands_and_nothing_is_touched() {
    let stage = stage();
    usage(&stage, "01/00", &[("A", "cpu_core_hours", "8", "0")]);
    let name = ("DIMENSION1_NAME", "pods");
    let allowed = "a formula is made of numbers, names, parentheses, + - * / // % **, comparisons, `and`, `or`, `not`, `x if y else \
                   z`, and the functions abs, float, int, max, min, round";
    for (formula, message) in [
        (
            "cpu_core_hours + ().__class__.__base__.__subclasses__().__len__()",
            format!("this cannot be part of it (\"().__class__.__base__.__subclasses__().__len__()\" at character 18): {allowed}"),
        ),
        (
            "__import__('os')",
            format!("there is no function \"__import__\"; {allowed} (\"__import__('os')\" at character 1)"),
        ),
        (
            "cpu_core_hour / 2",
            "\"cpu_core_hour\" is no variable (\"cpu_core_hour\" at character 1): there are cpu_core_hours, memory_byte_hours, \
             replica_hours, storage_allocated_byte_hours, and each of them with \"_total_price\""
                .to_owned(),
        ),
        ("cpu_core_hours /", "it is no expression in Python's syntax, at character 17: expected an expression".to_owned()),
        (&"(".repeat(1500), "it is nested more than 50 levels deep".to_owned()),
        ("", "it is empty, and `as` is not: write the formula, or empty both".to_owned()),
    ] {
        let environment = [name, ("DIMENSION1_FORMULA", formula)];
        for command in ["check", "plan", "run"] {
            let ended = stage.command(command, &["--json"], &environment);
            let expected = json!([{
                "code": "configuration",
                "input": "FOLDER/pipeline.toml:19:44",
                "message": format!("aggregate.rules (rules 0.1.0): formulas[0].formula: {message}"),
            }]);
            assert_eq!(stage.problems(ended.expect(2)), expected, "{command}");
        }
        stage.command("check", &[], &environment).says("\"${DIMENSION1_FORMULA}\"").says("────");
    }
    stage.touched_nothing();
    // The longest and deepest that are taken.
    for formula in [
        format!("cpu_core_hours{}", "+0".repeat(992)),
        format!("{}cpu_core_hours{}", "(0 or 1 and not 1 < 2 * ".repeat(25), ")".repeat(25)),
        format!("{}cpu_core_hours", "-".repeat(50)),
        format!("{}cpu_core_hours", "1**".repeat(50)),
        format!("{}cpu_core_hours{}", "abs(".repeat(50), ")".repeat(50)),
        format!("{}cpu_core_hours", "0 if 0 else ".repeat(50)),
    ] {
        stage.command("plan", &[], &[name, ("DIMENSION1_FORMULA", &formula)]).expect(0);
    }
}

#[test]
fn a_sample_that_was_written_again_counts_once_by_the_hour_of_its_path() {
    let stage = Stage::new();
    stage.replace("config.layout", "config.attributes = { pod = \"/podName\" }\nconfig.layout");
    stage.replace("{ \"*\" = \"sum\" }", "{ \"*\" = { use = \"sum_of_max\", per = \"pod\" } }");
    let object = |hour: &str, name: &str, records: &[(&str, u32)]| {
        let records: Vec<String> = records
            .iter()
            .map(|(pod, value)| {
                let time = "2025-06-01T09:00:00Z";
                format!(r#"{{"timestamp":"{time}","externalPayerId":"A","dimension":"cpu","podName":"{pod}","value":{value}}}"#)
            })
            .collect();
        let key = format!("omnistrate-metering/Postgres/PROD/pt-1/2025/06/{hour}/{name}.json");
        stage.object(&key, &format!("[{}]", records.join(",")));
    };
    object("01/00", "one", &[("p-0", 2), ("p-1", 1)]);
    object("01/00", "again", &[("p-0", 2)]);
    object("01/01", "one", &[("p-0", 2)]);
    stage.bills_once(&[("A", "cpu", "5")]);
}
