//! Courses of usage, tables and crashes by chance, against a model of what a set may hold: a run does what the plan before it shows, the one
//! after it changes nothing, what readers are shown lies between what they were shown and what is owed, and is that once nothing is held.

use std::collections::{BTreeMap, BTreeSet};

use crate::chance::Chance;
use crate::sets::{JUNE, Sets, months};

/// Courses of a quick run, and of one with `METERHOST_LONG`.
const SEEDS: u64 = 10;
const MANY_SEEDS: u64 = 300;

const STEPS: u64 = 8;

#[derive(Clone)]
struct Record {
    customer: Option<&'static str>,
    dimension: &'static str,
    /// Of one that cannot be used, nothing.
    value: Option<i64>,
    size: Option<&'static str>,
}

impl Record {
    fn is_usable(&self) -> bool {
        self.customer.is_some() && self.value.is_some()
    }

    fn json(&self) -> String {
        let text = |name: &str, value: Option<&str>| value.map(|value| format!(r#""{name}":"{value}""#));
        let value = self.value.map_or_else(|| r#""many""#.to_owned(), |value| value.to_string());
        let fields = [
            text("externalPayerId", self.customer),
            text("dimension", Some(self.dimension)),
            text("size", self.size),
            Some(format!(r#""value":{value}"#)),
        ];
        format!("[{{{}}}]", fields.into_iter().flatten().collect::<Vec<_>>().join(","))
    }
}

/// What tells charges apart: the hour, and what a line of the set says besides the quantity.
type Name = (u8, String);
/// A customer's usage of a dimension in an hour.
type Usage = (u8, &'static str, &'static str);
type Amounts = BTreeMap<Name, i64>;

struct World {
    sets: Sets,
    chance: Chance,
    /// By hour, and a number.
    records: BTreeMap<(u8, u32), Record>,
    table: BTreeMap<&'static str, &'static str>,
    /// Whose usage may stand in what readers are shown.
    behind: BTreeMap<Name, BTreeSet<Usage>>,
    count: u32,
}

const CUSTOMERS: [&str; 3] = ["u1", "u2", "u3"];

impl World {
    fn new(seed: u64) -> World {
        let sets = Sets::new();
        sets.0.replace("config.fields", "config.attributes = { size = \"/size\" }\nconfig.fields");
        sets.0.replace("\"*\" = \"sum\" }", "\"*\" = \"sum\" }\nconfig.tags = [\"size\"]");
        sets.0.replace("[sink.out]", "[sink.out]\ncustomers = \"customers.csv\"");
        let table = BTreeMap::from([("u1", "P"), ("u2", "Q"), ("u3", "R")]);
        let (records, behind) = (BTreeMap::new(), BTreeMap::new());
        let mut world = World { sets, chance: Chance::of_seed(seed), records, table, behind, count: 0 };
        (0..5).for_each(|_| world.add());
        world
    }

    fn fresh(&mut self) -> Record {
        Record {
            customer: Some(self.chance.of(&CUSTOMERS)),
            dimension: self.chance.of(&["cpu", "mem"]),
            value: Some(self.chance.of(&[1, 2, 5, 9])),
            size: self.chance.of(&[Some("a"), Some("b"), None]),
        }
    }

    fn add(&mut self) {
        self.count += 1;
        let (hour, record) = (self.chance.of(&[5, 6]), self.fresh());
        self.records.insert((hour, self.count), record);
    }

    /// Something that becomes of usage.
    fn change(&mut self) {
        let keys: Vec<(u8, u32)> = self.records.keys().copied().collect();
        if keys.is_empty() {
            return self.add();
        }
        let key = self.chance.of(&keys);
        let (what, other) = (self.chance.below(11), self.fresh());
        let customer = self.chance.of(&CUSTOMERS);
        let payer = self.chance.of(&["P", "Q", "R", "S"]);
        let minus = -self.chance.of(&[1, 3, 20]);
        let record = self.records.get_mut(&key).unwrap();
        match what {
            0 | 1 => self.add(),
            2 => _ = self.records.remove(&key),
            3 if record.is_usable() => record.value = other.value,
            4 if record.is_usable() => record.dimension = other.dimension,
            5 if record.is_usable() => record.value = Some(minus),
            6 => record.size = other.size,
            7 => record.value = None,
            8 => record.customer = None,
            9 => _ = self.table.insert(customer, payer),
            10 => _ = self.table.remove(customer),
            _ => self.mend(),
        }
    }

    /// Nothing is left that is held.
    fn mend(&mut self) {
        let keys: Vec<(u8, u32)> = self.records.keys().copied().collect();
        for key in keys {
            let fresh = self.fresh();
            let record = self.records.get_mut(&key).unwrap();
            if !record.is_usable() || record.value.is_some_and(|value| value < 0) {
                *record = fresh;
            }
        }
        CUSTOMERS.iter().for_each(|customer| _ = self.table.entry(customer).or_insert("P"));
    }

    fn write(&self) {
        let folder = self.sets.0.path("bucket/omnistrate-metering/Postgres/PROD/pt-1/2025");
        let _ = std::fs::remove_dir_all(folder);
        for ((hour, number), record) in &self.records {
            let key = format!("omnistrate-metering/Postgres/PROD/pt-1/2025/06/01/{hour:02}/{number}.json");
            self.sets.0.object(&key, &record.json());
        }
        let rows: String = self.table.iter().map(|(customer, payer)| format!("{customer},{payer}\n")).collect();
        std::fs::write(self.sets.0.path("customers.csv"), format!("customer,id\n{rows}")).unwrap();
    }

    /// The charge that a record goes into.
    fn name(&self, (hour, record): (u8, &Record)) -> Option<Name> {
        let payer = self.table.get(record.customer?)?;
        let size = record.size.map_or_else(String::new, |size| format!(" size={size}"));
        record.value.map(|_| (hour, format!("{payer} {}{size}", record.dimension)))
    }

    fn usable(&self) -> impl Iterator<Item = (Name, Usage, i64)> {
        self.records.iter().filter_map(|((hour, _), record)| {
            let name = self.name((*hour, record))?;
            Some((name, (*hour, record.customer?, record.dimension), record.value?))
        })
    }

    fn owed(&self) -> Amounts {
        let mut owed = Amounts::new();
        self.usable().for_each(|(name, _, value)| *owed.entry(name).or_default() += value);
        owed
    }

    fn shown(&self) -> Amounts {
        let folder = self.sets.0.path("out").join(JUNE);
        let Ok(id) = std::fs::read_to_string(folder.join("current")) else { return Amounts::new() };
        let text = std::fs::read_to_string(folder.join(id)).unwrap();
        let june: i64 = JUNE.parse().unwrap();
        let mut shown = Amounts::new();
        for line in text.lines() {
            let mut words = line.split(' ');
            let [start, customer, dimension, quantity] = std::array::from_fn(|_| words.next().unwrap());
            let hour = (start.parse::<i64>().unwrap() - june) / 3_600_000;
            let name: String = [customer, dimension].into_iter().chain(words).collect::<Vec<_>>().join(" ");
            let before = shown.insert((hour.try_into().unwrap(), name), quantity.parse().unwrap());
            assert_eq!(before, None, "{line} stands twice");
        }
        shown
    }

    /// What is shown has to lie between what was shown and what is owed, in each group of charges that may be made of the same usage.
    fn compare(&mut self, before: &Amounts, after: &Amounts, course: &str) {
        let owed = self.owed();
        let mut groups: Vec<(BTreeSet<Name>, BTreeSet<Usage>)> = Vec::new();
        let mut join = |name: &Name, usage: &BTreeSet<Usage>| {
            let mut joined = (BTreeSet::from([name.clone()]), usage.clone());
            groups.retain(|(names, usage)| {
                let touches = !names.is_disjoint(&joined.0) || !usage.is_disjoint(&joined.1);
                if touches {
                    joined.0.extend(names.iter().cloned());
                    joined.1.extend(usage);
                }
                !touches
            });
            groups.push(joined);
        };
        let mut now: BTreeMap<Name, BTreeSet<Usage>> = BTreeMap::new();
        self.usable().for_each(|(name, usage, _)| _ = now.entry(name).or_default().insert(usage));
        self.behind.iter().chain(&now).for_each(|(name, usage)| join(name, usage));
        for (names, _) in groups {
            let sum = |of: &Amounts, is_wanted: fn(i64) -> bool| -> i64 {
                of.iter()
                    .filter(|(name, amount)| names.contains(name) && is_wanted(**amount))
                    .map(|(_, amount)| amount)
                    .sum()
            };
            let (was, is) = (sum(before, |_| true), sum(after, |_| true));
            let (least, most) = (sum(&owed, |_| true).min(was), sum(&owed, |amount| amount > 0).max(was));
            let told = || format!("{course}: {names:?}: {was} became {is}, and {owed:?} is owed");
            assert!((least..=most).contains(&is), "{}", told());
        }
        let mut behind = BTreeMap::new();
        for (name, amount) in after {
            let mut usage = now.get(name).cloned().unwrap_or_default();
            // What stays as it was may be made of what it was made of.
            if before.get(name) == Some(amount) {
                usage.extend(self.behind.get(name).into_iter().flatten());
            }
            behind.insert(name.clone(), usage);
        }
        self.behind = behind;
    }

    fn step(&mut self, course: &str) {
        self.write();
        let before = self.shown();
        let failpoints = ["", "", "", "", "writing-set", "showing-set", "shown-set"];
        let failpoint = self.chance.of(&failpoints);
        let run = |command: &str| self.sets.0.command(command, &["--json"], &[]);
        if failpoint.is_empty() {
            let (plan, ended) = (run("plan"), run("run"));
            assert!(matches!(ended.exit, 0 | 1) && plan.exit == ended.exit, "{course}: {plan:?}, {ended:?}");
            let as_done = |state: &str| state.replace("would-publish", "published");
            let planned: Vec<_> =
                months(&plan.json()).into_iter().map(|(month, state)| (month, as_done(&state))).collect();
            assert_eq!(planned, months(&ended.json()), "{course}");
        } else {
            self.sets.0.command("run", &[], &[("METERHOST_FAILPOINT", failpoint)]);
            run("run");
        }
        let after = self.shown();
        let again = run("run");
        let is_still = |(_, state): &(String, String)| state == "unchanged" || state == "nothing";
        assert!(months(&again.json()).iter().all(is_still), "{course}: {again:?}");
        assert_eq!(self.shown(), after, "{course}: a second run changes nothing");
        if again.exit == 0 {
            let owed: Amounts = self.owed();
            assert_eq!(after, owed, "{course}: nothing is held");
        }
        self.compare(&before, &after, course);
    }
}

fn goes_on(seed: u64) {
    let mut world = World::new(seed);
    for step in 0..STEPS {
        if step > 0 {
            (0..=world.chance.below(3)).for_each(|_| world.change());
        }
        world.step(&format!("seed {seed}, step {step}"));
    }
    world.mend();
    world.write();
    world.sets.run(0);
    assert_eq!(world.shown(), world.owed(), "seed {seed}");
    world.sets.0.command("ledger verify", &[], &[]).expect(0);
}

#[test]
fn whatever_becomes_of_usage_a_set_holds_neither_more_nor_less() {
    let long = std::env::var_os("METERHOST_LONG").is_some();
    let seeds = if long { MANY_SEEDS } else { SEEDS };
    (0..seeds).for_each(goes_on);
    println!("counted: {seeds} courses of usage, tables and crashes");
}
