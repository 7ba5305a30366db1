//! What a container is told by its environment: names, numbers and lengths through `${NAME}`.

use crate::support::{Ended, Stage, bill};

/// Runs with variables, in the place of these keys.
fn run(stage: &Stage, variables: &[(&str, &str)]) -> Ended {
    stage.command("run", &[], variables)
}

fn file(stage: &Stage, keys: &str) {
    let text = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    stage.pipeline(&format!("{keys}\n{text}"));
}

#[test]
fn how_many_windows_a_run_takes_up_is_a_number_whatever_its_default_is_written_as() {
    for default in ["12", "\"12\""] {
        let stage = Stage::new();
        file(&stage, &format!("env = {{ MAX_MONTHS_PER_RUN = {default} }}\nmax_windows = \"${{MAX_MONTHS_PER_RUN}}\""));
        stage.replace("\"2025-06\"", "\"2025-05\"");
        stage.usage("2025/05/01/00", "a", &[("A", "cpu", "1")]);
        stage.usage("2025/06/01/00", "a", &[("B", "cpu", "2")]);
        let none = run(&stage, &[("MAX_MONTHS_PER_RUN", "0")]);
        none.expect(0).says("2 more windows wait for later runs: max_windows = 0");
        stage.touched_nothing();
        run(&stage, &[("MAX_MONTHS_PER_RUN", "1")]).expect(0).says("1 more window waits");
        assert_eq!(stage.billed(), bill(&[("A", "cpu", "1")]));
        for wrong in ["-1", "1.5", "twelve", ""] {
            run(&stage, &[("MAX_MONTHS_PER_RUN", wrong)]).expect(2).says("whole number");
        }
        run(&stage, &[]).expect(0);
        assert_eq!(stage.billed(), bill(&[("A", "cpu", "1"), ("B", "cpu", "2")]));
    }
}

#[test]
fn whether_a_run_is_dry_is_said_by_a_word() {
    let stage = Stage::new();
    file(&stage, "env = { DRY_RUN = false }\ndry_run = \"${DRY_RUN}\"");
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "1")]);
    for yes in ["true", "True", "TRUE", "1", "yes", "YES"] {
        run(&stage, &[("DRY_RUN", yes)]).expect(0).says("dry run, nothing was changed");
    }
    // What is neither is no reason to bill somebody.
    for neither in ["", "on", "ja", " true"] {
        run(&stage, &[("DRY_RUN", neither)]).expect(2).says("set it to true, false, 1, 0, yes or no");
    }
    stage.touched_nothing();
    run(&stage, &[("DRY_RUN", "No")]).expect(0);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "1")]));
}

#[test]
fn for_how_long_a_call_is_tried_again_is_a_length_of_time() {
    let stage = Stage::new();
    file(&stage, "env = { RETRY_BUDGET = \"60s\" }");
    stage.replace("retry_budget = \"5s\"", "retry_budget = \"${RETRY_BUDGET}\"");
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "1")]);
    run(&stage, &[("RETRY_BUDGET", "soon")]).expect(2).says("`sink.clazar.retry_budget` must be a length of time");
    stage.touched_nothing();
    let down = clazar_emulator::Fault::before_commit(503).on(clazar_emulator::Endpoint::Authenticate).forever();
    stage.emulator.push_fault(down);
    let begun = std::time::Instant::now();
    run(&stage, &[("RETRY_BUDGET", "0s")]).expect(1);
    assert!(begun.elapsed() < std::time::Duration::from_secs(30), "its default is a minute");
    stage.emulator.clear_faults();
    run(&stage, &[]).expect(0);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "1")]));
}

#[test]
fn several_plans_share_a_bucket_and_a_ledger_under_names_of_their_own() {
    let stage = Stage::on_a_file();
    stage.replace(
        "name   = \"postgres-prod\"",
        "name = \"${SERVICE_NAME}:${ENVIRONMENT_TYPE}:${PLAN_ID}\"\nledger = \"sqlite:all.ledger.db\"",
    );
    stage.replace("/pt-1/", "/${PLAN_ID}/");
    for (plan, customer) in [("pt-1", "A"), ("Données été", "B")] {
        let key = format!("omnistrate-metering/Postgres/PROD/{plan}/2025/06/01/00/a.json");
        stage.object(&key, &format!(r#"[{{"externalPayerId":"{customer}","dimension":"cpu","value":1}}]"#));
    }
    let variables =
        |plan: &'static str| [("SERVICE_NAME", "My Postgres"), ("ENVIRONMENT_TYPE", "PROD"), ("PLAN_ID", plan)];
    run(&stage, &variables("pt-1")).expect(0).says("My Postgres:PROD:pt-1");
    run(&stage, &variables("Données été")).expect(0);
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "1"), ("B", "cpu", "1")]));
    let sent = stage.submissions();
    run(&stage, &variables("pt-1")).expect(0);
    run(&stage, &variables("Données été")).expect(0);
    assert_eq!(stage.submissions(), sent);
    run(&stage, &variables("pt-1\n2")).expect(2).says("`name` must be a name");
    run(&stage, &variables("pt-1 ")).expect(2).says("`name` must be a name");
}

#[test]
fn the_ledger_of_whatever_name_lies_beside_the_file() {
    let long = "ü".repeat(100);
    for (name, ledger) in [
        ("My Postgres:PROD:Données été", "My Postgres-PROD-Données été.ledger.db"),
        ("../../etc/p", "-.-..-etc-p.ledger.db"),
        ("..", "-..ledger.db"),
        (&long, &format!("{long}.ledger.db")),
        ("a?mode=memory#%41", "a-mode=memory#%41.ledger.db"),
    ] {
        let stage = Stage::on_a_file();
        stage.replace("\"postgres-prod\"", "\"${NAME}\"");
        stage.usage("2025/06/01/00", "a", &[("A", "cpu", "1")]);
        run(&stage, &[("NAME", name)]).expect(0);
        assert!(stage.path(ledger).is_file(), "{name}");
        run(&stage, &[("NAME", name)]).expect(0);
        assert_eq!(stage.submissions(), 1, "{name}");
        stage.command("plan", &[], &[("NAME", name)]).expect(0);
    }
}

#[test]
fn what_the_environment_says_of_a_table_or_role_is_not_repeated() {
    let stage = Stage::new();
    stage.replace(
        "grant  = { read = \"file://./bucket\" }",
        "grant = { read = \"file://./bucket\", role = \"${ROLE}\", aws = { \"dynamodb:Query\" = [\"${TABLE}\"] } }",
    );
    let ended = run(&stage, &[("TABLE", "no table, but a password"), ("ROLE", "hunter2hunter2")]);
    ended.expect(2).says("`${TABLE}` names no table").says("`${ROLE}` is not the ARN of a role");
    for hidden in ["password", "hunter2"] {
        assert!(!format!("{}{}", ended.stdout, ended.stderr).contains(hidden), "{ended:?}");
    }
    stage.touched_nothing();
}
