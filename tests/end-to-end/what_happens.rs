//! The table "What happens when…" of the README, row by row: what meterhost does, and that the command beside it resolves it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clazar_emulator::{Fault, Settings};
use rustix::process::Signal;
use s3_proxy::{Act, Kind};

use crate::explained::id_of;
use crate::races::signal;
use crate::support::{Backend, Stage, bill, component, ended, settings};
use crate::zombies::{asleep_at, woken};

fn stage(ledger: Backend) -> Stage {
    let stage = Stage::on(ledger, settings());
    stage.begin_early();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("B", "cpu", "3")]);
    stage
}

/// Asserts that it is billed by now, with one submission for each charge at most.
#[track_caller]
fn is_billed_once(stage: &Stage) {
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "3")]));
    stage.command("status", &[], &[]).expect(0);
    stage.command("ledger verify", &[], &[]).expect(0);
}

#[test]
fn a_run_crashes_or_is_killed() {
    for ledger in Backend::both() {
        let stage = stage(ledger);
        let killed = stage.command("run", &[], &[("METERHOST_FAILPOINT", "submitted")]);
        assert_eq!(killed.exit, -1);
        stage.command("status", &[], &[]).expect(1);
        stage.run().expect(0);
        assert_eq!(stage.submissions(), 1, "it is found in the service's books");
        is_billed_once(&stage);
    }
}

#[test]
fn it_is_interrupted() {
    for ledger in Backend::both() {
        for how in [Signal::TERM, Signal::INT] {
            let stage = stage(match ledger {
                Backend::Sqlite => Backend::Sqlite,
                Backend::S3(_) => Backend::s3(),
            });
            stage.replace("config = { cloud", "config = { charges_per_call = 1, cloud");
            stage.emulator.push_fault(Fault::Slow { before_ms: 800, after_ms: 0 });
            let run = stage.step("run").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let begun = Instant::now();
            while !stage.command("ledger show", &[], &[]).stdout.contains("unknown") {
                assert!(begun.elapsed() < Duration::from_secs(30), "nothing leaves");
            }
            signal(&run, how);
            ended(run.wait_with_output().unwrap()).expect(130).says("interrupted; the ledger is consistent");
            assert_eq!(stage.submissions(), 1, "the call that is under way is ended, and no other begun");
            stage.run().expect(0);
            is_billed_once(&stage);
        }
    }
}

#[test]
fn a_call_times_out_or_gets_no_clear_answer() {
    for ledger in Backend::both() {
        let stage = stage(ledger);
        stage.emulator.push_fault(Fault::drop_after_commit());
        stage.run().expect(0);
        assert_eq!(stage.submissions(), 1);
        is_billed_once(&stage);
    }
    // Whose service cannot be asked.
    let stage = stage(Backend::Sqlite);
    let text = Stage::usual();
    let (before, _) = text.split_once("[sink.clazar]").unwrap();
    let sink = |way: &str| {
        format!(
            "{before}[sink.clazar]\nplugin = \"{}\"\nretry_budget = \"0s\"\n\
             config = {{ way = \"{way}\", resolution = \"ask\", url = \"${{CLAZAR_URL}}\" }}\ngrant.http = \"${{CLAZAR_URL}}\"\n",
            component("failing").display()
        )
    };
    stage.pipeline(&sink("lost"));
    let left = stage.run();
    let [a, b] = ["A", "B"].map(|customer| id_of(&stage, customer));
    left.expect(1).says("meterhost ledger resolve ").says(&format!("{a} billed|not-billed"));
    std::thread::sleep(Duration::from_millis(1100));
    for (charge, verdict) in [(&a, "billed"), (&b, "not-billed")] {
        stage.command("ledger resolve", &[charge, verdict, "--reason", "their portal", "--yes"], &[]).expect(0);
    }
    stage.pipeline(&sink("proper"));
    stage.run().expect(0);
    stage.command("status", &[], &[]).expect(0);
}

#[test]
fn two_runs_meet() {
    for ledger in Backend::both() {
        let stage = stage(ledger);
        stage.lease("4s");
        stage.emulator.push_fault(Fault::Slow { before_ms: 4000, after_ms: 0 });
        let first = stage.step("run").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while !stage.command("status", &["--json"], &[]).stdout.contains("\"holder\": \"") {
            assert!(begun.elapsed() < Duration::from_secs(30), "nobody holds it");
        }
        let pid = format!("process {}", first.id());
        stage.run().expect(5).says(&pid).says("since").says("--wait 10m");
        stage.command("run", &["--wait", "10m"], &[]).expect(0);
        ended(first.wait_with_output().unwrap()).expect(0);
        is_billed_once(&stage);
    }
}

#[test]
fn a_run_on_another_machine_hangs() {
    let stage = stage(Backend::s3());
    stage.lease("1h");
    let asleep = asleep_at(&stage, "delivering");
    stage.command("ledger unlock", &[], &[]).expect(2).says("say --yes");
    stage.command("ledger unlock", &["--yes"], &[]).expect(0);
    stage.run().expect(0);
    assert_eq!(woken(asleep).exit, 5);
    is_billed_once(&stage);
}

#[test]
fn the_ledger_is_lost() {
    for ledger in Backend::both() {
        let stage = stage(ledger);
        stage.run().expect(0);
        // All of it: the next run begins anew.
        stage.lose_the_ledger();
        stage
            .run()
            .expect(0)
            .says("there is no record of this pipeline in ")
            .says("looked up at clazar before it is sent");
        assert_eq!(stage.submissions(), 1);
        is_billed_once(&stage);
        // All but its head.
        match &stage.ledger {
            Backend::Sqlite => std::fs::remove_file(stage.path("postgres-prod.ledger.db")).unwrap(),
            Backend::S3(bucket) => {
                for key in bucket.store.keys(&bucket.name).iter().filter(|key| key.contains("/segments/")) {
                    bucket.store.delete(&bucket.name, key);
                }
            }
        }
        stage.run().expect(4).says("ledger accept");
        stage.command("ledger accept", &["--yes"], &[]).expect(0);
        stage.run().expect(0);
        assert_eq!(stage.submissions(), 1);
        is_billed_once(&stage);
    }
}

#[test]
fn an_older_copy_of_the_ledger_is_put_back() {
    let stage = stage(Backend::Sqlite);
    let file = stage.path("postgres-prod.ledger.db");
    let copy = std::fs::read(&file).unwrap();
    stage.run().expect(0);
    std::fs::write(&file, copy).unwrap();
    stage.run().expect(4).says("ledger accept");
    assert_eq!(stage.submissions(), 1);
    stage.command("ledger accept", &["--yes"], &[]).expect(0).says("are lost with it");
    stage.run().expect(0);
    assert_eq!(stage.submissions(), 1, "what the lost entries billed is found");
    is_billed_once(&stage);
}

#[test]
fn the_ledger_is_damaged_or_edited() {
    for ledger in Backend::both() {
        let stage = stage(ledger);
        stage.run().expect(0);
        let put_back: Box<dyn Fn()> = match &stage.ledger {
            Backend::Sqlite => {
                let file = stage.path("postgres-prod.ledger.db");
                let whole = std::fs::read(&file).unwrap();
                let at = whole.windows(8).position(|part| part == b"accepted").unwrap();
                let mut edited = whole.clone();
                edited[at..at + 8].copy_from_slice(b"rejected");
                std::fs::write(&file, edited).unwrap();
                Box::new(move || std::fs::write(&file, &whole).unwrap())
            }
            Backend::S3(bucket) => {
                let keys = bucket.store.keys(&bucket.name).into_iter();
                let key = keys.filter(|key| key.contains("/segments/")).nth(1).unwrap();
                let whole = bucket.store.get(&bucket.name, &key).unwrap();
                bucket.store.put(&bucket.name, &key, &whole[..whole.len() / 2]);
                Box::new(move || {
                    bucket.store.put(&bucket.name, &key, &whole);
                })
            }
        };
        let sent = stage.emulator.requests().len();
        stage.run().expect(4).says("`meterhost ledger verify FILE` names all that is wrong");
        stage.command("ledger verify", &[], &[]).expect(4);
        assert_eq!(stage.emulator.requests().len(), sent);
        put_back();
        stage.run().expect(0);
        is_billed_once(&stage);
    }
}

/// In a file system of its own, in which it is given a little more room each time.
#[test]
fn the_disk_is_full() {
    let stage = stage(Backend::Sqlite);
    let customers: Vec<String> = (0..100).map(|number| format!("customer-{number:03}")).collect();
    let many: Vec<_> = customers.iter().map(|customer| (customer.as_str(), "cpu", "7")).collect();
    stage.usage("2025/06/01/00", "b", &many);
    let (small, script) = (stage.path("small"), stage.path("fill.sh"));
    std::fs::create_dir(&small).unwrap();
    std::fs::write(
        &script,
        "mount -t tmpfs -o size=$1k none \"$2\" || exit 99\nroom=$1; shift 2\n\
         until \"$@\"; do\n  code=$?\n  [ $code = 4 ] || exit $code\n  echo grown >&2\n  room=$((room + room / 4 + 4))\n\
         [ $room -lt 2000 ] || exit 98\n  mount -o remount,size=${room}k none \"$SMALL\" || exit 97\ndone\n",
    )
    .unwrap();
    let mut run = stage.step("run");
    run.arg("--ledger").arg(format!("sqlite:{}", small.join("ledger.db").display())).env("SMALL", &small);
    let shell = [script.to_str().unwrap(), "8", small.to_str().unwrap()];
    let may = Command::new("unshare").args(["-rm", "true"]).output().is_ok_and(|output| output.status.success());
    if !may {
        eprintln!("skipped: this user may make no file system of its own");
        return;
    }
    let done = ended(crate::support::through("unshare", &[&["-rm", "sh"], &shell[..]].concat(), run).output().unwrap());
    done.expect(0).says("there is no room left");
    let times = done.stderr.matches("grown").count();
    assert!(times > 3, "it was full at {times} places");
    assert_eq!(stage.billed().len(), 102, "each once: nothing leaves that is not written down");
}

#[test]
fn the_ledger_may_not_be_written() {
    let stage = stage(Backend::Sqlite);
    let (folder, script) = (stage.path("mounted"), stage.path("protect.sh"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(
        &script,
        "mount -t tmpfs none \"$1\" || exit 99\nmount -o remount,ro none \"$1\" || exit 98\nfolder=$1; shift\n\"$@\"\n\
         [ $? = 4 ] || exit 97\nmount -o remount,rw none \"$folder\" || exit 96\nexec \"$@\"\n",
    )
    .unwrap();
    let mut run = stage.step("run");
    run.arg("--ledger").arg(format!("sqlite:{}", folder.join("ledger.db").display()));
    let shell = ["-rm", "sh", script.to_str().unwrap(), folder.to_str().unwrap()];
    match Command::new("unshare").args(["-rm", "true"]).output().is_ok_and(|output| output.status.success()) {
        true => {
            let done = ended(crate::support::through("unshare", &shell, run).output().unwrap());
            done.expect(0).says("it is read-only").says("allow this user to write to the file and its folder");
            assert_eq!(stage.billed(), bill(&[("A", "cpu", "2"), ("B", "cpu", "3")]));
        }
        false => eprintln!("skipped in part: this user may make no file system of its own"),
    }

    // A bucket of whose policy somebody has taken that.
    let stage = self::stage(Backend::s3());
    let Backend::S3(bucket) = &stage.ledger else { unreachable!() };
    bucket.proxy.push_fault(s3_proxy::Fault::on(Kind::Put, Act::access_denied()).always());
    stage.run().expect(4).says("AccessDenied").says("see to the bucket, its permissions and the network");
    assert_eq!(stage.submissions(), 0);
    bucket.proxy.clear_faults();
    stage.run().expect(0);
    is_billed_once(&stage);
}

#[test]
fn the_services_credentials_have_expired() {
    for ledger in Backend::both() {
        let stage = stage(ledger);
        let ended = stage.command("run", &[], &[("CLAZAR_CLIENT_SECRET", "one of last year")]);
        ended.expect(1).says("see to the credentials that `grant.secrets` names, and run again");
        assert_eq!(stage.submissions(), 0);
        stage.run().expect(0);
        is_billed_once(&stage);
    }
}

#[test]
fn the_buckets_credentials_have_expired() {
    let expired = || Act::error(400, "ExpiredToken", "The provided token has expired.");
    let stage = stage(Backend::s3());
    let Backend::S3(bucket) = &stage.ledger else { unreachable!() };
    for skip in 0..12 {
        for kind in [Kind::Put, Kind::Get, Kind::List] {
            bucket.proxy.push_fault(s3_proxy::Fault::on(kind, expired()).after(skip).always());
        }
        let ended = stage.run();
        bucket.proxy.clear_faults();
        assert!([0, 4, 5].contains(&ended.exit), "{skip}: {ended:?}");
        if ended.exit == 4 {
            ended.says("ExpiredToken").says("run again: nothing was sent that is not written down");
        }
    }
    stage.run().expect(0);
    is_billed_once(&stage);

    // Those of the bucket that usage is read from.
    let stage = self::stage(Backend::s3());
    let Backend::S3(bucket) = &stage.ledger else { unreachable!() };
    let key = "omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/00/a.json";
    bucket.store.put(&bucket.name, key, &std::fs::read(stage.path("bucket").join(key)).unwrap());
    stage.replace("file://./bucket", &format!("s3://{}", bucket.name));
    let folder = "omnistrate-metering/";
    bucket.proxy.push_fault(s3_proxy::Fault::on(Kind::List, expired()).prefix(folder).always());
    stage.run().expect(1).says("ExpiredToken");
    bucket.proxy.clear_faults();
    bucket.proxy.push_fault(s3_proxy::Fault::on(Kind::Get, expired()).key(key).always());
    stage.run().expect(1).says("ExpiredToken");
    assert_eq!(stage.submissions(), 0);
    bucket.proxy.clear_faults();
    stage.run().expect(0);
    is_billed_once(&stage);
}

#[test]
fn the_service_refuses_a_charge() {
    let refuse = ["B".to_owned()].into();
    let stage = Stage::with(Settings { refuse_contracts: refuse, ..settings() });
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "2"), ("B", "cpu", "3")]);
    stage.run().expect(1).says("Clazar answered 400");
    stage.command("explain", &[&id_of(&stage, "B")], &[]).expect(0).says("mend what the service names");
    assert_eq!(stage.billed(), bill(&[("A", "cpu", "2")]));
    stage.run().expect(1);
}
