//! What test runs print, added up.

use std::fmt;

/// What a test prints, at the start of a line, that lacks something it needs: `skipped: ../shared is not there`.
const SKIPPED: &str = "skipped: ";
/// What a test prints, at the start of a line, that counted something: `counted: 20 kills`.
const COUNTED: &str = "counted: ";

/// Passed, failed and skipped tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl std::ops::AddAssign for Summary {
    fn add_assign(&mut self, run: Summary) {
        self.passed += run.passed;
        self.failed += run.failed;
        self.skipped += run.skipped;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// One `cargo test`, read line by line as it prints.
#[derive(Debug, Default)]
pub struct Run {
    /// As the test runner counts.
    counted: Summary,
    /// Test programs of which the runner said that some test failed.
    with_failures: u64,
    /// Test programs of which cargo said that they failed, for whatever reason.
    broken: u64,
    /// Whether what passing tests printed is being shown.
    among_passed: bool,
    /// The test whose output is being shown.
    test: String,
    /// What tests said that were skipped, and which they are.
    skips: Vec<String>,
    /// What tests counted, and which they are.
    counts: Vec<String>,
}

impl Run {
    /// Takes a line. Whether a person wants to see it: what passing tests print is of no interest among hundreds of them.
    pub fn line(&mut self, line: &str) -> bool {
        if let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) {
            self.count(counts);
            self.with_failures += u64::from(line.starts_with("test result: FAILED"));
        }
        self.broken += u64::from(line.starts_with("error: ") && line.contains(", to rerun pass `"));
        if let Some(test) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            test.clone_into(&mut self.test);
        }
        if let Some(reason) = line.strip_prefix(SKIPPED) {
            self.skips.push(format!("{}: {reason}", self.test));
        }
        if let Some(counts) = line.strip_prefix(COUNTED) {
            self.counts.push(format!("{}: {counts}", self.test));
        }
        match line {
            "successes:" => self.among_passed = true,
            "failures:" => self.among_passed = false,
            _ if line.starts_with("test result: ") => self.among_passed = false,
            _ => {}
        }
        !self.among_passed && !line.is_empty() && !line.ends_with("... ok")
    }

    fn count(&mut self, counts: &str) {
        for part in counts.split(';') {
            let mut words = part.split_whitespace();
            let number = words.next().and_then(|number| number.parse::<u64>().ok());
            match (number, words.next()) {
                (Some(number), Some("passed")) => self.counted.passed += number,
                (Some(number), Some("failed")) => self.counted.failed += number,
                (Some(number), Some("ignored")) => self.counted.skipped += number,
                _ => {}
            }
        }
    }

    /// The sum, once the run has ended, well or not.
    ///
    /// A test that says that it was skipped has passed for the runner; here it has not. What fails without a failed test (it did not
    /// compile, it was killed) counts as one: a summary must not look better than what it sums up.
    pub fn summary(&self, succeeded: bool) -> Summary {
        let skipped = self.skips.len() as u64;
        let failed = self.counted.failed + self.broken.saturating_sub(self.with_failures);
        Summary {
            passed: self.counted.passed.saturating_sub(skipped),
            failed: failed.max(u64::from(!succeeded)),
            skipped: self.counted.skipped + skipped,
        }
    }

    /// Which tests said that they were skipped, and why.
    pub fn skips(&self) -> &[String] {
        &self.skips
    }

    /// Which tests counted something, and what.
    pub fn counts(&self) -> &[String] {
        &self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::{Run, Summary};

    fn run(lines: &[&str]) -> Run {
        let mut run = Run::default();
        lines.iter().for_each(|line| {
            run.line(line);
        });
        run
    }

    fn result(word: &str, passed: u64, failed: u64, ignored: u64) -> String {
        format!(
            "test result: {word}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; 7 filtered out; finished in 0.00s"
        )
    }

    #[test]
    fn the_runners_lines_are_added_up() {
        let lines = ["running 4 tests", &result("ok", 3, 0, 1), &result("FAILED", 2, 1, 0), &result("ok", 1, 0, 0)];
        assert_eq!(run(&lines).summary(false).to_string(), "6 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn runs_are_added_up() {
        let mut sum = Summary { passed: 1, failed: 2, skipped: 3 };
        sum += Summary { passed: 10, failed: 20, skipped: 30 };
        assert_eq!(sum.to_string(), "11 passed, 22 failed, 33 skipped");
    }

    #[test]
    fn a_test_that_says_so_is_skipped_and_has_not_passed() {
        let run = run(&[
            "successes:",
            "---- golden::all_runs_agree stdout ----",
            "skipped: ../shared is not there",
            "the report says skipped: 3",
            "skipped in part: this user may write everywhere",
            &result("ok", 2, 0, 0),
        ]);
        assert_eq!(run.summary(true).to_string(), "1 passed, 0 failed, 1 skipped");
        assert_eq!(run.skips(), ["golden::all_runs_agree: ../shared is not there"]);
    }

    #[test]
    fn what_a_test_counted_is_told_though_it_passed() {
        let run = run(&["successes:", "", "---- kills::bill_once stdout ----", "counted: 20 kills", "", "successes:"]);
        assert_eq!(run.counts(), ["kills::bill_once: 20 kills"]);
    }

    #[test]
    fn what_does_not_compile_counts_as_a_failure() {
        assert_eq!(run(&[]).summary(false).to_string(), "0 passed, 1 failed, 0 skipped");
    }

    #[test]
    fn a_test_program_that_is_killed_counts_beside_one_whose_tests_fail() {
        let lines = [
            &result("FAILED", 2, 2, 0),
            "error: test failed, to rerun pass `-p host --test end-to-end`",
            "running 9 tests",
            "error: test failed, to rerun pass `-p host --lib`",
            "error: doctest failed, to rerun pass `-p host --doc`",
            "error: 3 targets failed:",
        ];
        assert_eq!(run(&lines).summary(false).to_string(), "2 passed, 4 failed, 0 skipped");
    }

    #[test]
    fn lines_of_other_programs_count_nothing() {
        let lines = ["test result: 3 passed", "", "test result: ok. many passed; none failed", "error: none"];
        assert_eq!(run(&lines).summary(true), Summary::default());
    }

    #[test]
    fn what_passing_tests_print_is_not_shown() {
        let lines = [
            ("running 2 tests", true),
            ("test a ... ok", false),
            ("test b ... FAILED", true),
            ("", false),
            ("successes:", false),
            ("---- a stdout ----", false),
            ("chatter", false),
            ("failures:", true),
            ("---- b stdout ----", true),
            ("the reason", true),
            ("test result: FAILED. 1 passed; 1 failed", true),
            ("successes:", false),
            ("    a", false),
            ("test result: ok. 1 passed; 0 failed", true),
            ("   Compiling x", true),
        ];
        let mut run = Run::default();
        for (line, shown) in lines {
            assert_eq!(run.line(line), shown, "{line}");
        }
    }
}
