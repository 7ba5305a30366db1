//! A report as it may come out of a busy month: two sinks, several windows, forty customers, and something of everything.

use crate::report::tests::counts;
use crate::report::{
    Exit, Incomplete, LedgerEnd, LeftOut, Line, LinePart, LineState, Missing, Problem, Report, WindowReport,
};

pub(super) fn report(windows: Vec<WindowReport>) -> Report {
    Report {
        pipeline: "postgres-prod".into(),
        run: None,
        dry_run: true,
        exit: Exit::Final,
        next_due: Some("2025-08-01T00:30:00Z".into()),
        incomplete: vec![],
        windows,
        publications: vec![],
        problems: vec![],
        notes: vec![],
        ledger: None,
    }
}

pub(super) fn charge(customer: &str, dimension: &str, quantity: &str, state: LineState) -> Line {
    Line {
        id: None,
        would_be: None,
        product: String::new(),
        customer: customer.into(),
        dimension: dimension.into(),
        tags: vec![],
        quantity: quantity.into(),
        exact: None,
        frozen: None,
        before: None,
        change: None,
        records: 744,
        parts: vec![],
        carried: vec![],
        accepted_until: None,
        state,
        reason: None,
        reference: None,
    }
}

pub(super) fn window(label: &str, sink: &str, lines: Vec<Line>) -> WindowReport {
    let (charges, records) = counts(&lines);
    let settled = charges.open() == 0;
    WindowReport {
        window: label.into(),
        sink: sink.into(),
        publishes: false,
        settled,
        records,
        quantities: vec![],
        charges,
        lines,
        excluded: vec![],
        compared_with: None,
        missing: vec![],
    }
}

const CUSTOMERS: [&str; 40] = [
    "acme",
    "globex",
    "initech",
    "hooli",
    "umbrella",
    "soylent",
    "stark-industries",
    "wayne-enterprises",
    "cyberdyne",
    "tyrell",
    "weyland-yutani",
    "massive-dynamic",
    "aperture",
    "black-mesa",
    "oscorp",
    "lexcorp",
    "gringotts",
    "wonka",
    "dunder-mifflin",
    "vandelay",
    "bluth",
    "sterling-cooper",
    "prestige-worldwide",
    "pied-piper",
    "raviga",
    "gekko",
    "nakatomi",
    "omni",
    "virtucon",
    "zorin",
    "spectre",
    "monsters-inc",
    "buy-n-large",
    "planet-express",
    "mom-corp",
    "סטארטאפ בע״מ",
    "株式会社東京データ",
    "subscription-0a4fbb21-5f6e-4a6f-9d3c-000000000000-production-eu-central-1",
    "Müller & Söhne GmbH",
    "<script>document.title=\"x\"</script>",
];

const DIMENSIONS: [(&str, u64, u8); 4] = [
    ("cpu_core_hours", 148_800, 2),
    ("memory_gib_hours", 595_200, 2),
    ("storage_gib_months", 5_120, 3),
    ("egress_gib", 910, 4),
];

/// A number that is the same in every run, and looks like any.
fn some(seed: u64, below: u64) -> u64 {
    let mixed = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33) % below
}

fn decimal(units: u64, scale: u8) -> String {
    let unit = 10_u64.pow(u32::from(scale));
    let text = format!("{}.{:0width$}", units / unit, units % unit, width = usize::from(scale));
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn change(now: &str, before: &str) -> Option<String> {
    super::super::amount::percent(now.parse().unwrap(), before.parse().unwrap())
}

fn month(label: &str, sink: &str, before: Option<&str>, seed: u64, settled: bool) -> WindowReport {
    let mut lines = Vec::new();
    for (customer, name) in CUSTOMERS.iter().enumerate() {
        for (dimension, &(what, most, scale)) in DIMENSIONS.iter().enumerate() {
            let seed = seed * 7 + customer as u64 * 31 + dimension as u64 * 1_009;
            let was = some(seed, most * 100) + 1;
            let now = was * (90 + some(seed + 5, 25)) / 100;
            let state = if settled { LineState::BilledBefore } else { LineState::WouldBill };
            let mut line = charge(name, what, &decimal(now, scale), state);
            line.records = 1 + some(seed, 744);
            if before.is_some() && some(seed + 9, 40) != 0 {
                line.before = Some(decimal(was, scale));
                line.change = change(&line.quantity, &decimal(was, scale));
            }
            lines.push(line);
        }
    }
    lines.sort_by(|left, right| (&left.customer, &left.dimension).cmp(&(&right.customer, &right.dimension)));
    let mut window = window(label, sink, lines);
    window.compared_with = before.map(str::to_owned);
    window
}

/// What the whole page can show.
pub(super) fn sample() -> Report {
    let mut windows = vec![
        month("2025-05", "clazar", Some("2025-04"), 3, true),
        month("2025-05", "marketplace", None, 11, true),
        month("2025-06", "clazar", Some("2025-05"), 5, false),
        month("2025-06", "marketplace", Some("2025-05"), 13, false),
        month("2025-07", "clazar", Some("2025-06"), 17, false),
        month("2025-07", "marketplace", Some("2025-06"), 19, false),
    ];
    {
        let june = &mut windows[2];
        let mut states = june.lines.iter_mut();
        let mut next = |skip: usize, change: &dyn Fn(&mut Line)| change(states.nth(skip).unwrap());
        next(2, &|line| {
            line.state = LineState::Held;
            line.reason = Some("1 record is quarantined: `value` is not there".into());
        });
        next(5, &|line| {
            line.state = LineState::Held;
            line.frozen = Some("1200.5".into());
            line.quantity = "1312".into();
            line.change = line.before.as_ref().and_then(|before| change("1312", before));
            line.reason = Some("usage came after the charge was frozen".into());
        });
        next(3, &|line| {
            line.state = LineState::Rejected;
            line.reason = Some("the contract is not active (CONTRACT_EXPIRED)".into());
        });
        next(1, &|line| {
            line.state = LineState::Unknown;
            line.reason = Some("a call with it left, and its answer was not written down".into());
        });
        next(4, &|line| {
            line.state = LineState::Zero;
            line.quantity = "0".into();
            line.exact = Some("0.0003".into());
            line.before = None;
            line.change = None;
        });
        next(2, &|line| {
            line.quantity = "1204911.88".into();
            line.change = line.before.as_ref().and_then(|before| change("1204911.88", before));
        });
        next(3, &|line| line.tags = vec![("region".into(), "eu-central-1".into()), ("tier".into(), "\"gold\"".into())]);
        next(3, &|line| {
            let part = |customer: &str, quantity: &str| LinePart {
                product: String::new(),
                customer: customer.into(),
                quantity: quantity.into(),
                records: 7,
            };
            line.parts = vec![part("user-1", "3"), part("user-2", "5.25"), part("user-3", "1"), part("user-4", "9")];
            line.quantity = "18.25".into();
            line.exact = Some("18.250001".into());
            line.before = Some("17.9".into());
            line.change = change("18.250001", "17.9");
        });
        let missing = |customer: &str, dimension: &str, before: &str| Missing {
            product: String::new(),
            customer: customer.into(),
            dimension: dimension.into(),
            tags: vec![],
            before: before.into(),
        };
        june.missing = vec![
            missing("hal-laboratories", "cpu_core_hours", "98112.25"),
            missing("hal-laboratories", "egress_gib", "3.0125"),
            missing("yoyodyne", "storage_gib_months", "410"),
        ];
        june.excluded = vec![
            LeftOut {
                rule: "free tier: below 1 GiB".into(),
                dimension: "egress_gib".into(),
                records: 812,
                quantity: Some("204.5".into()),
            },
            LeftOut { rule: "\"*\" = \"drop\"".into(), dimension: "debug_probe".into(), records: 31, quantity: None },
        ];
        june.settled = false;
        *june = WindowReport {
            compared_with: june.compared_with.clone(),
            missing: june.missing.clone(),
            excluded: june.excluded.clone(),
            ..window("2025-06", "clazar", june.lines.clone())
        };
        june.records.excluded = 843;
        june.records.quarantined = 1;
        june.records.read += 844;
        let lines = &mut windows[5].lines;
        for line in lines.iter_mut().skip(1).step_by(9) {
            line.product = "postgres".into();
        }
    }
    let problem = |code, input: &str, message: &str, action: &str| Problem {
        plugin: Some("sink.clazar (clazar 0.1.0)".into()),
        step: Some("freezing".into()),
        input: Some(input.into()),
        action: Some(action.into()),
        ..Problem::new(code, message)
    };
    Report {
        exit: Exit::Open,
        incomplete: vec![Incomplete {
            window: "2025-08".into(),
            complete_until: Some("2025-08-01T07:00:00Z".into()),
            overdue: true,
        }],
        publications: vec![],
        problems: vec![
            problem(
                "quarantined",
                "2025-06: 2025/06/04/11/sub-a.json, record 3",
                "what acme owes for storage_gib_months is held: `value` is not there",
                "mend the record; a run then bills what is held",
            ),
            problem(
                "late",
                "2025-06",
                "cpu_core_hours of aperture is held: 1200.5 then, 1312 now",
                "see what changed; the difference is not billed, and nothing is taken back",
            ),
            problem(
                "unknown",
                "2025-06: egress_gib of black-mesa, 12",
                "the charge may or may not be billed: a call with it left, and its answer was not written down",
                "nobody can ask this service: see whether it has the charge, and say so\nmeterhost ledger resolve pipeline.toml 8daa74a7c1d2 billed --reason \"…\"",
            ),
            problem(
                "rejected",
                "2025-06: cpu_core_hours of bluth, 3",
                "the charge was refused: the contract is not active",
                "mend the cause; a run then offers it again",
            ),
            problem(
                "rejected",
                "2025-06: egress_gib of bluth, 3",
                "the charge was refused: the contract is not active",
                "mend the cause; a run then offers it again",
            ),
        ],
        notes: vec!["3 objects do not fit `layout`, such as `tmp/<b>x</b>.json`".into()],
        ledger: Some(LedgerEnd { place: "postgres-prod.ledger.db".into(), entries: 1_412, hash: "3fa9".repeat(16) }),
        ..report(windows)
    }
}
