//! What complete sets are kept from: another plugin under their sink's name, and sets that somebody else put in their place.

use crate::sets::{JUNE, Sets};

/// The section of a sink that bills each charge, under the name of the one that publishes.
const BILLING: &str = "[sink.out]\nplugin = \"clazar\"\nretry_budget = \"5s\"\nconfig = { cloud = \"aws\", url = \"${CLAZAR_URL}\" }\n\
    grant = { http = [\"${CLAZAR_URL}\"], secrets = { client_id = { env = \"CLAZAR_CLIENT_ID\" }, client_secret = { env = \"CLAZAR_CLIENT_SECRET\" } } }\n";

#[test]
fn a_sink_of_another_kind_needs_another_name() {
    for bills_first in [true, false] {
        let sets = Sets::new();
        let text = std::fs::read_to_string(sets.0.path("pipeline.toml")).unwrap();
        let (head, _) = text.split_once("[sink.out]").unwrap();
        let billing = format!("{head}{BILLING}");
        let (first, then) = if bills_first { (&billing, &text) } else { (&text, &billing) };
        sets.usage("2025/06/01/05", "acme", "cpu", "1");
        sets.0.pipeline(first);
        // Of a charge that nothing is known about, no window may be settled, whoever has its sink's name by now.
        sets.0.command("run", &[], &[("METERHOST_FAILPOINT", if bills_first { "delivering" } else { "closing" })]);
        let shown = sets.shown(JUNE);
        sets.0.pipeline(then);
        let says = match bills_first {
            true => "the sink out publishes complete sets, and the ledger holds charges that it billed one by one",
            false => "the sink out bills charges one by one, and the ledger holds complete sets of it",
        };
        for command in ["check", "plan", "run"] {
            sets.0.command(command, &[], &[]).expect(2).says(says).says("give it another name");
        }
        assert_eq!((sets.shown(JUNE), sets.0.submissions()), (shown, 0));
        // As the message says: under another name, once the one before is at its end.
        sets.0.pipeline(first);
        sets.0.run().expect(0);
        sets.0.pipeline(&then.replace("[sink.out]", "[sink.other]"));
        sets.0.command("ledger rename", &["--retire", "out", "--yes"], &[]).expect(0);
        match bills_first {
            true => sets
                .0
                .run()
                .expect(1)
                .says("its records went into the charge of 1 for cpu to sink out, which is billed"),
            false => sets.0.run().expect(0),
        };
        sets.0.command("ledger verify", &[], &[]).expect(0);
    }
}
